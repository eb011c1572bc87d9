//! `comparisons.csv`: every arm against the reference.

use crate::record::Manifest;
use crate::record::columns::COMPARISONS;
use crate::stats::verdict::{Better, Comparison, Conclusion, Reason};

use super::{Row, csv, factors, float, level, state_flag};
use crate::analysis::cells::{Analysed, MetricResult};
use crate::analysis::families::ArmRows;
use crate::analysis::summary::State;

/// The whole file.
pub(in crate::report) fn comparisons(manifest: &Manifest, families: &[Analysed<'_>]) -> String {
    let mut rows = Vec::new();
    for family in families {
        for (i, arm) in family.rows.arms.iter().enumerate() {
            for result in &family.results {
                if let Some(comparison) = &result.comparisons[i] {
                    let mut row = factors(&manifest.run_id, family, arm);
                    row.extend(cells(manifest, family, arm, result, comparison));
                    rows.push(row);
                }
            }
        }
    }
    csv(&COMPARISONS, &rows)
}

fn cells(
    manifest: &Manifest,
    family: &Analysed<'_>,
    arm: &ArmRows<'_>,
    result: &MetricResult,
    comparison: &Comparison,
) -> Row {
    let better = match result.metric.better {
        Better::Lower => "lower",
        Better::Higher => "higher",
    };
    let interval = comparison.ratio_interval;
    let [verdict, indication, withheld] = conclusion(comparison, arm.state);
    vec![
        ("metric", result.metric.name.to_owned()),
        ("better", better.to_owned()),
        ("reference", manifest.reference.clone()),
        ("ratio", float(comparison.ratio)),
        ("ratio_ci_low", float(interval.map(|interval| interval.low))),
        ("ratio_ci_high", float(interval.map(|interval| interval.high))),
        ("p_value", float(comparison.p_value)),
        ("p_adjusted", float(comparison.p_adjusted)),
        ("verdict", verdict.to_owned()),
        ("n_blocks", comparison.n_blocks.to_string()),
        ("flags", flags(family, result, comparison)),
        ("indication", indication.to_owned()),
        ("withheld", withheld.to_owned()),
        ("ci_level", level(interval)),
        ("delta_ratio", float(Some(manifest.delta_ratio))),
        ("label", arm.label.clone()),
    ]
}

/// Verdict, indication, reason for neither: exactly one of them is not empty.
fn conclusion(comparison: &Comparison, state: State) -> [&'static str; 3] {
    match comparison.conclusion {
        Conclusion::Verdict(verdict) => [verdict.name(), "", ""],
        Conclusion::Indication(verdict) => ["", verdict.name(), ""],
        Conclusion::Withheld(Reason::ArmFailed) => ["", "", withheld(state)],
        Conclusion::Withheld(reason) => ["", "", reason.name()],
    }
}

/// A flawed arm failed in part, which is enough to lose its ratio.
fn withheld(state: State) -> &'static str {
    match (state, state_flag(state)) {
        (State::Skipped | State::Missing, Some(flag)) => flag,
        _ => Reason::ArmFailed.name(),
    }
}

fn flags(family: &Analysed<'_>, result: &MetricResult, comparison: &Comparison) -> String {
    let mut flags = Vec::new();
    if result.is_grey {
        flags.push("placebo_differs");
    }
    if comparison.ratio.is_some() && comparison.n_blocks < family.rows.blocks.len() {
        flags.push("missing_blocks");
    }
    if family.is_often_disturbed() {
        flags.push("disturbed_over_20_percent");
    }
    flags.join(";")
}
