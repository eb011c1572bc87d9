//! A fixed piece of work, timed before and after a trial: if it takes longer than at the run's
//! start, the machine has become slower, for any reason.

use std::hint::black_box;

use crate::sys::clock::now_ns;

/// Half in arithmetic that a lower clock slows down, half in a walk through the second-level
/// cache that a neighbour on the same core slows down.
#[derive(Debug)]
pub struct Canary {
    /// A single cycle through all places, in random order: each load must wait for the last.
    next: Vec<u32>,
    /// Rounds of one slice.
    rounds: u32,
}

/// 128 KiB: larger than any first-level cache, smaller than any second-level one.
const PLACES: u32 = 32 << 10;

/// The time of all slices together, about: what one run of the canary costs.
pub const CANARY_NS: u64 = 5_000_000;

/// The median of these slices counts: an interrupt hits one of them, a slower clock
/// hits all. A program that takes the processor away for longer is for `foreign_cpu` to find.
const SLICES: usize = 5;

/// Steps of either kind in a round.
const STEPS: u32 = 64;

impl Canary {
    /// As many rounds as take about [`CANARY_NS`] on this machine. From here on they are fixed.
    pub fn calibrated() -> Canary {
        let mut canary = Canary { next: cycle(), rounds: 64 };
        let wanted_ns = CANARY_NS / SLICES as u64;
        // From a small number up: a machine that is slow just now must not take forever.
        for _ in 0..4 {
            let took_ns = canary.slice_ns().max(1);
            let rounds = u64::from(canary.rounds) * wanted_ns / took_ns;
            canary.rounds = u32::try_from(rounds).unwrap_or(u32::MAX).clamp(1, 1 << 20);
        }
        canary
    }

    /// Runs it once and says how long, in ns, a slice of it took.
    pub fn run_ns(&self) -> u64 {
        let mut slices = [0; SLICES];
        // Untimed: after a trial the caches hold something else.
        black_box(self.walk(1));
        for slice in &mut slices {
            *slice = self.slice_ns();
        }
        slices.sort_unstable();
        slices[SLICES / 2]
    }

    fn slice_ns(&self) -> u64 {
        let started_ns = now_ns();
        black_box(self.walk(black_box(self.rounds)));
        now_ns() - started_ns
    }

    fn walk(&self, rounds: u32) -> u64 {
        let mut place = 0_u32;
        let mut number = 1_u64;
        for _ in 0..rounds {
            for _ in 0..STEPS {
                place = self.next[place as usize];
            }
            for _ in 0..STEPS {
                // Each multiplication waits for the last.
                number = black_box(number).wrapping_mul(6_364_136_223_846_793_005) | 1;
            }
        }
        number ^ u64::from(place)
    }
}

/// A random permutation with one cycle (Sattolo), the same on every machine.
fn cycle() -> Vec<u32> {
    let mut next: Vec<u32> = (0..PLACES).collect();
    let mut state = 1_u64;
    for last in (1..next.len()).rev() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        next.swap(last, (state >> 33) as usize % last);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_comes_by_every_place_before_it_returns() {
        let next = cycle();
        let mut place = 0;
        let mut steps = 0;
        loop {
            place = next[place as usize];
            steps += 1;
            if place == 0 {
                break;
            }
        }
        assert_eq!(steps, PLACES);
    }

    #[test]
    fn the_work_is_bounded_and_the_same_each_time() {
        let canary = Canary::calibrated();
        assert!((1..=1 << 20).contains(&canary.rounds));
        assert_eq!(canary.walk(3), canary.walk(3));
        assert_ne!(canary.walk(3), canary.walk(4));
        assert!(canary.run_ns() > 0);
    }
}
