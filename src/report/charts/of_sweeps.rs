//! The charts of factors: how the cost of each strategy changes over the levels of one, and how
//! much sooner a request is answered when its work is shared out.

use super::axis::{Axis, Spacing};
use super::figure::{Figure, Look, sampled};
use super::plot::{self, Dot, Names, Plot, RATE, RATIO, Series, TIME, Written};
use super::{Chart, style};
use crate::analysis::cells::{Analysed, MetricResult};
use crate::analysis::metrics::{RESPONSE_P50, SERVICE_P50, THROUGHPUT};
use crate::analysis::summary::{Ratio, State};
use crate::analysis::sweep::{self, Line, PLACEMENTS, Point, Sweep};
use crate::record::Role;
use crate::report::format;
use crate::stats::verdict::{Conclusion, Reason};

/// How the chunks of a request are cut; a panel for each way.
const SPLIT: &str = "split";

/// What a panel shows.
#[derive(Clone, Copy)]
struct Quantity {
    name: &'static str,
    direction: &'static str,
    written: Written,
    /// The value of a point, in no place yet.
    value: fn(&Point<'_>) -> Option<Dot>,
    shown: fn(f64) -> String,
}

const RESPONSE: Quantity = Quantity {
    name: "median response",
    direction: "↓ lower is better",
    written: TIME,
    value: |point| estimate(point, RESPONSE_P50),
    shown: format::duration,
};
const SERVICE: Quantity =
    Quantity { name: "median service", value: |point| estimate(point, SERVICE_P50), ..RESPONSE };
const SERVED: Quantity = Quantity {
    name: "requests answered ok per second",
    direction: "↑ higher is better",
    written: RATE,
    value: |point| estimate(point, THROUGHPUT),
    shown: |per_s| format!("{}/s", format::rate(per_s)),
};
const SPEED_UP: Quantity = Quantity {
    name: "speed-up",
    direction: "↑ higher is better",
    written: (Spacing::Linear, RATIO.1),
    value: speed_up,
    shown: format::ratio,
};

/// All of a run: speed-up where the work of a request is shared out, cost elsewhere.
pub fn charts(families: &[Analysed<'_>], cores: Option<u64>) -> Vec<Chart> {
    let sweeps = sweep::of_run(families);
    let (shared, others): (Vec<_>, Vec<_>) = sweeps.iter().partition(|sweep| is_shared(sweep));
    let key = |sweep: &Sweep<'_>| {
        let mut facts = sweep.facts.clone();
        facts.remove(SPLIT);
        (sweep.factor.clone(), facts)
    };
    let mut groups: Vec<Vec<&Sweep<'_>>> = Vec::new();
    for sweep in shared {
        match groups.iter_mut().find(|group| key(group[0]) == key(sweep)) {
            Some(group) => group.push(sweep),
            None => groups.push(vec![sweep]),
        }
    }
    let speed_ups = (1..).zip(groups);
    let speed_ups = speed_ups.filter_map(|(i, group)| speed_ups_of(&group, cores, i));
    let costs = (1..).zip(others).filter_map(|(i, sweep)| cost(sweep, i));
    speed_ups.chain(costs).collect()
}

/// Whether the factor is how many may work at one request: its chunks, or the workers for them.
fn is_shared(sweep: &Sweep<'_>) -> bool {
    let has_chunks = sweep.facts.get("chunks").is_some_and(|n| n != "1");
    is_single(sweep) && (sweep.factor == "chunks" || sweep.factor == "workers" && has_chunks)
}

fn is_single(sweep: &Sweep<'_>) -> bool {
    sweep.facts.get("callers").is_some_and(|n| n == "1")
}

/// Response above, and below it service, or throughput where several callers wait.
fn cost(sweep: &Sweep<'_>, number: usize) -> Option<Chart> {
    let below = if is_single(sweep) { SERVICE } else { SERVED };
    let plots = [RESPONSE, below].map(|quantity| plot(sweep, &quantity));
    let level_lines = match sweep.lines.iter().any(|line| line.is_level) {
        true => "; level lines: arms without that option, measured once",
        false => "",
    };
    let marks = format!(
        "marks: medians over blocks, with 95 % intervals from 6 blocks on; hollow and grey: not \
         all requests were answered ok{level_lines}"
    );
    let figure = Figure {
        stem: format!("curve-{number:02}"),
        about: sweep.title.clone(),
        note: sample(sweep, &marks),
        question: format!("How does the cost of each strategy change with {}?", words(sweep)),
        answer: answer(&[(sweep, &plots[0], RESPONSE), (sweep, &plots[1], below)]),
        ..Figure::default()
    };
    let names = Names { place: &sweep.factor, ..Names::of("median, ns or 1/s") };
    plot::chart(figure, plots.into(), names)
}

/// A plot per way of cutting the work.
fn speed_ups_of(group: &[&Sweep<'_>], cores: Option<u64>, number: usize) -> Option<Chart> {
    let mut plots: Vec<Plot> = group.iter().map(|sweep| plot(sweep, &SPEED_UP)).collect();
    for (plot, sweep) in plots.iter_mut().zip(group) {
        let ideal = (0..).map(f64::from).zip(ideal(&sweep.levels, cores)).collect();
        plot.series.push(Series::line("ideal", style::LEADER, ideal));
    }
    let sweep = group[0];
    let family = sweep.lines.first()?.points.first()?.family;
    let mut arms = family.rows.arms.iter();
    let reference = &arms.find(|arm| arm.key.role() == Role::Reference)?.label;
    let marks = format!(
        "median response of {reference}, which does the same chunks one after another, over that \
         of the arm, paired by block; 95 % intervals from 6 blocks on; hollow and grey: nothing \
         may be concluded; ideal: a task at a time per chunk or worker, and per core"
    );
    let parts: Vec<_> = group.iter().zip(&plots).map(|(s, plot)| (*s, plot, SPEED_UP)).collect();
    let figure = Figure {
        stem: format!("speedup-{number:02}"),
        about: sweep::title(family, &[&sweep.factor, SPLIT]),
        note: sample(sweep, &marks),
        question: format!("How much sooner is one request answered, by {}?", words(sweep)),
        answer: answer(&parts),
        ..Figure::default()
    };
    let names = Names { place: &sweep.factor, ..Names::of("speed-up") };
    plot::chart(figure, plot::on_one_scale(plots), names)
}

/// What is shown, with the way of cutting the work where it is shared out.
fn name(sweep: &Sweep<'_>, quantity: &Quantity) -> String {
    match sweep.facts.get(SPLIT).filter(|_| quantity.name == SPEED_UP.name) {
        Some(split) => format!("{} of {split} chunks", quantity.name),
        None => quantity.name.to_owned(),
    }
}

/// Levels stand at even distances, in their order.
fn plot(sweep: &Sweep<'_>, quantity: &Quantity) -> Plot {
    let place = |level: f64| sweep.levels.iter().position(|known| *known == level);
    let series = |line: &Line<'_>| {
        let first = line.points.first()?;
        let key = &first.family.rows.arms[first.arm].key;
        let dot = |point: &Point<'_>| {
            Some(Dot {
                place: place(point.level)? as f64,
                word: shown(sweep, point.level, format::exact),
                state: point.family.rows.arms[point.arm].state.word().to_owned(),
                ..(quantity.value)(point)?
            })
        };
        let dots: Vec<Dot> = line.points.iter().filter_map(dot).collect();
        let look = Look::new(&line.label, &key.name, key.role(), State::Ok);
        (!dots.is_empty()).then(|| Series::new(look, dots))
    };
    let series = sweep.lines.iter().filter_map(series).collect();
    let ticks =
        (0..).map(f64::from).zip(sweep.levels.iter().map(|level| level_word(sweep, *level)));
    // The outermost marks are off the ends.
    let last = sweep.levels.len() as f64 - 1.0;
    let places = Axis::with_ticks((-0.2, last + 0.2), ticks, Vec::new());
    let head = format!("{} {}", name(sweep, quantity), quantity.direction);
    let name = format!("{}, levels at even distances", words(sweep));
    Plot { name, ..Plot::new(&head, places, quantity.written, series) }
}

/// A level, with its number as given.
fn shown(sweep: &Sweep<'_>, level: f64, number: fn(f64) -> String) -> String {
    match sweep.factor.as_str() {
        "placement" => PLACEMENTS[level as usize].to_owned(),
        _ if level.is_infinite() => "never".to_owned(),
        _ => number(level),
    }
}

/// A level in words.
fn level_word(sweep: &Sweep<'_>, level: f64) -> String {
    let is_bytes = sweep.factor.ends_with("_bytes");
    shown(sweep, level, if is_bytes { |n| format::bytes(n as u64) } else { format::exact })
}

/// The factor in words.
fn words(sweep: &Sweep<'_>) -> String {
    match sweep.factor.as_str() {
        "payload_bytes" => "payload".to_owned(),
        "ballast_bytes" => "memory of the process that creates children".to_owned(),
        "recycle_after" => "tasks after which a worker is replaced".to_owned(),
        "queue" => "length of the queue".to_owned(),
        "placement" => "core of the children, as seen from the server".to_owned(),
        other => format!("number of {}", other.replace('_', " ")),
    }
}

/// The sample size of the families that a sweep is of.
fn sample(sweep: &Sweep<'_>, marks: &str) -> String {
    let points = sweep.lines.iter().flat_map(|line| &line.points);
    let mut families: Vec<&Analysed<'_>> = points.map(|point| point.family).collect();
    families.sort_by_key(|family| std::ptr::from_ref(*family));
    families.dedup_by_key(|family| std::ptr::from_ref(*family));
    let blocks = families.iter().map(|family| family.rows.blocks.len()).min();
    let arms = families.iter().flat_map(|family| &family.rows.arms);
    let n_ok = arms.flat_map(|arm| &arm.good).map(|row| row.n_ok).sum();
    sampled(blocks.unwrap_or(0), Some(n_ok), marks)
}

fn metric<'a>(family: &'a Analysed<'_>, name: &str) -> Option<&'a MetricResult> {
    family.results.iter().find(|result| result.metric.name == name)
}

fn estimate(point: &Point<'_>, name: &str) -> Option<Dot> {
    let cell = metric(point.family, name)?.cells.get(point.arm)?;
    Some(Dot {
        ends: cell.interval.map(|interval| (interval.low, interval.high)),
        is_grey: point.family.rows.arms[point.arm].state != State::Ok,
        ..Dot::new(0.0, String::new(), cell.estimate?)
    })
}

/// Over the reference in the same block; `None` for the reference itself.
fn speed_up(point: &Point<'_>) -> Option<Dot> {
    let comparison = metric(point.family, RESPONSE_P50)?.comparisons[point.arm].as_ref()?;
    let ratio = Ratio::of(comparison)?;
    Some(Dot {
        ends: ratio.ci_high.zip(ratio.ci_low).map(|(high, low)| (1.0 / high, 1.0 / low)),
        is_grey: ratio.conclusion == Conclusion::Withheld(Reason::PlaceboDiffers),
        ..Dot::new(0.0, String::new(), 1.0 / ratio.estimate)
    })
}

/// One task at a time per chunk or worker, and per core.
pub fn ideal(levels: &[f64], cores: Option<u64>) -> Vec<f64> {
    let cores = cores.map(|n| n as f64);
    cores.map_or(Vec::new(), |cores| levels.iter().map(|level| level.min(cores)).collect())
}

/// For each plot, from the first level to the last: which arm changes least, which most.
fn answer(plots: &[(&Sweep<'_>, &Plot, Quantity)]) -> String {
    let parts: Vec<String> = plots
        .iter()
        .filter_map(|(sweep, plot, quantity)| extremes(sweep, plot, quantity))
        .collect();
    match parts.is_empty() {
        true => "No strategy can be compared from the first level to the last.".to_owned(),
        false => format!("For {}.", parts.join("; for ")),
    }
}

fn extremes(sweep: &Sweep<'_>, plot: &Plot, quantity: &Quantity) -> Option<String> {
    let is_level =
        |label: &str| sweep.lines.iter().any(|line| line.label == label && line.is_level);
    let last = sweep.levels.len() as f64 - 1.0;
    let arm = |series: &Series| {
        let look = &series.look;
        let at = |place: f64| series.dots.iter().find(|dot| dot.place == place && !dot.is_grey);
        let is_compared = !matches!(&*look.key, "placebo" | "") && !is_level(&look.label);
        is_compared.then_some((look.label.clone(), at(0.0)?.value, at(last)?.value))
    };
    let mut known: Vec<(String, f64, f64)> = plot.series.iter().filter_map(arm).collect();
    known.sort_by(|a, b| (a.2 / a.1).total_cmp(&(b.2 / b.1)));
    let part = |(label, from, to): &(String, f64, f64)| {
        let times = format::ratio(to / from);
        let [from, to] = [from, to].map(|value| (quantity.shown)(*value));
        format!("{label} from {from} to {to} ({times})")
    };
    let (least, most) = (known.first()?, known.last()?);
    let (from, to) = (sweep.levels.first()?, sweep.levels.last()?);
    let [from, to] = [from, to].map(|level| level_word(sweep, *level));
    let span = format!("{} between {from} and {to}: {}", name(sweep, quantity), part(least));
    Some(if known.len() == 1 { span } else { format!("{span}, and {}", part(most)) })
}
