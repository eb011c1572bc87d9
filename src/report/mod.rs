//! HOW it is shown: a run as tables, charts, page and JSON.
//!
//! Pure: rows in, text out, the same bytes every time. It reads no file, no clock and no
//! environment; writing is [`crate::cli`]'s.

use serde_json::json;

use crate::notes::{Answers, Evidence};
use crate::record::{NoiseRow, Run, Timing};
use analyse::Analysed;
use distribution::Distributions;
use open::Open;

pub(crate) mod analyse;
mod answers;
mod caveats;
mod charts;
pub mod compare;
mod conclusions;
mod derived;
mod distribution;
mod doubts;
mod ended;
mod grouped;
pub(crate) mod human;
mod load;
mod markdown;
pub(crate) mod memory;
pub(crate) mod metrics;
mod noise;
mod open;
mod open_answers;
pub(crate) mod page;
mod responsiveness;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
pub(crate) mod sample_memory;
mod summarise;
pub mod summary;
mod sweep;
pub(crate) mod table;
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

/// Where the single requests of a trial come from, by its id. Asked once for each usable trial,
/// so that no more than one trial's requests are ever held; an error is a sentence.
pub type Requests<'a> = dyn Fn(&str) -> Result<Vec<Timing>, String> + 'a;

/// Everything that is written beside the raw files; `noise` is what the machine did meanwhile, and
/// may be empty.
pub fn render(run: &Run, noise: &[NoiseRow], requests: &Requests<'_>) -> Rendered {
    let families = analyse::run(run);
    let summary = summarise::of_families(run, &families);
    let distributions = Distributions::of(&families, requests);
    let open = Open::of(run, &families, &distributions);
    let timeline = noise::timeline(run, noise);
    let charts = charts::of_run(&summary, &families, &distributions, page::cores(run))
        .with_open(&open)
        .with_noise(timeline.as_ref());
    let trust = trust::of(run, &summary, &families);
    let run_id = &run.manifest.run_id;
    let answers = answers(run, &families, &summary);
    Rendered {
        cells_csv: derived::cells(run_id, &families),
        comparisons_csv: derived::comparisons(&run.manifest, &families),
        fits_csv: derived::fits(run_id, &summary.memory),
        claims_csv: answers.as_ref().map(|answers| answers.csv(run_id)),
        tables_md: markdown::render(run, &summary, &open, answers.as_ref()),
        html: page::render(&page::Page {
            run,
            summary: &summary,
            open: &open,
            charts: &charts,
            trust: &trust,
            answers: answers.as_ref(),
            unread: &distributions.unread,
            has_requests: distributions.has_any,
        }),
        charts: charts.into_iter().map(|chart| (chart.file, chart.svg)).collect(),
    }
}

/// The tables for a terminal of this many columns; no escape sequences.
pub fn terminal(run: &Run, width: usize) -> String {
    let families = analyse::run(run);
    let summary = summarise::of_families(run, &families);
    let open = Open::of(run, &families, &Distributions::default());
    let answers = answers(run, &families, &summary);
    terminal::render(run, &summary, &open, answers.as_ref(), width)
}

/// What a run says of the claims of its experiment, if that has any.
fn answers(run: &Run, families: &[Analysed<'_>], summary: &summary::Summary) -> Option<Answers> {
    Answers::of(Evidence { run, families, memory: &summary.memory })
}

/// Manifest, environment and summary, in machine units.
pub fn json(run: &Run) -> serde_json::Value {
    let families = analyse::run(run);
    let summary = summarise::of_families(run, &families);
    let answers = answers(run, &families, &summary);
    let mut value = json!({
        "manifest": run.manifest,
        "environment": run.environment,
        "summary": summary,
        "remarks": run.remarks,
    });
    if let Some(answers) = answers {
        value["claims"] = json!(answers.judged);
    }
    value
}
