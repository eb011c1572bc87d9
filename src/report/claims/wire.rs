//! Claims as they are written in TOML. The twins may hold any nonsense that TOML can express;
//! [`super::read`] makes the domain types of them, which cannot.

use serde::Deserialize;
use toml::Spanned;

use crate::experiment::wire::{Entries, Scalar};

/// A whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireClaims {
    pub(super) document: String,
    pub(super) family: Entries<Spanned<WireFamily>>,
    pub(super) figure: Entries<Spanned<WireFigure>>,
    pub(super) claim: Vec<WireClaim>,
    #[serde(default)]
    pub(super) table: Vec<WireTable>,
}

/// What a family is in any runtime.
#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { workload = \"noop\", payload_bytes = 64, callers = 1 }"
)]
pub(super) struct WireFamily {
    pub(super) workload: Spanned<String>,
    pub(super) size: Option<Spanned<String>>,
    pub(super) payload_bytes: Option<Spanned<u64>>,
    pub(super) options: Option<Entries<Scalar>>,
    pub(super) callers: Option<Spanned<Scalar>>,
    pub(super) share: Option<Spanned<f64>>,
    pub(super) probe: Option<Spanned<String>>,
}

/// Exactly one of `metric`, `slope`, `memory` and `fact`, with what tells where it stands; in
/// `over`, what differs in the number that it is divided by.
#[derive(Debug, Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { family = \"noop\", runtime = \"node\", strategy = \"spawn\", \
                 metric = \"response_p50_ns\" }"
)]
pub(super) struct WireFigure {
    pub(super) runtime: Option<Spanned<String>>,
    pub(super) strategy: Option<Spanned<String>>,
    // Of an arm.
    pub(super) family: Option<Spanned<String>>,
    pub(super) options: Option<Entries<Scalar>>,
    pub(super) metric: Option<Spanned<String>>,
    // Of a line through memory.
    pub(super) slope: Option<Spanned<String>>,
    // Of memory.
    pub(super) memory: Option<Spanned<String>>,
    pub(super) of: Option<Spanned<String>>,
    pub(super) children: Option<Spanned<u32>>,
    // Of a demonstration.
    pub(super) demonstration: Option<Spanned<String>>,
    pub(super) case: Option<Spanned<String>>,
    pub(super) fact: Option<Spanned<String>>,
    pub(super) yes_no: Option<Spanned<bool>>,
    pub(super) over: Option<Box<Spanned<WireFigure>>>,
}

/// One claim with its rule: tests, or the sentence why there are none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table that begins with [[claim]]")]
pub(super) struct WireClaim {
    pub(super) id: Spanned<String>,
    pub(super) section: String,
    pub(super) place: String,
    pub(super) words: String,
    #[serde(default)]
    pub(super) confirms: String,
    #[serde(default)]
    pub(super) refutes: String,
    #[serde(default)]
    pub(super) test: Vec<WireTest>,
    pub(super) not_a_matter_of_measurement: Option<String>,
    pub(super) not_yet_measured: Option<String>,
}

/// One test.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table that begins with [[claim.test]]")]
pub(super) struct WireTest {
    #[serde(default)]
    pub(super) on: String,
    pub(super) figure: Spanned<String>,
    pub(super) confirmed_when: Spanned<WireBounds>,
    pub(super) refuted_when: Option<Spanned<WireBounds>>,
    pub(super) provided: Option<Spanned<WireProvision>>,
}

/// What must hold for a test to say anything.
#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { figure = \"cores\", at_least = 2, otherwise = \"…\" }"
)]
pub(super) struct WireProvision {
    pub(super) figure: Spanned<String>,
    pub(super) at_least: Option<f64>,
    pub(super) at_most: Option<f64>,
    pub(super) otherwise: String,
}

/// `{ at_least = 1 }`, `{ at_most = 1 }`, `{ from = 1, to = 2 }` or `{ is = 1 }`.
#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { at_least = 1.1 } or { from = 20e6, to = 30e6 }"
)]
pub(super) struct WireBounds {
    pub(super) at_least: Option<f64>,
    pub(super) at_most: Option<f64>,
    pub(super) from: Option<f64>,
    pub(super) to: Option<f64>,
    pub(super) is: Option<f64>,
}

/// One table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table that begins with [[table]]")]
pub(super) struct WireTable {
    pub(super) id: Spanned<String>,
    pub(super) title: String,
    #[serde(default)]
    pub(super) scope: String,
    pub(super) columns: Spanned<Vec<String>>,
    #[serde(default)]
    pub(super) measured: Vec<String>,
    pub(super) row: Vec<WireRow>,
}

/// One row of it; `{name}` in a cell is a figure, `{name:text}` what was said beside it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table that begins with [[table.row]]")]
pub(super) struct WireRow {
    pub(super) words: Spanned<Vec<String>>,
    #[serde(default)]
    pub(super) cells: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) claims: Vec<Spanned<String>>,
}
