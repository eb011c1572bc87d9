//! Tables about memory.

use super::TABLES;
use super::{Group, MemoryLevel, MemoryLine, MemorySummary, Series};
use crate::report::human;
use crate::report::table::{Cell, Extent, Head, NONE, Table};

/// A row per strategy: what is there once, what each further child costs, and how far the naïve
/// sum is from the right one with the most children.
pub(in crate::report) fn of_group(group: &Group, extent: Extent) -> Table {
    let is_wide = extent > Extent::Narrow;
    let mut head = vec![
        Head::new("strategy", false),
        Head::new("shared once, MB", true),
        Head::new("MB per further child ↓", true),
        Head::new("children measured", true),
        Head::new("PSS then, MB", true),
        Head::new("naïve then", true),
    ];
    if is_wide {
        head.push(Head::new("kernel, MB per further child", true));
        head.push(Head::new("all ready", true));
        head.push(Head::new("USS then, MB", true));
        head.push(Head::new("tables then, MB", true));
        head.push(Head::new("peak, MB", true));
    }
    if extent >= Extent::Page {
        head.push(Head::new("PSS per child then, MB", true));
        head.push(Head::new("when", false));
        head.push(Head::new("fall of MemAvailable then, MB (unreliable)", true));
    }
    let mut notes = Vec::new();
    let rows = group.series.iter().map(|series| row(series, extent, &mut notes)).collect();
    Table { head, rows, notes }
}

fn row(series: &Series, extent: Extent, notes: &mut Vec<String>) -> Vec<Cell> {
    let last = series.last();
    let once = match series.line {
        Some(line) => Some(line.intercept_bytes),
        None => series.level(0).and_then(|level| level.held_bytes()),
    };
    let mut cells = vec![
        Cell::from(label(series, notes)),
        megabytes(once),
        price_cell(series, notes),
        Cell::of(last.map(|level| level.k.into()), human::exact),
        megabytes(last.and_then(|level| level.pss_bytes)),
        Cell::of(last.and_then(|level| level.naive_ratio()), human::ratio),
    ];
    if extent > Extent::Narrow {
        let kernel = series.kernel().map(|line| line.slope_bytes);
        cells.push(megabytes(kernel));
        let ready_ns = last.and_then(|level| level.ready_all_ns);
        cells.push(Cell::of(ready_ns, human::duration));
        cells.push(megabytes(last.and_then(|level| level.uss_bytes)));
        cells.push(megabytes(last.and_then(|level| level.page_tables_bytes)));
        cells.push(last.map_or_else(|| Cell::from(NONE), |level| peak(level, notes)));
    }
    if extent >= Extent::Page {
        let per_child = last
            .filter(|level| level.k > 0)
            .and_then(|level| Some(level.pss_bytes? / f64::from(level.k)));
        cells.push(megabytes(per_child));
        cells.push(Cell::from(when(&series.phase)));
        cells.push(megabytes(last.and_then(|l| l.mem_available_fall_bytes)));
    }
    cells
}

/// The kernel's high-water mark of the control group, or else the least that the peak was.
fn peak(level: &MemoryLevel, notes: &mut Vec<String>) -> Cell {
    match (level.cgroup_peak_bytes, level.sampled_peak_bytes) {
        (None, Some(bytes)) => {
            let note = "the kernel keeps no high-water mark here: the highest PSS of some looks";
            let number = number_of(notes, note);
            let text = format!("≥ {} [{number}]", human::megabytes(bytes));
            Cell::new(text, Some(bytes))
        }
        (mark, _) => megabytes(mark),
    }
}

/// The number of a note, which is added if it is not there.
pub(super) fn number_of(notes: &mut Vec<String>, text: &str) -> usize {
    let place = notes.iter().position(|note| note == text);
    place.unwrap_or_else(|| {
        notes.push(text.to_owned());
        notes.len() - 1
    }) + 1
}

/// The name, with the number of a note that says what was not measured and why.
fn label(series: &Series, notes: &mut Vec<String>) -> String {
    let missing: Vec<&MemoryLevel> = series.levels.iter().filter(|l| l.n_blocks == 0).collect();
    let Some(first) = missing.first() else {
        return series.label.clone();
    };
    let ks: Vec<String> = missing.iter().map(|level| level.k.to_string()).collect();
    notes.push(format!(
        "{}, {} children not measured: {}",
        series.label,
        ks.join(", "),
        first.reason
    ));
    format!("{} [{}]", series.label, notes.len())
}

/// `0.12 [0.11, 0.13]`, in MB.
pub(super) fn slope(line: &MemoryLine) -> String {
    let slope = human::megabytes(line.slope_bytes);
    match line.slope_ci_bytes {
        Some((low, high)) => {
            format!("{slope} [{}, {}]", human::megabytes(low), human::megabytes(high))
        }
        None => slope,
    }
}

fn slope_cell(line: Option<MemoryLine>) -> Cell {
    line.map_or_else(|| Cell::from(NONE), |line| Cell::new(slope(&line), Some(line.slope_bytes)))
}

/// The slope; where there is no line the lowest and the highest price, with the number of a note that
/// says between which numbers of children each holds.
fn price_cell(series: &Series, notes: &mut Vec<String>) -> Cell {
    match (series.prices_bytes(), series.no_line()) {
        (Some((low, high)), Some(said)) => {
            notes.push(format!("{}: {said}", series.label));
            let (low_mb, high_mb) = (human::megabytes(low), human::megabytes(high));
            let text = format!("{low_mb} to {high_mb} [{}]", notes.len());
            Cell::new(text, series.line.map(|line| line.slope_bytes))
        }
        _ => slope_cell(series.line),
    }
}

/// When the looks were taken.
fn when(phase: &str) -> &'static str {
    match phase {
        "held" => "held at work",
        "hundred" => "after 100 requests each",
        "first" => "after one request each",
        _ => "idle",
    }
}

/// What stands above the table of ballast.
pub(in crate::report) const BALLAST_SCOPE: &str =
    "what a child costs by what its creator holds, at once and after it has written so much of it";

/// What a child costs by what its creator holds, and by what the child writes; `None` if neither
/// varies.
pub(in crate::report) fn ballast(memory: &MemorySummary) -> Option<Table> {
    let varied: Vec<(&str, &str, &str)> = memory
        .groups
        .iter()
        .filter(|group| !group.is_plain())
        .flat_map(|group| group.series.iter().map(move |series| arm(group, series)))
        .collect();
    let mut found = Vec::new();
    for group in &memory.groups {
        let of_varied = |(series, _): &(&Series, MemoryLine)| varied.contains(&arm(group, series));
        for lined in group.lined().filter(of_varied) {
            let written = group.key.option("write_mib").unwrap_or(0);
            let key = (lined.0.label.clone(), group.key.runtime.clone());
            found.push(((key, group.key.ballast_bytes, written), (group, lined)));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let mut notes = Vec::new();
    let rows: Vec<Vec<Cell>> = found
        .into_iter()
        .map(|((.., written), (group, lined))| ballast_row(group, lined, written, &mut notes))
        .collect();
    (!rows.is_empty()).then(|| Table {
        head: vec![
            Head::new("strategy", false),
            Head::new("runtime", false),
            Head::new("creator's ballast", true),
            Head::new("child writes", true),
            Head::new("MB per further child ↓", true),
            Head::new("tables of it, MB", true),
            Head::new("kernel, MB per further child", true),
            Head::new("shared once, MB", true),
        ],
        rows,
        notes,
    })
}

/// What is compared across ballasts.
fn arm<'a>(group: &'a Group, series: &'a Series) -> (&'a str, &'a str, &'a str) {
    (&group.key.runtime, &group.key.workload, &series.label)
}

fn ballast_row(
    group: &Group,
    (series, line): (&Series, MemoryLine),
    written: u64,
    notes: &mut Vec<String>,
) -> Vec<Cell> {
    let tables = series.line_through(TABLES).map(|line| line.slope_bytes);
    let kernel = series.kernel().map(|line| line.slope_bytes);
    vec![
        Cell::from(series.label.as_str()),
        Cell::from(group.key.runtime.as_str()),
        Cell::new(human::bytes(group.key.ballast_bytes), Some(group.key.ballast_bytes as f64)),
        match written {
            0 => Cell::new("nothing".to_owned(), Some(0.0)),
            mib => Cell::new(format!("{mib} MiB"), Some(mib as f64)),
        },
        price_cell(series, notes),
        megabytes(tables),
        megabytes(kernel),
        megabytes(Some(line.intercept_bytes)),
    ]
}

/// In MB, or the sign for a number that there is not.
pub(super) fn megabytes(bytes: Option<f64>) -> Cell {
    Cell::of(bytes, human::megabytes)
}
