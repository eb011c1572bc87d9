//! The study notes: what a document claims, which measured figure decides each claim, and from which
//! value on it is confirmed or refuted. A run's analysis in, verdicts out; no verdict is written by
//! hand.
//!
//! In reading order: [`claims`] is the file (`experiments/notes-claims.toml`), [`measure`] looks its
//! figures up in a run, with [`find`] for families and arms, [`judge`] holds them against the
//! bounds, [`words`] puts them into words, [`tables`] makes the notes' part of a report, [`claims_csv`]
//! `claims.csv`.
//!
//! A figure decides with its whole interval: one that reaches across a bound decides nothing. A
//! ratio decides only if its comparison stands: the family has a placebo that does not differ, and
//! the conclusion of the comparison is not open and agrees. Each claim rests on its own 95 %
//! interval, without an adjustment for the number of claims.

use crate::analysis::Analysis;
use crate::experiment::builtin;
use crate::report::Preface;

mod claims;
mod claims_csv;
mod find;
mod judge;
mod measure;
mod tables;
#[cfg(test)]
mod tests;
mod words;

pub use claims::Claims;
pub use judge::Judged;
pub use measure::{Evidence, Figures};

/// A run's answers to the claims of its experiment.
#[derive(Debug, Clone)]
pub struct Answers {
    /// The claims.
    pub claims: Claims,
    /// Each figure, or why there is none.
    pub figures: Figures,
    /// Each claim with its verdict, in the order of the document.
    pub judged: Vec<Judged>,
}

impl Answers {
    /// The answers of a run, if forkbench knows the claims of its experiment.
    pub fn of(analysis: &Analysis<'_>) -> Option<Answers> {
        let Analysis { run, families, summary, .. } = analysis;
        let name = run.manifest.claims.as_deref()?;
        let builtin = builtin::claims_by_name(name)?;
        let claims =
            toml::from_str(builtin.text).expect("the built-in claims are valid; a test reads them");
        Some(Answers::to(claims, Evidence { run, families, memory: &summary.memory }))
    }

    fn to(claims: Claims, evidence: Evidence<'_>) -> Answers {
        let figures = measure::figures(&claims, evidence);
        let judged = judge::judge(&claims, &figures);
        Answers { claims, figures, judged }
    }

    /// How many claims have which verdict, a sentence.
    pub fn tally(&self) -> String {
        words::tally(&self.claims.document, &self.judged)
    }

    /// The notes' part of a report.
    pub fn preface(&self) -> Preface {
        Preface { lead: self.tally(), section: tables::section(self) }
    }

    /// `claims.csv`.
    pub fn csv(&self, run_id: &str) -> String {
        claims_csv::claims(run_id, &self.judged)
    }
}
