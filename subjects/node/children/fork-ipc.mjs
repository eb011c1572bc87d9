// The forked child of one task, for the strategy `fork-ipc`. It does not exit by itself: whoever
// forked it kills it, as the study notes do, and it leaves when its channel closes.

import module from 'node:module';

const childStart = process.hrtime.bigint();
const received = new Promise((resolve) => {
  process.once('message', resolve);
});

const [{ run }, { fromArgs }, { pack, unpackPayload }, workloads] = await Promise.all([
  import('../run.mjs'),
  import('../spec.mjs'),
  import('../strategy/message.mjs'),
  import('../workload/index.mjs'),
]);
const [serialization, ...specArgs] = process.argv.slice(2);
const spec = fromArgs(specArgs);
const workload = await workloads.byName(spec.workload);
const input = workload.prepare(spec);

const { task, payload } = await received;
const ran = await run(input, task, unpackPayload(payload, serialization));
// An exception that nobody foresaw ends a child; its end is the answer.
if (ran.outcome === 'crash') throw new Error(ran.body.toString());
// What is killed does not write what it has compiled, as one that exits does.
if (process.env.NODE_COMPILE_CACHE) module.flushCompileCache?.();
process.send(pack(ran, childStart, process.pid, serialization));
// The channel stays open until the parent has the message and kills this: exiting now could drop
// it.
process.on('message', () => {});
