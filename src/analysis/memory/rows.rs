//! The rows of `memory.csv`: what can be read of them, which may be used, and from which moment.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{MemoryRow, Phase, ProcessRole, Regime, Role, Run, Status, TrialRow, Validity};

/// PSS and page tables together: what memory means where nothing else is said.
pub const HELD: &str = "pss_and_page_tables_bytes";

/// All that the kernel holds for the tree, page tables among it.
pub const KERNEL: &str = "cgroup_kernel_bytes";

/// The part of it that is known without a control group.
pub const TABLES: &str = "page_tables_bytes";

/// A number of a row.
pub type Value = fn(&MemoryRow) -> Option<f64>;

/// A way of counting memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    /// A column of `memory.csv`, or a sum of columns.
    pub name: &'static str,
    pub(super) value: Value,
}

const RSS: Quantity = Quantity { name: "rss_bytes", value: |row| float(row.rss_bytes) };
const PSS: Quantity = Quantity { name: "pss_bytes", value: |row| float(row.pss_bytes) };
const USS: Quantity = Quantity { name: "uss_bytes", value: |row| float(row.uss_bytes) };
const HELD_BYTES: Quantity = Quantity { name: HELD, value: held_bytes };

/// The quantities of processes.
pub const QUANTITIES: [Quantity; 4] = [RSS, PSS, USS, HELD_BYTES];

/// The quantities of trees that lines are fitted to; the change of MemAvailable last, since all
/// programs change it.
pub(super) const FITTED: [Quantity; 7] = [
    HELD_BYTES,
    Quantity { name: TABLES, value: |row| float(row.page_tables_bytes) },
    Quantity { name: KERNEL, value: |row| float(row.cgroup_kernel_bytes) },
    USS,
    RSS,
    Quantity { name: "cgroup_usage_bytes", value: |row| float(row.cgroup_usage_bytes) },
    Quantity { name: "mem_available_fall_bytes", value: fall_bytes },
];

/// Whose memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryRole {
    /// The server with everything that it has created.
    Tree,
    /// The server alone.
    Parent,
    /// One child: the median of several.
    Child,
    /// All but the server, added up.
    Children,
}

/// All roles, by name.
pub const MEMORY_ROLES: [(&str, MemoryRole); 4] = [
    ("tree", MemoryRole::Tree),
    ("parent", MemoryRole::Parent),
    ("child", MemoryRole::Child),
    ("children", MemoryRole::Children),
];

impl MemoryRole {
    /// The `role` of its rows, where there is only one.
    pub fn row(self) -> &'static str {
        match self {
            MemoryRole::Tree => "tree",
            MemoryRole::Parent => "parent",
            MemoryRole::Child | MemoryRole::Children => "",
        }
    }

    /// Whether a process of this role in `memory.csv` counts.
    pub(super) fn has(self, role: ProcessRole) -> bool {
        match self {
            MemoryRole::Tree => role == ProcessRole::Tree,
            MemoryRole::Parent => role == ProcessRole::Parent,
            MemoryRole::Child => matches!(role, ProcessRole::Child | ProcessRole::Worker),
            MemoryRole::Children => !matches!(role, ProcessRole::Tree | ProcessRole::Parent),
        }
    }
}

/// Whether a family is about memory. The id decides where nothing of it has run.
pub fn is_memory_family(run: &Run, family_id: &str) -> bool {
    match run.trials.iter().find(|row| row.family_id == family_id) {
        Some(row) => row.regime == Regime::Memory,
        None => family_id.split('-').any(|part| {
            let k = part.strip_prefix("memory").unwrap_or_default();
            !k.is_empty() && k.chars().all(|c| c.is_ascii_digit())
        }),
    }
}

/// The rows of trees, of the attempt at each trial that counts; of a trial that never ended, all
/// its rows. The placebo is the reference again.
pub(super) fn trees<'a>(run: &'a Run, accepted: &[&TrialRow]) -> Vec<&'a MemoryRow> {
    let counting: BTreeMap<&str, u32> =
        accepted.iter().map(|row| (row.trial_id.as_str(), row.attempt)).collect();
    let counts = |row: &&MemoryRow| {
        let counting = counting.get(row.trial_id.as_str());
        counting.is_none_or(|attempt| *attempt == row.attempt)
    };
    let is_tree =
        |row: &&MemoryRow| row.role == ProcessRole::Tree && row.trial_role != Role::Placebo;
    run.memory.iter().filter(counts).filter(is_tree).collect()
}

/// Why trials may not be used, by their ids.
pub(super) type Failures<'a> = BTreeMap<&'a str, String>;

/// Why trials may not be used: a tree with failed children has fewer than its row says.
pub(super) fn failures<'a>(run: &'a Run, accepted: &[&'a TrialRow]) -> Failures<'a> {
    let known: Failures<'_> = accepted
        .iter()
        .filter(|row| row.regime == Regime::Memory)
        .map(|row| (row.trial_id.as_str(), failure(row)))
        .collect();
    let ids = run.memory.iter().map(|row| row.trial_id.as_str());
    let missing: Vec<_> = ids
        .filter(|id| !known.contains_key(id))
        .map(|id| (id, "the trial has no row in trials.csv: it did not end".to_owned()))
        .collect();
    known.into_iter().filter(|(_, reason)| !reason.is_empty()).chain(missing).collect()
}

fn failure(row: &TrialRow) -> String {
    if row.status == Status::Ok && row.validity != Validity::Invalid {
        return String::new();
    }
    match row.reason.trim() {
        "" => format!("the trial is {}", row.status),
        reason => reason.to_owned(),
    }
}

/// The rows of trees that were read whole, in trials that may be used.
pub(super) fn usable<'a>(rows: &[&'a MemoryRow], failures: &Failures<'_>) -> Vec<&'a MemoryRow> {
    let is_usable = |row: &&MemoryRow| {
        row.status == Status::Ok && !failures.contains_key(row.trial_id.as_str())
    };
    rows.iter().copied().filter(is_usable).collect()
}

/// The moments at which a tree has its children, from the least to the most telling: a child at
/// the barrier is complete, a worker grows with the tasks that it has done.
const PHASES: [Phase; 4] = [Phase::Idle, Phase::First, Phase::Hundred, Phase::Held];

/// The phases in which trees of this series have children, in the order of [`PHASES`]. Children
/// that are held exist in that phase only.
pub(super) fn phases(rows: &[&MemoryRow]) -> Vec<Phase> {
    let has = |phase: &Phase| rows.iter().any(|row| row.k > 0 && row.phase == *phase);
    match has(&Phase::Held) {
        true => vec![Phase::Held],
        false => PHASES.iter().copied().filter(has).collect(),
    }
}

/// The looks of a phase. A tree without children does nothing, so all its phases are `idle`.
pub(super) fn at<'a>(rows: &[&'a MemoryRow], phase: Phase) -> Vec<&'a MemoryRow> {
    let of = |row: &&&MemoryRow| row.phase == if row.k == 0 { Phase::Idle } else { phase };
    rows.iter().filter(of).copied().collect()
}

/// The distinct reasons for which a level has no numbers.
pub(super) fn reason(k: u32, rows: &[&MemoryRow], failures: &Failures<'_>) -> String {
    let mut seen = BTreeSet::new();
    let own = rows.iter().filter(|row| row.k == k);
    let reasons: Vec<&str> = own
        .map(|row| match failures.get(row.trial_id.as_str()) {
            Some(reason) => reason.as_str(),
            None => row.reason.trim(),
        })
        .filter(|reason| !reason.is_empty() && seen.insert(*reason))
        .collect();
    match reasons.as_slice() {
        [] => "no look at it was whole".to_owned(),
        reasons => reasons.join("; "),
    }
}

/// The options but the number of workers, which is the number of children here.
pub(super) fn without_workers(options: &str) -> String {
    let kept = options.split(';').filter(|option| !option.starts_with("workers="));
    kept.collect::<Vec<_>>().join(";")
}

/// PSS and page tables.
pub(super) fn held_bytes(row: &MemoryRow) -> Option<f64> {
    Some(float(row.pss_bytes)? + float(row.page_tables_bytes).unwrap_or(0.0))
}

/// By how much MemAvailable fell; below zero if it rose.
pub(super) fn fall_bytes(row: &MemoryRow) -> Option<f64> {
    Some(float(row.mem_available_start_bytes)? - float(row.mem_available_bytes)?)
}

/// A column as a number to calculate with.
pub(super) fn float(number: Option<u64>) -> Option<f64> {
    number.map(|n| n as f64)
}
