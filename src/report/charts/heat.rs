//! The overview: arms by families, each field a ratio to the reference.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::canvas::{self, Align, Canvas};
use super::frame::{self, LINE, PAD, WIDTH};
use super::{Chart, style};
use crate::analysis::summary::{ArmSummary, FamilySummary, Ratio, State, Summary};
use crate::report::table::{Cell, Head, NONE, Table};
use crate::report::{answers, conclusions, human};
use crate::stats::verdict::{Conclusion, Reason};
use crate::strategy;

/// More columns than this make another chart.
const COLUMNS_MAX: usize = 10;
const ROW: i32 = 26;
const COLUMN_MAX: i32 = 72;

/// Which ratio a chart shows.
pub(super) struct Kind {
    /// As in the title.
    pub(super) name: &'static str,
    /// In file names.
    pub(super) stem: &'static str,
    /// Of an arm.
    pub(super) ratio: fn(&ArmSummary) -> Option<Ratio>,
}

/// Response first: it is what a caller waits.
pub(super) const KINDS: [Kind; 2] = [
    Kind { name: "response time", stem: "response", ratio: |arm| arm.response_p50_ratio },
    Kind { name: "service time", stem: "service", ratio: |arm| arm.service_p50_ratio },
];

/// A chart for every ten families that have any ratio.
pub(super) fn charts(summary: &Summary, kind: &Kind) -> Vec<Chart> {
    let numbered: Vec<(usize, &FamilySummary)> = (1..).zip(&summary.families).collect();
    numbered
        .chunks(COLUMNS_MAX)
        .enumerate()
        .filter_map(|(i, families)| {
            let stem = format!("overview-{}-{}", kind.stem, i + 1);
            chart(families, kind, &stem)
        })
        .collect()
}

fn chart(families: &[(usize, &FamilySummary)], kind: &Kind, stem: &str) -> Option<Chart> {
    let any = |family: &FamilySummary| family.arms.iter().any(|arm| (kind.ratio)(arm).is_some());
    if !families.iter().any(|(_, family)| any(family)) {
        return None;
    }
    let reference = &families.first()?.1.reference;
    let title = format!("Median {} against {reference}", kind.name);
    let answer = answers::overview_answer(families, kind.ratio);
    let note = "arm over reference: below 1 is faster (blue), above 1 slower (orange)";
    let subtitle = canvas::wrapped(note, WIDTH - 2 * PAD);
    let grid = Grid::new(families, frame::below_heading(&subtitle));
    let svg = canvas::draw((WIDTH, grid.height()), stem, &title, &answer, |canvas| {
        frame::heading(canvas, &title, &subtitle);
        paint(canvas, &grid, families, kind);
    });
    Some(Chart {
        file: format!("{stem}.svg"),
        question: format!(
            "Where is which strategy faster or slower than {reference}, by {}?",
            kind.name
        ),
        answer,
        svg,
        numbers: numbers(families, kind),
    })
}

/// Labels of all arms but references, in the order of strategies.
fn labels(families: &[(usize, &FamilySummary)]) -> Vec<String> {
    let place = |name: &str| strategy::ALL.iter().position(|kind| kind.name == name);
    let mut found: BTreeMap<(bool, Option<usize>, &str), &str> = BTreeMap::new();
    for arm in families.iter().flat_map(|(_, family)| &family.arms) {
        if arm.role != "reference" {
            let key = (arm.role != "placebo", place(&arm.strategy), arm.label.as_str());
            found.insert(key, &arm.label);
        }
    }
    found.into_values().map(str::to_owned).collect()
}

struct Grid {
    labels: Vec<String>,
    left: i32,
    top: i32,
    column: i32,
    columns: i32,
    key: Vec<String>,
}

impl Grid {
    fn new(families: &[(usize, &FamilySummary)], top: i32) -> Grid {
        let labels = labels(families);
        let widest = labels.iter().map(|label| canvas::text_width(label)).max();
        let left = PAD + widest.unwrap_or(0).min(200) + 12;
        let columns = i32::try_from(families.len()).unwrap_or(1).max(1);
        let key = families.iter().flat_map(|(n, family)| {
            canvas::wrapped(&format!("{n}: {}", family.title), WIDTH - 2 * PAD)
        });
        Grid {
            left,
            top: top + 22,
            column: ((WIDTH - PAD - left) / columns).min(COLUMN_MAX),
            columns,
            key: key.collect(),
            labels,
        }
    }

    fn bottom(&self) -> i32 {
        self.top + ROW * i32::try_from(self.labels.len()).unwrap_or(0)
    }

    fn height(&self) -> i32 {
        self.bottom() + 2 * LINE + 34 + LINE * i32::try_from(self.key.len()).unwrap_or(0)
    }
}

fn paint(canvas: &Canvas<'_>, grid: &Grid, families: &[(usize, &FamilySummary)], kind: &Kind) {
    for (row, label) in (0..).zip(&grid.labels) {
        let y = grid.top + row * ROW + ROW / 2;
        let text = canvas::fitted(label, grid.left - PAD - 8);
        canvas.about(style::key_of_label(label).unwrap_or(label.as_str()), || {
            canvas.text((PAD, y), &text, Align::Start, style::INK);
            for (column, (_, family)) in (0..).zip(families) {
                let x = grid.left + column * grid.column;
                let arm = family.arms.iter().find(|arm| arm.label == *label);
                field(canvas, (x, y), grid.column, arm, kind);
            }
        });
    }
    for (column, (number, _)) in (0..).zip(families) {
        let x = grid.left + column * grid.column + grid.column / 2;
        canvas.text((x, grid.top - 11), &number.to_string(), Align::Middle, style::INK);
    }
    let right = grid.left + grid.columns * grid.column;
    canvas.frame((grid.left, grid.top), (right, grid.bottom()), style::OUTLINE);
    legend(canvas, grid.bottom() + 20);
    for (i, line) in (0..).zip(&grid.key) {
        let y = grid.bottom() + 20 + LINE * 2 + i * LINE;
        canvas.text((PAD, y), line, Align::Start, style::MUTED);
    }
}

fn field(
    canvas: &Canvas<'_>,
    (x, y): (i32, i32),
    width: i32,
    arm: Option<&ArmSummary>,
    kind: &Kind,
) {
    let Some(arm) = arm else { return };
    let corners = ((x, y - ROW / 2), (x + width, y + ROW / 2));
    let ratio = (kind.ratio)(arm);
    let fill = ratio.map_or(style::BAND, |ratio| tint(&ratio));
    canvas.rect(corners.0, corners.1, fill);
    canvas.frame(corners.0, corners.1, style::GRID);
    let text = canvas::fitted(&in_field(arm, ratio), width - 4);
    let ink = if ratio.is_some() { style::INK } else { style::MUTED };
    canvas.text((x + width / 2, y), &text, Align::Middle, ink);
}

/// A colour says `faster` and `slower`; the other signs need no room.
fn in_field(arm: &ArmSummary, ratio: Option<Ratio>) -> String {
    let Some(ratio) = ratio else {
        return if arm.state == State::Ok { NONE } else { arm.state.word() }.to_owned();
    };
    let number = human::number(ratio.estimate);
    match conclusions::sign(&ratio) {
        sign if sign.len() == 1 => format!("{number} {sign}"),
        _ => number,
    }
}

/// The strength of a colour says how far the ratio is from 1; white says that no difference was
/// shown. Ratios from too few blocks are coloured, since nothing was asked of them.
fn tint(ratio: &Ratio) -> RGBColor {
    let few = ratio.conclusion == Conclusion::Withheld(Reason::TooFewBlocks);
    if !few && !ratio.conclusion.is_difference() {
        return style::PAPER;
    }
    let (times, tints) = if ratio.estimate < 1.0 {
        (1.0 / ratio.estimate, style::FASTER)
    } else {
        (ratio.estimate, style::SLOWER)
    };
    let strength = STEPS.iter().filter(|step| times >= **step).count();
    tints[strength]
}

/// Where the colours change, as times faster or slower.
const STEPS: [f64; 3] = [1.25, 2.0, 10.0];

fn legend(canvas: &Canvas<'_>, y: i32) {
    let mut x = PAD;
    let mut entry = |fill: RGBColor, text: &str| {
        canvas.rect((x, y - 7), (x + 16, y + 7), fill);
        canvas.frame((x, y - 7), (x + 16, y + 7), style::OUTLINE);
        canvas.text((x + 21, y), text, Align::Start, style::MUTED);
        x += 21 + canvas::text_width(text) + 8;
    };
    let names = ["", "≥1.25×", "≥2×", "≥10×"];
    for i in (0..names.len()).rev() {
        entry(style::FASTER[i], if i == 0 { "faster" } else { names[i] });
    }
    entry(style::PAPER, "none shown (~ =)");
    for (i, name) in names.iter().enumerate() {
        entry(style::SLOWER[i], if i == 0 { "slower" } else { name });
    }
}

fn numbers(families: &[(usize, &FamilySummary)], kind: &Kind) -> Table {
    let mut head = vec![Head::new("strategy", false)];
    head.extend(families.iter().map(|(n, family)| {
        let text = format!("{n}: {}", family.title);
        Head::new(&text, true)
    }));
    let rows = labels(families).into_iter().map(|label| {
        let mut cells = vec![Cell::from(label.as_str())];
        for (_, family) in families {
            let arm = family.arms.iter().find(|arm| arm.label == label);
            cells.push(match arm.map(|arm| (arm, (kind.ratio)(arm))) {
                None => Cell::from(NONE),
                Some((_, Some(ratio))) => {
                    let sign = conclusions::sign(&ratio);
                    let text = format!("{} {sign}", human::exact(ratio.estimate));
                    Cell::new(text.trim_end().to_owned(), Some(ratio.estimate))
                }
                Some((arm, None)) => Cell::from(arm.state.word()),
            });
        }
        cells
    });
    Table::new(head, rows)
}
