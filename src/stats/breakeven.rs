//! From which size of work on one arm overtakes another: the zero of their log ratio over the
//! size.
//!
//! At each size the log ratios of the blocks give one Hodges–Lehmann estimate; between sizes it
//! is drawn straight over the logarithm of the size, and never drawn beyond them. How well the
//! zero is known comes from drawing whole blocks again, all sizes together, because a slow block
//! is slow at every size.

use super::fit::{BOOTSTRAP_BLOCKS_MIN, RESAMPLES, expanded_tail, percentiles};
use super::paired::WalshAverages;
use super::seeded::Seeded;
use super::{Interval, Level};

/// Log ratios of two arms over sizes and blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct RatiosOverSize<'a> {
    /// Sizes of work, ascending, positive, at least two.
    pub sizes: &'a [f64],
    /// One row per block, one log ratio per size. Blocks that lack a size are left out by the
    /// caller.
    pub blocks: &'a [Vec<f64>],
}

/// Where two arms cost the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BreakEven {
    /// They cross once.
    At {
        /// The size, in the unit of [`RatiosOverSize::sizes`].
        size: f64,
        /// Of the size, among the resamples that cross once.
        interval: Interval,
        /// Resamples that cross once, 0.95 to 1.
        crossing_share: f64,
    },
    /// "No crossing in [from, to]" that the data would vouch for.
    NoCrossing {
        /// Smallest size.
        from: f64,
        /// Largest size.
        to: f64,
        /// Resamples that cross once, 0 to 1.
        crossing_share: f64,
    },
}

const CROSSING_SHARE_MIN: f64 = 0.95;

/// The break-even size; `None` if there are too few blocks for a bootstrap, or if the sizes and
/// rows are not what [`RatiosOverSize`] says.
pub fn break_even(ratios: &RatiosOverSize, level: Level, seed: u64) -> Option<BreakEven> {
    let sizes = ratios.sizes;
    let [from, .., to] = *sizes else { return None };
    let is_ascending = from > 0.0 && sizes.is_sorted_by(|a, b| a < b);
    let is_complete = ratios.blocks.iter().all(|row| row.len() == sizes.len());
    if !is_ascending || !is_complete || ratios.blocks.len() < BOOTSTRAP_BLOCKS_MIN {
        return None;
    }
    let logs: Vec<f64> = sizes.iter().map(|size| size.ln()).collect();
    let observed = only_crossing(&logs, &ratios.blocks.iter().collect::<Vec<_>>());
    let mut random = Seeded::new(seed);
    let resampled: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| only_crossing(&logs, &random.resample(ratios.blocks)))
        .collect();
    let crossing_share = resampled.len() as f64 / RESAMPLES as f64;
    let tail = expanded_tail(level, ratios.blocks.len());
    let found = observed.filter(|_| crossing_share >= CROSSING_SHARE_MIN);
    Some(match (found, percentiles(resampled, tail)) {
        (Some(log), Some(interval)) => {
            BreakEven::At { size: log.exp(), interval: interval.map(f64::exp), crossing_share }
        }
        _ => BreakEven::NoCrossing { from, to, crossing_share },
    })
}

/// Where the estimates of these blocks change sign, on the axis of `logs`, if they do so exactly
/// once.
fn only_crossing(logs: &[f64], blocks: &[&Vec<f64>]) -> Option<f64> {
    let estimates = (0..logs.len()).map(|size| {
        let column: Vec<f64> = blocks.iter().map(|row| row[size]).collect();
        WalshAverages::of(&column).estimate().unwrap_or(0.0)
    });
    // A curve that touches zero has not crossed it, so zeros themselves are passed over; the line
    // between their neighbours crosses where they are, or between several of them.
    let points: Vec<(f64, f64)> =
        logs.iter().copied().zip(estimates).filter(|(_, estimate)| *estimate != 0.0).collect();
    let mut crossings = points.windows(2).filter(|pair| pair[0].1.signum() != pair[1].1.signum());
    let only = crossings.next()?;
    if crossings.next().is_some() {
        return None;
    }
    let ((x0, y0), (x1, y1)) = (only[0], only[1]);
    Some(x0 + (x1 - x0) * y0 / (y0 - y1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [f64; 4] = [1.0, 10.0, 100.0, 1000.0];

    /// Ten blocks of the same curve, each moved by up to ±`wobble`.
    fn blocks(curve: [f64; 4], wobble: f64) -> Vec<Vec<f64>> {
        (0..10)
            .map(|block| {
                let offset = wobble * (f64::from(block * 7 % 10) / 4.5 - 1.0);
                curve.iter().map(|ratio| ratio + offset).collect()
            })
            .collect()
    }

    fn check(curve: [f64; 4], wobble: f64) -> Option<BreakEven> {
        let ratios = RatiosOverSize { sizes: &SIZES, blocks: &blocks(curve, wobble) };
        break_even(&ratios, Level::P95, 3)
    }

    #[test]
    fn a_clear_crossing_is_found_between_its_sizes() {
        let Some(BreakEven::At { size, interval, crossing_share }) =
            check([0.9, 0.3, -0.3, -0.9], 0.1)
        else {
            panic!("no crossing");
        };
        assert!((size / 1000.0_f64.sqrt() - 1.0).abs() < 0.05, "{size}");
        assert!(interval.contains(size) && interval.low > 20.0 && interval.high < 50.0);
        assert_eq!(crossing_share, 1.0);
    }

    #[test]
    fn no_crossing_is_said_with_its_range() {
        let none = BreakEven::NoCrossing { from: 1.0, to: 1000.0, crossing_share: 0.0 };
        assert_eq!(check([0.9, 0.5, 0.3, 0.2], 0.01), Some(none));
        // Twice across is not once across.
        assert_eq!(check([0.9, -0.5, -0.3, 0.2], 0.01), Some(none));
    }

    #[test]
    fn a_crossing_that_resamples_doubt_is_none() {
        let doubtful = check([0.3, 0.1, 0.02, -0.005], 0.1);
        let Some(BreakEven::NoCrossing { crossing_share, .. }) = doubtful else {
            panic!("{doubtful:?}");
        };
        assert!(crossing_share > 0.2 && crossing_share < 0.95, "{crossing_share}");
    }

    #[test]
    fn zeros_are_crossed_where_they_are_and_touching_is_not_crossing() {
        let logs: Vec<f64> = SIZES.iter().map(|size| size.ln()).collect();
        let at = |curve: [f64; 4]| only_crossing(&logs, &[&curve.to_vec()]);
        assert!((at([2.0, 0.0, -2.0, -2.0]).unwrap() - 10.0_f64.ln()).abs() < 1e-12);
        assert_eq!(at([2.0, 0.0, 2.0, 2.0]), None);
        assert_eq!(at([2.0, 1.0, 1.0, 0.0]), None);
        assert_eq!(at([-2.0, -1.0, -1.0, 0.0]), None);
        assert_eq!(at([0.0; 4]), None);
    }

    #[test]
    fn malformed_input_has_no_answer() {
        let good = blocks([1.0, 0.5, -0.5, -1.0], 0.1);
        let answer = |sizes: &[f64], blocks: &[Vec<f64>]| {
            break_even(&RatiosOverSize { sizes, blocks }, Level::P95, 1)
        };
        assert!(answer(&SIZES, &good).is_some());
        assert_eq!(answer(&SIZES, &good[..5]), None);
        assert_eq!(answer(&SIZES[..3], &good), None);
        assert_eq!(answer(&[1.0, 10.0, 10.0, 20.0], &good), None);
        assert_eq!(answer(&[0.0, 10.0, 20.0, 30.0], &good), None);
        assert_eq!(answer(&[1.0], &vec![vec![1.0]; 10]), None);
    }
}
