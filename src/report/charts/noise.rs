//! What else the machine did, over the run: a lane per signal, disturbed trials marked.

use super::canvas::{self, Align, Canvas};
use super::frame::{self, LINE, PAD, WIDTH};
use super::load::Panel;
use super::scale::Scale;
use super::{Chart, style};
use crate::analysis::timeline::{Lane, Timeline, Unit};
use crate::report::table::{Head, NONE, Table};
use crate::report::{human, open_answers as answers};

const TITLE: &str = "What else the machine did";
const HEIGHT: i32 = 84;
const HEAD: i32 = 34;

pub(super) fn chart(timeline: &Timeline, stem: &str) -> Chart {
    let note = format!(
        "steps of {}; grey ground: a disturbed trial ran; black line: beyond it one is disturbed",
        human::duration(timeline.step_ns as f64)
    );
    let subtitle = canvas::wrapped(&note, WIDTH - 2 * PAD);
    let mut top = frame::below_heading(&subtitle) + LINE;
    let panels: Vec<Panel> = timeline
        .lanes
        .iter()
        .map(|_| {
            let panel =
                Panel { left: PAD + 74, right: WIDTH - PAD - 10, top, bottom: top + HEIGHT };
            top = panel.bottom + HEAD;
            panel
        })
        .collect();
    let answer = answers::noise_answer(timeline);
    let size = (WIDTH, top - HEAD + 56);
    let svg = canvas::draw(size, stem, TITLE, &answer, |canvas| {
        frame::heading(canvas, TITLE, &subtitle);
        for (lane, panel) in timeline.lanes.iter().zip(&panels) {
            paint(canvas, timeline, lane, panel);
        }
        if let Some(last) = panels.last() {
            let end_ns = timeline.step_ns as f64 * timeline.is_disturbed.len() as f64;
            let across = Scale::linear(end_ns / 1e9, last.left, last.right);
            let (sides, ends) = ((last.left, last.right), (last.bottom, last.bottom));
            frame::paint_scale(canvas, sides, ends, &across, human::rate_tick);
            let below = ((last.left + last.right) / 2, last.bottom + 38);
            canvas.text(below, "seconds since the start", Align::Middle, style::INK);
        }
    });
    Chart {
        file: format!("{stem}.svg"),
        question: "What else did the machine do while this was measured?".to_owned(),
        answer,
        svg,
        numbers: numbers(timeline),
    }
}

fn paint(canvas: &Canvas<'_>, timeline: &Timeline, lane: &Lane, panel: &Panel) {
    let known: Vec<f64> = lane.values.iter().flatten().copied().collect();
    let n = timeline.is_disturbed.len();
    let end_s = timeline.step_ns as f64 * n as f64 / 1e9;
    let across = Scale::linear(end_s, panel.left, panel.right);
    let x = |step: usize| across.pixel(timeline.step_ns as f64 * step as f64 / 1e9);
    for (step, _) in timeline.is_disturbed.iter().enumerate().filter(|(_, is)| **is) {
        canvas.rect((x(step), panel.top), (x(step + 1), panel.bottom), style::BAND);
    }
    let high = known.iter().copied().chain(lane.limit).fold(0.0, f64::max);
    let down = Scale::linear(high, panel.bottom, panel.top);
    let (sides, ends) = ((panel.left, panel.right), (panel.top, panel.bottom));
    frame::paint_upright(canvas, sides, ends, &down, lane.tick());
    let head = format!("{}: {} ↓ lower is better", lane.name, lane.note);
    canvas.text((PAD, panel.top - 14), &head, Align::Start, style::INK);
    if known.is_empty() {
        let middle = (panel.left + 8, (panel.top + panel.bottom) / 2);
        canvas.text(middle, "not counted on this machine", Align::Start, style::MUTED);
        return;
    }
    if let Some(limit) = lane.limit {
        let y = down.pixel(limit);
        canvas.line((panel.left, y), (panel.right, y), style::INK, 1);
    }
    for (step, value) in lane.values.iter().enumerate() {
        let Some(value) = value else { continue };
        let (left, y) = (x(step), down.pixel(*value));
        // A step of nothing is a line on the axis, so that it is told from one not counted.
        canvas.rect((left, y.min(panel.bottom - 1)), (x(step + 1), panel.bottom), style::LANE);
    }
}

fn numbers(timeline: &Timeline) -> Table {
    let mut head = vec![Head::new("from, s", true)];
    head.extend(timeline.lanes.iter().map(|lane| {
        let unit = match lane.unit {
            Unit::Share => "share",
            Unit::Time => "ns",
        };
        Head::new(&format!("{}, {unit}", lane.name), true)
    }));
    head.push(Head::new("a disturbed trial", false));
    let rows = timeline.is_disturbed.iter().enumerate().map(|(step, is_disturbed)| {
        let mut cells = vec![human::exact(timeline.step_ns as f64 * step as f64 / 1e9)];
        for lane in &timeline.lanes {
            let value = lane.values.get(step).copied().flatten();
            cells.push(value.map_or_else(
                || NONE.to_owned(),
                |value| match lane.unit {
                    Unit::Share => format!("{value:.5}"),
                    Unit::Time => human::exact(value),
                },
            ));
        }
        cells.push(if *is_disturbed { "yes" } else { "no" }.to_owned());
        cells
    });
    Table::new(head, rows)
}
