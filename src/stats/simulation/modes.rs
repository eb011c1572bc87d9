//! How often noise with one mode is called two speeds, and how often two speeds are found.

use super::Draws;
use crate::stats::modes::two_modes;

const SAMPLES: u32 = 2_000;

/// The share of samples of this many blocks that are called two speeds, in percent.
fn called_two(blocks: usize, mut log: impl FnMut() -> f64) -> f64 {
    let two = |_: &u32| two_modes(&(0..blocks).map(|_| log()).collect::<Vec<_>>()).is_some();
    (0..SAMPLES).filter(two).count() as f64 * 100.0 / f64::from(SAMPLES)
}

#[test]
fn noise_of_one_speed_is_rarely_called_two() {
    let mut draws = Draws::new(41);
    for blocks in [6, 10, 15, 20] {
        let narrow = called_two(blocks, || 0.1 * draws.normal());
        let wide = called_two(blocks, || 0.3 * draws.normal());
        let wild = called_two(blocks, || 0.6 * draws.normal());
        let skewed = called_two(blocks, || 0.5 * draws.exponential());
        let outliers = called_two(blocks, || {
            let wild = if draws.uniform() < 0.25 { 0.5 * draws.exponential() } else { 0.0 };
            0.05 * draws.normal() + wild
        });
        println!("{blocks} blocks: {narrow} {wide} {wild} {skewed} {outliers} %");
        assert!(narrow <= 0.1, "{blocks} blocks: {narrow} %");
        for percent in [wide, wild, skewed, outliers] {
            assert!(percent <= 5.0, "{blocks} blocks: {percent} %");
        }
    }
}

#[test]
fn two_speeds_are_found() {
    let mut draws = Draws::new(42);
    for (blocks, spread, percent_min) in [(6, 0.05, 90.0), (12, 0.05, 99.0), (20, 0.05, 99.0)] {
        let mut block = 0;
        let found = called_two(blocks, || {
            block += 1;
            let speed = if block % 2 == 0 { 2.0_f64 } else { 1.0 };
            speed.ln() + spread * draws.normal()
        });
        println!("{blocks} blocks: {found} %");
        assert!(found >= percent_min, "{blocks} blocks: {found} %");
    }
}
