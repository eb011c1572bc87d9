// What the kernel says of processes.

import { readFileSync, readdirSync } from 'node:fs';

/** Who was of this process's group before it started anybody: a shell's job, say. */
const before = new Set(group());

/** The processes of this one's group that run and that came into being since it began. */
export function startedSince() {
  return group().filter((pid) => !before.has(pid));
}

function group() {
  const own = stat(process.pid).group;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
  return pids.filter((pid) => {
    const { state, group } = stat(pid);
    return group === own && isRunning(state);
  });
}

/** Waits until a process has ended that is nobody's child here, so that no event says so. */
export async function ended(pid) {
  while (isRunning(stat(pid).state)) await new Promise((resolve) => setImmediate(resolve));
}

/** When a process was started, in the kernel's ticks since the machine was. */
export const startTime = (pid) => stat(pid).started;

/** What a process has in memory, in bytes, and its share of it: shared pages divided by sharers. */
export function memory(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const bytes = (name) => Number(rollup.match(new RegExp(`^${name}: +(\\d+) kB$`, 'm'))[1]) * 1024;
  return { rss: bytes('Rss'), pss: bytes('Pss') };
}

/** A zombie has ended; it only waits for its parent. */
function isRunning(state) {
  return state !== 'Z' && state !== 'X' && state !== '';
}

/** A process that is gone has no state and no group. */
function stat(pid) {
  let text;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return { state: '', group: 0, started: 0 };
  }
  // The name may itself have spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0], group: Number(fields[2]), started: Number(fields[19]) };
}
