//! A large run is analysed within bounds. Not part of the suite: it writes a run of a thousand
//! trials with ten million requests, and says how long its report takes.
use std::fs;
use std::path::Path;
use std::process::Command;

use forkbench::protocol::Outcome;
use forkbench::record::{
    Environment, Manifest, Placement, PlanRow, Regime, RequestRow, Role, RunDir, SCHEMA_VERSION,
    Status, TrialRow, Validity,
};
use forkbench::sys::clock::now_ns;
use forkbench::{strategy, workload};

const FAMILIES: usize = 5;
const BLOCKS: u32 = 20;
const REQUESTS: u64 = 10_000;

/// More address space than this and the program is ended, so that it cannot have used more memory.
const LIMIT_KIB: u64 = 512 * 1024;

#[test]
#[ignore = "ten million requests; prints a figure: cargo test --release --test analysis_size -- \
            --ignored --nocapture"]
fn a_thousand_trials_with_ten_million_requests() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("run");
    let trials = write_run(&dir);
    let begin_ns = now_ns();
    let report = Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -v {LIMIT_KIB}; exec \"$0\" report \"$1\""))
        .arg(env!("CARGO_BIN_EXE_forkbench"))
        .arg(&dir)
        .output()
        .unwrap();
    let elapsed_ns = now_ns() - begin_ns;
    let stderr = String::from_utf8_lossy(&report.stderr);
    assert!(report.status.success(), "{stderr}");
    assert!(stderr.is_empty(), "{stderr}");
    let html = fs::read_to_string(dir.join("report.html")).unwrap();
    assert!(!html.contains("could not be read"));
    println!(
        "{trials} trials with {} requests: report in {:.1} s within {} MiB of address space",
        trials * REQUESTS,
        elapsed_ns as f64 / 1e9,
        LIMIT_KIB / 1024
    );
}

/// Writes the run and returns its number of trials. All trials have the same requests, which are
/// one file under many names.
fn write_run(dir: &Path) -> u64 {
    let rows = trials();
    let plan: Vec<PlanRow> = rows.iter().map(planned).collect();
    let manifest = Manifest {
        schema_version: SCHEMA_VERSION,
        run_id: "large".to_owned(),
        forkbench_version: "0".to_owned(),
        git_revision: String::new(),
        arguments: Vec::new(),
        experiment: "large".to_owned(),
        question: "How long does a large report take?".to_owned(),
        reference: "blocking".to_owned(),
        preset: "standard".to_owned(),
        blocks: BLOCKS,
        budget_ns: None,
        seed: 1,
        started_utc: "2026-11-20T10:00:00Z".to_owned(),
        windows: None,
        delta_ratio: 0.03,
        memory_budget_bytes: None,
        claims: None,
    };
    let environment = Environment::default();
    let mut run = RunDir::create(dir, &manifest, &environment, "", &plan).unwrap();
    run.write_requests(&TrialRow { trial_id: "t0".to_owned(), ..TrialRow::default() }, &requests())
        .unwrap();
    for row in &rows {
        run.append_trial(row).unwrap();
        let name = |id: &str| dir.join(format!("requests/{id}.csv.zst"));
        fs::hard_link(name("t0"), name(&row.trial_id)).unwrap();
    }
    run.finish().unwrap();
    rows.len() as u64
}

fn planned(row: &TrialRow) -> PlanRow {
    PlanRow {
        trial_id: row.trial_id.clone(),
        family_id: row.family_id.clone(),
        block: row.block,
        position: row.position,
        role: row.role,
        strategy: row.strategy.clone(),
        options: row.options.clone(),
        seed: row.seed,
        ..PlanRow::default()
    }
}

/// Five families of ten arms in twenty blocks.
fn trials() -> Vec<TrialRow> {
    let mut rows = Vec::new();
    for block in 1..=BLOCKS {
        for family in 0..FAMILIES {
            let roles = ["reference", "placebo"].into_iter().chain(["arm"; 8]);
            let names = ["blocking"].into_iter().chain(strategy::ALL.iter().map(|kind| kind.name));
            for (position, (role, name)) in (1_u32..).zip(roles.zip(names)) {
                let p50_ns = u64::from(50_000 + position * 1_000 + block * position % 7 * 300);
                rows.push(TrialRow {
                    run_id: "large".to_owned(),
                    trial_id: format!("t{}", rows.len() + 1),
                    attempt: 1,
                    family_id: format!("family{family}"),
                    block,
                    position,
                    role: Role::by_name(role).unwrap(),
                    runtime: "rust".to_owned(),
                    workload: workload::ALL[0].name().to_owned(),
                    size: "m".to_owned(),
                    strategy: name.to_owned(),
                    regime: Regime::Closed,
                    callers: Some(1),
                    placement: Placement::Unpinned,
                    started_utc: "2026-11-20T10:00:00Z".to_owned(),
                    status: Status::Ok,
                    validity: Validity::Valid,
                    n_ok: REQUESTS,
                    throughput_per_s: Some(1e9 / p50_ns as f64),
                    response_p50_ns: Some(p50_ns),
                    response_p90_ns: Some(p50_ns * 2),
                    response_p99_ns: Some(p50_ns * 4),
                    service_p50_ns: Some(p50_ns / 2),
                    ..TrialRow::default()
                });
            }
        }
    }
    rows
}

/// With stamps as long as real ones.
fn requests() -> Vec<RequestRow> {
    let begin_ns = 5_123_456_789_012_345_u64;
    (0..REQUESTS)
        .map(|id| {
            let sent_ns = begin_ns + id * 60_000 + id * id % 977;
            let work_ns = 20_000 + id * 7_919 % 30_000;
            let at = |ns: u64| Some(sent_ns + ns);
            RequestRow {
                id,
                intended_ns: sent_ns - 100,
                sent_ns,
                accepted_ns: at(9_000),
                dispatched_ns: at(9_500),
                child_start_ns: at(12_000),
                work_start_ns: at(12_100),
                work_end_ns: at(12_100 + work_ns),
                replied_ns: at(13_000 + work_ns),
                done_ns: sent_ns + 25_000 + work_ns,
                reaped_ns: None,
                outcome: Some(Outcome::Ok),
                child_pid: Some(12_345),
                weight: 1.0,
                ..RequestRow::default()
            }
        })
        .collect()
}
