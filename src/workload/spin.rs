//! `spin`: keeps a core busy for about a given time, by a fixed count of steps of an integer loop:
//! load for the responsiveness experiments and for the self-tests.
//!
//! It is work, not time. Tasks that read the clock instead would all end on time on one core, and
//! eight workers would look like eight cores. How many steps a millisecond is depends on machine
//! and runtime, so that it is measured once per run and runtime, by the driver's order; all trials
//! of the run then do the same number, and the checksum proves it.

use std::sync::Arc;

use super::mix::mix;
use super::{Answer, Input, Spec, Workload, input};
use crate::sys::clock;
use crate::workload::options::{self, OptionDef, Values};

pub struct Spin;

const STEPS_PER_MS: &str = "steps_per_ms";

const OPTIONS: &[OptionDef] = &crate::options! {
    /// steps of the loop that make a millisecond; 0 measures it once per run and runtime
    steps_per_ms = "0", Values::Count { min: 0, max: 1_000_000_000 };
    /// how long a task is busy on an idle core, in microseconds
    us = "1000", Values::Count { min: 0, max: 60_000_000 };
};

impl Workload for Spin {
    fn name(&self) -> &'static str {
        "spin"
    }

    fn summary(&self) -> &'static str {
        "fixed work of about the given microseconds, for any size: a known load for probes"
    }

    fn options(&self) -> &'static [OptionDef] {
        OPTIONS
    }

    fn calibrated_option(&self) -> Option<&'static str> {
        Some(STEPS_PER_MS)
    }

    fn calibrate(&self) -> Result<u64, String> {
        Ok(steps_per_ms(|steps| {
            let start_ns = clock::now_ns();
            spin(steps);
            clock::now_ns() - start_ns
        }))
    }

    fn prepare(&self, spec: &Spec) -> Result<Arc<dyn Input>, String> {
        let per_ms = options::count(&spec.options, STEPS_PER_MS)?;
        if per_ms == 0 {
            return Err(format!("option `{STEPS_PER_MS}` is 0; it is measured before a trial"));
        }
        let steps = options::count(&spec.options, "us")? * per_ms / 1_000;
        input(move |_, _| Ok(Answer::of(u64::from(spin(steps)))))
    }
}

/// Where the loop begins.
const START: u32 = 0x9e37_79b9;
/// Steps at a time: their count fits into every runtime's small integers.
const CHUNK: u32 = 1 << 20;

fn spin(steps: u64) -> u32 {
    let chunks = steps / u64::from(CHUNK);
    let state = (0..chunks).fold(START, |state, _| mix(state, CHUNK));
    mix(state, (steps % u64::from(CHUNK)) as u32)
}

/// The shortest batch that is timed: reading the clock takes far less.
const BATCH_NS: u64 = 2_000_000;
/// The fastest of this many batches counts: other programs can only add time.
const BATCHES: u32 = 30;

/// Steps per millisecond, by a function that gives the time of a number of steps.
fn steps_per_ms(mut time_ns: impl FnMut(u64) -> u64) -> u64 {
    let mut steps = 10_000;
    while time_ns(steps) < BATCH_NS {
        steps *= 2;
    }
    let fastest_ns = (0..BATCHES).map(|_| time_ns(steps)).min().unwrap_or(BATCH_NS);
    (steps * 1_000_000 / fastest_ns.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Size;
    use crate::workload::options::Options;

    fn checksum(us: &str, per_ms: &str) -> Result<u64, String> {
        let given = [("us", us), (STEPS_PER_MS, per_ms)];
        let spec = Spec {
            workload: "spin".to_owned(),
            size: Size::S,
            seed: 1,
            payload_bytes: 0,
            options: given
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into_iter()
                .collect::<Options>(),
        };
        Ok(Spin.prepare(&spec)?.run(0, Vec::new())?.checksum)
    }

    #[test]
    fn the_checksum_depends_on_the_number_of_steps_and_on_nothing_else() {
        assert_eq!(checksum("2000", "1000"), checksum("1000", "2000"));
        let mut all: Vec<u64> =
            (0..100).map(|us| checksum(&us.to_string(), "1000").unwrap()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 100);
        // One step more beyond a chunk is seen as well.
        assert_ne!(spin(u64::from(CHUNK)), spin(u64::from(CHUNK) + 1));
    }

    #[test]
    fn work_that_was_not_calibrated_is_refused() {
        assert!(checksum("1000", "0").unwrap_err().contains("steps_per_ms"));
    }

    #[test]
    fn calibration_takes_the_fastest_batch_of_at_least_two_milliseconds() {
        // 700 steps per microsecond, but for every third batch, which something else delays.
        let mut calls = 0;
        let steps = steps_per_ms(|steps| {
            calls += 1;
            assert!(calls < 100);
            steps * 1_000 / 700 + if calls % 3 == 0 { 5_000_000 } else { 0 }
        });
        assert!((699_000..=701_000).contains(&steps), "{steps}");
    }
}
