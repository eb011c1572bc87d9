//! The cells of memory trials: what one more child costs, by block, over the numbers of children
//! that both runs have.

use std::collections::BTreeSet;

use crate::experiment::label::{Named, label};
use crate::stats::Level;
use crate::stats::across::Pair;
use crate::stats::fit::theil_sen;
use crate::stats::interval::median_interval;
use crate::stats::quantile::median;
use crate::stats::two_sample::Drift;
use crate::stats::verdict::Better;

use super::matched::{Left, Only, add_only};
use super::{Arm, Draft, Group, Measured, Refusal, Side, Value};
use crate::analysis::memory::{self, MemorySummary, Series};

const PER_CHILD: Measured = Measured {
    name: "memory_per_child_bytes",
    unit: "bytes",
    better: Better::Lower,
    word: "MB per child",
};

/// What both have, and what not.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) groups: Vec<Group>,
    pub(super) cells: Vec<Draft>,
    pub(super) only: Vec<Only>,
    pub(super) left: Vec<Left>,
}

/// Matches groups and strategies; the first group gets the number `first`.
pub(super) fn matched(memories: &[MemorySummary; 2], first: usize, delta_ratio: f64) -> Held {
    let mut held = Held::default();
    let [a, b] = memories;
    for own in &a.groups {
        match b.groups.iter().find(|other| own.key == other.key) {
            None => held.only.push(only(Side::A, own)),
            Some(other) => add(&mut held, [own, other], first, delta_ratio),
        }
    }
    let is_new = |other: &&memory::Group| !a.groups.iter().any(|own| own.key == other.key);
    let new = b.groups.iter().filter(is_new);
    held.only.extend(new.map(|group| only(Side::B, group)));
    held
}

fn only(side: Side, group: &memory::Group) -> Only {
    Only { side, name: title(group), families: Vec::new() }
}

fn title(group: &memory::Group) -> String {
    format!("memory · {}", group.title)
}

fn add(held: &mut Held, [a, b]: [&memory::Group; 2], first: usize, delta_ratio: f64) {
    let place = first + held.groups.len();
    let mut other_children = false;
    let mut cells = Vec::new();
    for own in &a.series {
        match twin(b, own) {
            None => add_only(&mut held.only, Side::A, label_of([a, b], own), &title(a)),
            Some(twin) if own.phase != twin.phase => held.left.push(Left::plain(
                format!("{} in {}", label_of([a, b], own), title(a)),
                format!("its children were read `{}` in A and `{}` in B", own.phase, twin.phase),
            )),
            Some(twin) => {
                let common = common_children([own, twin]);
                other_children |= [own, twin].iter().any(|s| children(s) != common);
                cells.push(cell(place, label_of([a, b], own), [own, twin], &common, delta_ratio));
            }
        }
    }
    let is_new = |other: &&Series| twin(a, other).is_none();
    for other in b.series.iter().filter(is_new) {
        add_only(&mut held.only, Side::B, label_of([a, b], other), &title(a));
    }
    let mut notes = Vec::new();
    if other_children {
        notes.push(
            "The runs held different numbers of children; the lines here go through those that \
             both have, so that they are not those of the runs' own reports."
                .to_owned(),
        );
    }
    held.cells.extend(cells);
    held.groups.push(Group {
        family_id: String::new(),
        title: title(a),
        regime: "memory".to_owned(),
        runtime: a.key.runtime.clone(),
        workload: a.key.workload.clone(),
        workload_options: a.key.workload_options.clone(),
        size: a.key.size.clone(),
        callers: None,
        placement: a.key.placement.clone(),
        payload_bytes: a.key.payload_bytes,
        ballast_bytes: a.key.ballast_bytes,
        notes,
    });
}

fn twin<'g>(group: &'g memory::Group, series: &Series) -> Option<&'g Series> {
    let is_it = |s: &&Series| s.strategy == series.strategy && s.options == series.options;
    group.series.iter().find(is_it)
}

/// The series' label among those of both runs.
fn label_of(groups: [&memory::Group; 2], series: &Series) -> String {
    let named = |series: &Series| Named::of_row("arm", &series.strategy, &series.options);
    let both = groups.iter().flat_map(|group| &group.series);
    label(&named(series), &both.map(named).collect::<Vec<_>>())
}

fn children(series: &Series) -> BTreeSet<u32> {
    series.points.iter().flatten().map(|(k, _)| *k).collect()
}

fn common_children([a, b]: [&Series; 2]) -> BTreeSet<u32> {
    children(a).intersection(&children(b)).copied().collect()
}

fn cell(
    group: usize,
    label: String,
    series: [&Series; 2],
    common: &BTreeSet<u32>,
    delta_ratio: f64,
) -> Draft {
    let slopes = series.map(|series| slopes(series, common));
    Draft {
        group,
        arm: Arm {
            label,
            strategy: series[0].strategy.clone(),
            options: series[0].options.clone(),
            role: "arm",
        },
        metric: PER_CHILD,
        values: slopes.each_ref().map(|slopes| value(slopes)),
        delta_ratio,
        absolute: pair(&slopes, common, delta_ratio),
        relative: None,
        said: None,
        is_grey: false,
    }
}

/// Of the line through each block's trees; blocks without a line are left out.
fn slopes(series: &Series, common: &BTreeSet<u32>) -> Vec<f64> {
    let of_block = |points: &Vec<(u32, f64)>| {
        let points = points.iter().filter(|(k, _)| common.contains(k));
        let points: Vec<(f64, f64)> = points.map(|(k, bytes)| (f64::from(*k), *bytes)).collect();
        theil_sen(&points).map(|line| line.slope)
    };
    series.points.iter().filter_map(of_block).collect()
}

fn value(slopes: &[f64]) -> Option<Value> {
    Some(Value {
        estimate: median(slopes)?,
        interval: median_interval(slopes, Level::P95),
        n_blocks: slopes.len(),
    })
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
