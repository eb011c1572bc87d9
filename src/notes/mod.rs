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

use crate::experiment::builtin;

mod claims;
mod claims_csv;
mod find;
mod judge;
mod measure;
pub mod shim;
mod tables;
#[cfg(test)]
mod tests;
mod words;

pub use claims::Claims;
pub use judge::Judged;
pub use measure::{Evidence, Figures};
pub use tables::section;

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
    pub fn of(evidence: Evidence<'_>) -> Option<Answers> {
        let name = evidence.run.manifest.claims.as_deref()?;
        let builtin = builtin::claims_by_name(name)?;
        let claims =
            toml::from_str(builtin.text).expect("the built-in claims are valid; a test reads them");
        Some(Answers::to(claims, evidence))
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

    /// `claims.csv`.
    pub fn csv(&self, run_id: &str) -> String {
        claims_csv::claims(run_id, &self.judged)
    }
}
