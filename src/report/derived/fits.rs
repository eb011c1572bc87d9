//! `fits.csv`: the lines through memory against children.

use crate::record::columns::FITS;
use crate::stats::fit::BOOTSTRAP_BLOCKS_MIN;

use super::super::memory::{Fit, Group, MemorySummary, Series};
use super::{Row, csv, float, level};

/// The whole file.
pub(in crate::report) fn fits(run_id: &str, memory: &MemorySummary) -> String {
    let mut rows = Vec::new();
    for group in &memory.groups {
        for series in &group.series {
            rows.extend(series.fits.iter().map(|fit| row(run_id, group, series, fit)));
        }
    }
    csv(&FITS, &rows)
}

fn row(run_id: &str, group: &Group, series: &Series, fit: &Fit) -> Row {
    let line = &fit.line;
    let low = |interval: Option<(f64, f64)>| float(interval.map(|(low, _)| low));
    let high = |interval: Option<(f64, f64)>| float(interval.map(|(_, high)| high));
    vec![
        ("run_id", run_id.to_owned()),
        ("runtime", group.runtime.clone()),
        ("workload", group.workload.clone()),
        ("workload_options", group.workload_options.clone()),
        ("size", group.size.clone()),
        ("strategy", series.strategy.clone()),
        ("options", series.options.clone()),
        ("placement", group.placement.clone()),
        ("payload_bytes", group.payload_bytes.to_string()),
        ("ballast_bytes", group.ballast_bytes.to_string()),
        ("phase", fit.phase.clone()),
        ("metric", fit.metric.to_owned()),
        ("slope_bytes", float(Some(line.slope_bytes))),
        ("slope_ci_low_bytes", low(line.slope_ci_bytes)),
        ("slope_ci_high_bytes", high(line.slope_ci_bytes)),
        ("intercept_bytes", float(Some(line.intercept_bytes))),
        ("intercept_ci_low_bytes", low(line.intercept_ci_bytes)),
        ("intercept_ci_high_bytes", high(line.intercept_ci_bytes)),
        ("ci_level", level(line.slope_ci_bytes)),
        ("n_blocks", fit.n_blocks.to_string()),
        ("trees", fit.n_points.to_string()),
        ("k_min", fit.k_range.0.to_string()),
        ("k_max", fit.k_range.1.to_string()),
        ("flags", flags(fit)),
        ("label", series.label.clone()),
    ]
}

fn flags(fit: &Fit) -> String {
    let mut flags = Vec::new();
    if fit.n_blocks < BOOTSTRAP_BLOCKS_MIN {
        flags.push("too_few_blocks");
    }
    if fit.is_incomplete {
        flags.push("outside_pss");
    }
    flags.join(";")
}
