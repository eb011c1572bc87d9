//! How a [`Summary`] is made: families and arms reduced to medians and ratios.

use crate::record::{Run, TrialRow};
use crate::stats::quantile::median;

use super::analyse::{self, Analysed, MetricResult};
use super::caveats;
use super::grouped::{ArmRows, FamilyRows, usable};
use super::memory::{self, MemorySummary};
use super::metrics::{RESPONSE_P50, SERVICE_P50, THROUGHPUT};
use super::summary::{ArmSummary, FamilySummary, Medians, PlaceboSummary, Ratio, Summary};

/// Summarises a run.
pub fn summarise(run: &Run) -> Summary {
    of_families(run, &analyse::run(run))
}

/// Summarises families that are analysed already.
pub(super) fn of_families(run: &Run, families: &[Analysed<'_>]) -> Summary {
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
        caveats: caveats::of(family, run.manifest.delta_ratio),
        placebo: [RESPONSE_P50, SERVICE_P50, THROUGHPUT]
            .into_iter()
            .filter_map(|metric| placebo(rows, of_metric(results, metric)?))
            .collect(),
        arms: (0..rows.arms.len())
            .map(|i| ArmSummary {
                memory_per_child_bytes: per_child(rows, &rows.arms[i], memory),
                ..arm(&rows.arms[i], i, results)
            })
            .collect(),
    }
}

/// What one more child costs under the arm's strategy. The placebo is the reference again.
fn per_child(rows: &FamilyRows<'_>, arm: &ArmRows<'_>, memory: &MemorySummary) -> Option<f64> {
    let row = rows.rows.first()?;
    let key = &arm.key;
    let line =
        memory.line_of(&row.runtime, &row.workload, row.ballast_bytes, &key.name, &key.options)?;
    Some(line.slope_bytes)
}

fn of_metric<'r>(results: &'r [MetricResult], name: &str) -> Option<&'r MetricResult> {
    results.iter().find(|result| result.metric.name == name)
}

fn placebo(rows: &FamilyRows<'_>, result: &MetricResult) -> Option<PlaceboSummary> {
    let is_placebo = |arm: &ArmRows<'_>| arm.key.role_name() == "placebo";
    let place = rows.arms.iter().position(is_placebo)?;
    Some(PlaceboSummary {
        metric: result.metric.name,
        is_checked: result.is_checked,
        is_grey: result.is_grey,
        ratio: Ratio::of(result.comparisons[place].as_ref()?),
    })
}

fn arm(rows: &ArmRows<'_>, place: usize, results: &[MetricResult]) -> ArmSummary {
    let ratio = |name: &str| {
        let result = of_metric(results, name)?;
        Ratio::of(result.comparisons[place].as_ref()?)
    };
    let rates: Vec<f64> = rows.good.iter().filter_map(|row| row.throughput_per_s).collect();
    ArmSummary {
        label: rows.label.clone(),
        strategy: rows.key.name.clone(),
        options: rows.key.options.clone(),
        role: rows.key.role_name().to_owned(),
        state: rows.state,
        reason: rows.reason.clone(),
        n_blocks: rows.good.len(),
        medians: medians(&rows.good),
        throughput_range_per_s: rates
            .iter()
            .copied()
            .reduce(f64::min)
            .zip(rates.iter().copied().reduce(f64::max)),
        outcomes: rows.outcomes,
        response_p50_ratio: ratio(RESPONSE_P50),
        service_p50_ratio: ratio(SERVICE_P50),
        throughput_ratio: ratio(THROUGHPUT),
        memory_per_child_bytes: None,
    }
}

fn medians(rows: &[&TrialRow]) -> Medians {
    let any = |get: fn(&TrialRow) -> Option<u64>| {
        let values: Vec<f64> = rows.iter().filter_map(|r| get(r)).map(|v| v as f64).collect();
        median(&values)
    };
    let every = |get: fn(&TrialRow) -> Option<u64>| {
        let complete = rows.iter().all(|row| get(row).is_some());
        if complete { any(get) } else { None }
    };
    let rates: Vec<f64> = rows.iter().filter_map(|row| row.throughput_per_s).collect();
    Medians {
        response_p50_ns: any(|r| r.response_p50_ns),
        response_p90_ns: every(|r| r.response_p90_ns),
        response_p99_ns: every(|r| r.response_p99_ns),
        service_p50_ns: any(|r| r.service_p50_ns),
        service_p90_ns: every(|r| r.service_p90_ns),
        service_p99_ns: every(|r| r.service_p99_ns),
        throughput_per_s: median(&rates),
        ready_ns: any(|r| r.ready_ns),
        first_response_ns: any(|r| r.first_response_ns),
        transport_p50_ns: any(|r| r.transport_p50_ns),
        queue_p50_ns: any(|r| r.queue_p50_ns),
        creation_p50_ns: any(|r| r.creation_p50_ns),
        load_p50_ns: any(|r| r.load_p50_ns),
        work_p50_ns: any(|r| r.work_p50_ns),
        return_p50_ns: any(|r| r.return_p50_ns),
        delivery_p50_ns: any(|r| r.delivery_p50_ns),
        reap_p50_ns: any(|r| r.reap_p50_ns),
    }
}
