//! The one source of chance in the analysis: a seeded generator, so that a report is rebuilt byte
//! for byte.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// xoshiro256++ with the few draws that resampling needs.
#[derive(Debug, Clone)]
pub(super) struct Seeded(Xoshiro256PlusPlus);

impl Seeded {
    /// The same seed gives the same draws, on every machine and for ever.
    pub(super) fn new(seed: u64) -> Seeded {
        Seeded(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Below `count`, which is at least 1. The bias of multiplying instead of rejecting is
    /// `count / 2^64`.
    pub(super) fn index(&mut self, count: usize) -> usize {
        ((u128::from(self.bits()) * count as u128) >> 64) as usize
    }

    /// As many draws from `items` as there are items: one resample of the bootstrap.
    pub(super) fn resample<'a, T>(&mut self, items: &'a [T]) -> Vec<&'a T> {
        (0..items.len()).map(|_| &items[self.index(items.len())]).collect()
    }
}
