//! Ratios and what is concluded of them, in words and signs: the same ones in every table, chart
//! and sentence.

use crate::stats::verdict::{
    Conclusion, EQUIVALENT_MAX_RATIO, INTERVAL_BLOCKS_MIN, Reason, Verdict,
};

use super::format;
use super::table::{Cell, NONE};
use crate::analysis::summary::{FamilySummary, Ratio, Summary};

/// A verdict of equivalence.
const EQUIVALENT: &str = "=";
/// Neither a difference nor its absence was shown.
const INCONCLUSIVE: &str = "~";
/// Withheld, because the placebo differs.
const GREY: &str = "!";

/// The sign behind a ratio; empty where nothing is concluded because there is too little to go
/// by. A question mark tells an indication from a verdict.
pub fn sign(ratio: &Ratio) -> &'static str {
    match ratio.conclusion {
        Conclusion::Verdict(Verdict::Faster) => "faster",
        Conclusion::Verdict(Verdict::Slower) => "slower",
        Conclusion::Verdict(Verdict::Equivalent) => EQUIVALENT,
        Conclusion::Indication(Verdict::Faster) => "faster?",
        Conclusion::Indication(Verdict::Slower) => "slower?",
        Conclusion::Verdict(Verdict::Inconclusive) => INCONCLUSIVE,
        Conclusion::Indication(Verdict::Equivalent) => "=?",
        Conclusion::Indication(Verdict::Inconclusive) => INCONCLUSIVE,
        Conclusion::Withheld(Reason::PlaceboDiffers) => GREY,
        Conclusion::Withheld(_) => "",
    }
}

/// `1.02 [0.99, 1.06]`, or `1.02` where there is no interval.
pub fn numbers(ratio: &Ratio) -> String {
    let estimate = format::number(ratio.estimate);
    match (ratio.ci_low, ratio.ci_high) {
        (Some(low), Some(high)) => {
            format!("{estimate} [{}, {}]", format::number(low), format::number(high))
        }
        _ => estimate,
    }
}

/// Numbers and sign in a table, or the sign for none.
pub fn cell(ratio: Option<&Ratio>) -> Cell {
    let shown = |ratio: &Ratio| Cell {
        sign: sign(ratio),
        ..Cell::new(numbers(ratio), Some(ratio.estimate))
    };
    ratio.map_or_else(|| Cell::from(NONE), shown)
}

/// Numbers and sign: `1.02 [0.99, 1.06] ~`.
pub fn text(ratio: &Ratio) -> String {
    match sign(ratio) {
        "" => numbers(ratio),
        sign => format!("{} {sign}", numbers(ratio)),
    }
}

/// What may be said, in words: `slower`, `slower (indication)`, `nothing: too few blocks`.
pub fn words(ratio: &Ratio) -> String {
    match ratio.conclusion {
        Conclusion::Verdict(verdict) => verdict.name().to_owned(),
        Conclusion::Indication(verdict) => format!("{} (indication)", verdict.name()),
        Conclusion::Withheld(reason) => format!("nothing: {}", because(reason)),
    }
}

/// What the signs of a run mean: a sentence for each that occurs.
pub fn legend_of(summary: &Summary) -> Vec<String> {
    let arms = summary.families.iter().flat_map(|family| &family.arms);
    let ratios = arms.flat_map(|arm| [arm.response_p50_ratio, arm.service_p50_ratio]);
    legend(ratios.flatten().map(|ratio| ratio.conclusion), summary.delta_ratio)
}

/// What the signs mean: a sentence for each that occurs.
pub fn legend(found: impl Iterator<Item = Conclusion>, delta_ratio: f64) -> Vec<String> {
    let found: Vec<Conclusion> = found.collect();
    let any = |is: fn(&Conclusion) -> bool| found.iter().any(is);
    let mut lines = Vec::new();
    if any(|c| !matches!(c, Conclusion::Withheld(_))) {
        let delta = format::percent(delta_ratio);
        let same = format::percent(delta_ratio.min(EQUIVALENT_MAX_RATIO));
        lines.push(format!(
            "faster, slower: the whole 95 % interval lies more than {delta} from 1. \
             {EQUIVALENT}: the whole interval lies within {same} of 1. \
             {INCONCLUSIVE}: inconclusive."
        ));
        lines.push(format!(
            "{delta} is the smallest difference that matters (--delta), fixed before the run. \
             Noise widens the interval and changes nothing else."
        ));
    }
    if any(|c| matches!(c, Conclusion::Indication(_))) {
        lines.push(
            "?: an indication, from 6 to 9 blocks. A verdict by the same rule needs 10.".to_owned(),
        );
    }
    let withheld = [
        (Reason::PlaceboDiffers, "!: nothing is concluded, because the placebo differs."),
        (Reason::NoPlacebo, "No sign: nothing is concluded, because no placebo checks it."),
        (Reason::TooFewBlocks, "A ratio alone: fewer than 6 blocks, too few to tell."),
    ];
    let occurs = |reason: &Reason| found.contains(&Conclusion::Withheld(*reason));
    lines
        .extend(withheld.iter().filter(|(reason, _)| occurs(reason)).map(|(_, s)| (*s).to_owned()));
    lines
}

/// What the placebo of a family says; `None` without a placebo that has an interval, which is a
/// caveat of its own.
pub fn of_placebo(family: &FamilySummary) -> Option<String> {
    let name = |metric: &str| metric.split('_').next().unwrap_or_default().to_owned();
    let checked: Vec<_> = family.placebo.iter().filter(|placebo| placebo.is_checked).collect();
    if checked.is_empty() {
        let has_ratio = family.arms.iter().any(|arm| arm.response_p50_ratio.is_some());
        let is_enough = family.n_blocks >= INTERVAL_BLOCKS_MIN;
        return (has_ratio && is_enough).then(|| {
            "No placebo: nothing checked this family, so nothing is concluded.".to_owned()
        });
    }
    let grey: Vec<String> =
        checked.iter().filter(|p| p.is_grey).map(|placebo| name(placebo.metric)).collect();
    if grey.is_empty() {
        return Some("Placebo: no difference from the reference, as expected.".to_owned());
    }
    Some(format!(
        "Placebo: differs from the reference in {}. Nothing is concluded of that here.",
        grey.join(" and ")
    ))
}

/// The conclusion on a ratio as a clause behind a number.
pub fn clause(ratio: &Ratio, reference: &str) -> String {
    let times = format::ratio(ratio.estimate);
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
            format!("no difference from {reference} shown")
        }
    }
}

/// Stands before a sentence on several conclusions of which one is only an indication.
pub fn by_indication(conclusions: impl IntoIterator<Item = Conclusion>) -> &'static str {
    let is_indication = |c| matches!(c, Conclusion::Indication(_));
    if conclusions.into_iter().any(is_indication) { "by indication, " } else { "" }
}

/// Why nothing is concluded, as a clause.
pub fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::ArmFailed => "it failed",
        Reason::ReferenceFailed => "the reference failed",
        Reason::TooFewBlocks => "there are too few blocks to tell",
        Reason::NoPlacebo => "no placebo checks it",
        Reason::PlaceboDiffers => "the placebo differs as well",
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
            (Conclusion::Indication(Verdict::Equivalent), " =?"),
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
