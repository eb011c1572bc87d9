//! The answers under the questions of charts, made from the numbers that are plotted.

use crate::stats::verdict::{Conclusion, Verdict};

use super::sentences::{comparable, extremes, says};
use super::{format, ratios};
use crate::analysis::summary::{ArmSummary, FamilySummary, Ratio};

const NOTHING: &str = "No two strategies can be compared here.";

/// The comparable arms with the lowest and the highest of a value.
fn arm_extremes(
    family: &FamilySummary,
    value: impl Fn(&ArmSummary) -> Option<f64>,
) -> Option<[(&ArmSummary, f64); 2]> {
    let known = comparable(family).filter_map(|arm| Some((arm, value(arm)?)));
    extremes(known, |(_, value)| *value).filter(|[low, high]| low.0.label != high.0.label)
}

/// How the best arm stands to the reference, which has no ratio to itself.
fn lead(ratio: Option<Ratio>, reference: &str) -> String {
    let clause = ratio.map(|ratio| ratios::clause(&ratio, reference));
    clause.unwrap_or_else(|| "the reference itself".to_owned())
}

/// Which strategy served most.
pub fn throughput_answer(family: &FamilySummary) -> String {
    let Some([least, most]) = arm_extremes(family, |arm| arm.medians.throughput_per_s) else {
        return NOTHING.to_owned();
    };
    format!(
        "{} serves most: {} requests/s ({}); {} serves fewest: {} requests/s.",
        most.0.label,
        format::rate(most.1),
        lead(most.0.throughput_ratio, &family.reference),
        least.0.label,
        format::rate(least.1),
    )
}

/// Which strategy answered fastest.
pub fn latency_answer(family: &FamilySummary) -> String {
    let Some([fastest, slowest]) = arm_extremes(family, |arm| arm.medians.response_p50_ns) else {
        return NOTHING.to_owned();
    };
    format!(
        "Fastest is {}, which answers half of its requests within {} ({}); slowest is {}, within \
         {}.",
        fastest.0.label,
        format::duration(fastest.1),
        lead(fastest.0.response_p50_ratio, &family.reference),
        slowest.0.label,
        format::duration(slowest.1),
    )
}

/// A phase of a request, in the order in which they pass.
pub type Phase = (&'static str, fn(&ArmSummary) -> Option<f64>);

/// The phases before the answer; `reap` comes after it.
pub const PHASES: [Phase; 7] = [
    ("transport", |arm| arm.medians.transport_p50_ns),
    ("queue", |arm| arm.medians.queue_p50_ns),
    ("creation", |arm| arm.medians.creation_p50_ns),
    ("load", |arm| arm.medians.load_p50_ns),
    ("work", |arm| arm.medians.work_p50_ns),
    ("return", |arm| arm.medians.return_p50_ns),
    ("delivery", |arm| arm.medians.delivery_p50_ns),
];

/// Where the time went that is not work.
pub fn anatomy_answer(family: &FamilySummary) -> String {
    let phases = comparable(family).flat_map(|arm| {
        let others = PHASES.iter().filter(|(name, _)| *name != "work");
        others.filter_map(move |(name, of)| Some((arm, *name, of(arm)?)))
    });
    let Some([_, (arm, phase, ns)]) = extremes(phases, |phase| phase.2) else {
        return "No phase was measured.".to_owned();
    };
    let work = arm.medians.work_p50_ns.map(|ns| format!(", with {} of work", format::duration(ns)));
    format!(
        "Apart from the work itself, the longest phase of any strategy is {phase} in {}: {}{}.",
        arm.label,
        format::duration(ns),
        work.unwrap_or_default()
    )
}

/// Which arms are faster, slower, or neither.
pub fn forest_answer(family: &FamilySummary) -> String {
    let known = comparable(family).filter_map(|arm| Some((&*arm.label, arm.response_p50_ratio?)));
    let arms: Vec<(&str, Ratio)> = known.collect();
    if arms.is_empty() {
        return NOTHING.to_owned();
    }
    if arms.iter().all(|(_, ratio)| ratio.verdict().is_none()) {
        let reason = arms.iter().find_map(|(_, ratio)| match ratio.conclusion {
            Conclusion::Withheld(reason) => Some(ratios::because(reason)),
            _ => None,
        });
        return format!("Nothing is concluded here: {}.", reason.unwrap_or("no reason is known"));
    }
    let with = |verdict: Verdict| {
        let named = arms.iter().filter(|(_, ratio)| ratio.verdict() == Some(verdict));
        named.map(|(label, _)| *label).collect::<Vec<_>>().join(", ")
    };
    let by = ratios::by_indication(arms.iter().map(|(_, ratio)| ratio.conclusion));
    let parts: Vec<String> = [
        (format!("faster than {}", family.reference), Verdict::Faster),
        ("slower".to_owned(), Verdict::Slower),
        ("equivalent".to_owned(), Verdict::Equivalent),
        ("no difference shown".to_owned(), Verdict::Inconclusive),
    ]
    .into_iter()
    .filter_map(|(what, verdict)| match (with(verdict).as_str(), verdict) {
        ("", Verdict::Equivalent) => None,
        ("", _) => Some(format!("{what}: none")),
        (arms, _) => Some(format!("{what}: {arms}")),
    })
    .collect();
    format::capitalized(&format!("{by}in median response, {}.", parts.join("; ")))
}

/// How many ratios say something, and the best.
pub fn overview_answer(
    families: &[(usize, &FamilySummary)],
    ratio: fn(&ArmSummary) -> Option<Ratio>,
) -> String {
    let known = families.iter().flat_map(|(_, family)| {
        comparable(family).filter_map(move |arm| Some((*family, arm, ratio(arm)?)))
    });
    let fields: Vec<(&FamilySummary, &ArmSummary, Ratio)> = known.collect();
    let with = |verdict| fields.iter().filter(move |field| says(Some(field.2), verdict));
    let withheld = match fields.iter().filter(|field| field.2.verdict().is_none()).count() {
        n if n == fields.len() => {
            return format!("Nothing is concluded of {}.", format::any(n, "ratio"));
        }
        0 => String::new(),
        n => format!("; of {n} nothing is concluded"),
    };
    let best = extremes(with(Verdict::Faster), |field| field.2.estimate);
    let best = best.map_or_else(String::new, |[(family, arm, ratio), _]| {
        let times = format::ratio(ratio.estimate);
        format!("; the best is {} in {}, {times}", arm.label, family.title)
    });
    let (faster, slower) = (with(Verdict::Faster).count(), with(Verdict::Slower).count());
    format::capitalized(&format!(
        "{}of {}, {faster} {} faster than the reference and {slower} {} slower{withheld}{best}.",
        ratios::by_indication(fields.iter().map(|field| field.2.conclusion)),
        format::plural(fields.len() as u64, "ratio"),
        format::is_are(faster),
        format::is_are(slower)
    ))
}

/// The comparable arm with the lowest ratio of the median response to the reference's.
pub fn best(family: &FamilySummary) -> Option<(&ArmSummary, Ratio)> {
    let known = comparable(family).filter_map(|arm| Some((arm, arm.response_p50_ratio?)));
    extremes(known, |(_, ratio)| ratio.estimate).map(|[best, _]| best)
}

/// In how many families the best arm is faster, and which arm that most often is.
pub fn best_answer(best: &[(&ArmSummary, Ratio)], reference: &str) -> String {
    let families = format::any(best.len(), "family");
    if best.iter().all(|(_, ratio)| ratio.verdict().is_none()) {
        return format!("Nothing is concluded of the best strategy of {families}.");
    }
    let won = best.iter().filter(|(_, ratio)| says(Some(*ratio), Verdict::Faster));
    let winners: Vec<&str> = won.map(|(arm, _)| arm.label.as_str()).collect();
    let by = ratios::by_indication(best.iter().map(|(_, ratio)| ratio.conclusion));
    let wins = |label: &&str| winners.iter().filter(|winner| *winner == label).count();
    let Some(most) = winners.iter().map(wins).max() else {
        let said = format!("{by}no strategy answers sooner than {reference} in {families}.");
        return format::capitalized(&said);
    };
    let mut leaders: Vec<&str> =
        winners.iter().copied().filter(|label| wins(label) == most).collect();
    leaders.sort_unstable();
    leaders.dedup();
    format::capitalized(&format!(
        "{by}in {} the best strategy answers sooner than {reference}; most often it is {}, in \
         {most}.",
        format::part(winners.len(), best.len(), "family"),
        leaders.join(" or ")
    ))
}

/// The end of an arm's distribution.
pub struct Tail<'a> {
    pub label: &'a str,
    pub reference: &'a str,
    /// In 0 to 1.
    pub share: f64,
    pub p50_ns: f64,
    pub tail_ns: f64,
}

/// Which arms have the slowest requests, and which the longest tail for its median.
pub fn tail_answer(family: &FamilySummary, tails: &[Tail<'_>]) -> String {
    let stretch = |tail: &&Tail<'_>| tail.tail_ns / tail.p50_ns;
    let ends = (extremes(tails, |tail| tail.tail_ns), extremes(tails, stretch));
    let (Some([least, most]), Some([_, longest])) = ends else {
        return "Too few requests for the slowest of them.".to_owned();
    };
    // Named with the others, unless it is one of them.
    let is_named = |tail: &Tail<'_>| [least.label, most.label].contains(&tail.label);
    let reference = tails.iter().find(|tail| tail.label == tail.reference && !is_named(tail));
    let reference = reference.map_or_else(String::new, |tail| {
        format!(" ({}: {})", tail.label, format::duration(tail.tail_ns))
    });
    let all = comparable(family).count();
    let among = match tails.len() < all {
        true => format!("Of the {} of {all} strategies with enough requests: ", tails.len()),
        false => String::new(),
    };
    format!(
        "{among}{} of requests are answered within {} by {}{reference} and within {} by {}; \
         furthest from its own median is {}, {}.",
        format::percent(least.share),
        format::duration(least.tail_ns),
        least.label,
        format::duration(most.tail_ns),
        most.label,
        longest.label,
        format::ratio(stretch(&longest)),
    )
}

/// How far the medians of the blocks lie apart, and in which order.
pub fn drift_answer(blocks: &[(u32, f64)]) -> String {
    let Some([fastest, slowest]) = extremes(blocks, |(_, ns)| *ns) else {
        return "Too few blocks to show drift.".to_owned();
    };
    format!(
        "The slowest block (number {}) took {} as long as the fastest (number {}) in the middle of \
         its arms. Ratios are taken within a block, so drift does not touch them.",
        slowest.0,
        format::ratio(slowest.1 / fastest.1),
        fastest.0
    )
}
