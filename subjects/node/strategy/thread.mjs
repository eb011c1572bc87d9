// `thread`: a new `Worker` per task. What can be shared of the input is.

import { Worker } from 'node:worker_threads';
import { nowNs } from '../clock.mjs';
import { Census, Jobs } from './census.mjs';
import { unpack } from './message.mjs';

export const reaps = false;

const FILE = new URL('../children/thread.mjs', import.meta.url);

export function start(setup) {
  const { spec } = setup;
  const shared = setup.workload.load(spec);
  const census = new Census();
  const jobs = new Jobs();
  return {
    census,
    begin({ id, payload }) {
      const dispatched = nowNs();
      const workerData = { spec, shared, task: id.task, payload };
      let worker;
      try {
        worker = new Worker(FILE, { workerData });
      } catch (error) {
        const body = Buffer.from(`create a thread: ${error.message}`);
        return setup.done({ id, outcome: 'rejected', checksum: 0n, body, childPid: 0 });
      }
      census.born();
      jobs.set(id, worker);
      let answered = false;
      const done = (done) => {
        if (!answered) setup.done({ id, childPid: process.pid, ...done });
        answered = true;
      };
      const crash = (reason) => {
        const stamps = { dispatched, childStart: 0n, workStart: 0n, workEnd: 0n };
        done({ outcome: 'crash', checksum: 0n, body: Buffer.from(reason), stamps });
      };
      worker.once('message', (message) => done(unpack(message, dispatched)));
      worker.once('error', (error) => crash(error.message));
      worker.once('exit', (code) => {
        census.gone();
        jobs.delete(id);
        crash(`the thread exited with ${code} before it had answered`);
      });
    },
    expire(id) {
      jobs.get(id)?.terminate();
    },
    close() {
      for (const worker of jobs.values()) worker.terminate();
      return jobs.empty();
    },
  };
}
