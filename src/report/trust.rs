//! *Can I trust it?*: the placebo of each family, how much the number of blocks carries, and what
//! else should be known before a number is believed.

use std::collections::BTreeMap;

use crate::record::{Regime, Run, TrialRow};
use crate::stats::interval::COVERAGE_UNDER_DRIFT;
use crate::stats::quantile::median;
use crate::stats::verdict::{Conclusion, INTERVAL_BLOCKS_MIN, Reason, VERDICT_BLOCKS_MIN};

use super::document::Section;
use super::sentences::{extremes, span};
use super::table::{Cell, Head, Table};
use super::{format, machine, open_loops, ratios, texts};
use crate::analysis::cells::{Analysed, DISTURBED_OFTEN_RATIO};
use crate::analysis::metrics::{RESPONSE_P50, SERVICE_P50};
use crate::analysis::summary::{FamilySummary, Summary};

/// The whole section, without charts.
pub fn section(run: &Run, summary: &Summary, families: &[Analysed<'_>]) -> Section {
    let delta = format::percent(summary.delta_ratio);
    let values: [(&str, &str); 2] =
        [("reference", run.manifest.reference.as_str()), ("delta", &delta)];
    Section::new("trust", "Can I trust it?")
        .list(sentences(run, summary, families))
        .text(texts::text("placebo", &values))
        .table("the placebo of every family", placebos(summary))
}

/// From the most to the least important.
pub fn sentences(run: &Run, summary: &Summary, families: &[Analysed<'_>]) -> Vec<String> {
    let rows: Vec<&TrialRow> =
        families.iter().flat_map(|family| family.rows.rows.iter().copied()).collect();
    let mut sentences = vec![blocks(summary), placebo(summary)];
    sentences.extend(machine::laws(run));
    sentences.extend(withheld(families));
    sentences.extend(stopped(families));
    sentences.extend(shortened(run));
    sentences.extend(drift(families));
    sentences.extend(coverage(summary));
    sentences.extend(machine::shared_cores(run, &rows));
    sentences.extend(open_loops::generator(run));
    sentences.extend(machine::noise(run, &rows));
    sentences.extend(disturbed(families));
    sentences.extend(machine::watched(run));
    sentences.extend(machine::flags(&rows));
    sentences.extend(losses(summary));
    sentences
}

fn blocks(summary: &Summary) -> String {
    let Some((fewest, most)) = span(summary) else {
        return "No: nothing was measured.".to_owned();
    };
    let number = match fewest == most {
        true => format::plural(fewest as u64, "block"),
        false => format!("{fewest} to {most} blocks"),
    };
    let worth = match fewest {
        n if n < INTERVAL_BLOCKS_MIN => {
            "Too few for intervals, so nothing tells a difference from noise: a look, not a \
             measurement."
        }
        n if n < VERDICT_BLOCKS_MIN => {
            "Enough to screen, not to decide: faster and slower are indications, because one bad \
             block in so few decides how wide an interval is. From 10 blocks on they are verdicts."
        }
        _ => "Enough for verdicts.",
    };
    format!("Each family ran in {number}. {worth}")
}

fn placebo(summary: &Summary) -> String {
    let families = summary.families.iter();
    let tests: Vec<_> = families
        .flat_map(|family| family.placebo.iter().map(move |placebo| (family, placebo)))
        .filter(|(_, placebo)| placebo.metric.ends_with("_ns") && placebo.is_checked)
        .collect();
    let grey: Vec<String> = tests
        .iter()
        .filter(|(_, placebo)| placebo.is_grey)
        .map(|(family, placebo)| format!("{} ({})", family.title, name(placebo.metric)))
        .collect();
    let placebo = "The placebo, the reference under another name,";
    match (tests.len(), grey.as_slice()) {
        (0, _) => "No family has a placebo with an interval: nothing checked them, so nothing is \
                   concluded."
            .to_owned(),
        (n, []) => format!(
            "{placebo} did not differ from the reference in {}, as expected.",
            format::any(n, "test")
        ),
        (n, grey) => format!(
            "{placebo} differed from the reference in {}, although the two are the same: {}. \
             Nothing is concluded there.",
            format::part(grey.len(), n, "test"),
            grey.join("; ")
        ),
    }
}

/// Of how many families nothing is concluded, and why. A strategy that failed is no reason: its
/// table says so.
fn withheld(families: &[Analysed<'_>]) -> Option<String> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for family in families {
        let response = family.results.iter().find(|r| r.metric.name == RESPONSE_P50)?;
        let reason = response.comparisons.iter().flatten().find_map(|c| match c.conclusion {
            Conclusion::Withheld(reason) if reason != Reason::ArmFailed => Some(reason),
            _ => None,
        });
        if let Some(reason) = reason {
            *reasons.entry(ratios::because(reason)).or_default() += 1;
        }
    }
    let n: usize = reasons.values().sum();
    let of = match n == families.len() {
        true => format::any(n, "family"),
        false => format::part(n, families.len(), "family"),
    };
    let named: Vec<String> = reasons.iter().map(|(reason, n)| format!("{reason} ({n})")).collect();
    (n > 0).then(|| {
        let named = named.join("; ");
        format!("Nothing is concluded about the response of {of}: {named}.")
    })
}

/// Families that ended before the plan did, and why that is no reason for doubt.
fn stopped(families: &[Analysed<'_>]) -> Option<String> {
    let n = families.iter().filter(|family| family.rows.stopped_after.is_some()).count();
    (n > 0).then(|| {
        format!(
            "{} stopped before the last planned block, because the ratios of throughput and p50 \
             were known to 3 % by then, and those of p99 to 10 % where every block has one. Their \
             values played no part in that.",
            format::plural(n as u64, "family")
        )
    })
}

/// Windows shorter than those of the preset, and the cost.
fn shortened(run: &Run) -> Option<String> {
    let windows = run.manifest.windows.filter(|windows| windows.shortened)?;
    let has = |regime: fn(&TrialRow) -> bool| run.trials.iter().any(regime);
    let time = |ns: u64| format::duration(ns as f64);
    let mut parts = Vec::new();
    if has(|row| row.regime == Regime::Closed) {
        let closed = time(windows.min_window_ns);
        parts.push(format!("every closed-loop trial was measured for {closed} only"));
    }
    if has(|row| !row.arrivals.is_empty()) {
        let [shortest, longest] = windows.open_window_ns.map(time);
        parts.push(format!("open loops had windows of {shortest} to {longest}"));
    }
    (!parts.is_empty()).then(|| {
        format!(
            "So that enough blocks for verdicts fit into the budget, {}. Slow strategies have \
             fewer requests for it, and perhaps no p99.",
            parts.join(", and ")
        )
    })
}

/// How far apart the slowest and the fastest block of a family were, at most.
fn drift(families: &[Analysed<'_>]) -> Option<String> {
    let spreads = families.iter().filter_map(|family| Some((family, spread(family)?)));
    let [_, (family, spread)] = extremes(spreads, |(_, spread)| *spread)?;
    Some(format!(
        "Drift: in the family where blocks differ most ({}), the slowest took {} as long as the \
         fastest, in the middle of its strategies. Ratios are taken within a block, so drift does \
         not touch them.",
        family.rows.title,
        format::ratio(spread)
    ))
}

/// The slowest block over the fastest: medians of every trial's median over its arm's.
fn spread(family: &Analysed<'_>) -> Option<f64> {
    let mut blocks: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for arm in &family.rows.arms {
        let p50 = |row: &&TrialRow| Some((row.block, row.response_p50_ns? as f64));
        let times: Vec<(u32, f64)> = arm.good.iter().filter_map(p50).collect();
        let all: Vec<f64> = times.iter().map(|time| time.1).collect();
        let Some(middle) = median(&all).filter(|ns| *ns > 0.0) else {
            continue;
        };
        for (block, ns) in times {
            blocks.entry(block).or_default().push(ns / middle);
        }
    }
    let medians: Vec<f64> = blocks.values().filter_map(|ratios| median(ratios)).collect();
    let low = medians.iter().copied().reduce(f64::min).filter(|low| *low > 0.0)?;
    let high = medians.iter().copied().reduce(f64::max)?;
    (medians.len() > 1).then_some(high / low)
}

fn coverage(summary: &Summary) -> Option<String> {
    span(summary).filter(|(fewest, _)| *fewest >= INTERVAL_BLOCKS_MIN)?;
    let simulated = COVERAGE_UNDER_DRIFT.iter();
    let simulated: Vec<String> =
        simulated.map(|(n, share)| format!("{share} % at {n} blocks")).collect();
    Some(texts::text("coverage", &[("simulated", &simulated.join(", "))]))
}

/// Families in which the rest of the machine disturbed more trials than should be.
fn disturbed(families: &[Analysed<'_>]) -> Option<String> {
    let often = families.iter().filter(|family| family.is_often_disturbed());
    let named: Vec<String> = often
        .map(|family| {
            format!("{} ({})", family.rows.title, format::percent(family.disturbed_ratio))
        })
        .collect();
    (!named.is_empty()).then(|| {
        format!(
            "More than {} of the trials were disturbed, after re-runs, in: {}.",
            format::percent(DISTURBED_OFTEN_RATIO),
            named.join("; ")
        )
    })
}

fn losses(summary: &Summary) -> Option<String> {
    let (planned, run) = (summary.trials_planned, summary.trials_run);
    (run < planned).then(|| {
        format!(
            "{} of {} did not run to their end. A block that lacks one counts for the others only.",
            format::count((planned - run) as u64),
            format::plural(planned as u64, "planned trial")
        )
    })
}

/// `response` of `response_p50_ns`.
fn name(metric: &str) -> &str {
    metric.split('_').next().unwrap_or(metric)
}

fn placebos(summary: &Summary) -> Table {
    let mut head = Head::words(["family", "what its placebo says"]);
    let numbers = ["blocks", "placebo, response ratio", "placebo, service ratio"];
    head.extend(numbers.map(|text| Head::new(text, true)));
    Table::new(head, summary.families.iter().map(placebo_row))
}

fn placebo_row(family: &FamilySummary) -> Vec<Cell> {
    let placebos = [RESPONSE_P50, SERVICE_P50].map(|metric| family.placebo_of(metric));
    let known = placebos.iter().flatten();
    let grey: Vec<&str> = known.clone().filter(|p| p.is_grey).map(|p| name(p.metric)).collect();
    let says = match (known.clone().any(|p| p.is_checked), grey.as_slice()) {
        (false, _) => "no placebo: nothing checked it".to_owned(),
        (true, []) => "no difference, as expected".to_owned(),
        (true, grey) => format!("differs in {}: nothing is concluded", grey.join(" and ")),
    };
    let [response, service] =
        placebos.map(|placebo| ratios::cell(placebo.and_then(|p| p.ratio).as_ref()));
    let blocks = Cell::from(family.n_blocks.to_string());
    vec![Cell::from(family.title.as_str()), Cell::from(says), blocks, response, service]
}
