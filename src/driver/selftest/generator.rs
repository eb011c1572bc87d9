//! How exactly the generator of open loops keeps to its schedule.

use anyhow::{Context, Result};

use super::bench::{Bench, Service, offer};
use super::wakeups::Lateness;
use super::{Findings, MS};
use crate::driver::load::Offer;
use crate::experiment::Arrivals;

const RATES_PER_S: [f64; 3] = [100.0, 1_000.0, 5_000.0];

/// The results at one rate.
#[derive(Debug, Clone, Copy)]
struct Kept {
    rate_per_s: f64,
    achieved_per_s: f64,
    lateness_p50_ns: u64,
    lateness_p99_ns: u64,
    lateness_max_ns: u64,
}

/// Rate within 0.1 %, lateness p99 at most 1 ms beyond the machine's own.
fn judge(all: &[Kept], late: &Lateness) -> Findings {
    let machine_ns = late.sleep_ns(0.99);
    let bar = format!("p99 ≤ 1 ms + {:.3}", machine_ns as f64 / 1e6);
    let mut findings = Findings::default();
    for kept in all {
        let rate = kept.rate_per_s;
        // A millionth for the division.
        let is_exact = (kept.achieved_per_s / rate - 1.0).abs() <= 1e-3 + 1e-6;
        let achieved = format!("{:.1}/s", kept.achieved_per_s);
        findings.line(format!("rate of {rate}/s"), achieved, "within 0.1 %", is_exact);
        let times_ns = [kept.lateness_p50_ns, kept.lateness_p99_ns, kept.lateness_max_ns];
        let [p50, p99, max] = times_ns.map(|ns| format!("{:.3}", ns as f64 / 1e6));
        let is_in_time = kept.lateness_p99_ns <= MS + machine_ns;
        let found = format!("{p50}, {p99}, {max} ms");
        findings.line("  late by p50, p99, max", found, bar.as_str(), is_in_time);
        findings.figure(format!("at_{rate}_per_s_achieved_per_s"), kept.achieved_per_s);
        for (name, ns) in ["p50", "p99", "max"].into_iter().zip(times_ns) {
            findings.figure(format!("at_{rate}_per_s_lateness_{name}_ns"), ns as f64);
        }
    }
    findings
}

pub fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    let window_ns = bench.extent.generator_window_ns;
    let before = bench.lateness()?;
    let mut all = Vec::new();
    for rate_per_s in RATES_PER_S {
        let offer = offer(rate_per_s, Arrivals::Constant, window_ns);
        let offer = Offer { warm_up_ns: 500 * MS, ..offer };
        let measured = bench.open(&Service::blocking("noop", ""), &offer)?;
        let traffic = measured.traffic.context("an open loop has traffic")?;
        let late = |p| traffic.lateness_ns(p).context("nothing was sent");
        all.push(Kept {
            rate_per_s,
            achieved_per_s: traffic.achieved_rate_per_s(),
            lateness_p50_ns: late(0.5)?,
            lateness_p99_ns: late(0.99)?,
            lateness_max_ns: traffic.lateness_max_ns().unwrap_or(0),
        });
    }
    Ok(judge(&all, &before.and(&bench.lateness()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;
    use crate::driver::selftest::wakeups::tests::{late, punctual};

    #[test]
    fn another_rate_or_a_late_generator_fails() {
        let kept = Kept {
            rate_per_s: 1_000.0,
            achieved_per_s: 999.0,
            lateness_p50_ns: 1,
            lateness_p99_ns: MS,
            lateness_max_ns: 50 * MS,
        };
        let states = |kept| {
            let findings = judge(&[kept], &punctual());
            [findings.lines[0].state, findings.lines[1].state]
        };
        assert_eq!(states(kept), [State::Pass, State::Pass]);
        let slow = Kept { achieved_per_s: 998.0, ..kept };
        assert_eq!(states(slow), [State::Fail, State::Pass]);
        let late = Kept { lateness_p99_ns: MS + 1, ..kept };
        assert_eq!(states(late), [State::Pass, State::Fail]);
    }

    #[test]
    fn a_late_machine_is_no_excuse_for_a_generator_that_is_late_by_1_ms() {
        let machine_ns = late().sleep_ns(0.99);
        let state = |lateness_p99_ns| {
            let kept = Kept {
                rate_per_s: 100.0,
                achieved_per_s: 100.0,
                lateness_p50_ns: 1,
                lateness_p99_ns,
                lateness_max_ns: 50 * MS,
            };
            judge(&[kept], &late()).lines[1].state
        };
        assert_eq!(state(machine_ns + MS), State::Pass);
        assert_eq!(state(machine_ns + MS + 1), State::Fail);
    }
}
