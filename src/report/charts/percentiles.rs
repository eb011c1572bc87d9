//! How bad the worst requests are: response time against the share of requests, on an axis that
//! gives every further nine the same room.

use super::canvas::{self, Align, Canvas, Fill};
use super::frame::{self, PAD, WIDTH};
use super::scale::Scale;
use super::{Chart, Material, ends, style};
use crate::analysis::distribution::Distribution;
use crate::analysis::summary::{ArmSummary, FamilySummary, State};
use crate::report::table::{Head, NONE, Table};
use crate::report::{answers, human};
use crate::stats::quantile::P;

const TITLE: &str = "Response time by percentile";

/// In parts per ten thousand, with whether there is a label and a mark.
const SHARES: [(u32, bool); 16] = [
    (1_000, false),
    (2_500, false),
    (5_000, true),
    (6_000, false),
    (7_000, false),
    (7_500, false),
    (8_000, false),
    (9_000, true),
    (9_500, false),
    (9_800, false),
    (9_900, true),
    (9_950, false),
    (9_980, false),
    (9_990, true),
    (9_995, false),
    (9_999, true),
];

pub(super) fn chart(material: &Material<'_>, stem: &str) -> Option<Chart> {
    let family = material.summary;
    let curves: Vec<Curve<'_>> = family
        .arms
        .iter()
        .zip(material.distributions)
        .map(|(arm, distribution)| Curve::of(arm, distribution))
        .collect();
    let values: Vec<f64> = curves.iter().flat_map(|c| c.points()).map(|p| p.1).collect();
    if values.is_empty() {
        return None;
    }
    let note = "each block weighing the same; a line ends where fewer than 10 requests lie beyond";
    let subtitle = frame::subtitle(family, note);
    let top = frame::below_heading(&subtitle) + 24;
    let height = 300.max(ends::STEP * i32::try_from(curves.len()).unwrap_or(0) + 20);
    let plot = Plot {
        left: PAD + 74,
        right: WIDTH - PAD - ends::ROOM,
        top,
        bottom: top + height,
        last: curves
            .iter()
            .flat_map(Curve::points)
            .map(|(place, ..)| place)
            .fold(nines(9_900), f64::max),
    };
    let answer = answers::tail_answer(family, &tails(family, &curves));
    let name = format!("{TITLE}: {}", family.title);
    let size = (WIDTH, plot.bottom + 56);
    let svg = canvas::draw(size, stem, &name, &answer, |canvas| {
        frame::heading(canvas, TITLE, &subtitle);
        paint(canvas, &plot, &curves, &values);
    });
    Some(Chart {
        file: format!("{stem}.svg"),
        question: "How long do the slowest requests take?".to_owned(),
        answer,
        svg,
        numbers: numbers(&curves),
    })
}

struct Curve<'a> {
    arm: &'a ArmSummary,
    /// In the order of [`SHARES`].
    ns: Vec<Option<f64>>,
}

impl<'a> Curve<'a> {
    fn of(arm: &'a ArmSummary, distribution: &Distribution) -> Curve<'a> {
        let ns = SHARES
            .iter()
            .map(|(parts, _)| P::per_ten_thousand(*parts).and_then(|p| distribution.quantile(p)));
        Curve { arm, ns: ns.collect() }
    }

    /// Place on the axis and ns of what is shown.
    fn points(&self) -> impl Iterator<Item = (f64, f64, bool)> {
        SHARES
            .iter()
            .zip(&self.ns)
            .filter_map(|((parts, marked), ns)| Some((nines(*parts), (*ns)?, *marked)))
    }
}

/// 0.3 at the median, 1 at 90 %, 2 at 99 %.
fn nines(parts: u32) -> f64 {
    -(1.0 - f64::from(parts) / 10_000.0).log10()
}

/// The median and the furthest share that all comparable arms show, so that like is held against
/// like; 90 % of those that show it, where not all do.
fn tails<'a>(family: &'a FamilySummary, curves: &'a [Curve<'a>]) -> Vec<answers::Tail<'a>> {
    let comparable = || {
        let is = |curve: &&Curve<'_>| curve.arm.state == State::Ok && curve.arm.role != "placebo";
        curves.iter().filter(is)
    };
    let at = |curve: &Curve<'_>, wanted: u32| {
        let place = SHARES.iter().position(|(parts, _)| *parts == wanted)?;
        curve.ns[place]
    };
    let common = [9_990, 9_900, 9_000]
        .into_iter()
        .find(|parts| comparable().all(|curve| at(curve, *parts).is_some()))
        .unwrap_or(9_000);
    comparable()
        .filter_map(|curve| {
            Some(answers::Tail {
                label: &curve.arm.label,
                reference: &family.reference,
                share: f64::from(common) / 10_000.0,
                p50_ns: at(curve, 5_000)?,
                tail_ns: at(curve, common)?,
            })
        })
        .collect()
}

struct Plot {
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
    /// The number of nines at the right.
    last: f64,
}

impl Plot {
    /// The place of a number of nines.
    fn across(&self, place: f64) -> i32 {
        let low = nines(1_000);
        let share = (place - low) / (self.last - low);
        self.left + (share * f64::from(self.right - self.left)).round() as i32
    }
}

fn paint(canvas: &Canvas<'_>, plot: &Plot, curves: &[Curve<'_>], values: &[f64]) {
    let scale = Scale::of(values, plot.bottom, plot.top);
    let span = (plot.top, plot.bottom);
    frame::paint_upright(canvas, (plot.left, plot.right), span, &scale, human::duration_tick);
    for (parts, labelled) in SHARES {
        let x = plot.across(nines(parts));
        if labelled && nines(parts) <= plot.last {
            canvas.line((x, plot.top), (x, plot.bottom), style::GRID, 1);
            canvas.line((x, plot.bottom), (x, plot.bottom + 5), style::OUTLINE, 1);
            let text = format!("{} %", human::exact(f64::from(parts) / 100.0));
            canvas.text((x, plot.bottom + 15), &text, Align::Middle, style::MUTED);
        }
    }
    let middle = (plot.left + plot.right) / 2;
    let axis = "share of requests answered within that time";
    canvas.text((middle, plot.bottom + 38), axis, Align::Middle, style::INK);
    let axis = format!("response time ↓ lower is better, {}", scale.word());
    canvas.text((PAD, plot.top - 12), &axis, Align::Start, style::INK);
    let mut ends = Vec::new();
    for curve in curves {
        let (color, marker, fill) = frame::look(curve.arm, Fill::Filled);
        let points: Vec<((i32, i32), bool)> = curve
            .points()
            .map(|(place, ns, marked)| ((plot.across(place), scale.pixel(ns)), marked))
            .collect();
        frame::about(canvas, curve.arm, || {
            if points.len() > 1 {
                canvas.path(points.iter().map(|point| point.0).collect(), color, 2);
            }
            for (at, _) in points.iter().filter(|(_, marked)| *marked) {
                canvas.marker(*at, marker, color, fill);
            }
        });
        if let Some((end, _)) = points.last() {
            ends.push(ends::End {
                y: end.1,
                color,
                marker: Some((marker, fill)),
                label: &curve.arm.label,
                key: Some(style::key(&curve.arm.strategy, &curve.arm.role)),
            });
        }
    }
    ends::paint(canvas, (plot.right, plot.bottom), ends);
}

fn numbers(curves: &[Curve<'_>]) -> Table {
    let mut head = vec![Head::new("share of requests, %", true)];
    head.extend(curves.iter().map(|c| Head::new(&format!("{}, ns", c.arm.label), true)));
    let rows = SHARES.iter().enumerate().map(|(i, (parts, _))| {
        let mut cells = vec![human::exact(f64::from(*parts) / 100.0)];
        for curve in curves {
            cells.push(curve.ns[i].map_or_else(|| NONE.to_owned(), human::exact));
        }
        cells
    });
    Table::new(head, rows)
}
