//! Quantiles inside a trial: observed values by nearest rank, shown only where enough requests
//! lie beyond them.
//!
//! Nearest rank (Hyndman and Fan's type 1) gives a latency that really happened; interpolation
//! would invent one in the gap of a bimodal distribution, which is just where readers look.

use hdrhistogram::Histogram;

/// A probability in parts per ten thousand. An integer, because `0.9_f64` is not nine tenths:
/// `100.0 * (1.0 - 0.9)` is below 10, and a rule in floats would hide the p90 of exactly 100
/// requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct P(u32);

impl P {
    /// The median.
    pub const P50: P = P(5_000);
    /// Nine of ten are not above it.
    pub const P90: P = P(9_000);
    /// 95 of 100 are not above it.
    pub const P95: P = P(9_500);
    /// 99 of 100 are not above it.
    pub const P99: P = P(9_900);
    /// 999 of 1000 are not above it.
    pub const P999: P = P(9_990);

    const WHOLE: u32 = 10_000;

    /// `parts / 10_000`; `None` outside 1 to 9 999, where there is no quantile but an extreme.
    pub const fn per_ten_thousand(parts: u32) -> Option<P> {
        if parts == 0 || parts >= P::WHOLE {
            return None;
        }
        Some(P(parts))
    }

    /// In 0 to 1, for axes and labels.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(P::WHOLE)
    }

    /// Whether the quantile of `n` values may be shown: `n (1 - p) >= 10` and `n >= 20`. Fewer
    /// than ten values beyond a quantile leave it to the luck of one or two of them.
    pub fn is_shown_of(self, n: usize) -> bool {
        let beyond = n as u128 * u128::from(P::WHOLE - self.0);
        n >= SHOWN_MIN && beyond >= BEYOND_MIN * u128::from(P::WHOLE)
    }

    /// Whether a trial of `n` requests has the quantile: [`P::is_shown_of`], or it is the median,
    /// which even a short trial may show.
    pub fn is_known_of(self, n: usize) -> bool {
        self == P::P50 || self.is_shown_of(n)
    }

    /// `ceil(n p)`, from 1 to `n` for `n >= 1`.
    fn rank_of(self, n: usize) -> usize {
        let scaled = n as u128 * u128::from(self.0);
        // At most n, so it fits.
        scaled.div_ceil(u128::from(P::WHOLE)) as usize
    }
}

const SHOWN_MIN: usize = 20;
const BEYOND_MIN: u128 = 10;

/// The smallest value with at least `p` of all values at or below it; `None` of nothing.
/// `sorted` is ascending.
pub fn nearest_rank<T: Copy + PartialOrd>(sorted: &[T], p: P) -> Option<T> {
    debug_assert!(sorted.is_sorted());
    sorted.get(p.rank_of(sorted.len()).checked_sub(1)?).copied()
}

/// An empty histogram of times from 1 ns to two hours.
pub fn histogram_ns(digits: u8) -> Histogram<u64> {
    Histogram::new_with_bounds(1, 7_200_000_000_000, digits).expect("constant bounds are valid")
}

/// The median over blocks: the middle value, or the average of the two middle ones. Averaged,
/// unlike [`nearest_rank`], because blocks are few and the lower of two middle blocks would be
/// biased. `None` of nothing; no value may be NaN.
pub fn median(values: &[f64]) -> Option<f64> {
    debug_assert!(!values.iter().any(|value| value.is_nan()));
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    median_of_sorted(&sorted)
}

/// [`median`] of values that are ascending already.
pub(super) fn median_of_sorted(sorted: &[f64]) -> Option<f64> {
    let upper = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        return sorted.get(upper).copied();
    }
    Some(f64::midpoint(*sorted.get(upper.checked_sub(1)?)?, sorted[upper]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_to(n: u64) -> Vec<u64> {
        (1..=n).collect()
    }

    #[test]
    fn quantiles_are_shown_from_their_minimum_count_on() {
        for (p, minimum) in
            [(P::P50, 20), (P::P90, 100), (P::P95, 200), (P::P99, 1_000), (P::P999, 10_000)]
        {
            assert!(!p.is_shown_of(minimum - 1), "{p:?} of {}", minimum - 1);
            assert!(p.is_shown_of(minimum), "{p:?} of {minimum}");
            assert_eq!(p.is_known_of(minimum - 1), p == P::P50);
        }
        let low = P::per_ten_thousand(1_000).unwrap();
        assert!(!low.is_shown_of(19) && low.is_shown_of(20));
    }

    #[test]
    fn nearest_rank_takes_an_observed_value() {
        assert_eq!(nearest_rank(&one_to(100), P::P90), Some(90));
        assert_eq!(nearest_rank(&one_to(101), P::P90), Some(91));
        assert_eq!(nearest_rank(&one_to(1), P::P99), Some(1));
        assert_eq!(nearest_rank(&[1.0, 9.0], P::P50), Some(1.0));
        assert_eq!(nearest_rank::<u64>(&[], P::P50), None);
        // In floats 0.07 * 100 is above 7, and the rank would be 8.
        let seven = P::per_ten_thousand(700).unwrap();
        assert_eq!(nearest_rank(&one_to(100), seven), Some(7));
    }

    #[test]
    fn there_is_no_quantile_at_the_ends() {
        assert_eq!(P::per_ten_thousand(0), None);
        assert_eq!(P::per_ten_thousand(10_000), None);
        assert!(P::per_ten_thousand(9_999).is_some());
    }

    #[test]
    fn medians_of_even_counts_are_averages() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }
}
