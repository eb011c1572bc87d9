//! The common setting of a run's trials, and the result of each.

use std::collections::BTreeMap;
use std::path::Path;

use super::programs::SubjectProgram;
use crate::experiment::{Arm, Experiment, Family, Preset, Trial};
use crate::record::{MemoryRow, RequestRow, TrialRow};

/// The common setting of a run's trials.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The run's name.
    pub run_id: &'a str,
    /// The experiment.
    pub experiment: &'a Experiment,
    /// How much.
    pub preset: Preset,
    /// The program of each runtime's subject.
    pub programs: &'a BTreeMap<String, SubjectProgram>,
    /// The subjects' whole environment.
    pub environment: &'a [(String, String)],
    /// For files that are gone after the run.
    pub scratch: &'a Path,
    /// Preexisting children of this process, which are left alone.
    pub preexisting: &'a [u32],
    /// When the run's budget ends, if it has one.
    pub budget_end_ns: Option<u64>,
}

impl<'a> Setting<'a> {
    /// Family and arm of a trial.
    pub fn of(&self, trial: &Trial) -> (&'a Family, &'a Arm) {
        let family = &self.experiment.families[trial.family];
        (family, &family.arms[trial.arm])
    }
}

/// A trial that has been run.
#[derive(Debug)]
pub struct Ran {
    /// Its row.
    pub row: TrialRow,
    /// The requests that were kept.
    pub requests: Vec<RequestRow>,
    /// The rows of a memory trial's snapshots.
    pub memory: Vec<MemoryRow>,
}

impl Ran {
    /// The same as this attempt, in this pass over its block.
    #[must_use]
    pub fn of_attempt(mut self, attempt: u32, pass: u32) -> Ran {
        (self.row.attempt, self.row.pass) = (attempt, Some(pass));
        for row in &mut self.memory {
            row.attempt = attempt;
        }
        self
    }
}
