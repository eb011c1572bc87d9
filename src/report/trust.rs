//! *Can I trust it?* in plain words: what the placebo says of each family, how much the number of
//! blocks carries, and what else should be known before a number is believed.

use std::collections::BTreeMap;

use crate::record::{Run, TrialRow};
use crate::stats::interval::COVERAGE_UNDER_DRIFT;
use crate::stats::verdict::{INTERVAL_BLOCKS_MIN, VERDICT_BLOCKS_MIN};

use super::table::{Cell, Head, Table};
use super::{conclusions, doubts, human, watched};
use crate::analysis::cells::Analysed;
use crate::analysis::metrics::{RESPONSE_P50, SERVICE_P50};
use crate::analysis::summary::{FamilySummary, Summary};

/// What the page says of itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trust {
    /// From the most to the least important.
    pub(super) sentences: Vec<String>,
    /// The placebo of each family.
    pub(super) placebos: Table,
}

/// A placebo whose interval is wider to either side is worth a warning.
const BLUNT_RATIO: f64 = 0.1;

pub(super) fn of(run: &Run, summary: &Summary, families: &[Analysed<'_>]) -> Trust {
    let rows = || families.iter().flat_map(|family| family.rows.rows.iter().copied());
    let mut sentences = vec![blocks(summary), placebo(summary)];
    sentences.extend(doubts::laws(run));
    sentences.extend(doubts::withheld(families));
    sentences.extend(stopped(families));
    sentences.extend(shortened(run));
    sentences.extend(blunt(summary));
    sentences.extend(doubts::drift(families));
    sentences.extend(coverage(summary));
    sentences.extend(shared_cores(run, rows()));
    sentences.extend(doubts::generator(run));
    sentences.extend(noise(run, rows()));
    sentences.extend(doubts::disturbed(families));
    sentences.extend(watched::sentences(run));
    sentences.extend(flags(rows()));
    sentences.extend(losses(summary));
    Trust { sentences, placebos: placebos(summary) }
}

/// Fewest and most blocks of a family that has any.
pub(super) fn span(summary: &Summary) -> Option<(usize, usize)> {
    let counts = || summary.families.iter().map(|f| f.n_blocks).filter(|n| *n > 0);
    Some((counts().min()?, counts().max()?))
}

fn blocks(summary: &Summary) -> String {
    let Some((fewest, most)) = span(summary) else {
        return "No: nothing was measured.".to_owned();
    };
    let number = if fewest == most {
        human::plural(fewest as u64, "block")
    } else {
        format!("{fewest} to {most} blocks")
    };
    let worth = match fewest {
        n if n < INTERVAL_BLOCKS_MIN => {
            "Too few for intervals, so that nothing tells a difference from noise: a look, not a \
             measurement."
        }
        n if n < VERDICT_BLOCKS_MIN => {
            "Enough to screen, not to decide: what is called faster or slower is an indication, \
             because one bad block in so few decides how wide an interval is; from 10 blocks on it \
             is a verdict."
        }
        _ => "Enough for verdicts.",
    };
    format!("Each family ran in {number}. {worth}")
}

/// That families were not run to the end of the plan, and why that is no reason for doubt.
fn stopped(families: &[Analysed<'_>]) -> Option<String> {
    let n = families.iter().filter(|family| family.rows.stopped_after.is_some()).count();
    (n > 0).then(|| {
        let families = if n == 1 { "1 family".to_owned() } else { format!("{n} families") };
        format!(
            "{families} stopped before the last planned block, because the ratios of throughput \
             and p50 were known to 3 % by then, and those of p99 to 10 % where every block has \
             one; what they said played no part in it."
        )
    })
}

/// That windows are shorter than the preset's, and what that costs.
fn shortened(run: &Run) -> Option<String> {
    let windows = run.manifest.windows.filter(|windows| windows.shortened)?;
    let has = |regime: fn(&TrialRow) -> bool| run.trials.iter().any(regime);
    let time = |ns: u64| human::duration(ns as f64);
    let mut parts = Vec::new();
    if has(|row| row.regime == "closed") {
        let closed = time(windows.min_window_ns);
        parts.push(format!("every closed-loop trial was measured for {closed} only"));
    }
    if has(|row| !row.arrivals.is_empty()) {
        let [shortest, longest] = windows.open_window_ns.map(time);
        parts.push(format!("open loops had windows of {shortest} to {longest}"));
    }
    (!parts.is_empty()).then(|| {
        format!(
            "So that enough blocks for verdicts fit into the budget, {}; slow strategies have \
             fewer requests for it, and perhaps no p99.",
            parts.join(", and ")
        )
    })
}

fn placebo(summary: &Summary) -> String {
    let placebos = || {
        summary
            .families
            .iter()
            .flat_map(|family| family.placebo.iter().map(move |p| (family, p)))
            .filter(|(_, p)| p.metric.ends_with("_ns") && p.is_checked)
    };
    let n = placebos().count();
    if n == 0 {
        return "No family has a placebo with an interval: nothing checked them, so nothing is \
                concluded."
            .to_owned();
    }
    let grey: Vec<String> = placebos()
        .filter(|(_, p)| p.is_grey)
        .map(|(family, p)| format!("{} ({})", family.title, name(p.metric)))
        .collect();
    match grey.as_slice() {
        [] => format!(
            "The placebo, the reference under another name, was told apart from the reference in \
             none of {n} tests, as it should be."
        ),
        families => format!(
            "The placebo, the reference under another name, was told apart from the reference in \
             {} of {n} tests, although the two are the same: {}. Nothing is concluded there.",
            families.len(),
            families.join("; ")
        ),
    }
}

/// Families in which only large differences could be seen: how far the interval of the placebo
/// reaches.
fn blunt(summary: &Summary) -> Option<String> {
    let reach = |family: &FamilySummary| {
        let placebo = family.placebo_of(RESPONSE_P50)?.ratio?;
        Some((placebo.ci_high? / placebo.ci_low?).sqrt() - 1.0)
    };
    let blunt: Vec<String> = summary
        .families
        .iter()
        .filter_map(|family| Some((family, reach(family)?)))
        .filter(|(_, reach)| *reach > BLUNT_RATIO)
        .map(|(family, reach)| format!("{} (±{})", family.title, human::percent(reach)))
        .collect();
    (!blunt.is_empty()).then(|| {
        format!(
            "Intervals are wide, so that small differences of response stay inconclusive, in: {}.",
            blunt.join("; ")
        )
    })
}

fn name(metric: &str) -> &str {
    metric.split('_').next().unwrap_or(metric)
}

fn coverage(summary: &Summary) -> Option<String> {
    let (fewest, _) = span(summary)?;
    if fewest < INTERVAL_BLOCKS_MIN {
        return None;
    }
    let simulated: Vec<String> =
        COVERAGE_UNDER_DRIFT.iter().map(|(n, share)| format!("{share} % at {n} blocks")).collect();
    let ends = if fewest < 9 {
        " With so few blocks the interval of a ratio is as wide as the blocks themselves: from \
         the lowest or nearly so to the highest."
    } else {
        ""
    };
    Some(format!(
        "Intervals are made to hold the truth in 95 of 100 cases. Those of ratios compare within \
         a block, which a drifting machine does not disturb.{ends} Those of a strategy's own \
         median, in cells.csv, hold it less often while the machine drifts: in simulation {}.",
        simulated.join(", ")
    ))
}

fn shared_cores<'a>(run: &Run, rows: impl Iterator<Item = &'a TrialRow>) -> Option<String> {
    let cores = run.environment.facts.get("cpus_available")?.as_u64()?;
    let (mut driver_ns, mut subject_ns) = (0.0, 0.0);
    for row in rows {
        let cpu = (row.cpu_user_ns, row.cpu_system_ns, row.driver_cpu_ns);
        if let (Some(user), Some(system), Some(driver)) = cpu {
            subject_ns += user as f64 + system as f64;
            driver_ns += driver as f64;
        }
    }
    let used = driver_ns + subject_ns;
    let share = if used > 0.0 {
        format!(
            " It used {} of the CPU time that both used together.",
            human::percent(driver_ns / used)
        )
    } else {
        String::new()
    };
    Some(format!(
        "The driver shares {} with what it measures.{share} It does so for every strategy alike, \
         but what parallelism could gain looks smaller than on a machine with cores to spare.",
        human::plural(cores, "core")
    ))
}

/// How many trials the rest of the machine disturbed, and by what.
fn noise<'a>(run: &Run, rows: impl Iterator<Item = &'a TrialRow>) -> Vec<String> {
    let mut labels: BTreeMap<&str, u64> = BTreeMap::new();
    let mut signals: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows {
        *labels.entry(row.noise_label.as_str()).or_default() += 1;
        for signal in words_of(&row.noise_flags) {
            *signals.entry(signal).or_default() += 1;
        }
    }
    let of = |label: &str| labels.get(label).copied().unwrap_or(0);
    let judged = of("quiet") + of("warn") + of("disturbed");
    let mut sentences = Vec::new();
    if judged > 0 {
        let by = match counted(&signals).as_str() {
            "" => String::new(),
            signals => format!(" ({signals})"),
        };
        sentences.push(format!(
            "The rest of the machine disturbed {} of {} that could be judged, after re-runs, and \
             stirred in {} more{by}. They count like the others: what they add to the noise is in the intervals. \
             Each family says what would be concluded without them.",
            human::count(of("disturbed")),
            human::plural(judged, "trial"),
            human::count(of("warn"))
        ));
    }
    let when_idle = run.environment.facts.get("noise_when_idle");
    if when_idle.is_some_and(|label| label == "noisy") {
        sentences.push(
            "The machine was noisy even while it was idle, so intervals may be wide.".to_owned(),
        );
    }
    sentences
}

/// How many trials carry which doubt. Those that were thrown out for one are told of elsewhere.
fn flags<'a>(rows: impl Iterator<Item = &'a TrialRow>) -> Option<String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut trials, mut flagged) = (0, 0);
    for row in rows.filter(|row| row.validity != "invalid") {
        trials += 1;
        flagged += u64::from(words_of(&row.flags).next().is_some());
        for flag in words_of(&row.flags) {
            *counts.entry(flag).or_default() += 1;
        }
    }
    match (trials, counted(&counts).as_str()) {
        (0, _) => None,
        (n, "") => Some(format!("None of {} carries a flag.", human::plural(n, "trial"))),
        (n, named) => {
            let kept = match flagged {
                1 => "carries flags and was kept",
                _ => "carry flags and were kept",
            };
            Some(format!(
                "{} of {} {kept}: {named}.",
                human::count(flagged),
                human::plural(n, "trial"),
            ))
        }
    }
}

/// The words of a cell that are joined by `;`.
fn words_of(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(';').map(str::trim).filter(|word| !word.is_empty())
}

/// `late: 3, steal: 1`.
fn counted(counts: &BTreeMap<&str, u64>) -> String {
    let named: Vec<String> = counts.iter().map(|(name, n)| format!("{name}: {n}")).collect();
    named.join(", ")
}

fn losses(summary: &Summary) -> Option<String> {
    let (planned, run) = (summary.trials_planned, summary.trials_run);
    (run < planned).then(|| {
        format!(
            "{} of {} did not run to their end; a block that lacks one counts for the others only.",
            human::count((planned - run) as u64),
            human::plural(planned as u64, "planned trial")
        )
    })
}

fn placebos(summary: &Summary) -> Table {
    let mut head = vec![
        Head::new("family", false),
        Head::new("what its placebo says", false),
        Head::new("blocks", true),
    ];
    for metric in [RESPONSE_P50, SERVICE_P50] {
        head.push(Head::new(&format!("placebo, {} ratio", name(metric)), true));
    }
    Table::new(head, summary.families.iter().map(row))
}

fn row(family: &FamilySummary) -> Vec<Cell> {
    let mut cells = vec![Cell::from(family.n_blocks.to_string())];
    let mut grey = Vec::new();
    let mut known = 0;
    for metric in [RESPONSE_P50, SERVICE_P50] {
        let placebo = family.placebo_of(metric);
        let ratio = placebo.and_then(|p| p.ratio);
        cells.push(conclusions::cell(ratio.as_ref()));
        known += usize::from(placebo.is_some_and(|p| p.is_checked));
        if placebo.is_some_and(|p| p.is_grey) {
            grey.push(name(metric));
        }
    }
    let says = match (known, grey.as_slice()) {
        (0, _) => "no placebo: nothing checked it".to_owned(),
        (_, []) => "no difference, as it should".to_owned(),
        (_, grey) => format!("differs in {}: nothing is concluded", grey.join(" and ")),
    };
    let mut row = vec![Cell::from(family.title.as_str()), Cell::from(says)];
    row.extend(cells);
    row
}
