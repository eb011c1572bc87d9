// What needs synchronization, and what happens without: two workers each add 1 to a counter, again
// and again. As threads to one in shared memory, without and with atomic operations, and as
// processes, which share nothing and send what they have counted.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { say } from './say.mjs';

const FILE = new URL('synchronization/counter.mjs', import.meta.url);
const WORKERS = 2;
const TIMES = 2_000_000;

for (const of of ['thread-plain', 'thread-atomic', 'process']) {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const start = () =>
    of === 'process' ? fork(FILE) : new Worker(FILE, { workerData: { shared } });
  const workers = Array.from({ length: WORKERS }, start);
  // All are there before any begins, so that they count at the same time.
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const counted = workers.map((worker) => once(worker, 'message'));
  for (const worker of workers) {
    const order = { times: TIMES, atomic: of === 'thread-atomic' };
    if (of === 'process') worker.send(order);
    else worker.postMessage(order);
  }
  const own = (await Promise.all(counted)).map(([{ own }]) => own);
  const total = of === 'process' ? own.reduce((sum, n) => sum + n, 0) : shared[0];
  say(of, 'increments', WORKERS * TIMES);
  say(of, 'counted', total);
  say(of, 'lost', WORKERS * TIMES - total);
  const exited = workers.map((worker) => once(worker, 'exit'));
  for (const worker of workers) {
    if (of === 'process') worker.kill();
    else worker.terminate();
  }
  await Promise.all(exited);
}
