//! Whether two runs give the same advice: each arm's ratio to the reference in the one against that
//! in the other. On the diagonal they are the same, whatever the machines.

use super::Chart;
use super::canvas::{self, Align, Canvas, Fill};
use super::frame::{self, LINE, PAD, WIDTH};
use super::scale::Scale;
use super::style;
use crate::report::human;
use crate::report::table::{Head, NONE, Table};

/// Of the plot, in px: as high as it is wide, so that the diagonal is one.
const SIDE: i32 = 430;
const LEFT: i32 = PAD + 74;

/// One arm of one family.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Dot {
    pub(in crate::report) family: String,
    pub(in crate::report) label: String,
    pub(in crate::report) strategy: String,
    /// Over the reference, in A and in B.
    pub(in crate::report) ratios: [f64; 2],
    /// The one over the other.
    pub(in crate::report) relative: Option<f64>,
    /// Whether that is a difference, as verdict or indication.
    pub(in crate::report) is_change: bool,
    /// The same in words.
    pub(in crate::report) conclusion: String,
}

/// `None` without a dot.
pub(in crate::report) fn chart(reference: &str, dots: &[Dot]) -> Option<Chart> {
    if dots.is_empty() {
        return None;
    }
    let title = format!("Response p50 over that of {reference}, in A and in B");
    let note = "a mark per strategy and family; on the diagonal both runs say the same; filled: \
                they differ, as verdict or indication; hollow: no difference shown";
    let subtitle = canvas::wrapped(note, WIDTH - 2 * PAD);
    let top = frame::below_heading(&subtitle) + 10;
    let bottom = top + SIDE;
    let values: Vec<f64> = dots.iter().flat_map(|dot| dot.ratios).collect();
    let across = Scale::ratios(&values, LEFT, LEFT + SIDE);
    let upright = Scale::ratios(&values, bottom, top);
    let answer = answer(reference, dots);
    let size = (WIDTH, bottom + 56);
    let svg = canvas::draw(size, "agreement", &title, &answer, |canvas| {
        frame::heading(canvas, &title, &subtitle);
        paint_axes(canvas, (&across, &upright), (top, bottom), reference);
        for dot in dots {
            let at = (across.pixel(dot.ratios[0]), upright.pixel(dot.ratios[1]));
            let (color, marker) = style::of_arm(&dot.strategy, "arm");
            let fill = if dot.is_change { Fill::Filled } else { Fill::Hollow };
            canvas.marker(at, marker, color, fill);
        }
        paint_legend(canvas, dots, top);
    });
    Some(Chart {
        file: "agreement.svg".to_owned(),
        question: format!("Do both runs give the same advice against {reference}?"),
        answer,
        svg,
        numbers: numbers(dots),
    })
}

fn paint_axes(
    canvas: &Canvas<'_>,
    (across, upright): (&Scale, &Scale),
    (top, bottom): (i32, i32),
    reference: &str,
) {
    let right = LEFT + SIDE;
    frame::paint_scale(canvas, (LEFT, right), (top, bottom), across, human::ratio_tick);
    frame::paint_upright(canvas, (LEFT, right), (top, bottom), upright, human::ratio_tick);
    canvas.line((LEFT, bottom), (right, top), style::LEADER, 1);
    let one = (across.pixel(1.0), upright.pixel(1.0));
    canvas.line((one.0, top), (one.0, bottom), style::OUTLINE, 1);
    canvas.line((LEFT, one.1), (right, one.1), style::OUTLINE, 1);
    let below = ((LEFT + right) / 2, bottom + 38);
    let axis = format!("in A ← below 1 is faster than {reference}, log scale");
    canvas.text(below, &axis, Align::Middle, style::INK);
    canvas.text((PAD, top - 10), "in B ↓", Align::Start, style::INK);
}

/// A mark and a name for each strategy that is there, right of the plot.
fn paint_legend(canvas: &Canvas<'_>, dots: &[Dot], top: i32) {
    let mut seen: Vec<&str> = Vec::new();
    for dot in dots {
        if !seen.contains(&dot.strategy.as_str()) {
            seen.push(&dot.strategy);
        }
    }
    let left = LEFT + SIDE + 30;
    for (i, strategy) in (0..).zip(seen) {
        let y = top + 12 + i * (LINE + 4);
        let (color, marker) = style::of_arm(strategy, "arm");
        canvas.marker((left, y), marker, color, Fill::Filled);
        let name = canvas::fitted(strategy, WIDTH - PAD - left - 14);
        canvas.text((left + 14, y), &name, Align::Start, style::INK);
    }
}

fn answer(reference: &str, dots: &[Dot]) -> String {
    let changes = dots.iter().filter(|dot| dot.is_change).count();
    let farthest = dots
        .iter()
        .filter_map(|dot| Some((dot, dot.relative?)))
        .max_by(|a, b| a.1.ln().abs().total_cmp(&b.1.ln().abs()));
    let far = match farthest {
        None => String::new(),
        Some((dot, relative)) => format!(
            " Farthest from the diagonal is {} in {}: {} times as long as {reference} in A, {} in \
             B, {} of the one over the other.",
            dot.label,
            dot.family,
            human::number(dot.ratios[0]),
            human::number(dot.ratios[1]),
            human::ratio(relative)
        ),
    };
    format!(
        "{changes} of {} differ, as verdict or indication.{far}",
        human::plural(dots.len() as u64, "mark")
    )
}

fn numbers(dots: &[Dot]) -> Table {
    let head = vec![
        Head::new("strategy", false),
        Head::new("family", false),
        Head::new("ratio in A", true),
        Head::new("ratio in B", true),
        Head::new("ratio, B over A", true),
        Head::new("conclusion", false),
    ];
    let row = |dot: &Dot| {
        let relative = dot.relative.map(human::exact);
        vec![
            dot.label.clone(),
            dot.family.clone(),
            human::exact(dot.ratios[0]),
            human::exact(dot.ratios[1]),
            relative.unwrap_or_else(|| NONE.to_owned()),
            dot.conclusion.clone(),
        ]
    };
    Table::new(head, dots.iter().map(row))
}
