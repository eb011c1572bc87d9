// A thread of the strategy `thread-pool`: its input is loaded when it starts.

import { workerData } from 'piscina';
import { run } from '../run.mjs';
import { pack, unpackPayload } from '../strategy/message.mjs';
import * as workloads from '../workload/index.mjs';

const { spec, shared } = workerData;
const workload = await workloads.byName(spec.workload);
const input = workload.prepare(spec, shared);

export default async function work({ ready, task, payload }) {
  if (ready !== undefined) return undefined;
  const ran = await run(input, task, unpackPayload(payload));
  return pack(ran, ran.workStart, process.pid);
}
