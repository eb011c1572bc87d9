//! What comes back as more is asked: requests answered ok per second against requests offered.

use super::canvas::{self, Align};
use super::frame::{self, WIDTH};
use super::load::{self, across, grid, lines, panel};
use super::scale::Scale;
use super::{Chart, style};
use crate::analysis::curves::Curves;
use crate::report::table::{Head, NONE, Table};
use crate::report::{human, open_answers as answers};

const TITLE: &str = "Requests answered against requests offered";
const HEIGHT: i32 = 260;

pub(super) fn chart(curves: &Curves, stem: &str) -> Option<Chart> {
    let points = || curves.arms.iter().flat_map(|arm| &arm.points);
    points().find_map(|point| point.ok_per_s)?;
    let note = "median over trials; hollow: saturated; grey line: everything is answered";
    let subtitle = load::subtitle(curves, note);
    let panel = panel(frame::below_heading(&subtitle) + 26, HEIGHT);
    let answer = answers::goodput_answer(curves);
    let name = format!("{TITLE}: {}", curves.title);
    let svg = canvas::draw((WIDTH, panel.bottom + 56), stem, &name, &answer, |canvas| {
        frame::heading(canvas, TITLE, &subtitle);
        let across = across(curves, &panel);
        let most = points().filter_map(|p| p.ok_per_s).fold(0.0, f64::max);
        let down = Scale::linear(most, panel.bottom, panel.top);
        grid(canvas, &panel, &across, &down, human::rate_tick);
        let sides = (panel.left, panel.right);
        frame::paint_scale(canvas, sides, (panel.top, panel.bottom), &across, human::rate_tick);
        let head = "answered ok per second ↑ higher is better, linear scale";
        canvas.text((frame::PAD, panel.top - 14), head, Align::Start, style::INK);
        let below = ((panel.left + panel.right) / 2, panel.bottom + 38);
        let axis = "requests offered per second, linear scale";
        canvas.text(below, axis, Align::Middle, style::INK);
        let end = across.ticks().last().copied().unwrap_or(0.0);
        let end = end.min(down.ticks().last().copied().unwrap_or(0.0));
        let corner = (across.pixel(end), down.pixel(end));
        canvas.line((panel.left, panel.bottom), corner, style::LEADER, 1);
        lines(canvas, &curves.arms, &panel, (&across, &down), |p| p.ok_per_s);
    });
    Some(Chart {
        file: format!("{stem}.svg"),
        question: "How many requests are answered as more of them come?".to_owned(),
        answer,
        svg,
        numbers: numbers(curves),
    })
}

fn numbers(curves: &Curves) -> Table {
    let rows = curves.arms.iter().flat_map(|arm| {
        arm.points.iter().map(move |point| {
            vec![
                arm.label.clone(),
                human::exact(point.rate_per_s),
                point.ok_per_s.map_or_else(|| NONE.to_owned(), human::exact),
                if point.is_saturated { "yes" } else { "no" }.to_owned(),
            ]
        })
    });
    Table::new(
        vec![
            Head::new("strategy", false),
            Head::new("requests/s offered", true),
            Head::new("requests/s answered ok", true),
            Head::new("saturated", false),
        ],
        rows,
    )
}
