//! Who is faster than the reference, and by how much: a ratio with its interval per arm, response
//! and service beside each other, each with its δ band.

use super::canvas::{self, Align, Canvas, Fill};
use super::frame::{self, Layout, PAD, WIDTH, Words};
use super::scale::Scale;
use super::style::{self, Marker};
use super::{Chart, Material};
use crate::analysis::summary::{ArmSummary, FamilySummary, Ratio, State};
use crate::report::table::{Head, NONE, Table};
use crate::report::{answers, conclusions, human};
use crate::stats::verdict::{Conclusion, Reason};

const TITLE: &str = "Ratios to the reference, with their intervals";

/// Between the two panels, in px.
const GAP: i32 = 44;

/// One of the two ratios.
struct Panel {
    name: &'static str,
    ratio: fn(&ArmSummary) -> Option<Ratio>,
}

const PANELS: [Panel; 2] = [
    Panel { name: "response p50", ratio: |arm| arm.response_p50_ratio },
    Panel { name: "service p50", ratio: |arm| arm.service_p50_ratio },
];

pub(super) fn chart(material: &Material<'_>, stem: &str) -> Option<Chart> {
    let family = material.summary;
    if PANELS.iter().all(|panel| values(family, panel).is_empty()) {
        return None;
    }
    let words = Words { title: TITLE, note: "line: 95 % interval", axis: "" };
    let layout = Layout::new(family, &words, 26, 3);
    let answer = answers::forest_answer(family);
    let name = format!("{TITLE}: {}", family.title);
    let svg = canvas::draw(layout.size(), stem, &name, &answer, |canvas| {
        frame::heading(canvas, TITLE, &frame::subtitle(family, words.note));
        legend(canvas, &layout, family.delta_ratio);
        let half = (WIDTH - PAD - layout.left - GAP) / 2;
        for (i, panel) in (0..).zip(&PANELS) {
            let left = layout.left + i * (half + GAP);
            paint(canvas, &layout, family, panel, (left, left + half));
        }
        let axis = format!("ratio to {} ← below 1 is faster, log scale", family.reference);
        let below = (WIDTH / 2, layout.bottom() + 38);
        canvas.text(below, &axis, Align::Middle, style::INK);
        for (i, arm) in family.arms.iter().enumerate() {
            let y = layout.middle(i);
            frame::about(canvas, arm, || frame::name(canvas, y, arm));
            if arm.state != State::Ok {
                frame::why(canvas, &layout, y, arm);
            }
        }
    });
    Some(Chart {
        file: format!("{stem}.svg"),
        question: format!("Which strategies are faster or slower than {}?", family.reference),
        answer,
        svg,
        numbers: numbers(family),
    })
}

/// Everything that a panel has to show.
fn values(family: &FamilySummary, panel: &Panel) -> Vec<f64> {
    let ratios = family.arms.iter().filter_map(panel.ratio);
    ratios.flat_map(|r| [Some(r.estimate), r.ci_low, r.ci_high]).flatten().collect()
}

fn paint(
    canvas: &Canvas<'_>,
    layout: &Layout,
    family: &FamilySummary,
    panel: &Panel,
    (left, right): (i32, i32),
) {
    let scale = Scale::ratios(&values(family, panel), left, right);
    let (top, bottom) = (layout.top, layout.bottom());
    let delta = family.delta_ratio;
    let edges = (scale.pixel(1.0 / (1.0 + delta)), scale.pixel(1.0 + delta));
    canvas.rect((edges.0, top), (edges.1, bottom), style::BAND);
    frame::paint_scale(canvas, (left, right), (top, bottom), &scale, human::ratio_tick);
    let one = scale.pixel(1.0);
    canvas.line((one, top), (one, bottom), style::OUTLINE, 1);
    let above = ((left + right) / 2, top - 10);
    canvas.text(above, panel.name, Align::Middle, style::INK);
    for (i, arm) in family.arms.iter().enumerate() {
        if let Some(ratio) = (panel.ratio)(arm) {
            let y = layout.middle(i);
            frame::about(canvas, arm, || mark(canvas, &scale, arm, ratio, y));
        }
    }
}

/// A ratio with its interval at a height.
pub(super) fn mark(canvas: &Canvas<'_>, scale: &Scale, arm: &ArmSummary, ratio: Ratio, y: i32) {
    let (color, marker) = style::of_arm(&arm.strategy, &arm.role);
    let grey = ratio.conclusion == Conclusion::Withheld(Reason::PlaceboDiffers);
    let color = if grey { style::GREY } else { color };
    let fill = if ratio.conclusion.is_difference() { Fill::Filled } else { Fill::Hollow };
    if let (Some(low), Some(high)) = (ratio.ci_low, ratio.ci_high) {
        let (low, high) = (scale.pixel(low), scale.pixel(high));
        canvas.line((low, y), (high, y), color, 2);
        // Taller than the mark, which would hide a short line.
        canvas.line((low, y - 8), (low, y + 8), color, 1);
        canvas.line((high, y - 8), (high, y + 8), color, 1);
    }
    canvas.marker((scale.pixel(ratio.estimate), y), marker, color, fill);
}

fn legend(canvas: &Canvas<'_>, layout: &Layout, delta_ratio: f64) {
    let Some(&y) = layout.legend.first() else {
        return;
    };
    let mut x = 24;
    for (fill, text) in [
        (Fill::Filled, "a difference, as verdict or indication"),
        (Fill::Hollow, "none shown; grey: nothing may be concluded"),
    ] {
        canvas.marker((x, y), Marker::Circle, style::MUTED, fill);
        canvas.text((x + 14, y), text, Align::Start, style::MUTED);
        x += 14 + canvas::text_width(text) + 16;
    }
    let Some(&y) = layout.legend.get(1) else {
        return;
    };
    canvas.rect((16, y - 6), (32, y + 6), style::BAND);
    canvas.frame((16, y - 6), (32, y + 6), style::GRID);
    let delta = human::percent(delta_ratio);
    let text = format!("within {delta} of 1: a difference too small to matter");
    canvas.text((38, y), &text, Align::Start, style::MUTED);
}

fn numbers(family: &FamilySummary) -> Table {
    let mut head = vec![Head::new("strategy", false)];
    for panel in &PANELS {
        for what in ["ratio", "interval from", "interval to", "p adjusted"] {
            head.push(Head::new(&format!("{}, {what}", panel.name), true));
        }
        head.push(Head::new(&format!("{}, conclusion", panel.name), false));
    }
    let cell = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), human::exact);
    let rows = family.arms.iter().map(|arm| {
        let mut cells = vec![arm.label.clone()];
        for panel in &PANELS {
            let ratio = (panel.ratio)(arm);
            cells.push(cell(ratio.map(|r| r.estimate)));
            cells.push(cell(ratio.and_then(|r| r.ci_low)));
            cells.push(cell(ratio.and_then(|r| r.ci_high)));
            cells.push(cell(ratio.and_then(|r| r.p_adjusted)));
            cells.push(ratio.map_or_else(|| NONE.to_owned(), |r| conclusions::words(&r)));
        }
        cells
    });
    Table::new(head, rows)
}
