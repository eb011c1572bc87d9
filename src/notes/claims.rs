//! A document's claims as TOML says them: each sentence, the figures that decide it, the bounds
//! within which a figure confirms or refutes, and the document's tables.
//!
//! The types are those of the file. It is built in, so tests check the names in it, and code may rely
//! on them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::{Spanned, Value};

use crate::workload::options::Options;

/// A document's claims, the figures that decide them, and its tables.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// What the document is called.
    pub document: String,
    /// By the name that figures use.
    #[serde(rename = "family")]
    pub families: BTreeMap<String, Spanned<Family>>,
    /// By the name that tests and cells use.
    #[serde(rename = "figure")]
    pub figures: BTreeMap<String, Spanned<Figure>>,
    /// In the order of the document.
    #[serde(rename = "claim")]
    pub claims: Vec<Claim>,
    /// In the order of the document.
    #[serde(rename = "table", default)]
    pub tables: Vec<DocumentTable>,
}

/// One sentence of the document. Exactly one of `tests`, `not_a_matter_of_measurement` and
/// `not_yet_measured` is there.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, expecting = "a table that begins with [[claim]]")]
pub struct Claim {
    /// Unique; lower-case letters, digits and `-`.
    pub id: Spanned<String>,
    /// The document's heading above the claim.
    pub section: String,
    /// The table and its row, or the number in a list.
    pub place: String,
    /// The claim in the document's words, shortened.
    pub words: String,
    /// The result that would confirm it, a sentence.
    #[serde(default)]
    pub confirms: String,
    /// The result that would refute it, a sentence.
    #[serde(default)]
    pub refutes: String,
    /// Tests of the first condition decide whether there is a verdict; tests of other conditions
    /// decide whether it depends.
    #[serde(default, rename = "test", skip_serializing)]
    pub tests: Vec<Test>,
    /// Why no measurement could decide it.
    #[serde(skip_serializing)]
    pub not_a_matter_of_measurement: Option<String>,
    /// Why no trial or demonstration measures it yet.
    #[serde(skip_serializing)]
    pub not_yet_measured: Option<String>,
}

/// A figure and the values that would confirm or refute its claim.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table that begins with [[claim.test]]")]
pub struct Test {
    /// The condition that it belongs to; all tests of a condition must hold. Empty in a claim of
    /// one condition.
    #[serde(default)]
    pub on: String,
    /// Which figure.
    pub figure: Spanned<String>,
    /// Confirmed if the whole interval lies within.
    pub confirmed_when: Bounds,
    /// Refuted if the whole interval lies within; without it, if it lies outside of
    /// `confirmed_when`, on one side.
    pub refuted_when: Option<Bounds>,
    /// What must hold for the figure to say anything about the claim.
    pub provided: Option<Provision>,
}

/// What must hold for a test: work that is called CPU-intensive must take CPU time.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { figure = \"cores\", when = { at_least = 2 }, otherwise = \"…\" }"
)]
pub struct Provision {
    /// Which figure.
    pub figure: Spanned<String>,
    /// It holds if the whole interval lies within.
    pub when: Bounds,
    /// Why the test decides nothing otherwise, a clause.
    pub otherwise: String,
}

/// From and to, both included, in the figure's unit; at least one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "BTreeMap<String, f64>")]
pub struct Bounds {
    /// The lowest value within.
    pub low: Option<f64>,
    /// The highest value within.
    pub high: Option<f64>,
}

/// A number that the rows of a run may have.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "toml::Table")]
pub struct Figure {
    /// Which number.
    pub of: Selector,
    /// The number it is divided by, if it is a ratio.
    pub over: Option<Selector>,
    /// Whether 1 is shown as `yes` and 0 as `no`.
    pub is_yes_no: bool,
}

/// Where a number stands.
#[derive(Debug, Clone)]
pub enum Selector {
    /// A metric of an arm of timed trials.
    Arm(ArmOf),
    /// The memory of each further child, by the line through memory trials.
    Slope(SlopeOf),
    /// The memory of processes, in trials of one number of children.
    Memory(MemoryOf),
    /// A fact that a demonstration showed.
    Fact(FactOf),
}

/// A metric of an arm.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmOf {
    /// Name in [`Claims::families`].
    pub family: String,
    /// Name of the runtime.
    pub runtime: String,
    /// Name of the strategy.
    pub strategy: String,
    /// Options that tell the arm from others of its strategy.
    #[serde(default)]
    pub options: Options,
    /// Name of a metric.
    pub metric: String,
}

/// The slope of a strategy's line.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlopeOf {
    /// Name of the runtime.
    pub runtime: String,
    /// Name of the strategy.
    pub strategy: String,
    /// Name of the metric of the line.
    pub slope: String,
    /// The slope times this number of children, if not once.
    pub children: Option<u32>,
}

/// The memory of processes in trials with `children` children.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryOf {
    /// Name of the runtime.
    pub runtime: String,
    /// Name of the strategy.
    pub strategy: String,
    /// How many children the trial holds.
    pub children: u32,
    /// Name of a part of a tree.
    pub of: String,
    /// Name of a quantity.
    pub memory: String,
}

/// A fact of a case of a demonstration. No registry lists these: a fact that a run lacks makes a
/// claim that is not yet measured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "named as the columns of facts.csv")]
pub struct FactOf {
    pub demonstration: String,
    pub case: String,
    pub runtime: String,
    pub fact: String,
}

/// A family in any runtime. Exactly one of `callers` and `share` is there.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { workload = \"noop\", payload_bytes = 64, callers = 1 }"
)]
pub struct Family {
    /// Name of the workload.
    pub workload: String,
    /// Where the workload has sizes.
    pub size: Option<String>,
    /// Where the workload takes a payload.
    pub payload_bytes: Option<u64>,
    /// The workload's options that are not at their defaults, as written.
    #[serde(default)]
    pub options: Options,
    /// Callers of a closed loop, as written: `1` or `2x`.
    pub callers: Option<String>,
    /// Rate of an open loop, of the capacity of `blocking`.
    pub share: Option<f64>,
    /// The path of the probes of an open loop; empty without probes.
    #[serde(default)]
    pub probe: String,
}

/// A table in the document's layout, with measured columns behind its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table that begins with [[table]]")]
pub struct DocumentTable {
    /// Unique; lower-case letters, digits and `-`.
    pub id: Spanned<String>,
    /// The document's heading of it.
    pub title: String,
    /// What the measured columns are; may be empty.
    #[serde(default)]
    pub scope: String,
    /// The document's own columns; at least one.
    pub columns: Spanned<Vec<String>>,
    /// Heads of the measured columns.
    #[serde(default)]
    pub measured: Vec<String>,
    /// In the order of the document.
    #[serde(rename = "row")]
    pub rows: Vec<DocumentRow>,
}

/// A row of a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table that begins with [[table.row]]")]
pub struct DocumentRow {
    /// One per column of the document, in its words.
    pub words: Spanned<Vec<String>>,
    /// One per measured column; see [`pieces`].
    #[serde(default)]
    pub cells: Vec<Spanned<String>>,
    /// Ids of the claims that judge the row.
    #[serde(default)]
    pub claims: Vec<Spanned<String>>,
}

impl TryFrom<BTreeMap<String, f64>> for Bounds {
    type Error = &'static str;

    fn try_from(given: BTreeMap<String, f64>) -> Result<Bounds, &'static str> {
        let given: Vec<(&str, f64)> = given.iter().map(|(key, n)| (key.as_str(), *n)).collect();
        let (low, high) = match given[..] {
            [("at_least", low)] => (Some(low), None),
            [("at_most", high)] => (None, Some(high)),
            [("from", low), ("to", high)] if low <= high => (Some(low), Some(high)),
            [("is", value)] => (Some(value), Some(value)),
            _ => {
                return Err("expected one of { at_least = 1 }, { at_most = 1 }, { is = 1 } and \
                            { from = 1, to = 2 }, of which `from` is the lower one");
            }
        };
        match [low, high].into_iter().flatten().all(f64::is_finite) {
            true => Ok(Bounds { low, high }),
            false => Err("expected a finite number"),
        }
    }
}

impl TryFrom<toml::Table> for Figure {
    type Error = String;

    /// `over` says only what differs in the number that the figure is divided by.
    fn try_from(mut table: toml::Table) -> Result<Figure, String> {
        let is_yes_no = match table.remove("yes_no") {
            None => false,
            Some(value) => value.as_bool().ok_or("expected `yes_no = true`")?,
        };
        let over = table.remove("over");
        let of = Selector::try_from(table.clone())?;
        let over = match over {
            None => None,
            Some(Value::Table(differs)) => {
                table.extend(differs);
                Some(Selector::try_from(table)?)
            }
            Some(_) => return Err("expected a table in `over`".to_owned()),
        };
        Ok(Figure { of, over, is_yes_no })
    }
}

impl TryFrom<toml::Table> for Selector {
    type Error = String;

    fn try_from(table: toml::Table) -> Result<Selector, String> {
        let mut kinds = vec!["metric", "slope", "memory", "fact"];
        kinds.retain(|kind| table.contains_key(*kind));
        let value = Value::Table(table);
        let selector = match kinds[..] {
            ["metric"] => value.try_into().map(Selector::Arm),
            ["slope"] => value.try_into().map(Selector::Slope),
            ["memory"] => value.try_into().map(Selector::Memory),
            ["fact"] => value.try_into().map(Selector::Fact),
            _ => {
                let expected = "expected exactly one of `metric`, `slope`, `memory` and `fact`";
                return Err(expected.to_owned());
            }
        };
        selector.map_err(|error| error.message().to_owned())
    }
}

impl Selector {
    /// The runtime of the number.
    pub fn runtime(&self) -> &str {
        match self {
            Selector::Arm(of) => &of.runtime,
            Selector::Slope(of) => &of.runtime,
            Selector::Memory(of) => &of.runtime,
            Selector::Fact(of) => &of.runtime,
        }
    }
}

impl Claims {
    /// The figure of this name, which a test found to be there.
    pub fn figure(&self, name: &str) -> &Figure {
        self.figures[name].get_ref()
    }
}

/// A cell in pieces: words, and the name that stands in braces behind them. `{name}` is a figure,
/// `{name:text}` what a demonstration said with it.
pub fn pieces(cell: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    cell.split_inclusive('}').map(|piece| {
        let named = piece.strip_suffix('}').and_then(|piece| piece.split_once('{'));
        named.map_or((piece, None), |(words, name)| (words, Some(name)))
    })
}
