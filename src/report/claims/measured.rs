//! What a figure is once it is found: a number with its interval, its unit, and its rows.

use std::fmt;

use crate::stats::Interval;
use crate::stats::verdict::Verdict;

/// A number with its interval and its rows.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Measured {
    /// Median over blocks, slope of a line, or Hodges–Lehmann estimate of a ratio.
    pub(in crate::report) estimate: f64,
    /// At 95 %; from 6 blocks.
    pub(in crate::report) interval: Option<Interval>,
    /// Blocks with a value; of a ratio, with both.
    pub(in crate::report) n_blocks: usize,
    /// Of estimate and interval.
    pub(in crate::report) unit: Unit,
    /// What a demonstration said of the fact beside its number, in the last block.
    pub(in crate::report) text: String,
    /// Why the number decides nothing, although it is one: a clause, empty without a doubt.
    pub(in crate::report) doubt: &'static str,
    /// Of a ratio that is a row of `comparisons.csv`, what is concluded there; nothing is decided
    /// that disagrees with it.
    pub(in crate::report) verdict: Option<Verdict>,
    /// Where it is from.
    pub(in crate::report) source: Source,
}

/// A figure that the rows of a run do not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Missing {
    /// Which one, in words.
    pub(in crate::report) of: String,
    /// Why, a clause.
    pub(in crate::report) reason: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.of, self.reason)
    }
}

/// What a figure is counted in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) enum Unit {
    /// Nanoseconds.
    Ns,
    /// Per second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// A share of something, in 0 to 1.
    Share,
    /// One figure over another of the same unit.
    Times,
    /// As a demonstration says it; empty of counts, and of yes and no.
    OfFact(String),
}

impl Unit {
    /// As in a file.
    pub(in crate::report) fn name(&self) -> &str {
        match self {
            Unit::Ns => "ns",
            Unit::PerSecond => "1/s",
            Unit::Bytes => "bytes",
            Unit::Share | Unit::Times => "1",
            Unit::OfFact(unit) => unit,
        }
    }

    pub(super) fn of_metric(unit: &str) -> Unit {
        match unit {
            "ns" => Unit::Ns,
            "1/s" => Unit::PerSecond,
            _ => Unit::Share,
        }
    }
}

/// The rows of a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Source {
    /// File of the run directory.
    pub(in crate::report) file: &'static str,
    /// `column=value, column=value`: what its rows have, and no others.
    pub(in crate::report) rows: String,
    /// Of a ratio, the rows of what it is divided by.
    pub(in crate::report) over: String,
    /// Of a ratio, what the two values of each block have in common.
    pub(in crate::report) pairing: Option<Pairing>,
}

/// What the two values of a ratio have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Pairing {
    /// The block of one family, or one demonstration: the same minute.
    Block,
    /// The pass over all families, in which they were minutes apart.
    Pass,
}

impl Pairing {
    /// As in `claims.csv`.
    pub(in crate::report) fn name(self) -> &'static str {
        match self {
            Pairing::Block => "block",
            Pairing::Pass => "pass",
        }
    }
}
