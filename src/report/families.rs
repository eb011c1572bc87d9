//! The sections of timed families: what ran, what a reader should know first, and a table whose
//! numbered notes say why a cell is empty.

use super::charts::Chart;
use super::document::Section;
use super::table::{Cell, Column, Extent, Table, marked};
use super::{caveats, format, ratios, sentences, texts};
use crate::analysis::Analysis;
use crate::analysis::summary::{ArmSummary, FamilySummary, Ratio, State, Summary};
use crate::record::{Role, Run};

/// All families under one legend; the charts are in their order.
pub fn section(analysis: &Analysis<'_>, charts: Vec<Vec<Chart>>) -> Section {
    let Analysis { run, summary, .. } = analysis;
    let mut charts = charts.into_iter();
    let mut caveats = caveats::of_families(analysis).into_iter();
    let families = (1..).zip(&summary.families).map(|(number, family)| {
        of_family(run, number, family, caveats.next().unwrap_or_default())
            .charts(charts.next().unwrap_or_default())
    });
    Section {
        sections: families.collect(),
        legend: legend(&run.manifest.reference, summary),
        ..Section::new("families", "Family by family")
            .text("A family is one workload in one runtime under one load, run by every strategy.")
    }
}

fn of_family(run: &Run, number: usize, family: &FamilySummary, caveats: Vec<String>) -> Section {
    // The number is that of the overview.
    let title = format!("{number}: {}", family.title);
    let mut section = Section::new(format!("family-{number}"), title.as_str())
        .note(sentences::family_scope(run, family));
    if let Some(placebo) = ratios::of_placebo(family) {
        section = section.note(placebo);
    }
    for caveat in caveats {
        section = section.text(caveat);
    }
    section.table(format!("results by strategy: {title}"), table(family))
}

fn legend(reference: &str, summary: &Summary) -> Vec<String> {
    let mut lines = texts::lines("families", &[("reference", reference)]);
    // Behind what ratios are.
    lines.splice(1..1, ratios::legend_of(summary));
    lines
}

/// Ratios lead: they are what a run is for, and what the machine's drift touches least.
const COLUMNS: [Column<ArmSummary>; 23] = [
    ("response ratio ↓", Extent::Narrow, |a| ratio(a, a.response_p50_ratio)),
    (SERVICE_RATIO, Extent::Narrow, |a| ratio(a, a.service_p50_ratio)),
    ("throughput ratio ↑", Extent::Full, |a| ratio(a, a.throughput_ratio)),
    ("response p50 ↓", Extent::Narrow, |a| time(a.medians.response_p50_ns)),
    ("response p90 ↓", Extent::Wide, |a| time(a.medians.response_p90_ns)),
    ("response p99 ↓", Extent::Full, |a| time(a.medians.response_p99_ns)),
    ("service p50 ↓", Extent::Wide, |a| time(a.medians.service_p50_ns)),
    ("service p90 ↓", Extent::Full, |a| time(a.medians.service_p90_ns)),
    ("service p99 ↓", Extent::Full, |a| time(a.medians.service_p99_ns)),
    ("requests/s ↑", Extent::Wide, |a| Cell::of(a.medians.throughput_per_s, format::rate)),
    (MEMORY, Extent::Narrow, |a| Cell::of(a.memory_per_child_bytes, format::megabytes)),
    ("ready ↓", Extent::Full, |a| time(a.medians.ready_ns)),
    ("first response ↓", Extent::Full, |a| time(a.medians.first_response_ns)),
    ("transport", Extent::Full, |a| time(a.medians.transport_p50_ns)),
    ("queue", Extent::Full, |a| time(a.medians.queue_p50_ns)),
    ("creation", Extent::Full, |a| time(a.medians.creation_p50_ns)),
    ("load", Extent::Full, |a| time(a.medians.load_p50_ns)),
    ("work", Extent::Full, |a| time(a.medians.work_p50_ns)),
    ("return", Extent::Full, |a| time(a.medians.return_p50_ns)),
    ("delivery", Extent::Full, |a| time(a.medians.delivery_p50_ns)),
    ("reap", Extent::Full, |a| time(a.medians.reap_p50_ns)),
    ("blocks", Extent::Full, |a| Cell::from(a.n_blocks.to_string())),
    ("outcomes", Extent::Wide, |a| Cell::from(a.outcomes.words())),
];

const SERVICE_RATIO: &str = "service ratio ↓";
const MEMORY: &str = "MB per further child ↓";

/// The table of a family.
pub fn table(family: &FamilySummary) -> Table {
    let has_memory = family.arms.iter().any(|arm| arm.memory_per_child_bytes.is_some());
    let shown = |&(head, from, cell): &Column<ArmSummary>| match (head, has_memory) {
        (MEMORY, false) => None,
        // A narrow terminal has room for one of the two.
        (SERVICE_RATIO, true) => Some((head, Extent::Wide, cell)),
        _ => Some((head, from, cell)),
    };
    let columns: Vec<Column<ArmSummary>> = COLUMNS.iter().filter_map(shown).collect();
    let mut notes = Vec::new();
    let arms = family.arms.iter();
    let rows: Vec<(String, &ArmSummary)> =
        arms.map(|arm| (marked(&arm.label, &note(arm), &mut notes), arm)).collect();
    Table { notes, ..Table::of_columns("strategy", &columns, rows) }
}

/// A time, or the sign for none.
pub fn time(ns: Option<f64>) -> Cell {
    Cell::of(ns, format::duration)
}

/// Of the reference it is 1, since the others are divided by it.
fn ratio(arm: &ArmSummary, ratio: Option<Ratio>) -> Cell {
    match ratio {
        None if arm.role == Role::Reference && arm.state == State::Ok => Cell::from("1"),
        ratio => ratios::cell(ratio.as_ref()),
    }
}

/// What its numbers do not say: failures with their reasons, and requests without an answer.
fn note(arm: &ArmSummary) -> String {
    let words = arm.outcomes.words();
    let why = match (arm.reason.as_str(), arm.outcomes.are_all_answered()) {
        ("", true) if arm.state == State::Ok => return String::new(),
        (reason, true) => reason.to_owned(),
        ("", false) => words,
        (reason, false) => format!("{reason}; {words}"),
    };
    format!("{}: {}: {why}", arm.label, arm.state.word())
}
