// Ending programs that were started.

import { readFileSync } from 'node:fs';

/**
 * Kills a child that has not been reaped, with all that it has started: killing the shell of
 * `exec` alone would leave its command running.
 */
export function killTree(pid) {
  if (pid === undefined) return;
  for (const child of childrenOf(pid)) killTree(child);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}

function childrenOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** `exited with 3`, `was ended by SIGKILL`. */
export function describeExit(code, signal) {
  return signal === null ? `exited with ${code}` : `was ended by ${signal}`;
}

/** The end of standard error, for the reason of a failure. */
export class LastWords {
  #text = '';

  hear(piece) {
    this.#text = (this.#text + piece.toString()).slice(-4096);
  }

  toString() {
    const line = this.#text.split('\n').map((l) => l.trim()).findLast((l) => l !== '');
    return line === undefined ? '' : `; it said: ${line}`;
  }
}
