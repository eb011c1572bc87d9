//! Two runs of the same experiment, on another machine or at another time: which is faster, and
//! whether the same advice holds. [`compare`] answers, or says why it cannot.
//!
//! Two views answer two questions. *Absolute*: an arm in B against the same arm in A, which is
//! mostly about the machines. *Relative*: the ratio of the arm to the reference in B against that in
//! A. What a machine does to all arms alike is divided out, and the rest is whether the advice
//! changes.

use serde::Serialize;
use serde_json::json;

use crate::record::{Manifest, Run, csv_of};

use super::document::Document;
use super::{page, terminal};
use crate::analysis::memory;
use advice::Advice;
use cells::{Cell, Group};
use differences::Difference;
use judged::Counts;
use pairing::{Left, Only};

mod advice;
mod cells;
mod differences;
mod document;
mod held;
mod judged;
mod pairing;
mod refusals;
mod rows;
mod sentences;
#[cfg(test)]
mod tests;

pub use crate::record::CompareRow;
pub use refusals::Incomparable;

/// One of the two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Side {
    /// The one named first, which is divided by.
    A,
    /// The one named second.
    B,
}

impl Side {
    /// In the order in which they are named.
    pub const BOTH: [Side; 2] = [Side::A, Side::B];

    /// `A` or `B`.
    pub fn letter(self) -> &'static str {
        match self {
            Side::A => "A",
            Side::B => "B",
        }
    }
}

/// What two runs say of each other.
#[derive(Debug, Clone)]
pub struct Compared {
    /// Of A and B, which have one experiment and one reference.
    manifests: [Manifest; 2],
    /// The smallest difference that matters: the larger one of the two runs.
    delta_ratio: f64,
    /// To be read before any number.
    differs: Vec<Difference>,
    /// The other facts of the machines that differ.
    also_differs: Vec<Difference>,
    /// Families and groups of memory trials that both have.
    groups: Vec<Group>,
    /// In the order of the groups.
    cells: Vec<Cell>,
    advice: Vec<Advice>,
    only: Vec<Only>,
    /// Common, but not compared.
    left: Vec<Left>,
    /// What to do about what only one of them has; empty if there is nothing to do.
    hint: String,
    /// What reading had to drop or doubt.
    remarks: Vec<String>,
}

/// Compares two runs.
///
/// # Errors
/// They cannot be compared at all, or have nothing in common; in words, with what to do.
pub fn compare(a: &Run, b: &Run) -> Result<Compared, Incomparable> {
    let runs = [a, b];
    refusals::check(runs)?;
    let families = runs.map(crate::analysis::cells::run);
    let memories = runs.map(memory::of_run);
    refusals::check_usable(runs, &families, &memories)?;
    let delta_ratio = a.manifest.delta_ratio.max(b.manifest.delta_ratio);
    let mut matched = pairing::families(runs, &families);
    let mut groups: Vec<Group> = matched.pairs.iter().map(|pair| cells::group(*pair)).collect();
    let mut cells = cells::timed(&matched.pairs, delta_ratio);
    let held = held::matched(&memories, groups.len(), delta_ratio);
    groups.extend(held.groups);
    cells.extend(held.cells);
    matched.only.extend(held.only);
    matched.left.extend(held.left);
    let hint = pairing::hint(runs, &matched.only);
    if cells.is_empty() {
        return Err(refusals::nothing_in_common(runs, &matched, &hint));
    }
    judged::judge(&mut cells);
    Ok(Compared {
        manifests: runs.map(|run| run.manifest.clone()),
        delta_ratio,
        differs: differences::first(runs),
        also_differs: differences::others(runs),
        advice: advice::of(&matched.pairs, delta_ratio),
        groups,
        cells,
        only: matched.only,
        left: matched.left,
        hint,
        remarks: remarks(runs),
    })
}

fn remarks(runs: [&Run; 2]) -> Vec<String> {
    let sides = Side::BOTH.into_iter().zip(runs);
    let remarks = sides.flat_map(|(side, run)| {
        run.remarks.iter().map(move |remark| format!("{}: {remark}", side.letter()))
    });
    remarks.collect()
}

impl Compared {
    /// That the runs answered the same input differently: to be said wherever the numbers go,
    /// because no number says it.
    pub fn alarm(&self) -> Option<String> {
        sentences::alarm(self)
    }

    /// The strategy that arms are compared with inside each run.
    fn reference(&self) -> &str {
        &self.manifests[0].reference
    }

    /// The comparison as a document.
    fn document(&self) -> Document {
        document::document(self)
    }

    /// The tables for a terminal of this many columns; no escape sequences.
    pub fn terminal(&self, width: usize) -> String {
        terminal::render(&self.document(), width)
    }

    /// The page: one file that needs no network and no other file.
    pub fn html(&self) -> String {
        page::render(&self.document())
    }

    /// One row for every cell, in machine units.
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
        let [a, b] = &self.manifests;
        json!({
            "a": a.run_id,
            "b": b.run_id,
            "experiment": a.experiment,
            "reference": a.reference,
            "alarm": self.alarm(),
            "sentences": sentences::summary(self),
            "differs": self.differs,
            "also_differs": self.also_differs,
            "counts": {
                "absolute": Counts::absolute(&self.cells),
                "relative": Counts::relative(&self.cells),
            },
            "advice": self.advice,
            "cells": self.rows(),
            "only": self.only,
            "left": self.left,
            "hint": self.hint,
            "unchecked": sentences::unchecked(self).unwrap_or_default(),
            "remarks": self.remarks,
        })
    }
}
