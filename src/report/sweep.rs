//! What differs in one number only: families whose payload, ballast or chunks differ, arms whose
//! workers do. What a line can be drawn through.

use std::collections::{BTreeMap, BTreeSet};

use crate::experiment::label::{Named, label};
use crate::options;
use crate::record::TrialRow;

use super::analyse::Analysed;
use super::grouped;

/// With fewer levels a table says as much as a line.
const LEVELS_MIN: usize = 3;

/// The levels of the factor `placement`, of which two are enough.
pub(super) const PLACEMENTS: [&str; 3] = ["same-core", "unpinned", "other-core"];

/// What stands for a level that is "never": behind every number of tasks.
const NEVER: f64 = f64::INFINITY;

/// One factor over its levels, all else alike.
#[derive(Debug, Clone)]
pub(super) struct Sweep<'a> {
    /// `payload_bytes`, `ballast_bytes`, `callers`, or the name of an option.
    pub(super) factor: String,
    /// What is alike, but for the arms.
    pub(super) facts: Facts,
    /// The same in words.
    pub(super) title: String,
    /// Ascending.
    pub(super) levels: Vec<f64>,
    /// One per strategy and its other options: reference and placebo first.
    pub(super) lines: Vec<Line<'a>>,
}

/// An arm at the levels at which it was measured.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    /// Unique in the sweep.
    pub(super) label: String,
    /// In ascending order of levels.
    pub(super) points: Vec<Point<'a>>,
    /// The arm has no such option: it was measured once, and stands at every level.
    pub(super) is_level: bool,
}

/// An arm of a family.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point<'a> {
    /// Of the factor.
    pub(super) level: f64,
    /// Where it was measured.
    pub(super) family: &'a Analysed<'a>,
    /// Its place among the family's arms.
    pub(super) arm: usize,
}

/// What tells families apart, by name.
pub(super) type Facts = BTreeMap<String, String>;

/// Every sweep of a run: those between families, then those inside of each.
pub(super) fn of_run<'a>(families: &'a [Analysed<'a>]) -> Vec<Sweep<'a>> {
    let mut sweeps = between(families);
    sweeps.extend(families.iter().flat_map(within));
    sweeps
}

/// The facts of a family that offered load in a closed loop; those of open loops have charts of
/// their own, over the rate.
pub(super) fn facts(family: &Analysed<'_>) -> Option<Facts> {
    let row = family.rows.rows.iter().find(|row| row.regime == "closed")?;
    let mut facts: Facts = options::parse(&row.workload_options);
    let own = [
        ("runtime", row.runtime.clone()),
        ("workload", row.workload.clone()),
        ("size", row.size.clone()),
        ("placement", row.placement.clone()),
        ("payload_bytes", row.payload_bytes.to_string()),
        ("ballast_bytes", row.ballast_bytes.to_string()),
        ("callers", row.callers.map(|n| n.to_string()).unwrap_or_default()),
    ];
    facts.extend(own.map(|(name, value)| (name.to_owned(), value)));
    Some(facts)
}

/// Families grouped by all facts but one, each with its value of that; in planned order.
fn grouped_without<'a>(
    families: &'a [Analysed<'a>],
    factor: &str,
) -> Vec<(Facts, Vec<(String, &'a Analysed<'a>)>)> {
    let mut groups: Vec<(Facts, Vec<(String, &Analysed<'_>)>)> = Vec::new();
    for family in families {
        let Some(mut facts) = facts(family) else {
            continue;
        };
        let Some(value) = facts.remove(factor) else {
            continue;
        };
        match groups.iter_mut().find(|(known, _)| *known == facts) {
            Some((_, members)) => members.push((value, family)),
            None => groups.push((facts, vec![(value, family)])),
        }
    }
    groups
}

fn between<'a>(families: &'a [Analysed<'a>]) -> Vec<Sweep<'a>> {
    let factors: BTreeSet<String> =
        families.iter().filter_map(facts).flat_map(Facts::into_keys).collect();
    let mut sweeps = Vec::new();
    for factor in factors {
        for (facts, members) in grouped_without(families, &factor) {
            let mut members: Vec<(f64, &Analysed<'_>)> = members
                .into_iter()
                .filter_map(|(value, family)| Some((level(&factor, &value)?, family)))
                .collect();
            members.sort_by(|a, b| a.0.total_cmp(&b.0));
            let levels = distinct(members.iter().map(|member| member.0));
            let least = if factor == "placement" { 2 } else { LEVELS_MIN };
            if levels.len() < least {
                continue;
            }
            sweeps.push(Sweep {
                title: title(members[0].1, &[&factor]),
                lines: lines_between(&members),
                factor: factor.clone(),
                facts,
                levels,
            });
        }
    }
    sweeps
}

/// The points of each strategy with the same options, those that are the factor left out, in the
/// order of the arms.
#[derive(Default)]
struct Grouped<'a>(Vec<(Named, Vec<Point<'a>>)>);

impl<'a> Grouped<'a> {
    fn add(&mut self, key: Named, point: Point<'a>) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, points)) => points.push(point),
            None => self.0.push((key, vec![point])),
        }
    }

    /// What has at least two points, named by the options in which it differs from its twins.
    fn lines(mut self) -> Vec<Line<'a>> {
        self.0.retain(|(_, points)| points.len() > 1);
        let keys: Vec<Named> = self.0.iter().map(|(key, _)| key.clone()).collect();
        let line = |(key, mut points): (Named, Vec<Point<'a>>)| {
            points.sort_by(|a, b| a.level.total_cmp(&b.level));
            Line { label: label(&key, &keys), points, is_level: false }
        };
        self.0.into_iter().map(line).collect()
    }
}

fn lines_between<'a>(members: &[(f64, &'a Analysed<'a>)]) -> Vec<Line<'a>> {
    let mut grouped = Grouped::default();
    for &(level, family) in members {
        for (arm, rows) in family.rows.arms.iter().enumerate() {
            grouped.add(rows.key.named(), Point { level, family, arm });
        }
    }
    grouped.lines()
}

/// The options of a family's strategies that take several numbers.
fn within<'a>(family: &'a Analysed<'a>) -> Vec<Sweep<'a>> {
    let Some(facts) = facts(family) else {
        return Vec::new();
    };
    let names: BTreeSet<String> = family
        .rows
        .arms
        .iter()
        .flat_map(|arm| options::parse(&arm.key.options).into_keys())
        .collect();
    let sweep = |factor: String| {
        let lines = lines_within(family, &factor);
        let of = |line: &Line<'_>| line.points.iter().map(|p| p.level).collect::<Vec<_>>();
        let longest = lines.iter().map(|line| of(line).len()).max()?;
        let levels = distinct(lines.iter().flat_map(of));
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

fn lines_within<'a>(family: &'a Analysed<'a>, factor: &str) -> Vec<Line<'a>> {
    let mut grouped = Grouped::default();
    for (arm, rows) in family.rows.arms.iter().enumerate() {
        let mut key = rows.key.named();
        let value = key.options.remove(factor);
        if let Some(level) = value.and_then(|value| level(factor, &value)) {
            grouped.add(key, Point { level, family, arm });
        }
    }
    grouped.lines()
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
pub(super) fn title(family: &Analysed<'_>, factors: &[&str]) -> String {
    let Some(row) = family.rows.rows.first() else {
        return family.rows.title.clone();
    };
    let mut row: TrialRow = (*row).clone();
    for factor in factors {
        match *factor {
            "payload_bytes" => row.payload_bytes = 0,
            "ballast_bytes" => row.ballast_bytes = 0,
            "callers" => row.callers = None,
            "placement" => row.placement.clear(),
            option => {
                let mut options = options::parse(&row.workload_options);
                options.remove(option);
                row.workload_options = options::render(&options);
            }
        }
    }
    grouped::title(&row)
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
