//! What may be concluded of a family: for each metric the estimate and interval of every arm, and
//! every arm's comparison with the reference. The step from rows to [`crate::stats`].

use super::families::{self, ArmRows, FamilyRows};
use super::metrics::{METRICS, Metric};
use super::summary::State;
use crate::experiment::Role;
use crate::record::{NoiseLabel, Run, TrialRow};
use crate::stats::interval::median_interval;
use crate::stats::quantile::median;
use crate::stats::verdict::{Comparison, FamilyValues, Observed, Settings, judge};
use crate::stats::{Interval, Level};

/// A family with a larger share of disturbed trials is flagged.
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
    /// Whether the comparisons are flagged because many trials were disturbed.
    pub fn is_often_disturbed(&self) -> bool {
        self.disturbed_ratio > DISTURBED_OFTEN_RATIO
    }
}

/// One metric of one family.
#[derive(Debug, Clone)]
pub struct MetricResult {
    /// The metric.
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
    families::families(run)
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
    let judged = rows.iter().filter(|row| is_judged(row)).count();
    let disturbed = rows.iter().filter(|row| is_disturbed(row)).count();
    disturbed as f64 / judged.max(1) as f64
}

/// Whether a trial was watched for long enough.
pub fn is_judged(row: &TrialRow) -> bool {
    !matches!(row.noise_label, None | Some(NoiseLabel::Unjudged))
}

/// Whether the rest of the machine disturbed this trial or its block, by its label.
pub fn is_disturbed(row: &TrialRow) -> bool {
    row.noise_label == Some(NoiseLabel::Disturbed)
}

fn of_metric(family: &FamilyRows<'_>, metric: &'static Metric, delta_ratio: f64) -> MetricResult {
    let values: Vec<Vec<Option<f64>>> =
        family.arms.iter().map(|arm| by_block(arm, &family.blocks, metric)).collect();
    let of_role = |role: Role| family.arms.iter().position(|arm| arm.key.role() == role);
    let (reference, placebo) = (of_role(Role::Reference), of_role(Role::Placebo));
    let observed = |i: usize| observed(&family.arms[i], &values[i]);
    let others: Vec<usize> =
        (0..values.len()).filter(|i| Some(*i) != reference && Some(*i) != placebo).collect();
    let values_of = FamilyValues {
        reference: reference.map_or(Observed::Failed, observed),
        placebo: placebo.map_or(Observed::Failed, observed),
        arms: others.iter().copied().map(observed).collect(),
    };
    let judgement = judge(&values_of, Settings { better: metric.better, delta_ratio });
    let (is_checked, is_grey) = (judgement.is_checked(), judgement.is_grey());
    let mut comparisons = vec![None; values.len()];
    for (i, comparison) in others.into_iter().zip(judgement.arms) {
        comparisons[i] = Some(comparison);
    }
    if let Some(i) = placebo {
        comparisons[i] = Some(judgement.placebo);
    }
    let cells = values.iter().zip(&family.arms).map(|(values, arm)| cell(values, arm)).collect();
    MetricResult { metric, cells, comparisons, is_checked, is_grey }
}

/// The comparisons of a metric as if the disturbed trials had not been run. A block in which the
/// reference was disturbed is lost for all arms.
pub fn without_disturbed(
    family: &FamilyRows<'_>,
    metric: &'static Metric,
    delta_ratio: f64,
) -> Vec<Option<Comparison>> {
    let mut calm = family.clone();
    calm.arms.iter_mut().for_each(|arm| arm.good.retain(|row| !is_disturbed(row)));
    of_metric(&calm, metric, delta_ratio).comparisons
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

/// The cell of an arm's values by block.
pub fn cell(values: &[Option<f64>], arm: &ArmRows<'_>) -> Cell {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    Cell {
        estimate: median(&known),
        interval: median_interval(&known, Level::P95),
        n_blocks: known.len(),
        n_missing: arm.good.len().saturating_sub(known.len()),
    }
}
