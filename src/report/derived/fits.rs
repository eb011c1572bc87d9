//! `fits.csv`: the lines through memory against children.

use crate::record::columns::FITS;
use crate::stats::fit::BOOTSTRAP_BLOCKS_MIN;

use super::{Row, csv, float, level};
use crate::analysis::memory::{Fit, Group, HELD, MemorySummary, Segment, Series};

/// The whole file.
pub(in crate::report) fn fits(run_id: &str, memory: &MemorySummary) -> String {
    let mut rows = Vec::new();
    for group in &memory.groups {
        for series in &group.series {
            rows.extend(series.fits.iter().map(|fit| row(run_id, group, series, fit)));
            if series.miss.is_some() {
                let segments = series.segments.iter();
                rows.extend(segments.map(|segment| segment_row(run_id, group, series, segment)));
            }
        }
    }
    csv(&FITS, &rows)
}

fn row(run_id: &str, group: &Group, series: &Series, fit: &Fit) -> Row {
    let line = &fit.line;
    let low = |interval: Option<(f64, f64)>| float(interval.map(|(low, _)| low));
    let high = |interval: Option<(f64, f64)>| float(interval.map(|(_, high)| high));
    let mut row = arm(run_id, group, series);
    row.extend([
        ("phase", fit.phase.name().to_owned()),
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
        ("flags", flags(fit, series)),
        ("label", series.label.clone()),
    ]);
    row
}

/// What each further child costs between two levels of a line that misses some.
fn segment_row(run_id: &str, group: &Group, series: &Series, segment: &Segment) -> Row {
    let interval = segment.slope_ci_bytes;
    let is_few = segment.n_blocks < BOOTSTRAP_BLOCKS_MIN;
    let flags = if is_few { "segment;too_few_blocks" } else { "segment" };
    let mut row = arm(run_id, group, series);
    row.extend([
        ("phase", series.phase.name().to_owned()),
        ("metric", HELD.to_owned()),
        ("slope_bytes", float(Some(segment.slope_bytes))),
        ("slope_ci_low_bytes", float(interval.map(|(low, _)| low))),
        ("slope_ci_high_bytes", float(interval.map(|(_, high)| high))),
        ("intercept_bytes", String::new()),
        ("intercept_ci_low_bytes", String::new()),
        ("intercept_ci_high_bytes", String::new()),
        ("ci_level", level(interval)),
        ("n_blocks", segment.n_blocks.to_string()),
        ("trees", segment.trees.to_string()),
        ("k_min", segment.from.to_string()),
        ("k_max", segment.to.to_string()),
        ("flags", flags.to_owned()),
        ("label", series.label.clone()),
    ]);
    row
}

/// The columns that name a series.
fn arm(run_id: &str, group: &Group, series: &Series) -> Row {
    vec![
        ("run_id", run_id.to_owned()),
        ("runtime", group.key.runtime.clone()),
        ("workload", group.key.workload.clone()),
        ("workload_options", group.key.workload_options.clone()),
        ("size", group.key.size.clone()),
        ("strategy", series.strategy.clone()),
        ("options", series.options.clone()),
        ("placement", group.key.placement.name().to_owned()),
        ("payload_bytes", group.key.payload_bytes.to_string()),
        ("ballast_bytes", group.key.ballast_bytes.to_string()),
    ]
}

fn flags(fit: &Fit, series: &Series) -> String {
    let mut flags = Vec::new();
    if fit.n_blocks < BOOTSTRAP_BLOCKS_MIN {
        flags.push("too_few_blocks");
    }
    if fit.is_incomplete {
        flags.push("outside_pss");
    }
    let is_main = fit.phase == series.phase && fit.metric == HELD;
    if is_main && series.miss.is_some() {
        flags.push("misses_levels");
    }
    flags.join(";")
}
