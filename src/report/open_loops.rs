//! The sections of open loops: how much load each strategy takes, and who else is answered
//! meanwhile.

use crate::record::{Run, TrialRow, Validity, YesNo};
use crate::stats::quantile::median;

use super::charts::Chart;
use super::document::Section;
use super::families::time;
use super::table::{Cell, Column, Extent, Table, marked};
use super::{format, open_answers as answers, texts};
use crate::analysis::Open;
use crate::analysis::curves::{Curves, LoadArm};
use crate::analysis::probes::{Probed, ProbedArm, Variant};
use crate::analysis::summary::State;

/// Curves first; the charts are in the same order.
pub fn sections(open: &Open, charts: Vec<Vec<Chart>>) -> Vec<Section> {
    let mut charts = charts.into_iter();
    let sections = open.curves.iter().map(of_load).chain(open.probed.iter().map(of_probes));
    (1..)
        .zip(sections)
        .map(|(number, section): (usize, Section)| Section {
            id: format!("open-{number}"),
            ..section.charts(charts.next().unwrap_or_default())
        })
        .collect()
}

fn load_columns<'c>() -> [Column<(&'c LoadArm, &'c Curves)>; 6] {
    [
        ("highest rate ↑", Extent::Narrow, |(arm, _)| highest(arm)),
        ("missed at", Extent::Narrow, |(arm, _)| Cell::of(arm.missed_per_s, per_s)),
        ("capacity ratio", Extent::Narrow, |(arm, curves)| {
            let both = arm.limit_per_s.zip(curves.capacity_per_s);
            Cell::of(both.map(|(rate, capacity)| rate / capacity), format::ratio)
        }),
        ("cores used", Extent::Narrow, |(arm, _)| {
            Cell::of(arm.cores_at_limit, |cores| format!("{cores:.2}"))
        }),
        ("p50 there ↓", Extent::Narrow, |(arm, _)| time(arm.at_limit().and_then(|at| at.p50_ns))),
        ("in time ↑", Extent::Narrow, |(arm, _)| {
            Cell::of(arm.at_limit().and_then(|at| at.in_time_ratio), format::percent)
        }),
    ]
}

fn per_s(rate: f64) -> String {
    format!("{}/s", format::rate(rate))
}

fn highest(arm: &LoadArm) -> Cell {
    match arm.limit_per_s {
        // Met at no rate that was tried: less than all others.
        None if !arm.points.is_empty() => Cell::new("none".to_owned(), Some(0.0)),
        rate => Cell::of(rate, per_s),
    }
}

fn of_load(curves: &Curves) -> Section {
    let objective = answers::objective(&curves.slo);
    let capacity = curves.capacity_per_s.map_or_else(String::new, |rate| {
        format!(" Capacity is what blocking answers in a closed loop: {}.", per_s(rate))
    });
    let placebo = match curves.is_searched_without_placebo() {
        true => {
            " Those of the placebo are at the rates of the grid only: no search follows for it."
        }
        false => "",
    };
    let mut notes = Vec::new();
    let labels: Vec<String> =
        curves.arms.iter().map(|arm| reason(&arm.label, &arm.reason, &mut notes)).collect();
    let arms: Vec<(&LoadArm, &Curves)> = curves.arms.iter().map(|arm| (arm, curves)).collect();
    let rows = labels.into_iter().zip(&arms);
    let table = Table { notes, ..Table::of_columns("strategy", &load_columns(), rows) };
    let caption = "The highest rate that meets the objective";
    Section::new("", format!("How much load each strategy takes: {}", curves.title))
        .text(answers::load_answer(curves))
        .note(caption)
        .table(format!("{caption} ({})", curves.title), table)
        .note(texts::text("load", &[("objective", &objective)]) + &capacity + placebo)
}

/// The label with the mark of a note that says what went wrong.
fn reason(label: &str, reason: &str, notes: &mut Vec<String>) -> String {
    let note = if reason.is_empty() { String::new() } else { format!("{label}: {reason}") };
    marked(label, &note, notes)
}

const PROBES: [Column<ProbedArm>; 10] = [
    ("p50 ↓", Extent::Narrow, |a| time(a.loaded.p50_ns)),
    ("p95 ↓", Extent::Narrow, |a| time(a.loaded.p95_ns)),
    ("p99 ↓", Extent::Wide, |a| time(a.loaded.p99_ns)),
    ("longest ↓", Extent::Narrow, |a| time(a.loaded.max_ns)),
    ("over 100 ms ↓", Extent::Narrow, |a| Cell::of(a.over_100ms_ratio, format::percent)),
    ("over 1 s ↓", Extent::Wide, |a| Cell::of(a.over_1s_ratio, format::percent)),
    ("longest gap ↓", Extent::Narrow, |a| time(a.gap_max_ns)),
    ("unloaded p50", Extent::Narrow, |a| time(a.unloaded.p50_ns)),
    ("unloaded p95", Extent::Wide, |a| time(a.unloaded.p95_ns)),
    ("unloaded longest", Extent::Wide, |a| time(a.unloaded.max_ns)),
];

fn of_probes(probed: &Probed) -> Section {
    let heavy = probed.heavy_ns.map_or_else(String::new, |ns| {
        format!(" A heavy request is {} of work.", format::duration(ns))
    });
    let title = format!("Who else is answered meanwhile: {}", probed.title);
    let mut section = Section::new("", title).text(answers::responsiveness_answer(probed));
    for variant in &probed.variants {
        let caption = match variant.probe.as_str() {
            "main-loop" => "Probes answered by the event loop: is the server alive?",
            _ => "Probes run by the strategy: does another user get through?",
        };
        let name = format!("{caption} ({})", probed.title);
        section = section.note(caption).table(name, of_variant(variant));
    }
    section.note(texts::text("probes", &[]) + &heavy)
}

fn of_variant(variant: &Variant) -> Table {
    let mut notes = Vec::new();
    let arms = variant.arms.iter().map(|arm| {
        let why = match (arm.state, arm.n_failed) {
            (State::Ok, 0) => String::new(),
            (State::Ok, n) => format!("{} not answered ok", format::plural(n, "probe")),
            (state, _) => format!("{}: {}", state.word(), arm.reason),
        };
        (reason(&arm.label, &why, &mut notes), arm)
    });
    let rows: Vec<(String, &ProbedArm)> = arms.collect();
    Table { notes, ..Table::of_columns("strategy", &PROBES, rows) }
}

/// Of trials that the generator made invalid.
const FAULTS: [(&str, &str); 3] = [
    ("generator_late", "late"),
    ("wrong_rate", "at a wrong rate"),
    ("law:little", "with books that do not add up"),
];

/// How well the generator kept its times; `None` without an open loop.
pub fn generator(run: &Run) -> Option<String> {
    let open = || run.trials.iter().filter(|row| row.achieved_rate_per_s.is_some());
    let valid = || {
        open().filter(|row| row.validity != Validity::Invalid && row.saturated != Some(YesNo::Yes))
    };
    let late_ns: Vec<f64> =
        valid().filter_map(|row| row.lateness_p99_ns).map(|ns| ns as f64).collect();
    let worst_ns = late_ns.iter().copied().reduce(f64::max)?;
    let off = |ratio: f64| (ratio - 1.0).abs();
    let rate = |row: &TrialRow| Some(off(row.achieved_rate_per_s? / row.rate_per_s?));
    let rate = valid().filter_map(rate).reduce(f64::max).unwrap_or(0.0);
    let law = valid().filter_map(|row| row.littles_law_ratio).map(off);
    let law = law.reduce(f64::max).unwrap_or(0.0);
    let faults = FAULTS.iter().filter_map(|(flag, what)| {
        let has = |row: &&TrialRow| row.flags.split(';').any(|word| word == *flag);
        let n = open().filter(has).count();
        (n > 0).then(|| format!("{n} {what}"))
    });
    let faults: Vec<String> = faults.collect();
    let thrown_out = match faults.as_slice() {
        [] => "No trial was thrown out for it".to_owned(),
        faults => format!("Trials thrown out for it: {}", faults.join(", ")),
    };
    Some(format!(
        "In open loops the generator sent 99 of 100 requests within {} of their time (median over \
         trials that were not saturated; at worst {}), which is charged to the response. Its rate \
         was off by at most {}, chance of Poisson arrivals included, and its books, by Little's law, \
         by at most {}. {thrown_out}.",
        format::duration(median(&late_ns)?),
        format::duration(worst_ns),
        format::percent(rate),
        format::percent(law),
    ))
}
