// A worker, as a process or as a thread: begins a request, answers it, or crashes.

import { writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

const SIGNS = 4;

const port = parentPort ?? process;
const send = (message) => (parentPort ? parentPort.postMessage(message) : process.send(message));

port.on('message', (order) => {
  if (order.do === 'begin') send({ begun: true });
  if (order.do === 'answer') send({ answer: primesBelow(1000) });
  if (order.do === 'crash') crash(order.how);
});

function crash(how) {
  signOfLife();
  switch (how) {
    // What native code's `abort()` and a wild pointer end in.
    case 'abort':
      return dieBy('SIGABRT');
    case 'segfault':
      return dieBy('SIGSEGV');
    case 'exit':
      return process.exit(3);
    case 'out-of-memory':
      return fillMemory();
    default:
      throw new Error('an exception that nobody catches');
  }
}

function dieBy(signal) {
  process.kill(process.pid, signal);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** A megabyte after the other, until there is none. */
function fillMemory() {
  const kept = [];
  for (;;) {
    for (let i = 0; i < 10_000; i += 1) kept.push({ number: i, text: `number ${i}` });
    signOfLife();
  }
}

/** The time, at once: what is said later may never be. */
function signOfLife() {
  writeSync(SIGNS, `${process.hrtime.bigint()}\n`);
}

function primesBelow(limit) {
  let found = 0;
  for (let n = 2; n < limit; n += 1) {
    let d = 2;
    while (d * d <= n && n % d !== 0) d += 1;
    if (d * d > n) found += 1;
  }
  return found;
}
