//! Tables as values, which every renderer lays out in its own way.

use std::fmt;
use std::ops::Deref;

use serde::Serialize;

/// How much room there is, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub enum Extent {
    /// A terminal of 80 columns.
    #[default]
    Narrow,
    /// A terminal of 120 columns.
    Wide,
    /// A page.
    Page,
    /// A file.
    Full,
}

/// Shown where there is no number.
pub const NONE: &str = "–";

/// A table with all of its columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// One per column.
    pub head: Vec<Head>,
    /// As many cells in each as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// Numbered from 1 as the marks `[1]` in the cells.
    pub notes: Vec<String>,
    /// How many rows a terminal shows, if not all.
    pub rows_in_terminal: Option<usize>,
}

/// A column of a table whose rows are values of `T`: head, smallest extent that shows it, cell.
pub type Column<T> = (&'static str, Extent, fn(&T) -> Cell);

impl Table {
    /// Without notes.
    pub fn new<C: Into<Cell>>(head: Vec<Head>, rows: impl IntoIterator<Item = Vec<C>>) -> Table {
        let cells = |row: Vec<C>| row.into_iter().map(Into::into).collect();
        Table { head, rows: rows.into_iter().map(cells).collect(), ..Table::default() }
    }

    /// A row for each value: its label, then a cell for each column. A column that holds numbers
    /// alone is numeric.
    pub fn of_columns<'v, T: 'v>(
        first: &str,
        columns: &[Column<T>],
        rows: impl IntoIterator<Item = (String, &'v T)>,
    ) -> Table {
        let cells = |(label, value): (String, &T)| {
            let label = std::iter::once(Cell::from(label));
            label.chain(columns.iter().map(|(.., cell)| cell(value))).collect()
        };
        let rows: Vec<Vec<Cell>> = rows.into_iter().map(cells).collect();
        let is_numeric = |place: usize| {
            rows.iter().all(|row| row[place].value.is_some() || row[place].text == NONE)
        };
        let mut head = vec![Head::new(first, false)];
        for (place, (text, from, _)) in (1..).zip(columns) {
            head.push(Head::new(text, is_numeric(place)).from(*from));
        }
        Table { head, rows, ..Table::default() }
    }

    /// The places of the columns that this extent shows.
    pub fn columns(&self, extent: Extent) -> Vec<usize> {
        (0..self.head.len()).filter(|place| self.head[*place].from <= extent).collect()
    }
}

/// The text with the mark of a note, which is added unless it is there; the text alone without one.
pub fn marked(text: &str, note: &str, notes: &mut Vec<String>) -> String {
    if note.is_empty() {
        return text.to_owned();
    }
    let place = notes.iter().position(|known| known == note).unwrap_or_else(|| {
        notes.push(note.to_owned());
        notes.len() - 1
    });
    format!("{text} [{}]", place + 1)
}

/// The head of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Head {
    /// What the column shows, with the unit where cells have none.
    pub text: String,
    /// Numbers are aligned to the right.
    pub numeric: bool,
    /// The smallest extent that shows the column.
    pub from: Extent,
}

impl Head {
    /// Of a column that is always shown.
    pub fn new(text: &str, numeric: bool) -> Head {
        Head { text: text.to_owned(), numeric, from: Extent::Narrow }
    }

    /// Of columns of words.
    pub fn words<const N: usize>(texts: [&str; N]) -> Vec<Head> {
        texts.map(|text| Head::new(text, false)).to_vec()
    }

    /// The same, shown from this extent on.
    pub fn from(self, from: Extent) -> Head {
        Head { from, ..self }
    }
}

/// Text, and the number behind it, by which a page sorts: `2.50 ms` comes after `980 µs`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell {
    /// Plain text.
    pub text: String,
    /// In the machine unit of the column; `None` for words.
    pub value: Option<f64>,
    /// What is concluded of the number; in a terminal a column of its own, so that numbers end
    /// below each other.
    pub sign: &'static str,
    /// How a page colors it.
    pub tone: Tone,
}

/// Whether a cell is good or bad news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "named by what they are")]
pub enum Tone {
    #[default]
    Plain,
    Good,
    Bad,
    Mixed,
}

impl Cell {
    /// A number as it is shown, or the sign for none.
    pub fn of(value: Option<f64>, shown: impl FnOnce(f64) -> String) -> Cell {
        Cell { text: value.map_or_else(|| NONE.to_owned(), shown), value, ..Cell::default() }
    }

    /// A number with more in its text than the number.
    pub fn new(text: String, value: Option<f64>) -> Cell {
        Cell { text, value, ..Cell::default() }
    }

    /// Text and sign.
    pub fn whole(&self) -> String {
        format!("{} {}", self.text, self.sign).trim_end().to_owned()
    }
}

/// Words, or a plain number, which is its own value.
impl From<String> for Cell {
    fn from(text: String) -> Cell {
        let value = text.parse().ok().filter(|value: &f64| value.is_finite());
        Cell::new(text, value)
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
