//! One metric of one arm in both runs: where it belongs, its values, and what is compared of it.

use crate::stats::Interval;
use crate::stats::across::Pair;
use crate::stats::verdict::{Better, Conclusion};

use super::Side;

/// What cells have in common: a family, or a group of memory trials.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Group {
    /// The family's; empty for memory, whose lines go through several families.
    pub(super) family_id: String,
    /// In words.
    pub(super) title: String,
    /// As in `trials.csv`, like those that follow; `memory` for memory.
    pub(super) regime: String,
    pub(super) runtime: String,
    pub(super) workload: String,
    pub(super) workload_options: String,
    pub(super) size: String,
    pub(super) callers: Option<u32>,
    pub(super) placement: String,
    pub(super) payload_bytes: u64,
    pub(super) ballast_bytes: u64,
    /// What is to be known of it.
    pub(super) notes: Vec<String>,
}

/// One metric of one arm in both runs; `V` is what is compared, and then what came of it.
#[derive(Debug, Clone)]
pub(super) struct Cell<V> {
    /// Place in [`Compared::groups`].
    pub(super) group: usize,
    pub(super) arm: Arm,
    pub(super) metric: Measured,
    /// Of each run, its own.
    pub(super) values: [Option<Value>; 2],
    /// The smallest difference that matters: the larger one of the two runs; 0.03 is 3 %.
    pub(super) delta_ratio: f64,
    /// B over A.
    pub(super) absolute: Result<V, Refusal>,
    /// The same of ratios to the reference; `None` of the reference, and of memory.
    pub(super) relative: Option<Result<V, Refusal>>,
    /// What each run says by itself of the arm against the reference.
    pub(super) said: Option<[Said; 2]>,
    /// The placebo of either run differs from the reference that it is.
    pub(super) is_grey: bool,
}

/// Which arm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arm {
    /// As A's tables call it.
    pub(super) label: String,
    pub(super) strategy: String,
    pub(super) options: String,
    pub(super) role: &'static str,
}

/// Which metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measured {
    /// As in `cells.csv`.
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) better: Better,
    /// In words, short.
    pub(super) word: &'static str,
}

/// A run's own value: the median over its blocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Value {
    pub(super) estimate: f64,
    /// At 95 %, from 6 blocks.
    pub(super) interval: Option<Interval>,
    pub(super) n_blocks: usize,
}

/// What a run says of an arm against its reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Said {
    pub(super) ratio: Option<f64>,
    pub(super) conclusion: Conclusion,
}

/// Why there is nothing to compare.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refusal {
    /// The arm failed, was skipped or was not run: where, and in words.
    Failed(Side, String),
    /// The reference did.
    ReferenceFailed(Side),
    /// No block has a value, mostly too few requests for the quantile.
    NoValue(Side),
    /// Requests came at another rate, because it is a share of each machine's own capacity.
    OtherRate([f64; 2]),
    /// A child that costs nothing, or less, is no multiple of another.
    NotPositive(Side),
    /// What is in common is no line: fewer than two numbers of children.
    NoLine,
}

impl Refusal {
    /// As in the files.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Refusal::Failed(Side::A, _) => "arm_failed_in_a",
            Refusal::Failed(Side::B, _) => "arm_failed_in_b",
            Refusal::ReferenceFailed(Side::A) => "reference_failed_in_a",
            Refusal::ReferenceFailed(Side::B) => "reference_failed_in_b",
            Refusal::NoValue(Side::A) => "no_value_in_a",
            Refusal::NoValue(Side::B) => "no_value_in_b",
            Refusal::OtherRate(_) => "other_rate",
            Refusal::NotPositive(_) => "not_positive",
            Refusal::NoLine => "no_line",
        }
    }
}

/// Before it is judged.
pub(super) type Draft = Cell<Pair>;
