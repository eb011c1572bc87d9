//! How often the intervals hold the truth: over 4 000 simulated experiments each, over 200 where
//! each resamples 2 000 times.

use super::Draws;
use crate::stats::Level;
use crate::stats::fit::fit_line;
use crate::stats::interval::{COVERAGE_UNDER_DRIFT, median_interval};
use crate::stats::paired::{WalshAverages, log_ratios};

const EXPERIMENTS: usize = 4_000;
const COVERAGE_MIN: f64 = 0.93;

/// How the values of blocks are distributed.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Normal,
    LogNormal,
    /// 70 % fast, 30 % at twice of it.
    Bimodal,
    /// 10 % between one and a half and many times as slow.
    Spikes,
}

impl Shape {
    const ALL: [Shape; 4] = [Shape::Normal, Shape::LogNormal, Shape::Bimodal, Shape::Spikes];

    fn draw(self, draws: &mut Draws) -> f64 {
        let z = draws.normal();
        match self {
            Shape::Normal => 1.0 + 0.1 * z,
            Shape::LogNormal => (0.3 * z).exp(),
            Shape::Bimodal if draws.uniform() < 0.3 => 2.0 + 0.05 * z,
            Shape::Bimodal => 1.0 + 0.05 * z,
            Shape::Spikes if draws.uniform() < 0.1 => 1.5 + draws.exponential(),
            Shape::Spikes => 1.0 + 0.05 * z,
        }
    }

    fn median(self) -> f64 {
        match self {
            Shape::Normal | Shape::LogNormal => 1.0,
            // Where the fast mode has reached 0.5 / 0.7 and 0.5 / 0.9 of its own.
            Shape::Bimodal => 1.0 + 0.05 * 0.565_948_821_932_863,
            Shape::Spikes => 1.0 + 0.05 * 0.139_710_298_881_862,
        }
    }
}

/// The share of experiments whose interval holds `truth`.
fn share_held(truth: f64, mut experiment: impl FnMut() -> crate::stats::Interval) -> f64 {
    let held = (0..EXPERIMENTS).filter(|_| experiment().contains(truth)).count();
    held as f64 / EXPERIMENTS as f64
}

#[test]
fn intervals_of_the_median_hold_it() {
    let mut draws = Draws::new(11);
    for shape in Shape::ALL {
        for blocks in [6, 10, 20] {
            let held = share_held(shape.median(), || {
                let values: Vec<f64> = (0..blocks).map(|_| shape.draw(&mut draws)).collect();
                median_interval(&values, Level::P95).unwrap()
            });
            println!("median {shape:?} {blocks} blocks: {held}");
            assert!(held >= COVERAGE_MIN, "{shape:?} over {blocks} blocks: {held}");
        }
    }
}

#[test]
fn intervals_of_the_ratio_hold_it() {
    let mut draws = Draws::new(12);
    for shape in Shape::ALL {
        for blocks in [6, 10, 20] {
            let held = share_held(1.07_f64.ln(), || {
                // What both values of a block share must not matter, so it is made large.
                let (mut arm, mut reference) = (Vec::new(), Vec::new());
                for _ in 0..blocks {
                    let shared = (0.5 * draws.normal()).exp();
                    arm.push(Some(1.07 * shared * shape.draw(&mut draws)));
                    reference.push(Some(shared * shape.draw(&mut draws)));
                }
                let ratios = log_ratios(&arm, &reference);
                WalshAverages::of(&ratios).interval(Level::P95).unwrap()
            });
            println!("ratio {shape:?} {blocks} blocks: {held}");
            assert!(held >= COVERAGE_MIN, "{shape:?} over {blocks} blocks: {held}");
        }
    }
}

#[test]
fn stopping_is_judged_on_intervals_that_hold_more() {
    let mut draws = Draws::new(14);
    for blocks in [10, 15, 20] {
        let held = share_held(1.0, || {
            let noise = |draws: &mut Draws| Shape::LogNormal.draw(draws).ln() + 1.0;
            let values: Vec<f64> = (0..blocks).map(|_| noise(&mut draws)).collect();
            WalshAverages::of(&values).interval(Level::P98).unwrap()
        });
        println!("98 % {blocks} blocks: {held}");
        // 98 % less three standard errors.
        assert!(held >= 0.973, "{blocks} blocks: {held}");
    }
}

#[test]
fn intervals_of_a_line_hold_it_from_six_blocks_on() {
    const LINES: u32 = 200;
    let mut draws = Draws::new(15);
    let (mut slopes_held, mut intercepts_held) = (0, 0);
    for seed in 0..LINES {
        let blocks: Vec<Vec<(f64, f64)>> = (0..6)
            .map(|_| {
                let (intercept, slope) = (100.0 + draws.normal(), 5.0 + 0.2 * draws.normal());
                [0.0, 2.0, 4.0, 8.0].map(|x| (x, intercept + slope * x + draws.normal())).to_vec()
            })
            .collect();
        let fit = fit_line(&blocks, Level::P95, u64::from(seed)).unwrap();
        slopes_held += u32::from(fit.slope.unwrap().contains(5.0));
        intercepts_held += u32::from(fit.intercept.unwrap().contains(100.0));
    }
    println!("of {LINES} lines: slope {slopes_held}, intercept {intercepts_held}");
    let held = f64::from(slopes_held.min(intercepts_held)) / f64::from(LINES);
    assert!(held >= COVERAGE_MIN, "{slopes_held} and {intercepts_held} of {LINES}");
}

/// The share held for blocks that are autocorrelated by 0.6.
pub(super) fn share_held_under_autocorrelation(blocks: usize) -> f64 {
    let mut draws = Draws::new(13);
    share_held(1.0, || {
        let values: Vec<f64> =
            draws.autoregressive(blocks, 0.6).into_iter().map(|z| (0.1 * z).exp()).collect();
        median_interval(&values, Level::P95).unwrap()
    })
}

#[test]
fn autocorrelated_blocks_are_covered_from_twenty_on_and_the_report_says_how_well() {
    for (blocks, percent) in COVERAGE_UNDER_DRIFT {
        let held = share_held_under_autocorrelation(blocks);
        println!("autocorrelated {blocks} blocks: {held}");
        assert_eq!((held * 100.0).round(), f64::from(percent), "{blocks} blocks");
        if blocks >= 20 {
            assert!(held >= COVERAGE_MIN, "{blocks} blocks: {held}");
        }
    }
}
