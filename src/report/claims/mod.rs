//! Claims as data: what a document says, which measured figure decides each sentence of it, and
//! from which value on it is confirmed or refuted. A run's rows in, verdicts out; no verdict is
//! written by hand.
//!
//! In reading order: [`wire`] is the file, [`read`] and [`selector`] check it, [`find`] and
//! [`measure`] look the figures that it names up among the rows of a run, [`measured`] is what is
//! found, [`judge`] holds it against the bounds, [`words`] says it.
//!
//! A figure decides with its whole interval: one that reaches across a bound decides nothing. A
//! ratio decides only where its comparison stands: the family's placebo is there and does not
//! differ, and what the comparison concludes is not left open and agrees. Each claim stands on its
//! own 95 % interval, without an adjustment for how many claims there are.

use crate::experiment::builtin;
use crate::record::Run;
use crate::workload::options::Options;

use super::memory::{MemoryRole, MemorySummary, Quantity};
use crate::analysis::cells::Analysed;
use crate::analysis::metrics::Metric;

mod find;
pub(super) mod judge;
mod measure;
mod measured;
mod read;
mod selector;
#[cfg(test)]
mod tests;
mod wire;
mod words;

pub(super) use judge::{Judged, JudgedTest, Verdict};
pub(super) use measured::{Measured, Missing, Pairing};
pub(super) use words::{chip, shown, tally};

/// A document's claims, the figures that decide them, and its tables.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    /// What the document is called.
    pub(super) document: String,
    /// Every figure, in the order of the file.
    pub(super) figures: Vec<Figure>,
    /// In the order of the file, which is that of the document.
    pub(super) claims: Vec<Claim>,
    /// In the order of the file.
    pub(super) tables: Vec<TableOf>,
}

/// One sentence of the document.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    /// Unique; letters, digits and `-`.
    pub(super) id: String,
    /// The document's heading that it stands under.
    pub(super) section: String,
    /// Where there: the table and its row, or the number in a list.
    pub(super) place: String,
    /// What is said, in the document's words, shortened.
    pub(super) words: String,
    /// What would confirm it, a sentence.
    pub(super) confirms: String,
    /// What would refute it, a sentence.
    pub(super) refutes: String,
    /// What decides.
    pub(super) rule: Rule,
}

/// What decides a claim.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    /// Figures, in the order of the file; at least one. Those of the first condition decide whether
    /// there is a verdict at all, those of others whether it depends.
    Tests(Vec<Test>),
    /// No measurement could, and why.
    NotMeasurable(String),
    /// A measurement could, of which there is none, and why.
    NotYet(String),
}

/// A figure and what it would have to be.
#[derive(Debug, Clone)]
pub(super) struct Test {
    /// The condition that it speaks of; tests of one condition must all hold. Empty if the claim
    /// knows only one.
    pub(super) on: String,
    /// Index in [`Claims::figures`].
    pub(super) figure: usize,
    /// Confirmed if the whole interval lies within.
    pub(super) confirmed: Bounds,
    /// Refuted if the whole interval lies within; `None` is all that is not confirmed.
    pub(super) refuted: Option<Bounds>,
    /// Without which the figure says nothing of the claim.
    pub(super) provided: Option<Provision>,
}

/// What must hold for a figure to speak of a claim at all: that work which is called heavy is.
#[derive(Debug, Clone)]
pub(super) struct Provision {
    /// Index in [`Claims::figures`].
    pub(super) figure: usize,
    /// Held if the whole interval lies within.
    pub(super) bounds: Bounds,
    /// What is the matter otherwise, a clause.
    pub(super) otherwise: String,
}

/// From and to, both included, in the figure's own unit; at least one of the two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    /// The lowest value within.
    pub(super) low: Option<f64>,
    /// The highest value within.
    pub(super) high: Option<f64>,
}

/// A number that the rows of a run may have.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    /// Unique; letters, digits and `-`.
    pub(super) id: String,
    /// Which number.
    pub(super) of: Selector,
    /// Which number it is divided by, if it is a ratio.
    pub(super) over: Option<Selector>,
    /// 1 is shown as `yes` and 0 as `no`.
    pub(super) is_yes_no: bool,
}

/// Where a number stands.
#[derive(Debug, Clone)]
pub(super) enum Selector {
    /// A metric of an arm of timed trials.
    Arm(ArmOf),
    /// What each further child costs, by the line of memory trials.
    Slope(SlopeOf),
    /// What processes held in memory trials with so many children.
    Memory(MemoryOf),
    /// What a demonstration showed.
    Fact(FactOf),
}

/// A metric of an arm.
#[derive(Debug, Clone)]
pub(super) struct ArmOf {
    pub(super) family: FamilyOf,
    pub(super) runtime: String,
    pub(super) strategy: String,
    /// Those that tell the arm from others of its strategy.
    pub(super) options: Options,
    pub(super) metric: &'static Metric,
    /// Whether the metric has rows in `cells.csv`; the others are read from `trials.csv`.
    pub(super) has_cells: bool,
}

/// A family in any runtime.
#[derive(Debug, Clone)]
pub(super) struct FamilyOf {
    pub(super) workload: String,
    /// Where the workload has sizes.
    pub(super) size: Option<String>,
    /// Where the workload takes a payload.
    pub(super) payload_bytes: Option<u64>,
    /// The workload's options that are not at their defaults, as written.
    pub(super) options: Options,
    pub(super) load: LoadOf,
}

/// How requests are offered, as written: multiples of cores are for whoever knows the machine.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum LoadOf {
    /// `1` or `2x` callers of a closed loop.
    Callers(String),
    /// An open loop.
    Open {
        /// Of the capacity of `blocking`.
        share: f64,
        /// What probes go through; empty without probes.
        probe: String,
    },
}

/// The slope of a strategy's line.
#[derive(Debug, Clone)]
pub(super) struct SlopeOf {
    pub(super) runtime: String,
    pub(super) strategy: String,
    /// The slope times so many children.
    pub(super) children: u32,
}

/// What a tree with so many children holds.
#[derive(Debug, Clone)]
pub(super) struct MemoryOf {
    pub(super) runtime: String,
    pub(super) strategy: String,
    pub(super) children: u32,
    pub(super) of: MemoryRole,
    pub(super) quantity: &'static Quantity,
}

/// A fact of a case of a demonstration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FactOf {
    pub(super) demonstration: String,
    pub(super) case: String,
    pub(super) runtime: String,
    pub(super) fact: String,
}

/// A table, in the document's layout with measured columns behind it.
#[derive(Debug, Clone)]
pub(super) struct TableOf {
    /// Unique; letters, digits and `-`.
    pub(super) id: String,
    pub(super) title: String,
    /// What the measured columns are, for readers; may be empty.
    pub(super) scope: String,
    /// The document's own columns.
    pub(super) columns: Vec<String>,
    /// Behind them.
    pub(super) measured: Vec<String>,
    pub(super) rows: Vec<RowOf>,
}

/// A row of a table.
#[derive(Debug, Clone)]
pub(super) struct RowOf {
    /// One per column of the document, in its words.
    pub(super) words: Vec<String>,
    /// One per measured column.
    pub(super) cells: Vec<Vec<Part>>,
    /// Indices in [`Claims::claims`] of those that judge the row.
    pub(super) claims: Vec<usize>,
}

/// A piece of a measured cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// As it stands in the file.
    Words(String),
    /// A figure, by its index in [`Claims::figures`].
    Figure(usize),
    /// What a demonstration said of the figure beside its number.
    TextOf(usize),
}

/// What a run is judged from.
#[derive(Clone, Copy)]
pub(super) struct Evidence<'a> {
    pub(super) run: &'a Run,
    pub(super) families: &'a [Analysed<'a>],
    pub(super) memory: &'a MemorySummary,
}

/// A run's answers to the claims of its experiment.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    /// The claims.
    pub(super) claims: Claims,
    /// Of each figure, or why there is none.
    pub(super) figures: Vec<Result<Measured, Missing>>,
    /// Of each claim.
    pub(super) judged: Vec<Judged>,
}

/// The answers of a run whose experiment has claims that this program knows.
pub(super) fn answers(evidence: Evidence<'_>) -> Option<Answers> {
    let name = evidence.run.manifest.claims.as_deref()?;
    let builtin = builtin::claims_by_name(name)?;
    let claims = read::parse(builtin.text, builtin.path)
        .expect("the claims that come with the program are right; a test reads them");
    let figures = measure::figures(&claims, evidence);
    let judged = judge::judge(&claims, &figures);
    Some(Answers { claims, figures, judged })
}
