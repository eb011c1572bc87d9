//! What the processes of a tree had at one number of children, one by one or added up: for whoever
//! asks of that number, and not what a further child costs.

use std::collections::{BTreeMap, BTreeSet};

use super::series::{self, HELD};
use crate::options;
use crate::record::{MemoryRow, Run};
use crate::stats::quantile::median;

/// Whose memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryRole {
    /// Of the server with all that it has created.
    Tree,
    /// Of the server alone.
    Parent,
    /// Of one child: of several the median.
    Child,
    /// Of all but the server, added up.
    Children,
}

/// All of them, by name.
pub const MEMORY_ROLES: [(&str, MemoryRole); 4] = [
    ("tree", MemoryRole::Tree),
    ("parent", MemoryRole::Parent),
    ("child", MemoryRole::Child),
    ("children", MemoryRole::Children),
];

impl MemoryRole {
    /// The `role` of its rows, where that is one.
    pub fn row(self) -> &'static str {
        match self {
            MemoryRole::Tree => "tree",
            MemoryRole::Parent => "parent",
            MemoryRole::Child | MemoryRole::Children => "",
        }
    }

    /// Whether a process of this role in `memory.csv` counts.
    fn has(self, role: &str) -> bool {
        match self {
            MemoryRole::Tree => role == "tree",
            MemoryRole::Parent => role == "parent",
            MemoryRole::Child => matches!(role, "child" | "worker"),
            MemoryRole::Children => matches!(role, "child" | "worker" | "helper" | "shell"),
        }
    }
}

/// A way of counting memory, in bytes.
#[derive(Debug)]
pub struct Quantity {
    /// A column of `memory.csv`, or PSS and page tables together.
    pub name: &'static str,
    value: fn(&MemoryRow) -> Option<u64>,
}

/// Every one of them.
pub const QUANTITIES: [Quantity; 4] = [
    Quantity { name: "rss_bytes", value: |row| row.rss_bytes },
    Quantity { name: "pss_bytes", value: |row| row.pss_bytes },
    Quantity { name: "uss_bytes", value: |row| row.uss_bytes },
    Quantity { name: HELD, value: |row| Some(row.pss_bytes? + row.page_tables_bytes.unwrap_or(0)) },
];

/// Which processes of which trials.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub runtime: &'a str,
    pub strategy: &'a str,
    /// How many children the trial holds.
    pub children: u32,
    pub of: MemoryRole,
    pub quantity: &'a Quantity,
}

/// The moment at which a strategy's children are looked at, and one value per block; only of
/// trials about children alone, without a creator that holds or a child that touches much.
///
/// # Errors
/// Why there is no such value, a clause.
pub fn held_by_block(
    run: &Run,
    wanted: Wanted<'_>,
) -> Result<(&'static str, BTreeMap<u32, f64>), String> {
    let failures = series::failures(run);
    let of_series = |row: &&MemoryRow| {
        row.runtime == wanted.runtime && row.strategy == wanted.strategy && is_plain(row)
    };
    let rows: Vec<&MemoryRow> = series::trees(run).into_iter().filter(of_series).collect();
    let is_usable =
        |row: &&MemoryRow| row.status == "ok" && !failures.contains_key(row.trial_id.as_str());
    let usable: Vec<&MemoryRow> = rows.iter().copied().filter(is_usable).collect();
    let phase = series::phases(&usable).last().copied().unwrap_or("idle");
    let mut blocks: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    let trees = series::at(&usable, phase);
    for tree in trees.iter().filter(|tree| tree.k == wanted.children) {
        if let Some(value) = of_look(run, tree, wanted) {
            blocks.entry(tree.block).or_default().push(value);
        }
    }
    if !blocks.is_empty() {
        let middle =
            blocks.into_iter().filter_map(|(block, values)| Some((block, median(&values)?)));
        return Ok((phase, middle.collect()));
    }
    let tried: BTreeSet<u32> = rows.iter().map(|row| row.k).collect();
    Err(match tried.contains(&wanted.children) {
        true => series::reason(wanted.children, &rows, &failures),
        false => "no memory trial of this run has so many children of it".to_owned(),
    })
}

/// The processes of one look at a tree that was read whole.
fn of_look(run: &Run, tree: &MemoryRow, wanted: Wanted<'_>) -> Option<f64> {
    let of_look = |row: &&MemoryRow| {
        row.trial_id == tree.trial_id
            && row.attempt == tree.attempt
            && row.snapshot == tree.snapshot
            && wanted.of.has(&row.role)
    };
    let values: Option<Vec<f64>> = run
        .memory
        .iter()
        .filter(of_look)
        .map(|row| (wanted.quantity.value)(row).map(|bytes| bytes as f64))
        .collect();
    let values = values.filter(|values| !values.is_empty())?;
    match wanted.of {
        MemoryRole::Child => median(&values),
        MemoryRole::Tree | MemoryRole::Parent | MemoryRole::Children => Some(values.iter().sum()),
    }
}

fn is_plain(row: &MemoryRow) -> bool {
    let options = options::parse(&row.workload_options);
    let is_zero = |name: &str| options.get(name).is_none_or(|value| value == "0");
    row.workload == "hold" && row.ballast_bytes == 0 && is_zero("touch_mib") && is_zero("write_mib")
}
