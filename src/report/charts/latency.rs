//! How long a request takes: p50 as a mark, lines to p90 and p99; response and service in lanes
//! of their own.

use super::Chart;
use super::canvas::{self, Align, Canvas, Fill};
use super::frame::{self, Layout, Words};
use super::scale::Scale;
use super::style::{self, Marker};
use crate::analysis::summary::{ArmSummary, FamilySummary};
use crate::report::table::{Head, NONE, Table};
use crate::report::{answers, human};

const TITLE: &str = "Response and service time by strategy";

/// Distance of a lane from the row's middle, in px.
const LANE: i32 = 9;

pub(super) fn chart(family: &FamilySummary, stem: &str) -> Option<Chart> {
    let values: Vec<f64> = family
        .arms
        .iter()
        .flat_map(|arm| [response(arm), service(arm)])
        .flatten()
        .flatten()
        .collect();
    if values.is_empty() {
        return None;
    }
    let words = Words {
        title: TITLE,
        note: "medians over blocks",
        axis: "time per request ← lower is better",
    };
    let layout = Layout::new(family, &words, 40, 2);
    let scale = Scale::of(&values, layout.left, layout.right);
    let answer = answers::latency_answer(family);
    let name = format!("{TITLE}: {}", family.title);
    let svg = canvas::draw(layout.size(), stem, &name, &answer, |canvas| {
        frame::paint(canvas, &layout, family, &words, &scale, human::duration_tick);
        legend(canvas, &layout);
        for (i, arm) in family.arms.iter().enumerate() {
            let y = layout.middle(i);
            let lanes =
                [(y - LANE, response(arm), Fill::Filled), (y + LANE, service(arm), Fill::Hollow)];
            frame::about(canvas, arm, || {
                for of in lanes {
                    lane(canvas, &layout, &scale, arm, of);
                }
            });
        }
    });
    Some(Chart {
        file: format!("{stem}.svg"),
        question: "How long does a request take, and how much of it is the server's?".to_owned(),
        answer,
        svg,
        numbers: numbers(family),
    })
}

/// p50, p90 and p99 in ns.
type Quantiles = [Option<f64>; 3];

fn response(arm: &ArmSummary) -> Quantiles {
    let m = &arm.medians;
    [m.response_p50_ns, m.response_p90_ns, m.response_p99_ns]
}

fn service(arm: &ArmSummary) -> Quantiles {
    let m = &arm.medians;
    [m.service_p50_ns, m.service_p90_ns, m.service_p99_ns]
}

fn lane(
    canvas: &Canvas<'_>,
    layout: &Layout,
    scale: &Scale,
    arm: &ArmSummary,
    (y, [p50, p90, p99], fill): (i32, Quantiles, Fill),
) {
    let Some(p50) = p50 else { return };
    let (color, marker, fill) = frame::look(arm, fill);
    let x = scale.pixel(p50);
    if let Some(p99) = p99 {
        let end = scale.pixel(p99);
        canvas.line((x, y), (end, y), color, 1);
        canvas.line((end, y - 4), (end, y + 4), color, 1);
    }
    if let Some(p90) = p90 {
        canvas.line((x, y), (scale.pixel(p90), y), color, 3);
    }
    canvas.marker((x, y), marker, color, fill);
    frame::value(canvas, layout, y, &human::duration(p50));
}

fn legend(canvas: &Canvas<'_>, layout: &Layout) {
    let [first, second] = layout.legend[..] else {
        return;
    };
    let mut x = 24;
    for (fill, text) in [
        (Fill::Filled, "filled, above: response (what a caller waits for)"),
        (Fill::Hollow, "hollow, below: service (the server's part)"),
    ] {
        canvas.marker((x, first), Marker::Circle, style::MUTED, fill);
        canvas.text((x + 14, first), text, Align::Start, style::MUTED);
        x += 14 + canvas::text_width(text) + 16;
    }
    canvas.marker((24, second), Marker::Circle, style::MUTED, Fill::Filled);
    canvas.line((24, second), (56, second), style::MUTED, 3);
    canvas.line((56, second), (88, second), style::MUTED, 1);
    canvas.line((88, second - 4), (88, second + 4), style::MUTED, 1);
    let text = "mark: p50 (number on the right); thick line: to p90; thin line: to p99";
    canvas.text((98, second), text, Align::Start, style::MUTED);
}

fn numbers(family: &FamilySummary) -> Table {
    let names = [
        "response p50",
        "response p90",
        "response p99",
        "service p50",
        "service p90",
        "service p99",
    ];
    let mut head = vec![Head::new("strategy", false)];
    head.extend(names.map(|name| Head::new(&format!("{name}, ns"), true)));
    head.push(Head::new("state", false));
    Table::new(
        head,
        family.arms.iter().map(|arm| {
            let mut cells = vec![arm.label.clone()];
            for value in response(arm).into_iter().chain(service(arm)) {
                cells.push(value.map_or_else(|| NONE.to_owned(), human::exact));
            }
            cells.push(arm.state.word().to_owned());
            cells
        }),
    )
}
