//! What stands in a family's table, once for terminal, Markdown and page: columns, cells and the
//! numbered notes that say why a cell is empty.

use std::fmt;
use std::ops::Deref;

use serde::Serialize;

use super::conclusions;
use super::human;
use crate::analysis::summary::{ArmSummary, FamilySummary, Ratio, State};

/// What the table is for, which decides its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// 80 columns of a terminal.
    Narrow,
    /// 120 columns of a terminal.
    Wide,
    /// A page.
    Page,
    /// A file.
    Full,
}

impl Extent {
    /// In a terminal signs stand in a column of their own, so that numbers end below each other.
    fn is_terminal(self) -> bool {
        matches!(self, Extent::Narrow | Extent::Wide)
    }
}

/// A table ready to be laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// One per column.
    pub head: Vec<Head>,
    /// As many cells in each as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// Numbered from 1 as the marks `[1]` in the cells.
    pub notes: Vec<String>,
}

impl Table {
    /// Without notes.
    pub fn new<C: Into<Cell>>(head: Vec<Head>, rows: impl IntoIterator<Item = Vec<C>>) -> Table {
        let cells = |row: Vec<C>| row.into_iter().map(Into::into).collect();
        Table { head, rows: rows.into_iter().map(cells).collect(), notes: Vec::new() }
    }
}

/// What a reader sees, and the number behind it, by which a page sorts: `2.50 ms` comes after
/// `980 µs`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell {
    /// Plain text.
    pub text: String,
    /// In the unit of the column's other values, which is a machine unit; `None` for words.
    pub value: Option<f64>,
}

impl Cell {
    /// A number as it is shown, or the sign for none.
    pub fn of(value: Option<f64>, shown: impl FnOnce(f64) -> String) -> Cell {
        Cell { text: value.map_or_else(|| NONE.to_owned(), shown), value }
    }

    /// A number with more in its text than the number.
    pub fn new(text: String, value: Option<f64>) -> Cell {
        Cell { text, value }
    }
}

/// Words, or a plain number, which is its own value.
impl From<String> for Cell {
    fn from(text: String) -> Cell {
        let value = text.parse().ok().filter(|value: &f64| value.is_finite());
        Cell { text, value }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::from(text.to_owned())
    }
}

impl Deref for Cell {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq<&str> for Cell {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}

/// The head of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Head {
    /// What the column shows, with unit where cells have none.
    pub text: String,
    /// Numbers are aligned to the right.
    pub numeric: bool,
}

impl Head {
    pub fn new(text: &str, numeric: bool) -> Head {
        Head { text: text.to_owned(), numeric }
    }
}

/// Where there is no number to show.
pub const NONE: &str = "–";

struct Column {
    head: &'static str,
    /// The smallest that has it.
    from: Extent,
    /// The same where the run says what children cost in memory, which needs room.
    from_with_memory: Extent,
    show: Show,
}

/// What a column shows of an arm.
#[derive(Clone, Copy)]
enum Show {
    /// A number.
    Value(fn(&ArmSummary) -> Cell),
    /// A ratio and its sign.
    Ratio(fn(&ArmSummary) -> Option<Ratio>),
}

const fn value(head: &'static str, from: Extent, cell: fn(&ArmSummary) -> Cell) -> Column {
    Column { head, from, from_with_memory: from, show: Show::Value(cell) }
}

const fn ratio(
    head: &'static str,
    from: Extent,
    ratio: fn(&ArmSummary) -> Option<Ratio>,
) -> Column {
    Column { head, from, from_with_memory: from, show: Show::Ratio(ratio) }
}

impl Column {
    /// Where there is memory to show, from another extent on.
    const fn with_memory(self, from: Extent) -> Column {
        Column { from_with_memory: from, ..self }
    }
}

/// What a child costs, which is shown only where it is known of some arm.
const MEMORY: Column = value("MB per further child ↓", Extent::Narrow, |a| {
    Cell::of(a.memory_per_child_bytes, human::megabytes)
});

/// Between the strategy and the outcomes. Ratios lead: they are what a run is for, and what the
/// machine's drift touches least.
const COLUMNS: &[Column] = &[
    ratio("response ratio ↓", Extent::Narrow, |a| a.response_p50_ratio),
    ratio("service ratio ↓", Extent::Narrow, |a| a.service_p50_ratio).with_memory(Extent::Wide),
    ratio("throughput ratio ↑", Extent::Full, |a| a.throughput_ratio),
    value("response p50 ↓", Extent::Narrow, |a| time(a.medians.response_p50_ns)),
    value("response p90 ↓", Extent::Wide, |a| time(a.medians.response_p90_ns))
        .with_memory(Extent::Page),
    value("response p99 ↓", Extent::Full, |a| time(a.medians.response_p99_ns)),
    value("service p50 ↓", Extent::Wide, |a| time(a.medians.service_p50_ns)),
    value("service p90 ↓", Extent::Full, |a| time(a.medians.service_p90_ns)),
    value("service p99 ↓", Extent::Full, |a| time(a.medians.service_p99_ns)),
    value("requests/s ↑", Extent::Wide, |a| Cell::of(a.medians.throughput_per_s, human::rate))
        .with_memory(Extent::Narrow),
    MEMORY,
    value("ready ↓", Extent::Full, |a| time(a.medians.ready_ns)),
    value("first response ↓", Extent::Full, |a| time(a.medians.first_response_ns)),
    value("transport", Extent::Full, |a| time(a.medians.transport_p50_ns)),
    value("queue", Extent::Full, |a| time(a.medians.queue_p50_ns)),
    value("creation", Extent::Full, |a| time(a.medians.creation_p50_ns)),
    value("load", Extent::Full, |a| time(a.medians.load_p50_ns)),
    value("work", Extent::Full, |a| time(a.medians.work_p50_ns)),
    value("return", Extent::Full, |a| time(a.medians.return_p50_ns)),
    value("delivery", Extent::Full, |a| time(a.medians.delivery_p50_ns)),
    value("reap", Extent::Full, |a| time(a.medians.reap_p50_ns)),
    value("blocks", Extent::Full, |a| Cell::from(a.n_blocks.to_string())),
];

/// The family's table.
pub fn of_family(family: &FamilySummary, extent: Extent) -> Table {
    let has_memory = family.arms.iter().any(|a| a.memory_per_child_bytes.is_some());
    let is_shown = |column: &&Column| match has_memory {
        true => column.from_with_memory <= extent,
        false => column.from <= extent && column.head != MEMORY.head,
    };
    let columns: Vec<&Column> = COLUMNS.iter().filter(is_shown).collect();
    let mut head = vec![Head::new("strategy", false)];
    for column in &columns {
        head.push(Head::new(column.head, true));
        if matches!(column.show, Show::Ratio(_)) && extent.is_terminal() {
            head.push(Head::new("", false));
        }
    }
    if extent != Extent::Narrow {
        head.push(Head::new("outcomes", false));
    }
    let mut notes = Vec::new();
    let rows = family.arms.iter().map(|arm| row(arm, &columns, extent, &mut notes)).collect();
    Table { head, rows, notes }
}

fn row(
    arm: &ArmSummary,
    columns: &[&Column],
    extent: Extent,
    notes: &mut Vec<String>,
) -> Vec<Cell> {
    let outcomes = outcomes(arm, notes);
    let mut cells = vec![Cell::from(label(arm, extent, notes.len()))];
    for column in columns {
        match column.show {
            Show::Value(cell) => cells.push(cell(arm)),
            Show::Ratio(of) if extent.is_terminal() => {
                cells.push(ratio_cell(arm, of(arm), conclusions::numbers));
                let sign = of(arm).map_or("", |ratio| conclusions::sign(&ratio));
                cells.push(Cell::from(sign));
            }
            Show::Ratio(of) => {
                cells.push(ratio_cell(arm, of(arm), conclusions::text));
            }
        }
    }
    if extent != Extent::Narrow {
        cells.push(Cell::new(outcomes, Some(arm.outcomes.ok as f64)));
    }
    cells
}

/// Where there is no room for outcomes, the number of the note that says what went wrong stands
/// behind the label.
fn label(arm: &ArmSummary, extent: Extent, notes: usize) -> String {
    if extent == Extent::Narrow && is_noted(arm) {
        return format!("{} [{notes}]", arm.label);
    }
    arm.label.clone()
}

fn time(ns: Option<f64>) -> Cell {
    Cell::of(ns, human::duration)
}

/// A ratio; of the reference it is 1, since it is what the others are divided by.
fn ratio_cell(arm: &ArmSummary, ratio: Option<Ratio>, shown: fn(&Ratio) -> String) -> Cell {
    match ratio {
        Some(ratio) => Cell::new(shown(&ratio), Some(ratio.estimate)),
        None if arm.role == "reference" && arm.state == State::Ok => Cell::from("1"),
        None => Cell::from(NONE),
    }
}

/// `1 234 ok`, or what went wrong with the number of a note that says why.
fn outcomes(arm: &ArmSummary, notes: &mut Vec<String>) -> String {
    let words = arm.outcomes.words();
    if !is_noted(arm) {
        return words;
    }
    let why = match (arm.reason.as_str(), arm.outcomes.are_all_answered()) {
        (reason, true) => reason.to_owned(),
        ("", false) => words.clone(),
        (reason, false) => format!("{reason}; {words}"),
    };
    let has_numbers = arm.state == State::Ok || arm.outcomes.total() > arm.outcomes.ok;
    let text = if has_numbers { words } else { arm.state.word().to_owned() };
    notes.push(format!("{}: {}: {why}", arm.label, arm.state.word()));
    format!("{text} [{}]", notes.len())
}

/// Whether there is more to say of an arm than its numbers.
fn is_noted(arm: &ArmSummary) -> bool {
    arm.state != State::Ok || !arm.reason.is_empty() || !arm.outcomes.are_all_answered()
}
