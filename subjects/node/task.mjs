// A program per task: parameters as arguments, payload on standard input, answer as text.

import { readSync, writevSync } from 'node:fs';
import { run } from './run.mjs';
import { fromArgs } from './spec.mjs';
import { renderLine } from './text.mjs';
import * as workloads from './workload/index.mjs';

/** `ID TASK SPEC…` */
export async function runTask([id, task, ...specArgs], childStart) {
  const spec = fromArgs(specArgs);
  const workload = await workloads.byName(spec.workload);
  const input = workload.prepare(spec);
  const ran = await run(input, Number(task), readPayload(spec.payload_bytes));
  if (ran.outcome === 'crash') throw new Error(ran.body.toString());
  writeAnswer(Buffer.from(renderLine(id, ran, childStart)), ran.body);
}

/** The checksum of one whole request, computed here. */
export async function answer(specArgs) {
  const spec = fromArgs(specArgs);
  const workload = await workloads.byName(spec.workload);
  const input = workload.prepare(spec);
  await input.examine?.();
  const checksums = [];
  for (let task = 0; task < workload.tasks(spec); task += 1) {
    const ran = await run(input, task, Buffer.alloc(spec.payload_bytes));
    if (ran.outcome !== 'ok') throw new Error(ran.body.toString());
    checksums.push(ran.checksum);
  }
  return workload.join(checksums);
}

/** How much of the workload a millisecond is in this runtime. */
export async function calibrate(specArgs) {
  const workload = await workloads.byName(fromArgs(specArgs).workload);
  return workload.calibrate();
}

function readPayload(length) {
  const payload = Buffer.allocUnsafe(length);
  for (let have = 0; have < length; ) {
    const n = readSync(0, payload, have, length - have);
    if (n === 0) throw new Error(`the payload ended after ${have} of ${length} bytes`);
    have += n;
  }
  return payload;
}

/** Line and payload in one system call where the pipe takes them. */
function writeAnswer(line, body) {
  let rest = body.length > 0 ? [line, body] : [line];
  while (rest.length > 0) {
    let n = writevSync(1, rest);
    while (rest.length > 0 && n >= rest[0].length) n -= rest.shift().length;
    if (rest.length > 0) rest = [rest[0].subarray(n), ...rest.slice(1)];
  }
}
