//! Tables as the page lays them out: with what a reader's script sorts and highlights by.

use serde::Serialize;

use crate::report::charts::style;
use crate::report::table::{Cell, Head, Table};

/// A table for the template.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(in crate::report) struct Grid {
    head: Vec<Head>,
    rows: Vec<Row>,
    notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Row {
    /// The strategy that it is about; see [`style::key`].
    key: Option<String>,
    cells: Vec<Shown>,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Shown {
    text: String,
    /// What it is sorted by, where that is another number than its text.
    value: Option<String>,
}

impl From<Cell> for Shown {
    fn from(cell: Cell) -> Shown {
        let is_own = |value: &f64| cell.text.parse() == Ok(*value);
        let value = cell.value.filter(|value| !is_own(value));
        Shown {
            // More digits than any two numbers of a column differ in.
            value: value.map(|value| format!("{value:.6e}")),
            text: cell.text,
        }
    }
}

impl From<Table> for Grid {
    fn from(table: Table) -> Grid {
        let place = table.head.iter().position(|head| head.text == "strategy");
        let rows = table.rows.into_iter().map(|cells| {
            let label = place.and_then(|place| cells.get(place));
            Row {
                key: label.and_then(|label| style::key_of_label(label)).map(str::to_owned),
                cells: cells.into_iter().map(Shown::from).collect(),
            }
        });
        Grid { rows: rows.collect(), head: table.head, notes: table.notes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_carry_their_number_where_the_text_is_not_it_and_rows_their_strategy() {
        let head = vec![Head::new("what", false), Head::new("strategy", false)];
        let slow = Cell::new("2.50 ms".to_owned(), Some(2_503_123.0));
        let rows = vec![
            vec![slow, Cell::from("pool workers=2 [1]")],
            vec![Cell::from("2503.5"), Cell::from("response p50")],
            vec![Cell::from("–"), Cell::from("blocking (placebo)")],
        ];
        let grid = Grid::from(Table::new(head, rows));
        let keys: Vec<_> = grid.rows.iter().map(|row| row.key.as_deref()).collect();
        assert_eq!(keys, [Some("pool"), None, Some("placebo")]);
        let values: Vec<_> = grid.rows.iter().map(|row| row.cells[0].value.as_deref()).collect();
        assert_eq!(values, [Some("2.503123e6"), None, None]);
    }
}
