//! WHAT happened: the files of a run directory, written by the driver and read by the report.
//!
//! Raw files are append-only and fsynced row by row; a run directory is never overwritten.
//! `forkbench report` reads the same files and nothing else.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

mod check;
pub mod columns;
mod csv_text;
mod datapackage;
pub mod environment;
pub mod facts;
pub mod laws;
mod name;
pub mod reader;
pub mod rows;
pub mod shown;
pub mod timings;
mod unfolded;
pub mod writer;

use crate::experiment::DELTA_RATIO;

pub(crate) use check::SEARCH;
pub use csv_text::{csv_of, guarded};
pub use datapackage::with_derived;
pub use facts::{FactRow, FactStatus};
pub use name::{run_id, utc_now};
pub use reader::{
    read, read_calibration, read_datapackage, read_experiment, read_noise, read_requests,
};
pub use rows::{
    CalibrationRow, LoadPointRow, MemoryRow, NoiseRow, RequestOf, RequestRow, TrialRow,
};
pub use timings::{Timing, read_timings};
pub use writer::RunDir;

/// Requests of one trial that are kept whole; of more, a sample.
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
    /// Deadline of the whole run in nanoseconds, if it has one.
    pub budget_ns: Option<u64>,
    /// Seed of orders and inputs.
    pub seed: u64,
    /// RFC 3339, UTC.
    pub started_utc: String,
    /// How long trials are, as decided before the first; `None` in a run of an older forkbench,
    /// whose trials were as long as its preset says.
    #[serde(default)]
    pub windows: Option<Windows>,
    /// What a pool is to fit into, if that was asked for.
    #[serde(default)]
    pub memory_budget_bytes: Option<u64>,
    /// Name of the claims that the run is judged by, if its experiment has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<String>,
    /// δ, the smallest difference that matters, as a share: 0.03 is 3 %.
    #[serde(default = "default_delta_ratio")]
    pub delta_ratio: f64,
}

/// That of runs whose manifest does not say.
fn default_delta_ratio() -> f64 {
    DELTA_RATIO
}

/// How long the trials of a run are: the same for every trial, and decided before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// A window of a closed loop ends once it is as long as this and has enough requests.
    pub min_window_ns: u64,
    /// So many are enough.
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

/// `env.json`: facts of machine and toolchain by name, and what could not be read, with why.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Environment {
    /// Name, with unit where there is one (`memory_total_bytes`), to value.
    pub facts: BTreeMap<String, serde_json::Value>,
    /// Name of a fact to the reason why it is missing.
    pub unavailable: BTreeMap<String, String>,
}

/// One row of `plan.csv`: a planned trial, in order of execution.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "every column has its sentence in results/README.md, which a test holds complete"
)]
pub struct PlanRow {
    pub trial_id: String,
    pub family_id: String,
    pub block: u32,
    pub position: u32,
    pub role: String,
    pub strategy: String,
    pub options: String,
    pub seed: u64,
    /// Empty in runs of an older forkbench.
    #[serde(default)]
    pub label: String,
}

/// A run as read back from its directory: all that a report is a function of.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Which run.
    pub manifest: Manifest,
    /// On what machine.
    pub environment: Environment,
    /// What was planned; trials that are here and not in `trials` were not run.
    pub plan: Vec<PlanRow>,
    /// What happened, in the order in which it did.
    pub trials: Vec<TrialRow>,
    /// What its processes held, of trials that are about memory.
    pub memory: Vec<MemoryRow>,
    /// What its demonstrations showed, in the order in which they did.
    pub facts: Vec<FactRow>,
    /// What reading had to drop or doubt, in sentences with file and line.
    pub remarks: Vec<String>,
}

/// Why a run directory could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A run is never written over something else.
    #[error(
        "run directory {}: exists already and is never overwritten; name another with --out, or \
         move it away", .path.display()
    )]
    Exists {
        /// What was to be created.
        path: PathBuf,
    },
    /// Only one process may append to a run.
    #[error("{}: another process is writing this run; wait for it, or end it with Ctrl-C",
        .path.display())]
    InUse {
        /// The file that is locked.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{operation} {}: {source}", .path.display())]
    Io {
        /// What was attempted: `create`, `write`, `sync`, …
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no manifest.
    #[error("{}: is no run directory: it has no manifest.json", .path.display())]
    NotARun {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Written by a later forkbench, in a layout that this one does not know.
    #[error(
        "{}: has schema version {found}, this forkbench knows {SCHEMA_VERSION}; read it with the \
         forkbench that wrote it, or a newer one", .path.display()
    )]
    NewerSchema {
        /// The run directory.
        path: PathBuf,
        /// The version that its manifest names.
        found: u64,
    },
    /// A file without which nothing can be said is not what it should be.
    #[error("{}: {reason}", .path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with the line where there is one.
        reason: String,
    },
}

impl RecordError {
    /// For `map_err`: the operation and what it was attempted on.
    fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RecordError {
        let path = path.to_owned();
        move |source| RecordError::Io { operation, path, source }
    }

    fn malformed(path: &Path, reason: impl Into<String>) -> RecordError {
        RecordError::Malformed { path: path.to_owned(), reason: reason.into() }
    }
}

/// The folder of raw requests.
const REQUESTS: &str = "requests";

/// The name in [`REQUESTS`] of an attempt's raw requests, by [`TrialRow::requests_name`].
///
/// # Errors
/// The name is no plain one: it may come from a file that was edited by hand.
fn requests_file(trial_id: &str) -> Result<String, RecordError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let name = format!("{trial_id}.csv.zst");
    if trial_id.is_empty() || trial_id.len() > 200 || !trial_id.chars().all(plain) {
        let reason = "a trial's id consists of at most 200 letters, digits, `-` and `_`";
        return Err(RecordError::malformed(&PathBuf::from(REQUESTS).join(name), reason));
    }
    Ok(name)
}

#[cfg(test)]
mod tests;
