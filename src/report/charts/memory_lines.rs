//! What children cost in memory: a tree's memory against the number of its children, and the line
//! through it. Both axes are linear, because only there is a slope a slope and what is shared once
//! the height at which a line begins; a logarithmic axis would bend all of them alike.

use super::canvas::{self, Align, Canvas, Fill};
use super::ends::{self, End};
use super::frame::{self, PAD, WIDTH};
use super::scale::Scale;
use super::{Chart, style};
use crate::report::human;
use crate::report::memory::{self, Group, MemoryLevel, MemoryLine, Series};
use crate::report::table::{Head, NONE, Table};

const TITLE: &str = "Memory against children";

pub(super) fn chart(group: &Group, stem: &str) -> Option<Chart> {
    let lined: Vec<(&Series, MemoryLine)> = group.lined().collect();
    let k_max = lined.iter().filter_map(|(s, _)| Some(s.last()?.k)).max()?;
    let note = "mark: median over blocks of PSS and page tables of the whole tree; line: \
                Theil–Sen, or from level to level where it misses one by more than 3 %";
    let mut subtitle = canvas::wrapped(&group.title, WIDTH - 2 * PAD);
    let sample = format!("{}; {note}", human::plural(group.n_blocks as u64, "block"));
    subtitle.extend(canvas::wrapped(&sample, WIDTH - 2 * PAD));
    let top = frame::below_heading(&subtitle) + 24;
    let height = 320.max(ends::STEP * i32::try_from(lined.len()).unwrap_or(0) + 20);
    let bottom = top + height;
    let (left, right) = (PAD + 74, WIDTH - PAD - ends::ROOM);
    let heights = lined.iter().flat_map(|(series, line)| {
        let points = series.levels.iter().filter_map(MemoryLevel::held_bytes);
        points.chain([line.at(f64::from(k_max))])
    });
    let highest = heights.fold(0.0, f64::max);
    let plot = Plot {
        across: Scale::linear(f64::from(k_max), left, right),
        up: Scale::linear(highest, bottom, top),
    };
    let answer = memory::lines_answer(group);
    let name = format!("{TITLE}: {}", group.title);
    let svg = canvas::draw((WIDTH, bottom + 56), stem, &name, &answer, |canvas| {
        frame::heading(canvas, TITLE, &subtitle);
        let (span, down) = ((left, right), (top, bottom));
        frame::paint_upright(canvas, span, down, &plot.up, human::megabytes_tick);
        frame::paint_scale(canvas, span, down, &plot.across, human::rate_tick);
        let middle = (left + right) / 2;
        let axis = "children, linear scale";
        canvas.text((middle, bottom + 38), axis, Align::Middle, style::INK);
        let axis = "memory of the tree ↓ lower is better, linear scale";
        canvas.text((PAD, top - 12), axis, Align::Start, style::INK);
        for (series, line) in &lined {
            canvas.about(&series.strategy, || paint(canvas, &plot, series, line));
        }
        labels(canvas, &plot, (right, bottom), &lined);
    });
    Some(Chart {
        file: format!("{stem}.svg"),
        question: "What does each further child cost in memory?".to_owned(),
        answer,
        svg,
        numbers: numbers(group),
    })
}

struct Plot {
    across: Scale,
    up: Scale,
}

impl Plot {
    fn at(&self, k: u32, bytes: f64) -> (i32, i32) {
        (self.across.pixel(f64::from(k)), self.up.pixel(bytes))
    }
}

fn paint(canvas: &Canvas<'_>, plot: &Plot, series: &Series, line: &MemoryLine) {
    let (color, marker) = style::of_arm(&series.strategy, "arm");
    if series.miss.is_some() {
        // There is no line: from level to level.
        let levels = series.levels.iter();
        let points = levels.filter_map(|level| Some(plot.at(level.k, level.held_bytes()?)));
        canvas.path(points.collect(), color, 1);
    } else {
        let k_max = series.last().map_or(0, |level| level.k);
        let (from, to) = (plot.at(0, line.at(0.0)), plot.at(k_max, line.at(f64::from(k_max))));
        canvas.line(from, to, color, 1);
    }
    for level in &series.levels {
        if let Some(bytes) = level.held_bytes() {
            canvas.marker(plot.at(level.k, bytes), marker, color, Fill::Filled);
        }
    }
}

/// Names and slopes at the right, each at the height where its line ends.
fn labels(canvas: &Canvas<'_>, plot: &Plot, beside: (i32, i32), lined: &[(&Series, MemoryLine)]) {
    let text = |(series, line): &(&Series, MemoryLine)| match series.miss {
        None => format!("{}: {} MB", series.label, human::megabytes(line.slope_bytes)),
        Some(_) => format!("{}: no line", series.label),
    };
    let texts: Vec<String> = lined.iter().map(text).collect();
    let ends = lined.iter().zip(&texts).map(|((series, line), label)| {
        let k = series.last().map_or(0, |level| level.k);
        let (color, marker) = style::of_arm(&series.strategy, "arm");
        let line_bytes = line.at(f64::from(k));
        let level_bytes = series.last().and_then(MemoryLevel::held_bytes);
        let is_line = series.miss.is_none();
        let end_bytes = if is_line { line_bytes } else { level_bytes.unwrap_or(line_bytes) };
        End {
            y: plot.at(k, end_bytes).1,
            color,
            marker: Some((marker, Fill::Filled)),
            label,
            key: Some(&series.strategy),
        }
    });
    ends::paint(canvas, beside, ends.collect());
}

fn numbers(group: &Group) -> Table {
    let cell = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), human::exact);
    let rows = group.lined().flat_map(|(series, line)| {
        series.levels.iter().map(move |level| {
            let per_child = level.held_bytes().filter(|_| level.k > 0);
            vec![
                series.label.clone(),
                level.k.to_string(),
                cell(level.held_bytes()),
                cell(Some(line.at(f64::from(level.k)))),
                cell(per_child.map(|bytes| bytes / f64::from(level.k))),
                cell(level.uss_bytes),
                cell(level.cgroup_usage_bytes),
                cell(level.mem_available_fall_bytes),
            ]
        })
    });
    Table::new(
        vec![
            Head::new("strategy", false),
            Head::new("children", true),
            Head::new("PSS and page tables, bytes", true),
            Head::new("line, bytes", true),
            Head::new("the same per child, bytes", true),
            Head::new("USS, bytes", true),
            Head::new("cgroup usage, bytes", true),
            Head::new("fall of MemAvailable, bytes (unreliable)", true),
        ],
        rows,
    )
}
