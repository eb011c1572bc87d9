//! Tables and claims as a piece of a page.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;

use super::{Chip, NotesTable};
use crate::report::claims::{self, Answers, Judged};

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
            .map(|judged| ClaimView {
                judged,
                chip: Chip::of(judged),
            })
            .collect(),
    };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    environment.set_syntax(syntax.expect("the delimiters are the usual ones"));
    environment
        .render_named_str("fragment.html", TEMPLATE, context! { view => Serde(&view) })
        .expect("the template knows every field of the view; a test renders it")
}
