//! A document's tables in its own layout, with verdicts behind its words and measured columns
//! behind those: the same ones for `tables.md` and page.

use serde::Serialize;

use super::claims::{self, Answers, Judged, Measured, Part, RowOf, TableOf, Verdict};
use super::table::{Head, NONE, Table};

/// One table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct NotesTable {
    /// Unique among the tables; letters, digits and `-`.
    pub(super) id: String,
    /// The document's heading of it, or what it adds.
    pub(super) title: String,
    /// What the measured columns are; may be empty.
    pub(super) scope: String,
    /// The document's own first, the measured ones behind them.
    pub(super) columns: Vec<String>,
    /// How many of them are the document's own; verdicts stand behind these, so that no width of a
    /// table hides them.
    pub(super) own: usize,
    /// In the document's order.
    pub(super) rows: Vec<NotesRow>,
    /// Whether a claim judges one of its rows.
    pub(super) is_judged: bool,
    /// Why cells are empty or in doubt; numbered from 1 as the marks `[1]` in the cells.
    pub(super) notes: Vec<String>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct NotesRow {
    /// As many as there are columns.
    pub(super) cells: Vec<String>,
    /// What became of the claims that judge it.
    pub(super) chips: Vec<Chip>,
}

/// A verdict beside a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Chip {
    /// The claim's name, as in `claims.csv`.
    pub(super) claim: String,
    /// `confirmed`, `refuted (indication)`.
    pub(super) text: String,
    /// `verdict-confirmed`.
    pub(super) class: String,
    /// What decided.
    pub(super) said: String,
}

impl Chip {
    /// Of a claim.
    pub(super) fn of(judged: &Judged) -> Chip {
        Chip {
            claim: judged.id.clone(),
            text: claims::chip(judged),
            class: class(judged.verdict),
            said: judged.said.clone(),
        }
    }
}

/// `verdict-not-yet-measured`.
pub(super) fn class(verdict: Verdict) -> String {
    format!("verdict-{}", verdict.name().replace('_', "-"))
}

/// Every table, in the document's order.
pub(super) fn tables(answers: &Answers) -> Vec<NotesTable> {
    let all = answers.claims.tables.iter();
    all.map(|table| of_table(table, answers)).collect()
}

fn of_table(table: &TableOf, answers: &Answers) -> NotesTable {
    let mut notes = Vec::new();
    NotesTable {
        is_judged: table.rows.iter().any(|row| !row.claims.is_empty()),
        id: table.id.clone(),
        title: table.title.clone(),
        scope: table.scope.clone(),
        columns: [&table.columns[..], &table.measured].concat(),
        own: table.columns.len(),
        rows: table.rows.iter().map(|row| of_row(row, answers, &mut notes)).collect(),
        notes,
    }
}

fn of_row(row: &RowOf, answers: &Answers, notes: &mut Vec<String>) -> NotesRow {
    let measured = row.cells.iter().map(|parts| of_cell(parts, answers, notes));
    NotesRow {
        cells: row.words.iter().cloned().chain(measured).collect(),
        chips: row.claims.iter().map(|claim| Chip::of(&answers.judged[*claim])).collect(),
    }
}

/// The words of the file with figures in their places; where there is none, or one that decides
/// nothing, a note says why.
fn of_cell(parts: &[Part], answers: &Answers, notes: &mut Vec<String>) -> String {
    let mut cell = String::new();
    for part in parts {
        match part {
            Part::Words(words) => cell.push_str(words),
            Part::Figure(figure) => match &answers.figures[*figure] {
                Ok(measured) => {
                    cell.push_str(&value(measured, answers, *figure));
                    if !measured.doubt.is_empty() {
                        cell.push_str(&format!(" [{}]", number_of(notes, measured.doubt)));
                    }
                }
                Err(missing) => {
                    let number = number_of(notes, &missing.reason);
                    cell.push_str(&format!("{NONE} [{number}]"));
                }
            },
            Part::TextOf(figure) => {
                if let Ok(measured) = &answers.figures[*figure] {
                    cell.push_str(&measured.text);
                }
            }
        }
    }
    cell.trim().to_owned()
}

/// Without its interval, which stands with the claims.
fn value(measured: &Measured, answers: &Answers, figure: usize) -> String {
    let is_yes_no = answers.claims.figures[figure].is_yes_no;
    claims::shown(measured.estimate, &measured.unit, is_yes_no)
}

/// Its number among the notes, from 1.
fn number_of(notes: &mut Vec<String>, note: &str) -> usize {
    match notes.iter().position(|known| known == note) {
        Some(place) => place + 1,
        None => {
            notes.push(note.to_owned());
            notes.len()
        }
    }
}

impl NotesTable {
    /// As any other table.
    pub(super) fn grid(&self) -> Table {
        let head = self.columns.iter().map(|column| Head::new(column, false));
        let mut head: Vec<Head> = head.collect();
        let mut rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.cells.clone()).collect();
        if self.is_judged {
            head.insert(self.own, Head::new("verdict", false));
            for (cells, row) in rows.iter_mut().zip(&self.rows) {
                let chips: Vec<String> = row.chips.iter().map(Chip::in_words).collect();
                cells.insert(self.own, chips.join(", "));
            }
        }
        Table { notes: self.notes.clone(), ..Table::new(head, rows) }
    }
}

impl Chip {
    /// The verdict with the claim that it is of, since a row may have several.
    fn in_words(&self) -> String {
        format!("{}: {}", self.claim, self.text)
    }
}
