//! The section of a run that answers claims: the tables of the study notes, and every claim.

use super::claims::{self, Answers, Verdict};
use super::document::Section;
use super::notes;
use super::table::{Cell, Extent, Head, Table, Tone};

/// How many claims came out how.
pub fn tally(answers: &Answers) -> String {
    claims::tally(&answers.claims.document, &answers.judged)
}

/// The tables of the study notes, and all claims.
pub fn section(answers: &Answers) -> Section {
    let mut section = Section::new("notes", "What the notes say, and what was measured")
        .text(tally(answers))
        .note(
            "A claim is confirmed or refuted if the whole 95 % interval lies where the rule of the \
             claim says so (yes or no, if it was so in every block). It depends if one condition \
             confirms it and another refutes it. It is not decided if it was measured without \
             settling it. All figures are in claims.csv.",
        );
    for table in notes::tables(answers) {
        let part = Section::new(format!("notes-{}", table.id), table.title.as_str());
        let part = if table.scope.is_empty() { part } else { part.note(table.scope.as_str()) };
        let name = format!("{}: the words of the notes and what was measured", table.title);
        section.sections.push(part.table(name, table.grid()).from(Extent::Page));
    }
    let claims = Section::new("claims", "Every claim").table("every claim", every_claim(answers));
    section.sections.push(claims);
    section
}

/// What is refuted or depends first, since a reader of the notes does not know that. A terminal
/// shows the decided ones.
fn every_claim(answers: &Answers) -> Table {
    let mut judged: Vec<_> = answers.judged.iter().collect();
    judged.sort_by_key(|judged| match judged.verdict {
        Verdict::Refuted => 0,
        Verdict::Depends => 1,
        Verdict::Confirmed => 2,
        _ => 3,
    });
    let rows = judged.iter().map(|judged| {
        let tone = match judged.verdict {
            Verdict::Refuted => Tone::Bad,
            Verdict::Depends => Tone::Mixed,
            Verdict::Confirmed => Tone::Good,
            _ => Tone::Plain,
        };
        let rules = match judged.confirms.as_str() {
            "" => String::new(),
            confirms => format!("Confirmed: {confirms} Refuted: {}", judged.refutes),
        };
        vec![
            Cell::from(judged.id.as_str()),
            Cell { tone, ..Cell::from(claims::chip(judged)) },
            Cell::from(judged.words.as_str()),
            Cell::from(format!("{}: {}", judged.section, judged.place)),
            Cell::from(judged.said.as_str()),
            Cell::from(rules),
        ]
    });
    let mut head = Head::words(["claim", "verdict", "the notes say"]);
    let more = ["place", "decided by", "what would confirm or refute"];
    head.extend(more.map(|text| Head::new(text, false).from(Extent::Page)));
    let decided = judged.iter().filter(|judged| judged.is_decided()).count();
    Table { rows_in_terminal: Some(decided), ..Table::new(head, rows) }
}
