// A worker of the strategy `pool`: its input is loaded before it says that it is ready.

import workerpool from 'workerpool';
import { nowNs } from '../clock.mjs';
import { run } from '../run.mjs';
import { fromArgs } from '../spec.mjs';
import { pack, unpackPayload } from '../strategy/message.mjs';
import { usage } from '../versions.mjs';
import * as workloads from '../workload/index.mjs';

const [serialization, ...specArgs] = process.argv.slice(2);
const spec = fromArgs(specArgs);
const workload = await workloads.byName(spec.workload);
const input = workload.prepare(spec);

workerpool.worker({
  ready: usage,
  async run({ task, payload }) {
    const childStart = nowNs();
    const ran = await run(input, task, unpackPayload(payload, serialization));
    return pack(ran, childStart, process.pid, serialization);
  },
});
