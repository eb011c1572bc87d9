//! When requests of an open loop are to be sent, and probes. Pure: a seed gives the same times
//! always, so that all arms of a block meet the same arrivals.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use crate::experiment::Arrivals;

/// Times in ns after the start, ascending, without end.
#[derive(Debug, Clone)]
pub struct Schedule {
    arrivals: Arrivals,
    rate_per_s: f64,
    generator: Xoshiro256PlusPlus,
    drawn: u64,
    /// Sum of the gaps so far, in units of the mean gap. Summed before it is scaled and rounded:
    /// rounding each gap would change the rate.
    gaps: f64,
}

impl Schedule {
    /// Arrivals at this rate, which is above 0.
    pub fn new(arrivals: Arrivals, rate_per_s: f64, seed: u64) -> Schedule {
        Schedule {
            arrivals,
            rate_per_s,
            generator: Xoshiro256PlusPlus::seed_from_u64(seed),
            drawn: 0,
            gaps: 0.0,
        }
    }
}

impl Iterator for Schedule {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.drawn += 1;
        let gaps = match self.arrivals {
            // Counted, not summed: no error adds up.
            Arrivals::Constant => self.drawn as f64,
            Arrivals::Poisson => {
                self.gaps -= unit(&mut self.generator).ln();
                self.gaps
            }
        };
        // The cast saturates, which is a time that never comes.
        Some((gaps * 1e9 / self.rate_per_s).round() as u64)
    }
}

/// Times of probes: one at a random place in each slot. So their number is exact, and they cannot
/// fall into step with requests that come at equal gaps.
#[derive(Debug, Clone)]
pub struct ProbeSchedule {
    slot_ns: u64,
    generator: Xoshiro256PlusPlus,
    slot: u64,
}

impl ProbeSchedule {
    /// One probe per slot of this length, in ns.
    pub fn new(slot_ns: u64, seed: u64) -> ProbeSchedule {
        ProbeSchedule {
            slot_ns,
            // Another stream than that of the arrivals, which have the same seed.
            generator: Xoshiro256PlusPlus::seed_from_u64(!seed),
            slot: 0,
        }
    }
}

impl Iterator for ProbeSchedule {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let start_ns = self.slot * self.slot_ns;
        self.slot += 1;
        // Below one slot always: a unit is above 0 and at most 1.
        let within = (1.0 - unit(&mut self.generator)) * self.slot_ns as f64;
        Some(start_ns + within as u64)
    }
}

/// Uniform above 0 and up to 1, so that its logarithm is finite.
fn unit(generator: &mut Xoshiro256PlusPlus) -> f64 {
    ((generator.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn constant_arrivals_are_exact_to_the_nanosecond_for_ever() {
        let mut schedule = Schedule::new(Arrivals::Constant, 3_000.0, 1);
        assert_eq!(schedule.next(), Some(333_333));
        // The 3 000 000th is due after a thousand seconds: no error has added up.
        assert_eq!(schedule.nth(2_999_998), Some(1_000_000_000_000));
    }

    /// Mean, spread and tail of the gaps, each within five standard errors of an exponential's.
    #[test]
    fn poisson_gaps_are_exponential_at_the_rate() {
        let n = 200_000;
        let rate_per_s = 2_500.0;
        let times: Vec<u64> = Schedule::new(Arrivals::Poisson, rate_per_s, 7).take(n).collect();
        let mean_ns = 1e9 / rate_per_s;
        let gaps: Vec<f64> = std::iter::once(0)
            .chain(times.iter().copied())
            .zip(&times)
            .map(|(before, &at)| (at - before) as f64 / mean_ns)
            .collect();
        let root = (n as f64).sqrt();
        let mean = gaps.iter().sum::<f64>() / n as f64;
        assert!((mean - 1.0).abs() < 5.0 / root, "{mean}");
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / n as f64;
        // The variance of an exponential's sample variance is 8/n.
        assert!((variance - 1.0).abs() < 5.0 * 8_f64.sqrt() / root, "{variance}");
        for x in [0.1, 1.0, 3.0] {
            let beyond = gaps.iter().filter(|&&gap| gap > x).count() as f64 / n as f64;
            let due: f64 = f64::exp(-x);
            let error = (due * (1.0 - due)).sqrt() / root;
            assert!((beyond - due).abs() < 5.0 * error, "beyond {x}: {beyond}, due {due}");
        }
        // Independent: a gap says nothing of the next.
        let lagged = gaps.windows(2).map(|w| (w[0] - mean) * (w[1] - mean)).sum::<f64>();
        let correlation = lagged / n as f64 / variance;
        assert!(correlation.abs() < 5.0 / root, "{correlation}");
    }

    /// Arrivals per second are a Poisson count, whose variance is its mean.
    #[test]
    fn counts_per_second_vary_as_much_as_they_are_large() {
        let seconds = 2_000;
        let mut counts = vec![0_f64; seconds];
        for at in Schedule::new(Arrivals::Poisson, 100.0, 3) {
            match counts.get_mut((at / 1_000_000_000) as usize) {
                Some(count) => *count += 1.0,
                None => break,
            }
        }
        let mean = counts.iter().sum::<f64>() / seconds as f64;
        let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / seconds as f64;
        assert!((variance / mean - 1.0).abs() < 5.0 * (2.0 / seconds as f64).sqrt());
    }

    #[test]
    fn probes_keep_to_their_slots() {
        let slot_ns = 10_000_000;
        let probes: Vec<u64> = ProbeSchedule::new(slot_ns, 5).take(1_000).collect();
        for (slot, at) in (0..).zip(&probes) {
            assert_eq!(at / slot_ns, slot);
        }
        let places: Vec<u64> = probes.iter().map(|at| at % slot_ns).collect();
        let mean = places.iter().sum::<u64>() as f64 / places.len() as f64;
        assert!((mean / slot_ns as f64 - 0.5).abs() < 0.05, "{mean}");
    }

    proptest! {
        #[test]
        fn a_seed_gives_the_same_ascending_times(
            seed: u64, rate_per_s in 0.01..50_000.0_f64, poisson: bool
        ) {
            let arrivals = Arrivals::ALL[usize::from(!poisson)];
            let times = || Schedule::new(arrivals, rate_per_s, seed).take(500);
            prop_assert!(times().eq(times()));
            prop_assert!(times().zip(times().skip(1)).all(|(a, b)| a <= b));
            let other = Schedule::new(arrivals, rate_per_s, seed ^ 1).take(500);
            prop_assert_eq!(poisson, !times().eq(other));
        }

        /// The same draws at another rate: halving the rate doubles every time.
        #[test]
        fn the_rate_only_scales(seed: u64) {
            let fast = Schedule::new(Arrivals::Poisson, 200.0, seed).take(200);
            let slow = Schedule::new(Arrivals::Poisson, 100.0, seed).take(200);
            for (fast, slow) in fast.zip(slow) {
                prop_assert!(slow.abs_diff(2 * fast) <= 1);
            }
        }
    }
}
