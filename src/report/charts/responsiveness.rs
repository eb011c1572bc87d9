//! Who is answered while the server computes: from the median to the longest wait of light probes,
//! per arm and way of probing, and below it the same without load.

use super::Chart;
use super::canvas::{self, Align, Canvas, Fill};
use super::frame::{self, LINE, PAD, WIDTH};
use super::scale::Scale;
use super::style::{self, Marker};
use crate::analysis::probes::{Probed, ProbedArm, Times, Variant};
use crate::analysis::summary::State;
use crate::report::table::{Head, NONE, Table};
use crate::report::{human, open_answers as answers};

const TITLE: &str = "How long light probes wait beside heavy requests";
/// Of an arm, with its two lanes.
const ROW: i32 = 40;
/// Distance of a lane from the row's middle.
const LANE: i32 = 9;
/// Above a panel.
const HEAD: i32 = 30;
/// Below a panel, for what its ticks say.
const TICKS: i32 = 22;
const LEFT: i32 = PAD + 208;
const RIGHT: i32 = WIDTH - PAD - 84;

/// What a user notices, in ns.
const NOTICED_NS: f64 = 1e8;

pub(super) fn chart(probed: &Probed, stem: &str) -> Option<Chart> {
    let arms = || probed.variants.iter().flat_map(|variant| &variant.arms);
    let mut values: Vec<f64> =
        arms().flat_map(|arm| arm.loaded.all().chain(arm.unloaded.all())).collect();
    if values.is_empty() {
        return None;
    }
    values.push(NOTICED_NS);
    let subtitle = subtitle(probed);
    let legend_top = frame::below_heading(&subtitle) + 2;
    let mut top = legend_top + 2 * LINE;
    let panels: Vec<(&Variant, i32)> = probed
        .variants
        .iter()
        .map(|variant| {
            top += HEAD;
            let of_variant = top;
            top += ROW * i32::try_from(variant.arms.len()).unwrap_or(0) + TICKS;
            (variant, of_variant)
        })
        .collect();
    let answer = answers::responsiveness_answer(probed);
    let name = format!("{TITLE}: {}", probed.title);
    let svg = canvas::draw((WIDTH, top + 34), stem, &name, &answer, |canvas| {
        frame::heading(canvas, TITLE, &subtitle);
        legend(canvas, legend_top);
        let scale = Scale::logarithmic(&values, LEFT, RIGHT);
        for (variant, top) in panels {
            paint(canvas, variant, top, &scale);
        }
        let axis = "response time of a probe ← lower is better, log scale";
        canvas.text((WIDTH / 2, top + 16), axis, Align::Middle, style::INK);
    });
    Some(Chart {
        file: format!("{stem}.svg"),
        question: "While it computes, does the server still answer everybody else?".to_owned(),
        answer,
        svg,
        numbers: numbers(probed),
    })
}

fn subtitle(probed: &Probed) -> Vec<String> {
    let n = probed.variants.iter().flat_map(|v| &v.arms).map(|arm| arm.n_probes).sum();
    let sample = format!(
        "{}; p50, p95, p99: medians over blocks; longest: of all blocks",
        human::plural(n, "probe under load"),
    );
    let sample = sample.replace("probe under loads", "probes under load");
    let mut lines = canvas::wrapped(&probed.title, WIDTH - 2 * PAD);
    lines.extend(canvas::wrapped(&sample, WIDTH - 2 * PAD));
    lines
}

fn legend(canvas: &Canvas<'_>, top: i32) {
    let mut x = PAD + 8;
    for (fill, text) in [
        (Fill::Filled, "filled, above: under load"),
        (Fill::Hollow, "hollow, below: the same server without load"),
    ] {
        canvas.marker((x, top), Marker::Circle, style::MUTED, fill);
        canvas.text((x + 14, top), text, Align::Start, style::MUTED);
        x += 14 + canvas::text_width(text) + 16;
    }
    let y = top + LINE;
    canvas.marker((PAD + 8, y), Marker::Circle, style::MUTED, Fill::Filled);
    canvas.line((PAD + 8, y), (PAD + 40, y), style::MUTED, 3);
    canvas.line((PAD + 40, y), (PAD + 72, y), style::MUTED, 1);
    canvas.line((PAD + 72, y - 4), (PAD + 72, y + 4), style::MUTED, 1);
    let text = "mark: p50; thick: to p99 (p95 if too few); thin: to the longest (the number)";
    canvas.text((PAD + 82, y), text, Align::Start, style::MUTED);
}

/// What the probes of a variant go through, in words.
pub(in crate::report) fn way(probe: &str) -> &'static str {
    match probe {
        "main-loop" => "answered by the event loop: is the server alive?",
        _ => "run by the strategy: does another user get through?",
    }
}

fn paint(canvas: &Canvas<'_>, variant: &Variant, top: i32, scale: &Scale) {
    let bottom = top + ROW * i32::try_from(variant.arms.len()).unwrap_or(0);
    frame::paint_scale(canvas, (LEFT, RIGHT), (top, bottom), scale, human::duration_tick);
    canvas.text((PAD, top - 11), way(&variant.probe), Align::Start, style::INK);
    let noticed = scale.pixel(NOTICED_NS);
    canvas.line((noticed, top), (noticed, bottom), style::INK, 1);
    canvas.text((noticed, top - 11), "100 ms", Align::Middle, style::INK);
    for (i, arm) in (0..).zip(&variant.arms) {
        let y = top + i * ROW + ROW / 2;
        if i > 0 {
            canvas.line((PAD, y - ROW / 2), (RIGHT, y - ROW / 2), style::GRID, 1);
        }
        canvas.about(style::key(&arm.strategy, &arm.role), || {
            row(canvas, arm, y, scale);
        });
    }
}

fn row(canvas: &Canvas<'_>, arm: &ProbedArm, y: i32, scale: &Scale) {
    let (color, marker) = look(arm);
    canvas.marker((PAD + 8, y), marker, color, fill(arm, Fill::Filled));
    let text = canvas::fitted(&arm.label, LEFT - PAD - 34);
    canvas.text((PAD + 22, y), &text, Align::Start, style::INK);
    if arm.loaded.p50_ns.is_none() {
        let why = format!("{}: {}", arm.state.word(), arm.reason);
        let why = canvas::fitted(&why, WIDTH - PAD - LEFT - 8);
        canvas.text((LEFT + 8, y), &why, Align::Start, style::MUTED);
    }
    let loaded = (y - LANE, &arm.loaded, fill(arm, Fill::Filled));
    lane(canvas, scale, arm, loaded);
    lane(canvas, scale, arm, (y + LANE, &arm.unloaded, Fill::Hollow));
}

fn look(arm: &ProbedArm) -> (plotters::style::RGBColor, Marker) {
    let (color, marker) = style::of_arm(&arm.strategy, &arm.role);
    match arm.state {
        State::Ok => (color, marker),
        _ => (style::GREY, marker),
    }
}

fn fill(arm: &ProbedArm, fill: Fill) -> Fill {
    if arm.state == State::Ok { fill } else { Fill::Hollow }
}

fn lane(
    canvas: &Canvas<'_>,
    scale: &Scale,
    arm: &ProbedArm,
    (y, times, fill): (i32, &Times, Fill),
) {
    let Some(p50_ns) = times.p50_ns else { return };
    let (color, marker) = look(arm);
    let x = scale.pixel(p50_ns);
    if let Some(max_ns) = times.max_ns {
        let end = scale.pixel(max_ns);
        canvas.line((x, y), (end, y), color, 1);
        canvas.line((end, y - 4), (end, y + 4), color, 1);
        let text = human::duration(max_ns);
        canvas.text((RIGHT + 10, y), &text, Align::Start, style::INK);
    }
    if let Some(tail_ns) = times.p99_ns.or(times.p95_ns) {
        canvas.line((x, y), (scale.pixel(tail_ns), y), color, 3);
    }
    canvas.marker((x, y), marker, color, fill);
}

fn numbers(probed: &Probed) -> Table {
    let mut head = vec![Head::new("strategy", false), Head::new("probed", false)];
    for load in ["under load", "without load"] {
        for what in ["p50", "p95", "p99", "longest"] {
            head.push(Head::new(&format!("{what} {load}, ns"), true));
        }
    }
    head.push(Head::new("state", false));
    let rows = probed.variants.iter().flat_map(|variant| {
        variant.arms.iter().map(|arm| {
            let mut cells = vec![arm.label.clone(), variant.probe.clone()];
            for times in [&arm.loaded, &arm.unloaded] {
                for ns in [times.p50_ns, times.p95_ns, times.p99_ns, times.max_ns] {
                    cells.push(ns.map_or_else(|| NONE.to_owned(), human::exact));
                }
            }
            cells.push(arm.state.word().to_owned());
            cells
        })
    });
    Table::new(head, rows)
}
