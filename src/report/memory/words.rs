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
         further child costs",
        human::plural(group.n_blocks as u64, "block")
    )
}

/// `pool: shared once 36.0 MB; each further child 0.12 MB [0.11, 0.13]`.
fn told(series: &Series, line: &MemoryLine) -> String {
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
fn extremes(group: &Group) -> Option<[(&Series, MemoryLine); 2]> {
    let by_slope = |a: &(&Series, MemoryLine), b: &(&Series, MemoryLine)| {
        a.1.slope_bytes.total_cmp(&b.1.slope_bytes)
    };
    Some([
        group.lined().min_by(by_slope)?,
        group.lined().max_by(by_slope)?,
    ])
}

/// Under the chart of lines.
pub(in crate::report) fn lines_answer(group: &Group) -> String {
    match extremes(group) {
        None => "No two numbers of children were measured, so that there is no line.".to_owned(),
        Some([least, most]) if least.0.label == most.0.label => {
            format!("{}.", told(least.0, &least.1))
        }
        Some([least, most]) => format!(
            "Least is {}; most is {}.",
            told(least.0, &least.1),
            told(most.0, &most.1)
        ),
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
    let group = memory.groups.iter().find(|g| g.lined().next().is_some())?;
    let [least, most] = extremes(group)?;
    Some(format!(
        "In memory each further child costs from {} MB ({}) to {} MB ({}) in {}; the notes say {} \
         MB.",
        human::megabytes(least.1.slope_bytes),
        least.0.label,
        human::megabytes(most.1.slope_bytes),
        most.0.label,
        group.title,
        human::megabytes(NOTES_CHILD_BYTES)
    ))
}
