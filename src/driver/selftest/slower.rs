//! An arm with 10 % more work gets the verdict `slower`. A smaller difference would lie too near to
//! δ, which is 3 %: then a right procedure may remain inconclusive.

use anyhow::Result;

use super::bench::{Bench, SEED, Service};
use super::{Findings, pairs};
use crate::stats::verdict::{Comparison, Conclusion, Verdict};

const BLOCKS: u32 = 20;

/// At least nine of ten runs.
fn judge(arms: &[Comparison]) -> Findings {
    let slower = Conclusion::Verdict(Verdict::Slower);
    let found = arms.iter().filter(|arm| arm.conclusion == slower).count();
    let middle = pairs::middle(arms.iter().filter_map(|arm| arm.ratio));
    let interval = match arms {
        [one] => one.ratio_interval,
        _ => None,
    };
    let shown = match interval {
        // A single run has its interval to show.
        Some(interval) => {
            format!("{found} of 1: {middle:.3} [{:.3}, {:.3}]", interval.low, interval.high)
        }
        None => format!("{found} of {}, ratio {middle:.3}", arms.len()),
    };
    let mut findings = Findings::default();
    let holds = found > 0 && 10 * found >= 9 * arms.len();
    findings.line("called slower", shown, "90 % of runs", holds);
    findings.figure("slower_runs", found as f64);
    findings.figure("runs", arms.len() as f64);
    findings.figure("ratio", middle);
    findings
}

pub fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    let mut arms = Vec::new();
    for run in 0..bench.extent.slower_runs {
        let blocks = pairs::measure(1, BLOCKS, SEED + u64::from(run), |_, arm| {
            let us = if arm == 2 { "us=2200" } else { "us=2000" };
            pairs::p50_ns(bench, &Service::blocking("spin", us))
        })?;
        arms.extend(pairs::conclude(&blocks.by_arm).arms);
    }
    Ok(judge(&arms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    /// The conclusion about an arm with this ratio.
    fn arm(ratio: f64) -> Comparison {
        let values = |factor: f64| -> Vec<Option<f64>> {
            let block = |i| Some(factor * (2e6 + f64::from(i % 5) * 1e3));
            (0..BLOCKS).map(block).collect()
        };
        let mut placebo = values(1.0);
        placebo.swap(0, 1);
        let mut judgement = pairs::conclude(&[values(1.0), placebo, values(ratio)]);
        judgement.arms.remove(0)
    }

    #[test]
    fn slower_check_fails_without_slower_verdict() {
        let state = |arms: &[Comparison]| judge(arms).lines[0].state;
        assert_eq!(state(&[arm(1.10)]), State::Pass);
        assert_eq!(state(&[arm(1.02)]), State::Fail, "not worth naming");
        assert_eq!(state(&[arm(0.90)]), State::Fail, "faster");
        assert_eq!(state(&[]), State::Fail);
        let mut many = vec![arm(1.10); 9];
        many.push(arm(1.0));
        assert_eq!(state(&many), State::Pass);
        many.push(arm(1.0));
        assert_eq!(state(&many), State::Fail);
    }
}
