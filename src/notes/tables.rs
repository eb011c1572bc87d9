//! The notes' part of a report: every claim with its verdict, then the document's tables in their
//! own layout, with verdicts behind its words and measured columns behind those.

use super::claims::{DocumentRow, DocumentTable, pieces};
use super::judge::{Judged, Verdict};
use super::{Answers, words};
use crate::report::document::Section;
use crate::report::table::{Cell, Extent, Head, NONE, Table, Tone, marked};

/// What the verdicts mean.
const RULES: &str = "A claim is confirmed or refuted if the whole 95 % interval of its figure lies where the \
     claim's rule says so. It depends if one condition confirms it and another refutes it. It is \
     not decided if the measured figures settle nothing. The rules are part of forkbench; every \
     figure with its interval is in claims.csv.";

/// What the columns of the tables are.
const COLUMNS: &str = "Event loop: the work runs in the server itself (blocking). fork(): a process of Node.js for \
     each request, which ends after it (fork-ipc). Pool: processes that stay (pool).";

/// The notes' part of a report. A terminal shows the decided claims, the rest is for larger
/// extents.
pub fn section(answers: &Answers) -> Section {
    let tables = answers.claims.tables.iter();
    Section {
        legend: vec![RULES.to_owned(), COLUMNS.to_owned()],
        sections: tables.map(|table| of_table(table, answers)).collect(),
        ..Section::new("notes", "What the notes say, and what was measured")
            .text(answers.tally())
            .table("every claim with its verdict", claims(&answers.judged))
    }
}

/// Every claim. Refuted ones come first: they are news to a reader of the document.
fn claims(judged: &[Judged]) -> Table {
    let mut sorted: Vec<&Judged> = judged.iter().collect();
    sorted.sort_by_key(|one| {
        (!one.verdict.is_decided(), one.verdict == Verdict::Confirmed, one.verdict)
    });
    let rows = sorted.into_iter().map(|judged| {
        let claim = &judged.claim;
        vec![
            Cell::from(claim.id.get_ref().as_str()),
            Cell { tone: tone(&[judged.verdict]), ..Cell::from(words::verdict(judged)) },
            Cell::from(claim.words.as_str()),
            Cell::from(format!("{}: {}", claim.section, claim.place)),
            Cell::from(judged.said.as_str()),
            Cell::from(claim.confirms.as_str()),
            Cell::from(claim.refutes.as_str()),
        ]
    });
    let shown = ["claim", "verdict", "the notes say"].map(|head| Head::new(head, false));
    let more = ["place", "decided by", "would confirm", "would refute"];
    let more = more.map(|head| Head::new(head, false).from(Extent::Page));
    Table {
        rows_in_terminal: Some(judged.iter().filter(|one| one.verdict.is_decided()).count()),
        ..Table::new(shown.into_iter().chain(more).collect(), rows)
    }
}

fn of_table(table: &DocumentTable, answers: &Answers) -> Section {
    let own = table.columns.get_ref();
    let columns = own.iter().chain(&table.measured).map(|column| Head::new(column, false));
    let mut head: Vec<Head> = columns.collect();
    let mut notes = Vec::new();
    let mut rows: Vec<Vec<Cell>> =
        table.rows.iter().map(|row| of_row(row, answers, &mut notes)).collect();
    if table.rows.iter().any(|row| !row.claims.is_empty()) {
        // Behind the document's own columns, where no width of a table hides it.
        head.insert(own.len(), Head::new("verdict", false));
        for (cells, row) in rows.iter_mut().zip(&table.rows) {
            cells.insert(own.len(), verdicts(row, answers));
        }
    }
    let name = format!("{}: the notes' words, and what was measured", table.title);
    let section = Section::new(format!("notes-{}", table.id.get_ref()), table.title.as_str());
    let section = match table.scope.is_empty() {
        true => section,
        false => section.note(table.scope.as_str()),
    };
    section.table(name, Table { notes, ..Table::new(head, rows) }).from(Extent::Page)
}

fn of_row(row: &DocumentRow, answers: &Answers, notes: &mut Vec<String>) -> Vec<Cell> {
    let words = row.words.get_ref().iter().map(|words| Cell::from(words.as_str()));
    let measured = row.cells.iter().map(|cell| Cell::from(filled(cell.get_ref(), answers, notes)));
    words.chain(measured).collect()
}

/// The cell with figures in place of their names, without intervals. Where a figure is missing or
/// decides nothing, a note says why.
fn filled(cell: &str, answers: &Answers, notes: &mut Vec<String>) -> String {
    let mut filled = String::new();
    for (words, name) in pieces(cell) {
        filled.push_str(words);
        let Some(name) = name else {
            continue;
        };
        match name.strip_suffix(":text") {
            Some(name) => {
                filled.push_str(answers.figures[name].as_ref().map_or("", |fact| &fact.text));
            }
            None => filled.push_str(&match &answers.figures[name] {
                Ok(figure) => marked(&figure.shown(figure.estimate), figure.doubt, notes),
                Err(missing) => marked(NONE, &missing.reason, notes),
            }),
        }
    }
    filled.trim().to_owned()
}

/// The verdicts on the claims that judge a row.
fn verdicts(row: &DocumentRow, answers: &Answers) -> Cell {
    let judged = row.claims.iter().filter_map(|id| {
        answers.judged.iter().find(|judged| judged.claim.id.get_ref() == id.get_ref())
    });
    let judged: Vec<&Judged> = judged.collect();
    let texts =
        judged.iter().map(|one| format!("{}: {}", one.claim.id.get_ref(), words::verdict(one)));
    let text = texts.collect::<Vec<_>>().join(", ");
    let verdicts: Vec<Verdict> = judged.iter().map(|one| one.verdict).collect();
    Cell { tone: tone(&verdicts), ..Cell::from(text) }
}

/// Mixed unless all verdicts agree; plain if none is decided.
pub fn tone(verdicts: &[Verdict]) -> Tone {
    let is_all = |wanted| verdicts.iter().all(|verdict| *verdict == wanted);
    match verdicts.iter().any(|verdict| verdict.is_decided()) {
        false => Tone::Plain,
        true if is_all(Verdict::Confirmed) => Tone::Good,
        true if is_all(Verdict::Refuted) => Tone::Bad,
        true => Tone::Mixed,
    }
}
