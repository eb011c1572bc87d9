//! The study notes' own tables with what was measured, and a verdict on each row: what the page
//! needs of them, and no more.
#![cfg_attr(
    not(test),
    allow(dead_code, reason = "no experiment fills these tables yet")
)]

use serde::Serialize;

use super::grid::Shown;
use crate::report::human;
use crate::report::table::{Cell, Head};

/// A table of the notes.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct NotesTable {
    /// As in the notes.
    pub(in crate::report) title: String,
    /// Those of the notes, then those that were measured.
    pub(in crate::report) columns: Vec<Head>,
    /// In the order of the notes.
    pub(in crate::report) rows: Vec<NotesRow>,
}

/// A row of it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct NotesRow {
    /// As many as there are columns.
    pub(in crate::report) cells: Vec<Cell>,
    /// What was found about it; empty if it claims nothing.
    pub(in crate::report) chips: Vec<Chip>,
}

/// A verdict on a claim.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::report) struct Chip {
    /// What may be said.
    pub(in crate::report) verdict: Said,
    /// The claim, or what is to be known about the verdict, in a few words.
    pub(in crate::report) words: String,
    /// The figure that decided, with unit and interval; empty if there is none.
    pub(in crate::report) figure: String,
    /// The file whose rows decided, relative to the page; empty if there is none.
    pub(in crate::report) link: String,
}

/// What may be said of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) enum Said {
    /// It holds.
    Confirmed,
    /// It does not.
    Refuted,
    /// It holds under one condition and not under another.
    Depends,
    /// No measurement decides it.
    NotMeasurable,
    /// This run does not decide it.
    NotMeasured,
}

impl Said {
    /// In the order in which they are counted.
    const ALL: [Said; 5] = [
        Said::Confirmed,
        Said::Refuted,
        Said::Depends,
        Said::NotMeasurable,
        Said::NotMeasured,
    ];

    /// For readers.
    pub(in crate::report) fn word(self) -> &'static str {
        match self {
            Said::Confirmed => "confirmed",
            Said::Refuted => "refuted",
            Said::Depends => "depends",
            Said::NotMeasurable => "not a matter of measurement",
            Said::NotMeasured => "not yet measured",
        }
    }

    /// Beside the word, so that it is not told by its colour.
    fn sign(self) -> &'static str {
        match self {
            Said::Confirmed => "✓",
            Said::Refuted => "✗",
            Said::Depends => "±",
            Said::NotMeasurable => "–",
            Said::NotMeasured => "?",
        }
    }
}

/// What the template sees of a table.
#[derive(Serialize)]
pub(super) struct NotesView<'a> {
    title: &'a str,
    columns: &'a [Head],
    rows: Vec<RowView<'a>>,
}

#[derive(Serialize)]
struct RowView<'a> {
    cells: Vec<Shown>,
    chips: Vec<ChipView<'a>>,
}

#[derive(Serialize)]
struct ChipView<'a> {
    word: &'static str,
    sign: &'static str,
    chip: &'a Chip,
}

pub(super) fn views(tables: &[NotesTable]) -> Vec<NotesView<'_>> {
    let views = tables.iter().map(|table| NotesView {
        title: &table.title,
        columns: &table.columns,
        rows: table.rows.iter().map(row_view).collect(),
    });
    views.collect()
}

fn row_view(row: &NotesRow) -> RowView<'_> {
    let chips = row.chips.iter().map(|chip| ChipView {
        word: chip.verdict.word(),
        sign: chip.verdict.sign(),
        chip,
    });
    RowView {
        cells: row.cells.iter().cloned().map(Shown::from).collect(),
        chips: chips.collect(),
    }
}

/// `12 verdicts on the rows of these tables: 7 confirmed, 5 refuted.`; `None` without any.
pub(super) fn tally(tables: &[NotesTable]) -> Option<String> {
    let rows = || tables.iter().flat_map(|table| &table.rows);
    let count = |said: Said| {
        let chips = rows().flat_map(|row| &row.chips);
        chips.filter(|chip| chip.verdict == said).count() as u64
    };
    let counts: Vec<(Said, u64)> = Said::ALL.map(|said| (said, count(said))).to_vec();
    let all: u64 = counts.iter().map(|(_, n)| n).sum();
    let named: Vec<String> = counts
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(said, n)| format!("{} {}", human::count(*n), said.word()))
        .collect();
    (all > 0).then(|| {
        format!(
            "{} on the rows of these tables: {}.",
            human::plural(all, "verdict"),
            named.join(", ")
        )
    })
}

/// One table with a row for every verdict.
#[cfg(test)]
pub(in crate::report) fn sample() -> Vec<NotesTable> {
    let rows = Said::ALL.into_iter().enumerate().map(|(i, said)| NotesRow {
        cells: vec![
            Cell::from(format!("row {i} <b>")),
            Cell::from("Heavier, each child is a process of its own"),
            Cell::new(format!("{i}.5 ms"), Some(i as f64)),
        ],
        chips: vec![Chip {
            verdict: said,
            words: "a child costs about 25 MB".to_owned(),
            figure: "7.04 MB [6.90, 7.21] in Node.js".to_owned(),
            link: "fits.csv".to_owned(),
        }],
    });
    vec![NotesTable {
        title: "spawn() vs fork()".to_owned(),
        columns: vec![
            Head::new("aspect", false),
            Head::new("the notes", false),
            Head::new("measured", true),
        ],
        rows: rows.collect(),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_counted_and_none_is_told_by_color_alone() {
        let text = tally(&sample()).unwrap();
        assert_eq!(
            text,
            "5 verdicts on the rows of these tables: 1 confirmed, 1 refuted, 1 depends, 1 not a \
             matter of measurement, 1 not yet measured."
        );
        assert_eq!(tally(&[]), None);
        let signs: std::collections::BTreeSet<_> = Said::ALL.map(Said::sign).into_iter().collect();
        assert_eq!(signs.len(), Said::ALL.len());
    }
}
