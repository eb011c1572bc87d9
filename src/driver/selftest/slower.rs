//! An arm with 5 % more work is called slower, and not just measured as such.

use anyhow::Result;

use super::bench::Bench;
use super::{Check, Findings, Line, pairs};
use crate::driver::selftest::bench::SEED;
use crate::stats::verdict::{Comparison, Conclusion, Verdict};

pub(super) const CHECK: Check = Check {
    name: "5 % more work",
    asked: |extent| {
        format!(
            "reference, placebo and an arm with 5 % more of 2 ms spinning, {BLOCKS} blocks; \
             {} run{}",
            extent.slower_runs,
            if extent.slower_runs == 1 { "" } else { "s" }
        )
    },
    run,
};

const BLOCKS: u32 = 20;

/// At least nine of ten runs.
fn judge(arms: &[Comparison]) -> Findings {
    let slower = Conclusion::Verdict(Verdict::Slower);
    let found = arms.iter().filter(|arm| arm.conclusion == slower).count();
    let mut ratios: Vec<f64> = arms.iter().filter_map(|arm| arm.ratio).collect();
    ratios.sort_by(f64::total_cmp);
    let middle = ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN);
    let holds = found > 0 && 10 * found >= 9 * arms.len();
    let mut lines = vec![Line::new(
        "called slower",
        format!("{found} of {}, ratio {middle:.3}", arms.len()),
        "90 % of runs",
        holds,
    )];
    // A single run has its interval to show.
    if let ([one], [line]) = (arms, &mut lines[..])
        && let Some(interval) = one.ratio_interval
    {
        let (low, high) = (interval.low, interval.high);
        line.found = format!("{found} of 1: {middle:.3} [{low:.3}, {high:.3}]");
    }
    Findings {
        lines,
        figures: vec![
            ("slower_runs".to_owned(), found as f64),
            ("runs".to_owned(), arms.len() as f64),
            ("ratio".to_owned(), middle),
        ],
    }
}

fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    let mut arms = Vec::new();
    for run in 0..bench.extent.slower_runs {
        let blocks = pairs::measure(1, BLOCKS, SEED + u64::from(run), |_, arm| {
            let us = if arm == 2 { "2100" } else { "2000" };
            pairs::p50_ns(bench, "spin", &[("us", us)])
        })?;
        arms.extend(pairs::conclude(&blocks.by_arm).arms);
    }
    Ok(judge(&arms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    /// What a run with arms of these p50 concludes of the third.
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
    fn what_is_not_called_slower_fails() {
        let state = |arms: &[Comparison]| judge(arms).lines[0].state;
        assert_eq!(state(&[arm(1.05)]), State::Pass);
        assert_eq!(state(&[arm(1.02)]), State::Fail, "not worth naming");
        assert_eq!(state(&[arm(0.95)]), State::Fail, "faster");
        assert_eq!(state(&[]), State::Fail);
        let mut many = vec![arm(1.05); 9];
        many.push(arm(1.0));
        assert_eq!(state(&many), State::Pass);
        many.push(arm(1.0));
        assert_eq!(state(&many), State::Fail);
    }
}
