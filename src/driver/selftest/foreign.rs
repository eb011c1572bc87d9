//! A foreign program that uses a core during some trials is seen in these and in no others.

use anyhow::Result;

use super::bench::{Bench, Service};
use super::{Findings, MS};
use crate::driver::noise::judge::{Flag, Level};
use crate::driver::noise::signal::Signal;

/// Three of ten, spread out.
pub fn is_disturbed(trial: u32) -> bool {
    trial * 3 % 10 < 3
}

/// Whether a program spun during a trial, and whether the trial was flagged for it.
#[derive(Debug, Clone, Copy)]
struct Seen {
    disturbed: bool,
    flagged: bool,
}

fn judge(seen: &[Seen]) -> Findings {
    let count = |disturbed: bool| {
        let of = seen.iter().filter(|one| one.disturbed == disturbed);
        (of.clone().filter(|one| one.flagged).count(), of.count())
    };
    let ((found, disturbed), (false_alarms, quiet)) = (count(true), count(false));
    let mut findings = Findings::default();
    let is_seen = found > 0 && 100 * found >= 95 * disturbed;
    let is_right = quiet > 0 && 100 * false_alarms <= 2 * quiet;
    findings.line("disturbed and flagged", format!("{found} of {disturbed}"), "≥ 95 %", is_seen);
    findings.line("flagged for nothing", format!("{false_alarms} of {quiet}"), "≤ 2 %", is_right);
    findings.figure("disturbed", disturbed as f64);
    findings.figure("disturbed_flagged", found as f64);
    findings.figure("quiet", quiet as f64);
    findings.figure("quiet_flagged", false_alarms as f64);
    findings
}

pub fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    let trials = (0..bench.extent.foreign_trials).map(is_disturbed);
    let seen =
        trials.map(|disturbed| Ok(Seen { disturbed, flagged: is_flagged(bench, disturbed)? }));
    Ok(judge(&seen.collect::<Result<Vec<_>>>()?))
}

/// Runs a trial and says whether its foreign load was above the second threshold. It is watched
/// apart from the check, whose watching ends with it.
fn is_flagged(bench: &mut Bench<'_>, disturbed: bool) -> Result<bool> {
    let window_ns = bench.extent.foreign_window_ns;
    let mut spinner = None;
    if disturbed {
        // Longer than the trial. It is reaped only after the trial, so that nothing tells it from
        // a foreign program; dropping it ends it.
        let us = (3 * window_ns / 1_000).clamp(1, 60_000_000);
        // Its answer is not verified: computing it would take as long.
        let mut target = bench.start(&Service::blocking("spin", format!("us={us}")))?;
        target.push_run(1, &[]);
        target.flush()?;
        spinner = Some(target);
    }
    bench.watch();
    bench.closed(&Service::blocking("sleep", "us=2000"), window_ns.max(MS))?;
    let noise = bench.monitor.after_trial();
    drop(spinner);
    let foreign = Flag { signal: Signal::ForeignCpu, level: Level::Disturbed };
    Ok(noise.is_some_and(|noise| noise.flags.contains(&foreign)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    fn states(flagged: impl Fn(u32, bool) -> bool) -> [State; 2] {
        let seen: Vec<Seen> = (0..200)
            .map(|trial| Seen {
                disturbed: is_disturbed(trial),
                flagged: flagged(trial, is_disturbed(trial)),
            })
            .collect();
        let lines = judge(&seen).lines;
        [lines[0].state, lines[1].state]
    }

    #[test]
    fn three_of_ten_are_disturbed_and_not_in_a_row() {
        let disturbed: Vec<u32> = (0..20).filter(|&trial| is_disturbed(trial)).collect();
        assert_eq!(disturbed, [0, 4, 7, 10, 14, 17]);
    }

    #[test]
    fn what_is_overlooked_or_made_up_fails() {
        use State::{Fail, Pass};
        assert_eq!(states(|_, disturbed| disturbed), [Pass, Pass]);
        // Of 60 disturbed trials three may be missed, of 140 quiet ones two flagged.
        assert_eq!(states(|t, d| d && !matches!(t, 0 | 4 | 7)), [Pass, Pass]);
        assert_eq!(states(|t, d| d && !matches!(t, 0 | 4 | 7 | 10)), [Fail, Pass]);
        assert_eq!(states(|t, d| d || t < 3), [Pass, Pass]);
        assert_eq!(states(|t, d| d || t < 4), [Pass, Fail]);
        assert_eq!(judge(&[]).lines[0].state, Fail);
    }
}
