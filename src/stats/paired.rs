//! An arm against the reference, block by block: the log ratio that pairs them, its
//! Hodges–Lehmann estimate, and the exact signed-rank test with the interval that inverts it.
//!
//! Pairing is what removes drift: both values of a block saw the same minute of the machine. The
//! logarithm makes twice and half equally far, and turns percentages into shifts, which is what
//! the signed-rank interval is for.

use super::quantile::median_of_sorted;
use super::safeguards::{Safeguard, holds};
use super::{Interval, Level};

/// `ln(arm / reference)` of each block in which both have a value, in block order. Blocks are
/// told by their index. A value that is not positive and finite has no logarithm, and its block
/// is left out like a missing one.
pub fn log_ratios(arm: &[Option<f64>], reference: &[Option<f64>]) -> Vec<f64> {
    let usable = |value: &Option<f64>| value.filter(|x| x.is_finite() && *x > 0.0);
    let ratio = |(a, r): (&Option<f64>, &Option<f64>)| Some((usable(a)? / usable(r)?).ln());
    if holds(Safeguard::Pairing) {
        arm.iter().zip(reference).filter_map(ratio).collect()
    } else {
        arm.iter().zip(reference.iter().rev()).filter_map(ratio).collect()
    }
}

/// The averages of all pairs of differences, each with itself included, ascending: the estimate
/// is their median, the interval lies between two of them (Hollander, Wolfe and Chicken,
/// *Nonparametric Statistical Methods*, sections 3.2 and 3.3).
#[derive(Debug, Clone, PartialEq)]
pub struct WalshAverages {
    sorted: Vec<f64>,
    /// [`signed_rank_distribution`] of as many differences.
    null: Vec<f64>,
}

impl WalshAverages {
    /// Of differences without NaN; `n (n + 1) / 2` values for `n` differences.
    pub fn of(differences: &[f64]) -> WalshAverages {
        let mut sorted: Vec<f64> = differences
            .iter()
            .enumerate()
            .flat_map(|(i, a)| differences[i..].iter().map(move |b| f64::midpoint(*a, *b)))
            .collect();
        sorted.sort_unstable_by(f64::total_cmp);
        WalshAverages { sorted, null: signed_rank_distribution(differences.len()) }
    }

    /// The Hodges–Lehmann estimate of the typical difference; `None` without differences.
    pub fn estimate(&self) -> Option<f64> {
        median_of_sorted(&self.sorted)
    }

    /// The exact signed-rank interval, for differences that are symmetric about their centre;
    /// `None` if the level cannot be reached with so few (below 6 at 95 %, below 7 at 98 %).
    pub fn interval(&self, level: Level) -> Option<Interval> {
        let rank = self.critical(level)?;
        Some(Interval { low: self.sorted[rank - 1], high: self.sorted[self.sorted.len() - rank] })
    }

    /// The two-sided p value of the signed-rank test of "the differences are symmetric about 0",
    /// exact; `None` without differences. The interval at 95 % excludes 0 if and only if this is at
    /// most 0.05.
    ///
    /// The sum of positive ranks is the number of averages above 0. Those that are 0, because of
    /// differences that are 0 or that cancel out, are ties, and all of them count against a
    /// difference: that is the largest p of all ways to break them.
    pub fn p_value(&self) -> Option<f64> {
        if self.sorted.is_empty() {
            return None;
        }
        let below = self.sorted.partition_point(|average| *average < 0.0);
        let above = self.sorted.len() - self.sorted.partition_point(|average| *average <= 0.0);
        let rank_sum = self.sorted.len() - below.max(above);
        let tail: f64 = self.null[..=rank_sum].iter().sum();
        Some((2.0 * tail).min(1.0))
    }

    /// The rank, from 1 and from either end, of the average that ends the interval: the largest
    /// `k` for which a sum of positive ranks below `k` is rarer than the level's tail.
    fn critical(&self, level: Level) -> Option<usize> {
        let mut below = 0.0;
        let is_rarer = |probability: &&f64| {
            below += **probability;
            below <= level.tail()
        };
        let rank = self.null.iter().take_while(is_rarer).count();
        (rank >= 1).then_some(rank)
    }
}

/// The null distribution of the sum of positive ranks of `n` differences: entry `w` is the
/// probability of the sum `w`, from 0 to `n (n + 1) / 2`. By dynamic programming: rank `k` is in
/// the sum or not, each with 1/2.
pub fn signed_rank_distribution(n: usize) -> Vec<f64> {
    let mut probabilities = vec![0.0; n * (n + 1) / 2 + 1];
    probabilities[0] = 1.0;
    let mut largest = 0;
    for rank in 1..=n {
        largest += rank;
        // From above, so that each rank is added to sums without it.
        for sum in (0..=largest).rev() {
            let with = if sum >= rank { probabilities[sum - rank] } else { 0.0 };
            probabilities[sum] = (probabilities[sum] + with) / 2.0;
        }
    }
    probabilities
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_without_both_values_are_left_out() {
        let arm = [Some(2.0), None, Some(4.0), Some(0.0), Some(f64::INFINITY), Some(3.0)];
        let reference = [Some(1.0), Some(1.0), None, Some(1.0), Some(1.0), Some(3.0)];
        let ratios = log_ratios(&arm, &reference);
        assert_eq!(ratios, [2.0_f64.ln(), 0.0]);
    }

    #[test]
    fn pairing_cancels_what_both_values_of_a_block_share() {
        let reference: Vec<_> = (1..=8).map(|block| Some(f64::from(block))).collect();
        let arm: Vec<_> = reference.iter().map(|x| x.map(|x| 1.1 * x)).collect();
        for ratio in log_ratios(&arm, &reference) {
            assert!((ratio - 1.1_f64.ln()).abs() < 1e-12);
        }
    }

    #[test]
    fn six_differences_reach_95_percent_and_not_98() {
        let six = WalshAverages::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let all = Interval { low: 1.0, high: 6.0 };
        assert_eq!(six.interval(Level::P95), Some(all));
        assert_eq!(six.interval(Level::P98), None);
        assert_eq!(six.estimate(), Some(3.5));
        assert_eq!(WalshAverages::of(&[1.0; 5]).interval(Level::P95), None);
        assert_eq!(WalshAverages::of(&[]).estimate(), None);
    }

    #[test]
    fn the_null_distribution_is_a_distribution() {
        assert_eq!(signed_rank_distribution(0), [1.0]);
        assert_eq!(signed_rank_distribution(2), [0.25, 0.25, 0.25, 0.25]);
        for n in [3, 10, 40] {
            let distribution = signed_rank_distribution(n);
            assert!((distribution.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let mirrored: Vec<_> = distribution.iter().rev().copied().collect();
            assert!(distribution.iter().zip(&mirrored).all(|(a, b)| (a - b).abs() < 1e-15));
        }
    }

    #[test]
    fn p_value_is_smallest_of_one_sided_differences() {
        let p = |differences: &[f64]| WalshAverages::of(differences).p_value();
        for n in [1, 6, 10, 17, 60] {
            let smallest = p(&vec![0.1; n]).unwrap();
            assert!((smallest * 2.0_f64.powi(n as i32 - 1) - 1.0).abs() < 1e-12, "{n}: {smallest}");
        }
        assert_eq!(p(&[0.0; 8]), Some(1.0));
        assert_eq!(p(&[]), None);
    }

    #[test]
    fn p_value_and_interval_agree_when_one_block_is_three_times_as_slow() {
        let mut differences: Vec<f64> =
            (0..11).map(|i| (0.895 + 0.001 * f64::from(i)).ln()).collect();
        differences.insert(4, 3.0_f64.ln());
        let averages = WalshAverages::of(&differences);
        let interval = averages.interval(Level::P95).unwrap().map(f64::exp);
        assert!(0.89 < interval.low && interval.high < 0.91, "{interval:?}");
        // The wild block has the largest of the twelve ranks, and the only positive one.
        let p = averages.p_value().unwrap();
        assert!(0.03 < p && p < 0.05, "{p}");
    }

    #[test]
    fn ties_count_against_a_difference() {
        let tied = [0.0, 0.1, 0.1, 0.2, 0.3, 0.3, -0.1];
        // Broken in favor of a difference the test would be more certain.
        let broken = tied.map(|d| d + 1e-9);
        let p = |differences: &[f64]| WalshAverages::of(differences).p_value().unwrap();
        assert!(p(&tied) > p(&broken), "{} {}", p(&tied), p(&broken));
    }

    proptest::proptest! {
        /// They are one test: no p below 0.05 goes with an interval that contains 0.
        #[test]
        fn interval_excludes_zero_exactly_when_p_is_small(
            differences in proptest::collection::vec(-5_i32..=9, 6..40)
        ) {
            let differences: Vec<f64> = differences.into_iter().map(f64::from).collect();
            let averages = WalshAverages::of(&differences);
            let contains = averages.interval(Level::P95).unwrap().contains(0.0);
            proptest::prop_assert_eq!(contains, averages.p_value().unwrap() > 0.05);
        }
    }
}
