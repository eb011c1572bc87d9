//! The document of a run.

use super::charts::Charts;
use super::document::{Document, Item, Section};
use super::table::Extent;
use super::{families, format, machine, memory, open_loops, provenance, sentences, texts, trust};
use crate::analysis::summary::Summary;
use crate::analysis::{Analysis, cores};
use crate::record::Run;

/// More sentences are no summary.
const SENTENCES_MAX: usize = 5;

/// What a document begins with if its experiment has claims.
#[derive(Debug, Clone, PartialEq)]
pub struct Preface {
    /// Its first sentence.
    pub lead: String,
    /// Its first section.
    pub section: Section,
}

/// Everything that a run says. The charts may be missing: tables and sentences need none.
pub fn document(analysis: &Analysis<'_>, preface: Option<Preface>, charts: Charts) -> Document {
    let Analysis { run, summary, .. } = analysis;
    let manifest = &run.manifest;
    let data = data(analysis, preface.is_some());
    let (first, section) = preface.map(|preface| (preface.lead, preface.section)).unzip();
    let mut sections = Vec::from_iter(section);
    sections.push(Section::new("overview", "Overview").charts(charts.overview));
    sections.extend(open_loops::sections(&analysis.open, charts.open));
    if !summary.families.is_empty() {
        sections.push(families::section(analysis, charts.families));
    }
    let budget_bytes = manifest.memory_budget_bytes;
    sections.extend(memory::section(&summary.memory, budget_bytes, charts.memory));
    let trust = trust::section(run, summary, &analysis.families).charts(charts.trust);
    let of_page = [trust, not_measured(analysis), method(run, summary), of_machine(run)];
    sections.extend(of_page.map(|section| section.from(Extent::Page)));
    sections.push(data.from(Extent::Page));
    Document {
        generator: "forkbench report",
        subject: format!("experiment {} · run {}", manifest.experiment, manifest.run_id),
        title: manifest.question.clone(),
        alarm: machine::laws(run),
        lead: lead(analysis, first),
        facts: provenance::strip(run),
        sections,
    }
}

fn lead(analysis: &Analysis<'_>, first: Option<String>) -> Vec<String> {
    let sentences = first.into_iter().chain(sentences::summary(analysis.run, &analysis.summary));
    sentences.take(SENTENCES_MAX).chain(machine::warnings(analysis.run)).collect()
}

fn not_measured(analysis: &Analysis<'_>) -> Section {
    let Analysis { run, summary, .. } = analysis;
    let arms = summary.families.iter().flat_map(|family| {
        let without = family.arms.iter().filter(|arm| !arm.reason.is_empty());
        without.map(move |arm| {
            let text = format!("in {}, {}: {}", family.title, arm.state.word(), arm.reason);
            Item::new(&arm.label, &text)
        })
    });
    let unavailable = run.environment.unavailable.iter().map(|(name, why)| Item::new(name, why));
    let remarks = run.remarks.iter().cloned().chain(analysis.distributions.unread());
    let remarks = remarks.map(|text| Item { text, ..Item::default() });
    let mut section = Section::new("not-measured", "What could not be measured, and why");
    section.sections = vec![
        Section::new("left-out", "Arms and trials without a comparison").items(arms),
        Section::new("unavailable", "Facts of the machine that were not available")
            .items(unavailable),
        Section::new("remarks", "Remarks on the files").items(remarks),
    ];
    section.sections.retain(|part| !part.is_empty());
    if section.sections.is_empty() {
        section = section.text("Everything that was planned was measured.");
    }
    section
}

fn method(run: &Run, summary: &Summary) -> Section {
    let cores = cores(run);
    let values: [(&str, &str); 4] = [
        ("reference", run.manifest.reference.as_str()),
        ("confidence", sentences::confidence(run, summary)),
        ("delta", &format::percent(summary.delta_ratio)),
        ("cores", &cores.map_or_else(|| "cores".to_owned(), |n| format::plural(n, "core"))),
    ];
    Section::new("method", "Method, in plain words").items(texts::items("method", &values))
}

fn of_machine(run: &Run) -> Section {
    Section::new("machine", "The machine").folded("All recorded facts", provenance::facts(run))
}

const REQUESTS: &str = "requests/";

/// The file of verdicts, which only an experiment with claims has.
const CLAIMS: &str = "claims.csv";

fn data(analysis: &Analysis<'_>, has_claims: bool) -> Section {
    let mut files = texts::items("files", &[]);
    files.retain(|file| match file.lead.as_str() {
        REQUESTS => analysis.distributions.has_any(),
        CLAIMS => has_claims,
        _ => true,
    });
    files.iter_mut().for_each(|file| file.href = Some(file.lead.clone()));
    Section::new("data", "Data, and how to reproduce this")
        .text("The files are in the same folder as this page:")
        .items(files)
        .text("The same plan on another machine or day:")
        .code(provenance::command(analysis.run))
        .text("Rebuild this page, all charts and all tables from the files alone:")
        .code("forkbench report DIR")
}
