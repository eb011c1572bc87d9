//! Spends whole blocks of families within a budget. All counts, from the start of the run to the
//! report.

use std::collections::BTreeMap;

use crate::driver::search;
use crate::experiment::{Experiment, Preset, plan};
use crate::record::TrialRow;
use crate::sys::clock::now_ns;

/// Between the watched times of two trials: canaries, files.
const BETWEEN_TRIALS_NS: u64 = 100_000_000;

/// The part of a budget for blocks where a search follows.
pub fn for_blocks_ns(experiment: &Experiment, budget_ns: Option<u64>) -> Option<u64> {
    let searched = search::trials_max(experiment) > 0;
    budget_ns.map(|ns| if searched { ns - ns / 3 } else { ns })
}

/// The assumed length of the first trial of a search: the longest window with its warm-up,
/// and requests that are waited for when it is over.
pub fn search_trial_ns(preset: &Preset) -> u64 {
    preset.open_window_ns[1] / 5 * 6 + 3_000_000_000
}

/// The time that a run may take, and what its blocks take of it.
#[derive(Debug)]
pub struct Budget {
    started_ns: u64,
    limit_ns: Option<u64>,
    /// The same without what a search after the blocks is to have.
    blocks_limit_ns: Option<u64>,
    estimate_ns: u64,
    /// The time of the longest block of each family.
    longest_ns: BTreeMap<usize, u64>,
    /// When the first trial of this process began, and how many are over.
    pace: Option<(u64, u64)>,
}

impl Budget {
    /// Counts from `started_ns`, of which a run that is resumed has spent some before.
    pub fn new(experiment: &Experiment, preset: &Preset, started_ns: u64, spent_ns: u64) -> Budget {
        // The report is written when all is measured.
        let usable = |ns: u64| ns - (ns / 50).min(2_000_000_000);
        let limit_ns = preset.budget_ns.map(usable);
        Budget {
            started_ns: started_ns.saturating_sub(spent_ns),
            limit_ns,
            blocks_limit_ns: for_blocks_ns(experiment, limit_ns),
            estimate_ns: plan::estimated_ns(experiment, preset, preset.blocks),
            longest_ns: BTreeMap::new(),
            pace: None,
        }
    }

    /// When it is spent, if it has an end.
    pub fn end_ns(&self) -> Option<u64> {
        self.limit_ns.map(|ns| self.started_ns + ns)
    }

    /// Learns from blocks that were run before.
    pub fn learn(&mut self, experiment: &Experiment, rows: &[TrialRow]) {
        let mut blocks: BTreeMap<(usize, u32, u32), u64> = BTreeMap::new();
        for row in rows {
            let families = &experiment.families;
            let Some(family) = families.iter().position(|f| f.id == row.family_id) else {
                continue;
            };
            let block = blocks.entry((family, row.block, row.pass_number())).or_default();
            *block += row.noise_span_ns.map_or(0, |ns| ns + BETWEEN_TRIALS_NS);
        }
        for ((family, ..), ns) in blocks {
            self.block_took(family, ns);
        }
    }

    /// A block of this family is over.
    pub fn block_took(&mut self, family: usize, ns: u64) {
        let longest = self.longest_ns.entry(family).or_default();
        *longest = ns.max(*longest);
    }

    /// Whether a block of this family may begin: if it is expected to end in time. Of each family
    /// the first always may.
    pub fn allows(&self, family: usize, block: u32) -> bool {
        let longest_ns = self.longest_ns.get(&family).copied().unwrap_or(0);
        let end_ns = now_ns() - self.started_ns + longest_ns;
        block == 1 || self.blocks_limit_ns.is_none_or(|limit_ns| end_ns <= limit_ns)
    }

    /// Whether a trial that takes this long will end in time.
    pub fn has_time_for(&self, trial_ns: u64) -> bool {
        let end_ns = (now_ns() - self.started_ns).saturating_add(trial_ns);
        self.limit_ns.is_none_or(|limit_ns| end_ns <= limit_ns)
    }

    /// A trial begins.
    pub fn count_trial(&mut self) {
        let (_, begun) = self.pace.get_or_insert((now_ns(), 0));
        *begun += 1;
    }

    /// About how long `left` trials will take: by the pace so far, or from the plan while
    /// there are none.
    pub fn left_ns(&self, left: usize, total: usize) -> u64 {
        let by_pace = match self.pace {
            Some((since_ns, begun @ 2..)) => (now_ns() - since_ns) / (begun - 1) * left as u64,
            _ => (self.estimate_ns as f64 * left as f64 / total.max(1) as f64) as u64,
        };
        match self.limit_ns {
            Some(limit_ns) => by_pace.min(limit_ns.saturating_sub(now_ns() - self.started_ns)),
            None => by_pace,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{builtin, wire};

    #[test]
    fn a_search_begins_no_trial_that_would_end_behind_the_budget() {
        let load = builtin::by_name("load").unwrap();
        let load = wire::parse(load.text, load.path, 2, 1).unwrap();
        let preset = Preset::by_name("quick").unwrap();
        let trial_ns = search_trial_ns(&preset);
        assert!(trial_ns > preset.open_window_ns[1]);
        let usable_ns = preset.budget_ns.unwrap() - 2_000_000_000;
        let spent = |spent_ns| Budget::new(&load, &preset, now_ns(), spent_ns);
        // A minute on either side, so that no clock decides.
        let minute_ns = 60_000_000_000;
        let early = usable_ns - trial_ns - minute_ns;
        assert!(spent(early).has_time_for(trial_ns));
        assert!(!spent(early).has_time_for(trial_ns + 2 * minute_ns));
        let unlimited = Preset { budget_ns: None, ..preset };
        assert!(Budget::new(&load, &unlimited, now_ns(), early).has_time_for(u64::MAX));
    }
}
