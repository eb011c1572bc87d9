//! Sentences made from the data, each the answer to a question that a table or chart asks.

use crate::record::Run;

use super::human;
use super::summary::{ArmSummary, FamilySummary, State, Summary};

/// Differences below this are not spoken of, whatever the placebo says.
const SMALLEST_EFFECT: f64 = 0.03;

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
        _ => "ratios are point estimates here, without their intervals",
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

/// The smallest relative difference that this family can speak of: what the reference differs
/// from itself, at least [`SMALLEST_EFFECT`].
fn noise(family: &FamilySummary) -> f64 {
    placebo_effect(family).map_or(SMALLEST_EFFECT, |effect| effect.max(SMALLEST_EFFECT))
}

fn placebo_effect(family: &FamilySummary) -> Option<f64> {
    let placebo = family.arms.iter().find(|arm| arm.role == "placebo")?;
    Some(placebo.response_p50_ratio?.estimate.ln().abs().exp_m1())
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

const NOTHING: &str = "No two strategies can be compared here.";

/// Which strategy served most.
pub(super) fn throughput_answer(family: &FamilySummary) -> String {
    let Some([least, most]) = extremes(family, |arm| arm.medians.throughput_per_s) else {
        return NOTHING.to_owned();
    };
    let reference = &family.reference;
    let lead = match most.0.throughput_ratio.map(|r| r.estimate) {
        Some(r) if r > 1.0 + noise(family) => format!("{} that of {reference}", human::ratio(r)),
        Some(_) => format!("which is not told apart from {reference}"),
        None => "the reference itself".to_owned(),
    };
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
    let lead = match fastest.0.response_p50_ratio.map(|r| r.estimate) {
        Some(r) if r < 1.0 / (1.0 + noise(family)) => {
            format!("{} that of {reference}", human::ratio(r))
        }
        Some(_) => format!("which is not told apart from {reference}"),
        None => "the reference itself".to_owned(),
    };
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
    let mut best: Option<(&FamilySummary, &ArmSummary, f64)> = None;
    let mut won = 0;
    let mut judged = 0;
    for family in &summary.families {
        let fastest = comparable(family)
            .filter_map(|arm| Some((arm, arm.response_p50_ratio?.estimate)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let Some((arm, ratio)) = fastest else {
            continue;
        };
        judged += 1;
        if ratio < 1.0 / (1.0 + noise(family)) {
            won += 1;
            if best.is_none_or(|(_, _, r)| ratio < r) {
                best = Some((family, arm, ratio));
            }
        }
    }
    let reference = &summary.families.first()?.reference;
    match best {
        Some((family, arm, ratio)) => Some(format!(
            "In {won} of {judged} comparable families some strategy answered faster than \
             {reference}; the largest gain is {} in {}, whose median response is {} that of \
             {reference}.",
            arm.label,
            family.title,
            human::ratio(ratio)
        )),
        None if judged > 0 => Some(format!(
            "In none of {judged} comparable families did a strategy answer faster than \
             {reference} by more than the placebo differs."
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
                .filter_map(move |arm| Some((family, arm, arm.service_p50_ratio?.estimate)))
        })
        .max_by(|a, b| a.2.total_cmp(&b.2))?;
    (ratio > 1.0 + noise(family)).then(|| {
        format!(
            "The costliest way to serve a request is {} in {}: {} inside the subject, {} that of \
             {}.",
            arm.label,
            family.title,
            arm.medians
                .service_p50_ns
                .map_or_else(|| "unknown".to_owned(), human::duration),
            human::ratio(ratio),
            family.reference
        )
    })
}

fn trust(summary: &Summary) -> Option<String> {
    let (family, effect) = summary
        .families
        .iter()
        .filter_map(|family| Some((family, placebo_effect(family)?)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(format!(
        "Measured against itself, {} differs by at most {} (in {}): smaller differences than that \
         are noise.",
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
