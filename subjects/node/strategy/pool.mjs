// `pool`: long-lived forked children behind one queue, workerpool's. Chosen over tinypool because
// it bounds its queue, replaces a worker that dies, and ends the worker of a task that is
// cancelled, which is what a deadline needs.

import workerpool from 'workerpool';
import { fileURLToPath } from 'node:url';
import { nowNs } from '../clock.mjs';
import { count, toArgs } from '../spec.mjs';
import { Census, Jobs } from './census.mjs';
import { packPayload, unpack } from './message.mjs';

export const reaps = false;
export const packages = ['workerpool'];

const FILE = fileURLToPath(new URL('../children/pool.mjs', import.meta.url));

export async function start(setup) {
  const workers = count(setup.options, 'workers');
  const { serialization = 'json' } = setup.options;
  if (count(setup.options, 'recycle_after') !== 0) {
    throw new Error('workerpool does not recycle workers; leave `recycle_after` at 0');
  }
  const census = new Census();
  const pool = workerpool.pool(FILE, {
    workerType: 'process',
    minWorkers: workers,
    maxWorkers: workers,
    maxQueueSize: count(setup.options, 'queue'),
    forkArgs: [serialization, ...toArgs(setup.spec)],
    forkOpts: { serialization },
    // Pipes instead of this process's own streams: standard input is the driver's socket.
    emitStdStreams: true,
    onCreateWorker: () => {
      census.born();
    },
    onTerminateWorker: () => census.gone(),
  });
  const jobs = new Jobs();
  // As many at once as there are workers: each has loaded its input when it answers.
  const used = await Promise.all(Array.from({ length: workers }, () => pool.exec('ready', [])));

  function begin({ id, payload }) {
    const accepted = nowNs();
    const message = { task: id.task, payload: packPayload(payload, serialization) };
    let job;
    try {
      job = pool.exec('run', [message]);
    } catch (error) {
      const body = Buffer.from(error.message);
      return setup.done({ id, outcome: 'rejected', checksum: 0n, body, childPid: 0 });
    }
    jobs.set(id, job);
    job.then(
      (message) => {
        jobs.delete(id);
        // workerpool's queue is its own: waiting for a worker counts as `queue` up to the
        // worker's first instruction for the task, and `creation` is nothing.
        const { childStart } = message;
        setup.done({ id, ...unpack(message, BigInt(childStart), serialization) });
      },
      (error) => {
        jobs.delete(id);
        const stamps = { dispatched: accepted, childStart: 0n, workStart: 0n, workEnd: 0n };
        const body = Buffer.from(error.message.replaceAll(/\s+/g, ' '));
        setup.done({ id, outcome: 'crash', checksum: 0n, body, stamps, childPid: 0 });
      },
    );
  }

  return {
    census,
    begin,
    usageAtReady: used.reduce(add),
    effectiveOptions: {
      'workerpool.minWorkers': String(pool.minWorkers),
      'workerpool.maxWorkers': String(pool.maxWorkers),
      'workerpool.maxQueueSize': String(pool.maxQueueSize),
    },
    /** Ends the worker with the task. */
    expire: (id) => jobs.get(id)?.cancel(),
    close: () => pool.terminate(true),
  };
}

function add(one, other) {
  return Object.fromEntries(Object.entries(one).map(([name, n]) => [name, n + other[name]]));
}
