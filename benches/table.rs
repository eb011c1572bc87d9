//! The table at the end of the benches: each lane and its floor.

use std::collections::BTreeMap;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use forkbench::driver::samples::nearest_rank;

use crate::races::{self, Bar, Entry, Race};
use crate::stopwatch::{Laps, Sample};

/// Measured times, by race and lane.
#[derive(Debug, Default)]
pub(crate) struct Results {
    samples: BTreeMap<(&'static str, &'static str), Vec<Sample>>,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) lane: String,
    pub(crate) floor: String,
    pub(crate) ratio: String,
    pub(crate) spread: String,
    pub(crate) bar: String,
    pub(crate) verdict: &'static str,
}

impl Row {
    pub(crate) fn verdict(kept: bool) -> &'static str {
        match kept {
            true => "pass",
            false => "MISS",
        }
    }
}

impl Results {
    pub(crate) fn add(&mut self, race: &Race, entry: &Entry, sample: Sample) {
        self.samples.entry((race.name, entry.name)).or_default().push(sample);
    }

    /// One row for each lane that was measured, in the order of the races.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let lanes = races::ALL.iter().flat_map(|r| r.entries().map(move |e| (r, e)));
        lanes
            .filter_map(|(race, entry)| {
                let samples = self.samples.get(&(race.name, entry.name))?;
                Some(row(race, entry, samples))
            })
            .collect()
    }
}

/// The rows as a Markdown table.
pub(crate) fn render(rows: Vec<Row>) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["race / lane", "p50", "floor's p50", "ratio", "quartiles", "bar", ""]);
    for row in rows {
        table.add_row([
            row.name,
            row.lane,
            row.floor,
            row.ratio,
            row.spread,
            row.bar,
            row.verdict.to_owned(),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

fn row(race: &Race, entry: &Entry, samples: &[Sample]) -> Row {
    // The warm-up comes first, with any number of laps; all measurements have one length.
    let laps = samples.last().map_or(0, |sample| sample.laps);
    let measured: Vec<&Sample> = samples.iter().filter(|s| s.laps == laps).collect();
    let median = |part: fn(&Sample) -> Laps| {
        let mut values: Vec<u64> = measured.iter().map(|s| part(s).p50_ns).collect();
        values.sort_unstable();
        nearest_rank(&values, 0.5).unwrap_or(0)
    };
    let (lane_ns, floor_ns) = (median(|s| s.lane), median(|s| s.floor));
    let mut ratios: Vec<f64> =
        measured.iter().map(|s| s.lane.p50_ns as f64 / s.floor.p50_ns.max(1) as f64).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let quartile = |of_4: usize| ratios[(ratios.len() - 1) * of_4 / 4];
    let is_floor = entry.name == race.floor.name;
    let (bar, verdict) = match entry.bar {
        Bar::None => (String::new(), ""),
        Bar::Times(times) => (format!("{times:.2}"), Row::verdict(quartile(2) <= times)),
        Bar::Ns(ns) => (micros(ns), Row::verdict(lane_ns <= ns)),
    };
    let unless_floor = |text: String| if is_floor { String::new() } else { text };
    Row {
        name: format!("{}/{}", race.name, entry.name),
        lane: micros(lane_ns),
        floor: unless_floor(micros(floor_ns)),
        ratio: unless_floor(format!("{:.2}", quartile(2))),
        spread: unless_floor(format!("{:.2} to {:.2}", quartile(1), quartile(3))),
        bar,
        verdict,
    }
}

fn micros(ns: u64) -> String {
    let micros = ns as f64 / 1e3;
    let digits = if micros < 100.0 { 2 } else { 0 };
    format!("{micros:.digits$} us")
}
