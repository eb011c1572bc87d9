// `random-sum`: the study notes' `heavyComputation`, draws summed. The draws are those of
// xoshiro128++, so that every runtime adds the same numbers in the same order.

import { pick } from '../spec.mjs';
import { draws } from './draws.mjs';

export function prepare(spec) {
  const count = pick(spec.size, [10_000, 1_000_000, 10_000_000]);
  return { run: () => ({ checksum: bitsOf(sumOfDraws(count, spec.seed)) }) };
}

function sumOfDraws(count, seed) {
  const draw = draws(seed);
  let sum = 0;
  for (let i = 0; i < count; i += 1) sum += draw() * (1 / 4_294_967_296);
  return sum;
}

function bitsOf(number) {
  return new BigUint64Array(new Float64Array([number]).buffer)[0];
}
