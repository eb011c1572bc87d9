//! The demonstrations of a run: after the trials of each block, so that facts that vary have a value
//! for each block.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::budget::Budget;
use super::resume::Past;
use super::runner::Runner;
use super::{Order, Progress};
use crate::driver::demonstrations::{DEADLINE_NS, demonstrate, skipped};
use crate::driver::interrupted;
use crate::experiment::Demonstration;
use crate::record::{FactRow, PlanRow, Regime, TrialRow};
use crate::sys::clock::now_ns;

/// In place of a family's index: the demonstrations' share of a budget.
const DEMONSTRATIONS: usize = usize::MAX - 1;

/// How far it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Every demonstration has its rows.
    All,
    /// The user ended the run.
    Interrupted,
    /// The next block would not end in time.
    OutOfBudget,
}

/// The demonstrations of a block that have not ended yet, in the order of the file.
fn due<'a>(all: &'a [Demonstration], facts: &[FactRow], block: u32) -> Vec<&'a Demonstration> {
    let over: BTreeSet<(&str, &str)> = facts
        .iter()
        .filter(|row| row.block == block && row.is_last())
        .map(|row| (row.demonstration.as_str(), row.runtime.as_str()))
        .collect();
    let is_due = |one: &&Demonstration| !over.contains(&(one.name.as_str(), one.runtime.as_str()));
    all.iter().filter(is_due).collect()
}

/// The last block with trials; without planned trials, the last block of the preset.
pub fn last_block(plan: &[PlanRow], rows: &[TrialRow], blocks: u32) -> u32 {
    if plan.is_empty() {
        return blocks;
    }
    let planned = rows.iter().filter(|row| row.regime != Regime::Search);
    planned.map(|row| row.block).max().unwrap_or(0)
}

/// Whether a resumed run has no demonstration left to run.
pub fn all_shown(order: &Order<'_>, plan: &[PlanRow], past: &Past) -> bool {
    let all = &order.experiment.demonstrations;
    let last = last_block(plan, &past.trials, order.preset.blocks);
    (1..=last).all(|block| due(all, &past.facts, block).is_empty())
}

/// Learns the duration of a block's demonstrations from earlier blocks.
pub fn learn(budget: &mut Budget, facts: &[FactRow]) {
    let mut blocks: BTreeMap<u32, f64> = BTreeMap::new();
    for row in facts.iter().filter(|row| row.is_last()) {
        *blocks.entry(row.block).or_default() += row.value.unwrap_or(0.0);
    }
    for ms in blocks.into_values() {
        budget.block_took(DEMONSTRATIONS, (ms * 1e6) as u64);
    }
}

impl Runner<'_, '_> {
    /// Runs the demonstrations that are left, up to and including this block.
    pub fn show_until(
        &mut self,
        last: u32,
        progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<Shown> {
        let all = &self.setting.experiment.demonstrations;
        for block in 1..=last {
            let due = due(all, &self.facts, block);
            if due.is_empty() {
                continue;
            }
            if !self.budget.allows(DEMONSTRATIONS, block) {
                return Ok(Shown::OutOfBudget);
            }
            let begun_ns = now_ns();
            for shown in due {
                if interrupted() || !self.show(shown, block, progress)? {
                    return Ok(Shown::Interrupted);
                }
            }
            self.budget.block_took(DEMONSTRATIONS, now_ns() - begun_ns);
            // Only the noise monitor saw this time, and a resumed run counts its rows.
            self.recorder.append_noise("")?;
            self.ended_ns = now_ns();
        }
        Ok(Shown::All)
    }

    /// Runs one and writes its rows; `false` if the user ended the run.
    fn show(
        &mut self,
        shown: &Demonstration,
        block: u32,
        progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<bool> {
        let total = self.trials.len();
        let done = self.rows.len().min(total);
        let name = format!("demonstration {}", shown.name);
        progress(Progress {
            done,
            total,
            left_ns: self.budget.left_ns(total - done, total),
            next: Some((&name, &shown.runtime, block)),
        });
        let rows = match self.order.unavailable.runtimes.get(&shown.runtime).cloned() {
            Some(reason) => vec![skipped(self.setting.run_id, shown, block, reason)],
            None => match demonstrate(self.setting, shown, block, DEADLINE_NS)? {
                Some(rows) => rows,
                None => return Ok(false),
            },
        };
        self.recorder.dir.append_facts(&rows)?;
        self.facts.extend(rows);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Regime;
    use crate::record::facts::TOOK_MS;

    fn row(name: &str, runtime: &str, block: u32, fact: &str) -> FactRow {
        FactRow {
            demonstration: name.to_owned(),
            runtime: runtime.to_owned(),
            block,
            fact: fact.to_owned(),
            ..FactRow::default()
        }
    }

    #[test]
    fn demonstration_is_over_only_with_its_last_row() {
        let all = [("crash", "node"), ("crash", "rust"), ("max-buffer", "node")];
        let all = all.map(|(name, runtime)| Demonstration {
            name: name.to_owned(),
            runtime: runtime.to_owned(),
        });
        let facts = [
            row("crash", "node", 1, "main_survives"),
            row("crash", "node", 1, TOOK_MS),
            row("crash", "rust", 2, TOOK_MS),
            row("max-buffer", "node", 1, "error"),
        ];
        let left = |block| {
            let due = due(&all, &facts, block);
            let told = due.iter().map(|one| format!("{} {}", one.name, one.runtime));
            told.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(left(1), "crash rust, max-buffer node");
        assert_eq!(left(2), "crash node, max-buffer node");
        assert_eq!(left(3), "crash node, crash rust, max-buffer node");
    }

    #[test]
    fn demonstrations_follow_the_blocks_that_were_run() {
        let trial = |block, regime: &str| TrialRow {
            block,
            regime: Regime::by_name(regime).unwrap(),
            ..TrialRow::default()
        };
        let plan = [PlanRow::default()];
        let rows = [trial(1, "closed"), trial(2, "open"), trial(9, "search")];
        assert_eq!(last_block(&plan, &rows, 6), 2);
        assert_eq!(last_block(&plan, &[], 6), 0);
        assert_eq!(last_block(&[], &[], 6), 6);
    }
}
