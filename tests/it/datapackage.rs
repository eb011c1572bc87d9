//! The files of a real run are what its `datapackage.json` says, as judged by a program that knows
//! nothing of forkbench; and a report can be rebuilt byte for byte.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The built driver.
const FORKBENCH: &str = env!("CARGO_BIN_EXE_forkbench");

/// Runs the driver and returns the run directory.
fn run_in(scratch: &Path) -> PathBuf {
    let out = scratch.join("run");
    let done = Command::new(FORKBENCH)
        .args(["run", "main", "--preset", "smoke", "--budget", "10m", "--blocks", "2"])
        .args(["--filter", "workload=noop", "--filter", "callers=1"])
        .args(["--filter", "strategy=blocking,thread", "--quiet", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    out
}

/// The independent check; `None`, said aloud, where there is no Python.
fn check(run: &Path, more: &[&str]) -> Option<Output> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/check_datapackage.py");
    match Command::new("python3").arg(script).arg(run).args(more).output() {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("skipped: no python3: {error}");
            None
        }
    }
}

#[track_caller]
fn assert_faulty(run: &Path, expected: &str) {
    if let Some(output) = check(run, &[]) {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && text.contains(expected), "{text}");
    }
}

#[test]
fn the_files_are_what_the_datapackage_says_and_the_check_can_fail() {
    let scratch = tempfile::tempdir().unwrap();
    let run = run_in(scratch.path());
    let Some(output) = check(&run, &[]) else {
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert_eq!(
        text.trim(),
        "valid: plan.csv, trials.csv, noise.csv, calibration.csv, memory.csv, facts.csv, \
         cells.csv, comparisons.csv, load_points.csv, fits.csv"
    );

    let path = run.join("comparisons.csv");
    let good = fs::read_to_string(&path).unwrap();
    let last = good.lines().last().unwrap();
    fs::write(&path, format!("{good}{last}\n")).unwrap();
    assert_faulty(&run, "is there already");
    fs::write(&path, good.replace(",lower,", ",downward,")).unwrap();
    assert_faulty(&run, "`downward` is none of");
    fs::write(&path, good.replacen("metric", "measure", 1)).unwrap();
    assert_faulty(&run, "described are");
}

/// With the reference implementation, which has to be fetched: `cargo test --test datapackage --
/// --ignored --nocapture`.
#[test]
#[ignore = "installs a Python package below target/"]
fn frictionless_finds_the_files_valid() {
    let scratch = tempfile::tempdir().unwrap();
    let run = run_in(scratch.path());
    let venv = concat!(env!("CARGO_MANIFEST_DIR"), "/target/frictionless");
    if let Some(output) = check(&run, &["--venv", venv]) {
        let text = String::from_utf8_lossy(&output.stdout);
        println!("{text}");
        assert!(output.status.success(), "{text}");
    }
}

/// All files below a directory, by path.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn a_report_is_rebuilt_byte_for_byte_from_the_raw_files() {
    let scratch = tempfile::tempdir().unwrap();
    let run = run_in(scratch.path());
    let before = files(&run);
    for derived in
        ["cells.csv", "comparisons.csv", "load_points.csv", "fits.csv", "tables.md", "report.html"]
    {
        fs::remove_file(run.join(derived)).unwrap();
    }
    fs::remove_dir_all(run.join("charts")).unwrap();
    let done = Command::new(FORKBENCH).arg("report").arg(&run).output().unwrap();
    assert!(done.status.success());
    let after = files(&run);
    assert!(before.keys().eq(after.keys()));
    for (path, bytes) in &before {
        assert!(after[path] == *bytes, "{} differs", path.display());
    }
}
