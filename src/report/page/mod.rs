//! `report.html`: one file that needs no network and no other file, and no script to be read.
//!
//! What the page says is collected here as plain text; how it is laid out stands in `page.html`,
//! which escapes all of it. Only the charts go in unescaped: they are made here and escape their
//! own text. `page.js` adds what a page can do and a printed one cannot: sorting, highlighting a
//! strategy, choosing between light and dark.

use serde::Serialize;

use crate::notes::{self, Answers, shim};
use crate::record::{Run, shown};

use super::charts::{self, Chart, Charts};
use super::open::Section;
use super::table::{self, Extent, Table};
use super::template;
use super::trust::Trust;
use super::{caveats, conclusions, human, memory, words};
use crate::analysis::summary::{FamilySummary, Summary};
use crate::analysis::{Analysis, cores};

pub(super) mod grid;
mod provenance;

use grid::Grid;
pub(super) use provenance::shown;
use provenance::{Fact, fact};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// In bytes. A page that is sent around has to go through mail, and has to open at once.
const LARGEST: usize = 3_000_000;

/// All that the page is made from.
pub(super) struct Page<'a> {
    pub(super) analysis: &'a Analysis<'a>,
    pub(super) charts: &'a Charts,
    pub(super) trust: &'a Trust,
    /// Of an experiment that has claims.
    pub(super) answers: Option<&'a Answers>,
    /// Which requests could not be read, in sentences.
    pub(super) unread: &'a [String],
}

/// How much of what there is stands in the page itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    /// All.
    Whole,
    /// Without the numbers of charts that have a row for every trial or moment.
    FewNumbers,
    /// Also without the later charts of each family, which remain as files.
    FewCharts,
}

/// More sentences than that are no summary.
const SENTENCES: usize = 5;
/// More rows than anybody reads below a chart.
const ROWS_MANY: usize = 60;
/// Ratios and throughput come first.
const CHARTS_FEW: usize = 2;

/// What the template sees.
#[derive(Serialize)]
struct View<'a> {
    style: String,
    script: &'static str,
    experiment: &'a str,
    question: &'a str,
    reference: &'a str,
    run_id: &'a str,
    sentences: Vec<String>,
    confidence: String,
    delta: String,
    provenance: Vec<Fact>,
    /// Of a run whose experiment has claims.
    notes: Option<NotesView>,
    families: Vec<FamilyView<'a>>,
    memory: Vec<MemoryView<'a>>,
    ballast: Option<Grid>,
    ballast_scope: &'static str,
    notes_scope: &'static str,
    /// The largest pools within the budget.
    sizings: Vec<String>,
    facts: Vec<Fact>,
    unavailable: Vec<Fact>,
    left_out: Vec<LeftOut>,
    remarks: Vec<&'a String>,
    overview: Vec<ChartView<'a>>,
    open: Vec<SectionView<'a>>,
    doubts: &'a [String],
    placebos: Grid,
    trust_charts: Vec<ChartView<'a>>,
    /// What the signs behind ratios mean.
    signs: Vec<String>,
    files: Vec<(&'static str, &'static str)>,
    command: String,
    /// `2 cores`, or `cores` if their number is not known.
    cores: String,
}

#[derive(Serialize)]
struct FamilyView<'a> {
    id: String,
    /// With the number that the overview uses.
    title: String,
    scope: String,
    /// The smallest difference named, and whether anything is concluded.
    placebo: Option<String>,
    caveats: Vec<String>,
    table: Grid,
    charts: Vec<ChartView<'a>>,
    /// File and question of charts that are files only.
    elsewhere: Vec<(&'a str, &'a str)>,
}

/// What the study notes say.
#[derive(Serialize)]
struct NotesView {
    id: String,
    title: String,
    texts: Vec<String>,
    tables: Vec<(String, Grid)>,
    legend: Vec<String>,
    sections: Vec<NotesView>,
}

fn notes_view(section: &shim::Section) -> NotesView {
    let mut texts = Vec::new();
    let mut tables = Vec::new();
    for block in &section.blocks {
        match block {
            shim::Block::Text(text) | shim::Block::Note(text) => texts.push(text.clone()),
            shim::Block::Table(name, table) => {
                tables.push((name.clone(), Grid::from(table.at(shim::Extent::Page))));
            }
        }
    }
    NotesView {
        id: section.id.clone(),
        title: section.title.clone(),
        texts,
        tables,
        legend: section.legend.clone(),
        sections: section.sections.iter().map(notes_view).collect(),
    }
}

/// What an open loop says before any family.
#[derive(Serialize)]
struct SectionView<'a> {
    id: String,
    title: String,
    answer: String,
    legend: String,
    /// Each under a caption.
    tables: Vec<(String, Grid)>,
    charts: Vec<ChartView<'a>>,
}

/// What children cost in memory, on one work and runtime.
#[derive(Serialize)]
struct MemoryView<'a> {
    title: &'a str,
    scope: String,
    table: Grid,
    notes: Option<Grid>,
    charts: Vec<ChartView<'a>>,
}

#[derive(Serialize)]
struct ChartView<'a> {
    /// Unlike that of any other chart of the page.
    name: String,
    question: &'a str,
    answer: &'a str,
    svg: &'a str,
    /// `None` if they are too many.
    numbers: Option<Grid>,
    n_rows: String,
}

/// An arm without numbers, or without numbers to compare.
#[derive(Serialize)]
struct LeftOut {
    family: String,
    arm: String,
    state: &'static str,
    reason: String,
}

const REQUESTS: &str = "requests/";

/// The name of the file of verdicts, which only an experiment with claims has.
const CLAIMS: &str = "claims.csv";

const FILES: &[(&str, &str)] = &[
    ("trials.csv", "every trial with all its factors and results"),
    ("plan.csv", "every planned trial, in order"),
    ("memory.csv", "what every process of a memory trial held, at every look"),
    ("facts.csv", "what every demonstration showed"),
    (REQUESTS, "every request with its stamps, one compressed CSV per trial"),
    ("manifest.json", "which run this is"),
    ("env.json", "machine and toolchains"),
    ("experiment.toml", "the question, as it was run"),
    ("cells.csv", "every strategy's own numbers with intervals, derived"),
    (
        "comparisons.csv",
        "every strategy against the reference: ratio, interval, p, verdict; derived",
    ),
    ("fits.csv", "what each further child costs in memory: lines with intervals, derived"),
    (
        CLAIMS,
        "what became of each claim of the study notes, with its figures; derived, of runs that \
         answer them",
    ),
    ("load_points.csv", "every strategy at every rate of an open loop, and its limit; derived"),
    ("calibration.csv", "what the rates of open loops are shares of"),
    ("noise.csv", "what the machine did, ten times a second"),
    ("datapackage.json", "what every column of the CSV files is"),
    ("tables.md", "the tables with every column"),
    ("charts/", "the charts as SVG files"),
];

/// The page, with as much detail as its size allows.
pub(super) fn render(page: &Page<'_>) -> String {
    let html = within(page, LARGEST);
    if html.len() <= LARGEST { html } else { pointer(page.analysis.run) }
}

fn within(page: &Page<'_>, largest: usize) -> String {
    let whole = lay_out(page, Detail::Whole);
    let smaller = [Detail::FewNumbers, Detail::FewCharts].into_iter();
    smaller.fold(
        whole,
        |html, detail| {
            if html.len() <= largest { html } else { lay_out(page, detail) }
        },
    )
}

/// What stands in the place of a page that would be too large in any case.
fn pointer(run: &Run) -> String {
    let escaped = |text: &str| {
        let text = shown::bounded(text).into_owned();
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    };
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{0}</title>\n\
         <h1>{0}</h1>\n<p>{1}</p>\n<p>This run holds more than a page can: its tables are in \
         <a href=\"tables.md\">tables.md</a>, its charts in <a href=\"charts/\">charts/</a>, its \
         numbers in <a href=\"cells.csv\">cells.csv</a>.</p>\n</html>\n",
        escaped(&run.manifest.experiment),
        escaped(&run.manifest.question),
    )
}

fn lay_out(page: &Page<'_>, detail: Detail) -> String {
    template::render("page.html", TEMPLATE, &view(page, detail))
}

fn view<'a>(page: &Page<'a>, detail: Detail) -> View<'a> {
    let (analysis, charts) = (page.analysis, page.charts);
    let (run, summary) = (analysis.run, &analysis.summary);
    View {
        style: [STYLE, &charts::style::css(".card")].concat(),
        script: SCRIPT,
        experiment: &run.manifest.experiment,
        question: &run.manifest.question,
        reference: &run.manifest.reference,
        run_id: &run.manifest.run_id,
        sentences: sentences(page),
        confidence: words::confidence(run, summary),
        delta: human::percent(summary.delta_ratio),
        provenance: provenance::strip(run),
        notes: page.answers.map(|answers| notes_view(&notes::section(answers))),
        families: summary
            .families
            .iter()
            .zip(caveats::of_families(analysis))
            .zip(&charts.families)
            .zip(1..)
            .map(|(((family, caveats), charts), number)| {
                family_view(run, number, (family, caveats), charts, detail)
            })
            .collect(),
        memory: memory_views(summary, charts, detail),
        ballast: memory::ballast(&summary.memory).map(Grid::from),
        ballast_scope: memory::BALLAST_SCOPE,
        notes_scope: memory::NOTES_SCOPE,
        sizings: memory::sizings(&summary.memory, run.manifest.memory_budget_bytes),
        facts: provenance::facts(run),
        unavailable: run
            .environment
            .unavailable
            .iter()
            .map(|(name, why)| fact(name, why))
            .collect(),
        left_out: left_out(summary),
        remarks: run.remarks.iter().chain(page.unread).collect(),
        overview: chart_views(&charts.overview, "overview", detail),
        open: analysis
            .open
            .sections(Extent::Page)
            .into_iter()
            .zip(&charts.open)
            .zip(1..)
            .map(|((section, charts), number)| section_view(number, section, charts, detail))
            .collect(),
        trust_charts: chart_views(&charts.trust, "trust", detail),
        doubts: &page.trust.sentences,
        placebos: Grid::from(page.trust.placebos.clone()),
        signs: conclusions::legend(summary),
        files: files(page),
        command: provenance::command(run),
        cores: cores(run).map_or_else(|| "cores".to_owned(), |n| human::plural(n, "core")),
    }
}

/// At most five; what became of a document's claims comes first.
fn sentences(page: &Page<'_>) -> Vec<String> {
    let tally = page.answers.map(Answers::tally);
    let all = tally.into_iter().chain(words::summary(page.analysis.run, &page.analysis.summary));
    all.take(SENTENCES).collect()
}

/// Those that the run has.
fn files(page: &Page<'_>) -> Vec<(&'static str, &'static str)> {
    let is_there = |(name, _): &(&str, &str)| match *name {
        REQUESTS => page.analysis.distributions.has_any(),
        CLAIMS => page.answers.is_some(),
        _ => true,
    };
    FILES.iter().copied().filter(is_there).collect()
}

fn family_view<'a>(
    run: &Run,
    number: usize,
    (family, caveats): (&'a FamilySummary, Vec<String>),
    charts: &'a [Chart],
    detail: Detail,
) -> FamilyView<'a> {
    let title = format!("{number}: {}", family.title);
    let n_shown = match detail {
        Detail::Whole | Detail::FewNumbers => charts.len(),
        Detail::FewCharts => charts.len().min(CHARTS_FEW),
    };
    let (shown, elsewhere) = charts.split_at(n_shown);
    FamilyView {
        id: format!("family-{number}"),
        scope: words::family_scope(run, family),
        placebo: conclusions::of_placebo(family),
        caveats,
        table: Grid::from(table::of_family(family, Extent::Page)),
        charts: chart_views(shown, &title, detail),
        elsewhere: elsewhere
            .iter()
            .map(|chart| (chart.file.as_str(), chart.question.as_str()))
            .collect(),
        title,
    }
}

fn section_view(
    number: usize,
    section: Section,
    charts: &[Chart],
    detail: Detail,
) -> SectionView<'_> {
    let tables = section.tables.into_iter();
    SectionView {
        id: format!("open-{number}"),
        charts: chart_views(charts, &section.title, detail),
        tables: tables.map(|(caption, table)| (caption, Grid::from(table))).collect(),
        title: section.title,
        answer: section.answer,
        legend: section.legend,
    }
}

fn memory_views<'a>(
    summary: &'a Summary,
    charts: &'a Charts,
    detail: Detail,
) -> Vec<MemoryView<'a>> {
    let groups = summary.memory.groups.iter().zip(&charts.memory);
    groups
        .map(|(group, charts)| MemoryView {
            title: &group.title,
            scope: memory::scope(group),
            table: Grid::from(memory::of_group(group, Extent::Page)),
            notes: memory::notes_table(group, Extent::Page).map(Grid::from),
            charts: chart_views(charts, &group.title, detail),
        })
        .collect()
}

/// Charts about something with a title.
fn chart_views<'a>(charts: &'a [Chart], about: &str, detail: Detail) -> Vec<ChartView<'a>> {
    let is_few = |table: &Table| detail == Detail::Whole || table.rows.len() <= ROWS_MANY;
    (1..)
        .zip(charts)
        .map(|(number, chart): (usize, _)| ChartView {
            name: format!("{} ({about}, chart {number})", chart.question),
            question: &chart.question,
            answer: &chart.answer,
            svg: &chart.svg,
            numbers: is_few(&chart.numbers).then(|| Grid::from(chart.numbers.clone())),
            n_rows: human::plural(chart.numbers.rows.len() as u64, "row"),
        })
        .collect()
}

fn left_out(summary: &Summary) -> Vec<LeftOut> {
    summary
        .families
        .iter()
        .flat_map(|family| family.arms.iter().map(move |arm| (family, arm)))
        .filter(|(_, arm)| !arm.reason.is_empty())
        .map(|(family, arm)| LeftOut {
            family: family.title.clone(),
            arm: arm.label.clone(),
            state: arm.state.word(),
            reason: arm.reason.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
