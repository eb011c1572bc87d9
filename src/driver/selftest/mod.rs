//! Live self-tests: does the driver measure rightly, on this machine, now? Each check loads
//! real subjects and compares the results with known ones. Results are judged by a pure function,
//! which the suite tests with data that must fail; the checks themselves are timed, and so are no
//! tests of the suite.
//!
//! A check is an entry of [`checks::ALL`] and a function in a file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::leftovers;
use super::noise::Monitor;
use super::noise::signal::Signal;
use super::target::TargetError;
use crate::record::NoiseLabel;
use crate::sys::clock::now_ns;
use crate::sys::process;

mod bench;
mod books;
mod checks;
mod foreign;
mod generator;
mod latencies;
mod memory;
mod pairs;
mod placebo;
mod queue;
mod ramp;
mod sampling;
mod slower;
mod stall;
mod wakeups;

use bench::Bench;
use checks::{ALL, Check};

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;

/// How many and how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// How long the idle machine is watched, in ns.
    pub idle_ns: u64,
    /// Number of the machine's own wake-ups per measurement of them.
    pub wakeups: u32,
    /// Length of the window in which the subject is stopped once, in ns.
    pub stall_window_ns: u64,
    /// Length of the generator's windows, in ns.
    pub generator_window_ns: u64,
    /// Length of the windows of known latencies and of queues, in ns.
    pub open_window_ns: u64,
    /// Length of the windows of trials that are compared, in ns.
    pub trial_window_ns: u64,
    /// Comparisons of an arm with 10 % more work.
    pub slower_runs: u32,
    /// A/A comparisons.
    pub placebos: u32,
    /// Blocks of each.
    pub placebo_blocks: u32,
    /// Trials of which 30 % are disturbed.
    pub foreign_trials: u32,
    /// Length of their windows, in ns.
    pub foreign_window_ns: u64,
    /// How much a child touches, in MiB, one after the other.
    pub touched_mib: &'static [u64],
}

impl Extent {
    /// Within five minutes.
    pub const DEFAULT: Extent = Extent {
        idle_ns: 4 * S,
        wakeups: 150,
        stall_window_ns: 5 * S,
        generator_window_ns: 4 * S,
        open_window_ns: 10 * S,
        trial_window_ns: 60 * MS,
        slower_runs: 1,
        placebos: 20,
        placebo_blocks: 10,
        foreign_trials: 20,
        foreign_window_ns: 2 * S,
        touched_mib: &[64],
    };

    /// The full counts.
    pub const THOROUGH: Extent = Extent {
        idle_ns: 10 * S,
        wakeups: 600,
        generator_window_ns: 10 * S,
        open_window_ns: 30 * S,
        slower_runs: 50,
        placebos: 200,
        foreign_trials: 100,
        touched_mib: &[8, 16, 32, 64, 128, 256, 512],
        ..Extent::DEFAULT
    };
}

/// The findings of a check.
#[derive(Debug, Clone, PartialEq, Default)]
struct Findings {
    lines: Vec<Line>,
    /// By name with unit, in machine units.
    figures: Vec<(String, f64)>,
}

impl Findings {
    /// Adds a figure against its bar, for people.
    fn line(
        &mut self,
        what: impl Into<String>,
        found: String,
        bar: impl Into<String>,
        holds: bool,
    ) {
        let state = if holds { State::Pass } else { State::Fail };
        self.lines.push(Line { what: what.into(), found, bar: bar.into(), state });
    }

    /// Adds a figure for programs.
    fn figure(&mut self, name: impl Into<String>, value: f64) {
        self.figures.push((name.into(), value));
    }
}

/// One figure against its bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Of what.
    pub what: String,
    /// The figure.
    pub found: String,
    /// The bar.
    pub bar: String,
    /// Whether it holds.
    pub state: State,
}

/// The state of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// It does not, and the machine was noisy, which may be why.
    Noisy,
}

impl State {
    /// For people and programs.
    pub fn name(self) -> &'static str {
        match self {
            State::Pass => "pass",
            State::Fail => "fail",
            State::Noisy => "noisy",
        }
    }
}

/// A check that was run.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// Its name.
    pub name: &'static str,
    /// The check in a sentence.
    pub asked: String,
    /// Every bar; at least one.
    pub lines: Vec<Line>,
    /// By name with unit, in machine units.
    pub figures: Vec<(String, f64)>,
    /// Disturbances of the machine meanwhile, as in rows.
    pub noise: Vec<String>,
    /// How long it took, in ns.
    pub took_ns: u64,
}

/// The results of a self-test.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Signals by which the machine was noisy before anything was started; none if it was quiet.
    pub noisy_when_idle: Vec<&'static str>,
    /// In the order in which they were run.
    pub checks: Vec<Checked>,
    /// The user ended it before all were run.
    pub is_interrupted: bool,
}

impl Report {
    /// Whether every check was run and every bar holds.
    pub fn passes(&self) -> bool {
        let mut lines = self.checks.iter().flat_map(|check| &check.lines);
        !self.is_interrupted && lines.all(|line| line.state == State::Pass)
    }
}

/// The state of a self-test, told before each check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// From 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// The check that comes next.
    pub name: &'static str,
}

/// Runs every check with this Rust subject. A check that cannot be run is a line that does not hold;
/// an interrupted report has the results until then.
///
/// # Errors
/// The machine cannot be watched, or there is no place for files that are gone afterwards.
pub fn run(subject: &Path, extent: Extent, mut progress: impl FnMut(Progress)) -> Result<Report> {
    let preexisting = leftovers::children().context("list this process's own children")?;
    process::adopt_orphans().context("become the reaper of orphaned children")?;
    super::catch_interrupts().context("catch Ctrl-C")?;
    let scratch = Scratch::create()?;
    let mut monitor = Monitor::start().context("start watching the machine")?;
    let idle = monitor.watch_idle(extent.idle_ns, |_| ());
    monitor.adapt_to(&idle);
    let noisy_when_idle = monitor.raised().into_iter().map(Signal::name).collect();
    let mut bench = Bench::new(subject, &scratch.0, extent, monitor);
    let mut report = Report { noisy_when_idle, ..Report::default() };
    for (number, check) in (1..).zip(ALL) {
        if super::interrupted() {
            report.is_interrupted = true;
            break;
        }
        progress(Progress { number, of: ALL.len(), name: check.name });
        let checked = run_one(check, &mut bench, !report.noisy_when_idle.is_empty());
        leftovers::clean_up(&preexisting).context("clean up after a check")?;
        match checked {
            Some(checked) => report.checks.push(checked),
            None => report.is_interrupted = true,
        }
    }
    Ok(report)
}

/// Runs one check; `None` if the user interrupted it.
fn run_one(check: &Check, bench: &mut Bench<'_>, is_noisy: bool) -> Option<Checked> {
    let begin_ns = now_ns();
    bench.watch();
    let found = (check.run)(bench);
    let noise = bench.monitor.after_trial();
    bench.collect_samples();
    if let Err(error) = &found
        && matches!(error.downcast_ref(), Some(TargetError::Interrupted))
    {
        return None;
    }
    let is_disturbed = noise.as_ref().is_some_and(|n| n.label == NoiseLabel::Disturbed);
    let Findings { lines, figures } = excused(found, is_noisy || is_disturbed);
    let flags = noise.map(|noise| noise.flags).unwrap_or_default();
    Some(Checked {
        name: check.name,
        asked: check.asked(&bench.extent),
        lines,
        figures,
        noise: flags.iter().map(ToString::to_string).collect(),
        took_ns: now_ns() - begin_ns,
    })
}

/// The findings on a machine that is noisy or not: there, a bar that does not hold is undecided, and
/// one that holds, holds. Noise is no excuse for an error: it makes answers late, not wrong or
/// missing.
fn excused(found: Result<Findings>, is_noisy: bool) -> Findings {
    let mut findings = Findings::default();
    match found {
        Ok(found) => findings = found,
        Err(error) => {
            findings.line("could not be run", format!("{error:#}"), "an answer", false);
            return findings;
        }
    }
    for line in &mut findings.lines {
        if is_noisy && line.state == State::Fail {
            line.state = State::Noisy;
        }
    }
    findings
}

/// A directory for the standard error of subjects; gone when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn create() -> Result<Scratch> {
        let name = format!("forkbench-selftest-{}-{}", std::process::id(), now_ns());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)
            .with_context(|| format!("create {} for files of subjects", path.display()))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A failure has no one to be told to; the system empties its own folder for such files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// `60.9 ms`, `0.063 ms`.
fn ms(ns: f64) -> String {
    let ms = ns / 1e6;
    let digits = if ms.abs() < 10.0 { 3 } else { 1 };
    format!("{ms:.digits$} ms")
}

/// `+0.13 %`.
fn percent_off(ratio: f64) -> String {
    format!("{:+.2} %", (ratio - 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(states: &[State]) -> Checked {
        let line = |&state: &State| Line {
            what: String::new(),
            found: String::new(),
            bar: String::new(),
            state,
        };
        Checked {
            name: "",
            asked: String::new(),
            lines: states.iter().map(line).collect(),
            figures: Vec::new(),
            noise: Vec::new(),
            took_ns: 0,
        }
    }

    #[test]
    fn only_bars_that_all_hold_are_a_pass() {
        let report = |states: &[State]| Report {
            checks: vec![checked(&[State::Pass]), checked(states)],
            ..Report::default()
        };
        assert!(report(&[State::Pass, State::Pass]).passes());
        assert!(!report(&[State::Pass, State::Fail]).passes());
        assert!(!report(&[State::Noisy]).passes());
        let half = Report { is_interrupted: true, ..report(&[State::Pass]) };
        assert!(!half.passes());
    }

    fn failing() -> Findings {
        Findings { lines: checked(&[State::Fail]).lines, figures: Vec::new() }
    }

    #[test]
    fn noise_excuses_bars_that_do_not_hold_and_nothing_else() {
        let lines = checked(&[State::Pass, State::Fail]).lines;
        let found = excused(Ok(Findings { lines, figures: Vec::new() }), true);
        let states: Vec<State> = found.lines.iter().map(|line| line.state).collect();
        assert_eq!(states, [State::Pass, State::Noisy]);
    }

    #[test]
    fn check_that_could_not_be_run_fails_on_any_machine() {
        let error = || Err(anyhow::anyhow!("the subject died"));
        for is_noisy in [true, false] {
            assert_eq!(excused(error(), is_noisy).lines[0].state, State::Fail);
        }
        assert_eq!(excused(Ok(failing()), true).lines[0].state, State::Noisy);
        assert_eq!(excused(Ok(failing()), false).lines[0].state, State::Fail);
    }

    #[test]
    fn the_scratch_directory_is_gone_with_what_is_in_it() {
        let scratch = Scratch::create().unwrap();
        let path = scratch.0.clone();
        std::fs::write(path.join("a.stderr"), "x").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }
}
