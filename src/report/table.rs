//! What stands in a family's table, once for terminal, Markdown and page: columns, cells and the
//! numbered notes that say why a cell is empty.

use serde::Serialize;

use super::human;
use super::summary::{ArmSummary, FamilySummary, Ratio, State};

/// Which columns there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// 80 columns of a terminal.
    Narrow,
    /// 120 columns of a terminal, or a page.
    Wide,
    /// A file.
    Full,
}

/// A table ready to be laid out; every cell is plain text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Table {
    /// One per column.
    pub(super) head: Vec<Head>,
    /// As many cells in each as there are columns.
    pub(super) rows: Vec<Vec<String>>,
    /// Numbered from 1 as the marks `[1]` in the cells.
    pub(super) notes: Vec<String>,
}

/// The head of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Head {
    /// What the column shows, with unit where cells have none.
    pub(super) text: String,
    /// Numbers are aligned to the right.
    pub(super) numeric: bool,
}

impl Head {
    pub(super) fn new(text: &str, numeric: bool) -> Head {
        Head {
            text: text.to_owned(),
            numeric,
        }
    }
}

/// Where there is no number to show.
pub(super) const NONE: &str = "–";

struct Column {
    head: &'static str,
    extent: Extent,
    cell: fn(&ArmSummary) -> String,
}

const fn column(head: &'static str, extent: Extent, cell: fn(&ArmSummary) -> String) -> Column {
    Column { head, extent, cell }
}

/// Between the strategy and the outcomes, which every extent has.
const COLUMNS: &[Column] = &[
    column("response p50 ↓", Extent::Narrow, |a| {
        time(a.medians.response_p50_ns)
    }),
    column("response p90 ↓", Extent::Wide, |a| {
        time(a.medians.response_p90_ns)
    }),
    column("response p99 ↓", Extent::Full, |a| {
        time(a.medians.response_p99_ns)
    }),
    column("service p50 ↓", Extent::Narrow, |a| {
        time(a.medians.service_p50_ns)
    }),
    column("service p90 ↓", Extent::Full, |a| {
        time(a.medians.service_p90_ns)
    }),
    column("service p99 ↓", Extent::Full, |a| {
        time(a.medians.service_p99_ns)
    }),
    column("requests/s ↑", Extent::Narrow, |a| {
        a.medians.throughput_per_s.map_or_else(none, human::rate)
    }),
    column("response ratio ↓", Extent::Narrow, |a| {
        ratio(a, a.response_p50_ratio)
    }),
    column("service ratio ↓", Extent::Wide, |a| {
        ratio(a, a.service_p50_ratio)
    }),
    column("throughput ratio ↑", Extent::Full, |a| {
        ratio(a, a.throughput_ratio)
    }),
    column("ready ↓", Extent::Full, |a| time(a.medians.ready_ns)),
    column("first response ↓", Extent::Full, |a| {
        time(a.medians.first_response_ns)
    }),
    column("transport", Extent::Full, |a| {
        time(a.medians.transport_p50_ns)
    }),
    column("queue", Extent::Full, |a| time(a.medians.queue_p50_ns)),
    column("creation", Extent::Full, |a| {
        time(a.medians.creation_p50_ns)
    }),
    column("load", Extent::Full, |a| time(a.medians.load_p50_ns)),
    column("work", Extent::Full, |a| time(a.medians.work_p50_ns)),
    column("return", Extent::Full, |a| time(a.medians.return_p50_ns)),
    column("reap", Extent::Full, |a| time(a.medians.reap_p50_ns)),
    column("blocks", Extent::Full, |a| a.n_blocks.to_string()),
];

/// The family's table.
pub(super) fn of_family(family: &FamilySummary, extent: Extent) -> Table {
    let fits = |column: &&Column| match extent {
        Extent::Narrow => column.extent == Extent::Narrow,
        Extent::Wide => column.extent != Extent::Full,
        Extent::Full => true,
    };
    let columns: Vec<&Column> = COLUMNS.iter().filter(fits).collect();
    let mut head = vec![Head::new("strategy", false)];
    head.extend(columns.iter().map(|c| Head::new(c.head, true)));
    head.push(Head::new("outcomes", false));
    let mut notes = Vec::new();
    let rows = family
        .arms
        .iter()
        .map(|arm| {
            let mut cells = vec![arm.label.clone()];
            cells.extend(columns.iter().map(|column| (column.cell)(arm)));
            cells.push(outcomes(arm, extent, &mut notes));
            cells
        })
        .collect();
    Table { head, rows, notes }
}

fn none() -> String {
    NONE.to_owned()
}

fn time(ns: Option<f64>) -> String {
    ns.map_or_else(none, human::duration)
}

fn ratio(arm: &ArmSummary, ratio: Option<Ratio>) -> String {
    match ratio {
        Some(ratio) => human::ratio(ratio.estimate),
        None if arm.role == "reference" && arm.state == State::Ok => "1".to_owned(),
        None => none(),
    }
}

/// `1 234 ok`, or what went wrong with the number of a note that says why.
fn outcomes(arm: &ArmSummary, extent: Extent, notes: &mut Vec<String>) -> String {
    let ok = human::count(arm.outcomes.ok);
    let text = match arm.state {
        State::Ok => return format!("{ok} ok"),
        State::Flawed | State::Failed if arm.outcomes.total() > 0 => {
            let bad = arm.outcomes.total() - arm.outcomes.ok;
            match bad {
                0 => arm.state.word().to_owned(),
                _ if extent == Extent::Narrow => format!("{} not ok", human::count(bad)),
                _ => format!("{ok} ok, {} not", human::count(bad)),
            }
        }
        state => state.word().to_owned(),
    };
    notes.push(format!(
        "{}: {}: {}",
        arm.label,
        arm.state.word(),
        arm.reason
    ));
    format!("{text} [{}]", notes.len())
}
