//! Which attempts count. All attempts at a trial stay in `trials.csv`; what is analysed, and what
//! is left to run, both follow from the rows alone by the functions here. Pure.
//!
//! A family's block is run in *passes*. A pass that was cut short (Ctrl-C, a crash, a power cut) is
//! not continued: trials after the gap would be compared with trials before it, and a block is worth
//! something only because its trials saw the same minutes of the machine. So the next pass starts
//! over.
//!
//! Within a pass, a disturbed trial may be run again at the end of the pass, if the preset allows
//! re-runs.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{PlanRow, Regime, Status, TrialRow, Validity};
use crate::stats::safeguards::{Safeguard, holds};

/// Maximum re-runs per trial.
pub const RERUNS_PER_TRIAL: usize = 2;

/// Counters of the kernel tell something of a single trial from this length on; of a shorter one
/// only together with its block.
const JUDGED_ALONE_NS: u64 = 500_000_000;

/// Flags of rates, which need time to be counted. All others are events, which tell something of a
/// trial of any length.
const RATES: [&str; 4] = ["steal", "foreign_cpu", "mem_pressure", "io_pressure"];

/// Maximum re-runs of a pass over this many trials: a quarter. If more trials are disturbed, the
/// machine is too busy, and more re-runs would not make it quiet.
pub fn reruns_max(trials: usize) -> usize {
    trials.div_ceil(4)
}

/// Whether the rest of the machine disturbed this very trial. Its label alone does not tell: a
/// short trial is labeled by the whole block up to it.
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
    // A search has no blocks, and a partial trial has no result.
    for row in rows {
        if row.regime != Regime::Search && row.status != Status::Partial {
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

/// The attempt at each trial that counts, in the order of the file. Of the pass that got furthest
/// (of equals the last) it is the last undisturbed attempt, or the first if all were disturbed.
///
/// The first, because only that one ran in its randomized place. The least disturbed one would need
/// a common measure of a stolen processor and a full disk.
pub fn accepted(rows: &[TrialRow]) -> Vec<&TrialRow> {
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
            let counted = undisturbed.filter(|_| holds(Safeguard::Reruns));
            if let Some(row) = counted.or(attempts.first()) {
                chosen.insert((id, row.attempt));
            }
        }
    }
    let counts = |row: &&TrialRow| {
        row.regime != Regime::Search && chosen.contains(&(row.trial_id.as_str(), row.attempt))
    };
    rows.iter().filter(counts).collect()
}

/// The rows that count, with those of a search, in the order of the file.
pub fn counted(rows: &[TrialRow]) -> Vec<&TrialRow> {
    let mut accepted = accepted(rows).into_iter().peekable();
    let counts = |row: &&TrialRow| {
        row.regime == Regime::Search || accepted.next_if(|next| std::ptr::eq(*next, *row)).is_some()
    };
    rows.iter().filter(counts).collect()
}

/// Whether a trial's numbers may be used: it ended, broke no law, and its window holds two rounds
/// of callers.
pub fn usable(row: &TrialRow) -> bool {
    row.status == Status::Ok && row.validity != Validity::Invalid && row.holds_two_rounds()
}

/// The next trial of this pass to run again: the earliest in the block's order whose attempts were
/// all disturbed. A failed trial is not run again: re-runs must not hide the failure of a strategy.
pub fn to_run_again<'a>(pass: &[&'a TrialRow], reruns_per_trial: usize) -> Option<&'a TrialRow> {
    let trials = trials_of(pass);
    if pass.len() >= trials + reruns_max(trials) {
        return None;
    }
    let attempts = |row: &TrialRow| pass.iter().filter(|r| r.trial_id == row.trial_id).count();
    let calm = |row: &TrialRow| {
        let mut own = pass.iter().filter(|r| r.trial_id == row.trial_id);
        own.any(|r| !is_disturbed(r) || r.status != Status::Ok)
    };
    let candidates = pass.iter().copied();
    candidates
        .filter(|row| attempts(row) <= reruns_per_trial && !calm(row))
        .min_by_key(|row| (attempts(row), row.position))
}

/// Where a family's block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// Nothing of it is left to run.
    Done,
    /// The whole block is to be run, in the pass of this number.
    Due {
        /// From 1; above 1 if earlier passes were cut short.
        pass: u32,
    },
}

/// Where the block of these planned trials stands: done if its last pass is complete and no re-run
/// is left.
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
