//! The page of two runs: one file that needs no network, no script and no other file. What it says
//! is collected here as plain text; `page.html` lays it out and escapes all of it but the chart,
//! which escapes its own text.

use serde::Serialize;

use crate::stats::across::Across;

use super::super::charts::agreement::{self, Dot};
use super::super::conclusions;
use super::super::page::grid::Grid;
use super::super::table::Extent;
use super::super::template;
use super::{Cell, Compared, tables, words};
use crate::analysis::metrics::RESPONSE_P50;

const TEMPLATE: &str = include_str!("page.html");

/// What the template sees.
#[derive(Serialize)]
struct View<'a> {
    experiment: &'a str,
    question: &'a str,
    reference: &'a str,
    run_a: &'a str,
    run_b: &'a str,
    alarm: Option<String>,
    sentences: Vec<String>,
    differs: Grid,
    also_differs: Option<Grid>,
    counts: Grid,
    chart: Option<ChartView>,
    advice: Option<Grid>,
    groups: Vec<GroupView<'a>>,
    missing: Vec<String>,
    remarks: &'a [String],
    signs: Vec<String>,
    advice_test: &'static str,
    limit: &'static str,
}

#[derive(Serialize)]
struct GroupView<'a> {
    id: String,
    title: &'a str,
    table: Grid,
    notes: &'a [String],
}

#[derive(Serialize)]
struct ChartView {
    question: String,
    answer: String,
    svg: String,
    numbers: Grid,
}

pub(super) fn render(compared: &Compared) -> String {
    let [run_a, run_b] = &compared.run_ids;
    let differing =
        |all: &[super::Differing]| (!all.is_empty()).then(|| tables::differing(all).into());
    let view = View {
        experiment: &compared.experiment,
        question: &compared.question,
        reference: &compared.reference,
        run_a,
        run_b,
        alarm: compared.alarm(),
        sentences: words::summary(compared),
        differs: tables::differing(&compared.differs).into(),
        also_differs: differing(&compared.also_differs),
        counts: tables::counts(compared, Extent::Page).into(),
        chart: chart(compared),
        advice: (!compared.advice.is_empty()).then(|| tables::advice(&compared.advice).into()),
        groups: groups(compared),
        missing: tables::missing(compared),
        remarks: &compared.remarks,
        signs: words::legend(compared),
        advice_test: words::ADVICE_TEST,
        limit: words::LIMIT,
    };
    template::render("compare.html", TEMPLATE, &view)
}

fn groups(compared: &Compared) -> Vec<GroupView<'_>> {
    let groups = compared.groups.iter().enumerate();
    groups
        .filter_map(|(place, group)| {
            let table = tables::of_group(compared, place, Extent::Page);
            (!table.rows.is_empty()).then(|| GroupView {
                id: format!("group-{}", place + 1),
                title: &group.title,
                table: table.into(),
                notes: &group.notes,
            })
        })
        .collect()
}

fn chart(compared: &Compared) -> Option<ChartView> {
    let dots: Vec<Dot> = compared.cells.iter().filter_map(|c| dot(compared, c)).collect();
    let chart = agreement::chart(&compared.reference, &dots)?;
    Some(ChartView {
        question: chart.question,
        answer: chart.answer,
        svg: chart.svg,
        numbers: chart.numbers.into(),
    })
}

fn dot(compared: &Compared, cell: &Cell<Across>) -> Option<Dot> {
    let [a, b] = cell.said?;
    let across = cell.relative.as_ref()?.as_ref().ok()?;
    if cell.arm.role != "arm" || cell.metric.name != RESPONSE_P50 {
        return None;
    }
    Some(Dot {
        family: compared.groups[cell.group].title.clone(),
        label: cell.arm.label.clone(),
        strategy: cell.arm.strategy.clone(),
        ratios: [a.ratio?, b.ratio?],
        relative: across.ratio,
        is_change: across.conclusion.is_difference(),
        conclusion: words::ratio(across).map_or_else(String::new, |r| conclusions::words(&r)),
    })
}
