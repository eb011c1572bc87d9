//! Sentences made from the data: what ran, how much of it, and what stands out.

use crate::record::Run;
use crate::stats::verdict::{Conclusion, Verdict};

use super::metrics::RESPONSE_P50;
use super::summary::{ArmSummary, FamilySummary, Ratio, State, Summary};
use super::{conclusions, ended, human, memory, trust};

/// What ran: experiment, preset, how much of the plan, and what it is good for.
pub(super) fn scope(run: &Run, summary: &Summary) -> String {
    let manifest = &run.manifest;
    let trials = human::plural(summary.trials_planned as u64, "trial");
    let ran = if summary.trials_run == summary.trials_planned {
        trials
    } else {
        format!("{}: {} of {trials}", ended::early(run), human::count(summary.trials_run as u64))
    };
    let mut parts = Vec::new();
    if !summary.families.is_empty() || summary.memory.trials_run == 0 {
        parts.push(format!("{}, {ran}", human::families(summary.families.len())));
    }
    parts.extend(memory_trials(summary));
    format!(
        "{}, preset {}: {}, seed {}; {}.",
        manifest.experiment,
        manifest.preset,
        parts.join(", "),
        manifest.seed,
        confidence(run, summary)
    )
}

/// They are in none of the families.
fn memory_trials(summary: &Summary) -> Option<String> {
    let n = summary.memory.trials_run as u64;
    (n > 0).then(|| human::plural(n, "memory trial"))
}

/// What the blocks that were run, which may be fewer than were planned, may be used for; a clause
/// without a full stop. Of the family with the fewest: what holds for all is less than what holds
/// for some.
pub(super) fn confidence(run: &Run, summary: &Summary) -> String {
    let last = || run.trials.iter().map(|row| row.block).max().unwrap_or(0);
    // Memory trials are in none of the families.
    let fewest = trust::span(summary).map_or_else(|| last() as usize, |(fewest, _)| fewest);
    worth_of(fewest.min(run.manifest.blocks as usize))
}

fn worth_of(n_blocks: usize) -> String {
    match n_blocks {
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
    if family.n_blocks < 10 {
        text.push_str(&format!(" ({})", worth_of(family.n_blocks)));
    }
    if family.trials_run < family.trials_planned {
        text.push_str(&format!(
            "; {}: {} of {} trials",
            ended::early(run),
            family.trials_run,
            family.trials_planned
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
pub(super) fn says(ratio: Option<Ratio>, verdict: Verdict) -> bool {
    ratio.and_then(|ratio| ratio.verdict()) == Some(verdict)
}

/// Arms whose numbers may be compared, without the placebo, which is the reference again.
pub(super) fn comparable(family: &FamilySummary) -> impl Iterator<Item = &ArmSummary> {
    family.arms.iter().filter(|arm| arm.state == State::Ok && arm.role != "placebo")
}

/// The page's summary: at most five sentences, what was found before what it was found in.
pub(super) fn summary(run: &Run, summary: &Summary) -> Vec<String> {
    let mut sentences = Vec::from_iter(winners(summary));
    sentences.extend(memory::headline(&summary.memory));
    sentences.extend(costliest(summary));
    sentences.push(scope_sentence(run, summary));
    sentences.extend(trust(summary));
    sentences.extend(losses(summary));
    sentences.truncate(5);
    sentences
}

fn scope_sentence(run: &Run, summary: &Summary) -> String {
    let partial = match ended::early(run) {
        _ if summary.trials_run >= summary.trials_planned => "",
        ended::BY_BUDGET => ", ended by its budget",
        _ => ", a partial run",
    };
    let beside = memory_trials(summary);
    if let (0, Some(trials)) = (summary.families.len(), &beside) {
        return format!("{trials} ran; {}.", confidence(run, summary));
    }
    let beside = beside.map_or_else(String::new, |trials| format!(", beside {trials}"));
    format!(
        "{} of {} ran in {}{partial}{beside}; {}.",
        human::count(summary.trials_run as u64),
        human::plural(summary.trials_planned as u64, "planned trial"),
        human::families(summary.families.len()),
        confidence(run, summary)
    )
}

/// The comparable arms that have a ratio of the median response.
fn ratios(family: &FamilySummary) -> impl Iterator<Item = (&ArmSummary, Ratio)> {
    comparable(family).filter_map(|arm| Some((arm, arm.response_p50_ratio?)))
}

/// In how many families something beat the reference, by how much at best, and of how many
/// nothing can be said.
fn winners(summary: &Summary) -> Option<String> {
    let (judged, withheld): (Vec<&FamilySummary>, Vec<_>) = summary
        .families
        .iter()
        .filter(|family| ratios(family).next().is_some())
        .partition(|family| ratios(family).any(|(_, ratio)| ratio.verdict().is_some()));
    let reference = &summary.families.first()?.reference;
    let nothing = because_withheld(&withheld);
    if judged.is_empty() {
        return (!withheld.is_empty()).then(|| {
            let families = human::families(withheld.len());
            format!("Of {families} nothing is concluded: {nothing}.")
        });
    }
    let rest = match withheld.len() {
        0 => String::new(),
        n => format!("; of {n} more nothing is concluded: {nothing}"),
    };
    let faster = |family: &&'_ FamilySummary| {
        ratios(family)
            .filter(|(_, ratio)| says(Some(*ratio), Verdict::Faster))
            .min_by(|a, b| a.1.estimate.total_cmp(&b.1.estimate))
            .map(|(arm, ratio)| (arm.label.clone(), ratio))
    };
    let won: Vec<(&FamilySummary, (String, Ratio))> =
        judged.iter().filter_map(|family| Some((*family, faster(family)?))).collect();
    let n = judged.len();
    let all = judged.iter().copied().flat_map(ratios);
    let how = conclusions::how(all.map(|(_, ratio)| ratio.conclusion));
    let best = won.iter().min_by(|a, b| a.1.1.estimate.total_cmp(&b.1.1.estimate));
    Some(match best {
        Some((family, (label, ratio))) => format!(
            "{how} {} of {n} comparable families some strategy answered faster than \
             {reference}; the largest gain is {label} in {}, whose median response is {} that of \
             {reference}{rest}.",
            won.len(),
            family.title,
            human::ratio(ratio.estimate)
        ),
        None => format!(
            "{how} none of {n} comparable families was a strategy shown to answer faster than \
             {reference}{rest}."
        ),
    })
}

/// Why nothing is concluded of these, each reason once.
fn because_withheld(families: &[&FamilySummary]) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    for (_, ratio) in families.iter().copied().flat_map(ratios) {
        if let Conclusion::Withheld(reason) = ratio.conclusion {
            let reason = conclusions::because(reason);
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    reasons.join(", or ")
}

fn costliest(summary: &Summary) -> Option<String> {
    let (family, arm, ratio) = summary
        .families
        .iter()
        .flat_map(|family| {
            comparable(family)
                .filter(|arm| says(arm.service_p50_ratio, Verdict::Slower))
                .filter_map(move |arm| Some((family, arm, arm.service_p50_ratio?)))
        })
        .max_by(|a, b| a.2.estimate.total_cmp(&b.2.estimate))?;
    Some(format!(
        "The greatest loss inside the server is {} in {}: {}, {}.",
        arm.label,
        family.title,
        arm.medians.service_p50_ns.map_or_else(|| "unknown".to_owned(), human::duration),
        conclusions::clause(&ratio, &family.reference)
    ))
}

fn trust(summary: &Summary) -> Option<String> {
    let (family, effect) = summary
        .families
        .iter()
        .filter_map(|family| Some((family, placebo_effect(family)?)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(format!(
        "Measured against itself, {}'s median response differs by at most {} (in {}); see \
         «Can I trust it?».",
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
