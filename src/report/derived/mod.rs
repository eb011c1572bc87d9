//! `cells.csv` and `comparisons.csv`: what the trials say, for programs. Machine units, every
//! digit, one row for every arm and metric, whatever became of the arm.

use crate::record::TrialRow;
use crate::record::columns::Table;
use crate::stats::Level;

use crate::analysis::cells::Analysed;
use crate::analysis::families::ArmRows;
use crate::analysis::summary::State;

mod cells;
mod comparisons;
mod fits;
#[cfg(test)]
mod tests;

pub(super) use cells::cells;
pub(super) use comparisons::comparisons;
pub(super) use fits::fits;

/// A row under the names of its columns, in their order.
type Row = Vec<(&'static str, String)>;

/// A header and rows as CSV. Every row is one line.
fn csv(table: &Table, rows: &[Row]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut put = |cells: Vec<String>| writer.write_record(&cells).expect("memory takes any text");
    put(table.columns.iter().map(|c| c.name.to_owned()).collect());
    for row in rows {
        let cells = row.iter().map(|(_, cell)| cell.replace(['\n', '\r'], " "));
        put(cells.collect());
    }
    let bytes = writer.into_inner().expect("memory takes any text");
    String::from_utf8(bytes).expect("made of texts")
}

/// The columns with which both tables begin.
fn factors(run_id: &str, family: &Analysed<'_>, arm: &ArmRows<'_>) -> Row {
    let any = family.rows.rows.first().copied();
    let of_arm = arm.good.first().copied();
    let text = |get: fn(&TrialRow) -> &str| any.map_or("", get).to_owned();
    let number = |row: Option<&TrialRow>, get: fn(&TrialRow) -> Option<u64>| {
        row.and_then(get).map_or_else(String::new, |n| n.to_string())
    };
    vec![
        ("run_id", run_id.to_owned()),
        ("family_id", family.rows.id.to_owned()),
        ("runtime", text(|r| &r.runtime)),
        ("workload", text(|r| &r.workload)),
        ("workload_options", text(|r| &r.workload_options)),
        ("size", text(|r| &r.size)),
        ("strategy", arm.key.name.clone()),
        ("options", arm.key.options.clone()),
        ("role", arm.key.role_name().to_owned()),
        ("regime", text(|r| r.regime.name())),
        ("callers", number(any, |r| r.callers.map(u64::from))),
        ("rate_per_s", float(any.and_then(|r| r.rate_per_s))),
        ("workers", number(of_arm, |r| r.workers.map(u64::from))),
        ("placement", text(|r| r.placement.name())),
        ("payload_bytes", number(any, |r| Some(r.payload_bytes))),
        ("ballast_bytes", number(any, |r| Some(r.ballast_bytes))),
        ("tasks", number(of_arm, |r| r.tasks.map(u64::from))),
    ]
}

/// The shortest text that reads back as the same number; empty for none.
fn float(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// The level of an interval that is there.
fn level<T>(interval: Option<T>) -> String {
    float(interval.map(|_| Level::P95.coverage()))
}

/// What an arm that may not be compared is called in these files.
fn state_flag(state: State) -> Option<&'static str> {
    match state {
        State::Ok => None,
        State::Flawed => Some("arm_flawed"),
        State::Failed => Some("arm_failed"),
        State::Skipped => Some("arm_skipped"),
        State::Missing => Some("arm_not_run"),
    }
}
