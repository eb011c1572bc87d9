//! Until the report's own document is there: the values that the notes' part is made of, and the
//! way from them to the tables of today.

use std::ops::Deref;

use crate::report::table;

/// How much room there is, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
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

impl Table {
    /// Without notes.
    pub fn new<C: Into<Cell>>(head: Vec<Head>, rows: impl IntoIterator<Item = Vec<C>>) -> Table {
        let cells = |row: Vec<C>| row.into_iter().map(Into::into).collect();
        Table { head, rows: rows.into_iter().map(cells).collect(), ..Table::default() }
    }

    /// The table of today, at this extent.
    pub fn at(&self, extent: Extent) -> table::Table {
        let places: Vec<usize> =
            (0..self.head.len()).filter(|place| self.head[*place].from <= extent).collect();
        let head = |place: &usize| table::Head::new(&self.head[*place].text, false);
        let is_terminal = extent <= Extent::Wide;
        let n_rows = self.rows_in_terminal.filter(|_| is_terminal).unwrap_or(self.rows.len());
        let cells = |row: &Vec<Cell>| -> Vec<table::Cell> {
            places.iter().map(|place| table::Cell::from(row[*place].text.as_str())).collect()
        };
        let rows: Vec<Vec<table::Cell>> = self.rows.iter().take(n_rows).map(cells).collect();
        let notes = self.notes.clone();
        table::Table { notes, ..table::Table::new(places.iter().map(head).collect(), rows) }
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
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// What the column shows.
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

    /// The same, shown from this extent on.
    pub fn from(self, from: Extent) -> Head {
        Head { from, ..self }
    }
}

/// Text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell {
    /// Plain text.
    pub text: String,
    /// How a page colors it.
    pub tone: Tone,
}

/// Whether a cell is good or bad news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "named by what they are")]
pub enum Tone {
    #[default]
    Plain,
    Good,
    Bad,
    Mixed,
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell { text, ..Cell::default() }
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

/// A part of a document under a title.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    /// Unique in the document; letters, digits and `-`.
    pub id: String,
    /// In words.
    pub title: String,
    /// The smallest extent that shows it.
    pub from: Extent,
    /// Its own content.
    pub blocks: Vec<Block>,
    /// What signs and columns mean: before the sections below it, in a terminal behind them.
    pub legend: Vec<String>,
    /// Its parts.
    pub sections: Vec<Section>,
}

/// A piece of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// A paragraph of less weight.
    Note(String),
    /// A table with its name for readers who hear the page.
    Table(String, Table),
}

impl Section {
    /// Without content, shown everywhere.
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Section {
        Section { id: id.into(), title: title.into(), ..Section::default() }
    }

    /// The same, shown from this extent on.
    pub fn from(self, from: Extent) -> Section {
        Section { from, ..self }
    }

    /// Adds a paragraph.
    pub fn text(mut self, text: impl Into<String>) -> Section {
        self.blocks.push(Block::Text(text.into()));
        self
    }

    /// Adds a paragraph of less weight.
    pub fn note(mut self, text: impl Into<String>) -> Section {
        self.blocks.push(Block::Note(text.into()));
        self
    }

    /// Adds a table.
    pub fn table(mut self, name: impl Into<String>, table: Table) -> Section {
        self.blocks.push(Block::Table(name.into(), table));
        self
    }
}
