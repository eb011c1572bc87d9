//! The charts of a group of memory trials.

use super::Chart;
use super::axis::{Axis, Spacing};
use super::figure::{Entry, Figure, Fill, Look, Sample, sampled};
use super::plot::{self, Dot, MEMORY, Names, Path, Plot, RATE, Row, Series as Line};
use super::style::{self, Marker};
use crate::analysis::memory::{Group, MemoryLevel, MemoryLine, Series};
use crate::analysis::summary::State;
use crate::record::Role;
use crate::report::format;

/// In the order of the page.
pub fn charts(group: &Group, number: usize) -> Vec<Chart> {
    let figure = |name: &str| Figure {
        stem: format!("memory-{number:02}-{name}"),
        about: group.title.clone(),
        ..Figure::default()
    };
    let charts = [lines(group, figure("children")), parts(group, figure("parts"))];
    charts.into_iter().flatten().collect()
}

/// A tree's memory against its children. Both axes are linear: on a logarithmic axis no line
/// would be straight.
fn lines(group: &Group, figure: Figure) -> Option<Chart> {
    let last = group.lined().filter_map(|(series, _)| Some(f64::from(series.last()?.k)));
    let children = Axis::new(Spacing::Linear, &last.collect::<Vec<f64>>(), RATE.1);
    let series = group.lined().map(|(series, line)| plotted(series, &line)).collect();
    let plot = Plot {
        name: "children, linear scale".to_owned(),
        height: 300,
        ..Plot::new("memory of the tree ↓ lower is better", children, MEMORY, series)
    };
    let marks = "mark: median over blocks of PSS and page tables of the whole tree; line: \
                 Theil–Sen, or from level to level where it misses one by more than 3 %; number: \
                 MB per further child";
    let figure = Figure {
        note: sampled(group.n_blocks, None, marks),
        question: "What does each further child cost in memory?".to_owned(),
        answer: crate::report::memory::lines_answer(group),
        ..figure
    };
    let (who, place) = ("strategy and MB per further child", "children");
    plot::chart(figure, vec![plot], Names { who, place, ..Names::of("PSS and page tables, bytes") })
}

fn plotted(series: &Series, line: &MemoryLine) -> Line {
    let k_max = f64::from(series.last().map_or(0, |level| level.k));
    let (price, path) = match series.miss {
        None => {
            let ends = [0.0, k_max].map(|k| (k, line.at(k)));
            (format::megabytes(line.slope_bytes), Path::Line(ends.to_vec()))
        }
        Some(_) => ("no line".to_owned(), Path::Through),
    };
    let dot = |level: &MemoryLevel| {
        Some(Dot::new(f64::from(level.k), level.k.to_string(), level.held_bytes()?))
    };
    let label = format!("{}: {price}", series.label);
    let look = Look::new(&label, &series.strategy, Role::Arm, State::Ok);
    Line { path, ..Line::new(look, series.levels.iter().filter_map(dot).collect()) }
}

type Part = fn(&MemoryLevel) -> Option<f64>;

/// What a tree with the most children consists of, and how far off the naïve sum is.
fn parts(group: &Group, figure: Figure) -> Option<Chart> {
    let parts: [(&str, _, Part); 4] = [
        ("PSS anonymous", style::SKY, |level| level.pss_anon_bytes),
        ("PSS files", style::SAND, |level| level.pss_file_bytes),
        ("PSS shared memory", style::ROSE, |level| level.pss_shmem_bytes),
        ("page tables", style::CORAL, |level| level.page_tables_bytes),
    ];
    let row = |series: &Series| {
        let level = series.last().filter(|level| level.k > 0)?;
        let look = Look::new(&series.label, &series.strategy, Role::Arm, State::Ok);
        let label = format!("{} × {}", series.label, level.k);
        let look = Look { label, color: style::INK, marker: Marker::Diamond, ..look };
        let times = level.naive_ratio().map_or_else(String::new, format::ratio);
        let dot = level.rss_bytes.map(|rss| Dot {
            fill: Fill::Hollow,
            parts: parts.iter().map(|(.., part)| part(level)).collect(),
            ..Dot::of_row("", rss, format!("◇ {times}"))
        });
        Some(Row { look, lanes: vec![dot], state: "not measured".to_owned() })
    };
    let rows = group.series.iter().filter_map(row).collect();
    let plot = Plot {
        parts: parts.iter().map(|(name, color, _)| (*name, *color)).collect(),
        unit: "bytes",
        ..Plot::rows("memory ← lower is better", MEMORY, rows)
    };
    let marks = "bar: PSS and page tables of the whole tree; diamond and number: the naïve sum of \
                 RSS, which counts shared pages in every process, and its ratio to PSS";
    let naive = Sample::Mark(style::INK, Marker::Diamond, Fill::Hollow);
    let figure = Figure {
        note: sampled(group.n_blocks, None, marks),
        question: "How much memory is there, and what does the sum of RSS say?".to_owned(),
        answer: crate::report::memory::bars_answer(group),
        legend: vec![Entry::new(naive, "naïve sum of RSS")],
        ..figure
    };
    plot::chart(figure, vec![plot], Names::of("naïve sum of RSS, bytes"))
}
