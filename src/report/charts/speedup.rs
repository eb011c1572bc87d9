//! How much sooner one request is answered when its work is shared out: against the reference,
//! which does the same chunks one after another in the same block, beside what cores allow.

use super::Chart;
use super::curve;
use super::panel::{Axis, Dot, Panel, Series};
use super::scale::Scale;
use crate::analysis::metrics::RESPONSE_P50;
use crate::analysis::summary::{Ratio, State};
use crate::analysis::sweep::{self, Point, Sweep};
use crate::report::human;
use crate::stats::verdict::{Conclusion, Reason};

/// How the chunks of a request are cut; a panel for each way.
const SPLIT: &str = "split";

/// Whether the factor is how many may work at one request: its chunks, or the workers for them.
pub(super) fn is_of(sweep: &Sweep<'_>) -> bool {
    let is_single = sweep.facts.get("callers").is_some_and(|n| n == "1");
    let shared = |facts: &sweep::Facts| facts.get("chunks").is_some_and(|n| n != "1");
    is_single
        && match sweep.factor.as_str() {
            "chunks" => true,
            "workers" => shared(&sweep.facts),
            _ => false,
        }
}

/// A chart per workload and factor, with a panel per way of cutting it.
pub(super) fn charts(sweeps: &[&Sweep<'_>], cores: Option<u64>) -> Vec<Chart> {
    let key = |sweep: &Sweep<'_>| {
        let mut facts = sweep.facts.clone();
        facts.remove(SPLIT);
        (sweep.factor.clone(), facts)
    };
    let mut groups: Vec<Vec<&Sweep<'_>>> = Vec::new();
    for &sweep in sweeps {
        match groups.iter_mut().find(|group| key(group[0]) == key(sweep)) {
            Some(group) => group.push(sweep),
            None => groups.push(vec![sweep]),
        }
    }
    let numbered = (1..).zip(groups);
    numbered.filter_map(|(i, group)| chart(&group, cores, &format!("speedup-{i:02}"))).collect()
}

fn chart(group: &[&Sweep<'_>], cores: Option<u64>, stem: &str) -> Option<Chart> {
    let mut panels: Vec<Panel> = group.iter().map(|sweep| panel(sweep, cores)).collect();
    if panels.iter().all(|panel| panel.series.is_empty()) {
        return None;
    }
    // One scale for all, so that the eye may compare them.
    let highest = panels.iter().flat_map(Panel::values).fold(1.0, f64::max);
    panels.iter_mut().for_each(|panel| panel.also = vec![highest]);
    let sweep = group[0];
    let families = sweep.lines.iter().flat_map(|line| &line.points);
    let blocks = families.clone().map(|point| point.family);
    let reference = blocks
        .flat_map(|family| &family.rows.arms)
        .find(|arm| arm.key.role_name() == "reference")?;
    let reference = reference.label.as_str();
    let factor = curve::words(&sweep.factor);
    let title = format!("Speed-up against {factor}");
    let note = format!(
        "median response of {reference}, which does the same chunks one after another, over that \
         of the arm, paired by block, with 95 % intervals where 6 blocks are enough; hollow, grey: \
         nothing may be concluded; points only, no model is fitted"
    );
    let question = format!("How much sooner is one request answered, against {factor}?");
    let answer = answer(&panels, reference, cores);
    let heading = sweep::Sweep {
        title: sweep::title(sweep.lines.first()?.points.first()?.family, &[&sweep.factor, SPLIT]),
        ..(*sweep).clone()
    };
    let texts = ((title, note), (question, answer));
    Some(curve::draw(&heading, panels, texts.0, texts.1, stem))
}

fn panel(sweep: &Sweep<'_>, cores: Option<u64>) -> Panel {
    let split = sweep.facts.get(SPLIT).map_or("", String::as_str);
    let lines = sweep.lines.iter();
    let highest = sweep.levels.last().copied().unwrap_or(1.0);
    let cores_within = cores.map(|n| n as f64).filter(|n| *n <= highest);
    Panel {
        head: format!("speed-up, {split} chunks ↑ higher is better").replace("  ", " "),
        column: "speed-up",
        series: lines.filter_map(|line| Series::of(line, dot)).collect(),
        scale: |values, low, high| {
            Scale::linear(values.iter().copied().fold(1.0, f64::max), low, high)
        },
        tick: human::ratio_tick,
        axis: Axis::of(sweep),
        ideal: ideal(&sweep.levels, cores),
        mark: cores_within.map(|n| (n, human::plural(n as u64, "core"))),
        also: Vec::new(),
    }
}

/// As many times as may work at once: one per chunk or worker, and no more than cores.
pub(super) fn ideal(levels: &[f64], cores: Option<u64>) -> Vec<(f64, f64)> {
    let Some(cores) = cores.map(|n| n as f64) else {
        return Vec::new();
    };
    let mut at: Vec<f64> = levels.to_vec();
    let within =
        levels.first().is_some_and(|n| *n <= cores) && levels.last().is_some_and(|n| *n >= cores);
    if within && !at.contains(&cores) {
        at.push(cores);
        at.sort_by(f64::total_cmp);
    }
    at.into_iter().map(|level| (level, level.min(cores))).collect()
}

/// The reference is 1 by definition.
fn dot(point: &Point<'_>) -> Option<Dot> {
    let family = point.family;
    let arm = &family.rows.arms[point.arm];
    let ratio = match arm.key.role_name() {
        "reference" => None,
        _ => {
            let of_response = |r: &&_| of_metric(r);
            let result = family.results.iter().find(of_response)?;
            Some(Ratio::of(result.comparisons[point.arm].as_ref()?)?)
        }
    };
    if ratio.is_none() && arm.state != State::Ok {
        return None;
    }
    let grey = Conclusion::Withheld(Reason::PlaceboDiffers);
    Some(Dot {
        level: point.level,
        value: ratio.map_or(1.0, |ratio| 1.0 / ratio.estimate),
        interval: ratio.and_then(|ratio| Some((1.0 / ratio.ci_high?, 1.0 / ratio.ci_low?))),
        is_sound: ratio.is_none_or(|ratio| ratio.conclusion != grey),
        state: arm.state,
    })
}

fn of_metric(result: &crate::analysis::cells::MetricResult) -> bool {
    result.metric.name == RESPONSE_P50
}

/// The best of every panel, beside what would be ideal there.
fn answer(panels: &[Panel], reference: &str, cores: Option<u64>) -> String {
    let all = || panels.iter().flat_map(|panel| &panel.series);
    let any_sound = all()
        .filter(|series| series.role == "arm")
        .any(|series| series.dots.iter().any(|dot| dot.is_sound));
    let best = |panel: &Panel| {
        let dots = panel.series.iter().filter(|series| series.role == "arm");
        let (label, dot) = dots
            .flat_map(|series| series.dots.iter().map(move |dot| (&series.label, *dot)))
            .filter(|(_, dot)| dot.is_sound || !any_sound)
            .max_by(|a, b| a.1.value.total_cmp(&b.1.value))?;
        let what = panel.head.split(" ↑").next()?.strip_prefix("speed-up, ")?.to_owned();
        let at = panel.axis.word(dot.level);
        let name = panel.axis.factor();
        Some(format!("{} for {what} ({label}, {name}: {at})", human::ratio(dot.value)))
    };
    let parts: Vec<String> = panels.iter().filter_map(best).collect();
    if parts.is_empty() {
        return "No speed-up can be told here.".to_owned();
    }
    let but =
        if any_sound { "" } else { "; but nothing may be concluded, because the placebo differs" };
    let ideal = cores.map_or_else(String::new, |n| {
        format!("; {} would be ideal on {}", human::ratio(n as f64), human::plural(n, "core"))
    });
    format!(
        "At best the answer of {reference} comes sooner by {}{ideal}{but}.",
        parts.join(" and ")
    )
}
