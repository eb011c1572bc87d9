//! `plan.csv`: the planned trials.

use crate::experiment::{Experiment, Role, Trial};
use crate::record::columns::table;
use crate::workload::options;

table! {
    PLAN "plan.csv", key ["trial_id"],
    /// One planned trial, in the order in which trials are to be run.
    pub struct PlanRow: Eq {
        /// Names the trial in all files of the run; in planned order.
        trial_id: String,
        /// The family: workload, size, runtime and load. Arms of one family are compared.
        family_id: String,
        /// Which pass over all arms of the family, from 1.
        block: u32,
        /// Place in the random order of the family's block, from 1.
        position: u32,
        /// `reference`: what the family's other arms are compared with. `placebo`: the same arm a
        /// second time, an A/A test. `arm`: any other.
        role: Role,
        /// How the requests are executed.
        strategy: String,
        /// The strategy's options, resolved, as `name=value` joined by `;` in the order of their
        /// names.
        options: String as Option<String>,
        /// Seed of the block: all arms of a block get the same.
        seed: u64,
        /// The arm's short name, unique in the family: the strategy, the options in which it
        /// differs from another arm of the family, and `(placebo)` for the placebo. Empty in runs
        /// of an older forkbench.
        label: String as Option<String>,
    }
}

/// The plan as the rows of `plan.csv`. The trials must come from the same experiment.
pub fn plan_rows(experiment: &Experiment, trials: &[Trial]) -> Vec<PlanRow> {
    trials
        .iter()
        .map(|trial| {
            let family = &experiment.families[trial.family];
            let arm = &family.arms[trial.arm];
            PlanRow {
                trial_id: trial.id.clone(),
                family_id: family.id.clone(),
                block: trial.block,
                position: trial.position,
                role: arm.role,
                strategy: arm.strategy.clone(),
                options: options::render(&arm.options),
                seed: trial.seed,
                label: family.label(arm),
            }
        })
        .collect()
}
