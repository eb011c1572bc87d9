//! How long light probes take beside heavy requests, and before the load begins: medians over
//! blocks, shares and extremes over all of them.

use super::cells::Analysed;
use super::families::{self, ArmRows};
use super::grouped::grouped;
use super::load_points::load_id;
use super::over_blocks::{Column, median_of_all, median_of_known};
use super::summary::State;
use crate::experiment::Role;
use crate::record::TrialRow;

/// One load under which subjects were probed, in one way or both.
#[derive(Debug, Clone, PartialEq)]
pub struct Probed {
    /// Workload, runtime and load in words.
    pub title: String,
    /// The work of one heavy request under the reference, without waiting, in ns.
    pub heavy_ns: Option<f64>,
    /// `main-loop` first.
    pub variants: Vec<Variant>,
}

/// One way of probing.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// `main-loop` or `strategy`.
    pub probe: String,
    /// The reference, the placebo, then in the order of [`crate::strategy::ALL`].
    pub arms: Vec<ProbedArm>,
}

/// The probes of one arm.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbedArm {
    /// Unique among the arms.
    pub label: String,
    /// Name of the strategy.
    pub strategy: String,
    /// `reference`, `placebo` or `arm`.
    pub role: Role,
    /// As in its family.
    pub state: State,
    /// Why the state is not `ok`.
    pub reason: String,
    /// Probes of all trials.
    pub n_probes: u64,
    /// Probes that were not answered ok.
    pub n_failed: u64,
    /// Response times while the load runs.
    pub loaded: Times,
    /// Response times before the load begins.
    pub unloaded: Times,
    /// Share of probes that took longer, the mean over blocks.
    pub over_100ms_ratio: Option<f64>,
    /// The same for 1 s.
    pub over_1s_ratio: Option<f64>,
    /// The longest time of any block without an answer to a probe.
    pub gap_max_ns: Option<f64>,
}

/// Response times in ns: medians over blocks, and the longest of all blocks. A quantile is there
/// only if every block has it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Times {
    /// Median.
    pub p50_ns: Option<f64>,
    /// 95 % quantile.
    pub p95_ns: Option<f64>,
    /// 99 % quantile.
    pub p99_ns: Option<f64>,
    /// The longest.
    pub max_ns: Option<f64>,
}

impl Times {
    /// In ascending order, as far as they are known.
    pub fn all(&self) -> impl Iterator<Item = f64> {
        [self.p50_ns, self.p95_ns, self.p99_ns, self.max_ns].into_iter().flatten()
    }
}

/// In the order of the families.
pub fn of(families: &[Analysed<'_>]) -> Vec<Probed> {
    let probed = families.iter().filter_map(|family| {
        let first = family.rows.rows.iter().find(|row| !row.probe.is_empty())?;
        Some(((load_id(first), first.rate_per_s.map(f64::to_bits)), (family, *first)))
    });
    let groups = grouped(probed).into_iter().map(|(_, members)| {
        let (family, first) = members[0];
        let variant = |(family, first): &(&Analysed<'_>, &TrialRow)| Variant {
            probe: first.probe.clone(),
            arms: family.rows.arms.iter().map(arm).collect(),
        };
        Probed {
            title: families::title(first),
            heavy_ns: heavy(&family.rows.arms),
            variants: members.iter().map(variant).collect(),
        }
    });
    groups.collect()
}

fn heavy(arms: &[ArmRows<'_>]) -> Option<f64> {
    let reference = arms.iter().find(|arm| arm.key.role() == Role::Reference)?;
    median_of_known(&reference.good, |row| row.work_p50_ns)
}

fn arm(arm: &ArmRows<'_>) -> ProbedArm {
    let rows = &arm.good;
    let sum = |column: Column| rows.iter().filter_map(|row| column(row)).sum::<u64>();
    let n_probes = sum(|row| row.n_probes);
    // Blocks weigh equally, however many probes each of them had.
    let share = |get: fn(&TrialRow) -> Option<f64>| {
        let shares: Vec<f64> = rows.iter().filter_map(|row| get(row)).collect();
        (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
    };
    ProbedArm {
        label: arm.label.clone(),
        strategy: arm.key.name.clone(),
        role: arm.key.role(),
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

fn times(rows: &[&TrialRow], [p50, p95, p99, max]: [Column; 4]) -> Times {
    let all = |column: Column| median_of_all(rows, column);
    Times { p50_ns: all(p50), p95_ns: all(p95), p99_ns: all(p99), max_ns: longest(rows, max) }
}

fn longest(rows: &[&TrialRow], column: Column) -> Option<f64> {
    rows.iter().filter_map(|row| column(row)).max().map(|ns| ns as f64)
}
