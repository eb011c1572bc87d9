//! A foreign program that uses a core during some trials is seen in these and in no others.

use anyhow::Result;

use super::bench::{Bench, Service};
use super::{Check, Findings, Line, MS};
use crate::driver::noise::judge::Level;
use crate::driver::noise::signal::Signal;

pub(super) const CHECK: Check = Check {
    name: "foreign load",
    asked: |extent| {
        let trials = extent.foreign_trials as usize;
        format!(
            "{trials} trials of {} s, a spinning program beside {} of them",
            extent.foreign_window_ns as f64 / 1e9,
            (0..trials).filter(|&trial| is_disturbed(trial)).count()
        )
    },
    run,
};

/// Three of ten, spread out.
fn is_disturbed(trial: usize) -> bool {
    trial * 3 % 10 < 3
}

/// Whether a program spun beside a trial, and whether the trial was flagged for it.
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
    Findings {
        lines: vec![
            Line::new(
                "disturbed and flagged",
                format!("{found} of {disturbed}"),
                "≥ 95 %",
                found > 0 && 100 * found >= 95 * disturbed,
            ),
            Line::new(
                "flagged for nothing",
                format!("{false_alarms} of {quiet}"),
                "≤ 2 %",
                quiet > 0 && 100 * false_alarms <= 2 * quiet,
            ),
        ],
        figures: vec![
            ("disturbed".to_owned(), disturbed as f64),
            ("disturbed_flagged".to_owned(), found as f64),
            ("quiet".to_owned(), quiet as f64),
            ("quiet_flagged".to_owned(), false_alarms as f64),
        ],
    }
}

fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    let mut seen = Vec::new();
    for trial in 0..bench.extent.foreign_trials as usize {
        let disturbed = is_disturbed(trial);
        let flagged = is_flagged(bench, disturbed)?;
        seen.push(Seen { disturbed, flagged });
    }
    Ok(judge(&seen))
}

/// Runs a trial and says whether its foreign load was above the second threshold. Watched apart
/// from whatever is watched around it, which ends with it.
fn is_flagged(bench: &mut Bench<'_>, disturbed: bool) -> Result<bool> {
    let window_ns = bench.extent.foreign_window_ns;
    let spinner = match disturbed {
        // Longer than the trial. It is reaped after the trial only, so that nothing tells it from
        // anybody else's program; dropping it ends it.
        true => {
            let us = (3 * window_ns / 1_000).clamp(1, 60_000_000).to_string();
            // Its right answer is not wanted: finding it out would take as long.
            Some(bench.start_unverified(&Service::blocking("spin", &[("us", &us)]))?)
        }
        false => None,
    };
    let spinner = spinner.map(|mut target| {
        target.push_run(1, &[]);
        target.flush().map(|()| target)
    });
    let spinner = spinner.transpose()?;
    let key = bench.next_key();
    bench.monitor.before_trial(key, 1);
    bench.closed(&Service::blocking("sleep", &[("us", "2000")]), window_ns.max(MS))?;
    let noise = bench.monitor.after_trial();
    drop(spinner);
    let is_foreign = |flag: &crate::driver::noise::judge::Flag| {
        flag.signal == Signal::ForeignCpu && flag.level == Level::Disturbed
    };
    Ok(noise.is_some_and(|noise| noise.flags.iter().any(is_foreign)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    fn states(flagged: impl Fn(usize, bool) -> bool) -> [State; 2] {
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
        let disturbed: Vec<usize> = (0..20).filter(|&trial| is_disturbed(trial)).collect();
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
