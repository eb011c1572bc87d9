//! `facts.csv`: what demonstrations showed.

use crate::record::columns::{Signed, Utc, table};
use crate::record::words::FactStatus;

table! {
    FACTS "facts.csv", key ["demonstration", "case", "runtime", "block", "fact"],
    /// One thing that one demonstration showed in one block, or how the demonstration ended.
    pub struct FactRow {
        /// The run, as in `manifest.json`.
        run_id: String,
        /// Name of the demonstration; its program has this name in
        /// `subjects/<runtime>/demonstrations/`.
        demonstration: String,
        /// The case that was shown: a way of creating a child, the notes' code or its correction, a
        /// place and a way to crash. Empty in the row that ends the demonstration.
        case: String as Option<String>,
        /// The runtime in which it was shown.
        runtime: String,
        /// The block whose trials it followed, from 1.
        block: u32,
        /// The fact; those of each demonstration are listed above. `took_ms`: how long the whole
        /// demonstration took; always its last row.
        fact: String,
        /// The number, in the unit of the next column; of a yes or no, 1 or 0. Empty where it could
        /// not be found out, or where there is only a text.
        value: Option<f64> as Option<Signed>,
        /// The unit of the value: `bytes`, `ms`, `MB`, `cores`; empty for counts, and for 1 or 0.
        unit: String as Option<String>,
        /// A result that is not a number: the name of an error, the new form of an object.
        text: String as Option<String>,
        /// `ok`: it was shown. `failed`: the demonstration ended in another way than it should, was
        /// too late, printed an invalid fact, or left processes. `skipped`: its runtime is missing.
        /// Earlier rows of a demonstration that is not `ok` are valid.
        status: FactStatus,
        /// Why the status is not `ok`.
        reason: String as Option<String>,
        /// When the demonstration began.
        started_utc: String as Utc,
    }
}

/// The fact of the row that ends a demonstration: how long it took, in ms, and whether it went
/// well. A demonstration that has this row is over and is not run again.
pub const TOOK_MS: &str = "took_ms";

impl FactRow {
    /// Whether it is the last row of its demonstration.
    pub fn is_last(&self) -> bool {
        self.fact == TOOK_MS
    }
}
