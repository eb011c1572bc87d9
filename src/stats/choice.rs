//! Whether an arm that was chosen by one run is a good choice in another: there, it is compared
//! with each of the others in the same block.
//!
//! Which of the others is the best is known only from the very blocks that it is tested by, and
//! the luckiest of many looks better than it is. So the choice is not tested against that one
//! alone, but against each, as in a family against its reference: that *some* other is better is
//! adjusted for their number, and that *none* is better must be shown of every one, which needs no
//! adjustment (Berger, *Multiparameter Hypothesis Testing and Acceptance Sampling*, 1982). The
//! choice itself was made by other blocks and is no luck of these.

use super::paired::{WalshAverages, log_ratios};
use super::verdict::{INTERVAL_BLOCKS_MIN, VERDICT_BLOCKS_MIN};
use super::{Interval, Level, Safeguards, holm};

/// What may be said of the choice.
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

/// p below it is no chance.
const SIGNIFICANCE: f64 = 0.05;

/// Values by block of what was chosen and of all others; lower is better.
pub fn judge(
    chosen: &[Option<f64>],
    others: &[&[Option<f64>]],
    delta_log: f64,
    safeguards: Safeguards,
) -> Choice {
    let differences = others.iter().map(|other| log_ratios(other, chosen, safeguards));
    let known: Vec<Other> = differences.filter_map(|d| Other::of(&d)).collect();
    if known.is_empty() {
        return Choice::TooFewBlocks;
    }
    let p_values: Vec<f64> = known.iter().map(|other| other.p_value).collect();
    let p_adjusted = holm::adjust(&p_values, safeguards);
    let better = |other: &&Other| other.interval.high < -delta_log;
    let mut judged = known.iter().zip(p_adjusted);
    if judged.any(|(other, p)| other.is_enough() && better(&other) && p < SIGNIFICANCE) {
        return Choice::Beaten;
    }
    if known.iter().filter(better).any(|other| !other.is_enough()) {
        return Choice::MaybeBeaten;
    }
    let is_no_better = |other: &Other| other.is_enough() && other.interval.low > -delta_log;
    if known.len() == others.len() && known.iter().all(is_no_better) {
        return Choice::AsGood;
    }
    Choice::Inconclusive
}

/// Another arm against the choice.
struct Other {
    n_blocks: usize,
    /// Of the log ratio, at 95 %.
    interval: Interval,
    /// Not adjusted yet.
    p_value: f64,
}

impl Other {
    /// `None` from too few blocks.
    fn of(differences: &[f64]) -> Option<Other> {
        if differences.len() < INTERVAL_BLOCKS_MIN {
            return None;
        }
        let averages = WalshAverages::of(differences);
        Some(Other {
            n_blocks: differences.len(),
            interval: averages.interval(Level::P95)?,
            p_value: averages.p_value()?,
        })
    }

    /// For a verdict.
    fn is_enough(&self) -> bool {
        self.n_blocks >= VERDICT_BLOCKS_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let found = judge(&blocks(n, 1.0, 0), &others, DELTA, Safeguards::ALL_ON);
        assert_eq!(found, expected, "{n} blocks, {others:?}");
    }

    #[test]
    fn one_that_is_better_is_enough_and_all_must_be_no_better() {
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
    fn one_that_is_not_known_may_be_better() {
        let (chosen, slow, few) = (blocks(12, 1.0, 0), blocks(12, 1.5, 1), blocks(4, 1.5, 2));
        let others: [&[Option<f64>]; 2] = [&slow, &few];
        let found = judge(&chosen, &others, DELTA, Safeguards::ALL_ON);
        assert_eq!(found, Choice::Inconclusive);
    }

    /// Of equal arms, some other looks better by luck. Against the luckiest alone, by its own
    /// interval, one would say so far too often; δ is as good as none here, so that it cannot help.
    #[test]
    fn a_choice_among_equals_is_rarely_called_beaten() {
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
            let found = judge(&chosen, &others, 1e-9, Safeguards::ALL_ON);
            beaten += usize::from(found == Choice::Beaten);
            let is_below = |other: &&[Option<f64>]| {
                let ratios = log_ratios(other, &chosen, Safeguards::ALL_ON);
                let interval = WalshAverages::of(&ratios).interval(Level::P95);
                interval.is_some_and(|interval| interval.high < 0.0)
            };
            naive += usize::from(others.iter().any(is_below));
        }
        assert!(beaten <= TIMES / 20, "{beaten} of {TIMES}");
        assert!(naive > TIMES / 10, "{naive} of {TIMES}");
    }
}
