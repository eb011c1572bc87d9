//! WHAT happened: the files of a run directory. The driver writes them, the report reads them.
//!
//! Raw files are append-only and synced row by row; a run directory is never overwritten.
//! `forkbench report` reads the same files and nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod check;
pub mod columns;
mod csv_text;
mod datapackage;
pub mod environment;
mod error;
pub mod laws;
mod lines;
mod name;
pub mod reader;
mod requests;
pub mod rows;
pub mod shown;
mod unfolded;
pub mod words;
pub mod writer;

use crate::experiment::DELTA_RATIO;

pub use crate::experiment::{Placement, Role};
pub use csv_text::{csv_of, guarded};
pub use datapackage::with_derived;
pub use error::RecordError;
pub use name::{run_id, utc_now};
pub use reader::{read, read_calibration, read_datapackage, read_experiment, read_noise};
pub use requests::{Timing, read_timings};
pub use rows::compare::CompareRow;
pub use rows::{
    CalibrationRow, FactRow, LoadPointRow, MemoryRow, NoiseRow, PlanRow, RequestOf, RequestRow,
    TrialRow, facts, plan_rows,
};
pub use words::{FactStatus, NoiseLabel, Phase, ProcessRole, Regime, Status, Validity, YesNo};
pub use writer::RunDir;

/// Requests of a window that are kept one by one; of a longer window, a sample is kept.
pub const KEPT: usize = 20_000;

/// Version of the files' layout; a newer one is refused with both numbers.
pub const SCHEMA_VERSION: u32 = 2;

/// `manifest.json`: which run this is. Written once, before the first trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Name of the run directory when it was made.
    pub run_id: String,
    /// Version of forkbench.
    pub forkbench_version: String,
    /// Git revision it was built from, with `-dirty` where the tree was; empty if unknown.
    pub git_revision: String,
    /// The command line after the program's name.
    pub arguments: Vec<String>,
    /// Name of the experiment.
    pub experiment: String,
    /// Its question.
    pub question: String,
    /// Name of the strategy that ratios are against.
    pub reference: String,
    /// Name of the preset.
    pub preset: String,
    /// Blocks planned per family.
    pub blocks: u32,
    /// Deadline of the whole run in ns, if it has one.
    pub budget_ns: Option<u64>,
    /// Seed of orders and inputs.
    pub seed: u64,
    /// RFC 3339, UTC.
    pub started_utc: String,
    /// How long trials are, as decided before the first; `None` in a run of an older forkbench,
    /// whose trials are as long as its preset says.
    #[serde(default)]
    pub windows: Option<Windows>,
    /// Memory that a pool must fit into, if the user named an amount.
    #[serde(default)]
    pub memory_budget_bytes: Option<u64>,
    /// Name of the claims that the run decides, if its experiment has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<String>,
    /// δ, the smallest difference that matters, as a share: 0.03 is 3 %.
    #[serde(default = "default_delta_ratio")]
    pub delta_ratio: f64,
}

/// The δ of a run whose manifest names none.
fn default_delta_ratio() -> f64 {
    DELTA_RATIO
}

/// How long the trials of a run are: the same for all trials, decided before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// A window of a closed loop ends once it is as long as this and has enough requests.
    pub min_window_ns: u64,
    /// Requests that are enough.
    pub min_requests: u64,
    /// A window of a closed loop ends at the first completion after this.
    pub max_window_ns: u64,
    /// Load before the window begins, at least.
    pub warm_up_ns: u64,
    /// The shortest and the longest window of an open loop.
    pub open_window_ns: [u64; 2],
    /// Shorter than the preset's, so that enough blocks fit into the budget.
    pub shortened: bool,
}

/// `env.json`: facts about machine and toolchain by name, and the facts that could not be read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Environment {
    /// Name, with unit where there is one (`memory_total_bytes`), to value.
    pub facts: BTreeMap<String, serde_json::Value>,
    /// Name of a fact to the reason why it is missing.
    pub unavailable: BTreeMap<String, String>,
}

/// A run as read from its directory: the whole input of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Which run.
    pub manifest: Manifest,
    /// On what machine.
    pub environment: Environment,
    /// The planned trials; one without a row in `trials` was not run.
    pub plan: Vec<PlanRow>,
    /// The attempts, in the order in which they ended.
    pub trials: Vec<TrialRow>,
    /// What the processes of memory trials held.
    pub memory: Vec<MemoryRow>,
    /// What its demonstrations showed, in order.
    pub facts: Vec<FactRow>,
    /// What reading left out or doubts, in sentences with file and line.
    pub remarks: Vec<String>,
}

#[cfg(test)]
mod tests;
