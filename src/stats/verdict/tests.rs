//! Families made by hand, one per row of the rules.

use super::*;
use crate::experiment::DELTA_RATIO;

/// 1 ± 0.5 % around `centre`, in an order of its own for each `salt`.
fn blocks(n: usize, centre: f64, salt: usize) -> Vec<Option<f64>> {
    (0..n)
        .map(|block| {
            let step = (block * 7 + salt * 3) % 11;
            Some(centre * (0.995 + 0.001 * step as f64))
        })
        .collect()
}

const LOWER: Settings = Settings { better: Better::Lower, delta_ratio: DELTA_RATIO };

/// What is concluded of one arm at `ratio` over `n` blocks.
fn check(n: usize, ratio: f64, settings: Settings, expected: Conclusion) {
    let judgement = judge_arm(n, ratio, settings);
    let arm = &judgement.arms[0];
    assert_eq!(arm.conclusion, expected, "{n} blocks at {ratio}: {judgement:?}");
    assert!((arm.ratio.unwrap() / ratio - 1.0).abs() < 0.01, "{arm:?}");
}

fn judge_arm(n: usize, ratio: f64, settings: Settings) -> Judgement {
    let (reference, placebo) = (blocks(n, 5.0, 0), blocks(n, 5.0, 1));
    let arm = blocks(n, 5.0 * ratio, 2);
    let family = FamilyValues {
        reference: Observed::Blocks(&reference),
        placebo: Observed::Blocks(&placebo),
        arms: vec![Observed::Blocks(&arm)],
    };
    judge(&family, settings)
}

#[test]
fn ten_blocks_give_verdicts() {
    check(10, 1.10, LOWER, Conclusion::Verdict(Verdict::Slower));
    check(10, 0.90, LOWER, Conclusion::Verdict(Verdict::Faster));
    check(10, 1.00, LOWER, Conclusion::Verdict(Verdict::Equivalent));
    check(10, 1.028, LOWER, Conclusion::Verdict(Verdict::Inconclusive));
    check(10, 0.972, LOWER, Conclusion::Verdict(Verdict::Inconclusive));
}

#[test]
fn more_throughput_is_faster() {
    let higher = Settings { better: Better::Higher, ..LOWER };
    check(10, 1.10, higher, Conclusion::Verdict(Verdict::Faster));
    check(10, 0.90, higher, Conclusion::Verdict(Verdict::Slower));
}

#[test]
fn indications_follow_from_six_to_nine_blocks_by_the_same_rule() {
    for n in 6..10 {
        check(n, 1.10, LOWER, Conclusion::Indication(Verdict::Slower));
        check(n, 0.90, LOWER, Conclusion::Indication(Verdict::Faster));
        check(n, 1.00, LOWER, Conclusion::Indication(Verdict::Equivalent));
        check(n, 1.03, LOWER, Conclusion::Indication(Verdict::Inconclusive));
    }
}

#[test]
fn below_six_blocks_there_is_a_ratio_and_nothing_else() {
    for n in 1..6 {
        check(n, 1.10, LOWER, Conclusion::Withheld(Reason::TooFewBlocks));
        let judgement = judge_arm(n, 1.10, LOWER);
        assert_eq!(judgement.arms[0].ratio_interval, None);
        assert_eq!(judgement.arms[0].p_value, None);
        assert_eq!(judgement.arms[0].p_adjusted, None);
        assert!(!judgement.is_checked());
    }
}

#[test]
fn delta_is_what_the_user_sets() {
    let settings = |delta_ratio| Settings { delta_ratio, ..LOWER };
    check(10, 1.05, settings(0.03), Conclusion::Verdict(Verdict::Slower));
    check(10, 1.05, settings(0.10), Conclusion::Verdict(Verdict::Equivalent));
    check(10, 1.05, settings(0.05), Conclusion::Verdict(Verdict::Inconclusive));
    // Nothing is equivalent that differs by more than a quarter.
    check(10, 1.10, settings(0.50), Conclusion::Verdict(Verdict::Equivalent));
    check(10, 1.40, settings(0.50), Conclusion::Verdict(Verdict::Inconclusive));
    check(10, 0.72, settings(0.50), Conclusion::Verdict(Verdict::Inconclusive));
}

/// An arm whose blocks are these multiples of a reference that is 5.0 in each, like the placebo.
fn judge_blocks(arm: &[f64], placebo: &[f64]) -> Judgement {
    let reference = vec![Some(5.0); arm.len()];
    let times = |ratios: &[f64]| ratios.iter().map(|x| Some(5.0 * x)).collect::<Vec<_>>();
    let (placebo, arm) = (times(placebo), times(arm));
    let family = FamilyValues {
        reference: Observed::Blocks(&reference),
        placebo: Observed::Blocks(&placebo),
        arms: vec![Observed::Blocks(&arm)],
    };
    judge(&family, LOWER)
}

#[test]
fn one_wild_block_of_twelve_hides_no_difference() {
    let mut arm: Vec<f64> = (0..12).map(|i| 0.895 + 0.001 * f64::from(i)).collect();
    arm[3] = 3.0;
    let judgement = judge_blocks(&arm, &[1.0; 12]);
    let arm = &judgement.arms[0];
    assert!(arm.ratio_interval.unwrap().high < 0.91 && arm.p_value.unwrap() < 0.05, "{arm:?}");
    assert_eq!(arm.conclusion, Conclusion::Verdict(Verdict::Faster));
}

/// One wild block of the reference is a wild block of all arms: no p stays small after Holm.
#[test]
fn adjusted_p_decides_nothing() {
    let reference: Vec<_> = (0..12).map(|i| Some(if i == 3 { 1.5 } else { 5.0 })).collect();
    let placebo: Vec<_> = (0..12).map(|i| Some(5.0 + 0.01 * f64::from(i))).collect();
    let arms: Vec<Vec<Option<f64>>> =
        (0..8).map(|salt| blocks(12, 4.0 + 0.05 * salt as f64, salt)).collect();
    let family = FamilyValues {
        reference: Observed::Blocks(&reference),
        placebo: Observed::Blocks(&placebo),
        arms: arms.iter().map(|arm| Observed::Blocks(arm)).collect(),
    };
    let judgement = judge(&family, LOWER);
    for arm in &judgement.arms {
        assert!(arm.p_adjusted.unwrap() > 0.05, "{arm:?}");
        assert_eq!(arm.conclusion, Conclusion::Verdict(Verdict::Faster));
    }
}

/// The noise of the placebo is in the arm's own interval, and counts there once.
#[test]
fn wide_placebo_withholds_nothing() {
    let noisy: Vec<f64> = (0..10).map(|i| if i % 2 == 0 { 0.4 } else { 2.5 }).collect();
    let arm: Vec<f64> = (0..10).map(|i| 1.5 + 0.01 * f64::from(i)).collect();
    let judgement = judge_blocks(&arm, &noisy);
    assert!(judgement.is_checked() && !judgement.is_grey(), "{judgement:?}");
    assert_eq!(judgement.arms[0].conclusion, Conclusion::Verdict(Verdict::Slower));
}

#[test]
fn placebo_withholds_only_when_its_interval_lies_beyond_delta() {
    let arm = [1.5; 10];
    let at = |ratio: f64| judge_blocks(&arm, &[ratio; 10]);
    // A difference that is certain and too small to matter.
    let small = at(1.02);
    assert!(small.placebo.p_value.unwrap() < 0.05 && !small.is_grey());
    assert_eq!(small.arms[0].conclusion, Conclusion::Verdict(Verdict::Slower));
    // A large one that is not certain.
    let mut wide = [1.2; 10];
    wide[..4].fill(0.9);
    let wide = judge_blocks(&arm, &wide);
    let interval = wide.placebo.ratio_interval.unwrap();
    assert!(interval.high > 1.1 && interval.low < 1.03 && !wide.is_grey(), "{wide:?}");
    let grey = at(1.05);
    assert!(grey.is_grey() && grey.placebo.p_value.unwrap() < 0.05);
    assert_eq!(grey.arms[0].conclusion, Conclusion::Withheld(Reason::PlaceboDiffers));
}

#[test]
fn large_effect_that_chance_explains_is_inconclusive() {
    let (reference, placebo) = (blocks(10, 5.0, 0), blocks(10, 5.0, 1));
    let arm: Vec<_> = [3.0, 9.0, 4.0, 8.0, 4.5, 9.5, 4.0, 7.0, 3.5, 8.5].map(Some).into();
    let family = FamilyValues {
        reference: Observed::Blocks(&reference),
        placebo: Observed::Blocks(&placebo),
        arms: vec![Observed::Blocks(&arm)],
    };
    let judgement = judge(&family, LOWER);
    let arm = &judgement.arms[0];
    assert!(arm.ratio.unwrap() > 1.1 && arm.p_adjusted.unwrap() > 0.05, "{arm:?}");
    assert_eq!(arm.conclusion, Conclusion::Verdict(Verdict::Inconclusive));
}

#[test]
fn placebo_that_differs_greys_the_family_out() {
    for (n, own) in
        [(10, Conclusion::Verdict(Verdict::Slower)), (6, Conclusion::Indication(Verdict::Slower))]
    {
        let (reference, placebo, arm) = (blocks(n, 5.0, 0), blocks(n, 5.5, 1), blocks(n, 10.0, 2));
        let family = FamilyValues {
            reference: Observed::Blocks(&reference),
            placebo: Observed::Blocks(&placebo),
            arms: vec![Observed::Blocks(&arm), Observed::Failed],
        };
        let judgement = judge(&family, LOWER);
        assert!(judgement.is_grey());
        assert_eq!(judgement.placebo.conclusion, own);
        let of_arm = &judgement.arms[0];
        assert_eq!(of_arm.conclusion, Conclusion::Withheld(Reason::PlaceboDiffers));
        assert!(of_arm.ratio_interval.is_some(), "the numbers stay");
        let of_failed = &judgement.arms[1];
        assert_eq!(of_failed.conclusion, Conclusion::Withheld(Reason::ArmFailed));
    }
}

#[test]
fn failures_get_no_ratio_and_take_no_share_of_the_adjustment() {
    let (reference, placebo, arm) = (blocks(10, 5.0, 0), blocks(10, 5.0, 1), blocks(10, 6.0, 2));
    let mut family = FamilyValues {
        reference: Observed::Blocks(&reference),
        placebo: Observed::Blocks(&placebo),
        arms: vec![Observed::Failed, Observed::Blocks(&arm)],
    };
    let judgement = judge(&family, LOWER);
    assert_eq!(judgement.arms[0].ratio, None);
    assert_eq!(judgement.arms[0].conclusion, Conclusion::Withheld(Reason::ArmFailed));
    // Two p values are left: the placebo's and this one, which is the smallest there is.
    assert_eq!(judgement.arms[1].p_value, Some(2.0 / 1024.0));
    assert_eq!(judgement.arms[1].p_adjusted, Some(4.0 / 1024.0));

    family.reference = Observed::Failed;
    let judgement = judge(&family, LOWER);
    assert_eq!(judgement.arms[1].ratio, None);
    assert_eq!(judgement.arms[1].conclusion, Conclusion::Withheld(Reason::ReferenceFailed));
}

#[test]
fn family_without_placebo_has_no_verdict() {
    let (reference, arm) = (blocks(10, 5.0, 0), blocks(10, 6.0, 2));
    let family = FamilyValues {
        reference: Observed::Blocks(&reference),
        placebo: Observed::Failed,
        arms: vec![Observed::Blocks(&arm)],
    };
    let judgement = judge(&family, LOWER);
    assert!(judgement.arms[0].ratio_interval.is_some());
    assert_eq!(judgement.arms[0].conclusion, Conclusion::Withheld(Reason::NoPlacebo));
}
