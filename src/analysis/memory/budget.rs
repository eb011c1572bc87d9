//! How large a pool may be within a budget of memory.

use super::series::TABLES;
use super::{Group, MemoryLine, MemorySummary, Series};
use crate::report::human;
use crate::strategy::WORKERS_MAX;

/// A sentence for every group with pools. The upper ends of the intervals are used where there
/// are any: a pool that just fits on average does not fit half of the time.
pub(in crate::report) fn sizings(memory: &MemorySummary, budget_bytes: Option<u64>) -> Vec<String> {
    let Some(budget_bytes) = budget_bytes else {
        return Vec::new();
    };
    // Workers that write as much as an experiment says are not those that anybody runs.
    let groups = memory.groups.iter().filter(|group| !group.writes());
    groups.filter_map(|group| sizing(group, budget_bytes)).collect()
}

fn sizing(group: &Group, budget_bytes: u64) -> Option<String> {
    // What is held lives for a request only.
    let is_pool = |series: &&Series| series.phase != "held";
    let pools = group.series.iter().filter(is_pool);
    let told: Vec<(String, bool)> = pools.filter_map(|series| told(series, budget_bytes)).collect();
    if told.is_empty() {
        return None;
    }
    let beyond = match told.iter().any(|(_, is_beyond)| *is_beyond) {
        true => "; a number beyond what was measured follows the line further",
        false => "",
    };
    let knows = |series: &Series| series.line.is_none() || beside(series).is_some();
    let lacks = match group.series.iter().filter(is_pool).all(knows) {
        true => "",
        false => "; without the kernel's stacks and descriptors",
    };
    let pools: Vec<String> = told.into_iter().map(|(text, _)| text).collect();
    Some(format!(
        "The largest pool within {} ({}): {}{lacks}{beyond}.",
        human::bytes(budget_bytes),
        group.title,
        pools.join("; ")
    ))
}

/// The kernel's memory and the page tables among it, which the series' own line has already.
fn beside(series: &Series) -> Option<(MemoryLine, MemoryLine)> {
    Some((series.kernel()?, series.line_through(TABLES)?))
}

/// How many workers fit, and whether that is beyond what was measured.
fn told(series: &Series, budget_bytes: u64) -> Option<(String, bool)> {
    let line = series.line?;
    let upper =
        |interval: Option<(f64, f64)>, estimate| interval.map_or(estimate, |(_, high)| high);
    let beside = beside(series);
    let of_kernel = |of: fn(&MemoryLine) -> f64| {
        beside.map_or(0.0, |(kernel, tables)| (of(&kernel) - of(&tables)).max(0.0))
    };
    let once_bytes = upper(line.intercept_ci_bytes, line.intercept_bytes)
        + of_kernel(|line| line.intercept_bytes);
    let each_bytes =
        upper(line.slope_ci_bytes, line.slope_bytes) + of_kernel(|line| line.slope_bytes);
    let label = &series.label;
    let room_bytes = budget_bytes as f64 - once_bytes;
    if room_bytes < each_bytes.max(0.0) {
        let least = human::megabytes(once_bytes + each_bytes.max(0.0));
        return Some((format!("none of {label}, which needs {least} MB for one"), false));
    }
    if each_bytes <= 0.0 {
        return Some((format!("{label} costs nothing per worker that was seen"), false));
    }
    let workers = (room_bytes / each_bytes) as u64;
    let measured = u64::from(series.last()?.k);
    let number = match workers > WORKERS_MAX {
        true => format!("more than {} workers", human::count(WORKERS_MAX)),
        false => human::plural(workers, "worker"),
    };
    let sure = match line.slope_ci_bytes {
        Some(_) => "",
        None => ", and too few blocks for an interval",
    };
    let text = format!("{number} of {label} (measured up to {}{sure})", human::count(measured));
    Some((text, workers > measured))
}
