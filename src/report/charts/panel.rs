//! Lines over the levels of a factor, with intervals: what the charts of sweeps are made of.

use super::canvas::{self, Align, Canvas, Fill};
use super::ends::{self, End};
use super::frame::{self, PAD, WIDTH};
use super::scale::Scale;
use super::style;
use crate::analysis::summary::State;
use crate::analysis::sweep::{Line, Point, Sweep};
use crate::report::human;
use crate::report::table::{Head, NONE, Table};

const LEFT: i32 = PAD + 74;
const RIGHT: i32 = WIDTH - PAD - ends::ROOM;
const HEIGHT_MIN: i32 = 200;
/// Above a plot its head, below it ticks and the axis' name, in px.
const ABOVE: i32 = 34;
const BELOW: i32 = 56;

/// One plot; several stand below each other.
pub(super) struct Panel {
    /// What is shown, with its good direction.
    pub(super) head: String,
    /// What a value is, with its unit, for the table.
    pub(super) column: &'static str,
    pub(super) series: Vec<Series>,
    pub(super) scale: fn(&[f64], i32, i32) -> Scale,
    pub(super) tick: fn(f64) -> String,
    pub(super) axis: Axis,
    /// What would be best, drawn without marks; empty if nothing is known.
    pub(super) ideal: Vec<(f64, f64)>,
    /// A level worth a line, with its name.
    pub(super) mark: Option<(f64, String)>,
    /// What else its scale has to hold, so that it is that of the panels beside it.
    pub(super) also: Vec<f64>,
}

/// A line.
pub(super) struct Series {
    pub(super) label: String,
    pub(super) strategy: String,
    pub(super) role: &'static str,
    /// In ascending order of levels.
    pub(super) dots: Vec<Dot>,
}

/// One value of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dot {
    pub(super) level: f64,
    pub(super) value: f64,
    pub(super) interval: Option<(f64, f64)>,
    /// May be compared; else hollow and grey.
    pub(super) is_sound: bool,
    pub(super) state: State,
}

impl Series {
    /// The values of a line, where it has them.
    pub(super) fn of(line: &Line<'_>, value: impl Fn(&Point<'_>) -> Option<Dot>) -> Option<Series> {
        let first = line.points.first()?;
        let key = &first.family.rows.arms[first.arm].key;
        Some(Series {
            label: line.label.clone(),
            strategy: key.name.clone(),
            role: key.role_name(),
            dots: line.points.iter().filter_map(value).collect(),
        })
        .filter(|series| !series.dots.is_empty())
    }
}

/// The levels from left to right: logarithmic where they span much; 0, which has no logarithm, and
/// «never» beside the others.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    factor: String,
    /// How it is drawn.
    drawn: String,
    /// Of a level, as a tick and as a number of the table.
    word: fn(f64) -> String,
    levels: Vec<f64>,
    is_logarithmic: bool,
}

/// Levels that span less than this, none of them 0, are at even distances.
const LINEAR_SPAN: f64 = 10.0;

impl Axis {
    pub(super) fn of(sweep: &Sweep<'_>) -> Axis {
        let (name, word): (&str, fn(f64) -> String) = match sweep.factor.as_str() {
            "payload_bytes" => ("payload", |n| human::bytes(n as u64)),
            "ballast_bytes" => {
                ("ballast of the process that creates children", |n| human::bytes(n as u64))
            }
            "recycle_after" => ("tasks after which a worker is replaced", number),
            other => (other, number),
        };
        let finite = || sweep.levels.iter().copied().filter(|n| n.is_finite());
        let low = finite().fold(f64::INFINITY, f64::min);
        let high = finite().fold(0.0, f64::max);
        let is_logarithmic =
            low < 1.0 || high > low * LINEAR_SPAN || finite().count() < sweep.levels.len();
        let beside = if is_logarithmic && low == 0.0 { ", 0 beside it" } else { "" };
        let scale = if is_logarithmic { "log" } else { "linear" };
        Axis {
            factor: name.replace('_', " "),
            drawn: format!("{scale} scale{beside}"),
            word,
            levels: sweep.levels.clone(),
            is_logarithmic,
        }
    }

    /// Where a level stands, in any unit.
    fn place(&self, level: f64) -> f64 {
        if !self.is_logarithmic {
            return level;
        }
        let positive: Vec<f64> =
            self.levels.iter().copied().filter(|n| *n > 0.0 && n.is_finite()).collect();
        let steps = positive.windows(2).map(|pair| (pair[1] / pair[0]).ln());
        let step = steps.fold(f64::INFINITY, f64::min);
        let step = if step.is_finite() { step } else { 1.0 };
        match (positive.first(), positive.last()) {
            (Some(first), _) if level <= 0.0 => first.ln() - step,
            (_, Some(last)) if level.is_infinite() => last.ln() + step,
            _ => level.ln(),
        }
    }

    fn pixel(&self, level: f64) -> i32 {
        let (Some(&first), Some(&last)) = (self.levels.first(), self.levels.last()) else {
            return LEFT;
        };
        let (low, high) = (self.place(first), self.place(last));
        // The outermost marks are whole, and off the axis.
        let (left, right) = (f64::from(LEFT + 14), f64::from(RIGHT - 14));
        let share = (self.place(level) - low) / (high - low);
        (left + share.clamp(0.0, 1.0) * (right - left)).round() as i32
    }

    /// What the factor is called.
    pub(super) fn factor(&self) -> &str {
        &self.factor
    }

    /// The name of a level.
    pub(super) fn word(&self, level: f64) -> String {
        (self.word)(level)
    }
}

fn number(level: f64) -> String {
    if level.is_infinite() { "never".to_owned() } else { human::exact(level) }
}

impl Panel {
    /// All that its scale has to hold.
    pub(super) fn values(&self) -> Vec<f64> {
        let dots = self.series.iter().flat_map(|series| &series.dots);
        dots.flat_map(|dot| {
            let ends = dot.interval.map_or([None, None], |(a, b)| [Some(a), Some(b)]);
            [Some(dot.value), ends[0], ends[1]]
        })
        .flatten()
        .chain(self.ideal.iter().map(|point| point.1))
        .chain(self.also.iter().copied())
        .collect()
    }

    /// Of the whole, in px.
    pub(super) fn height(&self) -> i32 {
        ABOVE + self.plot_height() + BELOW
    }

    fn plot_height(&self) -> i32 {
        let names = i32::try_from(self.series.len() + 1).unwrap_or(0);
        HEIGHT_MIN.max(ends::STEP * names + 20)
    }

    /// The plot below `y`.
    pub(super) fn paint(&self, canvas: &Canvas<'_>, y: i32) {
        let (top, bottom) = (y + ABOVE, y + ABOVE + self.plot_height());
        let scale = (self.scale)(&self.values(), bottom, top);
        frame::paint_upright(canvas, (LEFT, RIGHT), (top, bottom), &scale, self.tick);
        let head = format!("{}, {}", self.head, scale.word());
        canvas.text((PAD, top - 14), &head, Align::Start, style::INK);
        self.paint_axis(canvas, bottom);
        if let Some((level, name)) = &self.mark {
            let x = self.axis.pixel(*level);
            canvas.line((x, top), (x, bottom), style::LEADER, 1);
            canvas.text((x + 6, bottom - 10), name, Align::Start, style::MUTED);
        }
        let mut ends = Vec::new();
        let place = |level: f64, value: f64| (self.axis.pixel(level), scale.pixel(value));
        for pair in self.ideal.windows(2) {
            let (from, to) = (place(pair[0].0, pair[0].1), place(pair[1].0, pair[1].1));
            canvas.line(from, to, style::LEADER, 2);
        }
        ends.extend(self.ideal.last().map(|last| End {
            y: scale.pixel(last.1),
            color: style::LEADER,
            marker: None,
            label: "ideal",
            key: None,
        }));
        for series in &self.series {
            let (color, marker) = style::of_arm(&series.strategy, series.role);
            let key = style::key(&series.strategy, series.role);
            canvas.about(key, || {
                let dots = series.dots.iter();
                let points: Vec<(i32, i32)> = dots.map(|dot| place(dot.level, dot.value)).collect();
                if points.len() > 1 {
                    canvas.path(points, color, 1);
                }
                for dot in &series.dots {
                    paint_dot(canvas, dot, (color, marker), place);
                }
            });
            ends.extend(series.dots.last().map(|dot| End {
                y: scale.pixel(dot.value),
                color,
                marker: Some((marker, Fill::Filled)),
                label: &series.label,
                key: Some(key),
            }));
        }
        ends::paint(canvas, (RIGHT, bottom), ends);
    }

    fn paint_axis(&self, canvas: &Canvas<'_>, bottom: i32) {
        let mut free = i32::MIN;
        for &level in &self.axis.levels {
            let (x, word) = (self.axis.pixel(level), self.axis.word(level));
            canvas.line((x, bottom), (x, bottom + 5), style::OUTLINE, 1);
            let half = canvas::text_width(&word) / 2;
            if x - half >= free {
                canvas.text((x, bottom + 15), &word, Align::Middle, style::MUTED);
                free = x + half + 4;
            }
        }
        let middle = ((LEFT + RIGHT) / 2, bottom + 35);
        let name = format!("{}, {}", self.axis.factor, self.axis.drawn);
        canvas.text(middle, &name, Align::Middle, style::INK);
    }
}

fn paint_dot(
    canvas: &Canvas<'_>,
    dot: &Dot,
    (color, marker): (plotters::style::RGBColor, style::Marker),
    place: impl Fn(f64, f64) -> (i32, i32),
) {
    let (color, fill) =
        if dot.is_sound { (color, Fill::Filled) } else { (style::GREY, Fill::Hollow) };
    let at = place(dot.level, dot.value);
    if let Some((low, high)) = dot.interval {
        let (low, high) = (place(dot.level, low), place(dot.level, high));
        canvas.line(low, high, color, 2);
        // Wider than the mark, which would hide a short line.
        canvas.line((at.0 - 8, low.1), (at.0 + 8, low.1), color, 1);
        canvas.line((at.0 - 8, high.1), (at.0 + 8, high.1), color, 1);
    }
    canvas.marker(at, marker, color, fill);
}

/// Everything that is plotted, a row per mark.
pub(super) fn numbers(panels: &[Panel], factor: &str) -> Table {
    let column = panels.first().map_or("value", |panel| panel.column);
    let head = vec![
        Head::new("strategy", false),
        Head::new("shown", false),
        Head::new(factor, true),
        Head::new(column, true),
        Head::new("interval from", true),
        Head::new("interval to", true),
        Head::new("state", false),
    ];
    let mut rows = Vec::new();
    for panel in panels {
        for series in &panel.series {
            for dot in &series.dots {
                let end = |value: Option<f64>| value.map_or(NONE.to_owned(), human::exact);
                rows.push(vec![
                    series.label.clone(),
                    panel.head.clone(),
                    number(dot.level),
                    human::exact(dot.value),
                    end(dot.interval.map(|i| i.0)),
                    end(dot.interval.map(|i| i.1)),
                    dot.state.word().to_owned(),
                ]);
            }
        }
    }
    Table::new(head, rows)
}
