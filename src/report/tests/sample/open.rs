//! Invented open loops: a load at five rates with a search, heavy requests with probes of
//! both kinds, an arm that fails everywhere, and the machine's noise.

use crate::analysis::Analysis;
use crate::record::{
    NoiseLabel, NoiseRow, Placement, Regime, Role, Run, Status, TrialRow, Validity,
};

const BLOCKS: u32 = 6;
const MS: u64 = 1_000_000;
/// What `blocking` answers.
const CAPACITY: f64 = 200.0;

/// Reference, placebo, and three that keep up with one, two and no load at all.
const ARMS: [(&str, &str, f64); 5] = [
    ("reference", "blocking", 1.0),
    ("placebo", "blocking", 1.0),
    ("arm", "thread", 1.8),
    ("arm", "pool", 1.9),
    ("arm", "fork", 0.0),
];

/// The run; the same one every time.
pub(crate) fn run() -> Run {
    let mut run = super::run();
    run.trials.clear();
    run.plan.clear();
    run.remarks.clear();
    let mut id = 0;
    for block in 1..=BLOCKS {
        for (role, name, capacity) in ARMS {
            for share in [0.2, 0.5, 0.8, 0.95, 1.1] {
                id += 1;
                let row = base(id, block, role, name, "open", share);
                run.trials.push(loaded(row, capacity));
            }
            for probe in ["main-loop", "strategy"] {
                id += 1;
                let row = base(id, block, role, name, "open", 0.8);
                run.trials.push(probed(row, capacity, probe));
            }
        }
    }
    for (step, share) in (1..).zip([1.5, 2.0, 1.75]) {
        let row = base(9_000 + step, step, "arm", "pool", "search", share);
        run.trials.push(loaded(row, 1.9));
    }
    run
}

fn base(id: u32, block: u32, role: &str, name: &str, regime: &str, share: f64) -> TrialRow {
    TrialRow {
        run_id: "sample".into(),
        trial_id: format!("o{id:04}"),
        attempt: 1,
        family_id: format!("random-sum-m-rust-{regime}{share}cap"),
        block,
        position: 1,
        role: Role::by_name(role).unwrap(),
        runtime: "rust".into(),
        workload: "random-sum".into(),
        size: "m".into(),
        strategy: name.into(),
        regime: Regime::by_name(regime).unwrap(),
        placement: Placement::Unpinned,
        status: Status::Ok,
        validity: Validity::Valid,
        window_ns: Some(4_000 * MS),
        rate_per_s: Some(share * CAPACITY),
        rate_of_capacity: Some(share),
        capacity_per_s: Some(CAPACITY),
        arrivals: "poisson".into(),
        slo: "p99<50ms".into(),
        noise_label: Some(if block == 2 { NoiseLabel::Disturbed } else { NoiseLabel::Quiet }),
        noise_foreign_cpu_ratio: Some(0.004 * f64::from(block)),
        ..TrialRow::default()
    }
}

/// A queue's figures, roughly: what matters is that they are told apart.
fn loaded(mut row: TrialRow, capacity: f64) -> TrialRow {
    let share = row.rate_of_capacity.unwrap_or(1.0);
    if capacity <= 0.0 {
        row.status = Status::Failed;
        row.validity = Validity::Invalid;
        row.reason = format!("subject exited with 1; {}", super::HOSTILE);
        return row;
    }
    let busy = (share / capacity).min(0.98);
    let offered = (share * CAPACITY * 4.0) as u64;
    let saturated = share > capacity;
    let wait_ms = 5.0 * busy / (1.0 - busy);
    let jitter = 1.0 + 0.01 * f64::from(row.block);
    row.n_offered = Some(offered);
    row.n_ok = offered;
    row.n_served = Some(offered);
    row.n_in_time = Some(if busy > 0.85 { offered / 2 } else { offered });
    row.n_unanswered = Some(if saturated { 7 } else { 0 });
    row.n_rejected_by_driver = Some(0);
    row.saturated = Some(saturated.into());
    row.throughput_per_s = Some(share.min(capacity) * CAPACITY * jitter);
    row.achieved_rate_per_s = Some(share * CAPACITY * 1.004);
    row.littles_law_ratio = Some(1.0);
    row.lateness_p99_ns = Some(80_000);
    row.response_p50_ns = Some(((5.0 + wait_ms) * jitter * MS as f64) as u64);
    row.service_p50_ns = row.response_p50_ns;
    row.window_cpu_ns = Some(offered * 5 * MS + offered * MS / 4);
    row.cpu_user_ns = Some(offered * 5 * MS);
    row.cpu_system_ns = Some(offered * MS / 4);
    row.work_p50_ns = Some(5 * MS);
    row
}

fn probed(row: TrialRow, capacity: f64, probe: &str) -> TrialRow {
    let mut row = loaded(row, capacity);
    row.family_id = format!("random-sum-m-rust-open0.8cap-{probe}");
    row.probe = probe.into();
    if row.status != Status::Ok {
        return row;
    }
    let waits = row.strategy == "blocking";
    let ns = |quiet: u64, busy: u64| Some(if waits { busy } else { quiet } * MS / 10);
    row.n_probes = Some(400);
    row.n_probes_failed = Some(0);
    row.probe_p50_ns = ns(2, 400);
    row.probe_p95_ns = ns(5, 2_000);
    row.probe_max_ns = ns(30, 4_000 + u64::from(row.block));
    row.probe_over_100ms_ratio = Some(if waits { 0.25 } else { 0.0 });
    row.probe_over_1s_ratio = Some(0.0);
    row.probe_gap_max_ns = ns(200, 4_100);
    row.probe_unloaded_p50_ns = Some(MS / 10);
    row.probe_unloaded_p95_ns = Some(MS / 5);
    row.probe_unloaded_max_ns = Some(MS);
    row
}

/// A hundred tenths of a second during the run's first trials.
pub(crate) fn noise(run: &Run) -> Vec<NoiseRow> {
    (0..100_u64)
        .map(|i| NoiseRow {
            run_id: "sample".into(),
            t_ns: 1_000 + (i + 1) * 100 * MS,
            interval_ns: 100 * MS,
            trial_id: run.trials[i as usize].trial_id.clone(),
            cpus: 2,
            busy_ns: Some(100 * MS),
            idle_ns: Some(100 * MS),
            steal_ns: Some(if i == 40 { 20 * MS } else { 0 }),
            vm_pause_ns: (i != 50).then_some(i * MS / 10),
            ..NoiseRow::default()
        })
        .collect()
}

/// What the page of this run is made from.
pub(crate) fn render(run: &Run) -> super::Rendered {
    crate::report::render(&Analysis::of(run, &noise(run), &super::requests(run)), None)
}
