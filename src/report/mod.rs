//! HOW it is shown: an analyzed run, or two, as one [`Document`], which is laid out for a terminal,
//! for `tables.md` and as a page; also charts, derived files and JSON.
//!
//! Pure: an [`Analysis`] in, text out, the same bytes every time. It reads no file, no clock and no
//! environment; writing is [`crate::cli`]'s.

use serde_json::json;

use crate::analysis::{Analysis, cores};
use crate::record::csv_of;
use charts::Charts;

mod answers;
mod caveats;
mod charts;
pub mod compare;
mod derived;
pub mod document;
mod families;
pub mod format;
mod machine;
mod markdown;
mod memory;
mod of_run;
mod open_answers;
mod open_loops;
mod page;
mod provenance;
mod ratios;
mod sentences;
pub mod table;
mod terminal;
#[cfg(test)]
pub(crate) mod tests;
mod texts;
mod trust;
mod values;

#[cfg(test)]
pub(crate) use tests::{sample, sample_memory};

pub use document::Document;
pub use of_run::Preface;

/// The derived files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// `cells.csv`.
    pub cells_csv: String,
    /// `comparisons.csv`.
    pub comparisons_csv: String,
    /// `load_points.csv`.
    pub load_points_csv: String,
    /// `fits.csv`.
    pub fits_csv: String,
    /// `tables.md`.
    pub tables_md: String,
    /// Name below `charts/`, and SVG text.
    pub charts: Vec<(String, String)>,
    /// `report.html`, which needs no other file.
    pub html: String,
}

/// All derived files of a run; the preface is that of an experiment with claims.
pub fn render(analysis: &Analysis<'_>, preface: Option<Preface>) -> Rendered {
    let Analysis { run, families, summary, open, distributions, .. } = analysis;
    let charts = charts::of_run(summary, families, distributions, cores(run))
        .with_open(open)
        .with_noise(analysis.timeline.as_ref());
    let files = charts.clone().into_iter().map(|chart| (chart.file, chart.svg)).collect();
    let document = of_run::document(analysis, preface, charts);
    let run_id = &run.manifest.run_id;
    Rendered {
        cells_csv: derived::cells(run_id, families),
        comparisons_csv: derived::comparisons(&run.manifest, families),
        load_points_csv: csv_of(&analysis.load_points).expect("memory takes any row"),
        fits_csv: derived::fits(run_id, &summary.memory),
        tables_md: markdown::render(&document),
        charts: files,
        html: page::render(&document),
    }
}

/// The tables for a terminal of this many columns; no escape sequences.
pub fn terminal(analysis: &Analysis<'_>, preface: Option<Preface>, width: usize) -> String {
    terminal::render(&of_run::document(analysis, preface, Charts::default()), width)
}

/// Manifest, environment and summary, in machine units.
pub fn json(analysis: &Analysis<'_>) -> serde_json::Value {
    let Analysis { run, summary, .. } = analysis;
    let mut value = json!({
        "manifest": run.manifest,
        "environment": run.environment,
        "summary": summary,
        "remarks": run.remarks,
    });
    for (place, caveats) in caveats::of_families(analysis).into_iter().enumerate() {
        value["summary"]["families"][place]["caveats"] = json!(caveats);
    }
    value
}
