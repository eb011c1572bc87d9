//! The cells of memory trials: what one more child costs, by block, over the numbers of children
//! that both runs have.

use crate::record::{Regime, Role};
use std::collections::BTreeSet;

use crate::experiment::label::{Named, label};
use crate::stats::Level;
use crate::stats::across::Pair;
use crate::stats::fit::theil_sen;
use crate::stats::interval::median_interval;
use crate::stats::quantile::median;
use crate::stats::two_sample::Drift;
use crate::stats::verdict::Better;

use super::cells::{Cell, Group, Measured, Refusal};
use super::pairing::{Left, Only, add_only};
use super::{CompareRow, Side};
use crate::analysis::cells::Cell as Value;
use crate::analysis::memory::{self, MemorySummary, Series};

const PER_CHILD: Measured = Measured {
    name: "memory_per_child_bytes",
    unit: "bytes",
    better: Better::Lower,
    word: "MB per child",
};

const OTHER_CHILDREN: &str = "The runs held different numbers of children. The lines here go \
    through those that both have, so they are not those of the runs' own reports.";

/// What both have, and what not.
#[derive(Debug, Default)]
pub struct Held {
    pub groups: Vec<Group>,
    pub cells: Vec<Cell>,
    pub only: Vec<Only>,
    pub left: Vec<Left>,
}

/// Matches groups and strategies; the first group gets the number `first`.
pub fn matched(memories: &[MemorySummary; 2], first: usize, delta_ratio: f64) -> Held {
    let mut held = Held::default();
    let [a, b] = memories;
    let twin_in = |groups: &[memory::Group], own: &memory::Group| {
        groups.iter().position(|other| other.key == own.key)
    };
    for own in &a.groups {
        match twin_in(&b.groups, own) {
            None => add_only(&mut held.only, Side::A, title(own), None),
            Some(place) => add(&mut held, [own, &b.groups[place]], first, delta_ratio),
        }
    }
    for other in b.groups.iter().filter(|other| twin_in(&a.groups, other).is_none()) {
        add_only(&mut held.only, Side::B, title(other), None);
    }
    held
}

fn title(group: &memory::Group) -> String {
    format!("memory · {}", group.title)
}

fn add(held: &mut Held, groups: [&memory::Group; 2], first: usize, delta_ratio: f64) {
    let [a, b] = groups;
    let place = first + held.groups.len();
    let mut notes = Vec::new();
    for own in &a.series {
        let label = label_of(groups, own);
        match twin(b, own) {
            None => add_only(&mut held.only, Side::A, label, Some(&title(a))),
            Some(twin) if own.phase != twin.phase => held.left.push(Left::plain(
                format!("{label} in {}", title(a)),
                format!("its children were read `{}` in A and `{}` in B", own.phase, twin.phase),
            )),
            Some(twin) => {
                let [children_a, children_b] = [own, twin].map(children);
                let common: BTreeSet<u32> = children_a.intersection(&children_b).copied().collect();
                if notes.is_empty() && [children_a, children_b].iter().any(|all| *all != common) {
                    notes.push(OTHER_CHILDREN.to_owned());
                }
                held.cells.push(cell(place, label, [own, twin], &common, delta_ratio));
            }
        }
    }
    for other in b.series.iter().filter(|other| twin(a, other).is_none()) {
        add_only(&mut held.only, Side::B, label_of(groups, other), Some(&title(a)));
    }
    held.groups.push(Group {
        title: title(a),
        notes,
        row: CompareRow {
            regime: Regime::Memory.name().to_owned(),
            runtime: a.key.runtime.clone(),
            workload: a.key.workload.clone(),
            workload_options: a.key.workload_options.clone(),
            size: a.key.size.clone(),
            placement: a.key.placement.name().to_owned(),
            payload_bytes: a.key.payload_bytes,
            ballast_bytes: a.key.ballast_bytes,
            ..CompareRow::default()
        },
    });
}

fn twin<'g>(group: &'g memory::Group, series: &Series) -> Option<&'g Series> {
    let is_it = |s: &&Series| s.strategy == series.strategy && s.options == series.options;
    group.series.iter().find(is_it)
}

/// The label of the series among those of both runs.
fn label_of(groups: [&memory::Group; 2], series: &Series) -> String {
    let named = |series: &Series| Named::of_row("arm", &series.strategy, &series.options);
    let both = groups.iter().flat_map(|group| &group.series);
    label(&named(series), &both.map(named).collect::<Vec<_>>())
}

fn children(series: &Series) -> BTreeSet<u32> {
    series.points.iter().flatten().map(|(k, _)| *k).collect()
}

fn cell(
    group: usize,
    label: String,
    series: [&Series; 2],
    common: &BTreeSet<u32>,
    delta_ratio: f64,
) -> Cell {
    let slopes = series.map(|series| slopes(series, common));
    Cell {
        group,
        label,
        strategy: series[0].strategy.clone(),
        options: series[0].options.clone(),
        role: Role::Arm,
        metric: PER_CHILD,
        values: slopes.each_ref().map(|slopes| Value {
            estimate: median(slopes),
            interval: median_interval(slopes, Level::P95),
            n_blocks: slopes.len(),
            n_missing: 0,
        }),
        absolute: pair(&slopes, common, delta_ratio).into(),
        relative: None,
        said: None,
        is_grey: false,
    }
}

/// Of the line through the trees of each block; blocks without a line are left out.
fn slopes(series: &Series, common: &BTreeSet<u32>) -> Vec<f64> {
    let of_block = |points: &Vec<(u32, f64)>| {
        let points = points.iter().filter(|(k, _)| common.contains(k));
        let points: Vec<(f64, f64)> = points.map(|(k, bytes)| (f64::from(*k), *bytes)).collect();
        theil_sen(&points).map(|line| line.slope)
    };
    series.points.iter().filter_map(of_block).collect()
}

fn pair(slopes: &[Vec<f64>; 2], common: &BTreeSet<u32>, delta_ratio: f64) -> Result<Pair, Refusal> {
    if common.len() < 2 {
        return Err(Refusal::NoLine);
    }
    for (side, slopes) in Side::BOTH.into_iter().zip(slopes) {
        if slopes.is_empty() {
            return Err(Refusal::NoValue(side));
        }
        if slopes.iter().any(|slope| *slope <= 0.0) {
            return Err(Refusal::NotPositive(side));
        }
    }
    let [a, b] = slopes.each_ref().map(|slopes| slopes.iter().map(|s| s.ln()).collect());
    Ok(Pair {
        a,
        b,
        drift: Drift::Possible,
        better: Better::Lower,
        delta_log: delta_ratio.ln_1p(),
        // Memory trials have no placebo: their reference has no children.
        is_checked: true,
    })
}
