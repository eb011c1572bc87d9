//! Levels that lie off the fitted line, and what each further child costs between neighboring numbers
//! of children.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{MemoryLine, Series};
use crate::stats::Level;
use crate::stats::interval::median_interval;
use crate::stats::quantile::median;

/// A line misses a level whose median is farther off than this share of it.
const MISS_MAX_RATIO: f64 = 0.03;

/// The level that lies farthest off the line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Miss {
    /// Children.
    pub k: u32,
    /// The line less the level, over the level: 0.1 if the line says 10 % too much.
    pub ratio: f64,
}

/// Two neighboring numbers of children.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Segment {
    /// The fewer.
    pub from: u32,
    /// The more.
    pub to: u32,
    /// What each further child costs between them: the median over blocks.
    pub slope_bytes: f64,
    /// Of that median at 95 %; from 6 blocks that have both.
    pub slope_ci_bytes: Option<(f64, f64)>,
    /// Blocks that have both.
    pub n_blocks: usize,
    /// Trees of these blocks.
    pub trees: usize,
}

/// The trees of each block: children, and bytes held.
type Points = [Vec<(u32, f64)>];

/// The level that lies farthest off the line, if that is too far. Two levels are always a line.
pub(super) fn miss(line: Option<MemoryLine>, points: &Points) -> Option<Miss> {
    let line = line?;
    let off = |k: u32| {
        let all: Vec<f64> = points.iter().flatten().filter(|p| p.0 == k).map(|p| p.1).collect();
        let level = median(&all).filter(|bytes| *bytes > 0.0)?;
        Some(Miss { k, ratio: (line.at(f64::from(k)) - level) / level })
    };
    let levels = levels(points);
    let found = levels.iter().filter_map(|k| off(*k)).filter(|_| levels.len() > 2);
    let farthest = found.max_by(|a, b| a.ratio.abs().total_cmp(&b.ratio.abs()))?;
    (farthest.ratio.abs() > MISS_MAX_RATIO).then_some(farthest)
}

/// Between each two neighboring numbers of children that some block has both of.
pub(super) fn segments(points: &Points) -> Vec<Segment> {
    let levels: Vec<u32> = levels(points).into_iter().collect();
    levels.windows(2).filter_map(|pair| segment(points, pair[0], pair[1])).collect()
}

fn levels(points: &Points) -> BTreeSet<u32> {
    points.iter().flatten().map(|(k, _)| *k).collect()
}

fn segment(points: &Points, from: u32, to: u32) -> Option<Segment> {
    let mut trees = 0;
    let mut slopes = Vec::new();
    for block in points {
        let held = |k: u32| -> Vec<f64> {
            block.iter().filter(|point| point.0 == k).map(|point| point.1).collect()
        };
        let (few, many) = (held(from), held(to));
        if let (Some(low), Some(high)) = (median(&few), median(&many)) {
            slopes.push((high - low) / f64::from(to - from));
            trees += few.len() + many.len();
        }
    }
    let interval = median_interval(&slopes, Level::P95);
    Some(Segment {
        from,
        to,
        slope_bytes: median(&slopes)?,
        slope_ci_bytes: interval.map(|interval| (interval.low, interval.high)),
        n_blocks: slopes.len(),
        trees,
    })
}

impl Series {
    /// The lowest and the highest price between neighboring levels, where the line does not hold.
    pub fn prices_bytes(&self) -> Option<(f64, f64)> {
        self.miss?;
        let slopes = || self.segments.iter().map(|segment| segment.slope_bytes);
        Some((slopes().reduce(f64::min)?, slopes().reduce(f64::max)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::fit::theil_sen;

    /// Six blocks, a little apart, of a tree with 1, 4, 10 and 100 children that cost so much each.
    fn blocks(prices: [f64; 3]) -> Vec<Vec<(u32, f64)>> {
        let held = |k: u32| {
            let within = |from: u32, to: u32| f64::from(k.clamp(from, to) - from);
            let [few, some, many] = prices;
            50e6 + few * within(0, 4) + some * within(4, 10) + many * within(10, 100)
        };
        let tree = |block: u32, k: u32| (k, held(k) * (1.0 + 1e-4 * f64::from(block)));
        (0..6).map(|block| [1, 4, 10, 100].map(|k| tree(block, k)).to_vec()).collect()
    }

    fn line(points: &Points) -> Option<MemoryLine> {
        let all: Vec<(f64, f64)> =
            points.iter().flatten().map(|(k, bytes)| (f64::from(*k), *bytes)).collect();
        let line = theil_sen(&all)?;
        Some(MemoryLine {
            slope_bytes: line.slope,
            slope_ci_bytes: None,
            intercept_bytes: line.intercept,
            intercept_ci_bytes: None,
        })
    }

    #[test]
    fn line_that_misses_a_level_gives_way_to_segments() {
        let points = blocks([12.3e6, 11.7e6, 9.2e6]);
        let miss = miss(line(&points), &points).unwrap();
        assert!(miss.k == 100 && miss.ratio.abs() > 0.03, "{miss:?}");
        let segments = segments(&points);
        let ends: Vec<(u32, u32)> = segments.iter().map(|s| (s.from, s.to)).collect();
        assert_eq!(ends, [(1, 4), (4, 10), (10, 100)]);
        for (segment, price) in segments.iter().zip([12.3e6, 11.7e6, 9.2e6]) {
            assert!((segment.slope_bytes / price - 1.0).abs() < 1e-3, "{segment:?}");
            let (low, high) = segment.slope_ci_bytes.unwrap();
            assert!(low <= segment.slope_bytes && segment.slope_bytes <= high);
            assert_eq!((segment.n_blocks, segment.trees), (6, 12));
        }
    }

    #[test]
    fn line_that_holds_misses_no_level() {
        let points = blocks([9.2e6; 3]);
        assert_eq!(miss(line(&points), &points), None);
        let two: Vec<Vec<(u32, f64)>> = vec![vec![(1, 1e6), (4, 2e6)], vec![(1, 3e6), (4, 9e6)]];
        assert_eq!(miss(line(&two), &two), None, "two levels are always a line");
    }
}
