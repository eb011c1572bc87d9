//! Borderless columns: the last one wraps, the others stay whole, all begin where they should.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

/// Holds the longest names, and the two spaces behind them.
const LABEL: u16 = 18;

/// Rows of cells that are aligned with each other.
pub struct Columns {
    table: Table,
    indent: usize,
    first: ColumnConstraint,
}

impl Columns {
    /// As wide as the screen, `indent` spaces included.
    pub fn new(width: u16, indent: u16) -> Columns {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            // One column less than there is: some terminals wrap a line that fills them.
            .set_width(width.saturating_sub(indent + 1));
        Columns { table, indent: usize::from(indent), first: ColumnConstraint::ContentWidth }
    }

    /// The same, with a first column that is as wide in every table: tables below each other
    /// look like one.
    pub fn labelled(width: u16, indent: u16) -> Columns {
        let mut columns = Columns::new(width, indent);
        columns.first = ColumnConstraint::LowerBoundary(Width::Fixed(LABEL));
        columns
    }

    /// Every row has as many cells as the first.
    pub fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.table.add_row(cells);
    }

    /// The rows as lines without trailing spaces.
    pub fn text(&mut self) -> String {
        let last = self.table.column_count().saturating_sub(1);
        for (index, column) in self.table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if index < last {
                column.set_constraint(match index {
                    0 => self.first,
                    _ => ColumnConstraint::ContentWidth,
                });
            } else {
                column.set_padding((0, 0));
            }
        }
        let indent = " ".repeat(self.indent);
        let lines = self.table.lines();
        lines.map(|line| format!("{indent}{}", line).trim_end().to_owned() + "\n").collect()
    }
}
