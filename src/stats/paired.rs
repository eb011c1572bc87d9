//! An arm against the reference, block by block: the log ratio that pairs them, its
//! Hodges–Lehmann estimate with the exact signed-rank interval, and the sign-flip test.
//!
//! Pairing is what removes drift: both values of a block saw the same minute of the machine. The
//! logarithm makes twice and half equally far, and turns percentages into shifts, which is what
//! the signed-rank interval is for.

use super::quantile::median_of_sorted;
use super::seeded::Seeded;
use super::{Interval, Level, Safeguard, Safeguards};

/// `ln(arm / reference)` of each block in which both have a value, in block order. Blocks are
/// told by their index. A value that is not positive and finite has no logarithm, and its block
/// is left out like a missing one.
pub fn log_ratios(
    arm: &[Option<f64>],
    reference: &[Option<f64>],
    safeguards: Safeguards,
) -> Vec<f64> {
    let usable = |value: &Option<f64>| value.filter(|x| x.is_finite() && *x > 0.0);
    let ratio = |(a, r): (&Option<f64>, &Option<f64>)| Some((usable(a)? / usable(r)?).ln());
    if safeguards.hold(Safeguard::Pairing) {
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
    blocks: usize,
    sorted: Vec<f64>,
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
        WalshAverages { blocks: differences.len(), sorted }
    }

    /// The Hodges–Lehmann estimate of the typical difference; `None` without differences.
    pub fn estimate(&self) -> Option<f64> {
        median_of_sorted(&self.sorted)
    }

    /// The exact signed-rank interval, for differences that are symmetric about their centre;
    /// `None` if the level cannot be reached with so few (below 6 at 95 %, below 7 at 98 %).
    pub fn interval(&self, level: Level) -> Option<Interval> {
        let rank = signed_rank_critical(self.blocks, level)?;
        Some(Interval { low: self.sorted[rank - 1], high: self.sorted[self.sorted.len() - rank] })
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

/// The rank, from 1 and from either end, of the Walsh average that ends the interval: the largest
/// `k` for which a sum of positive ranks below `k` is rarer than the level's tail.
fn signed_rank_critical(n: usize, level: Level) -> Option<usize> {
    let mut below = 0.0;
    let rank = signed_rank_distribution(n)
        .iter()
        .take_while(|probability| {
            below += **probability;
            below <= level.tail()
        })
        .count();
    (rank >= 1).then_some(rank)
}

/// The two-sided p value of "the differences are symmetric about 0": the share of all ways to
/// flip their signs that give a sum as far from 0 as theirs. `None` without differences.
///
/// Exact up to 24 blocks: all sums of one half of the blocks are matched against the sorted sums
/// of the other half, so that 2^24 sign patterns cost 2^12 searches, and every number of blocks
/// that a preset plans needs no seed. Beyond, 19 999 seeded patterns, of which the observed one
/// counts as one more, so that p is never 0 (Phipson and Smyth 2010).
pub fn sign_flip_p(differences: &[f64], seed: u64) -> Option<f64> {
    if differences.is_empty() {
        return None;
    }
    let observed = differences.iter().sum::<f64>().abs();
    // Patterns that tie with the observed one are added in another order.
    let slack = 1e-12 * differences.iter().map(|d| d.abs()).sum::<f64>();
    if observed <= slack {
        return Some(1.0);
    }
    Some(if differences.len() <= EXACT_BLOCKS_MAX {
        exact_flip_p(differences, observed - slack)
    } else {
        sampled_flip_p(differences, observed - slack, seed)
    })
}

const EXACT_BLOCKS_MAX: usize = 24;
const SAMPLED_PATTERNS: u32 = 19_999;

/// The share of all patterns whose sum is at least `limit > 0` away from 0.
fn exact_flip_p(differences: &[f64], limit: f64) -> f64 {
    let (left, right) = differences.split_at(differences.len() / 2);
    let mut right_sums = signed_sums(right);
    right_sums.sort_unstable_by(f64::total_cmp);
    let above: usize = signed_sums(left)
        .into_iter()
        .map(|sum| right_sums.len() - right_sums.partition_point(|other| sum + other < limit))
        .sum();
    // Each pattern has its mirror, so that one side is half of both.
    2.0 * above as f64 / 2.0_f64.powi(differences.len() as i32)
}

/// The sums of `values` under every choice of signs.
fn signed_sums(values: &[f64]) -> Vec<f64> {
    values.iter().fold(vec![0.0], |sums, value| {
        sums.iter().flat_map(|sum| [sum + value, sum - value]).collect()
    })
}

fn sampled_flip_p(differences: &[f64], limit: f64, seed: u64) -> f64 {
    let mut random = Seeded::new(seed);
    let mut as_far = 0_u32;
    for _ in 0..SAMPLED_PATTERNS {
        let mut sum = 0.0;
        for word in differences.chunks(64) {
            let bits = random.bits();
            for (bit, difference) in word.iter().enumerate() {
                sum += if bits >> bit & 1 == 0 { *difference } else { -difference };
            }
        }
        as_far += u32::from(sum.abs() >= limit);
    }
    f64::from(as_far + 1) / f64::from(SAMPLED_PATTERNS + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_without_both_values_are_left_out() {
        let arm = [Some(2.0), None, Some(4.0), Some(0.0), Some(f64::INFINITY), Some(3.0)];
        let reference = [Some(1.0), Some(1.0), None, Some(1.0), Some(1.0), Some(3.0)];
        let ratios = log_ratios(&arm, &reference, Safeguards::ALL_ON);
        assert_eq!(ratios, [2.0_f64.ln(), 0.0]);
    }

    #[test]
    fn pairing_cancels_what_both_values_of_a_block_share() {
        let reference: Vec<_> = (1..=8).map(|block| Some(f64::from(block))).collect();
        let arm: Vec<_> = reference.iter().map(|x| x.map(|x| 1.1 * x)).collect();
        for ratio in log_ratios(&arm, &reference, Safeguards::ALL_ON) {
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
    fn one_sided_differences_have_the_smallest_p() {
        for n in [1, 6, 10, 17, EXACT_BLOCKS_MAX] {
            let p = sign_flip_p(&vec![0.1; n], 0).unwrap();
            assert!((p - 2.0_f64.powi(1 - n as i32)).abs() < 1e-15, "{n}: {p}");
        }
        assert_eq!(sign_flip_p(&[0.0; 8], 0), Some(1.0));
        assert_eq!(sign_flip_p(&[], 0), None);
    }

    #[test]
    fn the_sampled_p_is_seeded_never_zero_and_near_the_exact_one() {
        assert_eq!(sign_flip_p(&[1.0; 40], 7), Some(1.0 / 20_000.0));
        let differences: Vec<f64> = (0..20).map(|i| f64::from(i % 7) - 2.0).collect();
        let exact = sign_flip_p(&differences, 0).unwrap();
        let limit = differences.iter().sum::<f64>().abs() - 1e-9;
        let sampled = sampled_flip_p(&differences, limit, 1);
        // Four standard errors of a share among 19 999.
        let error = 4.0 * (exact * (1.0 - exact) / 19_999.0).sqrt();
        assert!((sampled - exact).abs() < error, "{sampled} is not {exact}");
        assert_eq!(sampled, sampled_flip_p(&differences, limit, 1));
        assert_ne!(sampled, sampled_flip_p(&differences, limit, 2));
    }
}
