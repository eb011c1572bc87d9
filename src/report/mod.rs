//! HOW it is shown: a run as tables, charts, page and JSON.
//!
//! Pure: an [`Analysis`] in, text out, the same bytes every time. It reads no file, no clock and no
//! environment; writing is [`crate::cli`]'s.

use serde_json::json;

use crate::analysis::{Analysis, cores};
use crate::notes::{Answers, Evidence};
use crate::record::csv_of;

mod answers;
mod caveats;
mod charts;
pub mod compare;
mod conclusions;
mod derived;
mod doubts;
mod ended;
pub mod human;
mod markdown;
pub mod memory;
mod open;
mod open_answers;
pub mod page;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
pub(crate) mod sample_memory;
mod sentences_of_analysis;
pub mod table;
mod template;
mod terminal;
#[cfg(test)]
mod tests;
mod trust;
mod watched;
mod words;

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
    /// `claims.csv`, of a run whose experiment has claims.
    pub claims_csv: Option<String>,
    /// `tables.md`.
    pub tables_md: String,
    /// Name below `charts/`, and SVG text.
    pub charts: Vec<(String, String)>,
    /// `report.html`, which needs no other file.
    pub html: String,
}

/// Everything that is written beside the raw files.
pub fn render(analysis: &Analysis<'_>) -> Rendered {
    let Analysis { run, families, summary, open, distributions, .. } = analysis;
    let charts = charts::of_run(summary, families, distributions, cores(run))
        .with_open(open)
        .with_noise(analysis.timeline.as_ref());
    let trust = trust::of(run, summary, families);
    let run_id = &run.manifest.run_id;
    let answers = answers(analysis);
    Rendered {
        cells_csv: derived::cells(run_id, families),
        comparisons_csv: derived::comparisons(&run.manifest, families),
        load_points_csv: csv_of(&analysis.load_points).expect("memory takes any row"),
        fits_csv: derived::fits(run_id, &summary.memory),
        claims_csv: answers.as_ref().map(|answers| answers.csv(run_id)),
        tables_md: markdown::render(analysis, answers.as_ref()),
        html: page::render(&page::Page {
            analysis,
            charts: &charts,
            trust: &trust,
            answers: answers.as_ref(),
            unread: &distributions.unread(),
        }),
        charts: charts.into_iter().map(|chart| (chart.file, chart.svg)).collect(),
    }
}

/// The tables for a terminal of this many columns; no escape sequences.
pub fn terminal(analysis: &Analysis<'_>, width: usize) -> String {
    terminal::render(analysis, answers(analysis).as_ref(), width)
}

/// What a run says of the claims of its experiment, if that has any.
fn answers(analysis: &Analysis<'_>) -> Option<Answers> {
    let Analysis { run, families, summary, .. } = analysis;
    Answers::of(Evidence { run, families, memory: &summary.memory })
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
    if let Some(answers) = answers(analysis) {
        value["claims"] = json!(answers.judged);
    }
    value
}
