//! What is told of open loops before any family: how much load each strategy takes, and who else
//! is answered meanwhile. Tables and sentences, the same ones for terminal, Markdown and page.

use super::table::{Cell, Extent, Head, Table};
use super::{human, open_answers as answers};
pub(super) use crate::analysis::Open;
use crate::analysis::curves::{Curves, LoadArm};
use crate::analysis::probes::{Probed, ProbedArm, Variant};
use crate::analysis::summary::State;

/// What is told of one of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Section {
    /// What it is about.
    pub(super) title: String,
    /// The finding, in a sentence or two.
    pub(super) answer: String,
    /// What the columns mean.
    pub(super) legend: String,
    /// Each under a caption.
    pub(super) tables: Vec<(String, Table)>,
}

impl Open {
    /// Curves first, in the order of the fields.
    pub(super) fn sections(&self, extent: Extent) -> Vec<Section> {
        let curves = self.curves.iter().map(of_load);
        let probed = self.probed.iter().map(|probed| of_probes(probed, extent));
        curves.chain(probed).collect()
    }
}

fn of_load(curves: &Curves) -> Section {
    let objective = answers::objective(&curves.slo);
    let capacity = curves.capacity_per_s.map_or_else(String::new, |per_s| {
        format!(" Capacity is what blocking answers in a closed loop: {}/s.", human::rate(per_s))
    });
    let placebo = match curves.is_searched_without_placebo() {
        true => " The placebo's are at the rates of the grid only: no search follows for it.",
        false => "",
    };
    let mut notes = Vec::new();
    let rows = curves.arms.iter().map(|arm| load_row(arm, curves, &mut notes));
    let rows: Vec<Vec<Cell>> = rows.collect();
    let head =
        ["highest rate ↑", "missed at", "capacity ratio", "cores used", "p50 there ↓", "in time ↑"];
    let mut heads = vec![Head::new("strategy", false)];
    heads.extend(head.map(|text| Head::new(text, true)));
    Section {
        title: format!("How much load each strategy takes: {}", curves.title),
        answer: answers::load_answer(curves),
        legend: format!(
            "highest rate: requests offered per second up to which the objective, {objective}, \
             was met at every rate tried; missed at: the next higher rate tried, so that the limit \
             lies between the two; capacity ratio: highest rate over capacity; cores used: by the work at that rate, without the driver; in \
             time: share of the requests offered there that were answered ok within the \
             objective's time.{capacity}{placebo}"
        ),
        tables: vec![(
            "The highest rate that meets the objective".to_owned(),
            Table { head: heads, rows, notes },
        )],
    }
}

fn load_row(arm: &LoadArm, curves: &Curves, notes: &mut Vec<String>) -> Vec<Cell> {
    let per_s = |rate: f64| format!("{}/s", human::rate(rate));
    let at = arm.at_limit();
    let of_capacity = arm.limit_per_s.zip(curves.capacity_per_s);
    let limit = match arm.limit_per_s {
        // Met at no rate that was tried: less than all others.
        None if !arm.points.is_empty() => Cell::new("none".to_owned(), Some(0.0)),
        rate => Cell::of(rate, per_s),
    };
    vec![
        Cell::from(name(&arm.label, &arm.reason, notes)),
        limit,
        Cell::of(arm.missed_per_s, per_s),
        Cell::of(of_capacity.map(|(rate, capacity)| rate / capacity), human::ratio),
        Cell::of(arm.cores_at_limit, |cores| format!("{cores:.2}")),
        Cell::of(at.and_then(|point| point.p50_ns), human::duration),
        Cell::of(at.and_then(|point| point.in_time_ratio), human::percent),
    ]
}

/// The arm's label, with the number of the note that says what went wrong with it.
fn name(label: &str, reason: &str, notes: &mut Vec<String>) -> String {
    if reason.is_empty() {
        return label.to_owned();
    }
    notes.push(format!("{label}: {reason}"));
    format!("{label} [{}]", notes.len())
}

/// A column of the probes' table: from which extent on, its head, and its cell.
type Column = (Extent, &'static str, fn(&ProbedArm) -> Cell);

const COLUMNS: [Column; 10] = [
    (Extent::Narrow, "p50 ↓", |a| time(a.loaded.p50_ns)),
    (Extent::Narrow, "p95 ↓", |a| time(a.loaded.p95_ns)),
    (Extent::Wide, "p99 ↓", |a| time(a.loaded.p99_ns)),
    (Extent::Narrow, "longest ↓", |a| time(a.loaded.max_ns)),
    (Extent::Narrow, "over 100 ms ↓", |a| share(a.over_100ms_ratio)),
    (Extent::Wide, "over 1 s ↓", |a| share(a.over_1s_ratio)),
    (Extent::Narrow, "longest gap ↓", |a| time(a.gap_max_ns)),
    (Extent::Narrow, "unloaded p50", |a| time(a.unloaded.p50_ns)),
    (Extent::Wide, "unloaded p95", |a| time(a.unloaded.p95_ns)),
    (Extent::Wide, "unloaded longest", |a| time(a.unloaded.max_ns)),
];

fn time(ns: Option<f64>) -> Cell {
    Cell::of(ns, human::duration)
}

fn share(ratio: Option<f64>) -> Cell {
    Cell::of(ratio, human::percent)
}

fn of_probes(probed: &Probed, extent: Extent) -> Section {
    let heavy = probed.heavy_ns.map_or_else(String::new, |ns| {
        format!(" A heavy request is {} of work.", human::duration(ns))
    });
    Section {
        title: format!("Who else is answered meanwhile: {}", probed.title),
        answer: answers::responsiveness_answer(probed),
        legend: format!(
            "Light probes, 100 per second, timed from when they were meant to be sent. Quantiles \
             are medians over blocks, p99 only where every block has a thousand probes, which \
             needs windows of 10 s or more; longest and longest gap (time without an answer to any \
             probe) are of all blocks; unloaded: the same servers' probes before the \
             load began.{heavy}"
        ),
        tables: probed.variants.iter().map(|variant| of_variant(variant, extent)).collect(),
    }
}

fn of_variant(variant: &Variant, extent: Extent) -> (String, Table) {
    let columns = || COLUMNS.iter().filter(|column| column.0 <= extent);
    let mut head = vec![Head::new("strategy", false)];
    head.extend(columns().map(|column| Head::new(column.1, true)));
    let mut notes = Vec::new();
    let rows = variant.arms.iter().map(|arm| {
        let reason = match (arm.state, arm.n_failed) {
            (State::Ok, 0) => String::new(),
            (State::Ok, n) => format!("{} not answered ok", human::plural(n, "probe")),
            (state, _) => format!("{}: {}", state.word(), arm.reason),
        };
        let name = name(&arm.label, &reason, &mut notes);
        let mut cells = vec![Cell::from(name)];
        cells.extend(columns().map(|column| column.2(arm)));
        cells
    });
    let rows = rows.collect();
    let caption = match variant.probe.as_str() {
        "main-loop" => "Probes answered by the event loop: is the server alive?",
        _ => "Probes run by the strategy: does another user get through?",
    };
    (caption.to_owned(), Table { head, rows, notes })
}
