//! A document as text for a terminal. Plain characters, no escape sequences.

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table as Grid, TableStyle,
    Width,
};

use super::document::{Block, Document, Item, Section};
use super::table::{Extent, Table};

/// Narrower terminals leave out columns from the start.
const WIDE: usize = 112;

/// Space between columns.
const GAP: usize = 2;

const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// The document for a terminal of this many columns.
pub fn render(document: &Document, width: usize) -> String {
    let mut screen = Screen { out: String::new(), width };
    screen.wrapped(&format!("{}: {}", document.subject, document.title), "  ");
    if let Some(alarm) = &document.alarm {
        screen.wrapped(&format!("!!! {alarm}"), "!!! ");
    }
    document.lead.iter().for_each(|sentence| screen.wrapped(sentence, "  "));
    document.sections.iter().for_each(|section| screen.section(section));
    screen.out
}

struct Screen {
    out: String,
    width: usize,
}

impl Screen {
    fn extent(&self) -> Extent {
        if self.width >= WIDE { Extent::Wide } else { Extent::Narrow }
    }

    fn section(&mut self, section: &Section) {
        if section.from > self.extent() || !section.has_text() {
            return;
        }
        self.out.push('\n');
        self.wrapped(&section.title, "  ");
        section.blocks.iter().for_each(|block| self.block(block));
        section.sections.iter().for_each(|part| self.section(part));
        if !section.legend.is_empty() {
            self.out.push('\n');
        }
        section.legend.iter().for_each(|line| self.wrapped(line, "  "));
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Text(text) | Block::Note(text) | Block::Code(text) => self.wrapped(text, "  "),
            Block::List(items) => items.iter().for_each(|item| self.item(item)),
            Block::Table(_, table) => self.table(table),
            // Their names tell what to look for on the page.
            Block::Folded(name, table) => {
                let names: Vec<&str> = table.rows.iter().map(|row| &*row[0]).collect();
                self.wrapped(&format!("{name}: {}", names.join(", ")), "  ");
            }
            Block::Chart(_) => {}
        }
    }

    fn item(&mut self, item: &Item) {
        match item.lead.as_str() {
            "" => self.wrapped(&item.text, "  "),
            lead => self.wrapped(&format!("{lead}: {}", item.text), "  "),
        }
    }

    fn table(&mut self, table: &Table) {
        for line in grid(table, self.extent(), self.width).lines() {
            self.out.push_str(line.trim_end());
            self.out.push('\n');
        }
        for (number, note) in (1..).zip(&table.notes) {
            self.wrapped(&format!("[{number}] {note}"), "    ");
        }
    }

    /// Lines of at most the width; later ones begin with `indent`.
    fn wrapped(&mut self, text: &str, indent: &str) {
        let mut used = 0;
        for word in text.split_whitespace() {
            let length = word.chars().count();
            if used > 0 && used + 1 + length > self.width {
                self.out.push('\n');
                self.out.push_str(indent);
                used = indent.chars().count();
            } else if used > 0 {
                self.out.push(' ');
                used += 1;
            }
            self.out.push_str(word);
            used += length;
        }
        self.out.push('\n');
    }
}

/// A column as a terminal lays it out; a sign is one of its own.
struct Column {
    head: String,
    cells: Vec<String>,
    is_numeric: bool,
    /// A sign belongs to the number before it.
    is_sign: bool,
    from: Extent,
}

impl Column {
    fn widths(&self) -> impl Iterator<Item = usize> {
        let lines = self.head.lines().chain(self.cells.iter().map(String::as_str));
        lines.map(|line| line.chars().count())
    }

    /// Of the longest cell, unbroken.
    fn width(&self) -> usize {
        self.widths().max().unwrap_or(0)
    }

    /// Of the longest word.
    fn word_width(&self) -> usize {
        let lines = self.head.lines().chain(self.cells.iter().map(String::as_str));
        let words = lines.flat_map(str::split_whitespace);
        words.map(|word| word.chars().count()).max().unwrap_or(0)
    }

    /// A sign stands closer to its number.
    fn gap(&self) -> usize {
        if self.is_sign { GAP - 1 } else { GAP }
    }

    /// Numbers are never broken, words only between them.
    fn least_width(&self) -> usize {
        if self.is_numeric || self.is_sign { self.width() } else { self.word_width() }
    }
}

fn columns(table: &Table, extent: Extent) -> Vec<Column> {
    let n_rows = table.rows_in_terminal.unwrap_or(table.rows.len());
    let rows = || table.rows.iter().take(n_rows);
    let mut columns = Vec::new();
    for place in table.columns(extent) {
        let head = &table.head[place];
        columns.push(Column {
            head: two_lines(&head.text),
            cells: rows().map(|row| row[place].text.clone()).collect(),
            is_numeric: head.numeric,
            is_sign: false,
            from: head.from,
        });
        if rows().any(|row| !row[place].sign.is_empty()) {
            columns.push(Column {
                head: String::new(),
                cells: rows().map(|row| row[place].sign.to_owned()).collect(),
                is_numeric: false,
                is_sign: true,
                from: head.from,
            });
        }
    }
    columns
}

/// Labels are whole where that costs no column of a narrow terminal; else they break between words,
/// and what still has no room is left out from the right.
fn fitted(mut columns: Vec<Column>, width: usize) -> (Vec<Column>, usize) {
    // Nothing follows the last column.
    let width = width + 1;
    let label = |columns: &[Column]| columns.first().map_or(0, Column::width);
    let others = |columns: &[Column]| -> usize {
        columns.iter().skip(1).map(|column| column.least_width() + column.gap()).sum()
    };
    let needs = |columns: &[Column]| label(columns) + GAP + others(columns);
    while needs(&columns) > width {
        match columns.iter().rposition(|column| column.from > Extent::Narrow) {
            Some(place) => remove(&mut columns, place),
            None => break,
        }
    }
    let least = |columns: &[Column]| columns.first().map_or(0, Column::word_width);
    while columns.len() > 2 && least(&columns) + GAP + others(&columns) > width {
        let last = columns.len() - 1;
        remove(&mut columns, last);
    }
    let room = width.saturating_sub(others(&columns) + GAP);
    let label = label(&columns).min(room);
    (columns, label)
}

/// With its sign, if it has one.
fn remove(columns: &mut Vec<Column>, place: usize) {
    let is_sign = columns[place].is_sign;
    columns.remove(place);
    if is_sign {
        columns.remove(place - 1);
    }
}

fn grid(table: &Table, extent: Extent, width: usize) -> Grid {
    let (columns, label_width) = fitted(columns(table, extent), width);
    let mut grid = Grid::new();
    grid.load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .set_header(columns.iter().map(|column| &column.head));
    for row in 0..columns.first().map_or(0, |column| column.cells.len()) {
        grid.add_row(columns.iter().map(|column| &column.cells[row]));
    }
    for (place, column) in columns.iter().enumerate() {
        let Some(shown) = grid.column_mut(place) else { continue };
        let is_before_sign = columns.get(place + 1).is_some_and(|next| next.is_sign);
        let padding = u16::from(!is_before_sign);
        shown.set_padding((0, padding));
        let fixed = |width: usize| Width::Fixed(u16::try_from(width).unwrap_or(u16::MAX) + padding);
        if place == 0 {
            shown.set_constraint(ColumnConstraint::Absolute(fixed(label_width)));
        } else if column.is_numeric || column.is_sign {
            shown.set_constraint(ColumnConstraint::ContentWidth);
        } else {
            shown.set_constraint(ColumnConstraint::LowerBoundary(fixed(column.least_width())));
        }
        if column.is_numeric {
            shown.set_cell_alignment(CellAlignment::Right);
        }
    }
    grid
}

/// Broken at the space nearest the middle, so that heads are not wider than their cells.
fn two_lines(head: &str) -> String {
    if let Some((above, below)) = head.split_once('/') {
        return format!("{above}\n/{below}");
    }
    let middle = head.len() as f64 / 2.0;
    let from_middle = |place: &usize| (2.0 * (*place as f64 - middle)).abs() as usize;
    let spaces = head.match_indices(' ').map(|(place, _)| place);
    match spaces.min_by_key(from_middle) {
        Some(place) => format!("{}\n{}", &head[..place], &head[place + 1..]),
        None => head.to_owned(),
    }
}
