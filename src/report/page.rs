//! `report.html`: one file that needs no network, no script and no other file.
//!
//! What the page says is collected here as plain text; how it is laid out stands in `page.html`,
//! which escapes all of it. Only the charts go in unescaped: they are made here and escape their
//! own text.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;

use crate::record::Run;

use super::charts::{Chart, Charts};
use super::claims::Answers;
use super::open::{Open, Section};
use super::summary::{FamilySummary, Summary};
use super::table::{self, Extent, Table};
use super::trust::Trust;
use super::{conclusions, human, memory, notes, words};

const TEMPLATE: &str = include_str!("page.html");

/// What the template sees.
#[derive(Serialize)]
struct View<'a> {
    experiment: &'a str,
    question: &'a str,
    reference: &'a str,
    run_id: &'a str,
    sentences: Vec<String>,
    confidence: String,
    provenance: Vec<Fact>,
    families: Vec<FamilyView<'a>>,
    memory: Vec<MemoryView<'a>>,
    ballast: Option<Table>,
    ballast_scope: &'static str,
    notes_scope: &'static str,
    /// The largest pools within the budget.
    sizings: Vec<String>,
    facts: Vec<Fact>,
    unavailable: Vec<Fact>,
    left_out: Vec<LeftOut>,
    remarks: Vec<&'a String>,
    /// A section that is markup already, of a run whose experiment has claims.
    notes: Option<String>,
    notes_style: &'static str,
    overview: Vec<ChartView<'a>>,
    open: Vec<SectionView<'a>>,
    trust: &'a Trust,
    trust_charts: Vec<ChartView<'a>>,
    /// What the signs behind ratios mean.
    signs: Vec<String>,
    files: Vec<(&'static str, &'static str)>,
    command: String,
    /// `2 cores`, or `cores` if their number is not known.
    cores: String,
}

#[derive(Serialize)]
struct Fact {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct FamilyView<'a> {
    id: String,
    /// With the number that the overview uses.
    title: String,
    scope: String,
    /// The smallest difference named, and whether anything is concluded.
    placebo: Option<String>,
    table: Table,
    charts: Vec<ChartView<'a>>,
}

/// What an open loop says before any family.
#[derive(Serialize)]
struct SectionView<'a> {
    id: String,
    section: Section,
    charts: Vec<ChartView<'a>>,
}

/// What children cost in memory, on one work and runtime.
#[derive(Serialize)]
struct MemoryView<'a> {
    title: &'a str,
    scope: String,
    table: Table,
    notes: Option<Table>,
    charts: Vec<ChartView<'a>>,
}

#[derive(Serialize)]
struct ChartView<'a> {
    file: &'a str,
    question: &'a str,
    answer: &'a str,
    svg: &'a str,
    numbers: &'a Table,
}

/// An arm without numbers, or without numbers to compare.
#[derive(Serialize)]
struct LeftOut {
    family: String,
    arm: String,
    state: &'static str,
    reason: String,
}

const FILES: &[(&str, &str)] = &[
    ("trials.csv", "every trial with all its factors and results"),
    ("plan.csv", "every planned trial, in order"),
    (
        "memory.csv",
        "what every process of a memory trial held, at every look",
    ),
    ("facts.csv", "what every demonstration showed"),
    (
        "requests/",
        "every request with its stamps, one compressed CSV per trial",
    ),
    ("manifest.json", "which run this is"),
    ("env.json", "machine and toolchains"),
    ("experiment.toml", "the question, as it was run"),
    (
        "cells.csv",
        "every strategy's own numbers with intervals, derived",
    ),
    (
        "comparisons.csv",
        "every strategy against the reference: ratio, interval, p, verdict; derived",
    ),
    (
        "fits.csv",
        "what each further child costs in memory: lines with intervals, derived",
    ),
    (
        "claims.csv",
        "what became of each claim of the study notes, with its figures; derived, of runs that \
         answer them",
    ),
    (
        "load_points.csv",
        "every strategy at every rate of an open loop, and its limit; derived",
    ),
    (
        "calibration.csv",
        "what the rates of open loops are shares of",
    ),
    ("noise.csv", "what the machine did, ten times a second"),
    ("datapackage.json", "what every column of the CSV files is"),
    ("tables.md", "the tables with every column"),
    ("charts/", "the charts as SVG files"),
];

/// What the number of cores may be called in the facts.
const CORES: [&str; 2] = ["cpus_available", "cpus_online"];

/// Those that a run has.
fn files(has_claims: bool) -> Vec<(&'static str, &'static str)> {
    let all = FILES.iter().copied();
    all.filter(|(name, _)| has_claims || *name != "claims.csv")
        .collect()
}

pub(super) fn render(
    run: &Run,
    summary: &Summary,
    open: &Open,
    charts: &Charts,
    trust: &Trust,
    unread: &[String],
    answers: Option<&Answers>,
) -> String {
    let view = View {
        experiment: &run.manifest.experiment,
        question: &run.manifest.question,
        reference: &run.manifest.reference,
        run_id: &run.manifest.run_id,
        sentences: words::summary(run, summary),
        confidence: words::confidence(run, summary),
        provenance: provenance(run),
        families: summary
            .families
            .iter()
            .zip(&charts.families)
            .enumerate()
            .map(|(i, (family, charts))| family_view(run, i, family, charts))
            .collect(),
        memory: memory_views(summary, charts),
        ballast: memory::ballast(&summary.memory),
        ballast_scope: memory::BALLAST_SCOPE,
        notes_scope: memory::NOTES_SCOPE,
        sizings: memory::sizings(&summary.memory, run.manifest.memory_budget_bytes),
        facts: all_facts(run),
        unavailable: run
            .environment
            .unavailable
            .iter()
            .map(|(name, why)| fact(name, why))
            .collect(),
        left_out: left_out(summary),
        remarks: run.remarks.iter().chain(unread).collect(),
        notes_style: answers.map_or("", |_| notes::STYLE),
        notes: answers.map(|answers| notes::fragment(answers, &notes::tables(answers))),
        overview: charts.overview.iter().map(chart_view).collect(),
        open: open
            .sections(Extent::Page)
            .into_iter()
            .zip(&charts.open)
            .enumerate()
            .map(|(i, (section, charts))| SectionView {
                id: format!("open-{}", i + 1),
                section,
                charts: charts.iter().map(chart_view).collect(),
            })
            .collect(),
        trust_charts: charts.trust.iter().map(chart_view).collect(),
        trust,
        signs: conclusions::legend(summary),
        files: files(answers.is_some()),
        command: command(run),
        cores: cores(run).map_or_else(|| "cores".to_owned(), |n| human::plural(n, "core")),
    };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    environment.set_syntax(syntax.expect("the delimiters are the usual ones"));
    environment
        .render_named_str("page.html", TEMPLATE, context! { view => Serde(&view) })
        .expect("the template knows every field of the view; a test renders it")
}

fn family_view<'a>(
    run: &Run,
    index: usize,
    family: &'a FamilySummary,
    charts: &'a [Chart],
) -> FamilyView<'a> {
    FamilyView {
        id: format!("family-{}", index + 1),
        title: format!("{}: {}", index + 1, family.title),
        scope: words::family_scope(run, family),
        placebo: conclusions::of_placebo(family),
        table: table::of_family(family, Extent::Page),
        charts: charts.iter().map(chart_view).collect(),
    }
}

fn memory_views<'a>(summary: &'a Summary, charts: &'a Charts) -> Vec<MemoryView<'a>> {
    let groups = summary.memory.groups.iter().zip(&charts.memory);
    groups
        .map(|(group, charts)| MemoryView {
            title: &group.title,
            scope: memory::scope(group),
            table: memory::of_group(group, Extent::Page),
            notes: memory::notes_table(group, Extent::Page),
            charts: charts.iter().map(chart_view).collect(),
        })
        .collect()
}

fn chart_view(chart: &Chart) -> ChartView<'_> {
    ChartView {
        file: &chart.file,
        question: &chart.question,
        answer: &chart.answer,
        svg: &chart.svg,
        numbers: &chart.numbers,
    }
}

fn left_out(summary: &Summary) -> Vec<LeftOut> {
    summary
        .families
        .iter()
        .flat_map(|family| family.arms.iter().map(move |arm| (family, arm)))
        .filter(|(_, arm)| !arm.reason.is_empty())
        .map(|(family, arm)| LeftOut {
            family: family.title.clone(),
            arm: arm.label.clone(),
            state: arm.state.word(),
            reason: arm.reason.clone(),
        })
        .collect()
}

/// The strip under the headline: the facts without which a number is a rumour.
fn provenance(run: &Run) -> Vec<Fact> {
    let manifest = &run.manifest;
    let machine = [
        ("machine", ["cpu_model", "cpu_vendor"]),
        ("cores", CORES),
        ("memory", ["memory_total_bytes", "memory_limit_bytes"]),
        ("kernel", ["kernel_release", "kernel_version"]),
    ];
    let mut strip: Vec<Fact> = machine
        .into_iter()
        .map(|(name, keys)| {
            let known = keys.iter().find_map(|key| {
                let value = run.environment.facts.get(*key)?;
                Some(shown(key, value))
            });
            fact(name, &known.unwrap_or_else(|| "unknown".to_owned()))
        })
        .collect();
    let revision = match manifest.git_revision.as_str() {
        "" => String::new(),
        revision => format!(" ({revision})"),
    };
    strip.extend([
        fact("date", &manifest.started_utc),
        fact(
            "preset",
            &format!("{}, {} blocks", manifest.preset, manifest.blocks),
        ),
        fact("seed", &manifest.seed.to_string()),
        fact(
            "forkbench",
            &format!("{}{revision}", manifest.forkbench_version),
        ),
        fact("command", &command(run)),
    ]);
    strip
}

/// How many processors the run had, if that is known.
pub(super) fn cores(run: &Run) -> Option<u64> {
    let facts = &run.environment.facts;
    CORES.iter().find_map(|key| facts.get(*key)?.as_u64())
}

fn all_facts(run: &Run) -> Vec<Fact> {
    run.environment
        .facts
        .iter()
        .map(|(name, value)| fact(name, &shown(name, value)))
        .collect()
}

/// A fact's value as text; bytes in their binary unit.
pub(super) fn shown(name: &str, value: &serde_json::Value) -> String {
    match (value.as_str(), value.as_u64()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(n)) if name.ends_with("_bytes") => human::bytes(n),
        _ => value.to_string(),
    }
}

fn fact(name: &str, value: &str) -> Fact {
    Fact {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// The command that starts the same plan again: with the seed, if it was drawn and not given.
fn command(run: &Run) -> String {
    let mut words = vec!["forkbench".to_owned()];
    words.extend(run.manifest.arguments.iter().map(|word| quoted(word)));
    let has_seed = run
        .manifest
        .arguments
        .iter()
        .any(|word| word == "--seed" || word.starts_with("--seed="));
    if !has_seed {
        words.push(format!("--seed {}", run.manifest.seed));
    }
    words.join(" ")
}

/// A word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_command_can_be_pasted_into_a_shell() {
        let mut run = sample::run();
        assert_eq!(command(&run), "forkbench run main --preset quick --seed 7");
        run.manifest.arguments = vec!["run".into(), "it's $x".into(), "--seed=9".into()];
        assert_eq!(command(&run), "forkbench run 'it'\\''s $x' --seed=9");
    }
}
