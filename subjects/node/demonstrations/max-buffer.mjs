// What becomes of 10 MiB of a child's output, by each of the four functions: how much of it comes,
// when the first of it does, and whether the child lives to write it.

import { exec, execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { say } from './say.mjs';

const TALKER = fileURLToPath(new URL('max-buffer/talker.mjs', import.meta.url));
const RAISED = 16 * 1024 * 1024;
// `exec` in the command has the shell become the child, so that what is killed is the child.
const COMMAND = `exec "${process.execPath}" "${TALKER}"`;

await buffered('exec/default', (done) => exec(COMMAND, done));
await buffered('exec/raised', (done) => exec(COMMAND, { maxBuffer: RAISED }, done));
await buffered('exec-file/default', (done) => execFile(process.execPath, [TALKER], done));
await streamed('spawn', () => spawn(process.execPath, [TALKER]));
await streamed('fork-silent', () => fork(TALKER, { silent: true }));

/** Output comes when all of it is there, or as much as fitted. */
async function buffered(of, start) {
  const begun = performance.now();
  const [child, error, stdout] = await new Promise((resolve) => {
    const child = start((error, stdout) => resolve([child, error, stdout]));
  });
  const ms = performance.now() - begun;
  tell(of, { received: Buffer.byteLength(stdout), error, child, firstMs: ms, completeMs: ms });
}

/** Output comes as it is written. */
async function streamed(of, start) {
  const begun = performance.now();
  let received = 0;
  let firstMs = null;
  const child = start();
  child.stdout.on('data', (piece) => {
    firstMs ??= performance.now() - begun;
    received += piece.length;
  });
  await once(child, 'close');
  const completeMs = performance.now() - begun;
  tell(of, { received, error: null, child, firstMs, completeMs });
}

function tell(of, { received, error, child, firstMs, completeMs }) {
  say(of, 'received_bytes', received, { unit: 'bytes' });
  say(of, 'error', error !== null, { text: error === null ? '' : String(error.code) });
  say(of, 'child_killed', child.signalCode !== null, { text: child.signalCode ?? '' });
  say(of, 'first_byte_ms', firstMs, { unit: 'ms' });
  say(of, 'complete_ms', completeMs, { unit: 'ms' });
}
