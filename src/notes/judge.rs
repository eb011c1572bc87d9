//! Figures held against the bounds of the claims. Pure, and the only place that makes verdicts.

use serde::Serialize;

use super::claims::{Bounds, Claim, Claims, Test};
use super::measure::{Figures, Measured, Missing};
use super::words;
use crate::report::format;
use crate::stats::Interval;
use crate::stats::verdict::{INTERVAL_BLOCKS_MIN, VERDICT_BLOCKS_MIN, Verdict as Compared};

/// The verdict on a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every decided condition confirms it.
    Confirmed,
    /// Every decided condition refutes it.
    Refuted,
    /// Some conditions confirm it, others refute it.
    Depends,
    /// The run has its figures, and they decide nothing: an interval reaches across a bound, there
    /// are too few blocks for one, or a provision does not hold.
    NotDecided,
    /// This run has no figure for it.
    NotYetMeasured,
    /// No measurement could decide it.
    NotAMatterOfMeasurement,
}

impl Verdict {
    /// All of them, in the order of reports.
    pub const ALL: [Verdict; 6] = [
        Verdict::Confirmed,
        Verdict::Refuted,
        Verdict::Depends,
        Verdict::NotDecided,
        Verdict::NotYetMeasured,
        Verdict::NotAMatterOfMeasurement,
    ];

    /// As in `claims.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Confirmed => "confirmed",
            Verdict::Refuted => "refuted",
            Verdict::Depends => "depends",
            Verdict::NotDecided => "not_decided",
            Verdict::NotYetMeasured => "not_yet_measured",
            Verdict::NotAMatterOfMeasurement => "not_a_matter_of_measurement",
        }
    }

    /// Whether the run says anything about the claim.
    pub fn is_decided(self) -> bool {
        matches!(self, Verdict::Confirmed | Verdict::Refuted | Verdict::Depends)
    }
}

/// The outcome of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The whole interval lies where the claim is true.
    Confirmed,
    /// The whole interval lies where it is not.
    Refuted,
    /// The interval reaches across a bound or is missing, the figure is in doubt, or a provision
    /// does not hold.
    Undecided,
    /// The figure is missing, or that of the provision.
    Missing,
}

impl Outcome {
    /// As in `claims.csv`.
    pub fn name(self) -> &'static str {
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

/// A claim with its verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// Which.
    #[serde(flatten)]
    pub claim: Claim,
    /// The verdict on it.
    pub verdict: Verdict,
    /// From too few blocks for a verdict: an indication.
    pub is_indication: bool,
    /// The figures that decided, or why nothing is decided.
    pub said: String,
    /// In the order of the file; none of a claim without figures.
    pub tests: Vec<JudgedTest>,
}

/// A test with its outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgedTest {
    /// The condition, or empty.
    pub on: String,
    /// The outcome.
    pub outcome: Outcome,
    /// Why it is not decided; empty if it is.
    pub reason: String,
    /// Name of the figure.
    pub figure: String,
    /// The figure in words.
    pub describes: String,
    /// The runtime of the figure; of a ratio between runtimes, the first.
    pub runtime: String,
    /// The figure; `None` if it is missing.
    #[serde(skip)]
    pub measured: Option<Measured>,
    /// The figure with its interval, for people; empty if it is missing.
    pub shown: String,
    /// The bounds in the figure's unit: `from 20000000 to 30000000`.
    pub confirmed_when: String,
    /// The same, or `otherwise`.
    pub refuted_when: String,
}

/// Every claim, in the order of the file.
pub fn judge(claims: &Claims, figures: &Figures) -> Vec<Judged> {
    claims.claims.iter().map(|claim| of_claim(claim, claims, figures)).collect()
}

fn of_claim(claim: &Claim, claims: &Claims, figures: &Figures) -> Judged {
    let tests: Vec<JudgedTest> =
        claim.tests.iter().map(|test| of_test(test, claims, figures)).collect();
    let conditions = conditions(&tests);
    let (verdict, said) = match (&claim.not_a_matter_of_measurement, &claim.not_yet_measured) {
        (Some(why), _) => (Verdict::NotAMatterOfMeasurement, why.clone()),
        (None, Some(why)) => (Verdict::NotYetMeasured, why.clone()),
        (None, None) => (verdict(&conditions), words::said(&conditions)),
    };
    let decided = conditions.iter().filter(|condition| condition.outcome().is_decided());
    let deciding = decided.flat_map(|condition| &condition.tests);
    let fewest = deciding.filter_map(|test| Some(test.measured.as_ref()?.n_blocks)).min();
    let is_indication =
        verdict.is_decided() && fewest.is_some_and(|blocks| blocks < VERDICT_BLOCKS_MIN);
    Judged { claim: claim.clone(), verdict, is_indication, said, tests }
}

/// The tests of one condition, which must all hold.
#[derive(Debug, Clone)]
pub struct Condition<'t> {
    /// Empty in a claim of one condition.
    pub on: &'t str,
    /// In the order of the file; at least one.
    pub tests: Vec<&'t JudgedTest>,
}

impl Condition<'_> {
    /// Refuted if one of its tests is, confirmed if all are.
    pub fn outcome(&self) -> Outcome {
        let outcomes = || self.tests.iter().map(|test| test.outcome);
        let refuted = outcomes().find(|outcome| *outcome == Outcome::Refuted);
        let open = || outcomes().find(|outcome| *outcome != Outcome::Confirmed);
        refuted.or_else(open).unwrap_or(Outcome::Confirmed)
    }
}

/// In the order in which they are first named.
fn conditions(tests: &[JudgedTest]) -> Vec<Condition<'_>> {
    let mut found: Vec<Condition<'_>> = Vec::new();
    for test in tests {
        match found.iter_mut().find(|condition| condition.on == test.on) {
            Some(condition) => condition.tests.push(test),
            None => found.push(Condition { on: &test.on, tests: vec![test] }),
        }
    }
    found
}

/// The first condition is the one that the document speaks of: without it there is no verdict.
/// Another condition that is not decided takes nothing from it.
fn verdict(conditions: &[Condition<'_>]) -> Verdict {
    let has = |wanted| conditions.iter().any(|condition| condition.outcome() == wanted);
    let Some(first) = conditions.first() else {
        return Verdict::NotYetMeasured;
    };
    let lacks = first.tests.iter().any(|test| test.outcome == Outcome::Missing);
    let is_open = !first.outcome().is_decided();
    match (is_open, has(Outcome::Confirmed), has(Outcome::Refuted)) {
        (true, ..) if lacks => Verdict::NotYetMeasured,
        (true, ..) | (_, false, false) => Verdict::NotDecided,
        (_, true, false) => Verdict::Confirmed,
        (_, false, true) => Verdict::Refuted,
        (_, true, true) => Verdict::Depends,
    }
}

fn of_test(test: &Test, claims: &Claims, figures: &Figures) -> JudgedTest {
    let name = test.figure.get_ref();
    let figure = claims.figure(name);
    let (outcome, reason) = match decide(test, claims, figures) {
        Ok(outcome) => (outcome, String::new()),
        Err(open) => open,
    };
    let measured = figures[name].as_ref().ok().cloned();
    let exact = |bounds| words::bounds(bounds, |value| value.to_string(), "from ");
    JudgedTest {
        on: test.on.clone(),
        outcome,
        reason,
        figure: name.clone(),
        describes: words::describe(figure, claims),
        runtime: figure.of.runtime().to_owned(),
        shown: measured.as_ref().map_or_else(String::new, words::with_interval),
        measured,
        confirmed_when: exact(test.confirmed_when),
        refuted_when: test.refuted_when.map_or_else(|| "otherwise".to_owned(), exact),
    }
}

/// An outcome that decides nothing, and why.
type Open = (Outcome, String);

fn decide(test: &Test, claims: &Claims, figures: &Figures) -> Result<Outcome, Open> {
    if let Some(provision) = &test.provided {
        let name = provision.figure.get_ref();
        let found = there(&figures[name])?;
        let why = match certain(found) {
            Ok(interval) if provision.when.hold(interval) => None,
            Ok(_) => Some(provision.otherwise.clone()),
            Err(why) => Some(why),
        };
        if let Some(why) = why {
            let describes = words::describe(claims.figure(name), claims);
            let value = words::with_interval(found);
            return undecided(format!("{why} ({describes}: {value})"));
        }
    }
    let measured = there(&figures[test.figure.get_ref()])?;
    let interval = certain(measured).or_else(undecided)?;
    let outcome = by_bounds(test, interval);
    // An equivalent ratio decides only what no difference at all would decide.
    let same = Interval { low: 1.0, high: 1.0 };
    if measured.verdict == Some(Compared::Equivalent) && outcome != by_bounds(test, same) {
        return undecided("its comparison concludes that the two are equivalent".to_owned());
    }
    if outcome.is_decided() {
        return Ok(outcome);
    }
    let shown = |bounds| words::bounds(bounds, |value| measured.shown(value), "");
    let refuted = match test.refuted_when {
        None => "otherwise refuted".to_owned(),
        Some(bounds) => format!("refuted by {}", shown(bounds)),
    };
    let confirmed = shown(test.confirmed_when);
    undecided(format!("its interval decides nothing: confirmed by {confirmed}, {refuted}"))
}

fn undecided<T>(why: String) -> Result<T, Open> {
    Err((Outcome::Undecided, why))
}

fn there(figure: &Result<Measured, Missing>) -> Result<&Measured, Open> {
    figure.as_ref().map_err(|missing| (Outcome::Missing, missing.to_string()))
}

/// The interval of a figure that may decide something, or why it may not.
fn certain(measured: &Measured) -> Result<Interval, String> {
    match measured.interval {
        None => {
            let blocks = format::plural(measured.n_blocks as u64, "block");
            Err(format!("it rests on {blocks}, and an interval needs {INTERVAL_BLOCKS_MIN}"))
        }
        Some(_) if !measured.doubt.is_empty() => Err(measured.doubt.to_owned()),
        Some(interval) => Ok(interval),
    }
}

/// The outcome of an interval by the bounds alone.
fn by_bounds(test: &Test, interval: Interval) -> Outcome {
    let refutes = match test.refuted_when {
        Some(bounds) => bounds.hold(interval),
        None => test.confirmed_when.exclude(interval),
    };
    match (test.confirmed_when.hold(interval), refutes) {
        (true, _) => Outcome::Confirmed,
        (false, true) => Outcome::Refuted,
        (false, false) => Outcome::Undecided,
    }
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
}
