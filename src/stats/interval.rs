//! Confidence intervals: the two levels in use, and the exact interval of a median over blocks.
//!
//! The interval lies between two order statistics (David and Nagaraja, *Order Statistics*, section
//! 7.1): the number of independent values below the true median is binomial with 1/2 for
//! every distribution. Blocks are not quite independent, because the machine drifts; so the
//! interval is stretched around the median by how many independent blocks the autocorrelation
//! leaves.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

/// How often [`median_interval`] contains the truth if each block resembles the one before it
/// (autocorrelation 0.6): blocks, and percent. The simulations hold this to be true.
pub const COVERAGE_UNDER_DRIFT: [(usize, u32); 4] = [(6, 86), (10, 93), (20, 93), (40, 96)];

use super::quantile::median_of_sorted;
use super::safeguards::{Safeguard, holds};

/// How often an interval is to contain the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// 95 %: the reported level.
    P95,
    /// 98 %: the level of stopping, so that three looks leave 95 % at the end.
    P98,
}

impl Level {
    /// The level in 0 to 1.
    pub fn coverage(self) -> f64 {
        match self {
            Level::P95 => 0.95,
            Level::P98 => 0.98,
        }
    }

    /// The share that may be missed at each end.
    pub(super) fn tail(self) -> f64 {
        match self {
            Level::P95 => 0.025,
            Level::P98 => 0.01,
        }
    }
}

/// From `low` to `high`, both included; `low <= high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end, in the unit of the estimate.
    pub low: f64,
    /// Upper end, in the unit of the estimate.
    pub high: f64,
}

impl Interval {
    /// Half of the distance between the ends.
    pub fn half_width(self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// Whether `value` lies between the ends.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Both ends through a function that does not decrease.
    pub fn map(self, ascending: impl Fn(f64) -> f64) -> Interval {
        Interval { low: ascending(self.low), high: ascending(self.high) }
    }
}

/// The order statistics between which the median lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranks {
    /// From 1, counted from below for the lower end and from above for the upper end.
    pub from_end: usize,
    /// How often the median of independent values lies between them: at least the level.
    pub coverage: f64,
}

/// The innermost order statistics of `n` values that reach the level; `None` if not even the
/// smallest and the largest do (`n` below 6 at 95 %, below 7 at 98 %).
pub fn median_ranks(n: usize, level: Level) -> Option<Ranks> {
    let below = Binomial::new(0.5, n as u64).ok()?;
    // Rank k misses when fewer than k values lie below the median.
    let missed = |rank: usize| below.cdf(rank as u64 - 1);
    let from_end = (1..=n / 2).take_while(|&rank| missed(rank) <= level.tail()).last()?;
    Some(Ranks { from_end, coverage: 1.0 - 2.0 * missed(from_end) })
}

/// The interval of the median of `values` in the order of their blocks; `None` if the level
/// cannot be reached with so few. No value may be NaN.
///
/// Exact for independent values. Under autocorrelation both ends move away from the median by
/// `stretch`; if all values are positive then by that power, so that the interval of a latency
/// stays positive. The coverage tests hold that this is enough from 20 blocks on; below, it is not
/// guaranteed.
pub fn median_interval(values: &[f64], level: Level) -> Option<Interval> {
    debug_assert!(!values.iter().any(|value| value.is_nan()));
    let ranks = median_ranks(values.len(), level)?;
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let median = median_of_sorted(&sorted)?;
    let exact =
        Interval { low: sorted[ranks.from_end - 1], high: sorted[values.len() - ranks.from_end] };
    if !holds(Safeguard::AutocorrelationInflation) {
        return Some(exact);
    }
    let factor = stretch(values, level);
    if factor <= 1.0 {
        return Some(exact);
    }
    Some(if sorted[0] > 0.0 {
        exact.map(|end| median * (end / median).powf(factor))
    } else {
        exact.map(|end| median + (end - median) * factor)
    })
}

/// How many independent values `values` are worth, from `min(4, n)` to `n`:
/// `n (1 - r) / (1 + r)`, the variance of a mean under first-order autocorrelation `r`.
///
/// `r` is the lag-1 autocorrelation of the *ranks*, which spikes cannot drown, freed of its bias
/// towards zero in short series, `(1 + 4 r) / n` (Marriott and Pope 1954), and cut to 0 to 0.9.
/// Below 4 the estimate of `r` itself is worth nothing.
pub fn effective_count(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    if values.len() <= SMALLEST_EFFECTIVE {
        return n;
    }
    let floor = SMALLEST_EFFECTIVE as f64;
    let biased = lag_one_autocorrelation(&midranks(values));
    let r = ((n * biased + 1.0) / (n - 4.0)).clamp(0.0, 0.9);
    (n * (1.0 - r) / (1.0 + r)).max(floor)
}

const SMALLEST_EFFECTIVE: usize = 4;

/// By how much the interval grows: `sqrt(n / m)` for `m` effective values, times the ratio of
/// Student's quantiles for `m - 1` and `n - 1` degrees of freedom. The second factor is for the
/// scale being known from few; the square root alone falls short of the promised coverage.
fn stretch(values: &[f64], level: Level) -> f64 {
    let n = values.len() as f64;
    let effective = effective_count(values);
    if effective >= n {
        return 1.0;
    }
    let student = |count: f64| {
        StudentsT::new(0.0, 1.0, count - 1.0).map_or(1.0, |t| t.inverse_cdf(1.0 - level.tail()))
    };
    (n / effective).sqrt() * student(effective) / student(n)
}

/// The rank of each value from 1, ties sharing the average of theirs.
fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let shared = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|&index| ranks[index] = shared);
        before += tied.len();
    }
    ranks
}

/// Correlation of a series with itself one step later; 0 for a constant series.
fn lag_one_autocorrelation(series: &[f64]) -> f64 {
    let mean = series.iter().sum::<f64>() / series.len() as f64;
    let square: f64 = series.iter().map(|x| (x - mean).powi(2)).sum();
    if square == 0.0 {
        return 0.0;
    }
    let product: f64 = series.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    product / square
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 to n in an order that is not autocorrelated: small and large take turns.
    fn alternating(n: usize) -> Vec<f64> {
        (0..n).map(|i| if i % 2 == 0 { i / 2 + 1 } else { n - i / 2 } as f64).collect()
    }

    #[test]
    fn ranks_are_the_tabulated_ones() {
        for (n, level, from_end) in [
            (6, Level::P95, 1),
            (8, Level::P95, 1),
            (9, Level::P95, 2),
            (10, Level::P95, 2),
            (20, Level::P95, 6),
            (7, Level::P98, 1),
            (10, Level::P98, 1),
            (20, Level::P98, 5),
        ] {
            let ranks = median_ranks(n, level).unwrap();
            assert_eq!(ranks.from_end, from_end, "{n} {level:?}");
            assert!(ranks.coverage >= level.coverage());
        }
    }

    #[test]
    fn too_few_values_have_no_interval() {
        for n in 0..6 {
            assert_eq!(median_ranks(n, Level::P95), None, "{n}");
            assert_eq!(median_interval(&alternating(n), Level::P95), None);
        }
        assert_eq!(median_ranks(6, Level::P98), None);
    }

    #[test]
    fn without_autocorrelation_the_interval_is_exact() {
        let interval = median_interval(&alternating(20), Level::P95);
        let expected = Interval { low: 6.0, high: 15.0 };
        assert_eq!(interval, Some(expected));
        assert_eq!(effective_count(&alternating(20)), 20.0);
    }

    #[test]
    fn trend_stretches_the_interval_and_keeps_it_positive() {
        let trend: Vec<f64> = (1..=20).map(f64::from).collect();
        let interval = median_interval(&trend, Level::P95).unwrap();
        assert!(interval.low > 0.0 && interval.low < 6.0 && interval.high > 15.0);
        let around_zero: Vec<f64> = trend.iter().map(|x| x - 10.5).collect();
        let moved = median_interval(&around_zero, Level::P95).unwrap();
        assert!((moved.low + moved.high).abs() < 1e-9 && moved.high > 4.5);
        assert_eq!(effective_count(&trend), SMALLEST_EFFECTIVE as f64);
    }

    #[test]
    fn constant_values_have_a_point() {
        let interval = median_interval(&[7.0; 12], Level::P98);
        let expected = Interval { low: 7.0, high: 7.0 };
        assert_eq!(interval, Some(expected));
    }

    #[test]
    fn ties_share_their_rank() {
        assert_eq!(midranks(&[5.0, 1.0, 5.0, 9.0]), [2.5, 1.0, 2.5, 4.0]);
    }
}
