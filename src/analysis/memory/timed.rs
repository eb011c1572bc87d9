//! Throughput and tail at the same number of children, from timed trials: memory is read in
//! trials of its own, so what they did is in others.

use std::collections::BTreeMap;

use super::{Group, MemoryLevel};
use crate::record::accepted::accepted;
use crate::record::{Run, TrialRow};
use crate::report::{grouped, human};
use crate::stats::Safeguards;
use crate::stats::quantile::median;

/// Adds what timed trials of the run say to every level that has such trials.
pub(super) fn fill(run: &Run, group: &mut Group) {
    let (runtime, ballast_bytes) = (group.runtime.clone(), group.ballast_bytes);
    let counting = accepted(&run.trials, Safeguards::ALL_ON);
    for series in &mut group.series {
        let own: Vec<&TrialRow> = counting
            .iter()
            .copied()
            .filter(|row| row.regime == "closed" && row.role != "placebo")
            .filter(|row| row.strategy == series.strategy && row.runtime == runtime)
            .filter(|row| row.ballast_bytes == ballast_bytes)
            .collect();
        for level in &mut series.levels {
            fill_level(&own, level);
        }
    }
}

fn fill_level(rows: &[&TrialRow], level: &mut MemoryLevel) {
    // Of several families the one that keeps all children busy, of those the one with the fewest
    // callers that wait for a child, of those the earliest.
    let mut families: BTreeMap<(u32, u32, usize), Vec<&TrialRow>> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    for row in rows.iter().filter(|row| children(row) == Some(level.k)) {
        if !order.contains(&row.family_id.as_str()) {
            order.push(&row.family_id);
        }
        let place = order.iter().position(|id| *id == row.family_id);
        let callers = row.callers.unwrap_or(0);
        let idle = level.k.saturating_sub(callers);
        let waiting = callers.saturating_sub(level.k);
        let key = (idle, waiting, place.unwrap_or(0));
        let family = families.entry(key).or_default();
        family.push(row);
    }
    let Some(rows) = families.into_values().next() else {
        return;
    };
    if rows.iter().any(|row| !grouped::usable(row)) {
        level.timed_in = format!("{}: {}", title(rows[0]), failure(&rows));
        return;
    }
    let rates: Vec<f64> = rows.iter().filter_map(|row| row.throughput_per_s).collect();
    // Only what every trial has had requests enough for.
    let tail = |of: fn(&TrialRow) -> Option<u64>| {
        let tails: Option<Vec<f64>> = rows.iter().map(|row| of(row).map(|ns| ns as f64)).collect();
        tails.and_then(|tails| median(&tails))
    };
    level.throughput_per_s = median(&rates);
    level.response_p90_ns = tail(|row| row.response_p90_ns);
    level.response_p99_ns = tail(|row| row.response_p99_ns);
    level.timed_in = title(rows[0]);
}

/// How many children worked: workers of a pool, else as many as there were callers.
fn children(row: &TrialRow) -> Option<u32> {
    let workers = row.options.split(';').find_map(|o| o.strip_prefix("workers="));
    match workers {
        Some(workers) => workers.parse().ok(),
        None => row.callers,
    }
}

fn title(row: &TrialRow) -> String {
    let callers = row.callers.unwrap_or(0);
    let size = match row.payload_bytes {
        0 => row.size.clone(),
        bytes => human::bytes(bytes),
    };
    format!("{} {size}, {}", row.workload, human::plural(callers.into(), "caller"))
}

fn failure(rows: &[&TrialRow]) -> String {
    let said = rows.iter().map(|row| row.reason.trim()).find(|r| !r.is_empty());
    said.unwrap_or("its timed trials failed").to_owned()
}
