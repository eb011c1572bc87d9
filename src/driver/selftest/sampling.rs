//! What watching the machine costs while all the other checks run.

use anyhow::Result;

use super::bench::Bench;
use super::{Check, Findings, Line};

pub(super) const CHECK: Check = Check {
    name: "watching",
    asked: |_| "what the thread that samples noise has used so far, of one core".to_owned(),
    run,
};

fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    bench.collect_samples();
    Ok(judge(bench.watched_ns, bench.sampler_cpu_ns))
}

fn judge(watched_ns: u64, used_ns: u64) -> Findings {
    let ratio = used_ns as f64 / watched_ns as f64;
    let seconds = watched_ns as f64 / 1e9;
    Findings {
        lines: vec![Line::new(
            "share of one core",
            format!("{:.2} % of {seconds:.0} s", ratio * 100.0),
            "≤ 1 %",
            ratio <= 0.01,
        )],
        figures: vec![("sampler_ratio".to_owned(), ratio)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    #[test]
    fn watching_that_costs_too_much_or_was_not_done_fails() {
        let state = |watched_ns, used_ns| judge(watched_ns, used_ns).lines[0].state;
        assert_eq!(state(1_000_000, 10_000), State::Pass);
        assert_eq!(state(1_000_000, 10_001), State::Fail);
        assert_eq!(state(0, 0), State::Fail);
    }
}
