//! The trials of a run, block by block: what is left of the plan, re-runs, stopping, the search.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::budget::{Budget, search_trial_ns};
use super::demonstrations::{Shown, last_block};
use super::{End, Order, Progress, is_interrupt};
use crate::analysis::attempts::{self, Block};
use crate::analysis::stopping::stopped;
use crate::driver::noise::Monitor;
use crate::driver::oracle::Oracle;
use crate::driver::search;
use crate::driver::target::TargetError;
use crate::driver::trial::{self, Ran, Setting};
use crate::experiment::{Preset, Trial};
use crate::record::{FactRow, PlanRow, RunDir, TrialRow};
use crate::sys::clock::{now_ns, sleep_until_ns};

/// A run between its first trial and its last.
pub(super) struct Course<'a, 'o> {
    pub(super) order: &'a Order<'a>,
    pub(super) setting: &'a Setting<'a>,
    /// What is planned, twice: for running and for reading.
    pub(super) trials: &'a [Trial],
    pub(super) plan: &'a [PlanRow],
    /// All that happened so far, in the order of the file.
    pub(super) rows: Vec<TrialRow>,
    /// See [`super::resume::Past::looked_at`].
    pub(super) looked_at: BTreeMap<String, u32>,
    /// What was shown, in the order of the file.
    pub(super) facts: Vec<FactRow>,
    pub(super) budget: Budget,
    /// When the last trial of this process was over.
    pub(super) ended_ns: u64,
    pub(super) oracle: &'a mut Oracle<'o>,
    pub(super) monitor: &'a mut Monitor,
    pub(super) dir: &'a mut RunDir,
}

/// The places in the plan of each family's block, in planned order.
pub(super) fn blocks(trials: &[Trial]) -> Vec<std::ops::Range<usize>> {
    let mut start = 0;
    let same = |a: &Trial, b: &Trial| (a.block, a.family) == (b.block, b.family);
    let ranges = trials.chunk_by(same).map(|chunk| {
        let range = start..start + chunk.len();
        start = range.end;
        range
    });
    ranges.collect()
}

/// The blocks that are left to be run, each with the number of its next pass. Families that were
/// measured enough have none.
pub(super) fn due(
    trials: &[Trial],
    plan: &[PlanRow],
    rows: &[TrialRow],
    preset: &Preset,
) -> Vec<(std::ops::Range<usize>, u32)> {
    let stopped = stopped(plan, rows, preset.looks);
    blocks(trials)
        .into_iter()
        .filter_map(|range| {
            let planned: Vec<&PlanRow> = plan[range.clone()].iter().collect();
            let first = planned.first()?;
            if is_stopped(&stopped, first) {
                return None;
            }
            match attempts::block_of(&planned, rows, preset.reruns) {
                Block::Done => None,
                Block::Due { pass } => Some((range, pass)),
            }
        })
        .collect()
}

fn is_stopped(stopped: &BTreeMap<String, u32>, planned: &PlanRow) -> bool {
    let after = stopped.get(&planned.family_id);
    after.is_some_and(|after| planned.block > *after)
}

impl Course<'_, '_> {
    /// Runs what is left of the plan, then the search.
    pub(super) fn go(&mut self, progress: &mut impl FnMut(Progress<'_>)) -> Result<End> {
        match self.run_blocks(progress)? {
            End::Complete => {}
            end => return Ok(end),
        }
        let end = self.search(progress);
        progress(Progress {
            done: self.trials.len(),
            total: self.trials.len(),
            left_ns: 0,
            next: None,
        });
        end
    }

    fn run_blocks(&mut self, progress: &mut impl FnMut(Progress<'_>)) -> Result<End> {
        let preset = self.order.preset;
        let due = due(self.trials, self.plan, &self.rows, &preset);
        let mut stops = BTreeMap::new();
        for (at, (range, pass)) in due.iter().enumerate() {
            let left = || -> usize {
                let later = due[at..].iter().map(|(range, _)| range.clone());
                let goes_on =
                    |range: &std::ops::Range<usize>| !is_stopped(&stops, &self.plan[range.start]);
                later.filter(goes_on).map(|range| range.len()).sum()
            };
            let first = &self.trials[range.start];
            if is_stopped(&stops, &self.plan[range.start]) {
                continue;
            }
            let missing = left();
            // Behind the trials of a block and before those of the next, so that a budget that
            // ends the one ends the other.
            if self.show_until(first.block - 1, progress)? == Shown::Interrupted {
                return Ok(End::Interrupted { missing });
            }
            if !self.budget.allows(first.family, first.block) {
                return Ok(End::OutOfBudget { dropped: left() });
            }
            let begun_ns = now_ns();
            match self.run_block(range.clone(), *pass, missing, progress)? {
                Went::On => {}
                Went::Interrupted => return Ok(End::Interrupted { missing }),
                Went::OutOfBudget => return Ok(End::OutOfBudget { dropped: missing }),
            }
            self.budget.block_took(first.family, now_ns() - begun_ns);
            if preset.looks.contains(&first.block) {
                stops = stopped(self.plan, &self.rows, preset.looks);
            }
        }
        let last = last_block(self.plan, &self.rows, preset.blocks);
        Ok(match self.show_until(last, progress)? {
            Shown::All => End::Complete,
            Shown::Interrupted => End::Interrupted { missing: 0 },
            Shown::OutOfBudget => End::OutOfBudget { dropped: 0 },
        })
    }

    /// Runs one pass over a family's block, re-runs included.
    fn run_block(
        &mut self,
        range: std::ops::Range<usize>,
        pass: u32,
        left: usize,
        progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<Went> {
        let trials = self.trials;
        let total = trials.len();
        for (place, trial) in trials[range.clone()].iter().enumerate() {
            self.tell(trial, total - (left - place), total, progress);
            match self.attempt(trial, pass)? {
                Went::On => {}
                ended => return Ok(ended),
            }
        }
        let first = &self.plan[range.start];
        while let Some(place) = self.to_run_again(first, pass, &range) {
            self.tell(&trials[place], total - (left - range.len()), total, progress);
            match self.attempt(&trials[place], pass)? {
                Went::On => {}
                ended => return Ok(ended),
            }
        }
        Ok(Went::On)
    }

    /// The place in the plan of the trial of this pass that is to be run again.
    fn to_run_again(
        &self,
        first: &PlanRow,
        pass: u32,
        range: &std::ops::Range<usize>,
    ) -> Option<usize> {
        let of_pass = |row: &&TrialRow| {
            row.family_id == first.family_id
                && row.block == first.block
                && row.pass_number() == pass
        };
        let rows: Vec<&TrialRow> = self.rows.iter().filter(of_pass).collect();
        let again = attempts::to_run_again(&rows, self.order.preset.reruns)?;
        range.clone().find(|&place| self.trials[place].id == again.trial_id)
    }

    fn tell(
        &self,
        trial: &Trial,
        done: usize,
        total: usize,
        progress: &mut impl FnMut(Progress<'_>),
    ) {
        let family = &self.setting.experiment.families[trial.family];
        progress(Progress {
            done,
            total,
            left_ns: self.budget.left_ns(total - done, total),
            next: Some((&family.id, &family.arms[trial.arm].strategy, trial.block)),
        });
    }

    /// Runs one trial and puts all of it on disk.
    fn attempt(&mut self, trial: &Trial, pass: u32) -> Result<Went> {
        if crate::driver::interrupted() {
            return Ok(Went::Interrupted);
        }
        let setting = self.setting;
        let family = &setting.experiment.families[trial.family];
        // The rows of a look whose trial was cut short stay in the file, under a number of their
        // own.
        let looked_at = self.looked_at.get(&trial.id).map_or(0, |attempt| *attempt);
        let attempt = attempts::next_attempt(&trial.id, &self.rows).max(looked_at + 1);
        let unavailable = (self.order.unavailable)(family, &family.arms[trial.arm]);
        if let Some(reason) = family.left_out(&self.order.preset).or(unavailable) {
            let skipped = trial::skipped(setting, trial, &reason).of_attempt(attempt, pass);
            self.dir.append_memory(&skipped.memory)?;
            self.dir.append_trial(&skipped.row)?;
            self.rows.push(skipped.row);
            return Ok(Went::On);
        }
        self.budget.count_trial();
        let prepared = self.oracle.prepare_family(family, self.order.seed)?;
        cool_down(self.ended_ns, &self.order.preset)?;
        self.monitor.before_trial(trial.family, trial.block);
        let ran = match trial::run(setting, trial, &prepared) {
            Ok(ran) => ran.of_attempt(attempt, pass),
            Err(TargetError::Interrupted) => return Ok(Went::Interrupted),
            Err(error) => return Err(error.into()),
        };
        let row = record(ran, self.monitor, self.dir)?;
        self.ended_ns = now_ns();
        let went = if row.status == "partial" { Went::OutOfBudget } else { Went::On };
        self.rows.push(row);
        Ok(went)
    }

    /// The search after the grid, as far as the budget goes.
    fn search(&mut self, progress: &mut impl FnMut(Progress<'_>)) -> Result<End> {
        let setting = self.setting;
        let planned = self.trials.len();
        let total = search::trials_max(setting.experiment);
        let preset = &self.order.preset;
        let (budget, dir) = (&self.budget, &mut *self.dir);
        let monitor = RefCell::new(&mut *self.monitor);
        let (begun_ns, ended_ns) = (Cell::new(0), Cell::new(self.ended_ns));
        let longest_ns = Cell::new(search_trial_ns(preset));
        let rows = attempts::counted(&self.rows).into_iter().cloned().collect::<Vec<_>>();
        let mut out_of_time = None;
        let found = search::search(
            setting,
            &rows,
            self.oracle,
            self.order.seed,
            |step| {
                progress(Progress {
                    done: planned + step.done,
                    total: planned + total,
                    left_ns: budget.left_ns(total - step.done, planned + total),
                    next: Some((step.family_id, step.strategy, preset.blocks)),
                });
                if !budget.has_time_for(longest_ns.get()) {
                    out_of_time = Some(total - step.done);
                    return Ok(false);
                }
                begun_ns.set(now_ns());
                cool_down(ended_ns.get(), preset)?;
                monitor.borrow_mut().before_trial(SEARCHED, step.round);
                Ok(true)
            },
            |ran| {
                record(ran, &mut monitor.borrow_mut(), dir)?;
                ended_ns.set(now_ns());
                longest_ns.set(longest_ns.get().max(now_ns() - begun_ns.get()));
                Ok(())
            },
        );
        match (found, out_of_time) {
            (Ok(()), None) => Ok(End::Complete),
            (Ok(()), Some(dropped)) => Ok(End::OutOfBudget { dropped }),
            (Err(error), _) if is_interrupt(&error) => Ok(End::Interrupted { missing: 0 }),
            (Err(error), _) => Err(error),
        }
    }
}

/// How it went, and so whether it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Went {
    On,
    /// The user ended it.
    Interrupted,
    /// The budget ended it.
    OutOfBudget,
}

/// In the place of a family's index: short trials of a round of the search are judged together.
const SEARCHED: usize = usize::MAX;

/// Waits until what the trial before left dying is over.
fn cool_down(ended_ns: u64, preset: &Preset) -> Result<()> {
    sleep_until_ns(ended_ns + preset.cool_down_ns).context("wait between two trials")
}

/// Puts all of a trial on disk, its row last: a row says that the rest is there.
fn record(mut ran: Ran, monitor: &mut Monitor, dir: &mut RunDir) -> Result<TrialRow> {
    if let Some(noise) = monitor.after_trial() {
        noise.fill_in(&mut ran.row);
    }
    dir.append_noise(&monitor.take_rows(&ran.row.run_id, &ran.row.trial_id))?;
    if !ran.requests.is_empty() {
        dir.write_requests(&ran.row, &ran.requests)?;
    }
    dir.append_memory(&ran.memory)?;
    dir.append_trial(&ran.row)?;
    Ok(ran.row)
}
