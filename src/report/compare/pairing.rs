//! Families and arms that two runs have in common, and why others are not compared.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::experiment::label::label;
use crate::record::{Run, TrialRow};
use crate::workload;
use crate::workload::options;

use super::Side;
use crate::analysis::cells::Analysed;
use crate::analysis::cores;
use crate::analysis::families::ArmRows;
use crate::analysis::summary::State;

/// Families and arms of two runs.
#[derive(Debug, Default)]
pub struct Matched<'a, 'r> {
    /// In the order of A.
    pub pairs: Vec<[&'a Analysed<'r>; 2]>,
    pub only: Vec<Only>,
    pub left: Vec<Left>,
}

/// Something that one of the runs lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Only {
    pub side: Side,
    /// Of the family, or the arm.
    pub name: String,
    /// Families in which the arm is; empty for a family.
    pub families: Vec<String>,
}

/// Something that both have and that is not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The family, or the arm with its family.
    pub name: String,
    pub reason: String,
    /// Because the same input had another answer: something is wrong.
    pub is_other_answer: bool,
}

impl Left {
    /// For any other reason.
    pub fn plain(name: String, reason: String) -> Left {
        Left { name, reason, is_other_answer: false }
    }
}

/// Matches families by their ids, which say workload, size, runtime and load.
pub fn families<'a, 'r>(runs: [&Run; 2], families: &'a [Vec<Analysed<'r>>; 2]) -> Matched<'a, 'r> {
    let mut matched = Matched::default();
    for a in &families[0] {
        let Some(b) = families[1].iter().find(|b| b.rows.id == a.rows.id) else {
            add_only(&mut matched.only, Side::A, a.rows.id.to_owned(), None);
            continue;
        };
        match check(runs, [a, b]) {
            Err(left) => matched.left.push(left),
            Ok(()) => matched.pairs.push([a, b]),
        }
    }
    for b in &families[1] {
        if !families[0].iter().any(|a| a.rows.id == b.rows.id) {
            add_only(&mut matched.only, Side::B, b.rows.id.to_owned(), None);
        }
    }
    for pair in matched.pairs.clone() {
        match_arms(pair, &mut matched);
    }
    matched
}

/// Checks that a family of one id is the same in both runs.
fn check(runs: [&Run; 2], families: [&Analysed<'_>; 2]) -> Result<(), Left> {
    let name = || families[0].rows.id.to_owned();
    let [a, b] = families.map(|family| family.rows.rows.first().copied());
    let (Some(a), Some(b)) = (a, b) else {
        let side = if a.is_none() { "A" } else { "B" };
        let reason = format!(
            "no trial of it has run in {side}; go on with that run by `forkbench run --resume DIR`"
        );
        return Err(Left::plain(name(), reason));
    };
    let workload = workload::by_name(&a.workload);
    let other = factors(a).into_iter().zip(factors(b));
    let mut other = other.filter(|(a, b)| a != b);
    if let Some(((factor, a), (_, b))) = other.next() {
        let own = workload.and_then(|workload| workload.calibrated_option());
        let advice = match own.filter(|own| factor == "workload_options" && same_but(own, &a, &b)) {
            Some(own) => format!("each run measured `{own}` itself, set it in the experiment"),
            None => "measure both with one experiment file and the same forkbench".to_owned(),
        };
        let reason = format!("`{factor}` is {} in A and {} in B; {advice}", quoted(&a), quoted(&b));
        return Err(Left::plain(name(), reason));
    }
    match other_answers(runs, families) {
        None => Ok(()),
        Some(reason) => Err(Left { name: name(), reason, is_other_answer: true }),
    }
}

/// Whether options are the same but for this one.
fn same_but(option: &str, a: &str, b: &str) -> bool {
    let [mut a, mut b] = [a, b].map(options::parse);
    a.remove(option) != b.remove(option) && a == b
}

fn quoted(value: &str) -> String {
    match value {
        "" => "empty".to_owned(),
        value => format!("`{value}`"),
    }
}

/// What makes the load and the work of a family, by the columns' names.
fn factors(row: &TrialRow) -> [(&'static str, String); 12] {
    // A rate that is a share of each machine's own capacity is another one on each.
    let rate_per_s = row.rate_per_s.filter(|_| row.rate_of_capacity.is_none());
    let optional = |number: Option<String>| number.unwrap_or_default();
    [
        ("runtime", row.runtime.clone()),
        ("workload", row.workload.clone()),
        ("workload_options", row.workload_options.clone()),
        ("size", row.size.clone()),
        ("regime", row.regime.name().to_owned()),
        ("callers", optional(row.callers.map(|n| n.to_string()))),
        ("rate_per_s", optional(rate_per_s.map(|n| n.to_string()))),
        ("arrivals", row.arrivals.clone()),
        ("probe", row.probe.clone()),
        ("placement", row.placement.name().to_owned()),
        ("payload_bytes", row.payload_bytes.to_string()),
        ("ballast_bytes", row.ballast_bytes.to_string()),
    ]
}

/// Same input, other answer: one of them is wrong, or made by another library, so times do not
/// compare.
fn other_answers(runs: [&Run; 2], families: [&Analysed<'_>; 2]) -> Option<String> {
    let [a, b] = runs.map(|run| run.manifest.seed);
    if a != b && !fixes_its_seed(families[0].rows.id) {
        return None;
    }
    let [a, b] = families.map(|family| {
        let rows = family.rows.arms.iter().flat_map(|arm| &arm.good);
        let sums = rows.map(|row| row.checksum.as_str());
        sums.filter(|sum| !sum.is_empty()).collect::<BTreeSet<&str>>()
    });
    if a.is_empty() || b.is_empty() || a == b {
        return None;
    }
    let named = |sums: BTreeSet<&str>| {
        let sums: Vec<String> = sums.iter().map(|sum| format!("`{sum}`")).collect();
        sums.join(", ")
    };
    Some(format!(
        "the same input was answered by {} in A and by {} in B (`checksum` in trials.csv): a wrong \
         answer, or another version of a library; times of different answers are not compared. \
         Run both with the same forkbench and packages",
        named(a),
        named(b)
    ))
}

/// Whether the inputs of a family do not depend on the seed of the run: its id ends with its own.
fn fixes_its_seed(family_id: &str) -> bool {
    let seed = family_id.rsplit('-').next();
    let digits = seed.and_then(|part| part.strip_prefix("seed"));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// The arms that both have, in the order of A.
pub fn both_arms<'x>(pair: [&'x Analysed<'x>; 2]) -> impl Iterator<Item = [&'x ArmRows<'x>; 2]> {
    let [a, b] = pair.map(|family| &family.rows.arms);
    let twin = |arm: &ArmRows<'_>| b.iter().find(|other| other.key == arm.key);
    a.iter().filter_map(move |arm| Some([arm, twin(arm)?]))
}

/// Arms that were left out on purpose in both, which says nothing of either.
pub fn are_skipped(arms: [&ArmRows<'_>; 2]) -> bool {
    arms.iter().all(|arm| arm.state == State::Skipped)
}

fn match_arms(pair: [&Analysed<'_>; 2], matched: &mut Matched<'_, '_>) {
    let family_id = pair[0].rows.id;
    for (side, [own, other]) in [(Side::A, pair), (Side::B, [pair[1], pair[0]])] {
        let is_new = |arm: &&ArmRows<'_>| !other.rows.arms.iter().any(|twin| twin.key == arm.key);
        for arm in own.rows.arms.iter().filter(is_new) {
            add_only(&mut matched.only, side, label_of(pair, arm), Some(family_id));
        }
    }
    for [arm, _] in both_arms(pair).filter(|arms| are_skipped(*arms)) {
        let name = format!("{} in {family_id}", label_of(pair, arm));
        matched.left.push(Left::plain(name, format!("skipped in both: {}", arm.reason)));
    }
}

/// The label of an arm among those of both runs, with the options in which they differ.
pub fn label_of(pair: [&Analysed<'_>; 2], arm: &ArmRows<'_>) -> String {
    let both = pair.iter().flat_map(|family| &family.rows.arms);
    label(&arm.key.named(), &both.map(|arm| arm.key.named()).collect::<Vec<_>>())
}

/// Adds a family, or an arm with the family that it is in.
pub fn add_only(only: &mut Vec<Only>, side: Side, name: String, family: Option<&str>) {
    let families = family.map(str::to_owned);
    match only.iter_mut().find(|other| other.side == side && other.name == name) {
        Some(known) => known.families.extend(families),
        None => only.push(Only { side, name, families: families.into_iter().collect() }),
    }
}

/// What to do about what only one run has. Multiples of the cores are the usual reason.
pub fn hint(runs: [&Run; 2], only: &[Only]) -> String {
    let [a, b] = runs.map(cores);
    match (a, b) {
        _ if only.is_empty() => String::new(),
        (Some(a), Some(b)) if a != b => format!(
            "A had {a} cores and B {b}, so callers, workers and chunks that the experiment gives as \
             multiples of the cores (\"1x\", \"2x\") differ; to compare them as well, write \
             numbers in their places and run that on both"
        ),
        _ => String::new(),
    }
}
