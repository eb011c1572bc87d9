//! Sentences on a run as a whole: findings, scope, confidence.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::record::{Role, Run};
use crate::stats::verdict::{Conclusion, INTERVAL_BLOCKS_MIN, VERDICT_BLOCKS_MIN, Verdict};

use super::{format, memory, ratios};
use crate::analysis::metrics::RESPONSE_P50;
use crate::analysis::summary::{ArmSummary, FamilySummary, Ratio, State, Summary};

/// The findings first, then what they were found in.
pub fn summary(run: &Run, summary: &Summary) -> Vec<String> {
    let mut sentences = Vec::from_iter(winners(summary));
    sentences.extend(memory::headline(&summary.memory));
    sentences.push(scope(run, summary));
    sentences.extend(placebo_effect(summary));
    sentences
}

/// What the number of blocks that ran is good for; a clause. It is that of the family with the
/// fewest: what holds for all is less than what holds for some.
pub fn confidence(run: &Run, summary: &Summary) -> &'static str {
    let last = || run.trials.iter().map(|row| row.block).max().unwrap_or(0);
    // Memory trials are in none of the families.
    let fewest = span(summary).map_or_else(|| last() as usize, |(fewest, _)| fewest);
    worth_of(fewest.min(run.manifest.blocks as usize))
}

fn worth_of(n_blocks: usize) -> &'static str {
    match n_blocks {
        n if n < INTERVAL_BLOCKS_MIN => "too few blocks for intervals: a look, not a measurement",
        n if n < VERDICT_BLOCKS_MIN => "screening: indications, no verdicts",
        _ => "enough blocks for verdicts",
    }
}

/// Fewest and most blocks of a family that has any.
pub fn span(summary: &Summary) -> Option<(usize, usize)> {
    let counts = || summary.families.iter().map(|f| f.n_blocks).filter(|n| *n > 0);
    Some((counts().min()?, counts().max()?))
}

fn scope(run: &Run, summary: &Summary) -> String {
    let Summary { trials_run, trials_planned, families, memory, .. } = summary;
    let mut ran = Vec::new();
    if *trials_planned > 0 {
        let families = format::plural(families.len() as u64, "family");
        let trials = format::part(*trials_run, *trials_planned, "planned trial");
        ran.push(format!("{trials} of {families}"));
    }
    if memory.trials_run > 0 {
        ran.push(format::plural(memory.trials_run as u64, "memory trial"));
    }
    let partial =
        if trials_run < trials_planned { format!(", {}", ended(run)) } else { String::new() };
    let ran = match ran.as_slice() {
        [] => "nothing".to_owned(),
        parts => parts.join(" and "),
    };
    format!(
        "{} ran{partial}, with preset {} and seed {}; {}.",
        format::capitalized(&ran),
        run.manifest.preset,
        run.manifest.seed,
        confidence(run, summary)
    )
}

/// Blocks, requests and completeness of one family.
pub fn family_scope(run: &Run, family: &FamilySummary) -> String {
    let mut text = format!(
        "{}, {}, preset {}",
        format::plural(family.n_blocks as u64, "block"),
        format::plural(family.n_ok, "request"),
        run.manifest.preset
    );
    if family.n_blocks < VERDICT_BLOCKS_MIN {
        text.push_str(&format!(" ({})", worth_of(family.n_blocks)));
    }
    if family.trials_run < family.trials_planned {
        let (ran, planned) = (family.trials_run, family.trials_planned);
        text.push_str(&format!("; {}: {ran} of {planned} trials", ended(run)));
    }
    text
}

/// Why a run has fewer trials than planned. No file says it: a budget drops whole blocks, and all
/// else cuts one short or comes early.
pub fn ended(run: &Run) -> &'static str {
    if has_whole_blocks(run) && has_spent_its_budget(run) {
        "ended by its budget"
    } else {
        "partial"
    }
}

/// Whether every block that was begun has all of its trials.
fn has_whole_blocks(run: &Run) -> bool {
    let ran: BTreeSet<&str> = run.trials.iter().map(|row| row.trial_id.as_str()).collect();
    let begun: BTreeSet<(&str, u32)> =
        run.trials.iter().map(|row| (row.family_id.as_str(), row.block)).collect();
    let mut planned =
        run.plan.iter().filter(|row| begun.contains(&(row.family_id.as_str(), row.block)));
    planned.all(|row| ran.contains(row.trial_id.as_str()))
}

/// At least half of it: the rest may be too little for a block, or for the search.
fn has_spent_its_budget(run: &Run) -> bool {
    let at_ns = |utc: &str| Some(utc.parse::<Timestamp>().ok()?.as_nanosecond());
    let ends_ns = run.trials.iter().filter_map(|row| {
        Some(at_ns(&row.started_utc)? + i128::from(row.noise_span_ns.unwrap_or(0)))
    });
    match (run.manifest.budget_ns, at_ns(&run.manifest.started_utc), ends_ns.max()) {
        (Some(budget_ns), Some(begin_ns), Some(end_ns)) => {
            2 * (end_ns - begin_ns) >= i128::from(budget_ns)
        }
        _ => false,
    }
}

/// The items with the lowest and the highest value.
pub fn extremes<T: Clone>(
    items: impl IntoIterator<Item = T>,
    value: impl Fn(&T) -> f64,
) -> Option<[T; 2]> {
    let mut sorted: Vec<T> = items.into_iter().collect();
    sorted.sort_by(|a, b| value(a).total_cmp(&value(b)));
    Some([sorted.first()?.clone(), sorted.last()?.clone()])
}

/// Whether the ratio says, as verdict or indication, that the arm is better or worse.
pub fn says(ratio: Option<Ratio>, verdict: Verdict) -> bool {
    ratio.and_then(|ratio| ratio.verdict()) == Some(verdict)
}

/// Arms whose numbers may be compared, without the placebo, which is the reference again.
pub fn comparable(family: &FamilySummary) -> impl Iterator<Item = &ArmSummary> {
    family.arms.iter().filter(|arm| arm.state == State::Ok && arm.role != Role::Placebo)
}

/// The comparable arms with the ratio of their median response.
fn response_ratios(family: &FamilySummary) -> impl Iterator<Item = (&ArmSummary, Ratio)> {
    comparable(family).filter_map(|arm| Some((arm, arm.response_p50_ratio?)))
}

/// In how many families a strategy beat the reference, by how much at best, and of how many nothing
/// is concluded.
fn winners(summary: &Summary) -> Option<String> {
    let (judged, withheld): (Vec<&FamilySummary>, Vec<_>) = summary
        .families
        .iter()
        .filter(|family| response_ratios(family).next().is_some())
        .partition(|family| response_ratios(family).any(|(_, ratio)| ratio.verdict().is_some()));
    let reference = &summary.families.first()?.reference;
    let nothing = because_withheld(&withheld);
    if judged.is_empty() {
        let families = format::plural(withheld.len() as u64, "family");
        let said = format!("Nothing is concluded of {families}: {nothing}.");
        return (!withheld.is_empty()).then_some(said);
    }
    let rest = match withheld.len() {
        0 => String::new(),
        n => format!("; of {n} more nothing is concluded: {nothing}"),
    };
    let won: Vec<(&FamilySummary, &ArmSummary, Ratio)> =
        judged.iter().filter_map(|family| fastest(family)).collect();
    let all = judged.iter().copied().flat_map(response_ratios);
    let by = ratios::by_indication(all.map(|(_, ratio)| ratio.conclusion));
    let said = match extremes(&won, |won| won.2.estimate) {
        Some([(family, arm, ratio), _]) => format!(
            "{by}in {} some strategy answered faster than {reference}; the largest gain is {} in \
             {}, whose median response is {} that of {reference}{rest}.",
            format::part(won.len(), judged.len(), "comparable family"),
            arm.label,
            family.title,
            format::ratio(ratio.estimate)
        ),
        None => format!(
            "{by}no strategy was shown to answer faster than {reference} in {}{rest}.",
            format::any(judged.len(), "comparable family")
        ),
    };
    Some(format::capitalized(&said))
}

/// The arm that is faster than the reference by most.
fn fastest(family: &FamilySummary) -> Option<(&FamilySummary, &ArmSummary, Ratio)> {
    let faster = response_ratios(family).filter(|(_, ratio)| says(Some(*ratio), Verdict::Faster));
    let [(arm, ratio), _] = extremes(faster, |(_, ratio)| ratio.estimate)?;
    Some((family, arm, ratio))
}

/// Why nothing is concluded of these, each reason once.
fn because_withheld(families: &[&FamilySummary]) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    for (_, ratio) in families.iter().copied().flat_map(response_ratios) {
        if let Conclusion::Withheld(reason) = ratio.conclusion {
            reasons.push(ratios::because(reason));
        }
    }
    let mut seen = BTreeSet::new();
    reasons.retain(|reason| seen.insert(*reason));
    reasons.join(", or ")
}

fn placebo_effect(summary: &Summary) -> Option<String> {
    let effect = |family: &FamilySummary| {
        let placebo = family.placebo_of(RESPONSE_P50)?.ratio?;
        Some(placebo.estimate.ln().abs().exp_m1())
    };
    let effects = summary.families.iter().filter_map(|family| Some((family, effect(family)?)));
    let [_, (family, effect)] = extremes(effects, |(_, effect)| *effect)?;
    Some(format!(
        "Measured against itself, the median response of {} differs by at most {} (in {}).",
        family.reference,
        format::percent(effect),
        family.title
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn run_is_ended_by_its_budget_if_it_has_whole_blocks_and_took_about_as_long() {
        let mut run = sample::run();
        let last = |run: &mut Run, at: &str| {
            run.trials.last_mut().unwrap().started_utc = at.to_owned();
        };
        let block = run.trials.iter().map(|row| row.block).max().unwrap();
        run.trials.retain(|row| row.block < block);
        last(&mut run, "2026-11-20T10:03:50Z");
        assert_eq!(ended(&run), "ended by its budget");
        // Ctrl-C between two blocks, long before.
        last(&mut run, "2026-11-20T10:00:20Z");
        assert_eq!(ended(&run), "partial");
        // And in the middle of one.
        last(&mut run, "2026-11-20T10:03:50Z");
        run.trials.pop();
        last(&mut run, "2026-11-20T10:03:49Z");
        assert_eq!(ended(&run), "partial");
        let mut endless = sample::run();
        endless.manifest.budget_ns = None;
        assert_eq!(ended(&endless), "partial");
    }
}
