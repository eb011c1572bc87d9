//! The chart kind of heat maps: arms by families, each field a ratio to the reference.

use crate::record::Role;
use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::axis::Axis;
use super::figure::{Entry, Figure, Item, Panel, Sample, Shape};
use super::plot::NAME_MAX;
use super::{Chart, style, text};
use crate::analysis::summary::{ArmSummary, FamilySummary, Ratio, State, Summary};
use crate::report::table::{Cell, Head, NONE, Table};
use crate::report::{answers, format, ratios};
use crate::stats::verdict::{Conclusion, Reason};
use crate::strategy;

/// More families make another chart.
const COLUMNS_MAX: usize = 6;
/// Of a field, in px.
const ROW: i32 = 24;
/// The longest text of a field, in px.
const FIELD_TEXT: i32 = 38;

type OfArm = fn(&ArmSummary) -> Option<Ratio>;

/// Name and ratio of each kind of chart; response first: it is what a caller waits.
const KINDS: [(&str, OfArm); 2] =
    [("response", |arm| arm.response_p50_ratio), ("service", |arm| arm.service_p50_ratio)];

/// A family with its number.
type Numbered<'a> = (usize, &'a FamilySummary);

/// For each kind of ratio a chart per six families.
pub fn charts(summary: &Summary) -> Vec<Chart> {
    let numbered: Vec<Numbered<'_>> = (1..).zip(&summary.families).collect();
    let mut charts = Vec::new();
    for (name, ratio) in KINDS {
        for (place, families) in (1..).zip(numbered.chunks(COLUMNS_MAX)) {
            charts.extend(chart(families, name, ratio, format!("overview-{name}-{place}")));
        }
    }
    charts
}

/// `None` where no arm has the ratio.
fn chart(families: &[Numbered<'_>], name: &str, ratio: OfArm, stem: String) -> Option<Chart> {
    families.iter().flat_map(|(_, family)| &family.arms).find_map(ratio)?;
    let reference = &families.first()?.1.reference;
    let labels = labels(families);
    let (mut items, mut rows) = (Vec::new(), Vec::new());
    for (top, label) in (0..).map(f64::from).zip(&labels) {
        let mut cells = vec![Cell::from(*label)];
        for (left, (_, family)) in (0..).map(f64::from).zip(families) {
            let Some(arm) = family.arms.iter().find(|arm| arm.label == *label) else {
                cells.push(Cell::from(NONE));
                continue;
            };
            let (color, text, cell) = field(arm, ratio(arm));
            let key = style::key_of_label(label).unwrap_or(label).to_owned();
            let shape = Shape::Field([(left, top), (left + 1.0, top + 1.0)], text);
            items.push(Item { key, color, shape });
            cells.push(cell);
        }
        rows.push(cells);
    }
    let columns = families.iter().enumerate().map(|(i, (n, _))| (i as f64 + 0.5, n.to_string()));
    let panel = Panel {
        head: String::new(),
        name: "family".to_owned(),
        x: Axis::with_ticks((0.0, COLUMNS_MAX as f64), columns, Vec::new()),
        y: Axis::rows(labels.iter().map(|label| text::fitted(label, NAME_MAX))),
        height: ROW * labels.len() as i32,
        ground: Vec::new(),
        items,
    };
    let note = "arm over reference: below 1 is faster (blue), above 1 is slower (orange)";
    let titles: Vec<String> =
        families.iter().map(|(n, family)| format!("{n}: {}", family.title)).collect();
    let mut head = vec![Head::new("strategy", false)];
    head.extend(titles.iter().map(|title| Head::new(title, true)));
    let figure = Figure {
        stem,
        note: note.to_owned(),
        question: format!(
            "Which strategies are faster or slower than {reference}, by {name} time?"
        ),
        answer: answers::overview_answer(families, ratio),
        legend: legend(),
        below: titles,
        ..Figure::default()
    };
    Some(figure.chart(vec![panel], Table::new(head, rows)))
}

/// Labels of all arms but references, in the order of strategies.
fn labels<'a>(families: &[Numbered<'a>]) -> Vec<&'a str> {
    let place = |name: &str| strategy::ALL.iter().position(|kind| kind.name == name);
    let arms = families.iter().flat_map(|(_, family)| &family.arms);
    let others = arms.filter(|arm| arm.role != Role::Reference);
    let key = |arm: &'a ArmSummary| (arm.role != Role::Placebo, place(&arm.strategy), &*arm.label);
    let found: BTreeMap<_, &str> = others.map(|arm| (key(arm), &*arm.label)).collect();
    found.into_values().collect()
}

/// Its color, its text, and what the table says.
fn field(arm: &ArmSummary, ratio: Option<Ratio>) -> (RGBColor, String, Cell) {
    let Some(ratio) = ratio else {
        let text = if arm.state == State::Ok { NONE } else { arm.state.word() };
        return (style::BAND, text::fitted(text, FIELD_TEXT), Cell::from(arm.state.word()));
    };
    let (number, sign) = (format::number(ratio.estimate), ratios::sign(&ratio));
    let exact = format!("{} {sign}", format::exact(ratio.estimate));
    // The color says `faster` and `slower`.
    let signed = format!("{number} {sign}");
    let text = if text::width(&signed) <= FIELD_TEXT { signed } else { number };
    (tint(&ratio), text, Cell::new(exact.trim_end().to_owned(), Some(ratio.estimate)))
}

/// Where the colors change, as times faster or slower.
const STEPS: [f64; 3] = [1.25, 2.0, 10.0];

/// The strength of the color is the distance from 1; white is a ratio without a shown difference.
/// Ratios from too few blocks are colored, since nothing was tested.
fn tint(ratio: &Ratio) -> RGBColor {
    let few = ratio.conclusion == Conclusion::Withheld(Reason::TooFewBlocks);
    if !few && !ratio.conclusion.is_difference() {
        return style::PAPER;
    }
    let (times, tints) = match ratio.estimate < 1.0 {
        true => (1.0 / ratio.estimate, style::FASTER),
        false => (ratio.estimate, style::SLOWER),
    };
    tints[STEPS.iter().filter(|step| times >= **step).count()]
}

fn legend() -> Vec<Entry> {
    let tints = style::FASTER.into_iter().chain(style::SLOWER);
    let names = ["faster", "≥1.25×", "≥2×", "≥10×", "slower", "≥1.25×", "≥2×", "≥10×"];
    let last = Entry::new(Sample::Field(style::PAPER), "no difference shown (~ =)");
    let entries = tints.zip(names).map(|(tint, name)| Entry::new(Sample::Field(tint), name));
    entries.chain([last]).collect()
}
