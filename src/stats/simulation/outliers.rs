//! How often equal arms are called different where a quarter of the blocks is wild, as with
//! programs that come and go: nothing but the interval protects from it.

use super::{Draws, Machine};
use crate::experiment::DELTA_RATIO;
use crate::stats::verdict::{Better, Conclusion, FamilyValues, Observed, Settings, Verdict, judge};

const FAMILIES: usize = 1_000;
/// Besides reference and placebo.
const ARMS: usize = 8;

/// Of comparisons of arms that take `ratio` times as long as the reference, the share that is
/// called `verdict`, in percent; with verdicts or indications, as the blocks allow.
fn called(
    verdicts: &[Verdict],
    (machine, outliers, blocks): (&Machine, f64, usize),
    ratio: f64,
    draws: &mut Draws,
) -> f64 {
    let mut called = 0;
    for _ in 0..FAMILIES {
        let mut arms = vec![ratio; 2 + ARMS];
        arms[..2].fill(1.0);
        let mut values = machine.measure(&arms, blocks, draws);
        for value in values.iter_mut().flatten().flatten() {
            if draws.uniform() < outliers {
                *value *= 1.1 + draws.exponential();
            }
        }
        let family = FamilyValues {
            reference: Observed::Blocks(&values[0]),
            placebo: Observed::Blocks(&values[1]),
            arms: values[2..].iter().map(|arm| Observed::Blocks(arm)).collect(),
        };
        let settings = Settings { better: Better::Lower, delta_ratio: DELTA_RATIO };
        let judged = judge(&family, settings);
        let is_called = |conclusion| match conclusion {
            Conclusion::Verdict(found) | Conclusion::Indication(found) => verdicts.contains(&found),
            Conclusion::Withheld(_) => false,
        };
        called += judged.arms.iter().filter(|arm| is_called(arm.conclusion)).count();
    }
    called as f64 * 100.0 / (FAMILIES * ARMS) as f64
}

const CALM: Machine = Machine { ramp: 0.0, wander: 0.0, noise: 0.02 };
const DRIFTING: Machine = Machine { ramp: 0.3, wander: 0.05, noise: 0.02 };

#[test]
fn equal_arms_are_rarely_called_different_among_wild_blocks() {
    let mut draws = Draws::new(51);
    for blocks in [6, 10, 15] {
        for (name, machine) in [("calm", &CALM), ("drifting", &DRIFTING)] {
            for outliers in [0.0, 0.25] {
                let conditions = (machine, outliers, blocks);
                let different = [Verdict::Faster, Verdict::Slower];
                let percent = called(&different, conditions, 1.0, &mut draws);
                println!("{name}, {blocks} blocks, {outliers} wild: {percent} % called different");
                assert!(percent <= 1.0, "{name}, {blocks} blocks, {outliers}: {percent} %");
            }
        }
    }
}

#[test]
fn arms_that_differ_are_found_among_wild_blocks() {
    let mut draws = Draws::new(52);
    let slower = |blocks, draws: &mut Draws| {
        called(&[Verdict::Slower], (&DRIFTING, 0.25, blocks), 3.0, draws)
    };
    let (few, more) = (slower(6, &mut draws), slower(15, &mut draws));
    println!("three times as slow among 25 % wild blocks: {few} % by 6 blocks, {more} % by 15");
    assert!(more >= 95.0 && more > few, "{few} {more}");
}
