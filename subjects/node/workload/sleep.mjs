// `sleep`: takes a given time without using a core. The thread itself sleeps, as in every runtime:
// a timer would leave the thread to other requests, and `blocking` would not block.

import { nowNs } from '../clock.mjs';
import { count } from '../spec.mjs';

const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4));

export function prepare(spec) {
  const { draws } = spec.options;
  if (draws !== 'constant') throw new Error(`draws=${draws} is drawn by the Rust subject only`);
  const us = BigInt(count(spec.options, 'us'));
  return {
    run(_, payload) {
      const deadline = nowNs() + us * 1_000n;
      for (let left = us * 1_000n; left > 0n; left = deadline - nowNs()) {
        Atomics.wait(NEVER_WOKEN, 0, 0, Number(left) / 1e6);
      }
      return { checksum: us, payload };
    },
  };
}
