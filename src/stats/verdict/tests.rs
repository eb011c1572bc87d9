//! Families made by hand, one per row of the rules.

use super::*;

/// 1 ± 0.5 % around `centre`, in an order of its own for each `salt`.
fn blocks(n: usize, centre: f64, salt: usize) -> Vec<Option<f64>> {
    (0..n)
        .map(|block| {
            let step = (block * 7 + salt * 3) % 11;
            Some(centre * (0.995 + 0.001 * step as f64))
        })
        .collect()
}

const QUIET: Settings = Settings { better: Better::Lower, noise: Noise::Quiet, seed: 1 };

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
    judge(&family, settings, Safeguards::ALL_ON)
}

#[test]
fn ten_blocks_give_verdicts() {
    check(10, 1.10, QUIET, Conclusion::Verdict(Verdict::Slower));
    check(10, 0.90, QUIET, Conclusion::Verdict(Verdict::Faster));
    check(10, 1.00, QUIET, Conclusion::Verdict(Verdict::Equivalent));
    check(10, 1.028, QUIET, Conclusion::Verdict(Verdict::Inconclusive));
    check(10, 0.972, QUIET, Conclusion::Verdict(Verdict::Inconclusive));
}

#[test]
fn more_throughput_is_faster() {
    let higher = Settings { better: Better::Higher, ..QUIET };
    check(10, 1.10, higher, Conclusion::Verdict(Verdict::Faster));
    check(10, 0.90, higher, Conclusion::Verdict(Verdict::Slower));
}

#[test]
fn six_to_nine_blocks_give_indications_of_differences_only() {
    for n in 6..10 {
        check(n, 1.10, QUIET, Conclusion::Indication(Verdict::Slower));
        check(n, 0.90, QUIET, Conclusion::Indication(Verdict::Faster));
        check(n, 1.00, QUIET, Conclusion::Indication(Verdict::Inconclusive));
    }
}

#[test]
fn below_six_blocks_there_is_a_ratio_and_nothing_else() {
    for n in 1..6 {
        check(n, 1.10, QUIET, Conclusion::Withheld(Reason::TooFewBlocks));
        let judgement = judge_arm(n, 1.10, QUIET);
        assert_eq!(judgement.arms[0].ratio_interval, None);
        assert_eq!(judgement.arms[0].p_value, None);
        assert_eq!(judgement.arms[0].p_adjusted, None);
        assert_eq!(judgement.delta_ratio(), None);
    }
}

#[test]
fn delta_is_three_percent_and_doubles_on_a_noisy_machine() {
    let noisy = Settings { noise: Noise::Noisy, ..QUIET };
    assert!((judge_arm(10, 1.0, QUIET).delta_ratio().unwrap() - 0.03).abs() < 1e-12);
    assert!((judge_arm(10, 1.0, noisy).delta_ratio().unwrap() - 0.0609).abs() < 1e-12);
    check(10, 1.05, QUIET, Conclusion::Verdict(Verdict::Slower));
    check(10, 1.05, noisy, Conclusion::Verdict(Verdict::Equivalent));
}

#[test]
fn a_disturbed_run_concludes_nothing() {
    let disturbed = Settings { noise: Noise::Disturbed, ..QUIET };
    check(20, 2.0, disturbed, Conclusion::Withheld(Reason::Disturbed));
}

#[test]
fn a_large_effect_that_chance_explains_is_inconclusive() {
    let (reference, placebo) = (blocks(10, 5.0, 0), blocks(10, 5.0, 1));
    let arm: Vec<_> = [3.0, 9.0, 4.0, 8.0, 4.5, 9.5, 4.0, 7.0, 3.5, 8.5].map(Some).into();
    let family = FamilyValues {
        reference: Observed::Blocks(&reference),
        placebo: Observed::Blocks(&placebo),
        arms: vec![Observed::Blocks(&arm)],
    };
    let judgement = judge(&family, QUIET, Safeguards::ALL_ON);
    let arm = &judgement.arms[0];
    assert!(arm.ratio.unwrap() > 1.1 && arm.p_adjusted.unwrap() > 0.05, "{arm:?}");
    assert_eq!(arm.conclusion, Conclusion::Verdict(Verdict::Inconclusive));
}

#[test]
fn a_wide_placebo_widens_delta() {
    let reference = blocks(10, 5.0, 0);
    let placebo: Vec<_> =
        (0..10).map(|block| Some(if block % 2 == 0 { 4.0 } else { 6.25 })).collect();
    let arm = blocks(10, 5.5, 2);
    let family = FamilyValues {
        reference: Observed::Blocks(&reference),
        placebo: Observed::Blocks(&placebo),
        arms: vec![Observed::Blocks(&arm)],
    };
    let judgement = judge(&family, QUIET, Safeguards::ALL_ON);
    assert!(judgement.delta_ratio().unwrap() > 0.2, "{judgement:?}");
    assert!(judgement.arms[0].p_adjusted.unwrap() < 0.05);
    assert_eq!(judgement.arms[0].conclusion, Conclusion::Verdict(Verdict::Equivalent));
    assert!(!judgement.is_grey());
}

/// Otherwise the noisiest machine would find the most things equal.
#[test]
fn a_blunt_machine_calls_nothing_equivalent_that_may_differ_by_more_than_a_quarter() {
    let reference = blocks(10, 5.0, 0);
    let placebo: Vec<_> =
        (0..10).map(|block| Some(if block % 2 == 0 { 2.0 } else { 12.5 })).collect();
    for (ratio, verdict) in [
        (1.0, Verdict::Equivalent),
        (1.1, Verdict::Equivalent),
        (1.4, Verdict::Inconclusive),
        (0.7, Verdict::Inconclusive),
    ] {
        let arm = blocks(10, 5.0 * ratio, 2);
        let family = FamilyValues {
            reference: Observed::Blocks(&reference),
            placebo: Observed::Blocks(&placebo),
            arms: vec![Observed::Blocks(&arm)],
        };
        let judgement = judge(&family, QUIET, Safeguards::ALL_ON);
        assert!(judgement.delta_ratio().unwrap() > 0.5, "{judgement:?}");
        let conclusion = judgement.arms[0].conclusion;
        assert_eq!(conclusion, Conclusion::Verdict(verdict), "{ratio}");
    }
}

#[test]
fn a_placebo_that_differs_greys_the_family_out() {
    for (n, own) in
        [(10, Conclusion::Verdict(Verdict::Slower)), (6, Conclusion::Indication(Verdict::Slower))]
    {
        let (reference, placebo, arm) = (blocks(n, 5.0, 0), blocks(n, 5.5, 1), blocks(n, 10.0, 2));
        let family = FamilyValues {
            reference: Observed::Blocks(&reference),
            placebo: Observed::Blocks(&placebo),
            arms: vec![Observed::Blocks(&arm), Observed::Failed],
        };
        let judgement = judge(&family, QUIET, Safeguards::ALL_ON);
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
    let judgement = judge(&family, QUIET, Safeguards::ALL_ON);
    assert_eq!(judgement.arms[0].ratio, None);
    assert_eq!(judgement.arms[0].conclusion, Conclusion::Withheld(Reason::ArmFailed));
    // Two p values are left: the placebo's and this one, which is the smallest there is.
    assert_eq!(judgement.arms[1].p_value, Some(2.0 / 1024.0));
    assert_eq!(judgement.arms[1].p_adjusted, Some(4.0 / 1024.0));

    family.reference = Observed::Failed;
    let judgement = judge(&family, QUIET, Safeguards::ALL_ON);
    assert_eq!(judgement.arms[1].ratio, None);
    assert_eq!(judgement.arms[1].conclusion, Conclusion::Withheld(Reason::ReferenceFailed));
}

#[test]
fn without_a_placebo_there_is_no_verdict() {
    let (reference, arm) = (blocks(10, 5.0, 0), blocks(10, 6.0, 2));
    let family = FamilyValues {
        reference: Observed::Blocks(&reference),
        placebo: Observed::Failed,
        arms: vec![Observed::Blocks(&arm)],
    };
    let judgement = judge(&family, QUIET, Safeguards::ALL_ON);
    assert!(judgement.arms[0].ratio_interval.is_some());
    assert_eq!(judgement.arms[0].conclusion, Conclusion::Withheld(Reason::NoPlacebo));
}
