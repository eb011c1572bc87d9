//! Stopping on width: the interval that is reported contains the truth as often as it says,
//! although how many blocks there are depends on the same data.

use super::Draws;
use crate::stats::Level;
use crate::stats::paired::{WalshAverages, log_ratios};
use crate::stats::stopping::is_narrow;

const EXPERIMENTS: u32 = 4_000;

/// Of simulated experiments with this spread between blocks, those whose reported interval holds
/// the truth, as a share; and how many stopped after 10, 15 and 20 blocks.
fn simulate(spread: f64, draws: &mut Draws) -> (f64, [u32; 3]) {
    let truth = 0.2_f64;
    let (mut held, mut stops) = (0, [0; 3]);
    for _ in 0..EXPERIMENTS {
        let arm: Vec<Option<f64>> =
            (0..20).map(|_| Some((truth + spread * draws.normal()).exp())).collect();
        let reference = [Some(1.0); 20];
        let looks = [10, 15];
        let look = looks.iter().position(|&n| is_narrow(&arm[..n], &reference[..n], 0.03));
        let place = look.unwrap_or(2);
        stops[place] += 1;
        let n = [10, 15, 20][place];
        let ratios = log_ratios(&arm[..n], &reference[..n]);
        let interval = WalshAverages::of(&ratios).interval(Level::P95).unwrap();
        held += u32::from(interval.contains(truth));
    }
    (f64::from(held) / f64::from(EXPERIMENTS), stops)
}

#[test]
fn an_interval_that_was_narrow_enough_to_stop_still_holds_the_truth() {
    let mut draws = Draws::new(31);
    let mut stopped_early = 0;
    let mut went_on = 0;
    for spread in [0.02, 0.035, 0.045, 0.06] {
        let (held, stops) = simulate(spread, &mut draws);
        println!("spread {spread}: coverage {held}, stopped after 10, 15, 20: {stops:?}");
        assert!(held >= 0.93, "spread {spread}: {held} {stops:?}");
        stopped_early += stops[0] + stops[1];
        went_on += stops[2];
    }
    // Else this would say nothing of stopping.
    assert!(stopped_early > EXPERIMENTS / 2 && went_on > EXPERIMENTS / 2);
}

#[test]
fn widths_are_judged_on_the_ratio_and_not_on_what_it_says() {
    let mut draws = Draws::new(32);
    let noise: Vec<f64> = (0..10).map(|_| 0.02 * draws.normal()).collect();
    let narrow = |factor: f64, limit: f64| {
        let arm: Vec<Option<f64>> = noise.iter().map(|n| Some(factor * n.exp())).collect();
        is_narrow(&arm, &[Some(1.0); 10], limit)
    };
    for factor in [0.01, 1.0, 100.0] {
        assert!(narrow(factor, 0.03) && !narrow(factor, 0.005), "{factor}");
    }
    assert!(!is_narrow(&[Some(1.0); 6], &[Some(1.0); 6], 0.03), "no interval yet");
}
