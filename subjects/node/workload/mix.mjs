// The integer loop of workloads that are a fixed count of steps.

/** `steps` rounds of shift, multiply, add in 32 bits, each needing the one before. */
export function mix(state, steps) {
  for (let step = 0; step < steps; step += 1) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + step) | 0;
  }
  return state >>> 0;
}
