//! A document's tables in its own layout, with measured columns behind its words and verdicts
//! behind those: the same ones for terminal, `tables.md` and page.

use serde::Serialize;

use super::claims::{self, Answers, Judged, Measured, Part, RowOf, TableOf, Verdict};
use super::table::{Head, NONE, Table};

mod fragment;

pub(super) use fragment::fragment;

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
    pub(super) columns: Vec<Column>,
    /// In the document's order.
    pub(super) rows: Vec<NotesRow>,
    /// Why cells are empty; numbered from 1 as the marks `[1]` in the cells.
    pub(super) notes: Vec<String>,
}

/// The head of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Column {
    /// What stands in it.
    pub(super) text: String,
    /// Whether its cells are measured, and not the document's words.
    pub(super) is_measured: bool,
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
    let column = |text: &String, is_measured| Column {
        text: text.clone(),
        is_measured,
    };
    let mut notes = Vec::new();
    let words = table.columns.iter().map(|text| column(text, false));
    let measured = table.measured.iter().map(|text| column(text, true));
    NotesTable {
        id: table.id.clone(),
        title: table.title.clone(),
        scope: table.scope.clone(),
        columns: words.chain(measured).collect(),
        rows: table
            .rows
            .iter()
            .map(|row| of_row(row, answers, &mut notes))
            .collect(),
        notes,
    }
}

fn of_row(row: &RowOf, answers: &Answers, notes: &mut Vec<String>) -> NotesRow {
    let measured = row.cells.iter().map(|parts| of_cell(parts, answers, notes));
    NotesRow {
        cells: row.words.iter().cloned().chain(measured).collect(),
        chips: row
            .claims
            .iter()
            .map(|claim| Chip::of(&answers.judged[*claim]))
            .collect(),
    }
}

/// The words of the file with figures in their places; where there is no figure a note says why.
fn of_cell(parts: &[Part], answers: &Answers, notes: &mut Vec<String>) -> String {
    let mut cell = String::new();
    for part in parts {
        match part {
            Part::Words(words) => cell.push_str(words),
            Part::Figure(figure) => match &answers.figures[*figure] {
                Ok(measured) => cell.push_str(&value(measured, answers, *figure)),
                Err(reason) => cell.push_str(&format!("{NONE} [{}]", number_of(notes, reason))),
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
    /// As any other table: verdicts in a column of their own.
    pub(super) fn grid(&self) -> Table {
        let heads = self
            .columns
            .iter()
            .map(|column| Head::new(&column.text, false));
        let has_chips = self.rows.iter().any(|row| !row.chips.is_empty());
        let verdict = has_chips.then(|| Head::new("verdict", false));
        let rows = self.rows.iter().map(|row| {
            let chips: Vec<String> = row.chips.iter().map(Chip::in_words).collect();
            let chips = has_chips.then(|| chips.join(", "));
            row.cells.iter().cloned().chain(chips).collect()
        });
        Table {
            rows: rows.collect(),
            head: heads.chain(verdict).collect(),
            notes: self.notes.clone(),
        }
    }
}

impl Chip {
    /// The verdict with the claim that it is of, since a row may have several.
    fn in_words(&self) -> String {
        format!("{}: {}", self.claim, self.text)
    }
}

/// The claims that this run decided, for a terminal: what is refuted or depends first, since that
/// is what a reader of the document does not know.
pub(super) fn decided(answers: &Answers) -> Table {
    let mut rows = Vec::new();
    for verdict in [Verdict::Refuted, Verdict::Depends, Verdict::Confirmed] {
        let own = answers
            .judged
            .iter()
            .filter(|judged| judged.verdict == verdict);
        rows.extend(own.map(|judged| {
            vec![
                judged.id.clone(),
                verdict.name().to_owned(),
                judged.words.clone(),
            ]
        }));
    }
    Table {
        head: ["claim", "verdict", "the notes say"]
            .map(|head| Head::new(head, false))
            .to_vec(),
        rows,
        notes: Vec::new(),
    }
}

/// Every claim with what decided it, for files.
pub(super) fn all_claims(answers: &Answers) -> Table {
    let rows = answers.judged.iter().map(|judged| {
        vec![
            judged.id.clone(),
            format!("{}: {}", judged.section, judged.place),
            judged.words.clone(),
            claims::chip(judged),
            judged.said.clone(),
        ]
    });
    Table {
        head: ["claim", "place", "the notes say", "verdict", "decided by"]
            .map(|head| Head::new(head, false))
            .to_vec(),
        rows: rows.collect(),
        notes: Vec::new(),
    }
}
