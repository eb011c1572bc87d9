//! An invented run: three families of eleven arms in six blocks, with an arm that
//! fails, arms that are skipped for hostile reasons, and a plan that was not finished.

use std::collections::BTreeMap;

use crate::record::{
    Environment, Manifest, Placement, PlanRow, Regime, Role, Run, SCHEMA_VERSION, Status, Timing,
    TrialRow,
};
use crate::strategy;

use crate::analysis::{Analysis, cores};
use crate::report::Rendered;
use crate::report::charts::{self, Charts};

pub(crate) mod open;

const BLOCKS: u32 = 6;
const US: f64 = 1_000.0;

/// What a reason may contain when a program under test writes it.
pub(crate) const HOSTILE: &str = "<script>alert(\"1\")</script> & more";

/// The requests of a trial: skewed, with a tail, as many as the row says; the same ones every time.
/// Those of the last usable trial cannot be read.
pub(crate) fn requests(run: &Run) -> impl Fn(&str) -> Result<Vec<Timing>, String> {
    let answered = |row: &&TrialRow| row.status == Status::Ok;
    let last = run.trials.iter().rfind(answered).map(|row| row.trial_id.clone());
    let rows: BTreeMap<String, (u64, u64)> = run
        .trials
        .iter()
        .filter_map(|row| Some((row.trial_id.clone(), (row.response_p50_ns?, row.n_ok))))
        .collect();
    move |trial_id| {
        if Some(trial_id) == last.as_deref() {
            return Err(format!("requests/{trial_id}.csv.zst: {HOSTILE}"));
        }
        let (p50_ns, n) = rows.get(trial_id).ok_or("no such trial")?;
        let timing = |i: u64| {
            let place = (i as f64 + 0.5) / *n as f64;
            let spread = 0.7 + 0.3 * place / 0.5 + 0.02 / (1.0 - place);
            Timing {
                response_ns: (*p50_ns as f64 * spread / 1.04) as u64,
                service_ns: None,
                is_ok: true,
                weight: 1.0,
            }
        };
        Ok((0..*n).map(timing).collect())
    }
}

/// Everything that is written of a run with these requests.
pub(crate) fn render(run: &Run) -> Rendered {
    crate::report::render(&Analysis::of(run, &[], &requests(run)), None)
}

/// What a terminal shows of a run.
pub(crate) fn terminal(run: &Run, width: usize) -> String {
    crate::report::terminal(&Analysis::of_rows(run), None, width)
}

/// The run as JSON.
pub(crate) fn json(run: &Run) -> serde_json::Value {
    crate::report::json(&Analysis::of_rows(run))
}

/// The charts of a run with these requests.
pub(in crate::report) fn charts(run: &Run) -> Charts {
    let Analysis { summary, families, distributions, .. } = Analysis::of(run, &[], &requests(run));
    charts::of_run(&summary, &families, &distributions, cores(run))
}

/// The same run with enough blocks for verdicts.
pub(crate) fn standard() -> Run {
    let mut run = run();
    let (plan, trials) = (run.plan.clone(), run.trials.clone());
    for (row, planned) in trials.iter().zip(&plan) {
        let shifted = |id: &str| format!("{id}b");
        run.plan.push(PlanRow {
            trial_id: shifted(&planned.trial_id),
            block: planned.block + BLOCKS,
            ..planned.clone()
        });
        run.trials.push(TrialRow {
            trial_id: shifted(&row.trial_id),
            block: row.block + BLOCKS,
            ..row.clone()
        });
    }
    run.manifest.preset = "standard".to_owned();
    run.manifest.blocks = 2 * BLOCKS;
    run
}

struct Sketch {
    id: &'static str,
    workload: &'static str,
    size: &'static str,
    runtime: &'static str,
    payload_bytes: u64,
    work_us: f64,
    /// Of starting a program in this runtime.
    start_us: f64,
    requests: u64,
}

const FAMILIES: [Sketch; 3] = [
    Sketch {
        id: "noop-64B-rust-closed4",
        workload: "noop",
        size: "",
        runtime: "rust",
        payload_bytes: 64,
        work_us: 0.4,
        start_us: 420.0,
        requests: 4000,
    },
    Sketch {
        id: "primes-m-rust-closed4",
        workload: "primes",
        size: "m",
        runtime: "rust",
        payload_bytes: 0,
        work_us: 2_900.0,
        start_us: 430.0,
        requests: 140,
    },
    Sketch {
        id: "random-sum-s-node-closed4",
        workload: "random-sum",
        size: "s",
        runtime: "node",
        payload_bytes: 0,
        work_us: 160.0,
        start_us: 38_000.0,
        requests: 60,
    },
];

/// The run; the same one every time.
pub(crate) fn run() -> Run {
    let mut plan = Vec::new();
    let mut trials = Vec::new();
    for block in 1..=BLOCKS {
        for sketch in &FAMILIES {
            for (position, (role, name)) in (1..).zip(arms()) {
                let trial_id = format!("t{:04}", plan.len() + 1);
                let row = trial(sketch, &trial_id, role, name, block, position);
                plan.push(PlanRow {
                    trial_id,
                    family_id: row.family_id.clone(),
                    block,
                    position,
                    role: Role::by_name(role).unwrap(),
                    strategy: name.to_owned(),
                    options: row.options.clone(),
                    seed: 7,
                    ..PlanRow::default()
                });
                let unfinished = sketch.runtime == "node" && block == BLOCKS && position > 4;
                if !unfinished {
                    trials.push(row);
                }
            }
        }
    }
    Run {
        manifest: manifest(),
        environment: environment(),
        plan,
        trials,
        memory: Vec::new(),
        facts: Vec::new(),
        remarks: vec!["trials.csv line 196: torn last line dropped".to_owned()],
    }
}

fn arms() -> Vec<(&'static str, &'static str)> {
    let mut arms = vec![("reference", "blocking"), ("placebo", "blocking")];
    arms.extend(strategy::ALL.iter().skip(1).map(|kind| ("arm", kind.name)));
    arms
}

fn trial(
    sketch: &Sketch,
    trial_id: &str,
    role: &str,
    name: &str,
    block: u32,
    position: u32,
) -> TrialRow {
    let mut row = TrialRow {
        run_id: "sample".to_owned(),
        trial_id: trial_id.to_owned(),
        attempt: 1,
        family_id: sketch.id.to_owned(),
        block,
        position,
        role: Role::by_name(role).unwrap(),
        runtime: sketch.runtime.to_owned(),
        workload: sketch.workload.to_owned(),
        size: sketch.size.to_owned(),
        strategy: name.to_owned(),
        options: if name.contains("pool") { "workers=2" } else { "" }.to_owned(),
        regime: Regime::Closed,
        callers: Some(4),
        payload_bytes: sketch.payload_bytes,
        placement: Placement::Unpinned,
        status: Status::Ok,
        window_ns: Some(200_000_000),
        ..TrialRow::default()
    };
    match (sketch.runtime, name) {
        ("node", "fork") => skip(&mut row, "Node.js cannot fork(2)"),
        ("node", "prefork-pool") => skip(&mut row, HOSTILE),
        ("rust", "exec") if sketch.workload == "primes" && block.is_multiple_of(2) => {
            fail(&mut row)
        }
        _ => fill(&mut row, sketch, block, position),
    }
    row
}

fn skip(row: &mut TrialRow, why: &str) {
    row.status = Status::Skipped;
    row.reason = why.to_owned();
}

fn fail(row: &mut TrialRow) {
    row.status = Status::Failed;
    row.reason = "subject exited with 134 before STATS; last line of stderr: `aborted`".to_owned();
    row.n_ok = 11;
    row.n_crash = 2;
}

/// Phases by strategy, from which the rest follows.
fn fill(row: &mut TrialRow, sketch: &Sketch, block: u32, position: u32) {
    let drift = 1.0 + 0.02 * f64::from(block);
    let jitter = 1.0 + 0.01 * f64::from((block * block * 7 + position * 13 + block * position) % 7);
    let pace = drift * jitter;
    let (creation_us, load_us, back_us, cores): (f64, f64, f64, f64) = match row.strategy.as_str() {
        "blocking" => (0.3, 0.0, 1.1, 1.0),
        "thread" => (38.0, 0.0, 9.0, 1.9),
        "thread-pool" => (9.0, 0.0, 8.0, 1.95),
        "spawn" | "exec-file" => (sketch.start_us, 30.0, 60.0, 1.7),
        "exec" => (sketch.start_us * 2.1, 30.0, 64.0, 1.6),
        "fork-ipc" => (sketch.start_us * 1.2, 30.0, 80.0, 1.7),
        "fork" => (190.0, 0.0, 40.0, 1.8),
        _ => (14.0, 0.0, 16.0, 1.9),
    };
    let alone_us = creation_us + load_us + sketch.work_us * cores.min(1.4) + back_us + 12.0;
    let queue_us = alone_us * (4.0 / cores - 1.0) * 0.6;
    let ns = |us: f64| Some((us * pace * US) as u64);
    let service_us = alone_us - 12.0 + queue_us;
    row.transport_p50_ns = ns(26.0);
    row.queue_p50_ns = ns(queue_us);
    row.creation_p50_ns = ns(creation_us);
    row.load_p50_ns = ns(load_us);
    row.work_p50_ns = ns(sketch.work_us * cores.min(1.4));
    row.return_p50_ns = ns(back_us);
    row.delivery_p50_ns = ns(3.0);
    let kind = strategy::by_name(&row.strategy);
    row.reap_p50_ns = ns(45.0).filter(|_| creation_us > 100.0 && kind.is_some());
    row.service_p50_ns = ns(service_us);
    row.response_p50_ns = ns(service_us + 26.0);
    if sketch.requests >= 100 {
        row.service_p90_ns = ns(service_us * 1.3);
        row.response_p90_ns = ns((service_us + 26.0) * 1.35);
    }
    if sketch.requests >= 1_000 {
        row.service_p99_ns = ns(service_us * 2.2);
        row.response_p99_ns = ns((service_us + 26.0) * 2.6);
    }
    row.throughput_per_s = Some(4e6 / ((service_us + 26.0) * pace));
    row.ready_ns = ns(900.0 + sketch.start_us);
    row.first_response_ns = ns(alone_us * 1.8);
    row.n_ok = sketch.requests;
    row.checksum = "00000000deadbeef".to_owned();
}

fn manifest() -> Manifest {
    Manifest {
        schema_version: SCHEMA_VERSION,
        run_id: "sample".to_owned(),
        forkbench_version: "0.1.0".to_owned(),
        git_revision: "0123456789ab".to_owned(),
        arguments: ["run", "main", "--preset", "quick"].map(str::to_owned).to_vec(),
        experiment: "main".to_owned(),
        question: "How should CPU-heavy work be run on this machine?".to_owned(),
        reference: "blocking".to_owned(),
        preset: "quick".to_owned(),
        blocks: BLOCKS,
        budget_ns: Some(240_000_000_000),
        seed: 7,
        started_utc: "2026-11-20T10:00:00Z".to_owned(),
        windows: None,
        delta_ratio: 0.03,
        memory_budget_bytes: None,
        claims: None,
    }
}

fn environment() -> Environment {
    let facts = [
        ("cpu_model", serde_json::json!("Example CPU @ 2.10GHz")),
        ("cpus_available", serde_json::json!(2)),
        ("kernel_release", serde_json::json!("6.1.0")),
        ("memory_total_bytes", serde_json::json!(8_589_934_592_u64)),
    ];
    Environment {
        facts: facts.map(|(k, v)| (k.to_owned(), v)).into_iter().collect(),
        unavailable: [("cgroup_v2".to_owned(), "no cgroup v2 is mounted".to_owned())].into(),
    }
}
