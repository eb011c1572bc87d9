//! Sentences made from the data, each the answer to a question that a table or chart asks.

use crate::record::Run;
use crate::stats::verdict::{Conclusion, Verdict};

use super::conclusions;
use super::human;
use super::metrics::RESPONSE_P50;
use super::summary::{ArmSummary, FamilySummary, Ratio, State, Summary};

/// What ran: experiment, preset, how much of the plan, and what it is good for.
pub(super) fn scope(run: &Run, summary: &Summary) -> String {
    let manifest = &run.manifest;
    let families = match summary.families.len() {
        1 => "1 family".to_owned(),
        n => format!("{n} families"),
    };
    let trials = human::plural(summary.trials_planned as u64, "trial");
    let ran = if summary.trials_run == summary.trials_planned {
        trials
    } else {
        format!(
            "partial: {} of {trials}",
            human::count(summary.trials_run as u64)
        )
    };
    format!(
        "{}, preset {}: {families}, {ran}, seed {}; {}.",
        manifest.experiment,
        manifest.preset,
        manifest.seed,
        confidence(run)
    )
}

/// What a run of this many blocks may be used for; a clause without a full stop.
pub(super) fn confidence(run: &Run) -> String {
    match run.manifest.blocks {
        0..6 => "too few blocks for intervals: a look, not a measurement",
        6..10 => "screening: indications, no verdicts",
        _ => "enough blocks for verdicts",
    }
    .to_owned()
}

/// Blocks, requests and completeness of one family.
pub(super) fn family_scope(run: &Run, family: &FamilySummary) -> String {
    let mut text = format!(
        "{}, {}, preset {}",
        human::plural(family.n_blocks as u64, "block"),
        human::plural(family.n_ok, "request"),
        run.manifest.preset
    );
    if run.manifest.blocks < 10 {
        text.push_str(&format!(" ({})", confidence(run)));
    }
    if family.trials_run < family.trials_planned {
        text.push_str(&format!(
            "; partial: {} of {} trials",
            family.trials_run, family.trials_planned
        ));
    }
    text
}

/// How far the reference is from itself, as a share.
fn placebo_effect(family: &FamilySummary) -> Option<f64> {
    let placebo = family.placebo_of(RESPONSE_P50)?.ratio?;
    Some(placebo.estimate.ln().abs().exp_m1())
}

/// Whether the ratio says, as verdict or indication, that the arm is better or worse.
fn says(ratio: Option<Ratio>, verdict: Verdict) -> bool {
    ratio.and_then(|ratio| ratio.verdict()) == Some(verdict)
}

/// Arms whose numbers may be compared, without the placebo, which is the reference again.
fn comparable(family: &FamilySummary) -> impl Iterator<Item = &ArmSummary> {
    family
        .arms
        .iter()
        .filter(|arm| arm.state == State::Ok && arm.role != "placebo")
}

/// The comparable arms with the lowest and the highest of a value.
fn extremes(
    family: &FamilySummary,
    value: impl Fn(&ArmSummary) -> Option<f64>,
) -> Option<[(&ArmSummary, f64); 2]> {
    let mut known: Vec<(&ArmSummary, f64)> = comparable(family)
        .filter_map(|arm| Some((arm, value(arm)?)))
        .collect();
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
pub(super) const PHASES: [Phase; 6] = [
    ("transport", |arm| arm.medians.transport_p50_ns),
    ("queue", |arm| arm.medians.queue_p50_ns),
    ("creation", |arm| arm.medians.creation_p50_ns),
    ("load", |arm| arm.medians.load_p50_ns),
    ("work", |arm| arm.medians.work_p50_ns),
    ("return", |arm| arm.medians.return_p50_ns),
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
    let work = arm.medians.work_p50_ns.map_or_else(String::new, |work| {
        format!(", beside {} of work", human::duration(work))
    });
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
        return format!(
            "Nothing is concluded here: {}.",
            reason.unwrap_or("no reason is known")
        );
    }
    let with = |verdicts: &[Verdict]| {
        let named = arms
            .iter()
            .filter(|(_, ratio)| ratio.verdict().is_some_and(|v| verdicts.contains(&v)));
        named
            .map(|(label, _)| *label)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let is_indication = arms
        .iter()
        .any(|(_, ratio)| matches!(ratio.conclusion, Conclusion::Indication(_)));
    let how = if is_indication {
        "By indication, in"
    } else {
        "In"
    };
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
        format!(
            "; the best is {} in {}, {}",
            arm.label,
            family.title,
            human::ratio(ratio.estimate)
        )
    });
    format!("Of {n} ratios {faster} are faster than the reference and {slower} slower{best}.")
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
    let longest = tails
        .iter()
        .max_by(|a, b| stretch(a).total_cmp(&stretch(b)));
    let (Some(least), Some(most), Some(longest)) = (least, most, longest) else {
        return "Too few requests to speak of the slowest of them.".to_owned();
    };
    let reference = tails.iter().find(|tail| tail.label == tail.reference);
    let reference = reference.map_or_else(String::new, |tail| {
        format!(" ({}: {})", tail.label, human::duration(tail.tail_ns))
    });
    let all = comparable(family).count();
    let among = if tails.len() < all {
        format!(
            "Of the {} of {all} strategies with enough requests: ",
            tails.len()
        )
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

/// Which arm answers most and least evenly, by its 95 % over its 5 % point.
pub(super) fn spread_answer(arms: &[ArmSummary], spreads: &[(&str, f64)]) -> String {
    let ok = |label: &str| {
        arms.iter()
            .any(|arm| arm.label == label && arm.state == State::Ok && arm.role != "placebo")
    };
    let known: Vec<&(&str, f64)> = spreads.iter().filter(|(label, _)| ok(label)).collect();
    let even = known.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let uneven = known.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let (Some(even), Some(uneven)) = (even, uneven) else {
        return "Too few requests to speak of their spread.".to_owned();
    };
    format!(
        "Most even is {}, whose slow requests (95 %) take {} as long as its quick ones (5 %); \
         least even is {}, {}.",
        even.0,
        human::ratio(even.1),
        uneven.0,
        human::ratio(uneven.1)
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

/// The page's summary: at most five sentences.
pub(super) fn summary(run: &Run, summary: &Summary) -> Vec<String> {
    let mut sentences = vec![scope_sentence(run, summary)];
    sentences.extend(winners(summary));
    sentences.extend(costliest(summary));
    sentences.extend(trust(summary));
    sentences.extend(losses(summary));
    sentences.truncate(5);
    sentences
}

fn scope_sentence(run: &Run, summary: &Summary) -> String {
    let families = match summary.families.len() {
        1 => "1 family".to_owned(),
        n => format!("{n} families"),
    };
    let partial = if summary.trials_run < summary.trials_planned {
        ", a partial run"
    } else {
        ""
    };
    format!(
        "{} of {} ran in {families}{partial}; {}.",
        human::count(summary.trials_run as u64),
        human::plural(summary.trials_planned as u64, "planned trial"),
        confidence(run)
    )
}

/// In how many families something beat the reference, and by how much at best.
fn winners(summary: &Summary) -> Option<String> {
    let judged: Vec<&FamilySummary> = summary
        .families
        .iter()
        .filter(|family| {
            let verdict = |arm: &ArmSummary| arm.response_p50_ratio?.verdict();
            comparable(family).any(|arm| verdict(arm).is_some())
        })
        .collect();
    let faster = |family: &&'_ FamilySummary| -> Option<(String, f64)> {
        comparable(family)
            .filter(|arm| says(arm.response_p50_ratio, Verdict::Faster))
            .filter_map(|arm| Some((arm.label.clone(), arm.response_p50_ratio?.estimate)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
    };
    let won: Vec<(&FamilySummary, (String, f64))> = judged
        .iter()
        .filter_map(|family| Some((*family, faster(family)?)))
        .collect();
    let reference = &summary.families.first()?.reference;
    let n = judged.len();
    let best = won.iter().min_by(|a, b| a.1.1.total_cmp(&b.1.1));
    match best {
        Some((family, (label, ratio))) => Some(format!(
            "In {} of {n} comparable families some strategy answered faster than {reference}; the \
             largest gain is {label} in {}, whose median response is {} that of {reference}.",
            won.len(),
            family.title,
            human::ratio(*ratio)
        )),
        None if n > 0 => Some(format!(
            "In none of {n} comparable families was a strategy shown to answer faster than \
             {reference}."
        )),
        None => None,
    }
}

fn costliest(summary: &Summary) -> Option<String> {
    let (family, arm, ratio) = summary
        .families
        .iter()
        .flat_map(|family| {
            comparable(family)
                .filter(|arm| says(arm.service_p50_ratio, Verdict::Slower))
                .filter_map(move |arm| Some((family, arm, arm.service_p50_ratio?.estimate)))
        })
        .max_by(|a, b| a.2.total_cmp(&b.2))?;
    Some(format!(
        "The costliest way to serve a request is {} in {}: {} inside the subject, {} that of {}.",
        arm.label,
        family.title,
        arm.medians
            .service_p50_ns
            .map_or_else(|| "unknown".to_owned(), human::duration),
        human::ratio(ratio),
        family.reference
    ))
}

fn trust(summary: &Summary) -> Option<String> {
    let (family, effect) = summary
        .families
        .iter()
        .filter_map(|family| Some((family, placebo_effect(family)?)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(format!(
        "Measured against itself, {} differs by at most {} (in {}); see «Can I trust it?».",
        family.reference,
        human::percent(effect),
        family.title
    ))
}

fn losses(summary: &Summary) -> Option<String> {
    let count = |states: &[State]| {
        summary
            .families
            .iter()
            .flat_map(|family| &family.arms)
            .filter(|arm| states.contains(&arm.state))
            .count() as u64
    };
    let flawed = count(&[State::Flawed, State::Failed]);
    let skipped = count(&[State::Skipped, State::Missing]);
    if flawed + skipped == 0 {
        return None;
    }
    Some(format!(
        "Without a ratio, for the reasons given below: {} with failures, {} not run.",
        human::plural(flawed, "arm"),
        human::plural(skipped, "arm")
    ))
}
