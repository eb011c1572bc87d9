//! What a tree's memory consists of with the most children, and how far off the naïve sum is.

use plotters::style::RGBColor;

use super::Chart;
use super::canvas::{self, Align, Canvas, Fill};
use super::frame::{self, LINE, PAD, WIDTH};
use super::scale::Scale;
use super::style::{self, Marker};
use crate::report::human;
use crate::report::memory::{self, Group, MemoryLevel, Series};
use crate::report::table::{Head, NONE, Table};

const TITLE: &str = "What a tree's memory consists of";
const ROW: i32 = 30;
/// Half of a bar's height in px.
const BAR: i32 = 9;
const LABEL_LEFT: i32 = PAD + 22;
const LABEL_MAX: i32 = 190;
/// For the factor of error, right of the plot.
const VALUE_WIDTH: i32 = 136;

type Part = (&'static str, RGBColor, fn(&MemoryLevel) -> Option<f64>);

/// Of what is right, in the order of the bar. Pale, with black text on it.
const PARTS: [Part; 4] = [
    ("PSS anonymous", style::SKY, |l| l.pss_anon_bytes),
    ("PSS files", style::SAND, |l| l.pss_file_bytes),
    ("PSS shared memory", style::ROSE, |l| l.pss_shmem_bytes),
    ("page tables", style::CORAL, |l| l.page_tables_bytes),
];

pub(super) fn chart(group: &Group, stem: &str) -> Option<Chart> {
    let rows: Vec<(&Series, &MemoryLevel)> = group
        .series
        .iter()
        .filter_map(|series| Some((series, series.last().filter(|level| level.k > 0)?)))
        .collect();
    if rows.is_empty() {
        return None;
    }
    let note = "bar: sum of PSS and page tables of the whole tree; diamond: the naïve sum of RSS, \
                which counts shared pages in every process";
    let mut subtitle = canvas::wrapped(&group.title, WIDTH - 2 * PAD);
    let sample = format!("{}; {note}", human::plural(group.n_blocks as u64, "block"));
    subtitle.extend(canvas::wrapped(&sample, WIDTH - 2 * PAD));
    let legend = frame::below_heading(&subtitle) + 4;
    let top = legend + LINE + 14;
    let bottom = top + ROW * i32::try_from(rows.len()).unwrap_or(0);
    let widest = rows.iter().map(|(series, level)| canvas::text_width(&label(series, level)));
    let left = LABEL_LEFT + widest.max().unwrap_or(0).min(LABEL_MAX) + 12;
    let right = WIDTH - PAD - VALUE_WIDTH;
    let ends = rows.iter().flat_map(|(_, level)| [Some(total(level)), level.rss_bytes]);
    let scale = Scale::linear(ends.flatten().fold(0.0, f64::max), left, right);
    let answer = memory::bars_answer(group);
    let name = format!("{TITLE}: {}", group.title);
    let svg = canvas::draw((WIDTH, bottom + 56), stem, &name, &answer, |canvas| {
        frame::heading(canvas, TITLE, &subtitle);
        paint_legend(canvas, legend);
        let span = (left, right);
        frame::paint_scale(canvas, span, (top, bottom), &scale, human::megabytes_tick);
        let right_of_it = right + 10;
        canvas.text((right_of_it, top - 8), "sum ◇ naïve", Align::Start, style::MUTED);
        let axis = "memory ← lower is better, linear scale";
        canvas.text(((left + right) / 2, bottom + 38), axis, Align::Middle, style::INK);
        for (i, (series, level)) in (0..).zip(&rows) {
            let y = top + ROW * i + ROW / 2;
            canvas.about(&series.strategy, || {
                paint_row(canvas, &scale, y, (series, level), right);
            });
        }
    });
    Some(Chart {
        file: format!("{stem}.svg"),
        question: "What is there really, and what does adding up RSS make of it?".to_owned(),
        answer,
        svg,
        numbers: numbers(&rows),
    })
}

fn label(series: &Series, level: &MemoryLevel) -> String {
    format!("{} × {}", series.label, level.k)
}

fn total(level: &MemoryLevel) -> f64 {
    PARTS.iter().filter_map(|(_, _, of)| of(level)).sum()
}

fn paint_legend(canvas: &Canvas<'_>, y: i32) {
    let mut x = PAD;
    for (name, color, _) in PARTS {
        canvas.rect((x, y - 6), (x + 16, y + 6), color);
        canvas.frame((x, y - 6), (x + 16, y + 6), style::OUTLINE);
        canvas.text((x + 22, y), name, Align::Start, style::MUTED);
        x += 22 + canvas::text_width(name) + 12;
    }
    canvas.marker((x + 8, y), Marker::Diamond, style::INK, Fill::Hollow);
    canvas.text((x + 22, y), "naïve sum of RSS", Align::Start, style::MUTED);
}

fn paint_row(
    canvas: &Canvas<'_>,
    scale: &Scale,
    y: i32,
    (series, level): (&Series, &MemoryLevel),
    right: i32,
) {
    let (color, marker) = style::of_arm(&series.strategy, "arm");
    let text = canvas::fitted(&label(series, level), LABEL_MAX);
    canvas.marker((PAD + 8, y), marker, color, Fill::Filled);
    canvas.text((LABEL_LEFT, y), &text, Align::Start, style::INK);
    let mut from = 0.0;
    for (_, color, of) in PARTS {
        let Some(bytes) = of(level) else { continue };
        let (left, end) = (scale.pixel(from), scale.pixel(from + bytes));
        from += bytes;
        if end == left {
            continue;
        }
        let (corner, opposite) = ((left, y - BAR), (end, y + BAR));
        canvas.rect(corner, opposite, color);
        // The outline of a sliver would be all that is seen of it.
        if end - left > 2 {
            canvas.frame(corner, opposite, style::OUTLINE);
        }
    }
    let Some(rss_bytes) = level.rss_bytes else {
        return;
    };
    let (bar_end, diamond) = (scale.pixel(from), scale.pixel(rss_bytes));
    if diamond > bar_end {
        canvas.line((bar_end, y), (diamond, y), style::LEADER, 1);
    }
    canvas.marker((diamond, y), Marker::Diamond, style::INK, Fill::Hollow);
    let factor = level.naive_ratio().map_or_else(String::new, human::ratio);
    let text = format!("{} MB ◇ {factor}", human::megabytes(total(level)));
    let text = canvas::fitted(&text, VALUE_WIDTH - 8);
    canvas.text((right + 10, y), &text, Align::Start, style::INK);
}

fn numbers(rows: &[(&Series, &MemoryLevel)]) -> Table {
    let cell = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), human::exact);
    let mut head = vec![Head::new("strategy", false), Head::new("children", true)];
    head.extend(PARTS.map(|(name, ..)| Head::new(&format!("{name}, bytes"), true)));
    head.push(Head::new("sum, bytes", true));
    head.push(Head::new("naïve sum of RSS, bytes", true));
    head.push(Head::new("ratio of naïve sum to PSS", true));
    Table::new(
        head,
        rows.iter().map(|(series, level)| {
            let mut cells = vec![series.label.clone(), level.k.to_string()];
            cells.extend(PARTS.iter().map(|(_, _, of)| cell(of(level))));
            cells.push(cell(Some(total(level))));
            cells.push(cell(level.rss_bytes));
            cells.push(cell(level.naive_ratio()));
            cells
        }),
    )
}
