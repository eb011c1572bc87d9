//! What must be heard of two runs before anything else, and what one would choose: in sentences.

use super::super::human;
use super::Compared;
use super::advice::Holds;

/// Named one by one at most.
const NAMED_MAX: usize = 3;

/// That the runs answered the same input differently, which is no matter of speed; `None` if they
/// did not, as far as they can be held against each other.
pub(super) fn alarm(compared: &Compared) -> Option<String> {
    let wrong = compared.left.iter().filter(|left| left.is_other_answer);
    let names: Vec<&str> = wrong.map(|left| left.name.as_str()).collect();
    let more = match names.len().checked_sub(NAMED_MAX) {
        None | Some(0) => String::new(),
        Some(more) => format!(" and {more} more"),
    };
    let named = names[..names.len().min(NAMED_MAX)].join(", ");
    (!names.is_empty()).then(|| {
        format!(
            "THE ANSWERS DIFFER in {} ({named}{more}): A and B answered the same input \
             differently, so that one of them is wrong, or made by another version of a library. \
             Such times are not compared; the checksums are below, under what is not compared.",
            human::families(names.len())
        )
    })
}

/// That answers could not be held against each other, because the inputs were others.
pub(super) fn unchecked(seeds: [u64; 2]) -> String {
    let [a, b] = seeds;
    match a == b {
        true => String::new(),
        false => format!(
            "answers: A has seed {a} and B {b}, so that inputs differ, and whether both would \
             answer one input alike was not checked; run B with --seed {a} to have that checked"
        ),
    }
}

/// Whether one would choose the same.
pub(super) fn said_of_advice(compared: &Compared) -> Option<String> {
    let count = |wanted: Holds| {
        let found = compared.advice.iter();
        found.filter(|advice| advice.holds == wanted).count()
    };
    let n = compared.advice.len();
    let withheld = count(Holds::Withheld);
    if n == 0 {
        return None;
    }
    let choosing =
        format!("Choosing in B, by median response, what is best in A ({})", human::families(n));
    if withheld == n {
        return Some(format!("{choosing}: nothing is concluded of it."));
    }
    let maybe = match count(Holds::MaybeNot) {
        0 => String::new(),
        n => format!(" (in {n} more by indication)"),
    };
    let open = count(Holds::Inconclusive);
    let rest = match withheld {
        0 => String::new(),
        k => format!("; of {k} more nothing is concluded"),
    };
    Some(format!(
        "{choosing}: of {} it is the lowest there too in {}, no more than δ behind any other in \
         {}, slower than another in {}{maybe}, and {open} {} inconclusive{rest}.",
        n - withheld,
        count(Holds::Same),
        count(Holds::AsGood),
        count(Holds::No),
        if open == 1 { "is" } else { "are" },
    ))
}
