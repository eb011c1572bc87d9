//! From rows to series: which looks may be used, what they are together, and the lines through
//! them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fit, Group, MemoryLevel, MemoryLine, MemorySummary, Series, segments, timed};
use crate::experiment::label::{Named, labels};
use crate::record::accepted::accepted;
use crate::record::{MemoryRow, Run, TrialRow};
use crate::report::human;
use crate::stats::fit::{fit_line, theil_sen};
use crate::stats::quantile::median;
use crate::stats::{Level, Safeguards};
use crate::strategy;

/// Of PSS and page tables: what is meant by memory wherever nothing else is said.
pub const HELD: &str = "pss_and_page_tables_bytes";

/// All that the kernel holds for the tree, page tables among it.
pub const KERNEL: &str = "cgroup_kernel_bytes";

/// The part of it that is known without a control group.
pub const TABLES: &str = "page_tables_bytes";

/// A number of a tree.
type Value = fn(&MemoryRow) -> Option<f64>;

/// What there are lines through; the change of MemAvailable last, since all programs change it.
const METRICS: [(&str, Value); 7] = [
    (HELD, held_bytes),
    (TABLES, |row| float(row.page_tables_bytes)),
    (KERNEL, |row| float(row.cgroup_kernel_bytes)),
    ("uss_bytes", |row| float(row.uss_bytes)),
    ("rss_bytes", |row| float(row.rss_bytes)),
    ("cgroup_usage_bytes", |row| float(row.cgroup_usage_bytes)),
    ("mem_available_fall_bytes", fall_bytes),
];

/// The moments at which a tree has its children, from the least to the most telling: a child at
/// the barrier is all there is of it, a worker grows with what it has done.
const PHASES: [&str; 4] = ["idle", "first", "hundred", "held"];

/// A line takes time with the square of its points: a damaged file must not take for ever.
const POINTS_MAX: usize = 1_000;

/// What tells groups apart: runtime, workload, its options, size, placement, payload, ballast.
type GroupKey<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, u64, u64);

/// All that a run says about memory.
pub fn of_run(run: &Run) -> MemorySummary {
    let failures = failures(run);
    let mut keys: Vec<GroupKey<'_>> = Vec::new();
    let mut rows_of: BTreeMap<GroupKey<'_>, Vec<&MemoryRow>> = BTreeMap::new();
    let trees = trees(run);
    for row in &trees {
        let rows = rows_of.entry(key(row)).or_insert_with(|| {
            keys.push(key(row));
            Vec::new()
        });
        rows.push(row);
    }
    let trials: BTreeSet<&str> = trees.iter().map(|row| row.trial_id.as_str()).collect();
    MemorySummary {
        trials_run: trials.len(),
        groups: keys
            .iter()
            .map(|key| {
                let mut group = group(&rows_of[key], &failures, run.manifest.seed);
                timed::fill(run, &mut group);
                group
            })
            .collect(),
    }
}

/// Whether a family is about memory. The id decides where nothing of it has run.
pub fn is_memory_family(run: &Run, family_id: &str) -> bool {
    let mut regimes = run.trials.iter().filter(|row| row.family_id == family_id);
    match regimes.next() {
        Some(row) => row.regime == "memory",
        None => family_id.split('-').any(|part| {
            let k = part.strip_prefix("memory").unwrap_or_default();
            !k.is_empty() && k.chars().all(|c| c.is_ascii_digit())
        }),
    }
}

fn key(row: &MemoryRow) -> GroupKey<'_> {
    (
        &row.runtime,
        &row.workload,
        &row.workload_options,
        &row.size,
        &row.placement,
        row.payload_bytes,
        row.ballast_bytes,
    )
}

/// The rows of trees, of the attempt at each trial that counts; of a trial that never ended the
/// rows there are. The placebo is the reference again.
pub fn trees(run: &Run) -> Vec<&MemoryRow> {
    let counting: BTreeMap<&str, u32> = accepted(&run.trials, Safeguards::ALL_ON)
        .into_iter()
        .map(|row| (row.trial_id.as_str(), row.attempt))
        .collect();
    let counts = |row: &&MemoryRow| {
        let counting = counting.get(row.trial_id.as_str());
        counting.is_none_or(|attempt| *attempt == row.attempt)
    };
    let is_tree = |row: &&MemoryRow| row.role == "tree" && row.trial_role != "placebo";
    run.memory.iter().filter(counts).filter(is_tree).collect()
}

/// Why trials may not be used, by their ids: a tree some of whose children failed is one of fewer
/// children than it says.
pub fn failures(run: &Run) -> BTreeMap<&str, String> {
    let known: BTreeMap<&str, String> = accepted(&run.trials, Safeguards::ALL_ON)
        .into_iter()
        .filter(|row| row.regime == "memory")
        .map(|row| (row.trial_id.as_str(), failure(row)))
        .collect();
    let missing = run.memory.iter().filter_map(|row| {
        let id = row.trial_id.as_str();
        let reason = "the trial has no row in trials.csv: it did not end";
        (!known.contains_key(id)).then(|| (id, reason.to_owned()))
    });
    let missing: Vec<_> = missing.collect();
    known.into_iter().filter(|(_, reason)| !reason.is_empty()).chain(missing).collect()
}

fn failure(row: &TrialRow) -> String {
    if row.status == "ok" && row.validity != "invalid" {
        return String::new();
    }
    match row.reason.trim() {
        "" => format!("the trial is {}", row.status),
        reason => reason.to_owned(),
    }
}

fn group(rows: &[&MemoryRow], failures: &BTreeMap<&str, String>, seed: u64) -> Group {
    let first = rows[0];
    let order = |name: &str| strategy::ALL.iter().position(|kind| kind.name == name);
    let mut arms: BTreeMap<(usize, &str, String), Vec<&MemoryRow>> = BTreeMap::new();
    for row in rows {
        let place = order(&row.strategy).unwrap_or(strategy::ALL.len());
        let arm = (place, row.strategy.as_str(), without_workers(&row.options));
        arms.entry(arm).or_default().push(row);
    }
    let named = arms.keys().map(|(_, name, options)| Named::of_row("arm", name, options));
    let labels = labels(&named.collect::<Vec<_>>());
    let usable = |row: &&&MemoryRow| !failures.contains_key(row.trial_id.as_str());
    let blocks: BTreeSet<u32> = rows.iter().filter(usable).map(|row| row.block).collect();
    Group {
        title: title(first),
        n_blocks: blocks.len(),
        runtime: first.runtime.clone(),
        workload: first.workload.clone(),
        workload_options: first.workload_options.clone(),
        size: first.size.clone(),
        placement: first.placement.clone(),
        payload_bytes: first.payload_bytes,
        ballast_bytes: first.ballast_bytes,
        series: arms
            .iter()
            .zip(labels)
            .map(|(((_, name, options), rows), label)| Series {
                label,
                strategy: (*name).to_owned(),
                options: options.clone(),
                ..series(rows, failures, seed)
            })
            .collect(),
    }
}

fn title(row: &MemoryRow) -> String {
    let mut what = row.workload.clone();
    if row.workload != "hold" && !row.size.is_empty() {
        what = format!("{what} {}", row.size);
    }
    let mut parts = vec![what, row.runtime.clone()];
    for (name, said) in [("touch_mib", "touching"), ("write_mib", "writing")] {
        let options = row.workload_options.split(';');
        let value = options.filter_map(|o| o.split_once('=')).find(|o| o.0 == name);
        if let Some((_, mib)) = value.filter(|(_, mib)| *mib != "0") {
            parts.push(format!("children {said} {mib} MiB"));
        }
    }
    if row.payload_bytes > 0 {
        parts.push(human::bytes(row.payload_bytes));
    }
    if row.ballast_bytes > 0 {
        parts.push(format!("ballast {}", human::bytes(row.ballast_bytes)));
    }
    if !matches!(row.placement.as_str(), "" | "unpinned") {
        parts.push(row.placement.clone());
    }
    parts.join(" · ")
}

/// The options but the number of workers, which is the number of children here.
pub fn without_workers(options: &str) -> String {
    let kept = options.split(';').filter(|o| !o.starts_with("workers="));
    kept.collect::<Vec<_>>().join(";")
}

/// All of a series but its name.
fn series(rows: &[&MemoryRow], failures: &BTreeMap<&str, String>, seed: u64) -> Series {
    let usable: Vec<&MemoryRow> = rows
        .iter()
        .copied()
        .filter(|row| row.status == "ok" && !failures.contains_key(row.trial_id.as_str()))
        .collect();
    let phases = phases(&usable);
    let phase = phases.last().copied().unwrap_or("idle");
    let mut fits = Vec::new();
    for phase in &phases {
        let rows = comparable(at(&usable, phase), phase);
        for (metric, value) in METRICS {
            fits.extend(fit(&rows, phase, (metric, value), seed));
        }
    }
    let is_main = |fit: &&Fit| fit.phase == phase && fit.metric == HELD;
    let line = fits.iter().find(is_main).map(|fit| fit.line);
    let ks: BTreeSet<u32> = rows.iter().map(|row| row.k).collect();
    let of_phase = at(&usable, phase);
    let levels = ks.into_iter();
    let levels = levels.map(|k| level(k, rows, &of_phase, &usable, failures)).collect();
    let points = points(&comparable(of_phase, phase));
    Series {
        label: String::new(),
        strategy: String::new(),
        options: String::new(),
        phase: phase.to_owned(),
        levels,
        line,
        miss: segments::miss(line, &points),
        segments: segments::segments(&points),
        fits,
        points,
    }
}

/// Children and bytes held of each tree, by block; not of more trees than a line is fitted to.
fn points(rows: &[&MemoryRow]) -> Vec<Vec<(u32, f64)>> {
    let mut blocks: BTreeMap<u32, Vec<(u32, f64)>> = BTreeMap::new();
    for row in rows.iter().take(POINTS_MAX) {
        if let Some(bytes) = held_bytes(row) {
            blocks.entry(row.block).or_default().push((row.k, bytes));
        }
    }
    blocks.into_values().collect()
}

/// The phases in which trees of this series have children, in the order of [`PHASES`]. Whoever is
/// held has none before.
pub fn phases(rows: &[&MemoryRow]) -> Vec<&'static str> {
    let with_children = || rows.iter().filter(|row| row.k > 0);
    let has = |phase: &&str| with_children().any(|row| row.phase == **phase);
    if has(&"held") {
        return vec!["held"];
    }
    PHASES.iter().copied().filter(|phase| has(phase)).collect()
}

/// The looks of a phase. A tree without children does nothing, so that any phase of it is `idle`.
pub fn at<'a>(rows: &[&'a MemoryRow], phase: &str) -> Vec<&'a MemoryRow> {
    let of = |row: &&&MemoryRow| row.phase == if row.k == 0 { "idle" } else { phase };
    rows.iter().filter(of).copied().collect()
}

/// Of looks after requests those that were really taken then: a tree without children was asked
/// nothing, and what its server grew by with the requests is no price of a child. It stays where
/// there would be no line without it.
fn comparable<'a>(rows: Vec<&'a MemoryRow>, phase: &str) -> Vec<&'a MemoryRow> {
    let ks: BTreeSet<u32> = rows.iter().map(|row| row.k).filter(|k| *k > 0).collect();
    match phase {
        "first" | "hundred" if ks.len() > 1 => rows.into_iter().filter(|row| row.k > 0).collect(),
        _ => rows,
    }
}

fn fit(
    rows: &[&MemoryRow],
    phase: &str,
    (metric, value): (&'static str, Value),
    seed: u64,
) -> Option<Fit> {
    let mut blocks: BTreeMap<u32, Vec<(f64, f64)>> = BTreeMap::new();
    let mut n_points = 0;
    let mut k_range = (u32::MAX, 0);
    for row in rows.iter().take(POINTS_MAX) {
        if let Some(bytes) = value(row) {
            let block = blocks.entry(row.block).or_default();
            block.push((f64::from(row.k), bytes));
            n_points += 1;
            k_range = (k_range.0.min(row.k), k_range.1.max(row.k));
        }
    }
    let n_blocks = blocks.len();
    let slopes = match metric == HELD {
        true => slopes(&blocks),
        false => Vec::new(),
    };
    let mut points: Vec<Vec<(f64, f64)>> = blocks.into_values().collect();
    if metric != HELD {
        // One block has no interval: that of every metric would take minutes and nobody asks.
        points = vec![points.concat()];
    }
    let fitted = fit_line(&points, Level::P95, seed)?;
    let not_in_pss =
        |row: &&MemoryRow| row.swap_pss_bytes.unwrap_or(0) + row.hugetlb_bytes.unwrap_or(0) > 0;
    Some(Fit {
        phase: phase.to_owned(),
        metric,
        line: MemoryLine::of(&fitted),
        n_blocks,
        n_points,
        k_range,
        is_incomplete: rows.iter().any(not_in_pss),
        slopes,
    })
}

/// Of each block that has a line of its own, for whoever compares two strategies block by block.
fn slopes(blocks: &BTreeMap<u32, Vec<(f64, f64)>>) -> Vec<(u32, f64)> {
    let lines = blocks.iter().map(|(block, points)| (*block, theil_sen(points)));
    lines.filter_map(|(block, line)| Some((block, line?.slope))).collect()
}

fn level(
    k: u32,
    all: &[&MemoryRow],
    of_phase: &[&MemoryRow],
    usable: &[&MemoryRow],
    failures: &BTreeMap<&str, String>,
) -> MemoryLevel {
    let own: Vec<&MemoryRow> = of_phase.iter().copied().filter(|row| row.k == k).collect();
    if own.is_empty() {
        return MemoryLevel { k, reason: reason(k, all, failures), ..MemoryLevel::default() };
    }
    let blocks: BTreeSet<u32> = own.iter().map(|row| row.block).collect();
    let of = |value: Value| middle(&own, value);
    // Marks are read at the end of a trial.
    let ends: Vec<&MemoryRow> =
        usable.iter().copied().filter(|row| row.k == k && row.phase == "peak").collect();
    MemoryLevel {
        k,
        n_blocks: blocks.len(),
        reason: String::new(),
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

/// The distinct reasons for which there is nothing.
pub fn reason(k: u32, rows: &[&MemoryRow], failures: &BTreeMap<&str, String>) -> String {
    let mut seen = BTreeSet::new();
    let own = rows.iter().filter(|row| row.k == k);
    let reasons: Vec<&str> = own
        .map(|row| match failures.get(row.trial_id.as_str()) {
            Some(reason) => reason.as_str(),
            None => row.reason.trim(),
        })
        .filter(|reason| !reason.is_empty() && seen.insert(*reason))
        .collect();
    match reasons.as_slice() {
        [] => "no look at it was whole".to_owned(),
        reasons => reasons.join("; "),
    }
}

fn middle(rows: &[&MemoryRow], value: Value) -> Option<f64> {
    let values: Vec<f64> = rows.iter().filter_map(|row| value(row)).collect();
    median(&values)
}

fn held_bytes(row: &MemoryRow) -> Option<f64> {
    Some(float(row.pss_bytes)? + float(row.page_tables_bytes).unwrap_or(0.0))
}

fn sampled_peak_bytes(row: &MemoryRow) -> Option<f64> {
    let is_sampled = row.flags.split(';').any(|flag| flag == "peak_sampled");
    float(row.pss_bytes).filter(|_| is_sampled)
}

/// By how much MemAvailable fell; below zero if it rose.
fn fall_bytes(row: &MemoryRow) -> Option<f64> {
    Some(float(row.mem_available_start_bytes)? - float(row.mem_available_bytes)?)
}

fn float(number: Option<u64>) -> Option<f64> {
    number.map(|n| n as f64)
}
