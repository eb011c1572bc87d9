//! The answers under the charts' questions, made from the numbers that are plotted.

use crate::stats::verdict::{Conclusion, Verdict};

use super::conclusions;
use super::human;
use super::words::{comparable, says};
use crate::analysis::summary::{ArmSummary, FamilySummary, Ratio};

/// The comparable arms with the lowest and the highest of a value.
fn extremes(
    family: &FamilySummary,
    value: impl Fn(&ArmSummary) -> Option<f64>,
) -> Option<[(&ArmSummary, f64); 2]> {
    let mut known: Vec<(&ArmSummary, f64)> =
        comparable(family).filter_map(|arm| Some((arm, value(arm)?))).collect();
    known.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (first, last) = (*known.first()?, *known.last()?);
    (known.len() > 1).then_some([first, last])
}

/// How the best arm stands to the reference, which has no ratio to itself.
fn lead(ratio: Option<Ratio>, reference: &str) -> String {
    ratio.map_or_else(
        || "the reference itself".to_owned(),
        |ratio| conclusions::clause(&ratio, reference),
    )
}

const NOTHING: &str = "No two strategies can be compared here.";

/// Which strategy served most.
pub(super) fn throughput_answer(family: &FamilySummary) -> String {
    let Some([least, most]) = extremes(family, |arm| arm.medians.throughput_per_s) else {
        return NOTHING.to_owned();
    };
    let reference = &family.reference;
    let lead = lead(most.0.throughput_ratio, reference);
    format!(
        "Most are served by {}: {} requests/s ({lead}); fewest by {}: {} requests/s.",
        most.0.label,
        human::rate(most.1),
        least.0.label,
        human::rate(least.1),
    )
}

/// Which strategy answered fastest.
pub(super) fn latency_answer(family: &FamilySummary) -> String {
    let Some([fastest, slowest]) = extremes(family, |arm| arm.medians.response_p50_ns) else {
        return NOTHING.to_owned();
    };
    let reference = &family.reference;
    let lead = lead(fastest.0.response_p50_ratio, reference);
    format!(
        "Fastest is {}, which answers half of its requests within {} ({lead}); slowest is {}, \
         within {}.",
        fastest.0.label,
        human::duration(fastest.1),
        slowest.0.label,
        human::duration(slowest.1),
    )
}

/// A phase of a request, in the order in which they pass.
pub(super) type Phase = (&'static str, fn(&ArmSummary) -> Option<f64>);

/// The phases before the answer; `reap` comes after it.
pub(super) const PHASES: [Phase; 7] = [
    ("transport", |arm| arm.medians.transport_p50_ns),
    ("queue", |arm| arm.medians.queue_p50_ns),
    ("creation", |arm| arm.medians.creation_p50_ns),
    ("load", |arm| arm.medians.load_p50_ns),
    ("work", |arm| arm.medians.work_p50_ns),
    ("return", |arm| arm.medians.return_p50_ns),
    ("delivery", |arm| arm.medians.delivery_p50_ns),
];

/// Where the time went that is not work.
pub(super) fn anatomy_answer(family: &FamilySummary) -> String {
    let largest = comparable(family)
        .flat_map(|arm| {
            PHASES
                .iter()
                .filter(|(name, _)| *name != "work")
                .filter_map(move |&(name, of)| Some((arm, name, of(arm)?)))
        })
        .max_by(|a, b| a.2.total_cmp(&b.2));
    let Some((arm, phase, ns)) = largest else {
        return "No phase was measured.".to_owned();
    };
    let work = arm
        .medians
        .work_p50_ns
        .map_or_else(String::new, |work| format!(", beside {} of work", human::duration(work)));
    format!(
        "Apart from the work itself, the longest phase of any strategy is {phase} in {}: {}{work}.",
        arm.label,
        human::duration(ns)
    )
}

/// Who is faster, who slower, who neither.
pub(super) fn forest_answer(family: &FamilySummary) -> String {
    let arms: Vec<(&str, Ratio)> = comparable(family)
        .filter_map(|arm| Some((arm.label.as_str(), arm.response_p50_ratio?)))
        .collect();
    let reference = &family.reference;
    if arms.is_empty() {
        return NOTHING.to_owned();
    }
    if arms.iter().all(|(_, ratio)| ratio.verdict().is_none()) {
        let reason = arms.iter().find_map(|(_, ratio)| match ratio.conclusion {
            Conclusion::Withheld(reason) => Some(conclusions::because(reason)),
            _ => None,
        });
        return format!("Nothing is concluded here: {}.", reason.unwrap_or("no reason is known"));
    }
    let with = |verdicts: &[Verdict]| {
        let named =
            arms.iter().filter(|(_, ratio)| ratio.verdict().is_some_and(|v| verdicts.contains(&v)));
        named.map(|(label, _)| *label).collect::<Vec<_>>().join(", ")
    };
    let how = conclusions::how(arms.iter().map(|(_, ratio)| ratio.conclusion));
    let parts: Vec<String> = [
        (format!("faster than {reference}"), with(&[Verdict::Faster])),
        ("slower".to_owned(), with(&[Verdict::Slower])),
        ("equivalent".to_owned(), with(&[Verdict::Equivalent])),
        ("not told apart".to_owned(), with(&[Verdict::Inconclusive])),
    ]
    .into_iter()
    .map(|(what, who)| match who.as_str() {
        "" => format!("{what}: none"),
        who => format!("{what}: {who}"),
    })
    .filter(|part| part != "equivalent: none")
    .collect();
    format!("{how} median response, {}.", parts.join("; "))
}

/// How many fields say something, and the extremes.
pub(super) fn overview_answer(
    families: &[(usize, &FamilySummary)],
    ratio: fn(&ArmSummary) -> Option<Ratio>,
) -> String {
    let fields = || {
        families.iter().flat_map(move |(_, family)| {
            comparable(family).filter_map(move |arm| Some((*family, arm, ratio(arm)?)))
        })
    };
    let n = fields().count();
    let count = |verdict| fields().filter(|f| says(Some(f.2), verdict)).count();
    let (faster, slower) = (count(Verdict::Faster), count(Verdict::Slower));
    if fields().all(|field| field.2.verdict().is_none()) {
        return format!("{n} ratios; nothing is concluded of any of them.");
    }
    let best = fields()
        .filter(|f| says(Some(f.2), Verdict::Faster))
        .min_by(|a, b| a.2.estimate.total_cmp(&b.2.estimate));
    let best = best.map_or_else(String::new, |(family, arm, ratio)| {
        format!("; the best is {} in {}, {}", arm.label, family.title, human::ratio(ratio.estimate))
    });
    let withheld = match fields().filter(|f| f.2.verdict().is_none()).count() {
        0 => String::new(),
        n => format!("; of {n} nothing is concluded"),
    };
    let how = conclusions::how(fields().map(|f| f.2.conclusion));
    format!(
        "{how} {n} ratios, {faster} are faster than the reference and {slower} \
         slower{withheld}{best}."
    )
}

/// The comparable arm with the lowest ratio of the median response to the reference's.
pub(super) fn best(family: &FamilySummary) -> Option<(&ArmSummary, Ratio)> {
    comparable(family)
        .filter_map(|arm| Some((arm, arm.response_p50_ratio?)))
        .min_by(|a, b| a.1.estimate.total_cmp(&b.1.estimate))
}

/// In how many families the best arm is faster, and which arm that most often is.
pub(super) fn best_answer(best: &[(&ArmSummary, Ratio)], reference: &str) -> String {
    if best.iter().all(|(_, ratio)| ratio.verdict().is_none()) {
        let families = human::families(best.len());
        return format!("Nothing is concluded of the best strategy of any of {families}.");
    }
    let is_faster = |ratio: &Ratio| says(Some(*ratio), Verdict::Faster);
    let won = best.iter().filter(|(_, ratio)| is_faster(ratio));
    let mut wins: Vec<(&str, usize)> = Vec::new();
    for (arm, _) in won.clone() {
        match wins.iter_mut().find(|(label, _)| *label == arm.label) {
            Some((_, n)) => *n += 1,
            None => wins.push((&arm.label, 1)),
        }
    }
    let most = wins.iter().map(|(_, n)| *n).max();
    let leaders: Vec<&str> =
        wins.iter().filter(|(_, n)| Some(*n) == most).map(|(label, _)| *label).collect();
    let leaders = match (leaders.as_slice(), most) {
        ([], _) | (_, None) => String::new(),
        (labels, Some(n)) => format!("; most often it is {}, in {n}", labels.join(" or ")),
    };
    let how = conclusions::how(best.iter().map(|(_, ratio)| ratio.conclusion));
    format!(
        "{how} {} of {} the best strategy answers sooner than {reference}{leaders}.",
        won.count(),
        human::families(best.len())
    )
}

/// The end of an arm's distribution.
pub(super) struct Tail<'a> {
    pub(super) label: &'a str,
    pub(super) reference: &'a str,
    /// In 0 to 1.
    pub(super) share: f64,
    pub(super) p50_ns: f64,
    pub(super) tail_ns: f64,
}

/// Whose slowest requests are slowest, and whose are furthest from its own middle.
pub(super) fn tail_answer(family: &FamilySummary, tails: &[Tail<'_>]) -> String {
    let stretch = |tail: &Tail<'_>| tail.tail_ns / tail.p50_ns;
    let least = tails.iter().min_by(|a, b| a.tail_ns.total_cmp(&b.tail_ns));
    let most = tails.iter().max_by(|a, b| a.tail_ns.total_cmp(&b.tail_ns));
    let longest = tails.iter().max_by(|a, b| stretch(a).total_cmp(&stretch(b)));
    let (Some(least), Some(most), Some(longest)) = (least, most, longest) else {
        return "Too few requests to speak of the slowest of them.".to_owned();
    };
    // Beside the others, unless it is one of them.
    let is_named = |tail: &&Tail<'_>| [least.label, most.label].contains(&tail.label);
    let reference = tails.iter().find(|tail| tail.label == tail.reference);
    let reference = reference.filter(|tail| !is_named(tail));
    let reference = reference.map_or_else(String::new, |tail| {
        format!(" ({}: {})", tail.label, human::duration(tail.tail_ns))
    });
    let all = comparable(family).count();
    let among = if tails.len() < all {
        format!("Of the {} of {all} strategies with enough requests: ", tails.len())
    } else {
        String::new()
    };
    format!(
        "{among}{} of requests are answered within {} by {}{reference} and within {} by {}; \
         furthest from its own median is {}, {}.",
        human::percent(least.share),
        human::duration(least.tail_ns),
        least.label,
        human::duration(most.tail_ns),
        most.label,
        longest.label,
        human::ratio(stretch(longest)),
    )
}

/// How far the blocks' medians lie apart, and in which order.
pub(super) fn drift_answer(blocks: &[(u32, f64)]) -> String {
    let slowest = blocks.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let fastest = blocks.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let (Some(slowest), Some(fastest)) = (slowest, fastest) else {
        return "There is nothing to see a drift in.".to_owned();
    };
    format!(
        "The slowest block (number {}) took {} as long as the fastest (number {}) in the middle of \
         its arms; ratios are taken within a block, so that this does not touch them.",
        slowest.0,
        human::ratio(slowest.1 / fastest.1),
        fastest.0
    )
}
