// `thread-pool`: a fixed pool of worker threads, piscina's. As many threads at the least as at the
// most and no idle time-out: piscina would otherwise end and start threads at low load.

import { Piscina } from 'piscina';
import { nowNs } from '../clock.mjs';
import { count } from '../spec.mjs';
import { Census } from './census.mjs';
import { unpack } from './message.mjs';

export const reaps = false;
export const packages = ['piscina'];

const FILE = new URL('../children/thread-pool.mjs', import.meta.url);

export async function start(setup) {
  const { spec } = setup;
  const workers = count(setup.options, 'workers');
  const pool = new Piscina({
    filename: FILE.href,
    minThreads: workers,
    maxThreads: workers,
    idleTimeout: Infinity,
    workerData: { spec, shared: setup.workload.load(spec) },
  });
  const census = new Census();
  pool.on('workerCreate', () => census.born());
  pool.on('workerDestroy', () => census.gone());
  // As many at once as there are threads: each loads its input now.
  await Promise.all(Array.from({ length: workers }, () => pool.run({ ready: workers })));
  return {
    census,
    effectiveOptions: effective(pool.options),
    async begin({ id, payload }) {
      const dispatched = nowNs();
      try {
        // piscina's queue is its own: the first that can be seen of a task is its thread. So
        // waiting for a thread, wake-up included, counts as `queue`, and `creation` is nothing.
        const message = await pool.run({ task: id.task, payload });
        setup.done({ id, ...unpack(message, message.childStart) });
      } catch (error) {
        const stamps = { dispatched, childStart: 0n, workStart: 0n, workEnd: 0n };
        const body = Buffer.from(error.message);
        setup.done({ id, outcome: 'crash', checksum: 0n, body, stamps, childPid: process.pid });
      }
    },
    /** The thread goes on, and its late answer is ignored. */
    expire() {},
    close: () => pool.destroy(),
  };
}

/** What piscina made of its options, as text. */
function effective(options) {
  const names = ['minThreads', 'maxThreads', 'idleTimeout', 'maxQueue', 'atomics'];
  return Object.fromEntries(names.map((name) => [`piscina.${name}`, String(options[name])]));
}
