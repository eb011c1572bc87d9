//! HOW it is shown: a run as tables, charts, page and JSON.
//!
//! Pure: rows in, text out, the same bytes every time. It reads no file, no clock and no
//! environment; writing is [`crate::cli`]'s.

use serde_json::json;

use crate::record::Run;

mod charts;
mod human;
mod markdown;
mod page;
mod pairing;
#[cfg(test)]
pub(crate) mod sample;
mod summarise;
pub mod summary;
mod table;
mod terminal;
#[cfg(test)]
mod tests;
mod words;

/// The derived files for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// `tables.md`.
    pub tables_md: String,
    /// Name below `charts/`, and SVG text.
    pub charts: Vec<(String, String)>,
    /// `report.html`, which needs no other file.
    pub html: String,
}

/// Everything that is written beside the raw files.
pub fn render(run: &Run) -> Rendered {
    let summary = summary::summarise(run);
    let charts = charts::of_run(&summary);
    Rendered {
        tables_md: markdown::render(run, &summary),
        html: page::render(run, &summary, &charts),
        charts: charts
            .into_iter()
            .flatten()
            .map(|chart| (chart.file, chart.svg))
            .collect(),
    }
}

/// The tables for a terminal of this many columns; no escape sequences.
pub fn terminal(run: &Run, width: usize) -> String {
    terminal::render(run, &summary::summarise(run), width)
}

/// Manifest, environment and summary, in machine units.
pub fn json(run: &Run) -> serde_json::Value {
    json!({
        "manifest": run.manifest,
        "environment": run.environment,
        "summary": summary::summarise(run),
        "remarks": run.remarks,
    })
}
