// The study notes' best practice: a timeout that kills a worker which does not answer. Here after a
// tenth of a second instead of 30 seconds, of workers that do not answer for different reasons.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { ended, startedSince } from './processes.mjs';
import { say } from './say.mjs';

const WORKER = new URL('timeout-cleanup/worker.mjs', import.meta.url);
const TIMEOUT_MS = 100;

for (const of of ['as-in-the-notes', 'busy', 'ignores-sigterm', 'has-a-child']) await show(of);

async function show(of) {
  const worker = fork(WORKER, [of], { silent: true });
  const exited = once(worker, 'exit');
  // A runtime takes a while to start. The time begins when it is up, so that the same is killed
  // on every machine.
  await once(worker.stdout, 'data');
  const refused = once(worker.stdout, 'data').then(() => false);
  cleanUpInTime(worker);
  worker.send({ task: 'never' });

  // Either it has ended, or it has said that it will not.
  const killed = await Promise.race([exited.then(() => true), refused]);
  const left = startedSince();
  say(of, 'timeout_ms', TIMEOUT_MS, { unit: 'ms' });
  say(of, 'killed', killed, { text: worker.signalCode ?? 'it goes on' });
  say(of, 'left', left.length);

  for (const pid of left) process.kill(pid, 'SIGKILL');
  await exited;
  // A child of the worker's is nobody's here, so that only looking tells.
  await Promise.all(left.map(ended));
}

/** As the notes write it. */
function cleanUpInTime(worker) {
  // Set timeout for long-running tasks
  const timeout = setTimeout(() => {
    worker.kill();
  }, TIMEOUT_MS);

  worker.on('message', (result) => {
    clearTimeout(timeout);
    worker.kill();
  });

  worker.on('error', (err) => {
    clearTimeout(timeout);
    console.error('Worker error:', err);
  });
}
