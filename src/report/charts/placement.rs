//! What the place of the children costs: the same arms, pinned to the server's core, to another,
//! and not at all; a lane for each.

use super::Chart;
use super::canvas::{self, Align, Canvas, Fill};
use super::frame::{self, LINE, PAD, WIDTH};
use super::scale::Scale;
use super::style::{self, Marker};
use crate::analysis::cells::Analysed;
use crate::analysis::metrics::{RESPONSE_P50, SERVICE_P50};
use crate::analysis::summary::State;
use crate::analysis::sweep;
use crate::report::human;
use crate::report::table::{Head, NONE, Table};

const FACTOR: &str = "placement";
/// From the top of an arm's row to its bottom.
const LANES: [&str; 3] = ["same-core", "other-core", "unpinned"];
const LANE: i32 = 14;
const ROW: i32 = LANE * 3 + 12;
/// The metric, its name in words, and in file names.
const KINDS: [(&str, &str, &str); 2] =
    [(SERVICE_P50, "service", "service"), (RESPONSE_P50, "response", "response")];

/// What an arm needed at a placement.
struct Dot {
    lane: usize,
    value_ns: f64,
    interval_ns: Option<(f64, f64)>,
    state: State,
}

struct Row {
    label: String,
    strategy: String,
    role: &'static str,
    dots: Vec<Dot>,
}

impl Row {
    fn at(&self, lane: usize) -> Option<f64> {
        let dot = self.dots.iter().find(|dot| dot.lane == lane)?;
        (dot.state == State::Ok).then_some(dot.value_ns)
    }

    /// Other core over same core.
    fn times(&self) -> Option<f64> {
        Some(self.at(1)? / self.at(0)?)
    }
}

/// Two charts for every workload that ran at two placements or more.
pub(super) fn charts(families: &[Analysed<'_>]) -> Vec<Chart> {
    let groups = sweep::grouped_without(families, FACTOR);
    let several = |members: &[(String, &Analysed<'_>)]| {
        members.iter().any(|(placement, _)| *placement != members[0].0)
    };
    let placed = groups.into_iter().filter(|(_, members)| several(members));
    let mut charts = Vec::new();
    for (i, (_, members)) in (1..).zip(placed) {
        for (metric, name, stem) in KINDS {
            let rows = rows(&members, metric);
            let title = sweep::title(members[0].1, &[FACTOR]);
            let blocks = members.iter().map(|(_, f)| f.rows.blocks.len()).min();
            let stem = format!("placement-{i:02}-{stem}");
            charts.extend(chart(&rows, (name, &title), blocks.unwrap_or(0), &stem));
        }
    }
    charts
}

fn rows(members: &[(String, &Analysed<'_>)], metric: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (placement, family) in members {
        let Some(lane) = LANES.iter().position(|lane| lane == placement) else {
            continue;
        };
        let Some(result) = family.results.iter().find(|r| r.metric.name == metric) else {
            continue;
        };
        for (arm, cell) in family.rows.arms.iter().zip(&result.cells) {
            let Some(value_ns) = cell.estimate else {
                continue;
            };
            let dot = Dot {
                lane,
                value_ns,
                interval_ns: cell.interval.map(|i| (i.low, i.high)),
                state: arm.state,
            };
            match rows.iter_mut().find(|row| row.label == arm.label) {
                Some(row) => row.dots.push(dot),
                None => rows.push(Row {
                    label: arm.label.clone(),
                    strategy: arm.key.name.clone(),
                    role: arm.key.role_name(),
                    dots: vec![dot],
                }),
            }
        }
    }
    rows
}

fn chart(rows: &[Row], (name, what): (&str, &str), blocks: usize, stem: &str) -> Option<Chart> {
    let values: Vec<f64> = rows
        .iter()
        .flat_map(|row| &row.dots)
        .flat_map(|dot| {
            let ends = dot.interval_ns.map_or([None; 2], |(a, b)| [Some(a), Some(b)]);
            [Some(dot.value_ns), ends[0], ends[1]]
        })
        .flatten()
        .collect();
    if values.is_empty() {
        return None;
    }
    let title = format!("Median {name} time by placement");
    let note = "marks: medians with their 95 % intervals; grey: not all requests were answered ok";
    let sample = format!("{}; {note}", human::plural(blocks as u64, "block"));
    let mut subtitle = canvas::wrapped(what, WIDTH - 2 * PAD);
    subtitle.extend(canvas::wrapped(&sample, WIDTH - 2 * PAD));
    let legend = frame::below_heading(&subtitle) + 4;
    let top = legend + 3 * LINE;
    let bottom = top + ROW * i32::try_from(rows.len()).unwrap_or(0);
    let widest = rows.iter().map(|row| canvas::text_width(&row.label)).max();
    let left = PAD + 22 + widest.unwrap_or(0).min(230) + 12;
    let scale = Scale::of(&values, left, WIDTH - PAD - 84);
    let answer = answer(rows, name);
    let full = format!("{title}: {what}");
    let svg = canvas::draw((WIDTH, bottom + 56), stem, &full, &answer, |canvas| {
        frame::heading(canvas, &title, &subtitle);
        paint_legend(canvas, legend);
        let across = (left, WIDTH - PAD - 84);
        frame::paint_scale(canvas, across, (top, bottom), &scale, human::duration_tick);
        let axis = format!("median {name} time ← lower is better, {}", scale.word());
        canvas.text(((PAD + WIDTH) / 2, bottom + 38), &axis, Align::Middle, style::INK);
        for (i, row) in (0..).zip(rows) {
            canvas.about(style::key(&row.strategy, row.role), || {
                paint_row(canvas, row, &scale, (left, top + i * ROW));
            });
        }
    });
    Some(Chart {
        file: format!("{stem}.svg"),
        question: format!("What does it cost to wake a child on another core, by {name} time?"),
        answer,
        svg,
        numbers: numbers(rows),
    })
}

fn paint_legend(canvas: &Canvas<'_>, y: i32) {
    let entries = [
        (Some(Fill::Filled), "above: same core as the server"),
        (Some(Fill::Hollow), "middle: another core"),
        (None, "small, below: unpinned"),
    ];
    let mut x = PAD + 8;
    for (fill, text) in entries {
        paint_mark(canvas, (x, y), Marker::Circle, style::MUTED, fill);
        canvas.text((x + 12, y), text, Align::Start, style::MUTED);
        x += 12 + canvas::text_width(text) + 14;
    }
    let number = "number at the right: another core over the same one, a ratio of medians, \
                  without an interval";
    canvas.text((PAD, y + LINE), number, Align::Start, style::MUTED);
}

/// Without a fill a small square, which is no strategy's mark at that size.
fn paint_mark(
    canvas: &Canvas<'_>,
    at: (i32, i32),
    marker: Marker,
    color: plotters::style::RGBColor,
    fill: Option<Fill>,
) {
    match fill {
        Some(fill) => canvas.marker(at, marker, color, fill),
        None => canvas.rect((at.0 - 2, at.1 - 3), (at.0 + 2, at.1 + 3), color),
    }
}

fn paint_row(canvas: &Canvas<'_>, row: &Row, scale: &Scale, (left, top): (i32, i32)) {
    let middle = top + ROW / 2;
    let (color, marker) = style::of_arm(&row.strategy, row.role);
    canvas.marker((PAD + 8, middle), marker, color, Fill::Filled);
    let label = canvas::fitted(&row.label, left - PAD - 34);
    canvas.text((PAD + 22, middle), &label, Align::Start, style::INK);
    canvas.line((PAD, top), (WIDTH - PAD - 84, top), style::GRID, 1);
    let y = |lane: usize| middle + LANE * (i32::try_from(lane).unwrap_or(0) - 1);
    if let (Some(same), Some(other)) = (row.at(0), row.at(1)) {
        let (from, to) = ((scale.pixel(same), y(0)), (scale.pixel(other), y(1)));
        canvas.line(from, to, style::LEADER, 1);
    }
    for dot in &row.dots {
        let color = if dot.state == State::Ok { color } else { style::GREY };
        let (x, y) = (scale.pixel(dot.value_ns), y(dot.lane));
        if let Some((low, high)) = dot.interval_ns {
            canvas.line((scale.pixel(low), y), (scale.pixel(high), y), color, 2);
        }
        let fill = [Some(Fill::Filled), Some(Fill::Hollow), None][dot.lane];
        paint_mark(canvas, (x, y), marker, color, fill);
    }
    if let Some(times) = row.times() {
        let at = (WIDTH - PAD - 74, middle);
        canvas.text(at, &human::ratio(times), Align::Start, style::INK);
    }
}

fn answer(rows: &[Row], name: &str) -> String {
    let mut known: Vec<(&Row, f64)> = rows
        .iter()
        .filter(|row| row.role == "arm")
        .filter_map(|row| Some((row, row.times()?)))
        .collect();
    known.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (Some(least), Some(most)) = (known.first(), known.last()) else {
        return "No strategy ran on both the same core and another one.".to_owned();
    };
    let part = |(row, times): &(&Row, f64)| {
        let [same, other] =
            [0, 1].map(|lane| row.at(lane).map_or_else(String::new, human::duration));
        format!(
            "{} for {} ({same} on the same core, {other} on another)",
            human::ratio(*times),
            row.label
        )
    };
    format!(
        "On another core instead of the server's own the median {name} takes from {} to {}; these \
         are ratios of medians, without an interval.",
        part(least),
        part(most)
    )
}

fn numbers(rows: &[Row]) -> Table {
    let head = vec![
        Head::new("strategy", false),
        Head::new("placement", false),
        Head::new("median over blocks, ns", true),
        Head::new("interval from, ns", true),
        Head::new("interval to, ns", true),
        Head::new("state", false),
    ];
    let cell = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), human::exact);
    let of = |row: &Row, dot: &Dot| {
        vec![
            row.label.clone(),
            LANES[dot.lane].to_owned(),
            human::exact(dot.value_ns),
            cell(dot.interval_ns.map(|i| i.0)),
            cell(dot.interval_ns.map(|i| i.1)),
            dot.state.word().to_owned(),
        ]
    };
    Table::new(head, rows.iter().flat_map(|row| row.dots.iter().map(move |dot| of(row, dot))))
}
