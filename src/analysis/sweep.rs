//! Families and arms that differ in one number only, such as payload, ballast, chunks or workers: a
//! line can be drawn through them.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Analysed;
use super::families;
use super::grouped::grouped;
use crate::experiment::label::{Named, label};
use crate::record::{Placement, Regime, TrialRow};
use crate::workload::options;

/// With fewer levels a table says as much as a line.
const LEVELS_MIN: usize = 3;

/// The levels of the factor `placement`, of which two are enough.
pub const PLACEMENTS: [&str; 3] = ["same-core", "unpinned", "other-core"];

/// The level "never", above every number of tasks.
const NEVER: f64 = f64::INFINITY;

/// One factor over its levels, all else alike.
#[derive(Debug, Clone)]
pub struct Sweep<'a> {
    /// `payload_bytes`, `ballast_bytes`, `callers`, or the name of an option.
    pub factor: String,
    /// The factors that are alike, but for the arms.
    pub facts: Facts,
    /// The same in words.
    pub title: String,
    /// Ascending.
    pub levels: Vec<f64>,
    /// One per strategy and its other options: reference and placebo first.
    pub lines: Vec<Line<'a>>,
}

/// An arm at the levels at which it was measured.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// Unique in the sweep.
    pub label: String,
    /// In ascending order of levels.
    pub points: Vec<Point<'a>>,
    /// The arm has no such option: it was measured once and is drawn at every level.
    pub is_level: bool,
}

/// An arm of a family.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a> {
    /// Of the factor.
    pub level: f64,
    /// Where it was measured.
    pub family: &'a Analysed<'a>,
    /// Its place among the family's arms.
    pub arm: usize,
}

/// The factors of a family, by name.
pub type Facts = BTreeMap<String, String>;

/// Every sweep of a run: those between families, then those inside of each.
pub fn of_run<'a>(families: &'a [Analysed<'a>]) -> Vec<Sweep<'a>> {
    let mut sweeps = between(families);
    sweeps.extend(families.iter().flat_map(within));
    sweeps
}

/// The facts of a family under a closed loop. Families under open loops have charts of their own,
/// over the rate.
pub fn facts(family: &Analysed<'_>) -> Option<Facts> {
    let row = family.rows.rows.iter().find(|row| row.regime == Regime::Closed)?;
    let mut facts: Facts = options::parse(&row.workload_options);
    let own = [
        ("runtime", row.runtime.clone()),
        ("workload", row.workload.clone()),
        ("size", row.size.clone()),
        ("placement", row.placement.name().to_owned()),
        ("payload_bytes", row.payload_bytes.to_string()),
        ("ballast_bytes", row.ballast_bytes.to_string()),
        ("callers", row.callers.map(|n| n.to_string()).unwrap_or_default()),
    ];
    facts.extend(own.map(|(name, value)| (name.to_owned(), value)));
    Some(facts)
}

/// Families grouped by all facts but one, each with its value of that; in planned order.
pub fn grouped_without<'a>(
    families: &'a [Analysed<'a>],
    factor: &str,
) -> Vec<(Facts, Vec<(String, &'a Analysed<'a>)>)> {
    grouped(families.iter().filter_map(|family| {
        let mut facts = facts(family)?;
        let value = facts.remove(factor)?;
        Some((facts, (value, family)))
    }))
}

fn between<'a>(families: &'a [Analysed<'a>]) -> Vec<Sweep<'a>> {
    let factors: BTreeSet<String> =
        families.iter().filter_map(facts).flat_map(Facts::into_keys).collect();
    let sweep = |factor: &str, facts: Facts, members: Vec<(String, &'a Analysed<'a>)>| {
        let mut members: Vec<(f64, &Analysed<'_>)> = members
            .into_iter()
            .filter_map(|(value, family)| Some((level(factor, &value)?, family)))
            .collect();
        members.sort_by(|a, b| a.0.total_cmp(&b.0));
        let levels = distinct(members.iter().map(|member| member.0));
        let points = members.iter().flat_map(|&(level, family)| {
            let arms = family.rows.arms.iter().enumerate();
            arms.map(move |(arm, rows)| (rows.key.named(), Point { level, family, arm }))
        });
        let least = if factor == "placement" { 2 } else { LEVELS_MIN };
        (levels.len() >= least).then(|| Sweep {
            title: title(members[0].1, &[factor]),
            lines: lines(points),
            factor: factor.to_owned(),
            facts,
            levels,
        })
    };
    let of_factor = |factor: &String| {
        let groups = grouped_without(families, factor).into_iter();
        groups.filter_map(|(facts, members)| sweep(factor, facts, members)).collect::<Vec<_>>()
    };
    factors.iter().flat_map(of_factor).collect()
}

/// A line for each strategy with the same options, the factor left out, that has two points or more;
/// in the order of the arms, and named by the options in which it differs from its twins.
fn lines<'a>(points: impl Iterator<Item = (Named, Point<'a>)>) -> Vec<Line<'a>> {
    let mut lines = grouped(points);
    lines.retain(|(_, points)| points.len() > 1);
    let keys: Vec<Named> = lines.iter().map(|(key, _)| key.clone()).collect();
    let line = |(key, mut points): (Named, Vec<Point<'a>>)| {
        points.sort_by(|a, b| a.level.total_cmp(&b.level));
        Line { label: label(&key, &keys), points, is_level: false }
    };
    lines.into_iter().map(line).collect()
}

/// The options of a family's strategies that take several numbers.
fn within<'a>(family: &'a Analysed<'a>) -> Vec<Sweep<'a>> {
    let Some(facts) = facts(family) else {
        return Vec::new();
    };
    let arms = || family.rows.arms.iter().enumerate();
    let names: BTreeSet<String> =
        arms().flat_map(|(_, arm)| options::parse(&arm.key.options).into_keys()).collect();
    let sweep = |factor: String| {
        let lines = lines(arms().filter_map(|(arm, rows)| {
            let mut key = rows.key.named();
            let level = level(&factor, &key.options.remove(&factor)?)?;
            Some((key, Point { level, family, arm }))
        }));
        let longest = lines.iter().map(|line| line.points.len()).max()?;
        let levels = distinct(lines.iter().flat_map(|line| &line.points).map(|point| point.level));
        (longest >= LEVELS_MIN).then(|| Sweep {
            title: family.rows.title.clone(),
            lines: with_level_lines(family, &factor, &levels, lines),
            facts: facts.clone(),
            factor,
            levels,
        })
    };
    names.into_iter().filter_map(sweep).collect()
}

/// Before the lines, one over all levels for each arm that has no such option.
fn with_level_lines<'a>(
    family: &'a Analysed<'a>,
    factor: &str,
    levels: &[f64],
    lines: Vec<Line<'a>>,
) -> Vec<Line<'a>> {
    let arms = family.rows.arms.iter().enumerate();
    let without = arms.filter(|(_, rows)| !options::parse(&rows.key.options).contains_key(factor));
    let mut all: Vec<Line<'_>> = without
        .map(|(arm, rows)| Line {
            label: rows.label.clone(),
            points: levels.iter().map(|&level| Point { level, family, arm }).collect(),
            is_level: true,
        })
        .collect();
    all.extend(lines);
    all
}

/// The family's title without what differs.
pub fn title(family: &Analysed<'_>, factors: &[&str]) -> String {
    let Some(row) = family.rows.rows.first() else {
        return family.rows.title.clone();
    };
    let mut row: TrialRow = (*row).clone();
    for factor in factors {
        match *factor {
            "payload_bytes" => row.payload_bytes = 0,
            "ballast_bytes" => row.ballast_bytes = 0,
            "callers" => row.callers = None,
            "placement" => row.placement = Placement::default(),
            option => {
                let mut options = options::parse(&row.workload_options);
                options.remove(option);
                row.workload_options = options::render(&options);
            }
        }
    }
    families::title(&row)
}

fn level(factor: &str, value: &str) -> Option<f64> {
    if factor == "placement" {
        return PLACEMENTS.iter().position(|name| *name == value).map(|place| place as f64);
    }
    let level: f64 = value.parse().ok().filter(|level: &f64| level.is_finite())?;
    // Replaced after 0 tasks is never replaced.
    let is_never = factor == "recycle_after" && level == 0.0;
    Some(if is_never { NEVER } else { level })
}

fn distinct(levels: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut levels: Vec<f64> = levels.collect();
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    levels
}
