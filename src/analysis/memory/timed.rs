//! Throughput and tail at the same number of children, from timed trials: trials that read memory
//! time nothing.

use super::{Group, MemoryLevel};
use crate::analysis::attempts::usable;
use crate::analysis::over_blocks::{median_of_all, median_rate};
use crate::experiment::numbers;
use crate::record::{Regime, Role, TrialRow};
use crate::workload::options;

/// Adds what timed trials say to every level that has such trials.
pub(super) fn fill(accepted: &[&TrialRow], group: &mut Group) {
    let key = &group.key;
    for series in &mut group.series {
        let own: Vec<&TrialRow> = accepted
            .iter()
            .copied()
            .filter(|row| row.regime == Regime::Closed && row.role != Role::Placebo)
            .filter(|row| row.strategy == series.strategy && row.runtime == key.runtime)
            .filter(|row| row.ballast_bytes == key.ballast_bytes)
            .collect();
        for level in &mut series.levels {
            fill_level(&own, level);
        }
    }
}

fn fill_level(rows: &[&TrialRow], level: &mut MemoryLevel) {
    let own = || rows.iter().copied().filter(|row| children(row) == Some(level.k));
    // Of several families the one that keeps all children busy, of those the one with the fewest
    // callers that wait for a child, of those the first.
    let mismatch = |row: &&TrialRow| {
        let callers = row.callers.unwrap_or(0);
        (level.k.saturating_sub(callers), callers.saturating_sub(level.k))
    };
    let Some(first) = own().min_by_key(mismatch) else {
        return;
    };
    let rows: Vec<&TrialRow> = own().filter(|row| row.family_id == first.family_id).collect();
    if rows.iter().any(|row| !usable(row)) {
        level.timed_in = format!("{}: {}", title(first), failure(&rows));
        return;
    }
    level.throughput_per_s = median_rate(&rows);
    level.response_p90_ns = median_of_all(&rows, |row| row.response_p90_ns);
    level.response_p99_ns = median_of_all(&rows, |row| row.response_p99_ns);
    level.timed_in = title(first);
}

/// How many children worked: workers of a pool, else as many as there were callers.
fn children(row: &TrialRow) -> Option<u32> {
    match options::parse(&row.options).get("workers") {
        Some(workers) => workers.parse().ok(),
        None => row.callers,
    }
}

fn title(row: &TrialRow) -> String {
    let callers = row.callers.unwrap_or(0);
    let size = match row.payload_bytes {
        0 => row.size.clone(),
        bytes => numbers::bytes(bytes),
    };
    format!("{} {size}, {}", row.workload, numbers::plural(callers.into(), "caller"))
}

fn failure(rows: &[&TrialRow]) -> String {
    let said = rows.iter().map(|row| row.reason.trim()).find(|reason| !reason.is_empty());
    said.unwrap_or("its timed trials failed").to_owned()
}
