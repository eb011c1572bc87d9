//! What two runs say of each other, in sentences and signs.

use crate::stats::across::Across;
use crate::stats::verdict::{Conclusion, Reason};

use super::super::{conclusions, human};
use super::advised::said_of_advice;
use super::judged::{Agreement, Counts};
use super::{Cell, Compared, Measured, Refusal};
use crate::analysis::metrics::RESPONSE_P50;
use crate::analysis::summary::Ratio;

/// Named one by one at most.
const NAMED_MAX: usize = 3;

/// What both ratios cannot say, wherever they stand.
pub(super) const LIMIT: &str = "The intervals tell how well these two runs are known, from their \
    blocks; how far a third run on either machine would be from them they cannot tell, and B over \
    A calls a machine that wanders between runs another. Compare two runs of one machine first.";

/// Why the last column of the advice is no matter of the one before it.
pub(super) const ADVICE_TEST: &str = "The last column compares A's best with each of the others in \
    B: \"no\" is adjusted by Holm for their number, \"as good\" must hold of all. The ratio is to \
    B's best, which was found by the same blocks and so looks better than it is: read it as at \
    most.";

/// At most five sentences.
pub(super) fn summary(compared: &Compared) -> Vec<String> {
    let mut sentences = Vec::new();
    sentences.extend(pace(compared));
    sentences.push(absolute(compared));
    sentences.extend(relative(compared));
    sentences.extend(agreement(compared));
    sentences.extend(said_of_advice(compared));
    sentences
}

/// How fast the machines are, by what the reference needs on both.
fn pace(compared: &Compared) -> Option<String> {
    let is_reference =
        |cell: &&Cell<Across>| cell.arm.role == "reference" && cell.metric.name == RESPONSE_P50;
    let references = compared.cells.iter().filter(is_reference);
    let ratios = references.filter_map(|cell| cell.absolute.as_ref().ok()?.ratio);
    let mut ratios: Vec<f64> = ratios.collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let (low, high) = (*ratios.first()?, *ratios.last()?);
    let times = match human::ratio(low) == human::ratio(high) {
        true => human::ratio(low),
        false => format!("{} to {}", human::ratio(low), human::ratio(high)),
    };
    Some(format!(
        "The median response of {} in B is {times} that in A, by family ({}).",
        compared.reference,
        human::families(ratios.len())
    ))
}

/// `By indication, ` where none but indications are counted, `in part by indication, ` where some.
fn how(counts: Counts) -> &'static str {
    match counts.indications {
        0 => "",
        n if n == counts.concluded() => "By indication, which is no verdict: ",
        _ => "In part by indication, which is no verdict: ",
    }
}

fn absolute(compared: &Compared) -> String {
    let counts = Counts::absolute(compared);
    let cells = human::plural(counts.total() as u64, "cell");
    let of = match how(counts) {
        "" => format!("Of {cells}"),
        how => format!("{how}of {cells}"),
    };
    format!(
        "{of}, B is better than A in {}, worse in {}, equivalent in {}, and {} {} inconclusive{}.",
        counts.faster,
        counts.slower,
        counts.equivalent,
        counts.inconclusive,
        if counts.inconclusive == 1 { "is" } else { "are" },
        rest(counts)
    )
}

fn relative(compared: &Compared) -> Option<String> {
    let counts = Counts::relative(compared);
    (counts.total() > 0).then(|| {
        format!(
            "Against {} in the same run, which leaves out how fast the machines are, {} do better \
             in B, {} worse, {} as in A, and {} {} inconclusive{}.",
            compared.reference,
            counts.faster,
            counts.slower,
            counts.equivalent,
            counts.inconclusive,
            if counts.inconclusive == 1 { "is" } else { "are" },
            rest(counts)
        )
    })
}

/// What nothing is concluded of, each with its number.
fn rest(counts: Counts) -> String {
    let parts = [
        (counts.too_few_blocks, "have too few blocks to tell"),
        (counts.withheld, "are withheld because of the placebo"),
        (counts.not_compared, "have no number in one of the runs"),
    ];
    let said = parts.into_iter().filter(|(n, _)| *n > 0);
    let said: Vec<String> = said.map(|(n, what)| format!("{n} {what}")).collect();
    match said.as_slice() {
        [] => String::new(),
        parts => format!("; {}", parts.join(", ")),
    }
}

/// Whether the runs, each by itself, say the same.
fn agreement(compared: &Compared) -> Option<String> {
    let said = compared.cells.iter().filter(|cell| cell.arm.role == "arm");
    let said: Vec<(&Cell<Across>, Agreement)> =
        said.filter_map(|cell| Some((cell, Agreement::of(cell.said.as_ref()?)))).collect();
    let count = |wanted: Agreement| said.iter().filter(|(_, found)| *found == wanted).count();
    let (same, opposite) = (count(Agreement::Same), count(Agreement::Opposite));
    let (different, open) = (count(Agreement::Different), count(Agreement::Open));
    let both = same + opposite + different;
    if both == 0 {
        return (!said.is_empty()).then(|| {
            format!(
                "In none of {} with {} do both runs by themselves conclude anything, so that \
                 whether they agree is open.",
                human::plural(said.len() as u64, "comparison"),
                compared.reference
            )
        });
    }
    let named: Vec<String> = said
        .iter()
        .filter(|(_, found)| *found == Agreement::Opposite)
        .take(NAMED_MAX)
        .map(|(cell, _)| {
            let family = &compared.groups[cell.group].title;
            format!("{} of {} in {family}", cell.metric.word, cell.arm.label)
        })
        .collect();
    let contradict = match (opposite, named.join("; ")) {
        (0, _) => "contradict each other in none".to_owned(),
        (n, named) if n > NAMED_MAX => format!("contradict each other in {n} (among them {named})"),
        (n, named) => format!("contradict each other in {n} ({named})"),
    };
    Some(format!(
        "Of {both} comparisons with {} in which both runs conclude something, they say the same in \
         {same} and {contradict}; in {different} one sees a difference and the other none, and in \
         {open} more at least one does not say.",
        compared.reference
    ))
}

/// A view's numbers in the form that all tables and signs take.
pub(super) fn ratio(across: &Across) -> Option<Ratio> {
    Some(Ratio {
        estimate: across.ratio?,
        ci_low: across.ratio_interval.map(|interval| interval.low),
        ci_high: across.ratio_interval.map(|interval| interval.high),
        p_adjusted: across.p_adjusted,
        n_blocks: across.n_blocks[0].min(across.n_blocks[1]),
        conclusion: across.conclusion,
    })
}

/// The sign behind a ratio; of memory, which is neither fast nor slow, in words of its own.
pub(super) fn sign(metric: Measured, ratio: &Ratio) -> &'static str {
    match (metric.unit, conclusions::sign(ratio)) {
        ("bytes", "faster") => "less",
        ("bytes", "slower") => "more",
        ("bytes", "faster?") => "less?",
        ("bytes", "slower?") => "more?",
        (_, sign) => sign,
    }
}

/// A value with its unit, where the metric has one.
pub(super) fn value(metric: Measured, value: f64) -> String {
    match metric.unit {
        "ns" => human::duration(value),
        "bytes" => human::megabytes(value),
        _ => human::rate(value),
    }
}

impl Refusal {
    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            Refusal::Failed(side, why) => format!("in {}: {why}", side.letter()),
            Refusal::ReferenceFailed(side) => format!("the reference failed in {}", side.letter()),
            Refusal::NoValue(side) => {
                format!("no value in {}, mostly too few requests for the quantile", side.letter())
            }
            Refusal::OtherRate([a, b]) => format!(
                "A was asked {}/s and B {}/s, since the rate is a share of each machine's own \
                 capacity",
                human::rate(*a),
                human::rate(*b)
            ),
            Refusal::NotPositive(side) => format!(
                "a child costs nothing, or less, in some block of {}, which is no multiple of \
                 another cost",
                side.letter()
            ),
            Refusal::NoLine => "the runs have fewer than two numbers of children in common".into(),
        }
    }
}

/// What the signs mean: a sentence for each that occurs.
pub(super) fn legend(compared: &Compared) -> Vec<String> {
    let views = compared.cells.iter().flat_map(|cell| {
        let relative = cell.relative.iter();
        relative.chain([&cell.absolute]).flatten()
    });
    let found: Vec<Conclusion> = views.map(|across| across.conclusion).collect();
    let any = |is: fn(&Conclusion) -> bool| found.iter().any(is);
    let mut lines = Vec::new();
    if any(|c| !matches!(c, Conclusion::Withheld(_))) {
        let [rule, delta] = conclusions::rule(compared.delta_ratio);
        lines.push(format!("Of B (of memory less, more): {rule}"));
        lines.push(delta);
    }
    if any(|c| matches!(c, Conclusion::Indication(_))) {
        lines.push(
            "?: an indication, from 6 to 9 blocks; a verdict by the same rule needs 10 in both runs."
                .to_owned(),
        );
    }
    if any(|c| *c == Conclusion::Withheld(Reason::PlaceboDiffers)) {
        lines.push(
            "!: nothing is concluded, because the placebo differs from the reference that it is, \
             in one of the runs or from one to the other."
                .to_owned(),
        );
    }
    if any(|c| *c == Conclusion::Withheld(Reason::TooFewBlocks)) {
        lines.push(
            "A ratio alone comes from fewer than 6 blocks in one of the runs: too few to tell; \
             --preset quick measures 6, standard 10 and more."
                .to_owned(),
        );
    }
    lines
}

/// What a run says of an arm by itself: `0.52 faster`, `1.02 ~`.
pub(super) fn said(said: &super::Said) -> String {
    let Some(ratio) = said.ratio else {
        return super::super::table::NONE.to_owned();
    };
    let shown = Ratio {
        estimate: ratio,
        ci_low: None,
        ci_high: None,
        p_adjusted: None,
        n_blocks: 0,
        conclusion: said.conclusion,
    };
    conclusions::text(&shown)
}
