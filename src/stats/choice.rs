//! Whether an arm that one run chose is a good choice in another: there, it is compared with each of
//! the others in the same block.
//!
//! The best of the others is known only from the blocks that it is tested by, and the luckiest of
//! many looks better than it is. So the choice is not tested against that one alone, but against
//! each, as in a family against its reference: that *some* other is better is
//! adjusted for their number, and that *none* is better must be shown of every one, which needs no
//! adjustment (Berger, *Multiparameter Hypothesis Testing and Acceptance Sampling*, 1982). The
//! choice itself was made by other blocks and is no luck of these.

use super::verdict::{Effect, VERDICT_BLOCKS_MIN};
use super::{Interval, holm};

/// How good the choice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Choice {
    /// No other is better by more than δ: each one's interval says so, from 10 blocks.
    AsGood,
    /// Some other is better by more than δ: from 10 blocks, by its interval and by its p adjusted
    /// for their number.
    Beaten,
    /// The same as an indication, from 6 to 9 blocks: the interval of some other lies wholly
    /// beyond δ, unadjusted.
    MaybeBeaten,
    /// None of these could be shown.
    Inconclusive,
    /// No other has 6 blocks in common with it.
    TooFewBlocks,
}

/// A difference needs a smaller p.
const SIGNIFICANCE: f64 = 0.05;

/// Values by block of the chosen arm and of all others; lower is better.
pub fn judge(chosen: &[Option<f64>], others: &[&[Option<f64>]], delta_log: f64) -> Choice {
    let effects = others.iter().map(|other| Effect::of_blocks(other, chosen));
    // Those with too few blocks have no interval.
    let known: Vec<(bool, Interval, f64)> = effects
        .filter_map(|effect| {
            let is_enough = effect.n_blocks >= VERDICT_BLOCKS_MIN;
            Some((is_enough, effect.interval?, effect.p_value?))
        })
        .collect();
    if known.is_empty() {
        return Choice::TooFewBlocks;
    }
    let p_values: Vec<f64> = known.iter().map(|(.., p_value)| *p_value).collect();
    let is_better = |interval: &Interval| interval.high < -delta_log;
    let mut judged = known.iter().zip(holm::adjust(&p_values));
    if judged.any(|((is_enough, interval, _), p_adjusted)| {
        *is_enough && is_better(interval) && p_adjusted < SIGNIFICANCE
    }) {
        return Choice::Beaten;
    }
    if known.iter().any(|(is_enough, interval, _)| !is_enough && is_better(interval)) {
        return Choice::MaybeBeaten;
    }
    let is_no_better =
        |(is_enough, interval, _): &(bool, Interval, f64)| *is_enough && interval.low > -delta_log;
    if known.len() == others.len() && known.iter().all(is_no_better) {
        return Choice::AsGood;
    }
    Choice::Inconclusive
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Level;
    use crate::stats::paired::{WalshAverages, log_ratios};
    use crate::stats::seeded::Seeded;

    const DELTA: f64 = 0.03;

    /// `n` blocks within 1 % of `centre`, in an order of their own for each `salt`.
    fn blocks(n: usize, centre: f64, salt: usize) -> Vec<Option<f64>> {
        let step = |block: usize| ((block * 7 + salt * 3) % 11) as f64;
        let value = |block| centre * (0.995 + 0.001 * step(block));
        (0..n).map(|block| Some(value(block))).collect()
    }

    #[track_caller]
    fn check(n: usize, others: &[f64], expected: Choice) {
        let others: Vec<_> = (1..).zip(others).map(|(salt, by)| blocks(n, *by, salt)).collect();
        let others: Vec<&[Option<f64>]> = others.iter().map(Vec::as_slice).collect();
        let found = judge(&blocks(n, 1.0, 0), &others, DELTA);
        assert_eq!(found, expected, "{n} blocks, {others:?}");
    }

    #[test]
    fn one_better_arm_beats_a_choice_and_all_must_be_no_better() {
        check(12, &[1.5, 1.2, 1.0], Choice::AsGood);
        check(12, &[1.5, 0.985, 1.0], Choice::AsGood);
        check(12, &[1.5, 0.9, 1.0], Choice::Beaten);
        check(8, &[1.5, 0.9, 1.0], Choice::MaybeBeaten);
        check(12, &[1.5, 0.971, 1.0], Choice::Inconclusive);
        check(8, &[1.5, 1.2], Choice::Inconclusive);
        check(5, &[0.5], Choice::TooFewBlocks);
        check(12, &[], Choice::TooFewBlocks);
    }

    #[test]
    fn arm_with_few_blocks_may_be_better() {
        let (chosen, slow, few) = (blocks(12, 1.0, 0), blocks(12, 1.5, 1), blocks(4, 1.5, 2));
        let others: [&[Option<f64>]; 2] = [&slow, &few];
        let found = judge(&chosen, &others, DELTA);
        assert_eq!(found, Choice::Inconclusive);
    }

    /// Of equal arms, some other looks better by luck. Against the luckiest alone, by its own
    /// interval, one would say so far too often; δ is as good as none here, so that it cannot help.
    #[test]
    fn choice_among_equals_is_rarely_called_beaten() {
        const TIMES: usize = 600;
        let mut draws = Seeded::new(20_261_126);
        let noise = |draws: &mut Seeded| {
            let uniform = (0..12).map(|_| draws.index(1 << 20) as f64 / f64::from(1 << 20));
            (0.02 * (uniform.sum::<f64>() - 6.0)).exp()
        };
        let (mut beaten, mut naive) = (0, 0);
        for _ in 0..TIMES {
            let mut arm =
                || -> Vec<Option<f64>> { (0..10).map(|_| Some(noise(&mut draws))).collect() };
            let (chosen, others): (_, Vec<_>) = (arm(), (0..7).map(|_| arm()).collect());
            let others: Vec<&[Option<f64>]> = others.iter().map(Vec::as_slice).collect();
            let found = judge(&chosen, &others, 1e-9);
            beaten += usize::from(found == Choice::Beaten);
            let is_below = |other: &&[Option<f64>]| {
                let ratios = log_ratios(other, &chosen);
                let interval = WalshAverages::of(&ratios).interval(Level::P95);
                interval.is_some_and(|interval| interval.high < 0.0)
            };
            naive += usize::from(others.iter().any(is_below));
        }
        assert!(beaten <= TIMES / 20, "{beaten} of {TIMES}");
        assert!(naive > TIMES / 10, "{naive} of {TIMES}");
    }
}
