//! The arms of a family against its reference: ratios, intervals, p values, and from enough blocks on
//! a verdict.
//!
//! A verdict follows from the interval of the ratio alone: `faster` and `slower` need all of it
//! beyond δ, `equivalent` all of it within δ. δ is the smallest difference that matters in
//! practice. It is fixed before the run and does not grow with the noise, which the interval
//! already contains. p is shown, and decides nothing: adjusted for many arms, one bad block of the
//! reference would silence a whole family.

use super::paired::{WalshAverages, log_ratios};
use super::{Interval, Level, holm};

/// Verdicts need this many blocks.
pub const VERDICT_BLOCKS_MIN: usize = 10;
/// Indications, intervals and p values need this many.
pub const INTERVAL_BLOCKS_MIN: usize = 6;

/// Equivalent arms differ by a quarter at most, even if the user sets a larger δ.
pub const EQUIVALENT_MAX_RATIO: f64 = 0.25;

/// An arm against the reference. `Faster` is better for every metric, throughput as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The whole interval lies beyond δ, on the good side.
    Faster,
    /// The whole interval lies beyond δ, on the bad side.
    Slower,
    /// The whole interval lies within δ of no difference, and within [`EQUIVALENT_MAX_RATIO`].
    Equivalent,
    /// None of these could be shown.
    Inconclusive,
}

impl Verdict {
    /// As in `comparisons.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Faster => "faster",
            Verdict::Slower => "slower",
            Verdict::Equivalent => "equivalent",
            Verdict::Inconclusive => "inconclusive",
        }
    }

    /// Whether it says that there is a difference.
    pub fn is_difference(self) -> bool {
        matches!(self, Verdict::Faster | Verdict::Slower)
    }
}

/// How far a comparison carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Conclusion {
    /// From 10 blocks.
    Verdict(Verdict),
    /// Screening, from 6 to 9 blocks, by the same rule.
    Indication(Verdict),
    /// Nothing is concluded.
    Withheld(Reason),
}

impl Conclusion {
    /// Whether a verdict or an indication says that there is a difference.
    pub fn is_difference(self) -> bool {
        match self {
            Conclusion::Verdict(verdict) | Conclusion::Indication(verdict) => {
                verdict.is_difference()
            }
            Conclusion::Withheld(_) => false,
        }
    }
}

/// Why nothing is concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The arm failed; it has no ratio either.
    ArmFailed,
    /// The reference failed; nothing has a ratio.
    ReferenceFailed,
    /// Fewer than 6 blocks have both values.
    TooFewBlocks,
    /// There is no interval of the placebo, so nothing checked the family.
    NoPlacebo,
    /// The placebo differs from the reference although it *is* the reference: the cause may have
    /// moved the others as well, and the family is shown grey.
    PlaceboDiffers,
}

impl Reason {
    /// As a flag in rows.
    pub fn name(self) -> &'static str {
        match self {
            Reason::ArmFailed => "arm_failed",
            Reason::ReferenceFailed => "reference_failed",
            Reason::TooFewBlocks => "too_few_blocks",
            Reason::NoPlacebo => "no_placebo",
            Reason::PlaceboDiffers => "placebo_differs",
        }
    }
}

/// Which direction of a metric is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Better {
    /// Latencies, memory, CPU.
    Lower,
    /// Throughput.
    Higher,
}

/// An arm's values of one metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Observed<'a> {
    /// It failed: it gets no ratio, even if its other blocks look good.
    Failed,
    /// One value per block, by block number; `None` where there is no valid one.
    Blocks(&'a [Option<f64>]),
}

/// One metric of one family.
#[derive(Debug, Clone, PartialEq)]
pub struct FamilyValues<'a> {
    /// What all others are divided by.
    pub reference: Observed<'a>,
    /// The reference a second time.
    pub placebo: Observed<'a>,
    /// The others, in the order in which their comparisons are wanted.
    pub arms: Vec<Observed<'a>>,
}

/// How values are judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Of the metric.
    pub better: Better,
    /// The smallest difference that matters, above 0: 0.03 for 3 %.
    pub delta_ratio: f64,
}

/// One arm against the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Blocks in which both have a value.
    pub n_blocks: usize,
    /// Arm over reference, by Hodges and Lehmann; `None` if one of them failed or no block has
    /// both.
    pub ratio: Option<f64>,
    /// Of the ratio, at 95 %, from 6 blocks.
    pub ratio_interval: Option<Interval>,
    /// Of the signed-rank test that the interval inverts, two-sided, from 6 blocks.
    pub p_value: Option<f64>,
    /// After Holm, over the arms of the family with its placebo.
    pub p_adjusted: Option<f64>,
    /// The conclusion, or why there is none.
    pub conclusion: Conclusion,
}

/// All comparisons of one metric of one family.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The reference against itself. Its conclusion stays its own when it greys the family out.
    pub placebo: Comparison,
    /// In the order of [`FamilyValues::arms`].
    pub arms: Vec<Comparison>,
}

impl Judgement {
    /// Whether the placebo has an interval, so that the family is checked.
    pub fn is_checked(&self) -> bool {
        self.placebo.ratio_interval.is_some()
    }

    /// Whether the placebo differs from what it is, so that the family is shown grey: its whole
    /// interval lies beyond δ. Then its own p is below 0.05 as well, since the interval inverts that
    /// test.
    pub fn is_grey(&self) -> bool {
        self.placebo.conclusion.is_difference()
    }
}

/// Compares every arm of a family with the reference. The placebo counts among the arms that
/// Holm adjusts for: it can be wrong like any of them.
pub fn judge(family: &FamilyValues, settings: Settings) -> Judgement {
    let arms = std::iter::once(&family.placebo).chain(&family.arms);
    let effects: Vec<Result<Effect, Reason>> =
        arms.map(|arm| Effect::of(arm, &family.reference)).collect();
    let p_values: Vec<f64> = effects.iter().flatten().filter_map(|effect| effect.p_value).collect();
    let mut p_adjusted = holm::adjust(&p_values).into_iter();
    let is_checked = effects[0].as_ref().is_ok_and(|placebo| placebo.interval.is_some());
    let mut comparisons: Vec<Comparison> = effects
        .into_iter()
        .map(|effect| match effect {
            Ok(effect) => effect.compare(&mut p_adjusted, is_checked, settings),
            Err(reason) => Comparison::withheld(reason),
        })
        .collect();
    let placebo = comparisons.remove(0);
    if placebo.conclusion.is_difference() {
        comparisons.iter_mut().for_each(Comparison::grey_out);
    }
    Judgement { placebo, arms: comparisons }
}

/// An arm against another by block, before it is known how many others there are. All in log
/// ratios.
pub(super) struct Effect {
    pub(super) n_blocks: usize,
    estimate: Option<f64>,
    /// At 95 %, from 6 blocks.
    pub(super) interval: Option<Interval>,
    /// From 6 blocks.
    pub(super) p_value: Option<f64>,
}

impl Effect {
    fn of(arm: &Observed, reference: &Observed) -> Result<Effect, Reason> {
        match (arm, reference) {
            (_, Observed::Failed) => Err(Reason::ReferenceFailed),
            (Observed::Failed, _) => Err(Reason::ArmFailed),
            (Observed::Blocks(arm), Observed::Blocks(reference)) => {
                Ok(Effect::of_blocks(arm, reference))
            }
        }
    }

    /// Of the blocks in which both have a value.
    pub(super) fn of_blocks(arm: &[Option<f64>], reference: &[Option<f64>]) -> Effect {
        let differences = log_ratios(arm, reference);
        let averages = WalshAverages::of(&differences);
        let is_enough = differences.len() >= INTERVAL_BLOCKS_MIN;
        Effect {
            n_blocks: differences.len(),
            estimate: averages.estimate(),
            interval: averages.interval(Level::P95),
            p_value: averages.p_value().filter(|_| is_enough),
        }
    }

    /// Takes the next adjusted p if it has a p at all.
    fn compare(
        &self,
        p_adjusted: &mut impl Iterator<Item = f64>,
        is_checked: bool,
        settings: Settings,
    ) -> Comparison {
        let delta_log = settings.delta_ratio.ln_1p();
        Comparison {
            n_blocks: self.n_blocks,
            ratio: self.estimate.map(f64::exp),
            ratio_interval: self.interval.map(|interval| interval.map(f64::exp)),
            p_value: self.p_value,
            p_adjusted: self.p_value.and_then(|_| p_adjusted.next()),
            conclusion: match self.interval {
                None => Conclusion::Withheld(Reason::TooFewBlocks),
                Some(_) if !is_checked => Conclusion::Withheld(Reason::NoPlacebo),
                Some(interval) => conclude(self.n_blocks, interval, delta_log, settings.better),
            },
        }
    }
}

/// The rule: verdict or indication of a difference of log ratios, by its interval at 95 % and a δ
/// in log ratios above 0.
pub(super) fn conclude(
    n_blocks: usize,
    interval: Interval,
    delta_log: f64,
    better: Better,
) -> Conclusion {
    let same = delta_log.min(EQUIVALENT_MAX_RATIO.ln_1p());
    let (less, more) = match better {
        Better::Lower => (Verdict::Faster, Verdict::Slower),
        Better::Higher => (Verdict::Slower, Verdict::Faster),
    };
    let verdict = if interval.high < -delta_log {
        less
    } else if interval.low > delta_log {
        more
    } else if interval.low > -same && interval.high < same {
        Verdict::Equivalent
    } else {
        Verdict::Inconclusive
    };
    match n_blocks {
        VERDICT_BLOCKS_MIN.. => Conclusion::Verdict(verdict),
        _ => Conclusion::Indication(verdict),
    }
}

impl Comparison {
    fn withheld(reason: Reason) -> Comparison {
        Comparison {
            n_blocks: 0,
            ratio: None,
            ratio_interval: None,
            p_value: None,
            p_adjusted: None,
            conclusion: Conclusion::Withheld(reason),
        }
    }

    /// Withdraws the conclusion and keeps the numbers.
    fn grey_out(&mut self) {
        if !matches!(self.conclusion, Conclusion::Withheld(_)) {
            self.conclusion = Conclusion::Withheld(Reason::PlaceboDiffers);
        }
    }
}

#[cfg(test)]
mod tests;
