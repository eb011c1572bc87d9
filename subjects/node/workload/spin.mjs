// `spin`: keeps a core busy for about a given time, by a fixed count of steps of an integer loop:
// work, not time.

import { nowNs } from '../clock.mjs';
import { count } from '../spec.mjs';
import { mix } from './mix.mjs';

/** Where the loop begins. */
const START = 0x9e3779b9;
/** So many steps at a time, so that their count stays a small integer. */
const CHUNK = 1 << 20;

/** From which length on a batch of steps is timed: beyond what reading the clock costs. */
const BATCH_NS = 2_000_000n;
/** Of so many batches the fastest counts: whatever else the machine does only adds time. */
const BATCHES = 30;

export function prepare(spec) {
  const perMs = count(spec.options, 'steps_per_ms');
  if (perMs === 0) throw new Error('option `steps_per_ms` is 0; it is measured before a trial');
  const steps = Number((BigInt(count(spec.options, 'us')) * BigInt(perMs)) / 1_000n);
  return { run: () => ({ checksum: BigInt(spin(steps)) }) };
}

/** How many steps a millisecond is in this runtime. */
export function calibrate() {
  let steps = 10_000;
  while (timeNs(steps) < BATCH_NS) steps *= 2;
  let fastest = timeNs(steps);
  for (let batch = 1; batch < BATCHES; batch += 1) {
    const ns = timeNs(steps);
    if (ns < fastest) fastest = ns;
  }
  return Number((BigInt(steps) * 1_000_000n) / fastest) || 1;
}

function timeNs(steps) {
  const start = nowNs();
  spin(steps);
  return nowNs() - start;
}

function spin(steps) {
  let state = START;
  for (let chunk = Math.floor(steps / CHUNK); chunk > 0; chunk -= 1) state = mix(state, CHUNK);
  return mix(state, steps % CHUNK);
}
