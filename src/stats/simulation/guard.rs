//! The mutation guard: each safeguard has a check that passes while it is on and fails without it.
//! Here are the safeguards of the statistics; the others are guarded where they work.

use super::coverage::share_held_under_autocorrelation;
use super::{DRIFTING, Draws, Machine, judge_values};
use crate::stats::safeguards::{Safeguard, without};
use crate::stats::verdict::{Comparison, Conclusion, Verdict};

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

fn false_alarms() -> FalseAlarms {
    let mut draws = Draws::new(21);
    let mut alarms = FalseAlarms::default();
    for _ in 0..FAMILIES {
        let values = DRIFTING.measure(&[1.0; 2 + ARMS], 10, &mut draws);
        let judgement = judge_values(&values);
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
    let alarms = false_alarms();
    println!("{alarms:?}");
    assert!(alarms.families_flagged <= FLAGGED_MAX, "{alarms:?}");
    assert!(alarms.placebos_flagged <= FLAGGED_MAX, "{alarms:?}");
    assert!(alarms.placebo_verdicts <= FAMILIES / 100, "{alarms:?}");
    assert!(alarms.arm_verdicts <= FAMILIES * ARMS as u32 / 100, "{alarms:?}");
}

/// Of 50 runs, those that find an arm with 8 % more work `slower`.
fn found_slower() -> usize {
    let mut draws = Draws::new(22);
    (0..50)
        .filter(|_| {
            let values = DRIFTING.measure(&[1.0, 1.0, 1.08], 20, &mut draws);
            let slower = Conclusion::Verdict(Verdict::Slower);
            judge_values(&values).arms[0].conclusion == slower
        })
        .count()
}

/// The ratio of two identical arms on a machine that only gets slower, by 30 %.
fn ratio_under_ramp() -> f64 {
    let machine = Machine { ramp: 0.3, wander: 0.0, noise: 0.005 };
    let values = machine.measure(&[1.0, 1.0], 20, &mut Draws::new(23));
    judge_values(&values).placebo.ratio.unwrap()
}

/// A figure that needs the safeguard, in words, and whether it is right.
fn figure(safeguard: Safeguard) -> (String, bool) {
    match safeguard {
        Safeguard::Pairing => {
            let found = found_slower();
            (format!("8 % found in {found} of 50"), found >= 45)
        }
        Safeguard::Interleaving => {
            let ratio = ratio_under_ramp();
            (format!("ratio under a ramp {ratio}"), (ratio - 1.0).abs() <= 0.01)
        }
        Safeguard::AutocorrelationInflation => {
            let held = share_held_under_autocorrelation(20);
            (format!("coverage {held}"), held >= 0.93)
        }
        Safeguard::Holm => {
            let flagged = false_alarms().families_flagged;
            (format!("{flagged} families flagged"), flagged <= FLAGGED_MAX)
        }
        // By `reruns_are_needed` in analysis, and `intended_time_is_needed` and
        // `checksum_is_needed` in the driver.
        Safeguard::Reruns | Safeguard::IntendedTime | Safeguard::Checksum => {
            unreachable!("{safeguard:?} is guarded where it works")
        }
    }
}

#[test]
fn every_safeguard_is_needed() {
    for safeguard in [
        Safeguard::Pairing,
        Safeguard::Interleaving,
        Safeguard::AutocorrelationInflation,
        Safeguard::Holm,
    ] {
        let (on, is_right) = figure(safeguard);
        println!("{safeguard:?} on: {on}");
        assert!(is_right, "{safeguard:?} is on: {on}");
        let (off, is_right) = without(safeguard, || figure(safeguard));
        println!("{safeguard:?} off: {off}");
        assert!(!is_right, "no test misses {safeguard:?}: {off}");
    }
}

#[test]
fn ratio_of_arms_run_one_after_the_other_is_a_tenth_off_under_a_ramp() {
    let sequential = without(Safeguard::Interleaving, ratio_under_ramp);
    assert!(sequential >= 1.10, "{sequential}");
}
