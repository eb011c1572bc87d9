//! Tables and claims as a piece of a page.

use serde::Serialize;

use super::{Chip, NotesTable};
use crate::report::claims::{self, Answers, Judged};
use crate::report::template;

const TEMPLATE: &str = include_str!("fragment.html");

/// How its chips and tables look, for the page's own style sheet.
pub(in crate::report) const STYLE: &str = include_str!("notes.css");

/// What the template sees.
#[derive(Serialize)]
struct View<'a> {
    document: &'a str,
    tally: String,
    tables: &'a [NotesTable],
    claims: Vec<ClaimView<'a>>,
}

#[derive(Serialize)]
struct ClaimView<'a> {
    judged: &'a Judged,
    chip: Chip,
}

/// A `<section id="notes">`; everything that comes from a file is escaped.
pub(in crate::report) fn fragment(answers: &Answers, tables: &[NotesTable]) -> String {
    let document = &answers.claims.document;
    let view = View {
        document,
        tally: claims::tally(document, &answers.judged),
        tables,
        claims: answers
            .judged
            .iter()
            .map(|judged| ClaimView { judged, chip: Chip::of(judged) })
            .collect(),
    };
    template::render("fragment.html", TEMPLATE, &view)
}
