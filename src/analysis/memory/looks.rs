//! What the processes of a tree hold at one number of children, one by one or added up, for claims
//! about that number.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{self, MemoryRole, Quantity};
use crate::analysis::attempts::accepted;
use crate::analysis::family_key::FamilyKey;
use crate::record::{MemoryRow, Phase, Run};
use crate::stats::quantile::median;

/// Which processes of which trials.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// As in the rows.
    pub runtime: &'a str,
    /// As in the rows.
    pub strategy: &'a str,
    /// How many children the trial holds.
    pub children: u32,
    /// Whose memory.
    pub of: MemoryRole,
    /// How it is counted.
    pub quantity: &'a Quantity,
}

/// The moment at which a strategy's children are looked at, and one value per block; only of
/// trials about children alone, whose creator holds no ballast and whose children write little.
///
/// # Errors
/// Why there is no such value, a clause.
pub fn held_by_block(run: &Run, wanted: Wanted<'_>) -> Result<(Phase, BTreeMap<u32, f64>), String> {
    let accepted = accepted(&run.trials);
    let failures = rows::failures(run, &accepted);
    let mut rows = rows::trees(run, &accepted);
    rows.retain(|row| {
        row.runtime == wanted.runtime && row.strategy == wanted.strategy && is_plain(row)
    });
    let usable = rows::usable(&rows, &failures);
    let phase = rows::phases(&usable).last().copied().unwrap_or(Phase::Idle);
    let mut blocks: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    let trees = rows::at(&usable, phase);
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
        true => rows::reason(wanted.children, &rows, &failures),
        false => "no memory trial of this run has so many children of it".to_owned(),
    })
}

/// The processes of one look at a tree that was read whole.
fn of_look(run: &Run, tree: &MemoryRow, wanted: Wanted<'_>) -> Option<f64> {
    let of_look = |row: &&MemoryRow| {
        row.trial_id == tree.trial_id
            && row.attempt == tree.attempt
            && row.snapshot == tree.snapshot
            && wanted.of.has(row.role)
    };
    let rows = run.memory.iter().filter(of_look);
    let values: Option<Vec<f64>> = rows.map(wanted.quantity.value).collect();
    let values = values.filter(|values| !values.is_empty())?;
    match wanted.of {
        MemoryRole::Child => median(&values),
        MemoryRole::Tree | MemoryRole::Parent | MemoryRole::Children => Some(values.iter().sum()),
    }
}

fn is_plain(row: &MemoryRow) -> bool {
    row.workload == "hold" && row.ballast_bytes == 0 && !FamilyKey::of_memory(row).writes()
}
