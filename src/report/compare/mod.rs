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
use crate::stats::across::Across;

use crate::analysis::{cells, memory};
use advice::Advice;
use cell::{Arm, Cell, Draft, Group, Measured, Refusal, Said, Value};
use differs::Differing;
use judged::Counts;
use matched::{Left, Only};

mod advice;
mod advised;
mod cell;
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

pub use crate::record::CompareRow;
pub use refused::Incomparable;

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
    /// The smallest difference that matters: the larger one of the two runs.
    delta_ratio: f64,
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
    /// Why answers could not be held against each other; empty if they could.
    unchecked: String,
    /// What reading had to drop or doubt.
    remarks: Vec<String>,
}

/// Compares two runs.
///
/// # Errors
/// They cannot be compared at all, or have nothing in common; in words, with what to do.
pub fn compare(a: &Run, b: &Run) -> Result<Compared, Incomparable> {
    refused::check([a, b])?;
    let families = [cells::run(a), cells::run(b)];
    let memories = [memory::of_run(a), memory::of_run(b)];
    refused::check_usable([a, b], &families, &memories)?;
    let delta_ratio = a.manifest.delta_ratio.max(b.manifest.delta_ratio);
    let mut matched = matched::families([a, b], &families);
    let mut groups: Vec<Group> = matched.pairs.iter().map(|pair| timed::group(*pair)).collect();
    let mut cells = timed::cells(&matched.pairs, delta_ratio);
    let held = held::matched(&memories, groups.len(), delta_ratio);
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
        delta_ratio,
        differs: differs::first([a, b]),
        also_differs: differs::others([a, b]),
        advice: advice::of(&matched.pairs, delta_ratio),
        groups,
        cells: judged::judged(cells),
        only: matched.only,
        left: matched.left,
        hint,
        unchecked: advised::unchecked([a, b].map(|run| run.manifest.seed)),
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
    /// That the runs answered the same input differently: to be said wherever the numbers go, for
    /// no number says it.
    pub fn alarm(&self) -> Option<String> {
        advised::alarm(self)
    }

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
            "alarm": self.alarm(),
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
            "unchecked": self.unchecked,
            "remarks": self.remarks,
        })
    }

    /// The cells of a group.
    fn of_group(&self, group: usize) -> impl Iterator<Item = &Cell<Across>> {
        self.cells.iter().filter(move |cell| cell.group == group)
    }
}
