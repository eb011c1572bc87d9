//! Subjects that do not keep to the rules: each makes a row with a reason, none hangs the driver,
//! none is left.
//!
//! One test, because a trial ends by killing whatever child this process has.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{SUBJECT, configure, processes_with, spec};
use forkbench::driver::load::{self, Exchange, Offer, Pace, Timeout};
use forkbench::driver::oracle::Oracle;
use forkbench::driver::programs::SubjectProgram;
use forkbench::driver::target::{Launch, Target, subject_environment};
use forkbench::driver::trial::{self, Setting};
use forkbench::experiment::DEADLINE_MS;
use forkbench::experiment::{Arrivals, Experiment, Preset, plan, wire};
use forkbench::record::{Status, TrialRow};

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
    row_within(experiment, python, how, None)
}

/// The same in a run whose budget ends then.
fn row_within(
    experiment: &Experiment,
    python: &Path,
    how: &str,
    budget_end_ns: Option<u64>,
) -> TrialRow {
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
        preexisting: &[],
        budget_end_ns,
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
        assert_eq!(row.status.name(), status, "{how}: {said}");
        assert!(said.contains(reason), "{how}: {said}");
        let last = format!("; last line of stderr: said last: {how}");
        assert_eq!(said.ends_with(&last), status == "failed", "{how}: {said}");
        assert_eq!(row.flags, "", "{how}");
    }
    check_what_breaks_off(&experiment, &python);
    check_what_hangs_after_the_window(&python);
    for how in ["silent", "announce", "dribble", "dribble-later"] {
        check_deadlines(&python, how);
    }
    check_ready(&python);
    let row = row_within(&experiment, &python, "silent", Some(1));
    assert_eq!(row.status, Status::Partial, "its deadline is 30 s: {}", row.reason);
    assert!(row.reason.contains("budget ended when the subject had left request 1"));
    assert_eq!(processes_with(SCRIPT), [""; 0], "somebody is left");
}

/// A trial that fails has what was answered until then, and neither rate nor quantile.
fn check_what_breaks_off(experiment: &Experiment, python: &Path) {
    let row = row_of(experiment, python, "exit-later");
    assert_eq!((row.status.name(), row.n_served), ("failed", Some(20)), "{}", row.reason);
    assert!(row.reason.contains("the subject exited with 3"), "{}", row.reason);
    assert!(row.first_response_ns.is_some());
    assert_eq!((row.throughput_per_s, row.response_p50_ns, row.window_ns), (None, None, None));
}

/// One request of two callers is never answered: it costs a bounded time, and is counted.
fn check_what_hangs_after_the_window(python: &Path) {
    let two = EXPERIMENT.replace("callers = 1", "callers = 2");
    let experiment = wire::parse(&two, "test", 1, 1).unwrap();
    let begun_ns = forkbench::sys::clock::now_ns();
    let row = row_of(&experiment, python, "hang-later");
    let took_ns = forkbench::sys::clock::now_ns() - begun_ns;
    assert!(took_ns < DEADLINE_MS * 1_000_000, "it was waited for");
    assert_eq!((row.status.name(), row.validity.name()), ("ok", "valid"), "{}", row.reason);
    assert_eq!(row.n_not_ok_outside, Some(1));
    assert_eq!(row.flags, "given_up;not_ok_outside:1");
}

fn launch(python: &Path, how: &str, scratch: &Path) -> Launch {
    Launch {
        command: command(python, how),
        environment: subject_environment(),
        stderr: scratch.join("stderr"),
    }
}

/// A subject that leaves a request without an answer, whatever it sends instead, with deadlines
/// that a test can wait for.
fn check_deadlines(python: &Path, how: &str) {
    const MS: u64 = 1_000_000;
    let scratch = tempfile::tempdir().unwrap();
    let launch = launch(python, how, scratch.path());
    let start = || Target::start(&launch, &configure("blocking", &spec("noop", 0, &[]))).unwrap();
    let exchange = Exchange { payload: Vec::new(), echo: true, checksum: None };
    let served = if how == "dribble-later" { 20 } else { 0 };

    let timeout = Timeout { grace_ns: 100 * MS, ..Timeout::new(300 * MS) };
    let pace = Pace {
        // The window begins after what goes wrong.
        warm_up_ns: 60_000 * MS,
        ..Pace::new(&Preset::by_name("smoke").unwrap(), 1, timeout)
    };
    let error = load::closed(&mut start(), &exchange, pace, 1).unwrap_err();
    let (error, measured) = error.into_parts();
    assert_eq!(measured.unwrap().served, served, "{how}");
    let error = error.with_last_words(&launch.stderr).to_string();
    let due = format!("left request {} without an answer", served + 1);
    assert!(error.contains(&due) && error.contains("its deadline of 0.3 s"), "{how}: {error}");
    assert!(error.ends_with(&format!("said last: {how}")), "{error}");

    let offer = Offer {
        rate_per_s: 200.0,
        arrivals: Arrivals::Constant,
        probe: None,
        unloaded_ns: 0,
        warm_up_ns: 0,
        window_ns: 300 * MS,
        patience_ns: 100 * MS,
        timeout,
        limit_ns: u64::MAX,
    };
    match load::open(&mut start(), &exchange, &offer, 1) {
        Ok(measured) => {
            assert_eq!((how, measured.served), ("dribble-later", served));
            let unanswered = measured.traffic.unwrap().unanswered;
            assert!(unanswered > 0 && measured.abandoned >= unanswered, "{unanswered}");
        }
        Err(error) => {
            assert!(how != "dribble-later", "{error}");
            assert!(error.to_string().contains("left request 1 without"), "{error}");
        }
    }
}

/// READY has a deadline that bytes do not move.
fn check_ready(python: &Path) {
    let scratch = tempfile::tempdir().unwrap();
    let launch = launch(python, "dribble-ready", scratch.path());
    let configure = configure("blocking", &spec("noop", 0, &[]));
    let error = Target::start_within(&launch, &configure, None, 500_000_000).unwrap_err();
    assert!(error.to_string().contains("did not become ready in time"), "{error}");
}
