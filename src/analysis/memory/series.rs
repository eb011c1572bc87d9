//! From rows to series, and the lines through them.

use std::collections::{BTreeMap, BTreeSet};

use super::levels::level;
use super::rows::{
    self, FITTED, Failures, HELD, Quantity, Value, at, held_bytes, phases, usable, without_workers,
};
use super::segments::{miss, segments};
use super::{Fit, Group, MemoryLine, MemorySummary, Series, timed};
use crate::analysis::attempts::accepted;
use crate::analysis::family_key::FamilyKey;
use crate::analysis::grouped::grouped;
use crate::experiment::label::{Named, labels};
use crate::record::{MemoryRow, Phase, Run};
use crate::stats::Level;
use crate::stats::fit::{fit_line, theil_sen};
use crate::strategy;

/// A line takes time with the square of its points: a damaged file must not take for ever.
const POINTS_MAX: usize = 1_000;

/// All memory trials of a run.
pub fn of_run(run: &Run) -> MemorySummary {
    let accepted = accepted(&run.trials);
    let failures = rows::failures(run, &accepted);
    let trees = rows::trees(run, &accepted);
    let trials: BTreeSet<&str> = trees.iter().map(|row| row.trial_id.as_str()).collect();
    let groups = grouped(trees.iter().map(|row| (FamilyKey::of_memory(row), *row)));
    let groups = groups.into_iter().map(|(key, rows)| {
        let mut group = group(key, &rows, &failures, run.manifest.seed);
        timed::fill(&accepted, &mut group);
        group
    });
    MemorySummary { trials_run: trials.len(), groups: groups.collect() }
}

fn group(key: FamilyKey, rows: &[&MemoryRow], failures: &Failures<'_>, seed: u64) -> Group {
    let order = |name: &str| strategy::ALL.iter().position(|kind| kind.name == name);
    let mut arms: BTreeMap<(usize, &str, String), Vec<&MemoryRow>> = BTreeMap::new();
    for row in rows {
        let place = order(&row.strategy).unwrap_or(strategy::ALL.len());
        let arm = (place, row.strategy.as_str(), without_workers(&row.options));
        arms.entry(arm).or_default().push(row);
    }
    let named = arms.keys().map(|(_, name, options)| Named::of_row("arm", name, options));
    let labels = labels(&named.collect::<Vec<_>>());
    let is_usable = |row: &&&MemoryRow| !failures.contains_key(row.trial_id.as_str());
    let blocks: BTreeSet<u32> = rows.iter().filter(is_usable).map(|row| row.block).collect();
    let series = arms.into_iter().zip(labels).map(|(((_, name, options), rows), label)| Series {
        label,
        strategy: name.to_owned(),
        options,
        ..unnamed(&rows, failures, seed)
    });
    Group { title: key.title(""), n_blocks: blocks.len(), series: series.collect(), key }
}

/// A series without its name.
fn unnamed(rows: &[&MemoryRow], failures: &Failures<'_>, seed: u64) -> Series {
    let usable = usable(rows, failures);
    let phases = phases(&usable);
    let phase = phases.last().copied().unwrap_or(Phase::Idle);
    let mut fits = Vec::new();
    for &phase in &phases {
        let rows = comparable(at(&usable, phase), phase);
        fits.extend(FITTED.iter().filter_map(|quantity| fit(&rows, phase, quantity, seed)));
    }
    let is_main = |fit: &&Fit| fit.phase == phase && fit.metric == HELD;
    let line = fits.iter().find(is_main).map(|fit| fit.line);
    let ks: BTreeSet<u32> = rows.iter().map(|row| row.k).collect();
    let of_phase = at(&usable, phase);
    let levels = ks.into_iter().map(|k| level(k, rows, &usable, &of_phase, failures)).collect();
    let points: Vec<Vec<(u32, f64)>> =
        by_block(&comparable(of_phase, phase), held_bytes).into_values().collect();
    Series {
        label: String::new(),
        strategy: String::new(),
        options: String::new(),
        phase,
        levels,
        line,
        miss: miss(line, &points),
        segments: segments(&points),
        fits,
        points,
    }
}

/// Children and value of each tree, by block; of no more trees than a line is fitted to.
fn by_block(rows: &[&MemoryRow], value: Value) -> BTreeMap<u32, Vec<(u32, f64)>> {
    let mut blocks: BTreeMap<u32, Vec<(u32, f64)>> = BTreeMap::new();
    for row in rows.iter().take(POINTS_MAX) {
        if let Some(bytes) = value(row) {
            blocks.entry(row.block).or_default().push((row.k, bytes));
        }
    }
    blocks
}

/// Of looks after requests only those that really followed requests: a tree without children was
/// asked nothing, and its server's growth with the requests is not the price of a child. It stays
/// where there would be no line without it.
fn comparable(rows: Vec<&MemoryRow>, phase: Phase) -> Vec<&MemoryRow> {
    let ks: BTreeSet<u32> = rows.iter().map(|row| row.k).filter(|k| *k > 0).collect();
    match phase {
        Phase::First | Phase::Hundred if ks.len() > 1 => {
            rows.into_iter().filter(|row| row.k > 0).collect()
        }
        _ => rows,
    }
}

fn fit(rows: &[&MemoryRow], phase: Phase, quantity: &Quantity, seed: u64) -> Option<Fit> {
    let blocks = by_block(rows, quantity.value);
    let points = |block: &Vec<(u32, f64)>| -> Vec<(f64, f64)> {
        block.iter().map(|(k, bytes)| (f64::from(*k), *bytes)).collect()
    };
    let mut all: Vec<Vec<(f64, f64)>> = blocks.values().map(points).collect();
    let mut slopes = Vec::new();
    if quantity.name == HELD {
        let lines = blocks.keys().zip(&all).map(|(block, points)| (*block, theil_sen(points)));
        slopes = lines.filter_map(|(block, line)| Some((block, line?.slope))).collect();
    } else {
        // One block has no interval: intervals of all quantities would take minutes.
        all = vec![all.concat()];
    }
    let fitted = fit_line(&all, Level::P95, seed)?;
    let ks = || blocks.values().flatten().map(|(k, _)| *k);
    let not_in_pss =
        |row: &&MemoryRow| row.swap_pss_bytes.unwrap_or(0) + row.hugetlb_bytes.unwrap_or(0) > 0;
    Some(Fit {
        phase,
        metric: quantity.name,
        line: MemoryLine::of(&fitted),
        n_blocks: blocks.len(),
        n_points: ks().count(),
        k_range: (ks().min()?, ks().max()?),
        is_incomplete: rows.iter().any(not_in_pss),
        slopes,
    })
}
