//! `random-sum-native`: the study notes' own loop, with the generator that a programmer of the
//! language would take: `Math.random`, `random.random`, and here xoshiro256++, which is what
//! `rand`'s `SmallRng` is, seeded differently each time.
//!
//! No two runs draw the same, so the checksum is the count where the mean is that of draws from
//! `[0, 1)`. The tolerance is seventeen standard errors of the smallest size: a wrong generator
//! shows, an unlucky one does not exist.

use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;
use std::sync::Arc;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::{Answer, Input, Spec, Workload, input};

pub struct RandomSumNative;

const TOLERANCE: f64 = 0.05;

impl Workload for RandomSumNative {
    fn name(&self) -> &'static str {
        "random-sum-native"
    }

    fn summary(&self) -> &'static str {
        "the same sum with the language's own generator, which differs from runtime to runtime"
    }

    fn prepare(&self, spec: &Spec) -> Result<Arc<dyn Input>, String> {
        let count = spec.size.pick([10_000, 1_000_000, 10_000_000]);
        input(move |_, _| answer(count))
    }
}

fn answer(count: u32) -> Result<Answer, String> {
    let sum = black_box(sum_of_draws(black_box(count)));
    let mean = sum / f64::from(count);
    if (mean - 0.5).abs() >= TOLERANCE {
        return Err(format!("the mean of {count} draws is {mean}"));
    }
    Ok(Answer::of(u64::from(count)))
}

fn sum_of_draws(count: u32) -> f64 {
    // The standard library's hash keys are its only source of numbers that differ. A forked copy
    // goes on with its parent's, which changes the draws of no measured thing.
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(RandomState::new().hash_one(count));
    let mut sum = 0.0;
    for _ in 0..count {
        sum += (generator.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_differ_and_answers_do_not() {
        assert_ne!(sum_of_draws(10_000).to_bits(), sum_of_draws(10_000).to_bits());
        assert_eq!(answer(10_000).unwrap().checksum, 10_000);
    }
}
