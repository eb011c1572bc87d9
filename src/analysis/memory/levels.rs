//! What a series' trees have at one number of children: medians over blocks.

use std::collections::BTreeSet;

use super::MemoryLevel;
use super::rows::{Failures, Value, fall_bytes, float, reason};
use crate::record::{MemoryRow, Phase};
use crate::stats::quantile::median;

/// A level of a series: `all` are its rows, `usable` those that may be used, and `of_phase` of them
/// those of the moment that levels are of.
pub(super) fn level(
    k: u32,
    all: &[&MemoryRow],
    usable: &[&MemoryRow],
    of_phase: &[&MemoryRow],
    failures: &Failures<'_>,
) -> MemoryLevel {
    let own: Vec<&MemoryRow> = of_phase.iter().copied().filter(|row| row.k == k).collect();
    if own.is_empty() {
        return MemoryLevel { k, reason: reason(k, all, failures), ..MemoryLevel::default() };
    }
    let blocks: BTreeSet<u32> = own.iter().map(|row| row.block).collect();
    let of = |value: Value| middle(&own, value);
    // Marks are read at the end of a trial.
    let is_end = |row: &&&MemoryRow| row.k == k && row.phase == Phase::Peak;
    let ends: Vec<&MemoryRow> = usable.iter().filter(is_end).copied().collect();
    MemoryLevel {
        k,
        n_blocks: blocks.len(),
        rss_bytes: of(|row| float(row.rss_bytes)),
        pss_bytes: of(|row| float(row.pss_bytes)),
        pss_anon_bytes: of(|row| float(row.pss_anon_bytes)),
        pss_file_bytes: of(|row| float(row.pss_file_bytes)),
        pss_shmem_bytes: of(|row| float(row.pss_shmem_bytes)),
        page_tables_bytes: of(|row| float(row.page_tables_bytes)),
        uss_bytes: of(|row| float(row.uss_bytes)),
        cgroup_usage_bytes: of(|row| float(row.cgroup_usage_bytes)),
        cgroup_peak_bytes: middle(&ends, |row| float(row.cgroup_peak_bytes)),
        sampled_peak_bytes: middle(&ends, sampled_peak_bytes),
        ready_all_ns: of(|row| float(row.ready_all_ns)),
        mem_available_fall_bytes: of(fall_bytes),
        ..MemoryLevel::default()
    }
}

fn middle(rows: &[&MemoryRow], value: Value) -> Option<f64> {
    median(&rows.iter().filter_map(|row| value(row)).collect::<Vec<f64>>())
}

fn sampled_peak_bytes(row: &MemoryRow) -> Option<f64> {
    let is_sampled = row.flags.split(';').any(|flag| flag == "peak_sampled");
    float(row.pss_bytes).filter(|_| is_sampled)
}
