//! Invented memory trials: trees whose slopes and intercepts are known.

use crate::record::{
    MemoryRow, Phase, Placement, PlanRow, ProcessRole, Regime, Role, Run, Status, TrialRow,
    Validity,
};

use super::sample;

/// Numbers of children.
pub(crate) const CHILDREN: [u32; 8] = [0, 1, 2, 4, 8, 10, 32, 100];

const BLOCKS: u32 = 6;

/// A strategy that is to have this line.
pub(crate) struct Priced {
    pub(crate) strategy: &'static str,
    pub(crate) once_bytes: u64,
    pub(crate) each_bytes: u64,
    is_pool: bool,
}

const fn priced(strategy: &'static str, once_bytes: u64, each_bytes: u64, is_pool: bool) -> Priced {
    Priced { strategy, once_bytes, each_bytes, is_pool }
}

/// Every strategy but `blocking`, which has no children.
pub(crate) const PRICED: [Priced; 9] = [
    priced("thread", 2_100_000, 22_000, false),
    priced("thread-pool", 2_100_000, 18_000, true),
    priced("spawn", 2_400_000, 180_000, false),
    priced("exec", 3_500_000, 340_000, false),
    priced("exec-file", 2_400_000, 182_000, false),
    priced("fork-ipc", 2_500_000, 240_000, false),
    priced("fork", 2_600_000, 96_000, false),
    priced("pool", 2_500_000, 250_000, true),
    priced("prefork-pool", 2_700_000, 110_000, true),
];

/// What each worker grows by from phase to phase.
pub(crate) const GROWTH_BYTES: u64 = 10_000;

/// Kernel memory apart from page tables, once and for each child.
pub(crate) const KERNEL_ONCE_BYTES: u64 = 400_000;
pub(crate) const KERNEL_EACH_BYTES: u64 = 90_000;

/// The run of [`sample::run`] with memory trials; the same one every time.
pub(crate) fn run() -> Run {
    let mut run = sample::run();
    add(&mut run, 0);
    run
}

/// Memory trials alone, without and with ballast.
pub(crate) fn alone() -> Run {
    let mut run = sample::run();
    run.plan.clear();
    run.trials.clear();
    run.remarks.clear();
    run.manifest.experiment = "memory".to_owned();
    run.manifest.question = "What does each further child cost in memory?".to_owned();
    for ballast_mib in [0, 256] {
        add(&mut run, ballast_mib);
    }
    run
}

fn add(run: &mut Run, ballast_mib: u64) {
    for block in 1..=BLOCKS {
        for k in CHILDREN {
            add_blocking(run, ballast_mib, block, k);
            for priced in &PRICED {
                add_trial(run, ballast_mib, block, k, priced);
            }
        }
    }
}

fn head(run: &mut Run, ballast_mib: u64, block: u32, k: u32, strategy: &str) -> MemoryRow {
    let ballast = match ballast_mib {
        0 => String::new(),
        mib => format!("-ballast{mib}MiB"),
    };
    let is_pool = strategy.ends_with("pool");
    let options = match is_pool {
        true => format!("queue=64;workers={k}"),
        false => String::new(),
    };
    let row = MemoryRow {
        run_id: run.manifest.run_id.clone(),
        trial_id: format!("m{:05}", run.plan.len() + 1),
        snapshot: 1,
        k,
        runtime: "rust".to_owned(),
        strategy: strategy.to_owned(),
        role: ProcessRole::Tree,
        pid: 100,
        status: Status::Ok,
        attempt: 1,
        family_id: format!("hold-rust-memory{k}{ballast}"),
        block,
        trial_role: if strategy == "blocking" { Role::Reference } else { Role::Arm },
        workload: "hold".to_owned(),
        workload_options: "touch_mib=0;write_mib=0".to_owned(),
        size: "s".to_owned(),
        options,
        placement: Placement::Unpinned,
        ballast_bytes: ballast_mib << 20,
        mem_available_start_bytes: Some(20 << 30),
        ..MemoryRow::default()
    };
    run.plan.push(PlanRow {
        trial_id: row.trial_id.clone(),
        family_id: row.family_id.clone(),
        block,
        position: 1,
        role: row.trial_role,
        strategy: row.strategy.clone(),
        options: row.options.clone(),
        seed: 7,
        ..PlanRow::default()
    });
    row
}

fn add_trial_row(run: &mut Run, row: &MemoryRow, reason: &str) {
    let skipped = !reason.is_empty();
    run.trials.push(TrialRow {
        run_id: row.run_id.clone(),
        trial_id: row.trial_id.clone(),
        attempt: 1,
        family_id: row.family_id.clone(),
        block: row.block,
        role: row.trial_role,
        runtime: row.runtime.clone(),
        workload: row.workload.clone(),
        strategy: row.strategy.clone(),
        options: row.options.clone(),
        regime: Regime::Memory,
        placement: row.placement,
        ballast_bytes: row.ballast_bytes,
        status: if skipped { Status::Skipped } else { Status::Ok },
        reason: reason.to_owned(),
        validity: if skipped { Validity::Invalid } else { Validity::Valid },
        ..TrialRow::default()
    });
}

fn add_blocking(run: &mut Run, ballast_mib: u64, block: u32, k: u32) {
    let row = head(run, ballast_mib, block, k, "blocking");
    if k > 0 {
        let reason = "`blocking` has no children that could be held";
        run.memory.push(MemoryRow {
            snapshot: 0,
            phase: Phase::Peak,
            status: Status::Skipped,
            reason: reason.to_owned(),
            ..row.clone()
        });
        return add_trial_row(run, &row, reason);
    }
    run.memory.push(look(&row, "idle", (ballast_mib << 20) + 1_900_000, 0));
    add_trial_row(run, &row, "");
}

fn add_trial(run: &mut Run, ballast_mib: u64, block: u32, k: u32, priced: &Priced) {
    let row = head(run, ballast_mib, block, k, priced.strategy);
    let phases: &[&str] = match (priced.is_pool, k) {
        (_, 0) => &["idle", "peak"],
        (true, _) => &["idle", "first", "hundred", "peak"],
        (false, _) => &["idle", "held", "peak"],
    };
    for (i, phase) in (0_u32..).zip(phases) {
        // Who is held has no children when idle or at the end.
        let k_now = if priced.is_pool || *phase == "held" { k } else { 0 };
        let growth = if priced.is_pool { u64::from(i) * GROWTH_BYTES } else { 0 };
        let each_bytes = priced.each_bytes + growth;
        let noise_bytes = u64::from(block) * 1_000;
        let bytes =
            (ballast_mib << 20) + priced.once_bytes + u64::from(k_now) * each_bytes + noise_bytes;
        run.memory.push(MemoryRow { snapshot: i + 1, ..look(&row, phase, bytes, k_now) });
    }
    add_trial_row(run, &row, "");
}

/// A tree that holds so much, a tenth of it in page tables.
fn look(row: &MemoryRow, phase: &str, bytes: u64, k: u32) -> MemoryRow {
    let tables_bytes = bytes / 10;
    let pss_bytes = bytes - tables_bytes;
    let file_bytes = pss_bytes / 4;
    let kernel_bytes = KERNEL_ONCE_BYTES + u64::from(k) * KERNEL_EACH_BYTES;
    MemoryRow {
        phase: Phase::by_name(phase).unwrap(),
        t_ns: Some(1),
        rss_bytes: Some(pss_bytes + u64::from(k) * 1_500_000),
        pss_bytes: Some(pss_bytes),
        pss_anon_bytes: Some(pss_bytes - file_bytes),
        pss_file_bytes: Some(file_bytes),
        pss_shmem_bytes: Some(0),
        uss_bytes: Some(pss_bytes / 2),
        page_tables_bytes: Some(tables_bytes),
        threads: Some(u64::from(k) + 1),
        source: "smaps_rollup;status".to_owned(),
        processes: Some(u64::from(k) + 1),
        processes_unread: Some(0),
        ready_all_ns: (row.k > 0).then(|| u64::from(row.k) * 700_000),
        sweep_ns: Some(60_000 * u64::from(k + 1)),
        cgroup_usage_bytes: Some(bytes + 500_000 + kernel_bytes),
        cgroup_peak_bytes: Some(bytes + 700_000 + kernel_bytes),
        cgroup_kernel_bytes: Some(tables_bytes + kernel_bytes),
        mem_available_bytes: Some((20 << 30) - bytes + 3_000_000),
        ..row.clone()
    }
}
