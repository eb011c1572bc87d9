//! A document as a page: one file that needs no network and no other file, and no script to be
//! read.
//!
//! `page.html` lays out what stands in the document and escapes all of it. Charts alone go in
//! unescaped: they escape their own text. `page.js` adds what a page can do and paper cannot:
//! sorting, highlighting a strategy, choosing between light and dark.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};

use super::charts::{Chart, style};
use super::document::{Block, Document, Section};
use super::format;
use super::table::{Cell, Extent, Table};
use crate::record::shown;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// In bytes: a page has to go through mail, and has to open at once.
const SIZE_MAX: usize = 3_000_000;
/// Plotted numbers of more rows are left out first.
const ROWS_MANY: usize = 60;
/// As many charts of a section stay where space is short.
const CHARTS_FEW: usize = 2;
/// Text in longer cells wraps.
const CELL_LONG: usize = 48;

/// How much of the document stands in the page itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    Whole,
    /// Without the plotted numbers of charts that have a row for every trial or moment.
    FewNumbers,
    /// Also without the later charts of a section, which remain as files.
    FewCharts,
}

/// The page, with as much detail as its size allows.
pub fn render(document: &Document) -> String {
    let html = within(document, SIZE_MAX);
    if html.len() <= SIZE_MAX { html } else { pointer(document) }
}

fn within(document: &Document, size_max: usize) -> String {
    let mut html = lay_out(document, Detail::Whole);
    for detail in [Detail::FewNumbers, Detail::FewCharts] {
        if html.len() > size_max {
            html = lay_out(document, detail);
        }
    }
    html
}

/// In place of a page that is too large in any case.
fn pointer(document: &Document) -> String {
    let short = Document {
        title: shown::bounded(&document.title).into_owned(),
        subject: shown::bounded(&document.subject).into_owned(),
        lead: vec![
            "This report is too large for a page. Its tables are in tables.md, its charts in \
             charts/, its numbers in cells.csv."
                .to_owned(),
        ],
        ..Document::default()
    };
    lay_out(&short, Detail::FewCharts)
}

fn lay_out(document: &Document, detail: Detail) -> String {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the delimiters are the usual ones"));
    let sections = document.sections.iter().filter(|section| !section.is_empty());
    let view = context! {
        style => [STYLE, &style::css(".card")].concat(),
        script => SCRIPT,
        generator => document.generator,
        subject => &document.subject,
        title => &document.title,
        alarm => &document.alarm,
        lead => &document.lead,
        facts => Value::from(Serde(&document.facts)),
        sections => sections.map(|section| section_view(section, detail)).collect::<Vec<_>>(),
    };
    environment
        .render_named_str("page.html", TEMPLATE, view)
        .expect("the template asks for what the view has; a test renders it")
}

fn section_view(section: &Section, detail: Detail) -> Value {
    let mut n_charts = 0;
    let mut blocks = Vec::new();
    let mut elsewhere = Vec::new();
    for block in &section.blocks {
        n_charts += usize::from(matches!(block, Block::Chart(_)));
        match block {
            Block::Chart(chart) if detail == Detail::FewCharts && n_charts > CHARTS_FEW => {
                elsewhere.push(context! { file => &chart.file, question => &chart.question });
            }
            Block::Chart(chart) => {
                let name = format!("{} ({}, chart {n_charts})", chart.question, section.title);
                blocks.push(chart_view(chart, name, detail));
            }
            block => blocks.push(block_view(block)),
        }
    }
    let parts = section.sections.iter().filter(|part| !part.is_empty());
    context! {
        id => &section.id,
        title => &section.title,
        blocks,
        elsewhere,
        legend => &section.legend,
        sections => parts.map(|part| section_view(part, detail)).collect::<Vec<_>>(),
    }
}

/// One of its names says which kind of block it is.
fn block_view(block: &Block) -> Value {
    match block {
        Block::Text(text) => context! { text },
        Block::Note(note) => context! { note },
        Block::Code(code) => context! { code },
        Block::List(items) => context! { items => Value::from(Serde(items)) },
        Block::Table(name, table) => context! { name, table => table_view(table) },
        Block::Folded(name, table) => context! { name, fold => true, table => table_view(table) },
        Block::Chart(_) => Value::UNDEFINED,
    }
}

fn chart_view(chart: &Chart, name: String, detail: Detail) -> Value {
    let is_few = detail == Detail::Whole || chart.numbers.rows.len() <= ROWS_MANY;
    context! {
        svg => &chart.svg,
        name,
        question => &chart.question,
        answer => &chart.answer,
        numbers => is_few.then(|| table_view(&chart.numbers)),
        n_rows => format::plural(chart.numbers.rows.len() as u64, "row"),
    }
}

fn table_view(table: &Table) -> Value {
    let columns = table.columns(Extent::Page);
    let strategy = table.head.iter().position(|head| head.text == "strategy");
    let is_long = |cell: &Cell| cell.text.chars().count() > CELL_LONG;
    let row = |cells: &Vec<Cell>| {
        let label = strategy.and_then(|place| cells.get(place));
        context! {
            key => label.and_then(|label| style::key_of_label(label)),
            cells => columns.iter().map(|place| cell_view(&cells[*place])).collect::<Vec<_>>(),
        }
    };
    let head: Vec<Value> =
        columns.iter().map(|place| Value::from(Serde(&table.head[*place]))).collect();
    context! {
        head,
        rows => table.rows.iter().map(row).collect::<Vec<_>>(),
        notes => &table.notes,
        is_wordy => table.rows.iter().flatten().any(is_long),
    }
}

/// A cell carries its number where its text is not the number.
fn cell_view(cell: &Cell) -> Value {
    let is_own = |value: &f64| cell.text.parse() == Ok(*value);
    let value = cell.value.filter(|value| !is_own(value));
    context! {
        text => cell.whole(),
        // More digits than any two numbers of a column differ in.
        value => value.map(|value| format!("{value:.6e}")),
        tone => Value::from(Serde(cell.tone)),
    }
}

#[cfg(test)]
mod tests;
