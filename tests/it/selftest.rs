//! The self-test from end to end, with counts so small that only its working is tested: whether
//! its bars hold is a question to a machine and none to this suite.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use forkbench::driver::selftest::{self, Extent};
use rustix::process::{Pid, Signal, kill_process};

const SUBJECT: &str = env!("CARGO_BIN_EXE_forkbench-subject");
const MS: u64 = 1_000_000;

const TINY: Extent = Extent {
    idle_ns: 100 * MS,
    wakeups: 10,
    stall_window_ns: 250 * MS,
    generator_window_ns: 50 * MS,
    open_window_ns: 300 * MS,
    trial_window_ns: 5 * MS,
    slower_runs: 1,
    placebos: 2,
    placebo_blocks: 6,
    foreign_trials: 2,
    foreign_window_ns: 100 * MS,
    touched_mib: &[8],
};

#[test]
fn every_check_runs_and_says_what_it_found() {
    let mut told = Vec::new();
    let report = selftest::run(SUBJECT.as_ref(), TINY, |progress| told.push(progress)).unwrap();
    assert!(!report.is_interrupted);
    let names: Vec<_> = report.checks.iter().map(|check| check.name).collect();
    let announced: Vec<_> = told.iter().map(|progress| progress.name).collect();
    assert_eq!(names, announced);
    assert_eq!(told.last().map(|last| last.number), Some(told[0].of));
    for check in &report.checks {
        assert!(!check.lines.is_empty() && !check.asked.is_empty());
        assert!(!check.figures.is_empty(), "{check:?}");
        for line in &check.lines {
            assert_ne!(line.what, "could not be run", "{line:?}");
            let numbers = line.found.contains(|c: char| c.is_ascii_digit());
            assert!(numbers && !line.found.contains("NaN"), "{line:?}");
        }
    }
    // Counted exactly, however busy the machine.
    let figure = |name: &str| {
        let mut figures = report.checks.iter().flat_map(|check| &check.figures);
        figures.find(|(found, _)| found == name).unwrap().1
    };
    assert_eq!(figure("placebos"), 2.0);
    assert_eq!((figure("disturbed"), figure("quiet")), (1.0, 1.0));
}

#[test]
fn a_subject_that_does_not_start_is_a_bar_that_does_not_hold() {
    let report = selftest::run("/no/such/subject".as_ref(), TINY, |_| ()).unwrap();
    assert!(!report.passes());
    // The check of wake-ups needs no subject.
    let mut lines = report.checks.iter().flat_map(|check| &check.lines);
    let first = lines.find(|line| line.what == "could not be run").unwrap();
    assert!(first.found.contains("/no/such/subject"), "{first:?}");
}

#[test]
fn ctrl_c_ends_it_with_what_was_found_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_forkbench"))
        .arg("selftest")
        .env("FORKBENCH_SUBJECT", SUBJECT)
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains("check 1 of"), "{line}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut said = String::new();
    for line in stderr.lines() {
        said += &line.unwrap();
    }
    assert!(said.contains("interrupted"), "{said}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}
