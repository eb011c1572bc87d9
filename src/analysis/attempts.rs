//! Which attempts count. All attempts at a trial stay in `trials.csv`; what is analysed, and what
//! is left to be run, both follow from the rows alone by the functions here. Pure.
//!
//! A family's block is run in *passes*. A pass that was cut short, by Ctrl-C, a crash or a power
//! cut, is not continued: what came after the gap would be compared with what came before it, and
//! that both saw the same minutes of the machine is all that a block is for. So the next pass
//! begins anew.
//!
//! Within a pass, a trial that something from outside disturbed may be run again, at the end of
//! the pass, where the preset says so.

use std::collections::{BTreeMap, BTreeSet};

use super::check::SEARCH;
use super::{PlanRow, TrialRow};
use crate::stats::{Safeguard, Safeguards};

/// So often one trial is run again at most.
pub const RERUNS_PER_TRIAL: usize = 2;

/// Counters of the kernel say something of a trial from this length on; below, of its block.
const JUDGED_ALONE_NS: u64 = 500_000_000;

/// Flags that are counted over a time. All others are events, which say something of a trial
/// however short it was.
const RATES: [&str; 4] = ["steal", "foreign_cpu", "mem_pressure", "io_pressure"];

/// So many re-runs a pass over so many trials has at most: a quarter. Where more is disturbed the
/// machine is, and measuring three times as long would not make it quiet.
pub fn reruns_max(trials: usize) -> usize {
    trials.div_ceil(4)
}

/// Whether something from outside disturbed this very trial. Its label alone does not say so: a
/// short trial is labelled by the whole block up to it.
pub fn is_disturbed(row: &TrialRow) -> bool {
    let disturbed = |flag: &str| {
        let name = flag.strip_suffix(":disturbed");
        name.is_some_and(|name| {
            !RATES.contains(&name) || row.noise_span_ns.is_some_and(|ns| ns >= JUDGED_ALONE_NS)
        })
    };
    row.noise_flags.split(';').any(disturbed)
}

/// The rows of each family's block, by pass.
type Blocks<'a> = BTreeMap<(&'a str, u32), BTreeMap<u32, Vec<&'a TrialRow>>>;

fn blocks(rows: &[TrialRow]) -> Blocks<'_> {
    let mut blocks = Blocks::new();
    // A search has no blocks, and of what was cut short there is nothing to use.
    for row in rows {
        if row.regime != SEARCH && row.status != "partial" {
            let passes = blocks.entry((row.family_id.as_str(), row.block)).or_default();
            passes.entry(row.pass_number()).or_default().push(row);
        }
    }
    blocks
}

fn trials_of(pass: &[&TrialRow]) -> usize {
    let ids: BTreeSet<&str> = pass.iter().map(|row| row.trial_id.as_str()).collect();
    ids.len()
}

/// The attempt at each trial that counts, in the order of the file: of the pass over the block
/// that got furthest (of equals the last), the last attempt that was not disturbed, or the first
/// if all were.
///
/// The first then, because it alone was made in the place that was drawn for it. To take the one
/// that was disturbed least would need a common measure of a stolen processor and a full disk.
pub fn accepted(rows: &[TrialRow], safeguards: Safeguards) -> Vec<&TrialRow> {
    let mut chosen: BTreeSet<(&str, u32)> = BTreeSet::new();
    for passes in blocks(rows).values() {
        let furthest = passes.values().max_by_key(|pass| trials_of(pass));
        let mut attempts: BTreeMap<&str, Vec<&TrialRow>> = BTreeMap::new();
        for row in furthest.into_iter().flatten() {
            attempts.entry(&row.trial_id).or_default().push(row);
        }
        for (id, mut attempts) in attempts {
            attempts.sort_by_key(|row| row.attempt);
            let undisturbed = attempts.iter().rev().find(|row| !is_disturbed(row));
            let counted = undisturbed.filter(|_| safeguards.hold(Safeguard::Reruns));
            if let Some(row) = counted.or(attempts.first()) {
                chosen.insert((id, row.attempt));
            }
        }
    }
    let counts = |row: &&TrialRow| {
        row.regime != SEARCH && chosen.contains(&(row.trial_id.as_str(), row.attempt))
    };
    rows.iter().filter(counts).collect()
}

/// The rows that count, those of a search among them, in the order of the file.
pub fn counted(rows: &[TrialRow]) -> Vec<TrialRow> {
    let mut accepted = accepted(rows, Safeguards::ALL_ON).into_iter().peekable();
    rows.iter()
        .filter(|row| {
            row.regime == SEARCH || accepted.next_if(|next| std::ptr::eq(*next, *row)).is_some()
        })
        .cloned()
        .collect()
}

/// The trial of this pass that is to be run again next, and nothing if none is: the earliest
/// place in the block's order whose every attempt was disturbed. A trial that failed is not: what
/// a strategy did wrong must not be hidden by trying until it goes well.
pub fn to_run_again<'a>(pass: &[&'a TrialRow], reruns_per_trial: usize) -> Option<&'a TrialRow> {
    let trials = trials_of(pass);
    if pass.len() >= trials + reruns_max(trials) {
        return None;
    }
    let attempts = |row: &TrialRow| pass.iter().filter(|r| r.trial_id == row.trial_id).count();
    let calm = |row: &TrialRow| {
        let mut own = pass.iter().filter(|r| r.trial_id == row.trial_id);
        own.any(|r| !is_disturbed(r) || r.status != "ok")
    };
    let candidates = pass.iter().copied();
    candidates
        .filter(|row| attempts(row) <= reruns_per_trial && !calm(row))
        .min_by_key(|row| (attempts(row), row.position))
}

/// Where a family's block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// Nothing of it is left to be run.
    Done,
    /// It is to be run, whole, in the pass of this number.
    Due {
        /// From 1; above it if passes before were cut short.
        pass: u32,
    },
}

/// Where the block of these planned trials stands: done if its last pass is whole and leaves
/// nothing to be run again.
pub fn block_of(planned: &[&PlanRow], rows: &[TrialRow], reruns_per_trial: usize) -> Block {
    let Some(first) = planned.first() else {
        return Block::Done;
    };
    let passes = blocks(rows).remove(&(first.family_id.as_str(), first.block));
    let last = passes.and_then(|mut passes| passes.pop_last());
    match last {
        None => Block::Due { pass: 1 },
        Some((_, pass))
            if trials_of(&pass) >= planned.len()
                && to_run_again(&pass, reruns_per_trial).is_none() =>
        {
            Block::Done
        }
        Some((number, _)) => Block::Due { pass: number + 1 },
    }
}

/// The number of the next attempt at this trial.
pub fn next_attempt(trial_id: &str, rows: &[TrialRow]) -> u32 {
    let own = rows.iter().filter(|row| row.trial_id == trial_id);
    own.map(|row| row.attempt).max().unwrap_or(0) + 1
}

#[cfg(test)]
mod tests;
