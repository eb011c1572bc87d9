//! Live self-tests: does the driver see what it has to see, on this machine, now? Each check loads
//! real subjects and holds what it found against what is known. What a check found is judged by a
//! pure function, which the suite tests with data that must fail; the checks themselves are timed,
//! and so are no tests of the suite.
//!
//! A check is a file and a line in `ALL`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::leftovers;
use super::noise::Monitor;
use super::noise::judge::Label;
use super::noise::signal::Signal;
use super::target::TargetError;
use crate::sys::clock::now_ns;
use crate::sys::process;

mod bench;
mod books;
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

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;

/// All checks, in the order in which they are run: the first is about the machine alone, the last
/// two judge what the others met.
const ALL: &[Check] = &[
    wakeups::CHECK,
    stall::CHECK,
    generator::CHECK,
    latencies::CHECK,
    queue::CHECK,
    slower::CHECK,
    ramp::CHECK,
    placebo::CHECK,
    memory::CHECK,
    foreign::CHECK,
    books::CHECK,
    sampling::CHECK,
];

/// One thing that the driver has to get right.
#[derive(Clone, Copy)]
struct Check {
    name: &'static str,
    /// What is done, in a sentence without its full stop.
    asked: fn(&Extent) -> String,
    run: fn(&mut Bench<'_>) -> Result<Findings>,
}

/// How many and how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// How long the idle machine is watched, in ns.
    pub idle_ns: u64,
    /// How often the machine's own wake-ups are looked at, each time that they are.
    pub wakeups: u32,
    /// Length of the window in which the subject is stopped once, in ns.
    pub stall_window_ns: u64,
    /// Length of the generator's windows, in ns.
    pub generator_window_ns: u64,
    /// Length of the windows of known latencies and of queues, in ns.
    pub open_window_ns: u64,
    /// Length of the windows of trials that are compared, in ns.
    pub trial_window_ns: u64,
    /// Comparisons of an arm with 5 % more work.
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

/// What a check found.
#[derive(Debug, Clone, PartialEq, Default)]
struct Findings {
    lines: Vec<Line>,
    /// By name with unit, in machine units.
    figures: Vec<(String, f64)>,
}

/// One figure against its bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Of what.
    pub what: String,
    /// What was found.
    pub found: String,
    /// What was due.
    pub bar: String,
    /// Whether it holds.
    pub state: State,
}

impl Line {
    fn new(what: impl Into<String>, found: String, bar: &str, holds: bool) -> Line {
        Line {
            what: what.into(),
            found,
            bar: bar.to_owned(),
            state: if holds { State::Pass } else { State::Fail },
        }
    }
}

/// What became of a bar.
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
    /// What was done.
    pub asked: String,
    /// Every bar; at least one.
    pub lines: Vec<Line>,
    /// By name with unit, in machine units.
    pub figures: Vec<(String, f64)>,
    /// What disturbed the machine meanwhile, as in rows.
    pub noise: Vec<String>,
    /// How long it took, in ns.
    pub took_ns: u64,
}

/// All that a self-test found.
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

/// Where a self-test stands, told before each check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// From 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// The check that comes next.
    pub name: &'static str,
}

/// Runs every check with this Rust subject. Whatever cannot be run is a line that does not hold;
/// what was found before an interrupt is in the report.
///
/// # Errors
/// The machine cannot be watched, or there is no place for files that are gone afterwards.
pub fn run(subject: &Path, extent: Extent, mut progress: impl FnMut(Progress)) -> Result<Report> {
    let strangers = leftovers::children().context("list this process's own children")?;
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
        leftovers::clean_up(&strangers).context("clean up after a check")?;
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
    let key = bench.next_key();
    bench.monitor.before_trial(key, 1);
    let found = (check.run)(bench);
    let noise = bench.monitor.after_trial();
    bench.collect_samples();
    let is_disturbed = noise.as_ref().is_some_and(|n| n.label == Label::Disturbed);
    let found = match found {
        Ok(findings) => Ok(findings),
        Err(error) if is_interrupt(&error) => return None,
        Err(error) => Err(could_not_be_run(&error)),
    };
    let Findings { lines, figures } = excused(found, is_noisy || is_disturbed);
    let flags = noise.map(|noise| noise.flags).unwrap_or_default();
    Some(Checked {
        name: check.name,
        asked: (check.asked)(&bench.extent),
        lines,
        figures,
        noise: flags.iter().map(ToString::to_string).collect(),
        took_ns: now_ns() - begin_ns,
    })
}

/// Whatever went wrong, as a line that does not hold.
fn could_not_be_run(error: &anyhow::Error) -> Findings {
    let said = format!("{error:#}");
    Findings {
        lines: vec![Line::new("could not be run", said, "an answer", false)],
        figures: Vec::new(),
    }
}

/// What is left of a check's findings on a machine that is noisy or not. Noise is no excuse where
/// there are none: it makes answers late, not wrong or missing.
fn excused(found: Result<Findings, Findings>, is_noisy: bool) -> Findings {
    match found {
        Ok(mut findings) => {
            if is_noisy {
                excuse(&mut findings.lines);
            }
            findings
        }
        Err(not_run) => not_run,
    }
}

/// On a noisy machine what does not hold is not decided. What holds in spite of it, holds.
fn excuse(lines: &mut [Line]) {
    for line in lines.iter_mut().filter(|line| line.state == State::Fail) {
        line.state = State::Noisy;
    }
}

fn is_interrupt(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(TargetError::Interrupted))
}

/// A directory for what subjects say on standard error; gone when dropped.
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
        // Nothing is left to tell it to; the system's own folder for such files is emptied by it.
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
        let line = |&state: &State| Line { state, ..Line::new("", String::new(), "", true) };
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
    fn noise_excuses_what_does_not_hold_and_nothing_else() {
        let mut lines = checked(&[State::Pass, State::Fail]).lines;
        excuse(&mut lines);
        let states: Vec<State> = lines.iter().map(|line| line.state).collect();
        assert_eq!(states, [State::Pass, State::Noisy]);
    }

    #[test]
    fn what_could_not_be_run_is_a_failure_on_any_machine() {
        let found = could_not_be_run(&anyhow::anyhow!("the subject died"));
        for (found, state) in [(Err(found), State::Fail), (Ok(failing()), State::Noisy)] {
            assert_eq!(excused(found, true).lines[0].state, state);
        }
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

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = ALL.iter().map(|check| check.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
