//! Two independent runs: the shift between two independent samples, by Hodges
//! and Lehmann, with the exact interval and p value of the rank-sum test (Hollander, Wolfe and
//! Chicken, *Nonparametric Statistical Methods*, chapter 4; Mann and Whitney, *On a Test of Whether
//! One of Two Random Variables is Stochastically Larger*, 1947).
//!
//! Blocks of one run do not pair with blocks of another: the third blocks of two runs saw different
//! minutes. So drift does not cancel as it does within a run, and must widen the interval instead.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::interval::effective_count;
use super::quantile::median_of_sorted;
use super::safeguards::{Safeguard, holds};
use super::{Interval, Level};

/// Beyond this many values in either sample the distribution is taken as normal, which by then it
/// is to four digits; the exact one takes time with the square of both.
const EXACT_MAX: usize = 50;

/// Whether blocks of a run resemble those before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    /// Values that follow the machine: drift makes neighboring blocks alike, so that they are worth
    /// fewer independent ones.
    Possible,
    /// Ratios within blocks, in which the drift cancels.
    Removed,
}

/// By how much the second sample lies above the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// The median of all differences, second less first.
    pub estimate: f64,
    /// Holds the shift as often as the level says; `None` if so few values cannot (below 4 and 4
    /// at 95 %).
    pub interval: Option<Interval>,
    /// Of "there is no shift", two-sided; never 0.
    pub p_value: f64,
}

/// The shift from `a` to `b`, each in the order of its blocks, without NaN; `None` if either is
/// empty.
///
/// Where values may drift, the interval is stretched around the estimate by how few independent
/// values the blocks are worth, and p is that of a shift smaller by as much, so that p and
/// interval never disagree.
pub fn shift(a: &[f64], b: &[f64], level: Level, drift: Drift) -> Option<Shift> {
    shift_by(&RankSum::of(a.len(), b.len()), [a, b], level, drift)
}

/// [`shift`] by a known law: tables have many cells with the same numbers of blocks, and the law
/// takes far longer than everything else.
pub(super) fn shift_by(
    rank_sum: &RankSum,
    [a, b]: [&[f64]; 2],
    level: Level,
    drift: Drift,
) -> Option<Shift> {
    let differences = differences(a, b)?;
    let factor = match drift {
        Drift::Possible if holds(Safeguard::AutocorrelationInflation) => stretch(a, b, level),
        Drift::Possible | Drift::Removed => 1.0,
    };
    let estimate = median_of_sorted(&differences)?;
    let stretched = |end: f64| estimate + factor * (end - estimate);
    let interval = rank_sum.critical(level).map(|rank| Interval {
        low: stretched(differences[rank - 1]),
        high: stretched(differences[differences.len() - rank]),
    });
    // 0 lies outside the stretched interval if and only if this null shift lies outside the exact
    // one.
    let null = estimate - estimate / factor;
    let below = differences.partition_point(|difference| *difference < null);
    let up_to = differences.partition_point(|difference| *difference <= null);
    let p_value = rank_sum.p_value(below, differences.len() - up_to);
    Some(Shift { estimate, interval, p_value })
}

/// All differences between two samples, second less first, ascending; `None` if either is empty.
fn differences(a: &[f64], b: &[f64]) -> Option<Vec<f64>> {
    debug_assert!(!a.iter().chain(b).any(|value| value.is_nan()));
    let mut all: Vec<f64> = b.iter().flat_map(|b| a.iter().map(move |a| b - a)).collect();
    all.sort_unstable_by(f64::total_cmp);
    (!all.is_empty()).then_some(all)
}

/// The null distribution of the number of pairs whose second value is larger, for two samples of one
/// distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct RankSum {
    pairs: usize,
    law: Law,
}

#[derive(Debug, Clone, PartialEq)]
enum Law {
    /// Probability of each number of pairs or fewer, from 0.
    Exact(Vec<f64>),
    Normal {
        mean: f64,
        deviation: f64,
    },
}

impl RankSum {
    /// For samples of `m` and `n` values, at least one each.
    pub fn of(m: usize, n: usize) -> RankSum {
        let pairs = m * n;
        let law = if m <= EXACT_MAX && n <= EXACT_MAX {
            let mut below = 0.0;
            let cumulated = |probability: f64| {
                below += probability;
                below
            };
            Law::Exact(rank_sum_distribution(m, n).into_iter().map(cumulated).collect())
        } else {
            Law::Normal {
                mean: pairs as f64 / 2.0,
                deviation: (pairs as f64 * (m + n + 1) as f64 / 12.0).sqrt(),
            }
        };
        RankSum { pairs, law }
    }

    /// The probability of at most `count` pairs.
    pub fn at_most(&self, count: usize) -> f64 {
        match &self.law {
            Law::Exact(cumulated) => cumulated.get(count).copied().unwrap_or(1.0).min(1.0),
            Law::Normal { mean, deviation } => {
                // Half a pair more, because counts are whole.
                let z = (count as f64 + 0.5 - mean) / deviation;
                Normal::standard().cdf(z)
            }
        }
    }

    /// The rank, from 1 and from either end, of the difference that ends the interval: the largest
    /// for which fewer pairs are rarer than the level's tail.
    fn critical(&self, level: Level) -> Option<usize> {
        let mut rank = 0;
        while 2 * (rank + 1) <= self.pairs + 1 && self.at_most(rank) <= level.tail() {
            rank += 1;
        }
        (rank >= 1).then_some(rank)
    }

    /// Two-sided, of the pairs below and above no shift. The rest are ties, and all of them count
    /// against a shift: breaking them by lot would never give a larger p.
    fn p_value(&self, below: usize, above: usize) -> f64 {
        let rarer = below.max(above);
        if 2 * rarer <= self.pairs {
            return 1.0;
        }
        let p = 2.0 * self.at_most(self.pairs - rarer);
        p.clamp(f64::MIN_POSITIVE, 1.0)
    }
}

/// The null distribution of the number of pairs whose second value is larger: entry `u` is the
/// probability of `u` pairs, from 0 to `m n`. By which sample the largest of all values is from:
/// from the second, with probability n / (m + n), it makes a pair with all `m` others.
pub fn rank_sum_distribution(m: usize, n: usize) -> Vec<f64> {
    // By the number of values of the second sample, for the number of the first so far.
    let mut rows: Vec<Vec<f64>> = vec![vec![1.0]; n + 1];
    for first in 1..=m {
        for second in 1..=n {
            let from_second = second as f64 / (first + second) as f64;
            let mut probabilities = vec![0.0; first * second + 1];
            for (pairs, probability) in rows[second].iter().enumerate() {
                probabilities[pairs] += (1.0 - from_second) * probability;
            }
            for (pairs, probability) in rows[second - 1].iter().enumerate() {
                probabilities[pairs + first] += from_second * probability;
            }
            rows[second] = probabilities;
        }
    }
    rows.pop().unwrap_or_default()
}

/// By how much the interval grows: the standard error of a difference of two means with as many
/// values as the blocks are worth, over that with as many as there are blocks, times the ratio of
/// Student's quantiles for their degrees of freedom.
fn stretch(a: &[f64], b: &[f64], level: Level) -> f64 {
    let width = |m: f64, n: f64| {
        let student = StudentsT::new(0.0, 1.0, (m + n - 2.0).max(1.0));
        let quantile = student.map_or(1.0, |t| t.inverse_cdf(1.0 - level.tail()));
        (1.0 / m + 1.0 / n).sqrt() * quantile
    };
    let all = width(a.len() as f64, b.len() as f64);
    (width(effective_count(a), effective_count(b)) / all).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(a: &[f64], b: &[f64]) -> Shift {
        shift(a, b, Level::P95, Drift::Removed).unwrap()
    }

    #[test]
    fn samples_that_do_not_meet_have_the_smallest_p() {
        let low: Vec<f64> = (0..6).map(f64::from).collect();
        let high: Vec<f64> = low.iter().map(|x| x + 100.0).collect();
        let found = removed(&low, &high);
        // Two of the 924 ways to divide twelve values.
        assert!((found.p_value - 2.0 / 924.0).abs() < 1e-15);
        assert_eq!(found.estimate, 100.0);
        assert!(found.interval.unwrap().low > 90.0);
        assert_eq!(removed(&high, &low).estimate, -100.0);
        assert_eq!(removed(&high, &low).p_value, found.p_value);
    }

    #[test]
    fn three_values_each_have_no_interval_and_none_no_shift() {
        assert_eq!(removed(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]).interval, None);
        assert!(removed(&[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 3.0, 4.0]).interval.is_some());
        let none = shift(&[], &[1.0], Level::P95, Drift::Removed);
        assert_eq!(none, None);
    }

    #[test]
    fn ties_count_against_a_shift() {
        let same = [1.0; 8];
        assert_eq!(removed(&same, &same).p_value, 1.0);
        let (a, b) = ([1.0, 1.0, 2.0, 2.0, 3.0, 3.0], [2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
        let tied = removed(&a, &b);
        // Broken in favour of a shift they would be rarer.
        let broken: Vec<f64> = b.iter().map(|x| x + 1e-9).collect();
        assert!(tied.p_value > removed(&a, &broken).p_value);
    }

    #[test]
    fn drift_widens_the_interval_and_p_with_it() {
        let a: Vec<f64> = (0..12).map(|block| 0.02 * f64::from(block)).collect();
        let at = |by: f64, drift| {
            let b: Vec<f64> = a.iter().map(|x| x + by).collect();
            shift(&a, &b, Level::P95, drift).unwrap()
        };
        for by in [0.01, 0.05, 0.1, 0.15, 0.2, 0.3, 2.0] {
            let (exact, wide) = (at(by, Drift::Removed), at(by, Drift::Possible));
            assert_eq!(wide.estimate, exact.estimate);
            let (exact_ci, wide_ci) = (exact.interval.unwrap(), wide.interval.unwrap());
            assert!(wide_ci.half_width() > 1.5 * exact_ci.half_width());
            assert!(wide.p_value >= exact.p_value);
            assert_eq!(wide_ci.low > 0.0, wide.p_value <= 0.05, "{by}: {wide:?}");
        }
        // What is beyond any doubt stays so.
        assert!(at(2.0, Drift::Possible).p_value < 1e-5);
    }

    #[test]
    fn the_null_distribution_is_a_distribution() {
        assert_eq!(rank_sum_distribution(0, 0), [1.0]);
        for (m, n) in [(1, 1), (2, 5), (10, 10), (EXACT_MAX, EXACT_MAX)] {
            let distribution = rank_sum_distribution(m, n);
            assert_eq!(distribution.len(), m * n + 1);
            assert!((distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let mirrored = distribution.iter().rev();
            let is_near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-15;
            assert!(distribution.iter().zip(mirrored).all(is_near));
        }
    }

    #[test]
    fn normal_law_takes_over_where_the_exact_one_ends() {
        let exact = RankSum::of(EXACT_MAX, EXACT_MAX);
        let normal = RankSum {
            pairs: exact.pairs,
            law: Law::Normal { mean: 1250.0, deviation: (2500.0 * 101.0 / 12.0_f64).sqrt() },
        };
        assert!(matches!(RankSum::of(EXACT_MAX + 1, 6).law, Law::Normal { .. }));
        for count in [900, 960, 1000, 1100, 1250, 1500] {
            let error = (exact.at_most(count) - normal.at_most(count)).abs();
            assert!(error < 1e-3, "{count}: {error}");
        }
        let ranks = [&exact, &normal].map(|law| law.critical(Level::P95).unwrap());
        assert!(ranks[0].abs_diff(ranks[1]) <= 1, "{ranks:?}");
    }
}
