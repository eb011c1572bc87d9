//! Latency against offered load: a panel for the median, one for the p99, and a lane per arm that
//! shows where its limit was found.

use super::canvas::{self, Align, Canvas, Fill};
use super::ends::{self, End};
use super::frame::{self, LINE, PAD, WIDTH};
use super::scale::Scale;
use super::{Chart, style};
use crate::analysis::curves::{Curves, LoadArm, Point};
use crate::experiment::Slo;
use crate::report::table::{Head, NONE, Table};
use crate::report::{human, open_answers as answers};

const TITLE: &str = "Response time against load";
/// Of a panel, in px.
const HEIGHT: i32 = 190;
/// Above a panel, for its head.
const HEAD: i32 = 34;
/// Of an arm's lane.
const LANE: i32 = 20;

/// A plotted time.
type Time = fn(&Point) -> Option<f64>;

/// Where a plot is, in px.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panel {
    pub(super) left: i32,
    pub(super) right: i32,
    pub(super) top: i32,
    pub(super) bottom: i32,
}

pub(super) fn chart(curves: &Curves, stem: &str) -> Option<Chart> {
    let points = || curves.arms.iter().flat_map(|arm| &arm.points);
    points().find_map(|point| point.p50_ns)?;
    let subtitle = subtitle(curves, "p50: median over trials; p99: of all requests at a rate");
    let mut top = frame::below_heading(&subtitle) + LINE + HEAD;
    let panels = [(); 3].map(|()| {
        let panel = panel(top, HEIGHT);
        top = panel.bottom + HEAD;
        panel
    });
    let lanes = i32::try_from(curves.arms.len()).unwrap_or(0) * LANE;
    let limits = panel(panels[2].top, lanes);
    let answer = answers::load_answer(curves);
    let name = format!("{TITLE}: {}", curves.title);
    let svg = canvas::draw((WIDTH, limits.bottom + 56), stem, &name, &answer, |canvas| {
        frame::heading(canvas, TITLE, &subtitle);
        legend(canvas, frame::below_heading(&subtitle) + 2);
        let across = across(curves, &limits);
        let slo = curves.slo.parse::<Slo>().ok();
        let in_p50 = curves.slo.starts_with("p50");
        let objective = |wanted: bool| slo.filter(|_| wanted).map(|slo| (slo, curves.slo.as_str()));
        times(canvas, curves, &panels[0], &across, ("p50", |p| p.p50_ns, objective(in_p50)));
        times(canvas, curves, &panels[1], &across, ("p99", |p| p.p99_ns, objective(!in_p50)));
        lanes_of_limits(canvas, curves, &limits, &across);
    });
    Some(Chart {
        file: format!("{stem}.svg"),
        question: "How long do requests take as more of them come, and how many are too many?"
            .to_owned(),
        answer,
        svg,
        numbers: numbers(curves),
    })
}

pub(super) fn panel(top: i32, height: i32) -> Panel {
    Panel { left: PAD + 74, right: WIDTH - PAD - ends::ROOM, top, bottom: top + height }
}

/// The curve, its sample size, the objective, and what a mark is.
pub(super) fn subtitle(curves: &Curves, note: &str) -> Vec<String> {
    let points = || curves.arms.iter().flat_map(|arm| &arm.points);
    let sample = format!(
        "{}, {} offered; {note}",
        human::plural(points().map(|p| p.n_trials).sum(), "trial"),
        human::plural(points().map(|p| p.n_offered).sum(), "request"),
    );
    let mut lines = canvas::wrapped(&curves.title, WIDTH - 2 * PAD);
    lines.extend(canvas::wrapped(&sample, WIDTH - 2 * PAD));
    lines
}

/// From no load to the highest that was offered.
pub(super) fn across(curves: &Curves, panel: &Panel) -> Scale {
    let rates = curves.arms.iter().flat_map(|arm| &arm.points).map(|p| p.rate_per_s);
    Scale::linear(rates.fold(0.0, f64::max), panel.left, panel.right)
}

fn legend(canvas: &Canvas<'_>, y: i32) {
    let mut x = PAD + 8;
    for (fill, text) in
        [(Fill::Filled, "filled: the subject kept up"), (Fill::Hollow, "hollow: saturated")]
    {
        canvas.marker((x, y), style::Marker::Circle, style::MUTED, fill);
        canvas.text((x + 14, y), text, Align::Start, style::MUTED);
        x += 14 + canvas::text_width(text) + 16;
    }
}

/// A panel of times, with the objective's limit where it is given.
fn times(
    canvas: &Canvas<'_>,
    curves: &Curves,
    panel: &Panel,
    across: &Scale,
    (name, time, slo): (&str, Time, Option<(Slo, &str)>),
) {
    let mut values: Vec<f64> =
        curves.arms.iter().flat_map(|arm| &arm.points).filter_map(time).collect();
    values.extend(slo.map(|(slo, _)| slo.limit_ns as f64));
    let down = Scale::logarithmic(&values, panel.bottom, panel.top);
    grid(canvas, panel, across, &down, human::duration_tick);
    let head = format!("response {name} ↓ lower is better, log scale");
    canvas.text((PAD, panel.top - 14), &head, Align::Start, style::INK);
    if let Some((slo, text)) = slo {
        let y = down.pixel(slo.limit_ns as f64);
        canvas.line((panel.left, y), (panel.right, y), style::INK, 1);
        let text = format!("objective {}", answers::objective(text));
        canvas.text((panel.left + 6, y - 9), &text, Align::Start, style::INK);
    }
    lines(canvas, &curves.arms, panel, (across, &down), time);
}

/// Grid and upright axis; the level one stands below the lowest panel only.
pub(super) fn grid(
    canvas: &Canvas<'_>,
    panel: &Panel,
    across: &Scale,
    down: &Scale,
    tick: fn(f64) -> String,
) {
    for value in across.ticks() {
        let x = across.pixel(value);
        canvas.line((x, panel.top), (x, panel.bottom), style::GRID, 1);
    }
    let (sides, ends) = ((panel.left, panel.right), (panel.top, panel.bottom));
    frame::paint_upright(canvas, sides, ends, down, tick);
}

/// A line per arm through its points, named where it ends.
pub(super) fn lines(
    canvas: &Canvas<'_>,
    arms: &[LoadArm],
    panel: &Panel,
    (across, down): (&Scale, &Scale),
    value: Time,
) {
    let mut ends = Vec::new();
    for arm in arms {
        let (color, marker) = style::of_arm(&arm.strategy, &arm.role);
        let places: Vec<((i32, i32), Fill)> = arm
            .points
            .iter()
            .filter_map(|point| {
                let at = (across.pixel(point.rate_per_s), down.pixel(value(point)?));
                let fill = if point.is_saturated { Fill::Hollow } else { Fill::Filled };
                Some((at, fill))
            })
            .collect();
        let key = style::key(&arm.strategy, &arm.role);
        canvas.about(key, || {
            if places.len() > 1 {
                canvas.path(places.iter().map(|place| place.0).collect(), color, 2);
            }
            for (at, fill) in &places {
                canvas.marker(*at, marker, color, *fill);
            }
        });
        if let Some((at, _)) = places.last() {
            ends.push(End {
                y: at.1,
                label: &arm.label,
                key: Some(key),
                color,
                marker: Some((marker, Fill::Filled)),
            });
        }
    }
    ends::paint(canvas, (panel.right, panel.bottom), ends);
}

/// Between which two rates each arm's limit lies.
fn lanes_of_limits(canvas: &Canvas<'_>, curves: &Curves, panel: &Panel, across: &Scale) {
    let head = "highest rate that meets the objective; bar: up to the next, which missed it";
    canvas.text((PAD, panel.top - 14), head, Align::Start, style::INK);
    let sides = (panel.left, panel.right);
    frame::paint_scale(canvas, sides, (panel.top, panel.bottom), across, human::rate_tick);
    let below = ((panel.left + panel.right) / 2, panel.bottom + 38);
    canvas.text(below, "requests offered per second, linear scale", Align::Middle, style::INK);
    for (i, arm) in (0..).zip(&curves.arms) {
        let y = panel.top + i * LANE + LANE / 2;
        canvas.about(style::key(&arm.strategy, &arm.role), || {
            limit(canvas, arm, y, panel, across);
        });
    }
}

fn limit(canvas: &Canvas<'_>, arm: &LoadArm, y: i32, panel: &Panel, across: &Scale) {
    let (color, marker) = style::of_arm(&arm.strategy, &arm.role);
    match (arm.limit_per_s, arm.missed_per_s) {
        (Some(met), missed) => {
            let x = across.pixel(met);
            if let Some(missed) = missed {
                let end = across.pixel(missed);
                canvas.line((x, y), (end, y), color, 2);
                canvas.line((end, y - 6), (end, y + 6), color, 2);
            }
            canvas.marker((x, y), marker, color, Fill::Filled);
        }
        (None, _) => {
            let text = if arm.points.is_empty() { "not measured" } else { "met at no rate" };
            canvas.text((panel.left + 6, y), text, Align::Start, style::MUTED);
        }
    }
    let x = panel.right + 30;
    canvas.marker((x, y), marker, color, Fill::Filled);
    let text = canvas::fitted(&arm.label, WIDTH - PAD - (x + 12));
    canvas.text((x + 12, y), &text, Align::Start, style::INK);
}

fn numbers(curves: &Curves) -> Table {
    let cell = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), human::exact);
    let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let limit_ns = curves.slo.parse::<Slo>().ok().map(|slo| slo.limit_ns as f64);
    let rows = curves.arms.iter().flat_map(|arm| {
        arm.points.iter().map(move |point| {
            vec![
                arm.label.clone(),
                human::exact(point.rate_per_s),
                cell(point.p50_ns),
                cell(point.p99_ns),
                yes_no(point.is_saturated),
                yes_no(point.meets_slo),
                cell(limit_ns),
                cell(arm.limit_per_s),
                cell(arm.missed_per_s),
            ]
        })
    });
    Table::new(
        vec![
            Head::new("strategy", false),
            Head::new("requests/s offered", true),
            Head::new("response p50, ns", true),
            Head::new("response p99, ns", true),
            Head::new("saturated", false),
            Head::new("meets the objective", false),
            Head::new("objective, ns", true),
            Head::new("highest rate that meets it, 1/s", true),
            Head::new("next rate, which misses it, 1/s", true),
        ],
        rows,
    )
}
