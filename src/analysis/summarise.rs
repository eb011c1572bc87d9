//! How a [`Summary`] is made: families and arms reduced to medians and ratios.

use super::attempts::usable;
use super::cells::{self, Analysed, MetricResult};
use super::families::{ArmRows, FamilyRows};
use super::family_key::FamilyKey;
use super::memory::{self, MemorySummary};
use super::metrics::{RESPONSE_P50, SERVICE_P50, THROUGHPUT};
use super::over_blocks::{Column, median_of_all, median_of_known, median_rate};
use super::summary::{ArmSummary, FamilySummary, Medians, PlaceboSummary, Ratio, Summary};
use crate::experiment::Role;
use crate::record::{Run, TrialRow};

/// Summarises a run.
pub fn summarise(run: &Run) -> Summary {
    of_families(run, &cells::run(run))
}

/// Summarises families that are analysed already.
pub fn of_families(run: &Run, families: &[Analysed<'_>]) -> Summary {
    let memory = memory::of_run(run);
    let of_family = |f| family(run, f, &memory);
    let families: Vec<FamilySummary> = families.iter().map(of_family).collect();
    Summary {
        trials_planned: families.iter().map(|f| f.trials_planned).sum(),
        trials_run: families.iter().map(|f| f.trials_run).sum(),
        delta_ratio: run.manifest.delta_ratio,
        families,
        memory,
    }
}

fn family(run: &Run, family: &Analysed<'_>, memory: &MemorySummary) -> FamilySummary {
    let Analysed { rows, results, .. } = family;
    FamilySummary {
        id: rows.id.to_owned(),
        title: rows.title.clone(),
        n_blocks: rows.blocks.len(),
        trials_planned: rows.trials_planned,
        trials_run: rows.rows.len(),
        n_ok: rows.rows.iter().filter(|row| usable(row)).map(|row| row.n_ok).sum(),
        reference: run.manifest.reference.clone(),
        delta_ratio: run.manifest.delta_ratio,
        placebo: [RESPONSE_P50, SERVICE_P50, THROUGHPUT]
            .into_iter()
            .filter_map(|metric| placebo(rows, of_metric(results, metric)?))
            .collect(),
        arms: (0..rows.arms.len()).map(|i| arm(rows, i, results, memory)).collect(),
    }
}

/// What one more child costs under the arm's strategy. The placebo is the reference again.
fn per_child(rows: &FamilyRows<'_>, arm: &ArmRows<'_>, memory: &MemorySummary) -> Option<f64> {
    let key = FamilyKey::of_trial(rows.rows.first()?);
    let line = memory.line_of(&key, &arm.key.name, &arm.key.options)?;
    Some(line.slope_bytes)
}

fn of_metric<'r>(results: &'r [MetricResult], name: &str) -> Option<&'r MetricResult> {
    results.iter().find(|result| result.metric.name == name)
}

fn placebo(rows: &FamilyRows<'_>, result: &MetricResult) -> Option<PlaceboSummary> {
    let place = rows.arms.iter().position(|arm| arm.key.role() == Role::Placebo)?;
    Some(PlaceboSummary {
        metric: result.metric.name,
        is_checked: result.is_checked,
        is_grey: result.is_grey,
        ratio: Ratio::of(result.comparisons[place].as_ref()?),
    })
}

fn arm(
    family: &FamilyRows<'_>,
    place: usize,
    results: &[MetricResult],
    memory: &MemorySummary,
) -> ArmSummary {
    let rows = &family.arms[place];
    let ratio = |name: &str| {
        let result = of_metric(results, name)?;
        Ratio::of(result.comparisons[place].as_ref()?)
    };
    let rates = || rows.good.iter().filter_map(|row| row.throughput_per_s);
    ArmSummary {
        label: rows.label.clone(),
        strategy: rows.key.name.clone(),
        options: rows.key.options.clone(),
        role: rows.key.role(),
        state: rows.state,
        reason: rows.reason.clone(),
        n_blocks: rows.good.len(),
        medians: medians(&rows.good),
        throughput_range_per_s: rates().reduce(f64::min).zip(rates().reduce(f64::max)),
        outcomes: rows.outcomes,
        response_p50_ratio: ratio(RESPONSE_P50),
        service_p50_ratio: ratio(SERVICE_P50),
        throughput_ratio: ratio(THROUGHPUT),
        memory_per_child_bytes: per_child(family, rows, memory),
    }
}

fn medians(rows: &[&TrialRow]) -> Medians {
    let known = |column: Column| median_of_known(rows, column);
    let all = |column: Column| median_of_all(rows, column);
    Medians {
        response_p50_ns: known(|row| row.response_p50_ns),
        response_p90_ns: all(|row| row.response_p90_ns),
        response_p99_ns: all(|row| row.response_p99_ns),
        service_p50_ns: known(|row| row.service_p50_ns),
        service_p90_ns: all(|row| row.service_p90_ns),
        service_p99_ns: all(|row| row.service_p99_ns),
        throughput_per_s: median_rate(rows),
        ready_ns: known(|row| row.ready_ns),
        first_response_ns: known(|row| row.first_response_ns),
        transport_p50_ns: known(|row| row.transport_p50_ns),
        queue_p50_ns: known(|row| row.queue_p50_ns),
        creation_p50_ns: known(|row| row.creation_p50_ns),
        load_p50_ns: known(|row| row.load_p50_ns),
        work_p50_ns: known(|row| row.work_p50_ns),
        return_p50_ns: known(|row| row.return_p50_ns),
        delivery_p50_ns: known(|row| row.delivery_p50_ns),
        reap_p50_ns: known(|row| row.reap_p50_ns),
    }
}
