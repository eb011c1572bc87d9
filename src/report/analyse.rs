//! What may be said of a family: for each metric the estimate and interval of every arm, and every
//! arm's comparison with the reference. The step from rows to [`crate::stats`].

use crate::record::{Run, TrialRow};
use crate::stats::quantile::median;
use crate::stats::verdict::{
    Better, Comparison, FamilyValues, Observed, Settings, judge as judge_family,
};
use crate::stats::{Interval, Level, Safeguards, interval::median_interval};

use super::grouped::{self, ArmRows, FamilyRows};
use super::metrics::{METRICS, Metric};
use super::summary::State;

/// Above this share of them a family is flagged.
pub const DISTURBED_OFTEN_RATIO: f64 = 0.2;

/// A family's rows and what they say.
#[derive(Debug, Clone)]
pub struct Analysed<'a> {
    /// The rows.
    pub rows: FamilyRows<'a>,
    /// Share of disturbed trials among those that could be judged, after re-runs.
    pub disturbed_ratio: f64,
    /// In the order of [`METRICS`].
    pub results: Vec<MetricResult>,
}

impl Analysed<'_> {
    /// So many trials were disturbed that the comparisons are flagged for it.
    pub fn is_often_disturbed(&self) -> bool {
        self.disturbed_ratio > DISTURBED_OFTEN_RATIO
    }
}

/// One metric of one family.
#[derive(Debug, Clone)]
pub struct MetricResult {
    /// Which.
    pub metric: &'static Metric,
    /// Of each arm, in the order of the family.
    pub cells: Vec<Cell>,
    /// Of each arm against the reference; `None` for the reference itself.
    pub comparisons: Vec<Option<Comparison>>,
    /// Whether the placebo has an interval: without it nothing checks the family.
    pub is_checked: bool,
    /// The placebo differs from the reference, so that nothing is concluded.
    pub is_grey: bool,
}

/// One arm's own value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Median over the blocks.
    pub estimate: Option<f64>,
    /// Of the median at 95 %, stretched for autocorrelation; from 6 blocks.
    pub interval: Option<Interval>,
    /// Blocks that have the value.
    pub n_blocks: usize,
    /// Blocks that were usable and have none.
    pub n_missing: usize,
}

/// Every family of a run, in planned order.
pub fn run(run: &Run) -> Vec<Analysed<'_>> {
    grouped::families(run)
        .into_iter()
        .map(|rows| {
            let disturbed_ratio = disturbed_ratio(&rows.rows);
            let of = |metric| of_metric(&rows, metric, run.manifest.delta_ratio);
            let results = METRICS.iter().map(of).collect();
            Analysed { rows, disturbed_ratio, results }
        })
        .collect()
}

/// How many of the accepted attempts were disturbed. Trials that could not be judged say nothing.
fn disturbed_ratio(rows: &[&TrialRow]) -> f64 {
    let with = |label: &str| rows.iter().filter(|row| row.noise_label == label).count();
    let disturbed = with(DISTURBED);
    let judged = disturbed + with("warn") + with("quiet");
    disturbed as f64 / judged.max(1) as f64
}

/// As in `noise_label`.
const DISTURBED: &str = "disturbed";

/// Whether the rest of the machine did something during this trial, or during its block.
pub fn is_disturbed(row: &TrialRow) -> bool {
    row.noise_label == DISTURBED
}

fn of_metric(family: &FamilyRows<'_>, metric: &'static Metric, delta_ratio: f64) -> MetricResult {
    let values: Vec<Vec<Option<f64>>> =
        family.arms.iter().map(|arm| by_block(arm, &family.blocks, metric)).collect();
    let compared = compare(&family.arms, &values, metric.better, delta_ratio);
    MetricResult {
        metric,
        cells: values.iter().zip(&family.arms).map(|(v, arm)| cell(v, arm)).collect(),
        comparisons: compared.comparisons,
        is_checked: compared.is_checked,
        is_grey: compared.is_grey,
    }
}

/// The comparisons of a metric as if the disturbed trials had not been run. A block in which the
/// reference was disturbed is lost for all arms.
pub fn without_disturbed(
    family: &FamilyRows<'_>,
    metric: &'static Metric,
    delta_ratio: f64,
) -> Vec<Option<Comparison>> {
    let mut arms = family.arms.clone();
    arms.iter_mut().for_each(|arm| arm.good.retain(|row| !is_disturbed(row)));
    let values: Vec<Vec<Option<f64>>> =
        arms.iter().map(|arm| by_block(arm, &family.blocks, metric)).collect();
    compare(&arms, &values, metric.better, delta_ratio).comparisons
}

/// A family's comparisons of one metric.
struct Compared {
    /// Of each arm; `None` for the reference.
    comparisons: Vec<Option<Comparison>>,
    is_checked: bool,
    is_grey: bool,
}

fn compare(
    arms: &[ArmRows<'_>],
    values: &[Vec<Option<f64>>],
    better: Better,
    delta_ratio: f64,
) -> Compared {
    let observed: Vec<Observed<'_>> =
        arms.iter().zip(values).map(|(arm, values)| observed(arm, values)).collect();
    let first = |wanted: &str| arms.iter().position(|arm| arm.key.role_name() == wanted);
    let of = |place: Option<usize>| place.map_or(Observed::Failed, |i| observed[i]);
    let (reference, placebo) = (first("reference"), first("placebo"));
    let others: Vec<usize> =
        (0..arms.len()).filter(|i| Some(*i) != reference && Some(*i) != placebo).collect();
    let judgement = judge_family(
        &FamilyValues {
            reference: of(reference),
            placebo: of(placebo),
            arms: others.iter().map(|&i| observed[i]).collect(),
        },
        Settings { better, delta_ratio },
        Safeguards::ALL_ON,
    );
    let mut comparisons = vec![None; arms.len()];
    if let Some(i) = placebo {
        comparisons[i] = Some(judgement.placebo.clone());
    }
    for (i, comparison) in others.into_iter().zip(&judgement.arms) {
        comparisons[i] = Some(comparison.clone());
    }
    Compared { comparisons, is_checked: judgement.is_checked(), is_grey: judgement.is_grey() }
}

/// One value per block of the family; `None` where the arm has no usable trial or no value.
pub fn by_block(arm: &ArmRows<'_>, blocks: &[u32], metric: &Metric) -> Vec<Option<f64>> {
    let value = |row: &TrialRow| (metric.value)(row).filter(|v| v.is_finite());
    let mut values = vec![None; blocks.len()];
    if metric.needs_every_block && arm.good.iter().any(|row| value(row).is_none()) {
        return values;
    }
    for row in &arm.good {
        if let Ok(place) = blocks.binary_search(&row.block) {
            values[place] = value(row);
        }
    }
    values
}

/// An arm that failed anywhere is not compared, however good its other blocks look.
fn observed<'v>(arm: &ArmRows<'_>, values: &'v [Option<f64>]) -> Observed<'v> {
    match arm.state {
        State::Ok => Observed::Blocks(values),
        State::Flawed | State::Failed | State::Skipped | State::Missing => Observed::Failed,
    }
}

/// What the values of an arm's blocks are together.
pub fn cell(values: &[Option<f64>], arm: &ArmRows<'_>) -> Cell {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    Cell {
        estimate: median(&known),
        interval: median_interval(&known, Level::P95, Safeguards::ALL_ON),
        n_blocks: known.len(),
        n_missing: arm.good.len().saturating_sub(known.len()),
    }
}
