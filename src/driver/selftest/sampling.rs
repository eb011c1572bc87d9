//! The cost of watching the machine while all the other checks run.

use super::Findings;

/// Judges the CPU time of the thread that watches.
pub fn judge(watched_ns: u64, used_ns: u64) -> Findings {
    let ratio = used_ns as f64 / watched_ns as f64;
    let seconds = watched_ns as f64 / 1e9;
    let mut findings = Findings::default();
    let found = format!("{:.2} % of {seconds:.0} s", ratio * 100.0);
    findings.line("share of one core", found, "≤ 1 %", ratio <= 0.01);
    findings.figure("sampler_ratio", ratio);
    findings
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
