//! Ratios and what may be said of them, in words and signs: the same ones in every table, chart
//! and sentence.

use crate::stats::verdict::{Conclusion, Reason, Verdict};

use super::human;
use super::summary::{FamilySummary, Ratio, Summary};
use super::table::{Cell, NONE};

/// A verdict of equivalence.
const EQUIVALENT: &str = "=";
/// Neither a difference nor its absence was shown.
const INCONCLUSIVE: &str = "~";
/// Taken back, because the placebo differs.
const GREY: &str = "!";
/// Withheld, because too many trials were disturbed.
const DISTURBED: &str = "#";

/// The sign behind a ratio; empty where nothing is concluded because there is too little to go
/// by. A question mark tells an indication from a verdict.
pub(super) fn sign(ratio: &Ratio) -> &'static str {
    match ratio.conclusion {
        Conclusion::Verdict(Verdict::Faster) => "faster",
        Conclusion::Verdict(Verdict::Slower) => "slower",
        Conclusion::Verdict(Verdict::Equivalent) => EQUIVALENT,
        Conclusion::Indication(Verdict::Faster) => "faster?",
        Conclusion::Indication(Verdict::Slower) => "slower?",
        Conclusion::Verdict(Verdict::Inconclusive) => INCONCLUSIVE,
        // Screening never shows that there is no difference.
        Conclusion::Indication(_) => INCONCLUSIVE,
        Conclusion::Withheld(Reason::PlaceboDiffers) => GREY,
        Conclusion::Withheld(Reason::Disturbed) => DISTURBED,
        Conclusion::Withheld(_) => "",
    }
}

/// `1.02 [0.99, 1.06]`, or `1.02` where there is no interval.
pub(super) fn numbers(ratio: &Ratio) -> String {
    let estimate = human::number(ratio.estimate);
    match (ratio.ci_low, ratio.ci_high) {
        (Some(low), Some(high)) => {
            format!("{estimate} [{}, {}]", human::number(low), human::number(high))
        }
        _ => estimate,
    }
}

/// The [`numbers`] in a table, or the sign for none.
pub(super) fn cell(ratio: Option<&Ratio>) -> Cell {
    ratio.map_or_else(|| Cell::from(NONE), |ratio| Cell::new(numbers(ratio), Some(ratio.estimate)))
}

/// Numbers and sign: `1.02 [0.99, 1.06] ~`.
pub(super) fn text(ratio: &Ratio) -> String {
    match sign(ratio) {
        "" => numbers(ratio),
        sign => format!("{} {sign}", numbers(ratio)),
    }
}

/// What may be said, in words: `slower`, `slower (indication)`, `nothing: too few blocks`.
pub(super) fn words(ratio: &Ratio) -> String {
    match ratio.conclusion {
        Conclusion::Verdict(verdict) => verdict.name().to_owned(),
        Conclusion::Indication(verdict) => format!("{} (indication)", verdict.name()),
        Conclusion::Withheld(reason) => format!("nothing: {}", because(reason)),
    }
}

/// What the signs of a run mean: a sentence for each that can occur.
pub(super) fn legend(summary: &Summary) -> Vec<String> {
    let ratios = || {
        summary
            .families
            .iter()
            .flat_map(|family| &family.arms)
            .flat_map(|arm| [arm.response_p50_ratio, arm.service_p50_ratio])
            .flatten()
    };
    let any = |is: fn(Conclusion) -> bool| ratios().any(|ratio| is(ratio.conclusion));
    let mut lines = Vec::new();
    if any(|c| matches!(c, Conclusion::Verdict(_))) {
        lines.push(format!(
            "faster, slower: a verdict: beyond chance (p < 0.05, adjusted for the number of arms) \
             and beyond δ; {EQUIVALENT}: equivalent, the whole interval lies within δ \
             and 0.8 to 1.25; \
             {INCONCLUSIVE}: inconclusive."
        ));
    }
    if any(|c| matches!(c, Conclusion::Indication(_))) {
        lines.push(format!(
            "faster?, slower?: an indication, no verdict: the whole interval lies beyond δ; \
             {INCONCLUSIVE}: inconclusive. Verdicts need 10 blocks."
        ));
    }
    if any(|c| c == Conclusion::Withheld(Reason::PlaceboDiffers)) {
        lines.push(format!(
            "{GREY}: nothing is concluded, because the placebo differs from the reference that it \
             is."
        ));
    }
    if any(|c| c == Conclusion::Withheld(Reason::Disturbed)) {
        lines.push(format!(
            "{DISTURBED}: nothing is concluded, because the machine did something else during too \
             many of these trials."
        ));
    }
    if any(|c| c == Conclusion::Withheld(Reason::TooFewBlocks)) {
        lines.push("A ratio alone comes from fewer than 6 blocks: too few to tell.".to_owned());
    }
    lines
}

/// The smallest differences that a family can speak of, and whether it may speak; `None` without
/// a placebo.
pub(super) fn of_placebo(family: &FamilySummary) -> Option<String> {
    let latencies = || {
        let name = |metric: &str| metric.split('_').next().unwrap_or_default().to_owned();
        let times = |metric: &str| metric.ends_with("_ns");
        family
            .placebo
            .iter()
            .filter(move |placebo| times(placebo.metric))
            .map(move |placebo| (name(placebo.metric), placebo))
    };
    let deltas: Vec<String> = latencies()
        .filter_map(|(name, placebo)| {
            let delta = placebo.delta_ratio?;
            Some(format!("{name} {}", human::percent(delta)))
        })
        .collect();
    let grey: Vec<String> =
        latencies().filter(|(_, placebo)| placebo.is_grey).map(|(name, _)| name).collect();
    if deltas.is_empty() {
        return None;
    }
    let mut text = format!("δ, the smallest difference named: {}", deltas.join(", "));
    if !grey.is_empty() {
        text.push_str(&format!(
            "; the placebo differs in {}: nothing is concluded of it here",
            grey.join(" and ")
        ));
    }
    Some(text)
}

/// What may be said of a ratio whose direction is good or bad, as a clause behind a number.
pub(super) fn clause(ratio: &Ratio, reference: &str) -> String {
    let times = human::ratio(ratio.estimate);
    match ratio.conclusion {
        Conclusion::Verdict(Verdict::Faster | Verdict::Slower) => {
            format!("{times} that of {reference}")
        }
        Conclusion::Indication(Verdict::Faster | Verdict::Slower) => {
            format!("{times} that of {reference}, by indication")
        }
        Conclusion::Verdict(Verdict::Equivalent) => format!("equivalent to {reference}"),
        Conclusion::Withheld(Reason::TooFewBlocks) => {
            format!("{times} that of {reference}, from too few blocks to tell")
        }
        Conclusion::Withheld(reason) => {
            format!("{times} that of {reference}, but {}", because(reason))
        }
        Conclusion::Verdict(_) | Conclusion::Indication(_) => {
            format!("not told apart from {reference}")
        }
    }
}

/// What stands before a sentence on several conclusions: `By indication, in` where one of them is
/// none but an indication, else `In`.
pub(super) fn how(conclusions: impl IntoIterator<Item = Conclusion>) -> &'static str {
    let is_indication = |c| matches!(c, Conclusion::Indication(_));
    if conclusions.into_iter().any(is_indication) { "By indication, in" } else { "In" }
}

/// Why nothing is concluded, as a clause.
pub(super) fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::ArmFailed => "it failed",
        Reason::ReferenceFailed => "the reference failed",
        Reason::TooFewBlocks => "there are too few blocks to tell",
        Reason::NoPlacebo => "there is no placebo to hold it against",
        Reason::PlaceboDiffers => "the placebo differs as well",
        Reason::Disturbed => "the machine was disturbed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(conclusion: Conclusion, interval: Option<(f64, f64)>) -> Ratio {
        Ratio {
            estimate: 1.0234,
            ci_low: interval.map(|i| i.0),
            ci_high: interval.map(|i| i.1),
            p_adjusted: None,
            n_blocks: 10,
            conclusion,
        }
    }

    #[test]
    fn a_ratio_stands_with_its_interval_and_its_sign() {
        let interval = Some((0.9871, 1.0612));
        for (conclusion, sign) in [
            (Conclusion::Verdict(Verdict::Faster), " faster"),
            (Conclusion::Verdict(Verdict::Slower), " slower"),
            (Conclusion::Verdict(Verdict::Equivalent), " ="),
            (Conclusion::Verdict(Verdict::Inconclusive), " ~"),
            (Conclusion::Indication(Verdict::Faster), " faster?"),
            (Conclusion::Indication(Verdict::Equivalent), " ~"),
            (Conclusion::Indication(Verdict::Inconclusive), " ~"),
            (Conclusion::Withheld(Reason::PlaceboDiffers), " !"),
            (Conclusion::Withheld(Reason::NoPlacebo), ""),
        ] {
            let expected = format!("1.02 [0.99, 1.06]{sign}");
            assert_eq!(text(&ratio(conclusion, interval)), expected);
        }
        let few = ratio(Conclusion::Withheld(Reason::TooFewBlocks), None);
        assert_eq!(text(&few), "1.02");
    }
}
