//! Cells that two independent runs have in common: the ratio of the second to the first with interval
//! and p, adjusted over the whole table, and a verdict by the rules within a run
//! ([`super::verdict`]).
//!
//! A verdict is about these two runs. Their blocks tell how well each is known, and not how far a
//! third run on either machine would be from them.

use std::collections::BTreeMap;

use super::two_sample::{Drift, RankSum, Shift, shift_by};
use super::verdict::{self, Better, Conclusion, INTERVAL_BLOCKS_MIN, Reason};
use super::{Interval, Level, holm};

/// One cell: the same metric of the same arm in both runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Logarithms of the first run's values, in the order of its blocks.
    pub a: Vec<f64>,
    /// Those of the second.
    pub b: Vec<f64>,
    /// Whether they follow the machine, or had that divided out.
    pub drift: Drift,
    /// Which direction is good.
    pub better: Better,
    /// δ of the log ratio, above 0.
    pub delta_log: f64,
    /// Both runs have a placebo that checks the family.
    pub is_checked: bool,
}

/// The comparison of a [`Pair`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Across {
    /// Blocks of the first run and of the second.
    pub n_blocks: [usize; 2],
    /// Second over first, by Hodges and Lehmann; `None` if either has no value.
    pub ratio: Option<f64>,
    /// Of the ratio, at 95 %, from 6 blocks in both.
    pub ratio_interval: Option<Interval>,
    /// By the rank sum, two-sided, from 6 blocks in both.
    pub p_value: Option<f64>,
    /// After Holm, over all pairs that were judged together.
    pub p_adjusted: Option<f64>,
    /// `Faster`: the second run was better.
    pub conclusion: Conclusion,
}

impl Across {
    /// Withdraws the conclusion and keeps the numbers, because the placebo differs.
    pub fn grey_out(&mut self) {
        if !matches!(self.conclusion, Conclusion::Withheld(_)) {
            self.conclusion = Conclusion::Withheld(Reason::PlaceboDiffers);
        }
    }
}

/// Judges all pairs of a table together, in the order given.
pub fn judge(pairs: &[Pair]) -> Vec<Across> {
    let mut laws = BTreeMap::new();
    let shifts: Vec<Option<Shift>> = pairs
        .iter()
        .map(|pair| {
            let sizes = (pair.a.len(), pair.b.len());
            let law = laws.entry(sizes);
            let law = law.or_insert_with(|| RankSum::of(sizes.0, sizes.1));
            shift_by(law, [&pair.a, &pair.b], Level::P95, pair.drift)
        })
        .collect();
    let p_of = |(pair, shift): (&Pair, &Option<Shift>)| pair.p_value(shift.as_ref());
    let p_values: Vec<f64> = pairs.iter().zip(&shifts).filter_map(p_of).collect();
    let mut p_adjusted = holm::adjust(&p_values).into_iter();
    pairs
        .iter()
        .zip(&shifts)
        .map(|(pair, shift)| {
            let p_value = pair.p_value(shift.as_ref());
            let p_adjusted = p_value.and_then(|_| p_adjusted.next());
            let log_interval = shift.filter(|_| pair.is_enough()).and_then(|s| s.interval);
            Across {
                n_blocks: [pair.a.len(), pair.b.len()],
                ratio: shift.map(|shift| shift.estimate.exp()),
                ratio_interval: log_interval.map(|interval| interval.map(f64::exp)),
                p_value,
                p_adjusted,
                conclusion: pair.conclude(log_interval),
            }
        })
        .collect()
}

impl Pair {
    /// Of the run that has fewer.
    fn n_blocks(&self) -> usize {
        self.a.len().min(self.b.len())
    }

    fn is_enough(&self) -> bool {
        self.n_blocks() >= INTERVAL_BLOCKS_MIN
    }

    fn p_value(&self, shift: Option<&Shift>) -> Option<f64> {
        shift.filter(|_| self.is_enough()).map(|shift| shift.p_value)
    }

    fn conclude(&self, log_interval: Option<Interval>) -> Conclusion {
        match log_interval {
            None => Conclusion::Withheld(Reason::TooFewBlocks),
            Some(_) if !self.is_checked => Conclusion::Withheld(Reason::NoPlacebo),
            Some(interval) => {
                verdict::conclude(self.n_blocks(), interval, self.delta_log, self.better)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::verdict::Verdict;

    /// `n` blocks within 1 % of `centre`, in an order of their own for each `salt`.
    fn blocks(n: usize, centre: f64, salt: usize) -> Vec<f64> {
        let step = |block: usize| ((block * 7 + salt * 3) % 11) as f64;
        let value = |block| centre * (0.995 + 0.001 * step(block));
        (0..n).map(|block| value(block).ln()).collect()
    }

    fn pair(n: [usize; 2], ratio: f64) -> Pair {
        Pair {
            a: blocks(n[0], 5.0, 0),
            b: blocks(n[1], 5.0 * ratio, 1),
            drift: Drift::Removed,
            better: Better::Lower,
            delta_log: 0.03_f64.ln_1p(),
            is_checked: true,
        }
    }

    #[track_caller]
    fn check(pair: &Pair, expected: Conclusion) {
        let across = judge(std::slice::from_ref(pair))[0];
        assert_eq!(across.conclusion, expected, "{across:?}");
    }

    #[test]
    fn run_with_fewer_blocks_decides_between_verdict_and_indication() {
        use Verdict::{Equivalent, Faster, Inconclusive, Slower};
        let verdict = Conclusion::Verdict;
        check(&pair([10, 10], 1.1), verdict(Slower));
        check(&pair([10, 20], 0.9), verdict(Faster));
        check(&pair([20, 10], 1.0), verdict(Equivalent));
        check(&pair([12, 12], 1.029), verdict(Inconclusive));
        check(&pair([9, 20], 1.1), Conclusion::Indication(Slower));
        check(&pair([6, 6], 0.9), Conclusion::Indication(Faster));
        check(&pair([6, 6], 1.0), Conclusion::Indication(Equivalent));
        let few = Conclusion::Withheld(Reason::TooFewBlocks);
        check(&pair([5, 20], 2.0), few);
        check(&pair([0, 20], 1.0), few);
        let few = judge(&[pair([5, 20], 2.0), pair([0, 9], 2.0)]);
        assert!((few[0].ratio.unwrap() - 2.0).abs() < 0.02);
        assert_eq!((few[0].ratio_interval, few[0].p_value), (None, None));
        assert_eq!(few[1].ratio, None);
    }

    #[test]
    fn more_is_faster_where_more_is_better() {
        let more = Pair { better: Better::Higher, ..pair([10, 10], 1.1) };
        check(&more, Conclusion::Verdict(Verdict::Faster));
    }

    #[test]
    fn nothing_is_concluded_without_placebo() {
        let without = Pair { is_checked: false, ..pair([10, 10], 2.0) };
        check(&without, Conclusion::Withheld(Reason::NoPlacebo));
        let mut grey = judge(&[pair([10, 10], 2.0)])[0];
        grey.grey_out();
        assert_eq!(grey.conclusion, Conclusion::Withheld(Reason::PlaceboDiffers));
        assert!(grey.ratio_interval.is_some(), "the numbers stay");
    }

    #[test]
    fn p_is_adjusted_over_the_whole_table() {
        let table = vec![pair([10, 10], 1.1); 30];
        let judged = judge(&table);
        let p = judged[0].p_value.unwrap();
        // The smallest there is: two of the ways to divide 20 values.
        assert!((p - 2.0 / 184_756.0).abs() < 1e-15);
        assert!(judged.iter().all(|one| (one.p_adjusted.unwrap() - 30.0 * p).abs() < 1e-12));
        // Six blocks each cannot have a small p among 30 pairs, and their intervals decide.
        let small = judge(&vec![pair([6, 6], 1.1); 30]);
        assert!(small[0].p_adjusted.unwrap() > 0.05);
        assert_eq!(small[0].conclusion, Conclusion::Indication(Verdict::Slower));
    }
}
