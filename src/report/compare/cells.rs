//! One metric of one arm in both runs, and those of timed families.

use crate::record::Role;
use crate::stats::across::{Across, Pair};
use crate::stats::paired::log_ratios;
use crate::stats::two_sample::Drift;
use crate::stats::verdict::{Better, Conclusion};

use super::pairing::{are_skipped, both_arms, label_of};
use super::{CompareRow, Side};
use crate::analysis::cells::{Analysed, Cell as Value, MetricResult, by_block};
use crate::analysis::families::ArmRows;
use crate::analysis::metrics::{Metric, RESPONSE_P50, THROUGHPUT};
use crate::analysis::summary::State;

/// A family, or a group of memory trials.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// In words.
    pub title: String,
    /// What is to be known of it.
    pub notes: Vec<String>,
    /// Its factors in the columns of its rows.
    pub row: CompareRow,
}

/// One metric of one arm in both runs.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Place among the groups.
    pub group: usize,
    /// As the tables of A call the arm.
    pub label: String,
    pub strategy: String,
    pub options: String,
    pub role: Role,
    pub metric: Measured,
    /// Of each run, its own.
    pub values: [Value; 2],
    /// B over A.
    pub absolute: View,
    /// The same of ratios to the reference; `None` for the reference itself and for memory.
    pub relative: Option<View>,
    /// What each run says by itself of the arm against the reference.
    pub said: Option<[Said; 2]>,
    /// The placebo of either run differs from the reference.
    pub is_grey: bool,
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// As in `cells.csv`.
    pub name: &'static str,
    pub unit: &'static str,
    pub better: Better,
    /// In words, short.
    pub word: &'static str,
}

/// What is compared, and then what came of it.
#[derive(Debug, Clone)]
pub enum View {
    /// Not judged yet.
    Pair(Pair),
    Judged(Across),
    Refused(Refusal),
}

impl View {
    /// What came of it.
    pub fn across(&self) -> Option<&Across> {
        match self {
            View::Judged(across) => Some(across),
            View::Pair(_) | View::Refused(_) => None,
        }
    }

    /// Why there is nothing to compare.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            View::Refused(refusal) => Some(refusal),
            View::Pair(_) | View::Judged(_) => None,
        }
    }
}

impl From<Result<Pair, Refusal>> for View {
    fn from(pair: Result<Pair, Refusal>) -> View {
        pair.map_or_else(View::Refused, View::Pair)
    }
}

/// What a run says of an arm against its reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Said {
    pub ratio: Option<f64>,
    pub conclusion: Conclusion,
}

/// Why there is nothing to compare.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
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
    /// Fewer than two numbers of children in common are no line.
    NoLine,
}

impl Refusal {
    /// As in the files.
    pub fn name(&self) -> &'static str {
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

/// What is compared of timed families, in a word.
const METRICS: [(&str, &str); 3] =
    [(RESPONSE_P50, "p50"), ("response_p99_ns", "p99"), (THROUGHPUT, "requests/s")];

/// The group of a family that both runs have.
pub fn group([a, _]: [&Analysed<'_>; 2]) -> Group {
    let family_id = a.rows.id.to_owned();
    let title = a.rows.title.clone();
    let Some(row) = a.rows.rows.first() else {
        let row = CompareRow { family_id, ..CompareRow::default() };
        return Group { title, notes: Vec::new(), row };
    };
    Group {
        // The rate is each machine's own.
        title: match row.rate_of_capacity {
            Some(share) => format!("{title} in A, {share} of the capacity in both"),
            None => title,
        },
        notes: Vec::new(),
        row: CompareRow {
            family_id,
            regime: row.regime.name().to_owned(),
            runtime: row.runtime.clone(),
            workload: row.workload.clone(),
            workload_options: row.workload_options.clone(),
            size: row.size.clone(),
            callers: row.callers,
            placement: row.placement.name().to_owned(),
            payload_bytes: row.payload_bytes,
            ballast_bytes: row.ballast_bytes,
            ..CompareRow::default()
        },
    }
}

/// Every arm that both runs have, in the order of A.
pub fn timed(pairs: &[[&Analysed<'_>; 2]], delta_ratio: f64) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (group, pair) in pairs.iter().enumerate() {
        for [a, b] in both_arms(*pair).filter(|arms| !are_skipped(*arms)) {
            for (metric, word) in METRICS {
                let both = [Own::of(pair[0], a, metric), Own::of(pair[1], b, metric)];
                if let [Some(a), Some(b)] = both {
                    let label = label_of(*pair, a.arm);
                    cells.push(cell(group, label, word, [a, b], delta_ratio));
                }
            }
        }
    }
    cells
}

/// One metric of one arm in one run.
pub struct Own<'x> {
    family: &'x Analysed<'x>,
    pub arm: &'x ArmRows<'x>,
    result: &'x MetricResult,
    /// Of the arm among those of the family.
    place: usize,
}

impl<'x> Own<'x> {
    /// `None` if the run has no such metric.
    pub fn of(family: &'x Analysed<'x>, arm: &'x ArmRows<'x>, metric: &str) -> Option<Own<'x>> {
        let result = family.results.iter().find(|result| result.metric.name == metric)?;
        let place = family.rows.arms.iter().position(|other| other.key == arm.key)?;
        Some(Own { family, arm, result, place })
    }

    /// The values of an arm of the family by block.
    pub fn blocks(&self, arm: &ArmRows<'_>) -> Vec<Option<f64>> {
        by_block(arm, &self.family.rows.blocks, self.result.metric)
    }

    fn logs(&self) -> Vec<f64> {
        let usable = self.blocks(self.arm).into_iter().flatten();
        usable.filter(|x| x.is_finite() && *x > 0.0).map(f64::ln).collect()
    }

    /// By block; `None` if the reference failed.
    fn log_ratios_to_reference(&self) -> Option<Vec<f64>> {
        let is_reference = |arm: &&ArmRows<'_>| arm.key.role() == Role::Reference;
        let reference = self.family.rows.arms.iter().find(is_reference)?;
        let (own, reference_blocks) = (self.blocks(self.arm), self.blocks(reference));
        (reference.state == State::Ok).then(|| log_ratios(&own, &reference_blocks))
    }

    fn said(&self) -> Option<Said> {
        let comparison = self.result.comparisons.get(self.place)?.as_ref()?;
        Some(Said { ratio: comparison.ratio, conclusion: comparison.conclusion })
    }

    /// The rate, where it is a share of the machine's own capacity.
    fn own_rate(&self) -> Option<f64> {
        let row = self.arm.good.first()?;
        row.rate_of_capacity.and(row.rate_per_s)
    }
}

fn cell(
    group: usize,
    label: String,
    word: &'static str,
    both: [Own<'_>; 2],
    delta_ratio: f64,
) -> Cell {
    let key = &both[0].arm.key;
    let Metric { name, unit, better, .. } = *both[0].result.metric;
    let said = both.each_ref().map(Own::said);
    Cell {
        group,
        label,
        strategy: key.name.clone(),
        options: key.options.clone(),
        role: key.role(),
        metric: Measured { name, unit, better, word },
        values: both.each_ref().map(|own| own.result.cells[own.place]),
        absolute: absolute(&both, delta_ratio).into(),
        relative: (key.role() != Role::Reference).then(|| relative(&both, delta_ratio).into()),
        said: if let [Some(a), Some(b)] = said { Some([a, b]) } else { None },
        is_grey: both.iter().any(|own| own.result.is_grey),
    }
}

fn absolute(both: &[Own<'_>; 2], delta_ratio: f64) -> Result<Pair, Refusal> {
    both_are_ok(both)?;
    if let [Some(a), Some(b)] = both.each_ref().map(Own::own_rate)
        && a != b
    {
        return Err(Refusal::OtherRate([a, b]));
    }
    pair(both, both.each_ref().map(Own::logs), Drift::Possible, delta_ratio)
}

fn relative(both: &[Own<'_>; 2], delta_ratio: f64) -> Result<Pair, Refusal> {
    both_are_ok(both)?;
    let [a, b] = both.each_ref().map(Own::log_ratios_to_reference);
    let a = a.ok_or(Refusal::ReferenceFailed(Side::A))?;
    let b = b.ok_or(Refusal::ReferenceFailed(Side::B))?;
    pair(both, [a, b], Drift::Removed, delta_ratio)
}

fn both_are_ok(both: &[Own<'_>; 2]) -> Result<(), Refusal> {
    for (side, Own { arm, .. }) in Side::BOTH.into_iter().zip(both) {
        if arm.state != State::Ok {
            return Err(Refusal::Failed(side, format!("{}: {}", arm.state.word(), arm.reason)));
        }
    }
    Ok(())
}

/// Of each run at least one block.
fn pair(
    both: &[Own<'_>; 2],
    [a, b]: [Vec<f64>; 2],
    drift: Drift,
    delta_ratio: f64,
) -> Result<Pair, Refusal> {
    if let Some(place) = [&a, &b].iter().position(|values| values.is_empty()) {
        return Err(Refusal::NoValue(Side::BOTH[place]));
    }
    let is_checked = both.iter().all(|own| own.result.is_checked);
    let better = both[0].result.metric.better;
    Ok(Pair { a, b, drift, better, delta_log: delta_ratio.ln_1p(), is_checked })
}
