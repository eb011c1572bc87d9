//! The shape of response times: one small panel per arm, the reference behind it.

use super::canvas::{self, Align, Canvas, Fill};
use super::frame::{self, PAD, WIDTH};
use super::scale::Scale;
use super::{Chart, Material, style};
use crate::analysis::distribution::Distribution;
use crate::analysis::summary::ArmSummary;
use crate::report::table::{Head, NONE, Table};
use crate::report::{answers, human};
use crate::stats::quantile::P;

const TITLE: &str = "Distribution of response times";

/// Per cent of requests at which a curve has a corner.
const SHARES: [u32; 23] =
    [1, 2, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 98, 99];

const COLUMNS: usize = 3;
const PANEL: (i32, i32) = (216, 84);
const GAP: (i32, i32) = (20, 58);

/// Corners of a curve: ns by share, in the order of [`SHARES`].
type Curve = Vec<Option<f64>>;

pub(super) fn chart(material: &Material<'_>, stem: &str) -> Option<Chart> {
    let family = material.summary;
    let curves: Vec<(&ArmSummary, Curve)> = family
        .arms
        .iter()
        .zip(material.distributions)
        .filter(|(_, distribution)| distribution.members() > 0)
        .map(|(arm, distribution)| (arm, curve(distribution)))
        .collect();
    let values: Vec<f64> = curves.iter().flat_map(|(_, c)| c).flatten().copied().collect();
    if values.is_empty() {
        return None;
    }
    let note = "share answered within a time, each block weighing the same; reference in grey";
    let subtitle = frame::subtitle(family, note);
    let top = frame::below_heading(&subtitle) + 26;
    let rows = i32::try_from(curves.len().div_ceil(COLUMNS)).unwrap_or(1);
    let answer = answers::spread_answer(&family.arms, &spreads(&curves));
    let name = format!("{TITLE}: {}", family.title);
    let size = (WIDTH, top + rows * (PANEL.1 + GAP.1) + 6);
    let svg = canvas::draw(size, stem, &name, &answer, |canvas| {
        frame::heading(canvas, TITLE, &subtitle);
        let reference = curves.iter().find(|(arm, _)| arm.role == "reference");
        for (i, (arm, curve)) in curves.iter().enumerate() {
            let (row, column) = ((i / COLUMNS) as i32, (i % COLUMNS) as i32);
            let at = (PAD + column * (PANEL.0 + GAP.0), top + row * (PANEL.1 + GAP.1));
            let behind = reference.filter(|_| arm.role != "reference");
            panel(canvas, at, arm, curve, behind.map(|(_, c)| c), &values);
        }
    });
    Some(Chart {
        file: format!("{stem}.svg"),
        question: "How evenly are requests answered?".to_owned(),
        answer,
        svg,
        numbers: numbers(&curves),
    })
}

fn curve(distribution: &Distribution) -> Curve {
    SHARES
        .iter()
        .map(|percent| distribution.quantile(P::per_ten_thousand(percent * 100)?))
        .collect()
}

/// The 95 % over the 5 % point of each arm.
fn spreads<'a>(curves: &'a [(&'a ArmSummary, Curve)]) -> Vec<(&'a str, f64)> {
    let at = |curve: &Curve, percent: u32| curve[SHARES.iter().position(|s| *s == percent)?];
    curves
        .iter()
        .filter_map(|(arm, curve)| Some((arm.label.as_str(), at(curve, 95)? / at(curve, 5)?)))
        .collect()
}

fn panel(
    canvas: &Canvas<'_>,
    (left, top): (i32, i32),
    arm: &ArmSummary,
    curve: &Curve,
    behind: Option<&Curve>,
    values: &[f64],
) {
    // The last label is centred below the end of the axis.
    let (right, bottom) = (left + PANEL.0 - 22, top + PANEL.1);
    let plot_left = left + 40;
    let scale = Scale::of(values, plot_left, right);
    frame::paint_scale(canvas, (plot_left, right), (top, bottom), &scale, human::duration_tick);
    let height = |share: f64| bottom - (share * f64::from(PANEL.1)).round() as i32;
    for share in [0.0, 0.5, 1.0] {
        let y = height(share);
        canvas.line((plot_left, y), (right, y), style::GRID, 1);
        let text = format!("{}", share * 100.0);
        let x = plot_left - 8 - canvas::text_width(&text);
        canvas.text((x, y), &text, Align::Start, style::MUTED);
    }
    let line = |curve: &Curve, color, width| {
        let points: Vec<(i32, i32)> = SHARES
            .iter()
            .zip(curve)
            .filter_map(|(percent, ns)| {
                Some((scale.pixel((*ns)?), height(f64::from(*percent) / 100.0)))
            })
            .collect();
        if points.len() > 1 {
            canvas.path(points, color, width);
        }
    };
    if let Some(behind) = behind {
        line(behind, style::LEADER, 2);
    }
    frame::about(canvas, arm, || {
        let (color, marker, fill) = frame::look(arm, Fill::Filled);
        canvas.marker((plot_left + 6, top - 14), marker, color, fill);
        let name = canvas::fitted(&arm.label, PANEL.0 - 56);
        canvas.text((plot_left + 18, top - 14), &name, Align::Start, style::INK);
        line(curve, color, 2);
    });
}

fn numbers(curves: &[(&ArmSummary, Curve)]) -> Table {
    let mut head = vec![Head::new("share of requests, %", true)];
    head.extend(curves.iter().map(|(arm, _)| Head::new(&format!("{}, ns", arm.label), true)));
    let rows = SHARES.iter().enumerate().map(|(i, percent)| {
        let mut cells = vec![percent.to_string()];
        for (_, curve) in curves {
            cells.push(curve[i].map_or_else(|| NONE.to_owned(), human::exact));
        }
        cells
    });
    Table::new(head, rows)
}
