//! The charts of one family.

use std::collections::BTreeMap;

use super::axis::{Axis, Spacing};
use super::figure::{Entry, Figure, Fill, Look, Sample, sampled};
use super::plot::{self, Dot, Names, Path, Plot, RATE, RATIO, Row, Series, TIME};
use super::{Chart, Material, style};
use crate::analysis::distribution::Distribution;
use crate::analysis::summary::{ArmSummary, FamilySummary, Ratio, State};
use crate::record::{Role, TrialRow};
use crate::report::answers::{self, PHASES, Tail};
use crate::report::{format, ratios};
use crate::stats::quantile::{P, median};
use crate::stats::verdict::{Conclusion, Reason};

/// Draws a family; `None` if there is nothing to draw.
pub type Draw = fn(&Material<'_>, Figure) -> Option<Chart>;

/// Every chart of a family, in the order of the page, with its name in the file.
pub const KINDS: &[(&str, Draw)] = &[
    ("ratios", ratios),
    ("throughput", throughput),
    ("latency", latency),
    ("percentiles", percentiles),
    ("anatomy", anatomy),
    ("sequence", sequence),
];

/// With the family's title and sample size.
fn described(figure: Figure, family: &FamilySummary, note: &str) -> Figure {
    let note = sampled(family.n_blocks, Some(family.n_ok), note);
    Figure { about: family.title.clone(), note, ..figure }
}

fn row(arm: &ArmSummary, lanes: Vec<Option<Dot>>) -> Row {
    Row { look: Look::of_arm(arm), lanes, state: arm.state.word().to_owned() }
}

/// A ratio with its interval, in a row.
pub fn ratio_row(look: Look, ratio: &Ratio) -> Row {
    let beside = format!("{} {}", format::number(ratio.estimate), ratios::sign(ratio));
    let dot = Dot {
        ends: ratio.ci_low.zip(ratio.ci_high),
        fill: if ratio.conclusion.is_difference() { Fill::Filled } else { Fill::Hollow },
        is_grey: ratio.conclusion == Conclusion::Withheld(Reason::PlaceboDiffers),
        ..Dot::of_row("", ratio.estimate, beside.trim_end().to_owned())
    };
    Row { look, lanes: vec![Some(dot)], state: ratios::words(ratio) }
}

/// Rows of ratios, with the differences that are too small to matter.
pub fn ratio_plot(name: &str, delta_ratio: f64, rows: Vec<Row>) -> Plot {
    let band = Some((1.0 / (1.0 + delta_ratio), 1.0 + delta_ratio));
    Plot { level: Some(1.0), band, ..Plot::rows(name, RATIO, rows) }
}

/// What the marks of ratios mean.
pub fn ratio_legend(delta_ratio: f64) -> Vec<Entry> {
    let within = format!("within {} of 1: too small to matter", format::percent(delta_ratio));
    vec![
        Entry::fill(Fill::Filled, "difference, as verdict or indication"),
        Entry::fill(Fill::Hollow, "no difference shown"),
        Entry::new(Sample::Field(style::BAND), &within),
    ]
}

fn ratios(material: &Material<'_>, figure: Figure) -> Option<Chart> {
    let family = material.summary;
    let name = format!("ratio to {} ← below 1 is faster", family.reference);
    let plot = |head: &str, ratio: fn(&ArmSummary) -> Option<Ratio>| {
        let of = |arm: &ArmSummary| match ratio(arm) {
            Some(ratio) => ratio_row(Look::of_arm(arm), &ratio),
            None => row(arm, vec![None]),
        };
        // The reference is 1 by definition.
        let arms = family.arms.iter().filter(|arm| arm.role != Role::Reference);
        let rows = arms.map(of).collect();
        Plot { head: head.to_owned(), ..ratio_plot(&name, family.delta_ratio, rows) }
    };
    let note = "lines: 95 % intervals; grey: nothing may be concluded, as the placebo differs";
    let figure = Figure {
        question: format!("Which strategies are faster or slower than {}?", family.reference),
        answer: answers::forest_answer(family),
        legend: ratio_legend(family.delta_ratio),
        ..described(figure, family, note)
    };
    let plots = vec![
        plot("response p50", |arm| arm.response_p50_ratio),
        plot("service p50", |arm| arm.service_p50_ratio),
    ];
    plot::chart(figure, plot::on_one_scale(plots), Names::of("ratio"))
}

fn throughput(material: &Material<'_>, figure: Figure) -> Option<Chart> {
    let family = material.summary;
    let of = |arm: &ArmSummary| {
        let dot = arm.medians.throughput_per_s.map(|per_s| Dot {
            ends: arm.throughput_range_per_s,
            ..Dot::of_row("", per_s, format!("{}/s", format::rate(per_s)))
        });
        row(arm, vec![dot])
    };
    let name = "requests answered ok per second → higher is better";
    let rows = family.arms.iter().map(of).collect();
    let note = "marks: medians over blocks; lines: lowest to highest block";
    let figure = Figure {
        question: "How many requests does each strategy serve?".to_owned(),
        answer: answers::throughput_answer(family),
        ..described(figure, family, note)
    };
    let plot = Plot::rows(name, RATE, rows);
    let ends = ["lowest block", "highest block"];
    plot::chart(figure, vec![plot], Names { ends, ..Names::of("requests/s, median") })
}

fn latency(material: &Material<'_>, figure: Figure) -> Option<Chart> {
    let family = material.summary;
    let lane = |word, fill, [p50, tail, far]: [Option<f64>; 3]| {
        let dot = Dot::of_row(word, p50?, format::duration(p50?));
        Some(Dot { fill, tail, far, ..dot })
    };
    let of = |arm: &ArmSummary| {
        let m = &arm.medians;
        let response = [m.response_p50_ns, m.response_p90_ns, m.response_p99_ns];
        let service = [m.service_p50_ns, m.service_p90_ns, m.service_p99_ns];
        let response = lane("response", Fill::Filled, response);
        row(arm, vec![response, lane("service", Fill::Hollow, service)])
    };
    let rows = family.arms.iter().map(of).collect();
    let note = "medians over blocks; mark and number: p50; thick line: to p90; thin line: to p99";
    let figure = Figure {
        question: "How long does a request take, and how much of it is the server's?".to_owned(),
        answer: answers::latency_answer(family),
        legend: vec![
            Entry::fill(Fill::Filled, "above: response, the caller's wait"),
            Entry::fill(Fill::Hollow, "below: service, the server's part"),
        ],
        ..described(figure, family, note)
    };
    let plot = Plot::rows("time per request ← lower is better", TIME, rows);
    let names = Names { place: "time", tail: "p90, ns", far: "p99, ns", ..Names::of("p50, ns") };
    plot::chart(figure, vec![plot], names)
}

/// Shares of requests with a label and a mark, in parts per ten thousand.
const MARKED: [u32; 5] = [5_000, 9_000, 9_900, 9_990, 9_999];
/// All shares.
const SHARES: [u32; 18] = [
    100, 500, 1_000, 2_500, 5_000, 6_000, 7_000, 7_500, 8_000, 9_000, 9_500, 9_800, 9_900, 9_950,
    9_980, 9_990, 9_995, 9_999,
];

/// 0.3 at the median, 1 at 90 %, 2 at 99 %: every further nine has the same room.
fn nines(parts: u32) -> f64 {
    -(1.0 - f64::from(parts) / 10_000.0).log10()
}

fn quantile(distribution: &Distribution, parts: u32) -> Option<f64> {
    distribution.quantile(P::per_ten_thousand(parts)?)
}

fn percentiles(material: &Material<'_>, figure: Figure) -> Option<Chart> {
    let family = material.summary;
    let word = |parts: u32| format!("{} %", format::exact(f64::from(parts) / 100.0));
    let of = |(arm, distribution): (&ArmSummary, &Distribution)| {
        let dot = |&parts: &u32| {
            let is_marked = MARKED.contains(&parts);
            let fill = if is_marked { Fill::Filled } else { Fill::Unmarked };
            Some(Dot {
                fill,
                ..Dot::new(nines(parts), word(parts), quantile(distribution, parts)?)
            })
        };
        Series::new(Look::of_arm(arm), SHARES.iter().filter_map(dot).collect())
    };
    let all = family.arms.iter().zip(material.distributions).map(of);
    let series: Vec<Series> = all.filter(|series| !series.dots.is_empty()).collect();
    let ends = series.iter().filter_map(|series| series.dots.last());
    let last = ends.map(|dot| dot.place).fold(nines(9_900), f64::max);
    let ticks = MARKED.map(|parts| (nines(parts), word(parts)));
    let ticks = ticks.into_iter().filter(|(at, _)| *at <= last);
    let shares = Axis::with_ticks((0.0, last), ticks, Vec::new());
    let head = "response time ↓ lower is better";
    let plot = Plot {
        name: "share of requests answered within that time".to_owned(),
        height: 280,
        ..Plot::new(head, shares, TIME, series)
    };
    let note = "blocks weigh equally; a line ends where fewer than 10 requests lie beyond";
    let figure = Figure {
        question: "How long do the slowest requests take?".to_owned(),
        answer: answers::tail_answer(family, &tails(material)),
        ..described(figure, family, note)
    };
    let names = Names { place: "share of requests", is_wide: true, ..Names::of("ns") };
    plot::chart(figure, vec![plot], names)
}

/// The median and the furthest share that all comparable arms have, so that like is compared with
/// like; 90 % of those that have it, where not all do.
fn tails<'a>(material: &'a Material<'_>) -> Vec<Tail<'a>> {
    let arms = material.summary.arms.iter().zip(material.distributions);
    let comparable: Vec<(&ArmSummary, &Distribution)> =
        arms.filter(|(arm, _)| arm.state == State::Ok && arm.role != Role::Placebo).collect();
    let is_common = |parts: &u32| comparable.iter().all(|(_, own)| quantile(own, *parts).is_some());
    let common = [9_990, 9_900, 9_000].into_iter().find(is_common).unwrap_or(9_000);
    let tail = |(arm, own): (&'a ArmSummary, &Distribution)| {
        Some(Tail {
            label: &arm.label,
            reference: &material.summary.reference,
            share: f64::from(common) / 10_000.0,
            p50_ns: quantile(own, 5_000)?,
            tail_ns: quantile(own, common)?,
        })
    };
    comparable.into_iter().filter_map(tail).collect()
}

fn anatomy(material: &Material<'_>, figure: Figure) -> Option<Chart> {
    let family = material.summary;
    let of = |arm: &ArmSummary| {
        let mut parts: Vec<Option<f64>> = PHASES.iter().map(|(_, phase)| phase(arm)).collect();
        let sum: f64 = parts.iter().flatten().sum();
        parts.push(arm.medians.reap_p50_ns);
        let dot =
            Dot { fill: Fill::Unmarked, parts, ..Dot::of_row("", sum, format::duration(sum)) };
        row(arm, vec![(sum > 0.0).then_some(dot)])
    };
    let rows = family.arms.iter().map(of).collect();
    let mut parts: Vec<_> = PHASES.iter().map(|phase| phase.0).zip(style::PHASES).collect();
    parts.push(("reap (after the answer)", style::PAPER));
    let linear = (Spacing::Linear, TIME.1);
    let plot = Plot { parts, unit: "ns", ..Plot::rows("time ← lower is better", linear, rows) };
    let note = "median of each phase, so that bars need not match the median response; number: \
                their sum without reap";
    let figure = Figure {
        question: "Where does the time of a request go?".to_owned(),
        answer: answers::anatomy_answer(family),
        ..described(figure, family, note)
    };
    plot::chart(figure, vec![plot], Names::of("sum without reap, ns"))
}

/// Every trial's median response over the median of its arm's trials, in the order of execution,
/// which is that of the file. `None` for a single block, which cannot drift.
fn sequence(material: &Material<'_>, figure: Figure) -> Option<Chart> {
    let family = material.summary;
    let trials: &[&TrialRow] = &material.rows.rows;
    let mut blocks: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    let mut series = Vec::new();
    for (arm, rows) in family.arms.iter().zip(&material.rows.arms) {
        let is_reference = arm.role == Role::Reference;
        let mut dots = Vec::new();
        for row in &rows.good {
            let place = trials.iter().position(|trial| trial.trial_id == row.trial_id);
            let ratio = row.response_p50_ns.zip(arm.medians.response_p50_ns);
            let ratio = ratio.map(|(p50, median)| p50 as f64 / median).filter(|ratio| *ratio > 0.0);
            let (Some(place), Some(ratio)) = (place, ratio) else { continue };
            let word = format!("{}, block {}", row.trial_id, row.block);
            let fill = if is_reference { Fill::Filled } else { Fill::Hollow };
            dots.push(Dot { fill, ..Dot::new(place as f64, word, ratio) });
            blocks.entry(row.block).or_default().push(ratio);
        }
        let path = if is_reference { Path::Through } else { Path::None };
        series.push(Series { path, ..Series::new(Look::of_arm(arm), dots) });
    }
    let middle = |(block, ratios): (u32, Vec<f64>)| Some((block, median(&ratios)?));
    let blocks: Vec<(u32, f64)> = blocks.into_iter().filter_map(middle).collect();
    if blocks.len() < 2 {
        return None;
    }
    let (mut ticks, mut edges, mut first) = (Vec::new(), Vec::new(), 0.0);
    for of_block in trials.chunk_by(|a, b| a.block == b.block) {
        let n = of_block.len() as f64;
        edges.push(first - 0.5);
        ticks.push((first + n / 2.0 - 0.5, of_block[0].block.to_string()));
        first += n;
    }
    let places = Axis::with_ticks((-1.0, first), ticks, edges);
    let head = "ratio to the arm's median ↓ lower is better";
    let plot = Plot {
        name: "block, in order of execution".to_owned(),
        ..Plot::new(head, places, RATIO, series)
    };
    let note = "each mark is a trial: its median response over the median of its arm's trials";
    let figure = Figure {
        question: "Did the machine become slower or faster while this ran?".to_owned(),
        answer: answers::drift_answer(&blocks),
        ..described(figure, family, note)
    };
    let names = Names { place: "trial", ..Names::of("ratio to the arm's median") };
    plot::chart(figure, vec![plot], names)
}
