//! Which strategy serves most: a dot per arm, a line over its blocks.

use super::canvas::{self, Canvas, Fill};
use super::frame::{self, Layout, Words};
use super::scale::Scale;
use super::{Chart, style};
use crate::analysis::summary::{ArmSummary, FamilySummary};
use crate::report::table::{Head, NONE, Table};
use crate::report::{answers, human};

const TITLE: &str = "Throughput by strategy";

pub(super) fn chart(family: &FamilySummary, stem: &str) -> Option<Chart> {
    let mut values: Vec<f64> = Vec::new();
    for arm in &family.arms {
        values.extend(arm.medians.throughput_per_s);
        values.extend(arm.throughput_range_per_s.map(|(low, _)| low));
        values.extend(arm.throughput_range_per_s.map(|(_, high)| high));
    }
    if values.is_empty() {
        return None;
    }
    let words = Words {
        title: TITLE,
        note: "mark: median over blocks, line: lowest to highest block",
        axis: "requests answered ok per second → higher is better",
    };
    let layout = Layout::new(family, &words, 28, 0);
    let scale = Scale::of(&values, layout.left, layout.right);
    let question = "How many requests does each strategy serve?".to_owned();
    let answer = answers::throughput_answer(family);
    let name = format!("{TITLE}: {}", family.title);
    let svg = canvas::draw(layout.size(), stem, &name, &answer, |canvas| {
        frame::paint(canvas, &layout, family, &words, &scale, human::rate_tick);
        for (i, arm) in family.arms.iter().enumerate() {
            let Some(rate) = arm.medians.throughput_per_s else {
                continue;
            };
            let y = layout.middle(i);
            frame::about(canvas, arm, || mark(canvas, &scale, arm, rate, y));
            frame::value(canvas, &layout, y, &format!("{}/s", human::rate(rate)));
        }
    });
    Some(Chart { file: format!("{stem}.svg"), question, answer, svg, numbers: numbers(family) })
}

fn mark(canvas: &Canvas<'_>, scale: &Scale, arm: &ArmSummary, rate: f64, y: i32) {
    let (color, marker, fill) = frame::look(arm, Fill::Filled);
    if !scale.is_logarithmic() {
        let (from, to) = (scale.pixel(0.0), scale.pixel(rate));
        canvas.line((from, y), (to, y), style::GRID, 3);
    }
    if let Some((low, high)) = arm.throughput_range_per_s {
        let (low, high) = (scale.pixel(low), scale.pixel(high));
        canvas.line((low, y), (high, y), color, 2);
        // Taller than the mark, which would hide a short line.
        canvas.line((low, y - 9), (low, y + 9), color, 1);
        canvas.line((high, y - 9), (high, y + 9), color, 1);
    }
    canvas.marker((scale.pixel(rate), y), marker, color, fill);
}

fn numbers(family: &FamilySummary) -> Table {
    let cell = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), human::exact);
    Table::new(
        vec![
            Head::new("strategy", false),
            Head::new("requests/s, median", true),
            Head::new("requests/s, lowest block", true),
            Head::new("requests/s, highest block", true),
            Head::new("state", false),
        ],
        family.arms.iter().map(|arm| {
            let range = arm.throughput_range_per_s;
            vec![
                arm.label.clone(),
                cell(arm.medians.throughput_per_s),
                cell(range.map(|r| r.0)),
                cell(range.map(|r| r.1)),
                arm.state.word().to_owned(),
            ]
        }),
    )
}
