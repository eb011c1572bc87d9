//! Figures held against the bounds of the claims. Pure, and the only place where a verdict comes
//! from.

use serde::Serialize;

use super::measured::{Measured, Missing};
use super::{Bounds, Claim, Claims, Figure, Rule, Test, words};
use crate::stats::Interval;
use crate::stats::verdict::{INTERVAL_BLOCKS_MIN, VERDICT_BLOCKS_MIN, Verdict as Compared};

/// What becomes of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::report) enum Verdict {
    /// Every condition that was decided confirms it.
    Confirmed,
    /// Every condition that was decided refutes it.
    Refuted,
    /// Some conditions confirm it, others refute it.
    Depends,
    /// No measurement could decide.
    NotAMatterOfMeasurement,
    /// It was measured, and what was found decides nothing: an interval reaches across a bound,
    /// there are too few blocks for one, or what the rule presumes does not hold.
    NotDecided,
    /// This run has no figure for it.
    NotYetMeasured,
}

impl Verdict {
    /// All of them, in the order in which they are told.
    pub(in crate::report) const ALL: [Verdict; 6] = [
        Verdict::Confirmed,
        Verdict::Refuted,
        Verdict::Depends,
        Verdict::NotDecided,
        Verdict::NotYetMeasured,
        Verdict::NotAMatterOfMeasurement,
    ];

    /// As in `claims.csv`.
    pub(in crate::report) fn name(self) -> &'static str {
        match self {
            Verdict::Confirmed => "confirmed",
            Verdict::Refuted => "refuted",
            Verdict::Depends => "depends",
            Verdict::NotAMatterOfMeasurement => "not_a_matter_of_measurement",
            Verdict::NotDecided => "not_decided",
            Verdict::NotYetMeasured => "not_yet_measured",
        }
    }
}

/// What a test makes of its figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::report) enum Outcome {
    /// The whole interval lies where the claim is true.
    Confirmed,
    /// The whole interval lies where it is not.
    Refuted,
    /// The interval reaches across a bound or is not there, the figure is in doubt, or what the
    /// test presumes does not hold.
    Undecided,
    /// There is no figure, or none of what the test presumes.
    Missing,
}

impl Outcome {
    /// As in `claims.csv`.
    pub(in crate::report) fn name(self) -> &'static str {
        match self {
            Outcome::Confirmed => "confirmed",
            Outcome::Refuted => "refuted",
            Outcome::Undecided => "undecided",
            Outcome::Missing => "missing",
        }
    }

    fn is_decided(self) -> bool {
        matches!(self, Outcome::Confirmed | Outcome::Refuted)
    }
}

/// A claim and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::report) struct Judged {
    /// As in the claims, like the next five.
    pub(in crate::report) id: String,
    pub(in crate::report) section: String,
    pub(in crate::report) place: String,
    pub(in crate::report) words: String,
    pub(in crate::report) confirms: String,
    pub(in crate::report) refutes: String,
    /// What became of it.
    pub(in crate::report) verdict: Verdict,
    /// From too few blocks for a verdict: an indication.
    pub(in crate::report) is_indication: bool,
    /// The figures that decided, or why nothing is decided.
    pub(in crate::report) said: String,
    /// In the order of the file; none of a claim without figures.
    pub(in crate::report) tests: Vec<JudgedTest>,
}

impl Judged {
    /// Whether there is a verdict on what is claimed.
    pub(in crate::report) fn is_decided(&self) -> bool {
        is_decided(self.verdict)
    }
}

fn is_decided(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Confirmed | Verdict::Refuted | Verdict::Depends)
}

/// A test and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::report) struct JudgedTest {
    /// The condition, or empty.
    pub(in crate::report) on: String,
    /// What became of it.
    pub(in crate::report) outcome: Outcome,
    /// Why it is not decided; empty if it is.
    pub(in crate::report) reason: String,
    /// Name of the figure.
    pub(in crate::report) figure: String,
    /// What the figure is, in words.
    pub(in crate::report) describes: String,
    /// The runtime that it is of; of a ratio between runtimes, the first.
    pub(in crate::report) runtime: String,
    /// The figure; `None` if there is none.
    #[serde(skip)]
    pub(in crate::report) measured: Option<Measured>,
    /// The figure with its interval, for people; empty if there is none.
    pub(in crate::report) shown: String,
    /// The bounds in the figure's unit: `from 20000000 to 30000000`.
    pub(in crate::report) confirmed_when: String,
    /// The same, or `otherwise`.
    pub(in crate::report) refuted_when: String,
}

/// Every claim, in the order of the file. `figures` are those of the claims, in their order.
pub(super) fn judge(claims: &Claims, figures: &[Result<Measured, Missing>]) -> Vec<Judged> {
    let all = claims.claims.iter();
    all.map(|claim| of_claim(claim, claims, figures)).collect()
}

fn of_claim(claim: &Claim, claims: &Claims, figures: &[Result<Measured, Missing>]) -> Judged {
    let without = |verdict, why: &String| Judged {
        id: claim.id.clone(),
        section: claim.section.clone(),
        place: claim.place.clone(),
        words: claim.words.clone(),
        confirms: claim.confirms.clone(),
        refutes: claim.refutes.clone(),
        verdict,
        is_indication: false,
        said: why.clone(),
        tests: Vec::new(),
    };
    let tests = match &claim.rule {
        Rule::NotMeasurable(why) => return without(Verdict::NotAMatterOfMeasurement, why),
        Rule::NotYet(why) => return without(Verdict::NotYetMeasured, why),
        Rule::Tests(tests) => tests,
    };
    let tests: Vec<JudgedTest> =
        tests.iter().map(|test| of_test(test, &claims.figures, figures)).collect();
    let conditions = conditions(&tests);
    let verdict = verdict(&conditions);
    let deciding = conditions
        .iter()
        .filter(|condition| condition.outcome.is_decided())
        .flat_map(|condition| &condition.tests);
    let fewest = deciding.filter_map(|test| Some(test.measured.as_ref()?.n_blocks));
    Judged {
        verdict,
        is_indication: is_decided(verdict)
            && fewest.min().is_some_and(|blocks| blocks < VERDICT_BLOCKS_MIN),
        said: words::said(verdict, &conditions),
        tests,
        ..without(verdict, &String::new())
    }
}

/// The tests of one condition, which must all hold.
#[derive(Debug, Clone)]
pub(super) struct Condition<'t> {
    /// Empty if the claim knows only one.
    pub(super) on: &'t str,
    /// In the order of the file.
    pub(super) tests: Vec<&'t JudgedTest>,
    /// Refuted if one of them is, confirmed if all are.
    pub(super) outcome: Outcome,
}

/// In the order in which they are first named.
fn conditions(tests: &[JudgedTest]) -> Vec<Condition<'_>> {
    let mut found: Vec<Condition<'_>> = Vec::new();
    for test in tests {
        match found.iter_mut().find(|condition| condition.on == test.on) {
            Some(condition) => condition.tests.push(test),
            None => {
                found.push(Condition { on: &test.on, tests: vec![test], outcome: Outcome::Missing })
            }
        }
    }
    for condition in &mut found {
        let outcomes = || condition.tests.iter().map(|test| test.outcome);
        condition.outcome = if outcomes().any(|outcome| outcome == Outcome::Refuted) {
            Outcome::Refuted
        } else {
            let open = outcomes().find(|outcome| *outcome != Outcome::Confirmed);
            open.unwrap_or(Outcome::Confirmed)
        };
    }
    found
}

/// The first condition is what the claim is about: without it there is no verdict. One that is not
/// decided beside it takes nothing from the others.
fn verdict(conditions: &[Condition<'_>]) -> Verdict {
    let has = |wanted| conditions.iter().any(|condition| condition.outcome == wanted);
    let Some(first) = conditions.first() else {
        return Verdict::NotYetMeasured;
    };
    let lacks = first.tests.iter().any(|test| test.outcome == Outcome::Missing);
    let is_open = !first.outcome.is_decided();
    match (is_open, has(Outcome::Confirmed), has(Outcome::Refuted)) {
        (true, ..) if lacks => Verdict::NotYetMeasured,
        (true, ..) | (_, false, false) => Verdict::NotDecided,
        (_, true, false) => Verdict::Confirmed,
        (_, false, true) => Verdict::Refuted,
        (_, true, true) => Verdict::Depends,
    }
}

fn of_test(test: &Test, figures: &[Figure], measured: &[Result<Measured, Missing>]) -> JudgedTest {
    let figure = &figures[test.figure];
    let (outcome, reason) = match presumed(test, figures, measured) {
        Err(kept) => kept,
        Ok(()) => match &measured[test.figure] {
            Err(missing) => (Outcome::Missing, missing.to_string()),
            Ok(measured) => decide(test, measured, figure.is_yes_no),
        },
    };
    let measured = measured[test.figure].as_ref().ok();
    JudgedTest {
        on: test.on.clone(),
        outcome,
        reason,
        figure: figure.id.clone(),
        describes: words::describe(figure),
        runtime: figure.of.runtime().to_owned(),
        shown: measured.map_or_else(String::new, |m| words::with_interval(m, figure.is_yes_no)),
        measured: measured.cloned(),
        confirmed_when: test.confirmed.text(),
        refuted_when: test.refuted.map_or_else(|| "otherwise".to_owned(), Bounds::text),
    }
}

/// Whether what the test presumes holds.
fn presumed(
    test: &Test,
    figures: &[Figure],
    measured: &[Result<Measured, Missing>],
) -> Result<(), (Outcome, String)> {
    let Some(provision) = &test.provided else {
        return Ok(());
    };
    let figure = &figures[provision.figure];
    let found = match &measured[provision.figure] {
        Err(missing) => return Err((Outcome::Missing, missing.to_string())),
        Ok(found) => found,
    };
    let describes = words::describe(figure);
    let value = words::with_interval(found, figure.is_yes_no);
    let undecided = |why: &str| (Outcome::Undecided, format!("{why} ({describes}: {value})"));
    match found.interval {
        _ if !found.doubt.is_empty() => Err(undecided(found.doubt)),
        None => Err(undecided(&too_few(found))),
        Some(interval) if provision.bounds.hold(interval) => Ok(()),
        Some(_) => Err(undecided(&provision.otherwise)),
    }
}

fn decide(test: &Test, measured: &Measured, is_yes_no: bool) -> (Outcome, String) {
    let Some(interval) = measured.interval else {
        return (Outcome::Undecided, too_few(measured));
    };
    if !measured.doubt.is_empty() {
        return (Outcome::Undecided, measured.doubt.to_owned());
    }
    let outcome = by_bounds(test, interval);
    // What a comparison calls equivalent is the same: it decides what no difference would.
    let same = Interval { low: 1.0, high: 1.0 };
    if measured.verdict == Some(Compared::Equivalent) && outcome != by_bounds(test, same) {
        return (
            Outcome::Undecided,
            "its comparison concludes that they are equivalent".to_owned(),
        );
    }
    if outcome.is_decided() {
        (outcome, String::new())
    } else {
        let unit = &measured.unit;
        let refuted = test.refuted.map_or_else(
            || "otherwise refuted".to_owned(),
            |bounds| format!("refuted by {}", words::bounds(bounds, unit, is_yes_no)),
        );
        let reason = format!(
            "its interval decides nothing: confirmed by {}, {refuted}",
            words::bounds(test.confirmed, unit, is_yes_no),
        );
        (Outcome::Undecided, reason)
    }
}

/// What the bounds make of an interval.
fn by_bounds(test: &Test, interval: Interval) -> Outcome {
    let refutes = match test.refuted {
        Some(bounds) => bounds.hold(interval),
        None => test.confirmed.exclude(interval),
    };
    match (test.confirmed.hold(interval), refutes) {
        (true, _) => Outcome::Confirmed,
        (false, true) => Outcome::Refuted,
        (false, false) => Outcome::Undecided,
    }
}

fn too_few(measured: &Measured) -> String {
    format!(
        "of {}, where an interval needs {INTERVAL_BLOCKS_MIN}",
        crate::report::human::plural(measured.n_blocks as u64, "block")
    )
}

impl Bounds {
    /// Whether the whole interval lies within.
    fn hold(self, interval: Interval) -> bool {
        self.low.is_none_or(|low| low <= interval.low)
            && self.high.is_none_or(|high| interval.high <= high)
    }

    /// Whether the whole interval lies outside, on one side.
    fn exclude(self, interval: Interval) -> bool {
        self.low.is_some_and(|low| interval.high < low)
            || self.high.is_some_and(|high| high < interval.low)
    }

    /// Whether there is a value within both.
    pub(super) fn overlaps(self, other: Bounds) -> bool {
        let above = |low: Option<f64>, high: Option<f64>| {
            low.zip(high).is_some_and(|(low, high)| low > high)
        };
        !above(self.low, other.high) && !above(other.low, self.high)
    }

    /// In the figure's unit, every digit.
    fn text(self) -> String {
        match (self.low, self.high) {
            (Some(low), Some(high)) if low == high => format!("{low}"),
            (Some(low), Some(high)) => format!("from {low} to {high}"),
            (Some(low), None) => format!("at least {low}"),
            (None, Some(high)) => format!("at most {high}"),
            (None, None) => "any".to_owned(),
        }
    }
}
