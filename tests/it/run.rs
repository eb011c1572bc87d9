//! The program as a whole: a run from experiment to page, rebuilt from its files, interrupted,
//! refused.
use forkbench::record::{Regime, Status};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::{FORKBENCH, processes_with};
use forkbench::record;
use forkbench::strategy;

fn forkbench(args: &[&str], dir: &Path) -> Output {
    Command::new(FORKBENCH).args(args).current_dir(dir).stdin(Stdio::null()).output().unwrap()
}

fn smoke(dir: &Path, experiment: &str, more: &[&str]) -> (Output, PathBuf) {
    let out = dir.join("out");
    let args = ["run", experiment, "--preset", "smoke", "--out", out.to_str().unwrap()];
    let output = forkbench(&[&args[..], more].concat(), dir);
    (output, out)
}

/// Every file that is derived from the raw ones, with its bytes.
fn derived(out: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let raw = [
        "manifest.json",
        "env.json",
        "experiment.toml",
        "datapackage.json",
        "plan.csv",
        "noise.csv",
        "trials.csv",
        "calibration.csv",
        "memory.csv",
        "facts.csv",
    ];
    let mut files = BTreeMap::new();
    for dir in [out.to_owned(), out.join("charts")] {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_file() && !raw.contains(&name) {
                files.insert(path.clone(), std::fs::read(path).unwrap());
            }
        }
    }
    files
}

#[test]
fn the_main_experiment_runs_every_strategy_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (output, out) = smoke(dir.path(), "main", &["--budget", "10m", "--filter", "runtime=rust"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let run = record::read(&out).unwrap();
    assert_eq!(run.remarks, [""; 0]);
    assert_eq!(run.trials.len(), run.plan.len());
    for row in &run.trials {
        let name = format!("{} {}", row.family_id, row.strategy);
        assert_eq!(row.flags, "", "{name}: something was left behind");
        if row.regime == Regime::Memory {
            let has_children = row.strategy != "blocking";
            let status = if has_children { "ok" } else { "skipped" };
            assert_eq!(row.status.name(), status, "{name}: {}", row.reason);
            continue;
        }
        assert_eq!((row.status.name(), row.reason.as_str()), ("ok", ""), "{name}");
        assert!(row.n_ok > 0 && row.window_ns.unwrap() > 0, "{name}");
        let kept = record::read_timings(&out, &row.trial_id).unwrap();
        assert!(!kept.is_empty(), "{name}");
    }
    let ran: BTreeSet<&str> = run.trials.iter().map(|row| row.strategy.as_str()).collect();
    assert_eq!(ran, strategy::ALL.iter().map(|kind| kind.name).collect());
    // One right answer per family, whatever the strategy.
    let mut checksums: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in run.trials.iter().filter(|row| row.status == Status::Ok) {
        checksums.entry(&row.family_id).or_default().insert(&row.checksum);
    }
    assert!(checksums.values().all(|sums| sums.len() == 1 && !sums.contains("")), "{checksums:?}");
    // What else the machine did is known of every trial, and in between.
    let known = |row: &record::TrialRow| {
        row.status == Status::Skipped || row.noise_label.is_some() && row.noise_span_ns.is_some()
    };
    assert!(run.trials.iter().all(known));
    let (noise, remarks) = record::read_noise(&out);
    assert_eq!(remarks, [""; 0]);
    assert!(!noise.is_empty());
    // Nothing of it runs on, nothing of it is in the way.
    assert_eq!(processes_with(out.to_str().unwrap()), [""; 0]);
    assert!(!out.join("scratch").exists());
    check_that_the_report_is_made_again_from_raw_files(&out, dir.path());
}

/// The page and all else is a function of the raw files.
fn check_that_the_report_is_made_again_from_raw_files(out: &Path, dir: &Path) {
    let before = derived(out);
    assert!(before.len() > 3, "{:?}", before.keys());
    for path in before.keys() {
        std::fs::remove_file(path).unwrap();
    }
    let output = forkbench(&["report", out.to_str().unwrap()], dir);
    assert!(output.status.success());
    let after = derived(out);
    assert!(before.keys().eq(after.keys()), "{:?}, before {:?}", after.keys(), before.keys());
    for (path, bytes) in &before {
        assert!(after[path] == *bytes, "{} was rebuilt differently", path.display());
    }
}

#[test]
fn the_phases_of_a_request_add_up_to_its_response() {
    let dir = tempfile::tempdir().unwrap();
    let (output, out) = smoke(dir.path(), "main", &["--filter", "workload=noop"]);
    assert!(output.status.success());
    for row in record::read(&out).unwrap().trials {
        let packed = std::fs::File::open(out.join(format!("requests/{}.csv.zst", row.trial_id)));
        let text = String::from_utf8(zstd::decode_all(packed.unwrap()).unwrap()).unwrap();
        let of_trial = format!(",{},{}", row.trial_id, row.attempt);
        assert!(text.lines().skip(1).all(|line| line.ends_with(&of_trial)), "{}", row.trial_id);
        for request in csv::Reader::from_reader(text.as_bytes()).deserialize() {
            let request: record::RequestRow = request.unwrap();
            let stamps = [
                Some(request.intended_ns),
                Some(request.sent_ns),
                request.accepted_ns,
                request.dispatched_ns,
                request.child_start_ns,
                request.work_start_ns,
                request.work_end_ns,
                request.replied_ns,
                Some(request.done_ns),
            ];
            // Ordered and complete, so that the phases sum to the whole without remainder.
            assert!(stamps.iter().all(Option::is_some), "{}: {request:?}", row.strategy);
            assert!(stamps.is_sorted(), "{}: {request:?}", row.strategy);
            let between = |from: Option<u64>, to: Option<u64>| to.unwrap() - from.unwrap();
            let phases = [
                request.sent_ns - request.intended_ns,
                request.transport_ns().unwrap(),
                request.queue_ns().unwrap(),
                between(request.dispatched_ns, request.replied_ns),
                request.delivery_ns().unwrap(),
            ];
            let sum: u64 = phases.iter().sum();
            assert_eq!(sum, request.response_ns(), "{}: {request:?}", row.strategy);
            assert!(request.transport_out_ns <= row.idle_outbound_ns, "{}", row.strategy);
            assert!(request.transport_in_ns <= row.idle_inbound_ns, "{}", row.strategy);
        }
    }
}

#[test]
fn ctrl_c_keeps_what_was_measured_and_ends_every_process() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let mut child = Command::new(FORKBENCH)
        .args(["run", "main", "--preset", "standard", "--filter", "workload=noop"])
        // A seed that no other run has tells this run's processes from all others'.
        .args(["--seed", "7310583922", "--out", out.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A first row on disk: the run is under way, with nine more of its strategies to go.
    let trials = out.join("trials.csv");
    let rows = || std::fs::read_to_string(&trials).map_or(0, |text| text.lines().count());
    while rows() < 2 {
        assert_eq!(child.try_wait().unwrap(), None, "ended before it was interrupted");
        std::thread::yield_now();
    }
    let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("interrupted"), "{said}");
    let run = record::read(&out).unwrap();
    assert!(!run.trials.is_empty() && run.trials.len() < run.plan.len());
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.to_lowercase().contains("partial"), "the page does not say that it is partial");
    assert_eq!(processes_with("noop m 7310583922 64"), [""; 0]);
}

#[test]
fn a_run_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let (output, _) = smoke(dir.path(), "main", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("never overwritten"));
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0);
}

#[test]
fn a_missing_subject_says_how_to_build_it() {
    let dir = tempfile::tempdir().unwrap();
    let alone = dir.path().join("forkbench");
    std::fs::copy(FORKBENCH, &alone).unwrap();
    let output = Command::new(alone)
        .args(["run", "--preset", "smoke", "--out", "out"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("forkbench-subject") && said.contains("cargo build"), "{said}");
    assert!(!dir.path().join("out").exists());
}

#[test]
fn a_budget_drops_whole_blocks_of_every_family() {
    let dir = tempfile::tempdir().unwrap();
    let more = [
        "--blocks",
        "500",
        "--budget",
        "2s",
        "--filter",
        "strategy=pool",
        "--filter",
        "workload=noop",
    ];
    let (output, out) = smoke(dir.path(), "main", &more);
    assert!(output.status.success());
    let run = record::read(&out).unwrap();
    assert!(run.trials.len() < run.plan.len());
    let count = |trials: &[(&str, u32)]| {
        let mut blocks: BTreeMap<(String, u32), usize> = BTreeMap::new();
        for (family, block) in trials {
            *blocks.entry(((*family).to_owned(), *block)).or_default() += 1;
        }
        blocks
    };
    let of_plan: Vec<_> = run.plan.iter().map(|p| (p.family_id.as_str(), p.block)).collect();
    let of_rows: Vec<_> = run.trials.iter().map(|t| (t.family_id.as_str(), t.block)).collect();
    let (planned, ran) = (count(&of_plan), count(&of_rows));
    let mut lasts: BTreeMap<&str, u32> = BTreeMap::new();
    for ((family, block), trials) in &ran {
        assert_eq!(*trials, planned[&(family.clone(), *block)], "half a block");
        lasts.insert(family, *block);
    }
    let (fewest, most) = (lasts.values().min().unwrap(), lasts.values().max().unwrap());
    assert!(most - fewest <= 1, "no family is one more block ahead: {lasts:?}");
}
