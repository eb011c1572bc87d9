//! The integer loop of workloads that are a fixed count of steps.

use std::hint::black_box;

/// `steps` rounds of shift, multiply, add, each needing the one before, in 32 bits because that
/// is what every runtime does natively (`Math.imul` in JavaScript). Adding the round's number
/// keeps the state from settling at zero.
pub fn mix(state: u32, steps: u32) -> u32 {
    let mut state = black_box(state);
    for step in 0..black_box(steps) {
        state = (state ^ (state >> 15)).wrapping_mul(0x2c1b_3c6d).wrapping_add(step);
    }
    black_box(state)
}
