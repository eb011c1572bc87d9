//! HOW it is shown: an analysed run, or two, as one [`document::Document`], which is laid out for a
//! terminal, for `tables.md` and as a page; also charts, derived files and JSON.
//!
//! Pure: rows in, text out, the same bytes every time. It reads no file, no clock and no
//! environment; writing is [`crate::cli`]'s.

use serde_json::json;

use crate::record::{NoiseRow, Run, Timing};
use analyse::Analysed;
use charts::Charts;
use claims::{Answers, Evidence};
use distribution::Distributions;
use open::Open;
use summary::Summary;

// Names that other folders still use.
use format as human;
use ratios as conclusions;

mod analyse;
mod answers;
mod caveats;
mod charts;
mod claims;
mod claims_section;
pub mod compare;
mod derived;
mod distribution;
mod document;
mod families;
mod format;
mod grouped;
mod load;
mod machine;
mod markdown;
mod memory;
mod metrics;
mod noise;
mod notes;
mod of_run;
mod open;
mod open_answers;
mod open_loops;
mod page;
mod provenance;
mod ratios;
mod responsiveness;
mod sentences;
mod summarise;
pub mod summary;
mod sweep;
mod table;
mod terminal;
#[cfg(test)]
pub(crate) mod tests;
mod texts;
mod trust;

#[cfg(test)]
pub(crate) use tests::{sample, sample_memory};

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

/// All that a run says, computed once and read by everything that shows it.
struct Analysis<'r> {
    run: &'r Run,
    families: Vec<Analysed<'r>>,
    summary: Summary,
    open: Open,
    /// Of an experiment that has claims.
    answers: Option<Answers>,
    /// Which requests could not be read, in sentences.
    unread: Vec<String>,
    /// Whether single requests are there at all: a run may be handed on without them.
    has_requests: bool,
}

impl<'r> Analysis<'r> {
    /// With the distributions of its requests, which only charts need.
    fn of(run: &'r Run, requests: Option<&Requests<'_>>) -> (Analysis<'r>, Distributions) {
        let families = analyse::run(run);
        let distributions =
            requests.map(|requests| Distributions::of(&families, requests)).unwrap_or_default();
        let summary = summarise::of_families(run, &families);
        let evidence = Evidence { run, families: &families, memory: &summary.memory };
        let analysis = Analysis {
            run,
            open: Open::of(run, &families, &distributions),
            answers: claims::answers(evidence),
            unread: distributions.unread.clone(),
            has_requests: distributions.has_any,
            summary,
            families,
        };
        (analysis, distributions)
    }
}

/// The files that are derived from the raw ones; `noise` may be empty.
pub fn render(run: &Run, noise: &[NoiseRow], requests: &Requests<'_>) -> Rendered {
    let (analysis, distributions) = Analysis::of(run, Some(requests));
    let Analysis { families, summary, open, answers, .. } = &analysis;
    let charts = charts::of_run(summary, families, &distributions, provenance::cores(run))
        .with_open(open)
        .with_noise(noise::timeline(run, noise).as_ref());
    let files = charts.clone().into_iter().map(|chart| (chart.file, chart.svg)).collect();
    let document = of_run::document(&analysis, charts);
    let run_id = &run.manifest.run_id;
    Rendered {
        cells_csv: derived::cells(run_id, families),
        comparisons_csv: derived::comparisons(&run.manifest, families),
        fits_csv: derived::fits(run_id, &summary.memory),
        claims_csv: answers.as_ref().map(|answers| derived::claims(run_id, &answers.judged)),
        tables_md: markdown::render(&document),
        charts: files,
        html: page::render(&document),
    }
}

/// The tables for a terminal of this many columns; no escape sequences.
pub fn terminal(run: &Run, width: usize) -> String {
    let (analysis, _) = Analysis::of(run, None);
    terminal::render(&of_run::document(&analysis, Charts::default()), width)
}

/// Manifest, environment and summary, in machine units.
pub fn json(run: &Run) -> serde_json::Value {
    let (Analysis { summary, answers, .. }, _) = Analysis::of(run, None);
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
