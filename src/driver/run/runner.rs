//! The trials of a run, block by block: what is left of the plan, re-runs, stopping, the search.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context, Result};

use super::budget::{Budget, search_trial_ns};
use super::demonstrations::{Shown, last_block};
use super::{End, Order, Progress, is_interrupt};
use crate::analysis::attempts::{self, Block};
use crate::analysis::stopping::stopped;
use crate::driver::noise::judge::Group;
use crate::driver::oracle::Oracle;
use crate::driver::recorder::Recorder;
use crate::driver::search;
use crate::driver::target::TargetError;
use crate::driver::trial::{self, Setting};
use crate::experiment::{Preset, Trial};
use crate::record::{FactRow, PlanRow, Status, TrialRow};
use crate::sys::clock::{now_ns, sleep_until_ns};

/// A run between its first trial and its last.
pub struct Runner<'a, 'o> {
    pub order: &'a Order<'a>,
    pub setting: &'a Setting<'a>,
    /// The plan, twice: for running and for reading.
    pub trials: &'a [Trial],
    pub plan: &'a [PlanRow],
    /// All rows so far, in the order of the file.
    pub rows: Vec<TrialRow>,
    /// See [`super::resume::Past::last_snapshots`].
    pub last_snapshots: BTreeMap<String, u32>,
    /// All facts so far, in the order of the file.
    pub facts: Vec<FactRow>,
    pub budget: Budget,
    /// When the last trial of this process was over.
    pub ended_ns: u64,
    pub oracle: &'a mut Oracle<'o>,
    pub recorder: &'a mut Recorder,
}

/// The places in the plan of each family's block, in planned order.
pub fn blocks(trials: &[Trial]) -> Vec<Range<usize>> {
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
/// stopped have none.
pub fn due(
    trials: &[Trial],
    plan: &[PlanRow],
    rows: &[TrialRow],
    preset: &Preset,
) -> Vec<(Range<usize>, u32)> {
    let stopped = stopped(plan, rows, preset.looks);
    let next_pass = |range: Range<usize>| {
        let planned: Vec<&PlanRow> = plan[range.clone()].iter().collect();
        if is_stopped(&stopped, planned.first()?) {
            return None;
        }
        match attempts::block_of(&planned, rows, preset.reruns) {
            Block::Done => None,
            Block::Due { pass } => Some((range, pass)),
        }
    };
    blocks(trials).into_iter().filter_map(next_pass).collect()
}

fn is_stopped(stopped: &BTreeMap<String, u32>, planned: &PlanRow) -> bool {
    let after = stopped.get(&planned.family_id);
    after.is_some_and(|after| planned.block > *after)
}

impl Runner<'_, '_> {
    /// Runs what is left of the plan, then the search.
    pub fn go(&mut self, progress: &mut impl FnMut(Progress<'_>)) -> Result<End> {
        match self.run_blocks(progress)? {
            End::Complete => {}
            end => return Ok(end),
        }
        let end = self.search(progress);
        let total = self.trials.len();
        progress(Progress { done: total, total, left_ns: 0, next: None });
        end
    }

    fn run_blocks(&mut self, progress: &mut impl FnMut(Progress<'_>)) -> Result<End> {
        let preset = self.order.preset;
        let due = due(self.trials, self.plan, &self.rows, &preset);
        let mut stops = BTreeMap::new();
        for (at, (range, pass)) in due.iter().enumerate() {
            let first = &self.trials[range.start];
            if is_stopped(&stops, &self.plan[range.start]) {
                continue;
            }
            let later = due[at..].iter().map(|(range, _)| range);
            let goes_on = later.filter(|range| !is_stopped(&stops, &self.plan[range.start]));
            let missing = goes_on.map(|range| range.len()).sum();
            // After the trials of a block and before those of the next, so that a budget that
            // ends the one ends the other.
            if self.show_until(first.block - 1, progress)? == Shown::Interrupted {
                return Ok(End::Interrupted { missing });
            }
            if !self.budget.allows(first.family, first.block) {
                return Ok(End::OutOfBudget { dropped: missing });
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
        range: Range<usize>,
        pass: u32,
        left: usize,
        progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<Went> {
        let (trials, before) = (self.trials, self.trials.len() - left);
        let mut planned = range.clone().map(|place| (place, place - range.start));
        loop {
            let again = || Some((self.to_run_again(&range, pass)?, range.len()));
            let Some((place, over)) = planned.next().or_else(again) else {
                return Ok(Went::On);
            };
            self.tell(&trials[place], before + over, progress);
            match self.attempt(&trials[place], pass)? {
                Went::On => {}
                ended => return Ok(ended),
            }
        }
    }

    /// The place in the plan of the trial of this pass that is to be run again.
    fn to_run_again(&self, range: &Range<usize>, pass: u32) -> Option<usize> {
        let first = &self.plan[range.start];
        let of_pass = |row: &&TrialRow| {
            row.family_id == first.family_id
                && row.block == first.block
                && row.pass_number() == pass
        };
        let rows: Vec<&TrialRow> = self.rows.iter().filter(of_pass).collect();
        let again = attempts::to_run_again(&rows, self.order.preset.reruns)?;
        range.clone().find(|&place| self.trials[place].id == again.trial_id)
    }

    fn tell(&self, trial: &Trial, done: usize, progress: &mut impl FnMut(Progress<'_>)) {
        let (family, arm) = self.setting.of(trial);
        let total = self.trials.len();
        let left_ns = self.budget.left_ns(total - done, total);
        let next = Some((family.id.as_str(), arm.strategy.as_str(), trial.block));
        progress(Progress { done, total, left_ns, next });
    }

    /// Runs one trial and puts all of it on disk.
    fn attempt(&mut self, trial: &Trial, pass: u32) -> Result<Went> {
        if crate::driver::interrupted() {
            return Ok(Went::Interrupted);
        }
        let (family, _) = self.setting.of(trial);
        // The snapshots of a trial that was cut short stay in the file, under a number of their
        // own.
        let cut_short = self.last_snapshots.get(&trial.id).map_or(0, |attempt| *attempt);
        let attempt = attempts::next_attempt(&trial.id, &self.rows).max(cut_short + 1);
        let unavailable = || self.order.unavailable.arms[trial.family][trial.arm].clone();
        if let Some(reason) = family.left_out(&self.order.preset).or_else(unavailable) {
            let skipped = trial::skipped(self.setting, trial, &reason).of_attempt(attempt, pass);
            self.recorder.dir.append_memory(&skipped.memory)?;
            self.recorder.dir.append_trial(&skipped.row)?;
            self.rows.push(skipped.row);
            return Ok(Went::On);
        }
        self.budget.count_trial();
        let prepared = self.oracle.prepare_family(family, self.order.seed)?;
        cool_down(self.ended_ns, &self.order.preset)?;
        self.recorder.monitor.before_trial(Group::Block(trial.family, trial.block));
        let ran = match trial::run(self.setting, trial, &prepared) {
            Ok(ran) => ran.of_attempt(attempt, pass),
            Err(TargetError::Interrupted) => return Ok(Went::Interrupted),
            Err(error) => return Err(error.into()),
        };
        let row = self.recorder.record(ran)?;
        self.ended_ns = now_ns();
        let went = if row.status == Status::Partial { Went::OutOfBudget } else { Went::On };
        self.rows.push(row);
        Ok(went)
    }

    /// The search after the grid, as far as the budget goes.
    fn search(&mut self, progress: &mut impl FnMut(Progress<'_>)) -> Result<End> {
        let (setting, preset, seed) = (self.setting, &self.order.preset, self.order.seed);
        let planned = self.trials.len();
        let total = search::trials_max(setting.experiment);
        let mut longest_ns = search_trial_ns(preset);
        loop {
            let rows = attempts::counted(&self.rows);
            let Some(step) = search::next(setting.experiment, &rows, seed) else {
                return Ok(End::Complete);
            };
            let left = total - step.done;
            progress(Progress {
                done: planned + step.done,
                total: planned + total,
                left_ns: self.budget.left_ns(left, planned + total),
                next: Some((&step.family.id, step.strategy(), preset.blocks)),
            });
            if !self.budget.has_time_for(longest_ns) {
                return Ok(End::OutOfBudget { dropped: left });
            }
            let begun_ns = now_ns();
            cool_down(self.ended_ns, preset)?;
            self.recorder.monitor.before_trial(Group::Search(step.trial.block));
            let ran = match search::run(setting, &step, self.oracle, seed) {
                Err(error) if is_interrupt(&error) => return Ok(End::Interrupted { missing: 0 }),
                ran => ran?,
            };
            self.rows.push(self.recorder.record(ran)?);
            self.ended_ns = now_ns();
            longest_ns = longest_ns.max(self.ended_ns - begun_ns);
        }
    }
}

/// Whether a run goes on after a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Went {
    On,
    /// The user ended it.
    Interrupted,
    /// The budget ended it.
    OutOfBudget,
}

/// Waits until the processes of the trial before are gone.
fn cool_down(ended_ns: u64, preset: &Preset) -> Result<()> {
    sleep_until_ns(ended_ns + preset.cool_down_ns).context("wait between two trials")
}
