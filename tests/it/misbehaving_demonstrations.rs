//! Demonstrations that do not do what they are for: each ends, each has a last row that says why,
//! and none leaves anything behind.
//!
//! One test, because a demonstration ends by killing whatever child this process has.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::common::processes_with;
use forkbench::driver::demonstrations::{DEADLINE_NS, demonstrate};
use forkbench::driver::programs::SubjectProgram;
use forkbench::driver::target::subject_environment;
use forkbench::driver::trial::Setting;
use forkbench::experiment::{Demonstration, Experiment, Preset, wire};
use forkbench::record::{FactRow, FactStatus};

const EXPERIMENT: &str = "
    name = 'misbehaving'
    question = 'What then?'
    [[family]]
    workload = 'noop'
    strategy = 'blocking'
    load = { closed = { callers = 1 } }";

/// A moment: what hangs is waited for in vain.
const SOON_NS: u64 = 300_000_000;

fn shown(name: &str) -> Demonstration {
    Demonstration { name: name.to_owned(), runtime: "shell".to_owned() }
}

/// The rows of the demonstration of this name, of the script that knows all.
fn rows_of(experiment: &Experiment, dir: &Path, name: &str, deadline_ns: u64) -> Vec<FactRow> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/demonstrate");
    let link = dir.join("demonstrations").join(format!("{name}.sh"));
    std::os::unix::fs::symlink(script, &link).unwrap();
    let program = SubjectProgram {
        command: vec![PathBuf::from("/bin/sh"), dir.join("subject.sh")],
        ..SubjectProgram::default()
    };
    let environment = subject_environment();
    let scratch = dir.join("scratch");
    let setting = Setting {
        run_id: "run",
        experiment,
        preset: Preset::by_name("smoke").unwrap(),
        programs: &[("shell".to_owned(), program)].into(),
        environment: &environment,
        scratch: &scratch,
        preexisting: &[],
        budget_end_ns: None,
    };
    let rows = demonstrate(&setting, &shown(name), 7, deadline_ns).unwrap();
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0, "{name}");
    rows.unwrap()
}

#[test]
fn faulty_demonstration_ends_with_a_row_that_names_the_fault() {
    forkbench::sys::process::adopt_orphans().unwrap();
    let experiment = wire::parse(EXPERIMENT, "test", 1, 1).unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("demonstrations")).unwrap();
    std::fs::create_dir(dir.path().join("scratch")).unwrap();
    for (name, facts, reason) in [
        ("behave", 1, ""),
        ("flood-stderr", 1, ""),
        ("fail", 1, "the demonstration exited with 3"),
        ("kill-itself", 1, "was ended by signal 9"),
        ("garbage", 1, "printed an invalid fact in line 2, `All is well.`"),
        ("no-end", 0, "the line has no end"),
        ("twice", 1, "printed `shown` of `a-case` twice"),
        ("silent", 0, "the demonstration printed nothing"),
        ("flood", 0, "wrote more than 256 KiB of facts and was ended"),
        ("leave", 1, "left 1 process running, which was ended"),
    ] {
        let rows = rows_of(&experiment, dir.path(), name, DEADLINE_NS);
        check(&rows, name, facts, reason);
    }
    for name in ["hang", "leave-and-hang"] {
        let rows = rows_of(&experiment, dir.path(), name, SOON_NS);
        check(&rows, name, 1, "did not end within 0.3 s and was ended");
    }
    check_surroundings(&experiment, dir.path());
    check_what_is_not_there(&experiment, dir.path());
    let dir = dir.path().display().to_string();
    assert_eq!(processes_with(&dir), [""; 0], "somebody is left");
    assert_eq!(processes_with("sleep 98765"), [""; 0], "somebody is left");
}

#[track_caller]
fn check(rows: &[FactRow], name: &str, facts: usize, reason: &str) {
    let (last, before) = rows.split_last().unwrap();
    assert_eq!(before.len(), facts, "{name}: {rows:?}");
    for row in before {
        assert_eq!((row.status, row.value), (FactStatus::Ok, Some(1.0)), "{name}");
        assert_eq!((row.case.as_str(), row.fact.as_str()), ("a-case", "shown"));
    }
    let status = match reason {
        "" => FactStatus::Ok,
        _ => FactStatus::Failed,
    };
    let said = &last.reason;
    assert_eq!(last.status, status, "{name}: {said}");
    assert!(said.contains(reason), "{name}: {said}");
    let last_words = format!("; last line of stderr: said last: {name}");
    assert_eq!(said.ends_with(&last_words), !reason.is_empty(), "{name}: {said}");
    assert_eq!((last.fact.as_str(), last.unit.as_str()), ("took_ms", "ms"));
    assert!(last.value.is_some_and(|ms| ms > 0.0), "{name}");
    for row in rows {
        assert_eq!((row.run_id.as_str(), row.block), ("run", 7));
        assert_eq!((row.demonstration.as_str(), row.runtime.as_str()), (name, "shell"));
        assert_eq!(row.started_utc, last.started_utc);
    }
}

/// No core file, the run's own directory, and no variable of whoever runs forkbench.
fn check_surroundings(experiment: &Experiment, dir: &Path) {
    let rows = rows_of(experiment, dir, "where", DEADLINE_NS);
    // One byte, which no core fits into; see `dump_no_core`.
    assert_eq!(rows[0].value, Some(1.0), "{rows:?}");
    let scratch = dir.join("scratch").canonicalize().unwrap();
    assert_eq!(rows[0].text, format!("{} ", scratch.display()));
}

fn check_what_is_not_there(experiment: &Experiment, dir: &Path) {
    let scratch = dir.join("scratch");
    let of = |programs: BTreeMap<String, SubjectProgram>| {
        let setting = Setting {
            run_id: "run",
            experiment,
            preset: Preset::by_name("smoke").unwrap(),
            programs: &programs,
            environment: &[],
            scratch: &scratch,
            preexisting: &[],
            budget_end_ns: None,
        };
        let rows = demonstrate(&setting, &shown("none"), 1, DEADLINE_NS).unwrap().unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows[0].clone()
    };
    let row = of(BTreeMap::new());
    assert_eq!(row.status, FactStatus::Skipped);
    assert!(row.reason.contains("no program for the runtime `shell`"), "{row:?}");
    let program = SubjectProgram::compiled(dir.join("no-such-program"));
    let row = of([("shell".to_owned(), program)].into());
    assert_eq!(row.status, FactStatus::Failed);
    let names = ["run `", "no-such-program demonstration none"];
    assert!(names.iter().all(|name| row.reason.contains(name)), "{row:?}");
}
