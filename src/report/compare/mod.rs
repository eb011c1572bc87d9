//! Two runs of the same experiment, on another machine or at another time: what is faster, and
//! whether the same advice holds. [`compare`] says so, or why it cannot be said.
//!
//! Two views, which answer two questions. *Absolute*: an arm in B against the same arm in A, which
//! is mostly about the machines. *Relative*: how the arm compares with the reference in B against
//! how it does in A; what a machine does to all arms alike is divided out, and what is left is
//! whether the advice changes.

use serde::Serialize;
use serde_json::json;

use crate::record::{Run, csv_of};
use crate::stats::Interval;
use crate::stats::across::{Across, Pair};
use crate::stats::verdict::{Better, Conclusion};

use super::{analyse, memory};
use advice::Advice;
use differs::Differing;
use judged::Counts;
use matched::{Left, Only};

mod advice;
mod differs;
mod held;
mod judged;
mod matched;
mod page;
mod refused;
mod rows;
mod tables;
mod terminal;
#[cfg(test)]
mod tests;
mod timed;
mod words;

pub use refused::Incomparable;
pub use rows::CompareRow;

/// Which of the two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) enum Side {
    /// The one named first, which is divided by.
    A,
    /// The one named second.
    B,
}

impl Side {
    /// In the order in which they are named.
    pub(super) const BOTH: [Side; 2] = [Side::A, Side::B];

    /// `A` or `B`.
    pub(super) fn letter(self) -> &'static str {
        match self {
            Side::A => "A",
            Side::B => "B",
        }
    }
}

/// What two runs say of each other.
#[derive(Debug, Clone)]
pub struct Compared {
    /// A and B.
    run_ids: [String; 2],
    experiment: String,
    question: String,
    /// What arms are compared with inside each run.
    reference: String,
    /// What should be known to differ before any number is read.
    differs: Vec<Differing>,
    /// Whatever else the machines' facts differ in.
    also_differs: Vec<Differing>,
    /// Families and groups of memory trials that both have.
    groups: Vec<Group>,
    /// In the order of the groups.
    cells: Vec<Cell<Across>>,
    advice: Vec<Advice>,
    only: Vec<Only>,
    /// Common, but not compared.
    left: Vec<Left>,
    /// What to do about what only one of them has; empty if there is nothing to do.
    hint: String,
    /// What reading had to drop or doubt.
    remarks: Vec<String>,
}

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
    /// δ, as the placebos of both runs say it: 0.03 is 3 %.
    pub(super) delta_ratio: Option<f64>,
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

/// Compares two runs.
///
/// # Errors
/// They cannot be compared at all, or have nothing in common; in words, with what to do.
pub fn compare(a: &Run, b: &Run) -> Result<Compared, Incomparable> {
    refused::check([a, b])?;
    let families = [analyse::run(a), analyse::run(b)];
    let memories = [memory::of_run(a), memory::of_run(b)];
    refused::check_usable([a, b], &families, &memories)?;
    let mut matched = matched::families([a, b], &families);
    let mut groups: Vec<Group> = matched
        .pairs
        .iter()
        .map(|pair| timed::group(*pair))
        .collect();
    let mut cells = timed::cells(&matched.pairs);
    let held = held::matched(&memories, groups.len());
    groups.extend(held.groups);
    cells.extend(held.cells);
    matched.only.extend(held.only);
    matched.left.extend(held.left);
    let hint = matched::hint([a, b], &matched.only);
    if cells.is_empty() {
        return Err(refused::nothing_in_common([a, b], &matched, &hint));
    }
    Ok(Compared {
        run_ids: [a, b].map(|run| run.manifest.run_id.clone()),
        experiment: a.manifest.experiment.clone(),
        question: a.manifest.question.clone(),
        reference: a.manifest.reference.clone(),
        differs: differs::first([a, b]),
        also_differs: differs::others([a, b]),
        advice: advice::of(&matched.pairs),
        groups,
        cells: judged::judged(cells),
        only: matched.only,
        left: matched.left,
        hint,
        remarks: remarks([a, b]),
    })
}

fn remarks(runs: [&Run; 2]) -> Vec<String> {
    let named = |(side, run): (Side, &Run)| {
        let all = run.remarks.iter();
        let all = all.map(move |remark| format!("{}: {remark}", side.letter()));
        all.collect::<Vec<_>>()
    };
    Side::BOTH.into_iter().zip(runs).flat_map(named).collect()
}

impl Compared {
    /// The tables for a terminal of this many columns; no escape sequences.
    pub fn terminal(&self, width: usize) -> String {
        terminal::render(self, width)
    }

    /// The page: one file that needs no network, no script and no other file.
    pub fn html(&self) -> String {
        page::render(self)
    }

    /// One row for every cell, whatever became of it, in machine units.
    pub fn rows(&self) -> Vec<CompareRow> {
        rows::of(self)
    }

    /// [`Compared::rows`] as CSV.
    ///
    /// # Errors
    /// None that a row of numbers and texts could cause.
    pub fn csv(&self) -> csv::Result<String> {
        csv_of(&self.rows())
    }

    /// Everything, in machine units.
    pub fn json(&self) -> serde_json::Value {
        json!({
            "a": self.run_ids[0],
            "b": self.run_ids[1],
            "experiment": self.experiment,
            "reference": self.reference,
            "sentences": words::summary(self),
            "differs": self.differs,
            "also_differs": self.also_differs,
            "counts": {
                "absolute": Counts::absolute(self),
                "relative": Counts::relative(self),
            },
            "advice": self.advice,
            "cells": self.rows(),
            "only": self.only,
            "left": self.left,
            "hint": self.hint,
            "remarks": self.remarks,
        })
    }

    /// The cells of a group.
    fn of_group(&self, group: usize) -> impl Iterator<Item = &Cell<Across>> {
        self.cells.iter().filter(move |cell| cell.group == group)
    }
}

/// Before it is judged.
pub(super) type Draft = Cell<Pair>;
