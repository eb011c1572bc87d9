//! The document of two runs.

use crate::record::Role;
use crate::stats::across::Across;

use super::super::charts::Chart;
use super::super::charts::agreement::{self, Dot};
use super::super::document::{Document, Section};
use super::super::table::{self, Column, Extent, Head, NONE, Table, marked};
use super::super::{format, ratios, texts};
use super::Compared;
use super::advice::Advice;
use super::cells::{Cell, Measured, Refusal, View};
use super::differences::Difference;
use super::judged::{Agreement, Counts};
use super::sentences;
use crate::analysis::metrics::RESPONSE_P50;
use crate::analysis::summary::Ratio;

/// The view in which the blocks of the two runs are compared.
const ABSOLUTE: &str = "ratio, B over A";

/// The view in which their ratios to the reference are.
const RELATIVE: &str = "relative ratio";

/// Everything that two runs say of each other.
pub fn document(compared: &Compared) -> Document {
    let [a, b] = &compared.manifests;
    let method = texts::items("compare: method", &[("reference", compared.reference())]);
    let missing = sentences::missing(compared).into_iter().chain(compared.remarks.clone());
    Document {
        generator: "forkbench compare",
        subject: format!("{} · A is {}, B is {}", a.experiment, a.run_id, b.run_id),
        title: a.question.clone(),
        alarm: compared.alarm(),
        lead: sentences::summary(compared),
        facts: Vec::new(),
        sections: vec![
            differs(compared),
            Section::new("counts", "Cells by what is concluded of them")
                .note(texts::text("compare: cells", &[]))
                .table("cells by what is concluded of them", counts(compared)),
            advice(compared),
            groups(compared),
            Section::new("missing", "What is not compared, and why").list(missing),
            Section::new("method", "Method, in plain words").items(method).from(Extent::Page),
        ],
    }
}

fn differs(compared: &Compared) -> Section {
    let section = Section::new("differs", "What differs besides the numbers")
        .table("differences of A and B", differences(&compared.differs));
    match compared.also_differs.as_slice() {
        [] => section,
        others => section.folded("Other facts of the machines that differ", differences(others)),
    }
}

fn differences(all: &[Difference]) -> Table {
    let row = |one: &Difference| vec![one.what.clone(), one.a.clone(), one.b.clone()];
    Table::new(Head::words(["what", "A", "B"]), all.iter().map(row))
}

const COUNTS: [Column<Counts>; 7] = [
    ("better in B", Extent::Narrow, |counts| number(counts.faster)),
    ("worse in B", Extent::Narrow, |counts| number(counts.slower)),
    ("equivalent", Extent::Narrow, |counts| number(counts.equivalent)),
    ("inconclusive", Extent::Narrow, |counts| number(counts.inconclusive)),
    ("too few blocks", Extent::Narrow, |counts| number(counts.too_few_blocks)),
    ("withheld", Extent::Narrow, |counts| number(counts.withheld)),
    ("no number", Extent::Narrow, |counts| number(counts.not_compared)),
];

fn number(n: usize) -> table::Cell {
    table::Cell::from(n.to_string())
}

fn counts(compared: &Compared) -> Table {
    let absolute = Counts::absolute(&compared.cells);
    let relative = Counts::relative(&compared.cells);
    let rows = [(ABSOLUTE.to_owned(), &absolute), (RELATIVE.to_owned(), &relative)];
    let known = rows.into_iter().filter(|(_, counts)| counts.total() > 0);
    Table::of_columns("", &COUNTS, known)
}

fn advice(compared: &Compared) -> Section {
    let dots: Vec<Dot> = compared.cells.iter().filter_map(|cell| dot(compared, cell)).collect();
    let chart: Option<Chart> = agreement::chart(compared.reference(), &dots);
    let section = Section::new("advice", "Does the same advice hold?").charts(chart);
    if compared.advice.is_empty() {
        return section;
    }
    let rows = compared.advice.iter().map(|advice| (advice.family.clone(), advice));
    section
        .text(texts::text("compare: advice", &[]))
        .table(
            "the best strategy of each family in A and in B",
            Table::of_columns("family", &ADVICE, rows),
        )
        .note(texts::text("compare: test of the advice", &[]))
}

const ADVICE: [Column<Advice>; 4] = [
    ("best in A", Extent::Narrow, |advice| advice.best[0].as_str().into()),
    ("best in B", Extent::Narrow, |advice| advice.best[1].as_str().into()),
    ("ratio of A's best to B's, in B", Extent::Narrow, |advice| {
        let ratio = advice.cost_ratio.map_or_else(|| "1".to_owned(), format::number);
        table::Cell::new(ratio, Some(advice.cost_ratio.unwrap_or(1.0)))
    }),
    ("does A's advice hold in B?", Extent::Narrow, |advice| advice.holds.words().into()),
];

fn dot(compared: &Compared, cell: &Cell) -> Option<Dot> {
    let [a, b] = cell.said?;
    let across = cell.relative.as_ref()?.across()?;
    if cell.role != Role::Arm || cell.metric.name != RESPONSE_P50 {
        return None;
    }
    Some(Dot {
        family: compared.groups[cell.group].title.clone(),
        label: cell.label.clone(),
        strategy: cell.strategy.clone(),
        ratios: [a.ratio?, b.ratio?],
        relative: across.ratio,
        is_change: across.conclusion.is_difference(),
        conclusion: ratio(across).map_or_else(String::new, |ratio| ratios::words(&ratio)),
    })
}

fn groups(compared: &Compared) -> Section {
    let mut legend = texts::lines("compare: ratios", &[("reference", compared.reference())]);
    legend.extend(ratios::legend(sentences::conclusions(compared), compared.delta_ratio));
    legend.push(texts::text("compare: limit", &[]));
    let parts = compared.groups.iter().enumerate().filter_map(|(place, group)| {
        let table = of_group(compared, place);
        let section = Section::new(format!("group-{}", place + 1), group.title.as_str());
        let section = (!table.rows.is_empty())
            .then(|| section.table(format!("A and B: {}", group.title), table))?;
        Some(group.notes.iter().fold(section, |section, note| section.note(note.as_str())))
    });
    Section { sections: parts.collect(), legend, ..Section::new("groups", "Family by family") }
}

const CELLS: [Column<Cell>; 8] = [
    ("metric", Extent::Narrow, |cell| cell.metric.word.into()),
    ("A", Extent::Wide, |cell| value(cell, 0)),
    ("B", Extent::Wide, |cell| value(cell, 1)),
    (ABSOLUTE, Extent::Narrow, |cell| view(cell, Some(&cell.absolute))),
    (RELATIVE, Extent::Narrow, |cell| view(cell, cell.relative.as_ref())),
    ("ratio in A", Extent::Page, |cell| said(cell, 0)),
    ("ratio in B", Extent::Page, |cell| said(cell, 1)),
    ("A and B say", Extent::Wide, |cell| {
        cell.said.map_or("", |said| Agreement::of(&said).name()).into()
    }),
];

/// Cells without a number in either run are left out: a quantile that neither has.
fn of_group(compared: &Compared, group: usize) -> Table {
    let is_shown = |cell: &&Cell| {
        cell.group == group && (has_other_reason(cell) || cell.values.iter().any(is_known))
    };
    let cells: Vec<&Cell> = compared.cells.iter().filter(is_shown).collect();
    let has_relative = cells.iter().any(|cell| cell.relative.is_some());
    let of_relative = [RELATIVE, "ratio in A", "ratio in B", "A and B say"];
    let columns: Vec<Column<Cell>> = CELLS
        .into_iter()
        .filter(|(head, ..)| has_relative || !of_relative.contains(head))
        .collect();
    let mut notes = Vec::new();
    let rows: Vec<(String, &Cell)> =
        cells.into_iter().map(|cell| (label(cell, &mut notes), cell)).collect();
    Table { notes, ..Table::of_columns("strategy", &columns, rows) }
}

fn is_known(value: &crate::analysis::cells::Cell) -> bool {
    value.estimate.is_some()
}

/// Whether there is a comparison, or none for another reason than too few requests.
fn has_other_reason(cell: &Cell) -> bool {
    !matches!(cell.absolute.refusal(), Some(Refusal::NoValue(_)))
}

/// With the mark of a note that says why there is no number.
fn label(cell: &Cell, notes: &mut Vec<String>) -> String {
    let views = [Some(&cell.absolute), cell.relative.as_ref()];
    let mut refusals: Vec<String> =
        views.into_iter().flatten().filter_map(View::refusal).map(|why| why.words()).collect();
    refusals.dedup();
    refusals.iter().fold(cell.label.clone(), |label, why| {
        let what = if has_other_reason(cell) { "" } else { cell.metric.word };
        let name = format!("{} {what}", cell.label);
        marked(&label, &format!("{}: {why}", name.trim_end()), notes)
    })
}

/// A value with its unit, where the metric has one.
fn value(cell: &Cell, side: usize) -> table::Cell {
    table::Cell::of(
        cell.values[side].estimate,
        match cell.metric.unit {
            "ns" => format::duration,
            "bytes" => format::megabytes,
            _ => format::rate,
        },
    )
}

fn view(cell: &Cell, view: Option<&View>) -> table::Cell {
    let ratio = view.and_then(View::across).and_then(ratio);
    let shown = ratios::cell(ratio.as_ref());
    match view {
        None => table::Cell::default(),
        Some(_) => table::Cell { sign: sign(cell.metric, shown.sign), ..shown },
    }
}

/// Memory is neither fast nor slow.
fn sign(metric: Measured, sign: &'static str) -> &'static str {
    match (metric.unit, sign) {
        ("bytes", "faster") => "less",
        ("bytes", "slower") => "more",
        ("bytes", "faster?") => "less?",
        ("bytes", "slower?") => "more?",
        (_, sign) => sign,
    }
}

/// What a run says of an arm by itself: `0.52 faster`, `1.02 ~`.
fn said(cell: &Cell, side: usize) -> table::Cell {
    let said = cell.said.map(|said| said[side]);
    let Some((said, estimate)) = said.and_then(|said| Some((said, said.ratio?))) else {
        return NONE.into();
    };
    let conclusion = said.conclusion;
    let (ci_low, ci_high, p_adjusted) = (None, None, None);
    ratios::cell(Some(&Ratio { estimate, ci_low, ci_high, p_adjusted, n_blocks: 0, conclusion }))
}

/// The numbers of a view in the form that all tables and signs take.
pub fn ratio(across: &Across) -> Option<Ratio> {
    Some(Ratio {
        estimate: across.ratio?,
        ci_low: across.ratio_interval.map(|interval| interval.low),
        ci_high: across.ratio_interval.map(|interval| interval.high),
        p_adjusted: across.p_adjusted,
        n_blocks: across.n_blocks[0].min(across.n_blocks[1]),
        conclusion: across.conclusion,
    })
}
