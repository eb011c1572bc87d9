//! A machine that becomes 30 % slower: two identical arms that take turns stay equal, while the
//! same trials taken one arm after the other differ.
//!
//! The trials are real; the ramp is not: each is given more to spin than the one before.

use anyhow::Result;

use super::bench::{Bench, SEED, Service};
use super::pairs::{self, Blocks};
use super::{Findings, percent_off};

const BLOCKS: u32 = 20;
const US: usize = 2_000;

fn judge(blocks: &Blocks) -> Findings {
    let ratio = |by_arm: &[Vec<Option<f64>>]| {
        let ratio = pairs::conclude(by_arm).placebo.ratio;
        ratio.unwrap_or(f64::NAN)
    };
    let interleaved = ratio(&blocks.by_arm);
    let (first, second) = blocks.in_time.split_at(blocks.in_time.len() / 2);
    let one_after_the_other = [first, second].map(|half| half.iter().copied().map(Some).collect());
    let sequential = ratio(&one_after_the_other);
    let mut findings = Findings::default();
    let is_equal = (interleaved - 1.0).abs() <= 0.01;
    findings.line("taking turns", percent_off(interleaved), "within 1 %", is_equal);
    findings.line("one after the other", percent_off(sequential), "≥ 10 % off", sequential >= 1.10);
    findings.figure("interleaved_ratio", interleaved);
    findings.figure("sequential_ratio", sequential);
    findings
}

/// The work of the trial of this number, in µs.
fn us(trial: usize) -> usize {
    let last = 2 * BLOCKS as usize - 1;
    US + US * 3 * trial / (10 * last)
}

pub fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    let blocks = pairs::measure(0, BLOCKS, SEED, |trial, _| {
        pairs::p50_ns(bench, &Service::blocking("spin", format!("us={}", us(trial))))
    })?;
    Ok(judge(&blocks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    fn states(value: impl Fn(usize, usize) -> u64) -> [State; 2] {
        let blocks = pairs::measure(0, BLOCKS, SEED, |trial, arm| Ok(value(trial, arm))).unwrap();
        let lines = judge(&blocks).lines;
        [lines[0].state, lines[1].state]
    }

    #[test]
    fn the_ramp_grows_by_three_tenths() {
        assert_eq!((us(0), us(2 * BLOCKS as usize - 1)), (2_000, 2_600));
    }

    #[test]
    fn a_ramp_that_shows_or_is_none_fails() {
        let ramp = |trial: usize| us(trial) as u64 * 1_000;
        assert_eq!(states(|trial, _| ramp(trial)), [State::Pass, State::Pass]);
        let biased = |trial, arm| ramp(trial) + arm as u64 * 50_000;
        assert_eq!(states(biased)[0], State::Fail);
        assert_eq!(states(|_, _| 2_000_000), [State::Pass, State::Fail]);
    }
}
