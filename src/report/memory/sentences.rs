//! The section about memory, and sentences on it.

use super::notes::{NOTES_CHILD_BYTES, notes_table};
use super::tables::{self, ballast, slope};
use crate::analysis::memory::{Group, MemoryLine, MemorySummary, Series};
use crate::report::charts::Chart;
use crate::report::document::Section;
use crate::report::format;
use crate::report::sentences::extremes;
use crate::report::table::Extent;
use crate::report::texts;
use crate::stats::verdict::INTERVAL_BLOCKS_MIN;

/// Everything that memory trials say; `None` without any. The charts are in the order of the groups.
pub fn section(
    memory: &MemorySummary,
    budget_bytes: Option<u64>,
    charts: Vec<Vec<Chart>>,
) -> Option<Section> {
    let mut section = Section::new("memory", "Memory").text(texts::text("memory", &[]));
    for sentence in crate::report::values::sizings(memory, budget_bytes) {
        section = section.text(sentence);
    }
    section.legend = texts::lines("memory legend", &[]);
    let mut charts = charts.into_iter();
    let groups = (1..)
        .zip(&memory.groups)
        .map(|(number, group)| of_group(number, group).charts(charts.next().unwrap_or_default()));
    section.sections = groups.collect();
    if let Some(table) = ballast(memory) {
        let ballast = Section::new("memory-ballast", "Ballast").note(texts::text("ballast", &[]));
        section.sections.push(ballast.table("memory per child by ballast", table));
    }
    (!memory.groups.is_empty()).then_some(section)
}

fn of_group(number: usize, group: &Group) -> Section {
    let few = if group.n_blocks < INTERVAL_BLOCKS_MIN { ", too few for intervals" } else { "" };
    let blocks = format::plural(group.n_blocks as u64, "block");
    // The others are in the table of ballast.
    let from = if group.is_plain() { Extent::Narrow } else { Extent::Page };
    let title = format!("memory · {}", group.title);
    let mut section = Section::new(format!("memory-{number}"), title)
        .from(from)
        .note(format!("{blocks}{few}"))
        .table(format!("memory by strategy: {}", group.title), tables::of_group(group));
    if let Some(table) = notes_table(group) {
        let name = format!("the study notes and what was measured: {}", group.title);
        section = section.note(texts::text("notes of memory", &[])).table(name, table);
    }
    section
}

/// `pool: shared once 36.0 MB, each further child 0.12 MB [0.11, 0.13]`.
fn told(series: &Series, line: &MemoryLine) -> String {
    let (label, once) = (&series.label, format::megabytes(line.intercept_bytes));
    match series.no_line() {
        Some(said) => format!("{label} (about {once} MB once; {said})"),
        None => {
            let price = slope(line);
            let (price, interval) = price.split_once(' ').unwrap_or((&price, ""));
            let price = format!("{price} MB {interval}");
            format!("{label}: shared once {once} MB, each further child {}", price.trim_end())
        }
    }
}

/// Under the chart of lines.
pub fn lines_answer(group: &Group) -> String {
    match extremes(group.lined(), by_slope) {
        None => "Fewer than two numbers of children were measured: there is no line.".to_owned(),
        Some([least, most]) if least.0.label == most.0.label => {
            format!("{}.", told(least.0, &least.1))
        }
        Some([least, most]) => {
            format!("Least is {}; most is {}.", told(least.0, &least.1), told(most.0, &most.1))
        }
    }
}

fn by_slope((_, line): &(&Series, MemoryLine)) -> f64 {
    line.slope_bytes
}

/// Under the chart of bars.
pub fn bars_answer(group: &Group) -> String {
    let naive = group.series.iter().filter_map(|series| {
        let level = series.last().filter(|level| level.k > 0)?;
        Some((series, level, level.naive_ratio()?))
    });
    match extremes(naive, |(.., ratio)| *ratio) {
        None => "Nothing was measured.".to_owned(),
        Some([_, (series, level, ratio)]) => format!(
            "Adding up RSS is furthest off for {}: with {} it gives {} MB, {} the memory held, \
             because it counts shared pages in each process.",
            series.label,
            format::children(level.k),
            level.rss_bytes.map_or_else(String::new, format::megabytes),
            format::ratio(ratio)
        ),
    }
}

/// For the summary: the cost of a child, against what the notes say.
pub fn headline(memory: &MemorySummary) -> Option<String> {
    let has_children = |group: &&Group| group.is_plain() && of_processes(group).next().is_some();
    let groups = || memory.groups.iter().filter(has_children);
    let of_node = groups().find(|group| group.key.runtime == NOTES_RUNTIME);
    let group = of_node.or_else(|| groups().next())?;
    let [least, most] = extremes(of_processes(group), by_slope)?;
    let cost = |(series, _): (&Series, MemoryLine)| {
        let price = tables::price(series).text;
        let price = price.split(" [").next().unwrap_or_default();
        format!("{price} MB ({})", series.label)
    };
    let costs = match least.0.label == most.0.label {
        true => cost(least),
        false => format!("from {} to {}", cost(least), cost(most)),
    };
    let of = if group.key.runtime == NOTES_RUNTIME { " of one" } else { ", of Node" };
    Some(format!(
        "In memory each further child costs {costs} in {}; the notes say about {} MB{of}.",
        format::capitalized(&group.key.runtime),
        NOTES_CHILD_BYTES / 1e6
    ))
}

/// What the study notes are about.
const NOTES_RUNTIME: &str = "node";

/// The lines of those whose children are processes: a thread is no child.
fn of_processes(group: &Group) -> impl Iterator<Item = (&Series, MemoryLine)> {
    let is_thread = |name: &str| matches!(name, "thread" | "thread-pool");
    group.lined().filter(move |(series, _)| !is_thread(&series.strategy))
}
