//! A line through noisy points (memory against children): Theil–Sen slope and intercept, with
//! block-bootstrap intervals.
//!
//! The slope is the median of the slopes of all pairs of points (Sen 1968), so that a quarter
//! of the points may be wild. The intercept is the median of `y - slope x`. Blocks, not points, are
//! drawn again: the points of a block share its machine, and are no more independent than the
//! requests of a trial.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::quantile::median_of_sorted;
use super::seeded::Seeded;
use super::{Interval, Level};

/// `y = intercept + slope x`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// In units of y per unit of x: what one more child costs.
    pub slope: f64,
    /// In units of y: the value at x = 0.
    pub intercept: f64,
}

/// A [`Line`] with how well it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FittedLine {
    /// Through all points.
    pub line: Line,
    /// Of the slope; `None` below [`BOOTSTRAP_BLOCKS_MIN`] blocks.
    pub slope: Option<Interval>,
    /// Of the intercept; `None` below [`BOOTSTRAP_BLOCKS_MIN`] blocks.
    pub intercept: Option<Interval>,
}

/// With fewer blocks there are too few different resamples for an interval.
pub const BOOTSTRAP_BLOCKS_MIN: usize = 6;

/// How often blocks are drawn again.
pub(super) const RESAMPLES: usize = 2_000;

/// The Theil–Sen line through `(x, y)` points without NaN; `None` if no two differ in x. Takes
/// time and memory with the square of the number of points.
pub fn theil_sen(points: &[(f64, f64)]) -> Option<Line> {
    let mut slopes = Vec::with_capacity(points.len() * points.len().saturating_sub(1) / 2);
    for (i, a) in points.iter().enumerate() {
        for b in &points[i + 1..] {
            if a.0 != b.0 {
                slopes.push((b.1 - a.1) / (b.0 - a.0));
            }
        }
    }
    let slope = median_in_place(&mut slopes)?;
    let mut rests: Vec<f64> = points.iter().map(|(x, y)| y - slope * x).collect();
    Some(Line { slope, intercept: median_in_place(&mut rests)? })
}

/// [`theil_sen`] through the points of all blocks, with expanded percentile intervals from 2 000
/// resamples of whole blocks. `None` if there is no line.
pub fn fit_line(blocks: &[Vec<(f64, f64)>], level: Level, seed: u64) -> Option<FittedLine> {
    let line = theil_sen(&blocks.concat())?;
    if blocks.len() < BOOTSTRAP_BLOCKS_MIN {
        return Some(FittedLine { line, slope: None, intercept: None });
    }
    let mut random = Seeded::new(seed);
    let pairs = Pairs::of(blocks);
    let places: Vec<usize> = (0..blocks.len()).collect();
    let resampled: Vec<Line> = (0..RESAMPLES)
        .filter_map(|_| {
            let mut drawn = vec![0; blocks.len()];
            for place in random.resample(&places) {
                drawn[*place] += 1;
            }
            pairs.line(blocks, &drawn)
        })
        .collect();
    let tail = expanded_tail(level, blocks.len());
    Some(FittedLine {
        line,
        slope: percentiles(resampled.iter().map(|line| line.slope).collect(), tail),
        intercept: percentiles(resampled.iter().map(|line| line.intercept).collect(), tail),
    })
}

/// The slopes of all pairs of points, in order. A resample of blocks has no other slopes, only
/// some of them more often, so that they are computed and sorted once and not thousands of times.
#[derive(Debug)]
struct Pairs {
    /// With the blocks of both points.
    slopes: Vec<(f64, u32, u32)>,
}

impl Pairs {
    fn of(blocks: &[Vec<(f64, f64)>]) -> Pairs {
        let points: Vec<(u32, (f64, f64))> = (0..)
            .zip(blocks)
            .flat_map(|(block, points)| points.iter().map(move |point| (block, *point)))
            .collect();
        let mut slopes = Vec::new();
        for (i, (a_block, a)) in points.iter().enumerate() {
            for (b_block, b) in &points[i + 1..] {
                if a.0 != b.0 {
                    slopes.push(((b.1 - a.1) / (b.0 - a.0), *a_block, *b_block));
                }
            }
        }
        slopes.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        Pairs { slopes }
    }

    /// [`theil_sen`] through the points of blocks of which each is there `drawn` times. Two points
    /// of different blocks meet once for each pair of their copies, and so do two of one block.
    fn line(&self, blocks: &[Vec<(f64, f64)>], drawn: &[u64]) -> Option<Line> {
        let times = |a: &u32, b: &u32| drawn[*a as usize] * drawn[*b as usize];
        let total: u64 = self.slopes.iter().map(|(_, a, b)| times(a, b)).sum();
        let (low, high) = (total.checked_sub(1)? / 2, total / 2);
        let mut below = 0;
        let mut lower = None;
        let mut slope = None;
        for (value, a, b) in &self.slopes {
            below += times(a, b);
            if below > low && lower.is_none() {
                lower = Some(*value);
            }
            if below > high {
                slope = lower.map(|lower| f64::midpoint(lower, *value));
                break;
            }
        }
        let slope = slope?;
        let mut rests = Vec::new();
        for (points, times) in blocks.iter().zip(drawn) {
            for (x, y) in points {
                rests.extend((0..*times).map(|_| y - slope * x));
            }
        }
        Some(Line { slope, intercept: median_in_place(&mut rests)? })
    }
}

/// The share to cut from each end of the resamples of `blocks >= 2` blocks. Less than the level
/// asks for, because resamples of few blocks vary too little: by `sqrt((n - 1) / n)`, and as if
/// their spread were known exactly (Hesterberg, *What Teachers Should Know About the Bootstrap*,
/// 2015). The plain percentiles of 6 blocks miss about twice as often as they say.
pub(super) fn expanded_tail(level: Level, blocks: usize) -> f64 {
    let n = blocks as f64;
    let (Ok(student), Ok(normal)) = (StudentsT::new(0.0, 1.0, n - 1.0), Normal::new(0.0, 1.0))
    else {
        return level.tail();
    };
    normal.cdf((n / (n - 1.0)).sqrt() * student.inverse_cdf(level.tail()))
}

/// What is left of `values` without `tail` of them at each end; `None` of nothing.
pub(super) fn percentiles(mut values: Vec<f64>, tail: f64) -> Option<Interval> {
    values.sort_unstable_by(f64::total_cmp);
    let cut = (tail * values.len() as f64) as usize;
    Some(Interval {
        low: *values.get(cut)?,
        high: *values.get(values.len().checked_sub(1 + cut)?)?,
    })
}

/// The median without sorting all: pairs of points are many, and there are thousands of
/// resamples.
fn median_in_place(values: &mut [f64]) -> Option<f64> {
    if values.len() < 3 {
        values.sort_unstable_by(f64::total_cmp);
        return median_of_sorted(values);
    }
    let middle = values.len() / 2;
    let is_odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if is_odd {
        return Some(*upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp)?;
    Some(f64::midpoint(lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `y = 3 + 2 x` at x = 0..=7 in each block, moved by the block's own offset.
    fn blocks(count: u32) -> Vec<Vec<(f64, f64)>> {
        (0..count)
            .map(|block| {
                let offset = f64::from(block % 5) * 0.1;
                (0..8).map(|x| (f64::from(x), 3.0 + offset + 2.0 * f64::from(x))).collect()
            })
            .collect()
    }

    #[test]
    fn wild_points_do_not_move_the_line() {
        let mut points: Vec<_> = blocks(1).concat();
        points[3].1 = 1e9;
        points[5].1 = -1e9;
        let line = theil_sen(&points).unwrap();
        assert_eq!((line.slope, line.intercept), (2.0, 3.0));
    }

    #[test]
    fn line_needs_two_values_of_x() {
        assert_eq!(theil_sen(&[]), None);
        assert_eq!(theil_sen(&[(1.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(fit_line(&[vec![(1.0, 1.0)]], Level::P95, 1), None);
    }

    #[test]
    fn intervals_hold_the_truth_come_from_blocks_and_repeat() {
        let fit = fit_line(&blocks(10), Level::P95, 1).unwrap();
        assert!(fit.slope.unwrap().contains(2.0), "{fit:?}");
        let intercept = fit.intercept.unwrap();
        assert!(intercept.contains(3.2) && intercept.half_width() > 0.04, "{fit:?}");
        assert_eq!(fit_line(&blocks(10), Level::P95, 1), Some(fit));
        assert_eq!(fit_line(&blocks(5), Level::P95, 1).unwrap().slope, None);
    }

    /// Counting copies is the same as making them.
    #[test]
    fn lines_of_resamples_agree_with_their_points() {
        let mut random = Seeded::new(9);
        for n in [1_usize, 2, 3, 6, 9] {
            let mut value = |scale: usize| random.index(scale) as f64;
            let blocks: Vec<Vec<(f64, f64)>> = (0..n)
                .map(|block| (0..=block % 4).map(|_| (value(5), value(100))).collect())
                .collect();
            let pairs = Pairs::of(&blocks);
            for _ in 0..50 {
                let drawn: Vec<u64> = (0..n).map(|_| random.index(4) as u64).collect();
                let copies = blocks.iter().zip(&drawn);
                let points: Vec<(f64, f64)> =
                    copies.flat_map(|(points, times)| points.repeat(*times as usize)).collect();
                assert_eq!(pairs.line(&blocks, &drawn), theil_sen(&points), "{points:?}");
            }
        }
    }

    #[test]
    fn medians_agree_with_sorting() {
        let mut random = Seeded::new(5);
        for n in 1..40 {
            let mut values: Vec<f64> = (0..n).map(|_| random.index(10) as f64).collect();
            let expected = crate::stats::quantile::median(&values);
            assert_eq!(median_in_place(&mut values), expected);
        }
    }

    #[test]
    fn percentiles_cut_both_tails_alike() {
        let values: Vec<f64> = (1..=2_000).map(f64::from).collect();
        let interval = percentiles(values, 0.025).unwrap();
        assert_eq!((interval.low, interval.high), (51.0, 1950.0));
        assert_eq!(percentiles(vec![], 0.025), None);
    }

    #[test]
    fn few_blocks_have_thinner_tails() {
        let tails = [6, 10, 20, 1000].map(|blocks| expanded_tail(Level::P95, blocks));
        assert!(tails.is_sorted() && tails[0] > 0.001 && tails[0] < 0.004, "{tails:?}");
        assert!((tails[3] - 0.025).abs() < 2e-4, "{tails:?}");
        assert!(expanded_tail(Level::P98, 10) < expanded_tail(Level::P95, 10));
    }
}
