//! Sentences about memory.

use super::notes::NOTES_CHILD_BYTES;
use super::tables::slope;
use super::{Group, MemoryLine, MemorySummary, Series};
use crate::report::human;

/// What the numbers of a group are.
pub(in crate::report) fn scope(group: &Group) -> String {
    let few = match group.n_blocks {
        0..6 => ", too few for intervals",
        _ => "",
    };
    format!(
        "{}{few}; 1 MB is 1 000 000 bytes; PSS and page tables of the whole tree against the \
         number of its children, as a line: where it begins is shared once, its slope is what each \
         further child costs; kernel is what the kernel holds by the control group: those page \
         tables, stacks and descriptors; all ready counts, of a pool, from the start of its \
         server, else from the first request",
        human::plural(group.n_blocks as u64, "block")
    )
}

/// `pool: shared once 36.0 MB; each further child 0.12 MB [0.11, 0.13]`.
fn told(series: &Series, line: &MemoryLine) -> String {
    if let Some(said) = series.no_line() {
        let once = human::megabytes(line.intercept_bytes);
        return format!("{} (about {once} MB once; {said})", series.label);
    }
    let price = match slope(line).split_once(' ') {
        Some((price, interval)) => format!("{price} MB {interval}"),
        None => format!("{} MB", slope(line)),
    };
    format!(
        "{}: shared once {} MB, each further child {price}",
        series.label,
        human::megabytes(line.intercept_bytes)
    )
}

/// The cheapest and the dearest line.
fn extremes<'a>(
    lines: impl Iterator<Item = (&'a Series, MemoryLine)>,
) -> Option<[(&'a Series, MemoryLine); 2]> {
    let lines: Vec<(&Series, MemoryLine)> = lines.collect();
    let by_slope = |a: &(&Series, MemoryLine), b: &(&Series, MemoryLine)| {
        a.1.slope_bytes.total_cmp(&b.1.slope_bytes)
    };
    Some([lines.iter().copied().min_by(by_slope)?, lines.iter().copied().max_by(by_slope)?])
}

/// Under the chart of lines.
pub(in crate::report) fn lines_answer(group: &Group) -> String {
    match extremes(group.lined()) {
        None => "No two numbers of children were measured, so that there is no line.".to_owned(),
        Some([least, most]) if least.0.label == most.0.label => {
            format!("{}.", told(least.0, &least.1))
        }
        Some([least, most]) => {
            format!("Least is {}; most is {}.", told(least.0, &least.1), told(most.0, &most.1))
        }
    }
}

/// Under the chart of bars.
pub(in crate::report) fn bars_answer(group: &Group) -> String {
    let worst = group
        .series
        .iter()
        .filter_map(|series| {
            let level = series.last().filter(|level| level.k > 0)?;
            Some((series, level, level.naive_ratio()?))
        })
        .max_by(|a, b| a.2.total_cmp(&b.2));
    match worst {
        None => "Nothing was measured.".to_owned(),
        Some((series, level, ratio)) => format!(
            "Adding up RSS is furthest off for {}: of {} it makes {} MB, {} what is there, because \
             it counts shared pages in each of them.",
            series.label,
            human::children(level.k),
            level.rss_bytes.map_or_else(String::new, human::megabytes),
            human::ratio(ratio)
        ),
    }
}

/// For the page's summary: what a child costs, against what the notes say.
pub(in crate::report) fn headline(memory: &MemorySummary) -> Option<String> {
    let has_children = |group: &&Group| group.is_plain() && of_processes(group).next().is_some();
    let groups = || memory.groups.iter().filter(has_children);
    let of_node = groups().find(|group| group.key.runtime == NOTES_RUNTIME);
    let group = of_node.or_else(|| groups().next())?;
    let [least, most] = extremes(of_processes(group))?;
    let cost = |(series, line): (&Series, MemoryLine)| {
        let price = match series.prices_bytes() {
            Some((low, high)) => {
                format!("{} to {}", human::megabytes(low), human::megabytes(high))
            }
            None => human::megabytes(line.slope_bytes),
        };
        format!("{price} MB ({})", series.label)
    };
    let costs = match least.0.label == most.0.label {
        true => cost(least),
        false => format!("from {} to {}", cost(least), cost(most)),
    };
    let notes = NOTES_CHILD_BYTES / 1e6;
    let notes = match group.key.runtime == NOTES_RUNTIME {
        true => format!("the notes say about {notes} MB of one"),
        false => format!("the notes say about {notes} MB, of Node"),
    };
    Some(format!(
        "In memory each further child costs {costs} in {}; {notes}.",
        capitalized(&group.key.runtime)
    ))
}

/// What the study notes are about.
const NOTES_RUNTIME: &str = "node";

/// The lines of those whose children are processes: a thread is no child.
fn of_processes(group: &Group) -> impl Iterator<Item = (&Series, MemoryLine)> {
    let is_thread = |name: &str| matches!(name, "thread" | "thread-pool");
    group.lined().filter(move |(series, _)| !is_thread(&series.strategy))
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
