//! `sleep`: takes a given time without using a core. A service whose time is known and whose load
//! is nothing, so that queueing can be checked against theory on two cores.
//!
//! The time may be drawn per request. Each is drawn from the family's seed and the request's id
//! alone, in any runtime and any order, so that the driver knows the drawn times without being
//! told.

use std::sync::Arc;

use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::{Answer, Input, Spec, Workload};
use crate::sys::clock;
use crate::workload::options::{self, OptionDef, Used, Values};

pub struct Sleep;

const OPTIONS: &[OptionDef] = &crate::options! {
    /// how long a task sleeps, in microseconds
    us = "1000", Values::Count { min: 0, max: 60_000_000 };
    /// how that varies: not, around this median, or 70 % near it and 30 % near its fourfold
    draws = "constant", Values::Word(&["constant", "log-normal", "bimodal"]),
        Used::Unless("us", "0");
};

crate::words! {
    /// How the times of requests are distributed.
    pub enum Draws {
        /// Always the time given.
        Constant = "constant",
        /// The time given is the median; the logarithm's standard deviation is a half.
        LogNormal = "log-normal",
        /// 70 % within a tenth of the time given, 30 % within a tenth of its fourfold.
        Bimodal = "bimodal",
    }
}

impl Draws {
    /// The mean, in units of the time given.
    pub fn mean(self) -> f64 {
        match self {
            Draws::Constant => 1.0,
            Draws::LogNormal => (SIGMA * SIGMA / 2.0).exp(),
            Draws::Bimodal => (1.0 - SLOW_SHARE) + SLOW_SHARE * SLOW,
        }
    }

    /// The time drawn for the request of this id, in ns; `us` is the given time.
    pub fn of_request_ns(self, us: u64, seed: u64, id: u64) -> u64 {
        let given_ns = us * 1_000;
        let mut unit = Unit::new(seed, id);
        let factor = match self {
            Draws::Constant => return given_ns,
            Draws::LogNormal => {
                // Box and Muller; the second of the pair is not used.
                let radius = (-2.0 * unit.next().ln()).sqrt();
                (SIGMA * radius * (std::f64::consts::TAU * unit.next()).cos()).exp()
            }
            Draws::Bimodal => {
                let mode = if unit.next() < SLOW_SHARE { SLOW } else { 1.0 };
                mode * (0.9 + 0.2 * unit.next())
            }
        };
        (given_ns as f64 * factor).round() as u64
    }
}

const SIGMA: f64 = 0.5;
const SLOW: f64 = 4.0;
const SLOW_SHARE: f64 = 0.3;

/// Uniform draws above 0 and below 1 that follow from a seed and an id.
struct Unit(Xoshiro128PlusPlus);

impl Unit {
    fn new(seed: u64, id: u64) -> Unit {
        // An odd factor, so that no two ids of a seed meet; the generator's own seeding scatters
        // neighbours.
        let mixed = seed ^ id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Unit(Xoshiro128PlusPlus::seed_from_u64(mixed))
    }

    fn next(&mut self) -> f64 {
        (f64::from(self.0.next_u32()) + 0.5) / 4_294_967_296.0
    }
}

impl Workload for Sleep {
    fn name(&self) -> &'static str {
        "sleep"
    }

    fn summary(&self) -> &'static str {
        "sleeps for the given microseconds, for any size: a known service without load"
    }

    fn options(&self) -> &'static [OptionDef] {
        OPTIONS
    }

    fn takes_payload(&self) -> bool {
        true
    }

    fn prepare(&self, spec: &Spec) -> Result<Arc<dyn Input>, String> {
        let name = options::word(&spec.options, "draws")?;
        let draws = Draws::by_name(name).ok_or_else(|| format!("option `draws` is `{name}`"))?;
        if draws != Draws::Constant && spec.payload_bytes < ID_BYTES as u64 {
            return Err(format!(
                "draws={name} draws by the request's id, which is the first {ID_BYTES} bytes of \
                 its payload, and requests carry {}; set payload_bytes to {ID_BYTES} or more",
                spec.payload_bytes
            ));
        }
        Ok(Arc::new(Nap { us: options::count(&spec.options, "us")?, draws, seed: spec.seed }))
    }
}

/// How much of a payload is the request's id.
const ID_BYTES: usize = 8;

struct Nap {
    us: u64,
    draws: Draws,
    seed: u64,
}

impl Input for Nap {
    fn run(&self, _: u32, payload: Vec<u8>) -> Result<Answer, String> {
        let started_ns = clock::now_ns();
        // A probe, and the request that only asks for the right answer, carry no id.
        let id = payload.first_chunk::<ID_BYTES>().copied();
        let id = id.map_or(0, u64::from_le_bytes);
        let drawn_ns = self.draws.of_request_ns(self.us, self.seed, id);
        clock::sleep_until_ns(started_ns + drawn_ns)
            .map_err(|e| format!("sleep for {drawn_ns} ns: {e}"))?;
        Ok(Answer { checksum: self.us, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_after_the_time_given_and_not_before() {
        for draws in Draws::ALL {
            let nap = Nap { us: 300, draws, seed: 3 };
            let due_ns = draws.of_request_ns(300, 3, 77);
            let start_ns = clock::now_ns();
            let payload = 77_u64.to_le_bytes().to_vec();
            let answer = nap.run(0, payload.clone()).unwrap();
            assert!(clock::now_ns() >= start_ns + due_ns, "{draws:?}");
            assert_eq!((answer.checksum, answer.payload), (300, payload));
        }
    }

    /// Mean and median of the draws, within five standard errors of their promised values.
    #[test]
    fn draws_are_distributed_as_the_option_says() {
        const N: usize = 100_000;
        let quantile = |sorted: &[f64], p: f64| sorted[(p * N as f64) as usize];
        for (draws, deviation, quantiles) in [
            (Draws::Constant, 0.0, [(0.5, 1.0), (0.99, 1.0)]),
            // exp(0.5 z) at z = 0 and 2.326.
            (Draws::LogNormal, 0.604, [(0.5, 1.0), (0.99, 3.2)]),
            // Half of all is at 5/7 of the fast mode, 99 % at 29/30 of the slow one.
            (Draws::Bimodal, 1.381, [(0.5, 1.0429), (0.99, 4.3733)]),
        ] {
            let mut drawn: Vec<f64> =
                (0..N as u64).map(|id| draws.of_request_ns(1_000, 9, id) as f64 / 1e6).collect();
            let mean = drawn.iter().sum::<f64>() / N as f64;
            let error = 5.0 * deviation / (N as f64).sqrt() + 1e-9;
            assert!((mean - draws.mean()).abs() <= error, "{draws:?}: {mean}");
            drawn.sort_by(f64::total_cmp);
            for (p, due) in quantiles {
                let found = quantile(&drawn, p);
                assert!((found / due - 1.0).abs() < 0.02, "{draws:?} {p}: {found}");
            }
        }
    }

    #[test]
    fn seed_and_id_decide_and_nothing_else() {
        let drawn = |seed, id| Draws::LogNormal.of_request_ns(1_000, seed, id);
        assert_eq!(drawn(1, 2), drawn(1, 2));
        assert_ne!(drawn(1, 2), drawn(1, 3));
        assert_ne!(drawn(1, 2), drawn(2, 2));
    }

    #[test]
    fn what_is_drawn_by_the_id_needs_one() {
        let mut spec = Spec {
            workload: "sleep".to_owned(),
            size: crate::workload::Size::S,
            seed: 1,
            payload_bytes: 7,
            options: options::parse("us=1;draws=bimodal"),
        };
        let refused = Sleep.prepare(&spec).err().unwrap();
        assert!(refused.contains("payload_bytes to 8"), "{refused}");
        spec.payload_bytes = 8;
        assert!(Sleep.prepare(&spec).is_ok());
    }
}
