//! What the charts share: a row per arm with marker and label on the left, an axis below, title
//! and sample size above.

use super::canvas::{self, Align, Canvas, Fill};
use super::scale::Scale;
use super::style;
use crate::analysis::summary::{ArmSummary, FamilySummary, State};
use crate::report::human;

/// Of every chart, in px: two of them do not fit beside each other, one fits a page.
pub(super) const WIDTH: i32 = 720;

/// Around everything, in px.
pub(super) const PAD: i32 = 16;
/// Of text, in px.
pub(super) const LINE: i32 = 17;
const LABEL_LEFT: i32 = PAD + 22;
const LABEL_MAX: i32 = 230;
/// For the value in words, right of the plot.
const VALUE_WIDTH: i32 = 84;

/// Where things are.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) left: i32,
    pub(super) right: i32,
    /// Middles of the legend's lines.
    pub(super) legend: Vec<i32>,
    pub(super) top: i32,
    pub(super) row: i32,
    rows: i32,
    subtitle: Vec<String>,
}

/// The words around a chart.
pub(super) struct Words<'a> {
    pub(super) title: &'a str,
    /// What a mark is; follows the sample size.
    pub(super) note: &'a str,
    /// What the axis shows, with its direction.
    pub(super) axis: &'a str,
}

impl Layout {
    /// `row` is the height of an arm's row in px, `legend` the number of lines between subtitle
    /// and plot.
    pub(super) fn new(family: &FamilySummary, words: &Words<'_>, row: i32, legend: i32) -> Layout {
        let labels = family.arms.iter().map(|arm| canvas::text_width(&label(arm)));
        let label_width = labels.max().unwrap_or(0).min(LABEL_MAX);
        let subtitle = subtitle(family, words.note);
        let below = below_heading(&subtitle);
        Layout {
            left: LABEL_LEFT + label_width + 12,
            right: WIDTH - PAD - VALUE_WIDTH,
            legend: (0..legend).map(|i| below + 4 + i * LINE).collect(),
            top: below + legend * LINE + 4,
            row,
            rows: i32::try_from(family.arms.len()).unwrap_or(0),
            subtitle,
        }
    }

    /// The middle of a row.
    pub(super) fn middle(&self, row: usize) -> i32 {
        self.top + self.row * i32::try_from(row).unwrap_or(0) + self.row / 2
    }

    /// Width and height of the whole chart.
    pub(super) fn size(&self) -> (i32, i32) {
        (WIDTH, self.bottom() + 56)
    }

    pub(super) fn bottom(&self) -> i32 {
        self.top + self.row * self.rows
    }
}

/// The family, its sample size, and what a mark is, in lines.
pub(super) fn subtitle(family: &FamilySummary, note: &str) -> Vec<String> {
    let sample = format!(
        "{}, {}; {note}",
        human::plural(family.n_blocks as u64, "block"),
        human::plural(family.n_ok, "request"),
    );
    let mut lines = canvas::wrapped(&family.title, WIDTH - 2 * PAD);
    lines.extend(canvas::wrapped(&sample, WIDTH - 2 * PAD));
    lines
}

/// Title and subtitle.
pub(super) fn heading(canvas: &Canvas<'_>, title: &str, subtitle: &[String]) {
    canvas.title((PAD, PAD + 8), title);
    for (i, line) in (0..).zip(subtitle) {
        canvas.text((PAD, PAD + 32 + i * LINE), line, Align::Start, style::MUTED);
    }
}

/// Where what is below the heading begins.
pub(super) fn below_heading(subtitle: &[String]) -> i32 {
    PAD + 32 + LINE * i32::try_from(subtitle.len()).unwrap_or(4)
}

/// Title, subtitle, grid, axis and the arms' labels.
pub(super) fn paint(
    canvas: &Canvas<'_>,
    layout: &Layout,
    family: &FamilySummary,
    words: &Words<'_>,
    scale: &Scale,
    tick: fn(f64) -> String,
) {
    heading(canvas, words.title, &layout.subtitle);
    paint_axis(canvas, layout, words, scale, tick);
    for (i, arm) in family.arms.iter().enumerate() {
        paint_label(canvas, layout, i, arm);
    }
}

fn paint_axis(
    canvas: &Canvas<'_>,
    layout: &Layout,
    words: &Words<'_>,
    scale: &Scale,
    tick: fn(f64) -> String,
) {
    let bottom = layout.bottom();
    paint_scale(canvas, (layout.left, layout.right), (layout.top, bottom), scale, tick);
    let middle = (PAD + WIDTH) / 2;
    let title = format!("{}, {}", words.axis, scale.word());
    canvas.text((middle, bottom + 38), &title, Align::Middle, style::INK);
}

/// Grid, axis and the labels of its ticks; `across` from left to right, `down` from top to bottom.
pub(super) fn paint_scale(
    canvas: &Canvas<'_>,
    across: (i32, i32),
    (top, bottom): (i32, i32),
    scale: &Scale,
    tick: fn(f64) -> String,
) {
    for value in scale.ticks() {
        let x = scale.pixel(value);
        canvas.line((x, top), (x, bottom), style::GRID, 1);
    }
    let span = |value: f64| {
        let (x, half) = (scale.pixel(value), canvas::text_width(&tick(value)) / 2);
        (x - half, x + half + 8)
    };
    let fits = |ticks: &[f64]| ticks.windows(2).all(|w| span(w[0]).1 <= span(w[1]).0);
    for value in scale.labelled(fits) {
        let x = scale.pixel(value);
        canvas.line((x, bottom), (x, bottom + 5), style::OUTLINE, 1);
        let text = tick(value);
        // Below its mark, but inside the picture: a mark may be where the plot ends.
        let half = canvas::text_width(&text) / 2 + 1;
        let x = x.clamp(half, WIDTH - half);
        canvas.text((x, bottom + 15), &text, Align::Middle, style::MUTED);
    }
    canvas.line((across.0, bottom), (across.1, bottom), style::OUTLINE, 1);
}

fn paint_label(canvas: &Canvas<'_>, layout: &Layout, row: usize, arm: &ArmSummary) {
    let y = layout.middle(row);
    if row > 0 {
        let above = y - layout.row / 2;
        canvas.line((PAD, above), (layout.right, above), style::GRID, 1);
    }
    about(canvas, arm, || name(canvas, y, arm));
    if arm.medians.throughput_per_s.is_none() && arm.medians.response_p50_ns.is_none() {
        why(canvas, layout, y, arm);
    }
}

/// As [`paint_scale`] for an axis that stands upright at the left.
pub(super) fn paint_upright(
    canvas: &Canvas<'_>,
    (left, right): (i32, i32),
    down: (i32, i32),
    scale: &Scale,
    tick: fn(f64) -> String,
) {
    for value in scale.ticks() {
        let y = scale.pixel(value);
        canvas.line((left, y), (right, y), style::GRID, 1);
    }
    let fits = |ticks: &[f64]| {
        ticks.windows(2).all(|w| (scale.pixel(w[0]) - scale.pixel(w[1])).abs() >= LINE)
    };
    for value in scale.labelled(fits) {
        let (y, text) = (scale.pixel(value), tick(value));
        canvas.line((left - 5, y), (left, y), style::OUTLINE, 1);
        let x = left - 9 - canvas::text_width(&text);
        canvas.text((x, y), &text, Align::Start, style::MUTED);
    }
    canvas.line((left, down.0), (left, down.1), style::OUTLINE, 1);
    canvas.line((left, down.1), (right, down.1), style::OUTLINE, 1);
}

/// Why there is nothing in an arm's row.
pub(super) fn why(canvas: &Canvas<'_>, layout: &Layout, y: i32, arm: &ArmSummary) {
    let text = format!("{}: {}", arm.state.word(), arm.reason);
    let text = canvas::fitted(&text, WIDTH - PAD - layout.left - 8);
    canvas.text((layout.left + 8, y), &text, Align::Start, style::MUTED);
}

/// What is painted meanwhile is about this arm.
pub(super) fn about(canvas: &Canvas<'_>, arm: &ArmSummary, paint: impl FnOnce()) {
    canvas.about(style::key(&arm.strategy, &arm.role), paint);
}

/// Marker and label of an arm, at the left.
pub(super) fn name(canvas: &Canvas<'_>, y: i32, arm: &ArmSummary) {
    let (color, marker, fill) = look(arm, Fill::Filled);
    canvas.marker((PAD + 8, y), marker, color, fill);
    let text = canvas::fitted(&label(arm), LABEL_MAX);
    let ink = if arm.state == State::Ok { style::INK } else { style::MUTED };
    canvas.text((LABEL_LEFT, y), &text, Align::Start, ink);
}

/// A value in words, right of the plot.
pub(super) fn value(canvas: &Canvas<'_>, layout: &Layout, y: i32, text: &str) {
    canvas.text((layout.right + 10, y), text, Align::Start, style::INK);
}

/// Colour, marker and fill of an arm: hollow and grey unless it is comparable.
pub(super) fn look(
    arm: &ArmSummary,
    fill: Fill,
) -> (plotters::style::RGBColor, style::Marker, Fill) {
    let (color, marker) = style::of_arm(&arm.strategy, &arm.role);
    if arm.state == State::Ok { (color, marker, fill) } else { (style::GREY, marker, Fill::Hollow) }
}

fn label(arm: &ArmSummary) -> String {
    match arm.state {
        State::Flawed => format!("{} (flawed)", arm.label),
        _ => arm.label.clone(),
    }
}
