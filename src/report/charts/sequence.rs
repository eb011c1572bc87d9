//! Did the machine drift: every trial's median in the order in which trials ran, each against its
//! own arm's median, so that a slow minute shows in all arms at once.

use super::canvas::{self, Align, Canvas, Fill};
use super::frame::{self, LINE, PAD, WIDTH};
use super::scale::Scale;
use super::{Chart, Material, style};
use crate::analysis::summary::{ArmSummary, FamilySummary};
use crate::report::table::{Head, Table};
use crate::report::{answers, human};

const TITLE: &str = "Response time in the order of execution";
const HEIGHT: i32 = 190;

/// A trial that ran.
struct Point<'a> {
    arm: &'a ArmSummary,
    trial_id: &'a str,
    block: u32,
    p50_ns: f64,
    /// To the median of the arm.
    ratio: f64,
}

pub(super) fn chart(material: &Material<'_>, stem: &str) -> Option<Chart> {
    let family = material.summary;
    let points = points(material);
    let blocks = points.iter().map(|p| p.block).max()?;
    if blocks == points.iter().map(|p| p.block).min()? {
        return None;
    }
    let note = "each mark a trial: its median response over the median of its arm's trials";
    let subtitle = frame::subtitle(family, note);
    let legend = legend_lines(family);
    let legend_top = frame::below_heading(&subtitle) + 4;
    let top = legend_top + LINE * i32::try_from(legend.len()).unwrap_or(1) + 24;
    let (left, right, bottom) = (PAD + 54, WIDTH - PAD, top + HEIGHT);
    let values: Vec<f64> = points.iter().map(|p| p.ratio).collect();
    let answer = answers::drift_answer(&block_medians(&points));
    let name = format!("{TITLE}: {}", family.title);
    let svg = canvas::draw((WIDTH, bottom + 56), stem, &name, &answer, |canvas| {
        frame::heading(canvas, TITLE, &subtitle);
        paint_legend(canvas, family, &legend, legend_top);
        let scale = Scale::ratios(&values, bottom, top);
        frame::paint_upright(canvas, (left, right), (top, bottom), &scale, human::ratio_tick);
        let axis = "against the arm's median, log scale ↓ lower is better";
        canvas.text((PAD, top - 12), axis, Align::Start, style::INK);
        let axis = ((left + right) / 2, bottom + 38);
        canvas.text(axis, "block, in order of execution", Align::Middle, style::INK);
        paint(canvas, &points, &scale, (left + 8, right - 8, top, bottom));
    });
    Some(Chart {
        file: format!("{stem}.svg"),
        question: "Did the machine become slower or faster while this ran?".to_owned(),
        answer,
        svg,
        numbers: numbers(&points),
    })
}

/// In the order of the file, which is that of execution.
fn points<'a>(material: &Material<'a>) -> Vec<Point<'a>> {
    let arms = || material.rows.arms.iter().zip(&material.summary.arms);
    let of = |trial_id: &str| {
        arms().find(|(rows, _)| rows.good.iter().any(|row| row.trial_id == trial_id))
    };
    material
        .rows
        .rows
        .iter()
        .filter_map(|row| {
            let (_, arm) = of(&row.trial_id)?;
            let p50_ns = row.response_p50_ns? as f64;
            let ratio = p50_ns / arm.medians.response_p50_ns?;
            (ratio > 0.0).then_some(Point {
                arm,
                trial_id: &row.trial_id,
                block: row.block,
                p50_ns,
                ratio,
            })
        })
        .collect()
}

/// The median ratio of each block, in order.
fn block_medians(points: &[Point<'_>]) -> Vec<(u32, f64)> {
    let mut blocks: Vec<u32> = points.iter().map(|p| p.block).collect();
    blocks.sort_unstable();
    blocks.dedup();
    blocks
        .into_iter()
        .filter_map(|block| {
            let of_block = points.iter().filter(|p| p.block == block);
            let ratios: Vec<f64> = of_block.map(|p| p.ratio).collect();
            Some((block, crate::stats::quantile::median(&ratios)?))
        })
        .collect()
}

fn paint(
    canvas: &Canvas<'_>,
    points: &[Point<'_>],
    scale: &Scale,
    (left, right, top, bottom): (i32, i32, i32, i32),
) {
    let last = (points.len().max(2) - 1) as f64;
    let across = |i: f64| left + (i / last * f64::from(right - left)).round() as i32;
    let mut labelled_to = i32::MIN;
    for block in points.chunk_by(|a, b| a.block == b.block) {
        // A block's first place in the run, found by address: chunks are slices of the whole.
        let first = points.iter().position(|p| std::ptr::eq(p, &block[0])).unwrap_or(0);
        if first > 0 {
            let x = across(first as f64 - 0.5);
            canvas.line((x, top), (x, bottom), style::GRID, 1);
        }
        let middle = across(first as f64 + (block.len() - 1) as f64 / 2.0);
        let text = block[0].block.to_string();
        let half = canvas::text_width(&text) / 2;
        if middle - half > labelled_to {
            canvas.text((middle, bottom + 15), &text, Align::Middle, style::MUTED);
            labelled_to = middle + half + 4;
        }
    }
    let one = scale.pixel(1.0);
    canvas.line((left - 8, one), (right + 8, one), style::OUTLINE, 1);
    let place = |i: usize| (across(i as f64), scale.pixel(points[i].ratio));
    let reference: Vec<usize> =
        (0..points.len()).filter(|i| points[*i].arm.role == "reference").collect();
    if reference.len() > 1 {
        let points = reference.into_iter().map(place).collect();
        canvas.path(points, style::LEADER, 1);
    }
    for (i, point) in points.iter().enumerate() {
        let (color, marker, fill) = frame::look(point.arm, Fill::Hollow);
        let fill = if point.arm.role == "reference" { Fill::Filled } else { fill };
        frame::about(canvas, point.arm, || {
            canvas.marker(place(i), marker, color, fill);
        });
    }
}

/// Arms of the family, by index, with their x, in lines that fit.
fn legend_lines(family: &FamilySummary) -> Vec<Vec<(usize, i32)>> {
    let mut lines = vec![Vec::new()];
    let mut x = PAD + 8;
    for (i, arm) in family.arms.iter().enumerate() {
        let width = 12 + canvas::text_width(&arm.label);
        if x + width > WIDTH - PAD && x > PAD + 8 {
            lines.push(Vec::new());
            x = PAD + 8;
        }
        if let Some(line) = lines.last_mut() {
            line.push((i, x));
        }
        x += width + 18;
    }
    lines
}

fn paint_legend(
    canvas: &Canvas<'_>,
    family: &FamilySummary,
    lines: &[Vec<(usize, i32)>],
    top: i32,
) {
    for (line, entries) in (0..).zip(lines) {
        for (arm, x) in entries {
            let arm = &family.arms[*arm];
            let y = top + line * LINE;
            let (color, marker, fill) = frame::look(arm, Fill::Hollow);
            let fill = if arm.role == "reference" { Fill::Filled } else { fill };
            let text = canvas::fitted(&arm.label, WIDTH - PAD - x - 12);
            frame::about(canvas, arm, || {
                canvas.marker((*x, y), marker, color, fill);
                canvas.text((x + 12, y), &text, Align::Start, style::MUTED);
            });
        }
    }
}

fn numbers(points: &[Point<'_>]) -> Table {
    Table::new(
        vec![
            Head::new("place in the run", true),
            Head::new("trial", false),
            Head::new("block", true),
            Head::new("strategy", false),
            Head::new("response p50, ns", true),
            Head::new("ratio to the arm's median", true),
        ],
        points.iter().enumerate().map(|(i, point)| {
            vec![
                (i + 1).to_string(),
                point.trial_id.to_owned(),
                point.block.to_string(),
                point.arm.label.clone(),
                human::exact(point.p50_ns),
                human::exact(point.ratio),
            ]
        }),
    )
}
