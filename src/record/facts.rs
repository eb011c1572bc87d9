//! What demonstrations showed: the rows of `facts.csv`.

use serde::{Deserialize, Serialize};

/// One row of `facts.csv`: one thing that one demonstration showed in one block. The last row of
/// each demonstration has the fact [`TOOK_MS`] and says how it ended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "every column has its sentence in results/README.md, which a test holds complete"
)]
pub struct FactRow {
    pub run_id: String,
    pub demonstration: String,
    pub case: String,
    pub runtime: String,
    pub block: u32,
    pub fact: String,
    pub value: Option<f64>,
    pub unit: String,
    pub text: String,
    pub status: FactStatus,
    pub reason: String,
    pub started_utc: String,
}

/// What became of a demonstration, as far as a row speaks of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FactStatus {
    /// It was shown.
    #[default]
    Ok,
    /// The demonstration did not do what it is for.
    Failed,
    /// It cannot be shown on this machine.
    Skipped,
}

/// The fact of the row that ends a demonstration: how long it took, in ms, and whether it went
/// well. A demonstration that has this row is over and is not run again.
pub const TOOK_MS: &str = "took_ms";

impl FactStatus {
    /// `ok`, `failed` or `skipped`.
    pub fn name(self) -> &'static str {
        match self {
            FactStatus::Ok => "ok",
            FactStatus::Failed => "failed",
            FactStatus::Skipped => "skipped",
        }
    }
}

impl FactRow {
    /// Whether it is the last row of its demonstration.
    pub fn is_last(&self) -> bool {
        self.fact == TOOK_MS
    }
}
