// The thread of one task, for the strategy `thread`.

import { parentPort, workerData } from 'node:worker_threads';

const childStart = process.hrtime.bigint();

const [{ run }, { pack, unpackPayload }, workloads] = await Promise.all([
  import('../run.mjs'),
  import('../strategy/message.mjs'),
  import('../workload/index.mjs'),
]);
const { spec, shared, task, payload } = workerData;
const workload = await workloads.byName(spec.workload);
const input = workload.prepare(spec, shared);
const ran = await run(input, task, unpackPayload(payload));
parentPort.postMessage(pack(ran, childStart, process.pid));
