//! A run that was cut short anywhere goes on to the same accepted set as one that was not.
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::FORKBENCH;
use crate::common::killing::{kill_after, next};
use forkbench::analysis::attempts;
use forkbench::record::{self, Regime, Run, Status};
use forkbench::sys::clock::now_ns;

fn begin(out: &Path, blocks: &str) -> Command {
    let mut command = Command::new(FORKBENCH);
    command
        .args(["run", "spawn-cost", "--preset", "smoke", "--budget", "10m", "--quiet"])
        .args(["--filter", "strategy=thread,fork", "--filter", "ballast_mib=0"])
        .args(["--blocks", blocks, "--out"])
        .arg(out);
    quiet(command, out)
}

fn resume(out: &Path) -> Command {
    let mut command = Command::new(FORKBENCH);
    command.args(["run", "--quiet", "--resume"]).arg(out);
    quiet(command, out)
}

fn quiet(mut command: Command, out: &Path) -> Command {
    command
        .current_dir(out.parent().unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Processes whose working directory is this one: a run's own and all that it started.
fn processes_in(dir: &Path) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let is_in = |entry: &std::fs::DirEntry| {
        std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == dir)
    };
    let pids = entries.filter(is_in);
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// What counts of a run: each planned trial, and from which pass over its block.
fn counted(run: &Run) -> BTreeMap<String, u32> {
    attempts::accepted(&run.trials)
        .into_iter()
        .map(|row| (row.trial_id.clone(), row.pass_number()))
        .collect()
}

fn check_whole(out: &Path) {
    let run = record::read(out).unwrap();
    assert_eq!(run.remarks, [""; 0], "a torn or doubled row");
    let counted = counted(&run);
    let planned: BTreeSet<&str> = run.plan.iter().map(|row| row.trial_id.as_str()).collect();
    assert!(counted.keys().map(String::as_str).eq(planned), "not all that was planned");
    let mut passes: BTreeMap<(&str, u32), BTreeSet<u32>> = BTreeMap::new();
    for row in &run.plan {
        let block = passes.entry((&row.family_id, row.block)).or_default();
        block.insert(counted[&row.trial_id]);
    }
    assert!(passes.values().all(|passes| passes.len() == 1), "a block of two passes");
    let keys: BTreeSet<_> = run.trials.iter().map(|r| (&r.trial_id, r.attempt)).collect();
    assert_eq!(keys.len(), run.trials.len(), "an attempt twice");
    for row in &run.trials {
        assert_eq!(row.status, Status::Ok, "{} {}", row.trial_id, row.reason);
        let requests = record::read_timings(out, &row.requests_name()).unwrap();
        assert!(!requests.is_empty());
    }
    let files = std::fs::read_dir(out.join("requests")).unwrap().count();
    assert_eq!(files, run.trials.len(), "requests of no row");
    assert!(!out.join("scratch").exists());
}

#[test]
fn killed_anywhere_and_resumed_the_same_trials_count() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let begun_ns = now_ns();
    assert!(begin(&whole, "2").status().unwrap().success());
    let whole_ns = now_ns() - begun_ns;
    check_whole(&whole);
    let expected = record::read(&whole).unwrap();
    let (mut state, mut kills, mut number) = (7, 0_u32, 0);
    while kills < 20 {
        number += 1;
        assert!(number <= 40, "{kills} kills of {number} runs");
        let out = dir.path().join(format!("run{number}"));
        let mut command = begin(&out, "2");
        // Each time a part of what a whole run takes, so that the points lie all over it.
        loop {
            let mut child = command.spawn().unwrap();
            let time_ns = next(&mut state) % whole_ns;
            if !kill_after(&mut child, time_ns) {
                let ended = child.wait_with_output().unwrap();
                assert!(ended.status.success(), "{}", said(&ended));
                break;
            }
            kills += 1;
            if !out.join("manifest.json").exists() {
                // Nothing had begun: there is no run to go on with.
                let _ = std::fs::remove_dir_all(&out);
                command = begin(&out, "2");
                continue;
            }
            if kills.is_multiple_of(4) {
                let ended = resume(&out).output().unwrap();
                assert!(ended.status.success(), "{}", said(&ended));
                break;
            }
            command = resume(&out);
        }
        check_whole(&out);
        let run = record::read(&out).unwrap();
        assert_eq!(run.plan, expected.plan);
        assert!(counted(&run).keys().eq(counted(&expected).keys()));
    }
    // Whoever is killed leaves it to the kernel to end its children, which takes a moment.
    let until_ns = now_ns() + 10_000_000_000;
    while !processes_in(dir.path()).is_empty() && now_ns() < until_ns {
        std::thread::yield_now();
    }
    assert_eq!(processes_in(dir.path()), [0; 0], "orphans");
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn small_run(dir: &Path) -> PathBuf {
    let out = dir.join("out");
    assert!(begin(&out, "1").status().unwrap().success());
    out
}

#[test]
fn a_complete_run_has_nothing_left() {
    let dir = tempfile::tempdir().unwrap();
    let out = small_run(dir.path());
    let before = std::fs::read(out.join("trials.csv")).unwrap();
    let output = Command::new(FORKBENCH).args(["run", "--resume"]).arg(&out).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("complete"), "{}", said(&output));
    assert_eq!(std::fs::read(out.join("trials.csv")).unwrap(), before);
}

#[test]
fn a_torn_row_is_dropped_and_its_block_run_again() {
    let dir = tempfile::tempdir().unwrap();
    let out = small_run(dir.path());
    let path = out.join("trials.csv");
    let text = std::fs::read(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 9]).unwrap();
    let output = resume(&out).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    check_whole(&out);
    let run = record::read(&out).unwrap();
    assert!(run.trials.iter().any(|row| row.pass_number() == 2));
}

#[test]
fn what_differs_from_then_is_refused_with_then_and_now() {
    let dir = tempfile::tempdir().unwrap();
    let out = small_run(dir.path());
    let refused = |what: &[&str]| {
        let output = resume(&out).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        for what in what {
            assert!(said(&output).contains(what), "`{what}` in: {}", said(&output));
        }
    };
    let change = |name: &str, from: &str, to: &str| {
        let path = out.join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        text
    };
    let environment = change("env.json", "\"kernel_release\": \"", "\"kernel_release\": \"0.");
    refused(&["kernel_release", "\"0."]);
    std::fs::write(out.join("env.json"), environment).unwrap();
    let plan = change("plan.csv", "thread", "fork");
    refused(&["plan.csv", " was ", "would now be"]);
    std::fs::write(out.join("plan.csv"), plan).unwrap();
    let manifest = change("manifest.json", "\"schema_version\": ", "\"schema_version\": 9");
    refused(&["schema version 92"]);
    std::fs::write(out.join("manifest.json"), manifest).unwrap();
    // A row that was doubled by hand, where something is left to run: named with its line.
    let path = out.join("trials.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let doubled: Vec<&str> = [0, 1, 1].iter().map(|&i| text.lines().nth(i).unwrap()).collect();
    std::fs::write(&path, format!("{}\n", doubled.join("\n"))).unwrap();
    refused(&["trials.csv:3"]);
}

const SEARCHED: &str = r#"
name = "searched"
question = "Is what was calibrated and searched kept?"
[[family]]
workload = "sleep"
strategy = ["blocking", "pool"]
load = { open = { rate = [0.3, 3.0], of = "blocking-capacity", search = 2 } }
"#;

const SPUN: &str = r#"
name = "spun"
question = "How long?"
[[family]]
workload = "spin"
options = { us = 300 }
strategy = "thread"
load = { closed = { callers = 1 } }
deadline = "45s"
blocks = 2
[[family]]
workload = "noop"
strategy = "thread"
load = { closed = { callers = 1 } }
preset = "quick"
"#;

/// What a millisecond of `spin` is, in each of its trials.
fn steps_per_ms(run: &Run) -> BTreeSet<String> {
    let rows = run.trials.iter().filter(|row| row.workload == "spin");
    rows.map(|row| {
        forkbench::workload::options::parse(&row.workload_options)["steps_per_ms"].clone()
    })
    .collect()
}

#[test]
fn calibrated_work_is_the_same_in_every_trial_and_in_a_resumed_run() {
    let dir = tempfile::tempdir().unwrap();
    let toml = dir.path().join("spun.toml");
    std::fs::write(&toml, SPUN).unwrap();
    let out = dir.path().join("out");
    let mut command = Command::new(FORKBENCH);
    command
        .args(["run", "--quiet", "--preset", "smoke", "--budget", "10m", "--blocks", "3", "--out"]);
    command.arg(&out).arg(&toml);
    let output = quiet(command, &out).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let whole = record::read(&out).unwrap();
    let calibration = record::read_calibration(&out);
    let [row] = &calibration[..] else { panic!("{calibration:?}") };
    assert_eq!((row.purpose.as_str(), row.runtime.as_str()), ("work", "rust"));
    let steps = steps_per_ms(&whole);
    let said_once: BTreeSet<String> =
        [forkbench::workload::options::parse(&row.workload_options)["steps_per_ms"].clone()].into();
    assert_eq!(steps, said_once);
    assert!(!steps.contains("0"));
    // One answer proves one amount of work.
    let spun = whole.trials.iter().filter(|row| row.workload == "spin");
    let sums: BTreeSet<&str> = spun.clone().map(|row| row.checksum.as_str()).collect();
    assert_eq!(sums.len(), 1);
    assert!(spun.clone().all(|row| row.deadline_ns == Some(45_000_000_000)));
    // Three arms in two of three blocks; the other family is left to a larger preset.
    assert_eq!(spun.count(), 6);
    let left_out = whole.trials.iter().filter(|row| row.workload == "noop");
    assert!(left_out.clone().count() > 0);
    for row in left_out {
        assert_eq!(row.status, Status::Skipped);
        assert!(row.reason.contains("from preset `quick` on"), "{}", row.reason);
    }
    // As if it had been killed before its last block.
    let path = out.join("trials.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let kept: Vec<&str> = text.lines().take(4).collect();
    std::fs::write(&path, format!("{}\n", kept.join("\n"))).unwrap();
    let output = resume(&out).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let resumed = record::read(&out).unwrap();
    assert_eq!(steps_per_ms(&resumed), steps);
    assert_eq!(record::read_calibration(&out), calibration);
}

#[test]
fn calibrated_rates_and_trials_of_the_search_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let toml = dir.path().join("searched.toml");
    std::fs::write(&toml, SEARCHED).unwrap();
    let out = dir.path().join("out");
    let mut command = Command::new(FORKBENCH);
    command.args(["run", "--quiet", "--preset", "smoke", "--budget", "10m", "--out"]);
    command.arg(&out).arg(&toml);
    let output = quiet(command, &out).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let path = out.join("trials.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let whole = record::read(&out).unwrap();
    let searched = |run: &Run| -> Vec<(String, String, f64)> {
        let rows = run.trials.iter().filter(|row| row.regime == Regime::Search);
        let of = |row: &record::TrialRow| {
            (row.trial_id.clone(), row.strategy.clone(), row.rate_per_s.unwrap())
        };
        rows.map(of).collect()
    };
    assert!(searched(&whole).len() >= 2, "{text}");
    let calibration = std::fs::read(out.join("calibration.csv")).unwrap();
    // As if it had been killed during the last trial of the search.
    let kept = text.trim_end().rfind('\n').unwrap() + 1;
    std::fs::write(&path, &text[..kept]).unwrap();
    let output = resume(&out).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(std::fs::read(out.join("calibration.csv")).unwrap(), calibration);
    let now = std::fs::read_to_string(&path).unwrap();
    assert_eq!(now[..kept], text[..kept]);
    let resumed = record::read(&out).unwrap();
    assert_eq!(resumed.remarks, [""; 0]);
    assert_eq!(searched(&resumed), searched(&whole));
}

#[test]
fn a_run_that_somebody_writes_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let out = small_run(dir.path());
    let path = out.join("trials.csv");
    let text = std::fs::read(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 9]).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    file.lock().unwrap();
    let output = resume(&out).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("another process"), "{}", said(&output));
    drop(file);
    assert!(resume(&out).status().unwrap().success());
}

#[test]
fn resuming_takes_no_other_say_in_what_is_measured() {
    for more in [["--blocks", "3"], ["--seed", "1"], ["--preset", "quick"], ["--budget", "5m"]] {
        let output = Command::new(FORKBENCH)
            .args(["run", "--resume", "nowhere"])
            .args(more)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains("cannot be used with"), "{}", said(&output));
    }
}

const HELD: &str = r#"
name = "held"
question = "Are the looks of a trial that was cut short kept apart?"
[[family]]
workload = "noop"
strategy = ["pool"]
load = { memory = { children = [1] } }
"#;

#[test]
fn looks_of_a_memory_trial_that_was_cut_short_are_of_an_attempt_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let toml = dir.path().join("held.toml");
    std::fs::write(&toml, HELD).unwrap();
    let out = dir.path().join("out");
    let mut command = Command::new(FORKBENCH);
    command.args(["run", "--quiet", "--preset", "smoke", "--budget", "10m", "--out"]);
    command.arg(&out).arg(&toml);
    let output = quiet(command, &out).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    // As if it had been killed between the looks of its last trial and the trial's own row.
    let path = out.join("trials.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let kept = text.trim_end().rfind('\n').unwrap() + 1;
    std::fs::write(&path, &text[..kept]).unwrap();
    let before = record::read(&out).unwrap();
    let cut_short = before.memory.last().unwrap().clone();
    let output = resume(&out).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let run = record::read(&out).unwrap();
    assert_eq!(run.remarks, [""; 0]);
    assert_eq!(run.memory[..before.memory.len()], before.memory[..]);
    let of_trial = run.memory.iter().filter(|row| row.trial_id == cut_short.trial_id);
    let attempts: BTreeSet<u32> = of_trial.map(|row| row.attempt).collect();
    assert_eq!(attempts.len(), 2, "{attempts:?}");
}
