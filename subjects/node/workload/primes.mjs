// `primes`: the study notes' trial division, whole or in chunks over tasks. Contiguous chunks are
// half-open and the last one ends at the limit itself; interleaved ones are every k-th odd number,
// and 2 for the first.

import { count, pick } from '../spec.mjs';

export const tasks = (spec) => count(spec.options, 'chunks');

export function prepare(spec) {
  const limit = pick(spec.size, [10_000, 100_000, 1_000_000]);
  const chunks = tasks(spec);
  const chunk = spec.options.split === 'interleaved' ? interleaved : contiguous;
  return { run: (task) => ({ checksum: BigInt(chunk(limit, chunks, task)) }) };
}

/** The whole's count is the sum of the chunks' counts. */
export function join(counts) {
  return counts.reduce((sum, n) => sum + n, 0n);
}

function contiguous(limit, chunks, chunk) {
  const length = Math.ceil(limit / chunks);
  const start = Math.min(chunk * length, limit);
  return countPrimes(start + 1, Math.min(start + length, limit), 1);
}

function interleaved(limit, chunks, chunk) {
  const two = chunk === 0 && limit >= 2 ? 1 : 0;
  return two + countPrimes(3 + 2 * chunk, limit, 2 * chunks);
}

/** Among `first`, `first + step`, … up to and with `last`. */
function countPrimes(first, last, step) {
  let found = 0;
  for (let n = first; n <= last; n += step) if (isPrime(n)) found += 1;
  return found;
}

/** Trial division by every number from 2 to the root, even ones included, as the notes do it. */
function isPrime(n) {
  if (n < 2) return false;
  for (let d = 2; d * d <= n; d += 1) if (n % d === 0) return false;
  return true;
}
