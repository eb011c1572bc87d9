//! The study notes' table, beside what was measured: what they say of 1, 10, 100 and 1000
//! children, and what each way of counting makes of them.

use super::tables::{megabytes, number_of};
use super::{Group, MemoryLevel, Series};
use crate::report::human;
use crate::report::table::{Cell, Extent, Head, Table};

/// What the notes say of one child, in bytes; of more they say as many times as much.
pub(super) const NOTES_CHILD_BYTES: f64 = 25e6;

/// The numbers of children that the notes name.
const NOTES_CHILDREN: [u32; 4] = [1, 10, 100, 1_000];

/// What stands above the table.
pub(in crate::report) const NOTES_SCOPE: &str = "what the study notes say of so many children \
     (25 MB each), the naïve sum of RSS, the sum of PSS, the slope times the children, and what \
     they did; all of the whole tree, in MB";

/// In a terminal the table is shown for these: the notes' `fork()` and the notes' advice.
const IN_TERMINAL: [&str; 2] = ["fork-ipc", "pool"];

/// The table of a group; `None` unless two of the notes' numbers were measured.
pub(in crate::report) fn notes_table(group: &Group, extent: Extent) -> Option<Table> {
    let has_two = |series: &&Series| {
        let measured = NOTES_CHILDREN.iter().filter(|k| series.level(**k).is_some());
        measured.count() > 1
    };
    let is_shown = |series: &&Series| {
        extent >= Extent::Page || IN_TERMINAL.contains(&series.strategy.as_str())
    };
    let shown: Vec<&Series> = group.series.iter().filter(has_two).filter(is_shown).collect();
    if shown.is_empty() {
        return None;
    }
    let mut notes = Vec::new();
    let mut rows = Vec::new();
    for series in shown {
        for k in NOTES_CHILDREN {
            rows.push(row(series, k, &mut notes));
        }
    }
    let head = vec![
        Head::new("strategy", false),
        Head::new("children", true),
        Head::new("notes MB", true),
        Head::new("naïve MB", true),
        Head::new("PSS MB", true),
        Head::new("slope× MB", true),
        Head::new("all ready", true),
        Head::new("requests/s", true),
        Head::new("p90", true),
        Head::new("p99", true),
    ];
    Some(Table { head, rows, notes })
}

fn row(series: &Series, k: u32, notes: &mut Vec<String>) -> Vec<Cell> {
    let level = series.level(k);
    let of = |value: fn(&MemoryLevel) -> Option<f64>| level.and_then(value);
    let label = match missing(series, k) {
        Some(reason) => format!("{} [{}]", series.label, number_of(notes, &reason)),
        None => series.label.clone(),
    };
    let marginal = series.line.map(|line| line.slope_bytes * f64::from(k));
    vec![
        Cell::from(label),
        Cell::from(k.to_string()),
        megabytes(Some(NOTES_CHILD_BYTES * f64::from(k))),
        megabytes(of(|level| level.rss_bytes)),
        megabytes(of(|level| level.pss_bytes)),
        megabytes(marginal.filter(|_| level.is_some())),
        Cell::of(of(|level| level.ready_all_ns), human::duration),
        Cell::of(of(|level| level.throughput_per_s), human::rate),
        Cell::of(of(|level| level.response_p90_ns), human::duration),
        Cell::of(of(|level| level.response_p99_ns), human::duration),
    ]
}

/// Why cells are empty, or of what the timed ones are.
fn missing(series: &Series, k: u32) -> Option<String> {
    let Some(level) = series.level(k) else {
        let tried = series.levels.iter().find(|level| level.k == k);
        return Some(tried.map_or_else(
            || format!("{k} children: not in this experiment"),
            |level| format!("{}, {k} children: {}", series.label, level.reason),
        ));
    };
    if level.timed_in.is_empty() {
        return Some("requests/s, p90 and p99: no timed trials with as many children".to_owned());
    }
    let what = match (level.throughput_per_s, level.response_p99_ns) {
        (Some(_), None) => " (p99: fewer than 1000 requests in a trial, a p90 needs 100)",
        _ => "",
    };
    Some(format!("requests/s, p90 and p99: {}{what}", level.timed_in))
}
