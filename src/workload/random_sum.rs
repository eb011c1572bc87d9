//! `random-sum`: the study notes' `heavyComputation`, draws summed.
//!
//! The notes call `Math.random`, whose sequence no two runtimes share. Here the draws are those of
//! xoshiro128++ seeded through SplitMix64, which any language with 32-bit integers can reproduce;
//! each draw is `next_u32 / 2^32`, added in order, so the sum is the same `f64` bit for bit.

use std::hint::black_box;
use std::sync::Arc;

use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::{Answer, Input, Spec, Workload, input};

pub struct RandomSum;

impl Workload for RandomSum {
    fn name(&self) -> &'static str {
        "random-sum"
    }

    fn summary(&self) -> &'static str {
        "sums 10^4, 10^6 or 10^7 random draws (the notes' heavyComputation)"
    }

    fn prepare(&self, spec: &Spec) -> Result<Arc<dyn Input>, String> {
        let (count, seed) = (spec.size.pick([10_000, 1_000_000, 10_000_000]), spec.seed);
        input(move |_, _| {
            // Both ends are opaque, so that equal requests cannot be folded into one computation.
            let sum = black_box(sum_of_draws(black_box(count), black_box(seed)));
            Ok(Answer::of(sum.to_bits()))
        })
    }
}

/// The sum of `count` draws in `[0, 1)` from `seed`.
fn sum_of_draws(count: u64, seed: u64) -> f64 {
    let mut generator = Xoshiro128PlusPlus::seed_from_u64(seed);
    let mut sum = 0.0;
    for _ in 0..count {
        sum += f64::from(generator.next_u32()) * (1.0 / 4_294_967_296.0);
    }
    sum
}
