//! The mutation guard: each safeguard has a check that passes with all of them on and fails
//! without it.

use super::coverage::share_held_under_autocorrelation;
use super::{Draws, Machine};
use crate::driver::load;
use crate::protocol::Outcome;
use crate::record::TrialRow;
use crate::record::accepted::accepted;
use crate::stats::verdict::{
    Better, Comparison, Conclusion, DELTA_RATIO, FamilyValues, Judgement, Observed, Settings,
    Verdict, judge,
};
use crate::stats::{Safeguard, Safeguards};

/// A shared machine on a bad day: a third slower at the end, wandering by 5 %.
const DRIFTING: Machine = Machine { ramp: 0.3, wander: 0.05, noise: 0.02 };

/// The judgement over a family: values by arm, the reference first, the placebo second.
fn judge_values(values: &[Vec<Option<f64>>], safeguards: Safeguards) -> Judgement {
    let family = FamilyValues {
        reference: Observed::Blocks(&values[0]),
        placebo: Observed::Blocks(&values[1]),
        arms: values[2..].iter().map(|arm| Observed::Blocks(arm)).collect(),
    };
    let settings = Settings { better: Better::Lower, delta_ratio: DELTA_RATIO };
    judge(&family, settings, safeguards)
}

/// How often nothing was called something, among families of identical arms.
#[derive(Debug, Default)]
struct FalseAlarms {
    /// Families in which an adjusted p of any arm is below 0.05.
    families_flagged: u32,
    /// Placebos whose own p is below 0.05.
    placebos_flagged: u32,
    /// Placebos that get `faster` or `slower`.
    placebo_verdicts: u32,
    /// Arms that get `faster` or `slower`, over all families.
    arm_verdicts: u32,
}

fn false_alarms(safeguards: Safeguards) -> FalseAlarms {
    let mut draws = Draws::new(21);
    let mut alarms = FalseAlarms::default();
    for _ in 0..FAMILIES {
        let values = DRIFTING.measure(&[1.0; 2 + ARMS], 10, &mut draws, safeguards);
        let judgement = judge_values(&values, safeguards);
        let is_flagged = |p: Option<f64>| p.unwrap() < 0.05;
        let is_wrong = |one: &&Comparison| one.conclusion.is_difference();
        let mut all = judgement.arms.iter().chain([&judgement.placebo]);
        alarms.families_flagged += u32::from(all.any(|one| is_flagged(one.p_adjusted)));
        alarms.placebos_flagged += u32::from(is_flagged(judgement.placebo.p_value));
        alarms.placebo_verdicts += u32::from(judgement.is_grey());
        alarms.arm_verdicts += judgement.arms.iter().filter(is_wrong).count() as u32;
    }
    alarms
}

/// Nominal 5 % of 2 000 and 2.33 standard errors more, so that only one right procedure in a
/// hundred fails.
const FLAGGED_MAX: u32 = 123;
const FAMILIES: u32 = 2_000;
/// Besides reference and placebo.
const ARMS: usize = 10;

#[test]
fn identical_arms_are_rarely_told_apart_under_drift() {
    let alarms = false_alarms(Safeguards::ALL_ON);
    println!("{alarms:?}");
    assert!(alarms.families_flagged <= FLAGGED_MAX, "{alarms:?}");
    assert!(alarms.placebos_flagged <= FLAGGED_MAX, "{alarms:?}");
    assert!(alarms.placebo_verdicts <= FAMILIES / 100, "{alarms:?}");
    assert!(alarms.arm_verdicts <= FAMILIES * ARMS as u32 / 100, "{alarms:?}");
}

/// Of 50 runs, those that find an arm with 8 % more work `slower`.
fn found_slower(safeguards: Safeguards) -> usize {
    let mut draws = Draws::new(22);
    (0..50)
        .filter(|_| {
            let values = DRIFTING.measure(&[1.0, 1.0, 1.08], 20, &mut draws, safeguards);
            let slower = Conclusion::Verdict(Verdict::Slower);
            judge_values(&values, safeguards).arms[0].conclusion == slower
        })
        .count()
}

/// Of 50 runs in which something else takes a third of the machine during a quarter of the trials,
/// those that find an arm with 8 % more work `slower`. What is disturbed is run again.
fn found_slower_among_the_disturbed(safeguards: Safeguards) -> usize {
    let mut draws = Draws::new(24);
    (0..50)
        .filter(|_| {
            let calm = DRIFTING.measure(&[1.0, 1.0, 1.08], 20, &mut draws, safeguards);
            let rows = with_reruns(&calm, &mut draws);
            let mut values = vec![vec![None; 20]; 3];
            for row in accepted(&rows, safeguards) {
                let place = row.block as usize - 1;
                let arm = row.position as usize - 1;
                values[arm][place] = row.response_p50_ns.map(|ns| ns as f64);
            }
            let slower = Conclusion::Verdict(Verdict::Slower);
            judge_values(&values, safeguards).arms[0].conclusion == slower
        })
        .count()
}

/// The rows of a run in which a quarter of the trials is disturbed, and those run again in peace.
fn with_reruns(values: &[Vec<Option<f64>>], draws: &mut Draws) -> Vec<TrialRow> {
    let mut rows = Vec::new();
    for (arm, blocks) in values.iter().enumerate() {
        for (block, value) in blocks.iter().enumerate() {
            let calm_ns = value.unwrap() * 1e6;
            let row = TrialRow {
                trial_id: format!("t{arm}-{block}"),
                attempt: 1,
                family_id: "f".to_owned(),
                block: block as u32 + 1,
                position: arm as u32 + 1,
                status: "ok".to_owned(),
                response_p50_ns: Some(calm_ns as u64),
                ..TrialRow::default()
            };
            if draws.uniform() < 0.25 {
                rows.push(TrialRow {
                    response_p50_ns: Some((calm_ns * 1.5) as u64),
                    noise_flags: "canary:disturbed".to_owned(),
                    ..row.clone()
                });
                rows.push(TrialRow { attempt: 2, ..row });
            } else {
                rows.push(row);
            }
        }
    }
    rows
}

/// The ratio of two identical arms on a machine that only gets slower, by 30 %.
fn ratio_under_ramp(safeguards: Safeguards) -> f64 {
    let machine = Machine { ramp: 0.3, wander: 0.0, noise: 0.005 };
    let values = machine.measure(&[1.0, 1.0], 20, &mut Draws::new(23), safeguards);
    judge_values(&values, safeguards).placebo.ratio.unwrap()
}

/// The figure that the safeguard is there for, and whether it is right.
fn check(safeguard: Safeguard, safeguards: Safeguards) -> (String, bool) {
    match safeguard {
        Safeguard::Pairing => {
            let found = found_slower(safeguards);
            (format!("8 % found in {found} of 50"), found >= 45)
        }
        Safeguard::Interleaving => {
            let ratio = ratio_under_ramp(safeguards);
            (format!("ratio under a ramp {ratio}"), (ratio - 1.0).abs() <= 0.01)
        }
        Safeguard::AutocorrelationInflation => {
            let held = share_held_under_autocorrelation(20, safeguards);
            (format!("coverage {held}"), held >= 0.93)
        }
        Safeguard::Holm => {
            let flagged = false_alarms(safeguards).families_flagged;
            (format!("{flagged} families flagged"), flagged <= FLAGGED_MAX)
        }
        Safeguard::IntendedTime => {
            let p99_ms = load::open::tests::p99_of_a_machine_that_stood_still_ms(safeguards);
            let what = format!("p99 of a machine that stood still {p99_ms} ms");
            (what, (p99_ms - 61.0).abs() <= 5.0)
        }
        Safeguard::Checksum => {
            let outcome = load::ledger::tests::outcome_of_a_wrong_answer(safeguards);
            let what = format!("a wrong answer is {outcome:?}");
            (what, outcome == Some(Outcome::WrongAnswer))
        }
        Safeguard::Reruns => {
            let found = found_slower_among_the_disturbed(safeguards);
            (format!("8 % found in {found} of 50"), found >= 45)
        }
    }
}

#[test]
fn every_safeguard_is_needed() {
    for safeguard in Safeguard::ALL {
        let (with, is_right) = check(safeguard, Safeguards::ALL_ON);
        println!("{safeguard:?} on: {with}");
        assert!(is_right, "{safeguard:?} is on: {with}");
        let (without, is_right) = check(safeguard, Safeguards::without(safeguard));
        println!("{safeguard:?} off: {without}");
        assert!(!is_right, "no test misses {safeguard:?}: {without}");
    }
}

#[test]
fn one_arm_after_the_other_is_a_tenth_off_under_a_ramp() {
    let sequential = ratio_under_ramp(Safeguards::without(Safeguard::Interleaving));
    assert!(sequential >= 1.10, "{sequential}");
}
