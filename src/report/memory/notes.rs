//! What the study notes say of 1, 10, 100 and 1000 children, and what each way of counting makes of
//! them.

use super::tables::megabytes;
use crate::analysis::memory::{Group, MemoryLevel, Series};
use crate::report::format;
use crate::report::table::{Cell, Column, Extent, Table, marked};

/// What the notes say of one child, in bytes; of more they say as many times as much.
pub const NOTES_CHILD_BYTES: f64 = 25e6;

/// The numbers of children that the notes name.
const NOTES_CHILDREN: [u32; 4] = [1, 10, 100, 1_000];

/// A terminal shows these: the notes' `fork()` and the notes' advice.
const IN_TERMINAL: [&str; 2] = ["fork-ipc", "pool"];

/// A series at a number of children.
struct At<'s> {
    series: &'s Series,
    k: u32,
    level: Option<&'s MemoryLevel>,
}

impl At<'_> {
    fn of(&self, value: fn(&MemoryLevel) -> Option<f64>) -> Option<f64> {
        self.level.and_then(value)
    }

    /// The slope times the children, where they were measured and there is a slope.
    fn marginal_bytes(&self) -> Option<f64> {
        let line = self.series.line.filter(|_| self.series.miss.is_none() && self.level.is_some());
        Some(line?.slope_bytes * f64::from(self.k))
    }
}

fn columns<'s>() -> [Column<At<'s>>; 9] {
    [
        ("children", Extent::Narrow, |at| Cell::from(at.k.to_string())),
        ("notes MB", Extent::Narrow, |at| megabytes(Some(NOTES_CHILD_BYTES * f64::from(at.k)))),
        ("naïve MB", Extent::Narrow, |at| megabytes(at.of(|level| level.rss_bytes))),
        ("PSS MB", Extent::Narrow, |at| megabytes(at.of(|level| level.pss_bytes))),
        ("slope× MB", Extent::Narrow, |at| megabytes(at.marginal_bytes())),
        ("all ready", Extent::Narrow, |at| {
            Cell::of(at.of(|level| level.ready_all_ns), format::duration)
        }),
        ("requests/s", Extent::Narrow, |at| {
            Cell::of(at.of(|level| level.throughput_per_s), format::rate)
        }),
        ("p90", Extent::Narrow, |at| {
            Cell::of(at.of(|level| level.response_p90_ns), format::duration)
        }),
        ("p99", Extent::Narrow, |at| {
            Cell::of(at.of(|level| level.response_p99_ns), format::duration)
        }),
    ]
}

/// The table of a group; `None` unless two of the notes' numbers were measured.
pub fn notes_table(group: &Group) -> Option<Table> {
    let has_two = |series: &&Series| {
        NOTES_CHILDREN.iter().filter(|k| series.level(**k).is_some()).count() > 1
    };
    let is_in_terminal = |series: &&Series| IN_TERMINAL.contains(&series.strategy.as_str());
    let (first, others): (Vec<&Series>, Vec<&Series>) =
        group.series.iter().filter(has_two).partition(is_in_terminal);
    let rows_in_terminal = Some(first.len() * NOTES_CHILDREN.len());
    let all = first.into_iter().chain(others);
    let rows: Vec<At<'_>> = all
        .flat_map(|series| NOTES_CHILDREN.map(|k| At { series, k, level: series.level(k) }))
        .collect();
    let mut notes = Vec::new();
    let labels: Vec<String> = rows
        .iter()
        .map(|at| marked(&at.series.label, &missing(at).unwrap_or_default(), &mut notes))
        .collect();
    let table = Table::of_columns("strategy", &columns(), labels.into_iter().zip(&rows));
    (!rows.is_empty()).then_some(Table { notes, rows_in_terminal, ..table })
}

/// Why cells are empty, or of what the timed ones are.
fn missing(at: &At<'_>) -> Option<String> {
    let k = at.k;
    let Some(level) = at.level else {
        let tried = at.series.levels.iter().find(|level| level.k == k);
        return Some(tried.map_or_else(
            || format!("{k} children: not in this experiment"),
            |level| format!("{}, {k} children: {}", at.series.label, level.reason),
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
