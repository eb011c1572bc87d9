// `random-sum-native`: the study notes' own loop, with the generator that the language comes with.
// No two runs draw the same, so the checksum is the count where the mean is that of draws from
// [0, 1): 0.05 is seventeen standard errors of the smallest size.

import { pick } from '../spec.mjs';
import { TaskError } from '../run.mjs';

export function prepare(spec) {
  const count = pick(spec.size, [10_000, 1_000_000, 10_000_000]);
  return { run: () => ({ checksum: counted(count, sumOfDraws(count)) }) };
}

function sumOfDraws(count) {
  let sum = 0;
  for (let i = 0; i < count; i += 1) sum += Math.random();
  return sum;
}

function counted(count, sum) {
  const mean = sum / count;
  if (Math.abs(mean - 0.5) < 0.05) return BigInt(count);
  throw new TaskError(`the mean of ${count} draws is ${mean}`);
}
