//! What is to be gained, family by family: the best strategy's ratio to the reference with its
//! interval, beside the differences that are too small to name there.

use super::canvas::{self, Align, Canvas, Fill};
use super::frame::{self, LINE, PAD, WIDTH};
use super::scale::Scale;
use super::{Chart, forest, style};
use crate::analysis::summary::{ArmSummary, FamilySummary, Ratio, Summary};
use crate::report::table::{Cell, Head, Table};
use crate::report::{answers, conclusions, human};

const TITLE: &str = "The best strategy of every family";
const STEM: &str = "overview-best";
/// A family's name above, its lane below.
const ROW: i32 = 44;
const LEFT: i32 = PAD + 190;
const RIGHT: i32 = WIDTH - PAD - 96;

/// A family with its best arm.
struct Row<'a> {
    number: usize,
    family: &'a FamilySummary,
    arm: &'a ArmSummary,
    ratio: Ratio,
}

/// `None` for fewer than two families, whose own charts say it all.
pub(super) fn chart(summary: &Summary) -> Option<Chart> {
    let rows: Vec<Row<'_>> = (1..)
        .zip(&summary.families)
        .filter_map(|(number, family)| {
            let (arm, ratio) = answers::best(family)?;
            Some(Row { number, family, arm, ratio })
        })
        .collect();
    let reference = &rows.first().filter(|_| rows.len() > 1)?.family.reference;
    let note = format!(
        "the strategy with the lowest median response, over {reference}, with its 95 % interval; \
         chosen for being the lowest, which flatters it a little; grey ground: within {} of 1, \
         too small a difference to matter; filled: a difference, as verdict or indication; grey: nothing may be concluded",
        human::percent(summary.delta_ratio)
    );
    let subtitle = canvas::wrapped(&note, WIDTH - 2 * PAD);
    let top = frame::below_heading(&subtitle) + 8;
    let bottom = top + ROW * i32::try_from(rows.len()).unwrap_or(0);
    let best: Vec<_> = rows.iter().map(|row| (row.arm, row.ratio)).collect();
    let answer = answers::best_answer(&best, reference);
    let size = (WIDTH, bottom + 56);
    let svg = canvas::draw(size, STEM, TITLE, &answer, |canvas| {
        frame::heading(canvas, TITLE, &subtitle);
        let scale = Scale::ratios(&values(&rows), LEFT, RIGHT);
        let places = || (0..).zip(&rows).map(|(i, row)| (top + i * ROW, row));
        for (y, row) in places() {
            band(canvas, &scale, y, row.family.delta_ratio);
        }
        let across = (LEFT, RIGHT);
        frame::paint_scale(canvas, across, (top, bottom), &scale, human::ratio_tick);
        let one = scale.pixel(1.0);
        canvas.line((one, top), (one, bottom), style::OUTLINE, 1);
        for (y, row) in places() {
            paint(canvas, &scale, y, row);
        }
        let axis = format!("response p50 ratio to {reference} ← below 1 is faster, log scale");
        let below = ((LEFT + RIGHT) / 2, bottom + 38);
        canvas.text(below, &axis, Align::Middle, style::INK);
    });
    Some(Chart {
        file: format!("{STEM}.svg"),
        question: format!("How much sooner does the best strategy answer than {reference}?"),
        answer,
        svg,
        numbers: numbers(&rows),
    })
}

fn values(rows: &[Row<'_>]) -> Vec<f64> {
    let ends = |row: &Row<'_>| [Some(row.ratio.estimate), row.ratio.ci_low, row.ratio.ci_high];
    rows.iter().flat_map(ends).flatten().collect()
}

/// Behind the lane, within δ.
fn band(canvas: &Canvas<'_>, scale: &Scale, y: i32, delta: f64) {
    let (from, to) = (scale.pixel(1.0 / (1.0 + delta)), scale.pixel(1.0 + delta));
    canvas.rect((from, y + LINE + 2), (to, y + ROW - 4), style::BAND);
}

fn paint(canvas: &Canvas<'_>, scale: &Scale, y: i32, row: &Row<'_>) {
    canvas.line((PAD, y), (WIDTH - PAD, y), style::GRID, 1);
    let name = format!("{}: {}", row.number, row.family.title);
    let name = canvas::fitted(&name, WIDTH - 2 * PAD);
    // On paper of its own, since the grid runs through it.
    let end = PAD + canvas::text_width(&name) + 4;
    canvas.rect((PAD, y + 2), (end, y + LINE + 1), style::PAPER);
    canvas.text((PAD, y + 10), &name, Align::Start, style::MUTED);
    let middle = y + LINE + (ROW - LINE) / 2;
    frame::about(canvas, row.arm, || {
        let (color, marker) = style::of_arm(&row.arm.strategy, &row.arm.role);
        canvas.marker((PAD + 20, middle), marker, color, Fill::Filled);
        let label = canvas::fitted(&row.arm.label, LEFT - PAD - 44);
        canvas.text((PAD + 34, middle), &label, Align::Start, style::INK);
        forest::mark(canvas, scale, row.arm, row.ratio, middle);
    });
    let sign = conclusions::sign(&row.ratio);
    let text = format!("{} {sign}", human::number(row.ratio.estimate));
    let text = canvas::fitted(text.trim_end(), WIDTH - PAD - RIGHT - 12);
    canvas.text((RIGHT + 12, middle), &text, Align::Start, style::INK);
}

fn numbers(rows: &[Row<'_>]) -> Table {
    let head = vec![
        Head::new("family", false),
        Head::new("strategy", false),
        Head::new("response p50 ratio", true),
        Head::new("interval from", true),
        Head::new("interval to", true),
        Head::new("conclusion", false),
    ];
    let rows = rows.iter().map(|row| {
        vec![
            Cell::new(format!("{}: {}", row.number, row.family.title), Some(row.number as f64)),
            Cell::from(row.arm.label.as_str()),
            Cell::of(Some(row.ratio.estimate), human::exact),
            Cell::of(row.ratio.ci_low, human::exact),
            Cell::of(row.ratio.ci_high, human::exact),
            Cell::from(conclusions::words(&row.ratio)),
        ]
    });
    Table::new(head, rows)
}
