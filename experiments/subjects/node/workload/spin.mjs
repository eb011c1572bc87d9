// `spin`: keeps a core busy for a given time.

import { nowNs } from '../clock.mjs';
import { count } from '../spec.mjs';

export function prepare(spec) {
  const us = BigInt(count(spec.options, 'us'));
  return {
    run() {
      const deadline = nowNs() + us * 1_000n;
      while (nowNs() < deadline);
      return { checksum: us };
    },
  };
}
