// Is a forked child a process of its own, and a worker thread none? The study notes' proof (ids,
// parent, memory), what the kernel says of the same, and how many cores as many busy children as
// there are cores really use.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { memory, startTime } from './processes.mjs';
import { say } from './say.mjs';

const FILE = new URL('separate-processes/child.mjs', import.meta.url);

const kinds = {
  fork: {
    start: () => fork(FILE),
    send: (child, message) => child.send(message),
    end: (child) => child.kill(),
  },
  'worker-thread': {
    start: () => new Worker(FILE),
    send: (worker, message) => worker.postMessage(message),
    end: (worker) => worker.terminate(),
  },
};

for (const [of, kind] of Object.entries(kinds)) {
  await prove(of, kind);
  await useCores(of, kind);
}

async function prove(of, { start, end }) {
  const child = start();
  const [info] = await once(child, 'message');
  say(of, 'distinct_pid', info.childPID !== process.pid);
  say(of, 'parent_is_main', info.parentPID === process.pid);
  say(of, 'distinct_start_time', startTime(info.childPID) !== startTime(process.pid));
  say(of, 'main_rss_bytes', process.memoryUsage().rss, { unit: 'bytes' });
  say(of, 'child_rss_bytes', info.memory, { unit: 'bytes' });
  const { rss, pss } = memory(info.childPID);
  say(of, 'os_rss_bytes', rss, { unit: 'bytes' });
  say(of, 'os_pss_bytes', pss, { unit: 'bytes' });
  const exited = once(child, 'exit');
  end(child);
  await exited;
}

/** All begin together once all are there; this thread only waits. */
async function useCores(of, { start, send, end }) {
  const children = Array.from({ length: availableParallelism() }, start);
  await Promise.all(children.map((child) => once(child, 'message')));
  const used = process.cpuUsage();
  const begun = performance.now();
  const done = children.map((child) => once(child, 'message'));
  for (const child of children) send(child, 'work');
  const reports = (await Promise.all(done)).map(([report]) => report);
  const wallMs = performance.now() - begun;
  // A thread's time is this process's; a child's is its own.
  const own = process.cpuUsage(used);
  const busy = of === 'fork' ? reports.map((report) => report.cpu) : [own];
  const cpuMs = busy.reduce((sum, { user, system }) => sum + (user + system) / 1000, 0);
  say(of, 'cores', children.length, { unit: 'cores' });
  say(of, 'cores_used', cpuMs / wallMs, { unit: 'cores' });
  const exited = children.map((child) => once(child, 'exit'));
  for (const child of children) end(child);
  await Promise.all(exited);
}
