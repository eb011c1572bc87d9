//! Tables about memory.

use crate::analysis::memory::TABLES;
use crate::analysis::memory::{Group, MemoryLevel, MemoryLine, MemorySummary, Series};
use crate::record::Phase;
use crate::report::format;
use crate::report::table::{Cell, Column, Extent, NONE, Table, marked};

/// What each further child costs.
const PRICE: &str = "MB per further child ↓";
const KERNEL: &str = "kernel, MB per further child";

/// `then` is with the most children that were measured.
const COLUMNS: [Column<Series>; 13] = [
    ("shared once, MB", Extent::Narrow, |series| megabytes(once(series))),
    (PRICE, Extent::Narrow, price),
    ("children measured", Extent::Narrow, |series| {
        Cell::of(series.last().map(|level| level.k.into()), format::exact)
    }),
    ("PSS then, MB", Extent::Narrow, |series| then(series, |level| level.pss_bytes)),
    ("naïve then", Extent::Narrow, |series| {
        Cell::of(series.last().and_then(MemoryLevel::naive_ratio), format::ratio)
    }),
    (KERNEL, Extent::Wide, |series| megabytes(series.kernel().map(|line| line.slope_bytes))),
    ("all ready", Extent::Wide, |series| {
        Cell::of(series.last().and_then(|level| level.ready_all_ns), format::duration)
    }),
    ("USS then, MB", Extent::Wide, |series| then(series, |level| level.uss_bytes)),
    ("tables then, MB", Extent::Wide, |series| then(series, |level| level.page_tables_bytes)),
    ("peak, MB", Extent::Wide, |series| series.last().map_or_else(|| Cell::from(NONE), peak)),
    ("PSS per child then, MB", Extent::Page, |series| {
        then(series, |level| (level.k > 0).then(|| Some(level.pss_bytes? / f64::from(level.k)))?)
    }),
    ("when", Extent::Page, |series| Cell::from(when(series.phase))),
    ("fall of MemAvailable then, MB (unreliable)", Extent::Page, |series| {
        then(series, |level| level.mem_available_fall_bytes)
    }),
];

/// A row per strategy.
pub fn of_group(group: &Group) -> Table {
    let mut notes = Vec::new();
    let rows: Vec<(String, &Series)> =
        group.series.iter().map(|series| (label(series, &mut notes), series)).collect();
    Table { notes, ..Table::of_columns("strategy", &COLUMNS, rows) }
}

/// In MB, or the sign for none.
pub fn megabytes(bytes: Option<f64>) -> Cell {
    Cell::of(bytes, format::megabytes)
}

fn then(series: &Series, bytes: fn(&MemoryLevel) -> Option<f64>) -> Cell {
    megabytes(series.last().and_then(bytes))
}

fn once(series: &Series) -> Option<f64> {
    match series.line {
        Some(line) => Some(line.intercept_bytes),
        None => series.level(0).and_then(MemoryLevel::held_bytes),
    }
}

/// The kernel's high-water mark of the control group, or else the least that the peak was.
fn peak(level: &MemoryLevel) -> Cell {
    match (level.cgroup_peak_bytes, level.sampled_peak_bytes) {
        (None, Some(bytes)) => Cell::new(format!("≥ {}", format::megabytes(bytes)), Some(bytes)),
        (mark, _) => megabytes(mark),
    }
}

/// The name with the marks of what was not measured, where there is no line, and where the peak is
/// a lower bound.
fn label(series: &Series, notes: &mut Vec<String>) -> String {
    let mut label = series.label.clone();
    let missing: Vec<&MemoryLevel> = series.levels.iter().filter(|l| l.n_blocks == 0).collect();
    if let Some(first) = missing.first() {
        let ks: Vec<String> = missing.iter().map(|level| level.k.to_string()).collect();
        let (name, ks) = (&series.label, ks.join(", "));
        let note = format!("{name}, {ks} children not measured: {}", first.reason);
        label = marked(&label, &note, notes);
    }
    if let Some(segments) = series.no_line() {
        label = marked(&label, &format!("{}: {segments}", series.label), notes);
    }
    let is_sampled =
        |l: &MemoryLevel| l.cgroup_peak_bytes.is_none() && l.sampled_peak_bytes.is_some();
    if series.last().is_some_and(is_sampled) {
        let note = "peak: the kernel keeps no high-water mark here; the highest PSS of some looks";
        label = marked(&label, note, notes);
    }
    label
}

/// `0.12 [0.11, 0.13]`, in MB.
pub fn slope(line: &MemoryLine) -> String {
    let slope = format::megabytes(line.slope_bytes);
    line.slope_ci_bytes.map_or_else(
        || slope.clone(),
        |(low, high)| format!("{slope} [{}, {}]", format::megabytes(low), format::megabytes(high)),
    )
}

/// The slope; where there is no line, the lowest and the highest of its segments.
pub fn price(series: &Series) -> Cell {
    match (series.prices_bytes(), series.line) {
        (Some((low, high)), line) => {
            let text = format!("{} to {}", format::megabytes(low), format::megabytes(high));
            Cell::new(text, line.map(|line| line.slope_bytes))
        }
        (None, Some(line)) => Cell::new(slope(&line), Some(line.slope_bytes)),
        (None, None) => Cell::from(NONE),
    }
}

/// When the looks were taken.
fn when(phase: Phase) -> &'static str {
    match phase {
        Phase::Held => "held at work",
        Phase::Hundred => "after 100 requests each",
        Phase::First => "after one request each",
        _ => "idle",
    }
}

/// A series with its surroundings.
struct Varied<'a> {
    group: &'a Group,
    series: &'a Series,
    line: MemoryLine,
    written_mib: u64,
}

impl Varied<'_> {
    fn arm(&self) -> (&str, &str, &str) {
        (&self.group.key.runtime, &self.group.key.workload, &self.series.label)
    }

    fn order(&self) -> (&str, &str, u64, u64) {
        (
            &self.series.label,
            &self.group.key.runtime,
            self.group.key.ballast_bytes,
            self.written_mib,
        )
    }
}

fn ballast_columns<'a>() -> [Column<Varied<'a>>; 7] {
    [
        ("runtime", Extent::Narrow, |v| Cell::from(v.group.key.runtime.as_str())),
        ("creator's ballast", Extent::Narrow, |v| {
            let bytes = v.group.key.ballast_bytes;
            Cell::new(format::bytes(bytes), Some(bytes as f64))
        }),
        ("child writes", Extent::Narrow, |v| match v.written_mib {
            0 => Cell::new("nothing".to_owned(), Some(0.0)),
            mib => Cell::new(format!("{mib} MiB"), Some(mib as f64)),
        }),
        (PRICE, Extent::Narrow, |v| price(v.series)),
        ("tables of it, MB", Extent::Narrow, |v| {
            megabytes(v.series.line_through(TABLES).map(|line| line.slope_bytes))
        }),
        (KERNEL, Extent::Narrow, |v| megabytes(v.series.kernel().map(|line| line.slope_bytes))),
        ("shared once, MB", Extent::Narrow, |v| megabytes(Some(v.line.intercept_bytes))),
    ]
}

/// What a child costs by what its creator holds, and by what the child writes; `None` if neither
/// varies.
pub fn ballast(memory: &MemorySummary) -> Option<Table> {
    let lined = memory.groups.iter().flat_map(|group| {
        group.lined().map(move |(series, line)| {
            let written_mib = group.key.option("write_mib").unwrap_or(0);
            Varied { group, series, line, written_mib }
        })
    });
    let all: Vec<Varied<'_>> = lined.collect();
    let varied = |one: &&Varied<'_>| {
        all.iter().any(|other| !other.group.is_plain() && other.arm() == one.arm())
    };
    let mut shown: Vec<&Varied<'_>> = all.iter().filter(varied).collect();
    shown.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut notes = Vec::new();
    let rows: Vec<(String, &Varied<'_>)> = shown
        .into_iter()
        .map(|one| {
            let segments = one.series.no_line();
            let note = segments.map(|said| format!("{}: {said}", one.series.label));
            (marked(&one.series.label, &note.unwrap_or_default(), &mut notes), one)
        })
        .collect();
    (!rows.is_empty())
        .then(|| Table { notes, ..Table::of_columns("strategy", &ballast_columns(), rows) })
}
