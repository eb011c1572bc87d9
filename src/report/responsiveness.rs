//! What light probes met beside heavy requests, and what the same subjects' probes met before the
//! load began: medians over blocks, shares and extremes over all of them.

use crate::record::TrialRow;
use crate::record::load_points::load_id;
use crate::stats::quantile::median;

use super::analyse::Analysed;
use super::grouped::{self, ArmRows};
use super::summary::State;

/// One load under which subjects were probed, in one or both ways.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Probed {
    /// Workload, runtime and load in words.
    pub(super) title: String,
    /// How long one heavy request takes on its own under the reference, in ns.
    pub(super) heavy_ns: Option<f64>,
    /// `main-loop` first.
    pub(super) variants: Vec<Variant>,
}

/// One way of probing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Variant {
    /// `main-loop` or `strategy`.
    pub(super) probe: String,
    /// The reference, the placebo, then in the order of [`crate::strategy::ALL`].
    pub(super) arms: Vec<ProbedArm>,
}

/// What one arm's probes met.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ProbedArm {
    pub(super) label: String,
    pub(super) strategy: String,
    pub(super) role: String,
    pub(super) state: State,
    /// Why the state is not `ok`.
    pub(super) reason: String,
    pub(super) n_probes: u64,
    /// Of them, those that were answered otherwise than ok.
    pub(super) n_failed: u64,
    pub(super) loaded: Times,
    pub(super) unloaded: Times,
    /// Mean over blocks.
    pub(super) over_100ms_ratio: Option<f64>,
    pub(super) over_1s_ratio: Option<f64>,
    /// The longest time of any block without an answer to a probe.
    pub(super) gap_max_ns: Option<f64>,
}

/// Response times in ns: medians over blocks, and the longest of all blocks. A quantile is there
/// only if every block has it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Times {
    pub(super) p50_ns: Option<f64>,
    pub(super) p95_ns: Option<f64>,
    pub(super) p99_ns: Option<f64>,
    pub(super) max_ns: Option<f64>,
}

/// In the order of the families.
pub(super) fn of(families: &[Analysed<'_>]) -> Vec<Probed> {
    let mut found: Vec<(String, Probed)> = Vec::new();
    for family in families {
        let rows = &family.rows;
        let Some(first) = rows.rows.iter().find(|row| !row.probe.is_empty()) else {
            continue;
        };
        let load = format!("{} at {:?}", load_id(first), first.rate_per_s);
        let variant =
            Variant { probe: first.probe.clone(), arms: rows.arms.iter().map(arm).collect() };
        match found.iter_mut().find(|(other, _)| *other == load) {
            Some((_, probed)) => probed.variants.push(variant),
            None => found.push((
                load,
                Probed {
                    title: grouped::title(first),
                    heavy_ns: heavy(&rows.arms),
                    variants: vec![variant],
                },
            )),
        }
    }
    found.into_iter().map(|(_, probed)| probed).collect()
}

/// The work of a request, without waiting.
fn heavy(arms: &[ArmRows<'_>]) -> Option<f64> {
    let reference = arms.iter().find(|arm| arm.key.role_name() == "reference")?;
    let works: Vec<f64> =
        reference.good.iter().filter_map(|row| row.work_p50_ns).map(|ns| ns as f64).collect();
    median(&works)
}

/// A column of `trials.csv`.
type Get = fn(&TrialRow) -> Option<u64>;

fn arm(arm: &ArmRows<'_>) -> ProbedArm {
    let rows = &arm.good;
    let sum = |get: Get| rows.iter().filter_map(|row| get(row)).sum::<u64>();
    let n_probes = sum(|row| row.n_probes);
    // Blocks weigh equally, however many probes each of them had.
    let share = |get: fn(&TrialRow) -> Option<f64>| {
        let shares: Vec<f64> = rows.iter().filter_map(|row| get(row)).collect();
        (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
    };
    ProbedArm {
        label: arm.label.clone(),
        strategy: arm.key.name.clone(),
        role: arm.key.role_name().to_owned(),
        state: arm.state,
        reason: arm.reason.clone(),
        n_probes,
        n_failed: sum(|row| row.n_probes_failed),
        loaded: times(
            rows,
            [
                |row| row.probe_p50_ns,
                |row| row.probe_p95_ns,
                |row| row.probe_p99_ns,
                |row| row.probe_max_ns,
            ],
        ),
        unloaded: times(
            rows,
            [
                |row| row.probe_unloaded_p50_ns,
                |row| row.probe_unloaded_p95_ns,
                |row| row.probe_unloaded_p99_ns,
                |row| row.probe_unloaded_max_ns,
            ],
        ),
        over_100ms_ratio: share(|row| row.probe_over_100ms_ratio),
        over_1s_ratio: share(|row| row.probe_over_1s_ratio),
        gap_max_ns: longest(rows, |row| row.probe_gap_max_ns),
    }
}

fn times(rows: &[&TrialRow], [p50, p95, p99, max]: [Get; 4]) -> Times {
    let every = |get: Get| {
        let values: Option<Vec<f64>> = rows.iter().map(|row| Some(get(row)? as f64)).collect();
        median(&values?)
    };
    Times { p50_ns: every(p50), p95_ns: every(p95), p99_ns: every(p99), max_ns: longest(rows, max) }
}

fn longest(rows: &[&TrialRow], get: Get) -> Option<f64> {
    rows.iter().filter_map(|row| get(row)).max().map(|ns| ns as f64)
}
