// The study notes' prime finder counts both ends of every chunk, so that a number at which one ends
// and the next begins is counted twice. Here it is a prime. Only the first of such numbers can be
// one, the others are its multiples: the count is never wrong by more than one.

import { fork } from 'node:child_process';
import { say } from './say.mjs';

const WORKERS = 2;
const BOUNDARY = 10_007;
const LIMIT = WORKERS * BOUNDARY;

const finder = () => fork(new URL('prime-boundary/prime-finder.mjs', import.meta.url));

/** The study notes' handler of `GET /find-primes/:limit`, with a number of workers to choose. */
function findPrimes(limit, numWorkers, firstOf) {
  return new Promise((resolve) => {
    const chunkSize = Math.ceil(limit / numWorkers);

    let allPrimes = [];
    let completedWorkers = 0;

    for (let i = 0; i < numWorkers; i++) {
      const worker = finder();
      const start = firstOf(i, chunkSize);
      const end = Math.min(i * chunkSize + chunkSize, limit);

      worker.send({ start, end });

      worker.on('message', (primes) => {
        allPrimes = allPrimes.concat(primes);
        worker.kill();
      });

      // Not at the message, as the notes have it, but when the worker has ended: none is left.
      worker.on('exit', () => {
        completedWorkers++;
        if (completedWorkers === numWorkers) resolve(allPrimes.length);
      });
    }
  });
}

const asInTheNotes = (i, chunkSize) => i * chunkSize;
const corrected = (i, chunkSize) => i * chunkSize + 1;

await show('as-in-the-notes', asInTheNotes);
await show('corrected', corrected);

async function show(of, firstOf) {
  say(of, 'limit', LIMIT);
  say(of, 'workers', WORKERS);
  say(of, 'primes_counted', await findPrimes(LIMIT, WORKERS, firstOf));
  say(of, 'primes_right', sieve(LIMIT));
}

/** How many primes there are up to and with `limit`, found otherwise. */
function sieve(limit) {
  const composite = new Uint8Array(limit + 1);
  let found = 0;
  for (let n = 2; n <= limit; n += 1) {
    if (composite[n]) continue;
    found += 1;
    for (let m = n * n; m <= limit; m += n) composite[m] = 1;
  }
  return found;
}
