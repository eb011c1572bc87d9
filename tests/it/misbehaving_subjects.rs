//! Subjects that do not keep to the rules: each makes a row with a reason, none hangs the driver,
//! none is left.
//!
//! One test, because a trial ends by killing whatever child this process has.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{SUBJECT, configure, processes_with, spec};
use forkbench::driver::load::{self, Exchange, Pace};
use forkbench::driver::oracle::Oracle;
use forkbench::driver::programs::SubjectProgram;
use forkbench::driver::target::{Launch, Target, subject_environment};
use forkbench::driver::trial::{self, Setting};
use forkbench::experiment::{Experiment, Preset, plan, wire};
use forkbench::record::TrialRow;

const EXPERIMENT: &str = "
    name = 'misbehaving'
    question = 'What then?'
    [[family]]
    workload = 'noop'
    strategy = 'blocking'
    load = { closed = { callers = 1 } }";

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/misbehaving_subject.py");

/// A Python without a shim before it, or `None` where there is none.
fn python() -> Option<PathBuf> {
    let asked =
        Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().ok()?;
    let path = String::from_utf8(asked.stdout).ok()?;
    asked.status.success().then(|| PathBuf::from(path.trim()))
}

fn command(python: &Path, how: &str) -> Vec<PathBuf> {
    vec![python.to_owned(), PathBuf::from(SCRIPT), PathBuf::from(how)]
}

/// The row of a trial of this subject.
fn row_of(experiment: &Experiment, python: &Path, how: &str) -> TrialRow {
    let scratch = tempfile::tempdir().unwrap();
    let environment = subject_environment();
    let program = SubjectProgram {
        command: command(python, how),
        environment: Vec::new(),
        versions: BTreeMap::new(),
    };
    let setting = Setting {
        run_id: "run",
        experiment,
        preset: Preset::by_name("smoke").unwrap(),
        programs: &[("rust".to_owned(), program)].into(),
        environment: &environment,
        scratch: scratch.path(),
        strangers: &[],
    };
    let trial = &plan::plan(experiment, 1, 1)[0];
    let mut oracle = Oracle::new(Path::new(SUBJECT), scratch.path());
    let prepared = oracle.prepare(&experiment.families[0].spec, 1).unwrap();
    let row = trial::run(&setting, trial, &prepared).unwrap().row;
    let left = std::fs::read_dir(scratch.path()).unwrap().count();
    assert_eq!(left, 0, "{how}: a file is left");
    row
}

#[test]
fn each_is_a_row_with_what_was_said_last() {
    let Some(python) = python() else {
        eprintln!("passed over: there is no python3");
        return;
    };
    forkbench::sys::process::adopt_orphans().unwrap();
    let experiment = wire::parse(EXPERIMENT, "test", 1, 1).unwrap();
    for (how, status, reason) in [
        ("behave", "ok", ""),
        ("print", "ok", ""),
        ("flood-stderr", "ok", ""),
        ("exit-early", "failed", "the subject exited with 3"),
        ("exit", "failed", "the subject exited with 3"),
        ("other-clock", "failed", "reads another clock"),
        ("unreadable-ready", "failed", "a READY that cannot be read"),
        ("answer-twice", "failed", "answered request 1, which it was not asked"),
        ("unknown-request", "failed", "answered request 1001, which it was not asked"),
        ("accepted-before-sent", "failed", "stamped request 1 impossibly: accepted_ns ("),
        ("dispatched-before-accepted", "failed", "ns before accepted_ns ("),
        ("started-before-dispatched", "failed", "ns before dispatched_ns ("),
        ("worked-before-started", "failed", "ns before child_start_ns ("),
        ("ended-before-begun", "failed", "is 1000000000 ns before work_start_ns ("),
        ("replied-before-ended", "failed", "is 1000000000 ns before work_end_ns ("),
        ("replied-in-the-future", "failed", "ns before replied_ns ("),
        ("all-in-the-past", "failed", "impossibly: accepted_ns (1) is "),
        ("light-without-stamps", "failed", "a LIGHT of 0 bytes instead of 16"),
        (
            "light-in-the-past",
            "failed",
            "stamped idle round trip 1 impossibly: accepted_ns (1) is ",
        ),
        ("light-in-the-future", "failed", "stamped idle round trip 1 impossibly: done_ns ("),
        ("light-as-another", "failed", "sent Light when LIGHT 1 was due"),
        ("oversized", "failed", "announces 4294967295 bytes"),
        ("garbage", "failed", "a frame of unknown"),
        ("truncated", "failed", "the stream ended inside a frame"),
        ("close", "failed", "closed its socket and lives"),
        ("stop-and-hang", "failed", "did not stop in time"),
        ("stop-and-fail", "failed", "the subject exited with 4"),
        ("stop-without-stats", "failed", "the subject exited with 0"),
    ] {
        let row = row_of(&experiment, &python, how);
        let said = &row.reason;
        assert_eq!(row.status, status, "{how}: {said}");
        assert!(said.contains(reason), "{how}: {said}");
        let last = format!("; last line of stderr: said last: {how}");
        assert_eq!(said.ends_with(&last), status == "failed", "{how}: {said}");
        assert_eq!(row.flags, "", "{how}");
    }
    check_silence(&python);
    assert_eq!(processes_with(SCRIPT), [""; 0], "somebody is left");
}

/// A subject that does not answer, with a deadline that a test can wait for.
fn check_silence(python: &Path) {
    let scratch = tempfile::tempdir().unwrap();
    let launch = Launch {
        command: command(python, "silent"),
        environment: subject_environment(),
        stderr: scratch.path().join("stderr"),
    };
    let mut target = Target::start(&launch, &configure("blocking", &spec("noop", 0, &[]))).unwrap();
    let exchange = Exchange { payload: Vec::new(), echo: true, checksum: None };
    let pace = Pace::new(&Preset::by_name("smoke").unwrap(), 1, 1_000_000);
    let error = load::closed(&mut target, &exchange, pace, 1).unwrap_err();
    let error = error.with_last_words(&launch.stderr).to_string();
    assert!(error.contains("is silent; 1 requests wait"), "{error}");
    assert!(error.ends_with("said last: silent"), "{error}");
}
