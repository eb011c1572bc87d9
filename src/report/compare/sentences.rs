//! What two runs say of each other, in sentences.

use crate::record::Role;
use crate::stats::verdict::Conclusion;

use super::super::format;
use super::Compared;
use super::advice::Holds;
use super::cells::{Cell, Refusal};
use super::judged::{Agreement, Counts};
use super::pairing::Only;
use super::{Side, cells::View};
use crate::analysis::metrics::RESPONSE_P50;

/// The runs answered the same input differently. `None` if not, as far as inputs were the same.
pub fn alarm(compared: &Compared) -> Option<String> {
    let wrong = compared.left.iter().filter(|left| left.is_other_answer);
    let names: Vec<String> = wrong.map(|left| left.name.clone()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "THE ANSWERS DIFFER in {} ({}): A and B answered the same input differently, so one of \
             them is wrong, or made by another version of a library. Such times are not compared. \
             The checksums are below, under what is not compared.",
            format::plural(names.len() as u64, "family"),
            format::few(&names, ", ")
        )
    })
}

/// Answers could not be compared, because the inputs differ.
pub fn unchecked(compared: &Compared) -> Option<String> {
    let [a, b] = compared.manifests.each_ref().map(|manifest| manifest.seed);
    (a != b).then(|| {
        format!(
            "answers: A has seed {a} and B {b}, so inputs differ, and whether both would answer one \
             input alike was not checked; run B with --seed {a} to have that checked"
        )
    })
}

/// At most five sentences.
pub fn summary(compared: &Compared) -> Vec<String> {
    let mut sentences = Vec::from_iter(pace(compared));
    sentences.push(absolute(compared));
    sentences.extend(relative(compared));
    sentences.extend(agreement(compared));
    sentences.extend(of_advice(compared));
    sentences
}

/// How fast the machines are, by what the reference needs on both.
fn pace(compared: &Compared) -> Option<String> {
    let is_reference =
        |cell: &&Cell| cell.role == Role::Reference && cell.metric.name == RESPONSE_P50;
    let references = compared.cells.iter().filter(is_reference);
    let mut ratios: Vec<f64> =
        references.filter_map(|cell| cell.absolute.across()?.ratio).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let [low, high] = [ratios.first()?, ratios.last()?].map(|ratio| format::ratio(*ratio));
    let times = if low == high { low } else { format!("{low} to {high}") };
    Some(format!(
        "The median response of {} in B is {times} that in A, by family ({}).",
        compared.reference(),
        format::plural(ratios.len() as u64, "family")
    ))
}

fn absolute(compared: &Compared) -> String {
    let counts = Counts::absolute(&compared.cells);
    let by = match counts.indications {
        0 => "",
        n if n == counts.concluded() => "by indication, which is no verdict: ",
        _ => "in part by indication, which is no verdict: ",
    };
    let cells = format::plural(counts.total() as u64, "cell");
    format::capitalized(&format!("{by}of {cells}, B is better than A in {}.", tally(counts)))
}

fn relative(compared: &Compared) -> Option<String> {
    let counts = Counts::relative(&compared.cells);
    (counts.total() > 0).then(|| {
        format!(
            "Against {} in the same run, which leaves out how fast the machines are, B is better \
             than A in {}.",
            compared.reference(),
            tally(counts)
        )
    })
}

/// `3, worse in 1, equivalent in 2, and inconclusive in 0`, and of how many nothing is concluded.
fn tally(counts: Counts) -> String {
    let rest = [
        (counts.too_few_blocks, "too few blocks to tell"),
        (counts.withheld, "withheld because of the placebo"),
        (counts.not_compared, "no number in one of the runs"),
    ];
    let rest = rest.into_iter().filter(|(n, _)| *n > 0);
    let rest: String = rest.map(|(n, what)| format!("; {what} in {n}")).collect();
    let Counts { faster, slower, equivalent, inconclusive, .. } = counts;
    format!(
        "{faster}, worse in {slower}, equivalent in {equivalent}, and inconclusive in {inconclusive}{rest}"
    )
}

/// Whether the runs, each by itself, say the same.
fn agreement(compared: &Compared) -> Option<String> {
    let arms = compared.cells.iter().filter(|cell| cell.role == Role::Arm);
    let said: Vec<(&Cell, Agreement)> =
        arms.filter_map(|cell| Some((cell, Agreement::of(cell.said.as_ref()?)))).collect();
    let of = |wanted: Agreement| said.iter().filter(move |(_, found)| *found == wanted);
    let (same, different) = (of(Agreement::Same).count(), of(Agreement::Different).count());
    let opposite: Vec<String> = of(Agreement::Opposite)
        .map(|(cell, _)| {
            let family = &compared.groups[cell.group].title;
            format!("{} of {} in {family}", cell.metric.word, cell.label)
        })
        .collect();
    let both = same + different + opposite.len();
    let reference = compared.reference();
    if both == 0 {
        let comparisons = format::any(said.len(), "comparison");
        return (!said.is_empty()).then(|| {
            format!(
                "The two runs do not both conclude something by themselves in {comparisons} with \
                 {reference}, so whether they agree is open."
            )
        });
    }
    let contradict = match opposite.len() {
        0 => "contradict each other in none".to_owned(),
        n => format!("contradict each other in {n} ({})", format::few(&opposite, "; ")),
    };
    Some(format!(
        "Of {} with {reference} in which both runs conclude something, they say the same in {same} \
         and {contradict}; in {different} one sees a difference and the other none, and in {} more \
         at least one does not say.",
        format::plural(both as u64, "comparison"),
        of(Agreement::Open).count()
    ))
}

/// Whether one would choose the same.
fn of_advice(compared: &Compared) -> Option<String> {
    let n = compared.advice.len();
    let count = |wanted: Holds| compared.advice.iter().filter(|one| one.holds == wanted).count();
    let withheld = count(Holds::Withheld);
    let families = format::plural(n as u64, "family");
    let choosing =
        format!("Choosing in B, by median response, the best strategy of A ({families})");
    if n == withheld {
        return (n > 0).then(|| format!("{choosing}: nothing is concluded of it."));
    }
    let maybe = match count(Holds::MaybeNot) {
        0 => String::new(),
        n => format!(" (in {n} more by indication)"),
    };
    let rest = match withheld {
        0 => String::new(),
        k => format!("; of {k} more nothing is concluded"),
    };
    Some(format!(
        "{choosing}: of {} it is the lowest there too in {}, no more than δ behind any other in {}, \
         slower than another in {}{maybe}, and inconclusive in {}{rest}.",
        n - withheld,
        count(Holds::Same),
        count(Holds::AsGood),
        count(Holds::No),
        count(Holds::Inconclusive),
    ))
}

impl Refusal {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Refusal::Failed(side, why) => format!("in {}: {why}", side.letter()),
            Refusal::ReferenceFailed(side) => format!("the reference failed in {}", side.letter()),
            Refusal::NoValue(side) => {
                format!("no value in {}, mostly too few requests for the quantile", side.letter())
            }
            Refusal::OtherRate([a, b]) => format!(
                "A was asked {}/s and B {}/s, since the rate is a share of each machine's own \
                 capacity",
                format::rate(*a),
                format::rate(*b)
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

/// All conclusions of both views.
pub fn conclusions(compared: &Compared) -> impl Iterator<Item = Conclusion> {
    let views = compared
        .cells
        .iter()
        .flat_map(|cell| cell.relative.iter().chain([&cell.absolute]).filter_map(View::across));
    views.map(|across| across.conclusion)
}

/// What only one has and what is not compared, in lines.
pub fn missing(compared: &Compared) -> Vec<String> {
    let mut lines = Vec::new();
    for side in Side::BOTH {
        lines.extend(compared.only.iter().filter(|only| only.side == side).map(of_only));
    }
    let left = compared.left.iter();
    lines.extend(left.map(|left| format!("{}: {}", left.name, left.reason)));
    let hint = Some(compared.hint.clone()).filter(|hint| !hint.is_empty());
    lines.extend(hint.into_iter().chain(unchecked(compared)).map(|line| line + "."));
    lines
}

fn of_only(Only { side, name, families }: &Only) -> String {
    let side = side.letter();
    match families.as_slice() {
        [] => format!("only in {side}: {name}"),
        [family] => format!("only in {side}: {name} in {family}"),
        all => format!("only in {side}: {name} in {}", format::plural(all.len() as u64, "family")),
    }
}
