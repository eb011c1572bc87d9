//! What may be said of the arms of a family: ratios, intervals, adjusted p values, and from
//! enough blocks on a verdict.
//!
//! A difference must be both *there* (adjusted p below 0.05) and *worth naming* (beyond δ). δ is
//! never smaller than what the placebo shows this machine to tell apart in this run, so a noisy
//! machine asks for larger differences instead of giving more false ones.

use super::paired::{WalshAverages, log_ratios, sign_flip_p};
use super::{Interval, Level, Safeguards, holm};

/// Verdicts need this many blocks.
pub const VERDICT_BLOCKS_MIN: usize = 10;
/// Indications, intervals and p values need this many.
pub const INTERVAL_BLOCKS_MIN: usize = 6;

const SIGNIFICANCE: f64 = 0.05;
/// δ is never smaller: no difference below 3 % is named.
pub const DELTA_MIN_RATIO: f64 = 0.03;

/// What is called equivalent may differ by no more than a quarter, however blunt the machine: δ grows
/// with the noise, without a limit, and within a δ of 250 % lies what nobody would call the same.
pub const EQUIVALENT_MAX_RATIO: f64 = 0.25;

/// An arm against the reference. Faster is better, whatever the metric's direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Better by more than δ.
    Faster,
    /// Worse by more than δ.
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
    /// Screening, from 6 to 9 blocks: `Faster` or `Slower` if the interval lies wholly outside
    /// ±δ, else `Inconclusive`. No p stands behind it.
    Indication(Verdict),
    /// Nothing is concluded.
    Withheld(Reason),
}

impl Conclusion {
    /// Whether it says, with whatever weight, that there is a difference.
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
    /// There is no interval of the placebo, hence no δ.
    NoPlacebo,
    /// The placebo differs from the reference although it *is* the reference: whatever moved it
    /// may have moved the others, and the family is shown grey.
    PlaceboDiffers,
    /// More than 40 % of the trials were disturbed.
    Disturbed,
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
            Reason::Disturbed => "disturbed",
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

/// How quiet the run was, by its noise signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Noise {
    /// Within the thresholds.
    Quiet,
    /// The idle machine already broke a threshold: δ doubles.
    Noisy,
    /// More than 40 % of the trials were disturbed: nothing is concluded.
    Disturbed,
}

/// What an arm delivered for one metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Observed<'a> {
    /// It failed: it gets no ratio, however good its surviving blocks look.
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

/// What has to be known besides the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Of the metric.
    pub better: Better,
    /// Of the run.
    pub noise: Noise,
    /// Of sampled sign flips, which only families of more than 24 blocks need.
    pub seed: u64,
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
    /// By sign flips, two-sided, from 6 blocks.
    pub p_value: Option<f64>,
    /// After Holm, over the arms of the family with its placebo.
    pub p_adjusted: Option<f64>,
    /// What may be said.
    pub conclusion: Conclusion,
}

/// All comparisons of one metric of one family.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// δ as a difference of log ratios; `None` without an interval of the placebo.
    pub delta_log: Option<f64>,
    /// The reference against itself. Its conclusion stays its own when it greys the family out.
    pub placebo: Comparison,
    /// In the order of [`FamilyValues::arms`].
    pub arms: Vec<Comparison>,
}

impl Judgement {
    /// δ as people read it: 0.03 is "3 % more".
    pub fn delta_ratio(&self) -> Option<f64> {
        self.delta_log.map(f64::exp_m1)
    }

    /// Whether the placebo differs from what it is, so that the family is shown grey.
    pub fn is_grey(&self) -> bool {
        self.placebo.conclusion.is_difference()
    }
}

/// Compares every arm of a family with the reference. The placebo counts among the arms that
/// Holm adjusts for: it can be wrong like any of them.
pub fn judge(family: &FamilyValues, settings: Settings, safeguards: Safeguards) -> Judgement {
    let effects: Vec<Effect> = std::iter::once(&family.placebo)
        .chain(&family.arms)
        .map(|arm| Effect::of(arm, &family.reference, settings.seed, safeguards))
        .collect();
    let mut p_adjusted = {
        let p_values: Vec<f64> = effects.iter().filter_map(|effect| effect.p_value).collect();
        holm::adjust(&p_values, safeguards).into_iter()
    };
    let delta_log = effects[0].interval.map(|placebo| delta_log(placebo, settings.noise));
    let mut comparisons: Vec<Comparison> =
        effects.iter().map(|effect| effect.compare(&mut p_adjusted, delta_log, settings)).collect();
    let placebo = comparisons.remove(0);
    if placebo.conclusion.is_difference() {
        comparisons.iter_mut().for_each(Comparison::grey_out);
    }
    Judgement { delta_log, placebo, arms: comparisons }
}

/// The smallest difference of log ratios worth naming: 3 %, or the half-width of the placebo's
/// interval where that is more; twice of it on a noisy machine.
fn delta_log(placebo: Interval, noise: Noise) -> f64 {
    let delta = placebo.half_width().max(DELTA_MIN_RATIO.ln_1p());
    match noise {
        Noise::Noisy => 2.0 * delta,
        Noise::Quiet | Noise::Disturbed => delta,
    }
}

/// A comparison before it is known how many others there are. All in log ratios.
struct Effect {
    n_blocks: usize,
    estimate: Option<f64>,
    interval: Option<Interval>,
    p_value: Option<f64>,
    /// Why there is no estimate, if one of the two failed.
    failed: Option<Reason>,
}

impl Effect {
    fn of(arm: &Observed, reference: &Observed, seed: u64, safeguards: Safeguards) -> Effect {
        match (arm, reference) {
            (_, Observed::Failed) => Effect::failed(Reason::ReferenceFailed),
            (Observed::Failed, _) => Effect::failed(Reason::ArmFailed),
            (Observed::Blocks(arm), Observed::Blocks(reference)) => {
                Effect::of_differences(&log_ratios(arm, reference, safeguards), seed)
            }
        }
    }

    fn failed(reason: Reason) -> Effect {
        Effect { n_blocks: 0, estimate: None, interval: None, p_value: None, failed: Some(reason) }
    }

    fn of_differences(differences: &[f64], seed: u64) -> Effect {
        let averages = WalshAverages::of(differences);
        let is_enough = differences.len() >= INTERVAL_BLOCKS_MIN;
        Effect {
            n_blocks: differences.len(),
            estimate: averages.estimate(),
            interval: averages.interval(Level::P95),
            p_value: is_enough.then(|| sign_flip_p(differences, seed)).flatten(),
            failed: None,
        }
    }

    /// Takes the next adjusted p if it has a p at all.
    fn compare(
        &self,
        p_adjusted: &mut impl Iterator<Item = f64>,
        delta_log: Option<f64>,
        settings: Settings,
    ) -> Comparison {
        let p_adjusted = self.p_value.and_then(|_| p_adjusted.next());
        Comparison {
            n_blocks: self.n_blocks,
            ratio: self.estimate.map(f64::exp),
            ratio_interval: self.interval.map(|interval| interval.map(f64::exp)),
            p_value: self.p_value,
            p_adjusted,
            conclusion: self.conclude(p_adjusted, delta_log, settings),
        }
    }

    fn conclude(&self, p: Option<f64>, delta: Option<f64>, settings: Settings) -> Conclusion {
        if let Some(reason) = self.failed {
            return Conclusion::Withheld(reason);
        }
        let (Some(estimate), Some(interval), Some(p)) = (self.estimate, self.interval, p) else {
            return Conclusion::Withheld(Reason::TooFewBlocks);
        };
        if settings.noise == Noise::Disturbed {
            return Conclusion::Withheld(Reason::Disturbed);
        }
        let Some(delta) = delta else {
            return Conclusion::Withheld(Reason::NoPlacebo);
        };
        let difference = Difference { n_blocks: self.n_blocks, estimate, interval, p_adjusted: p };
        difference.conclude(delta, settings.better)
    }
}

/// What is known of a difference of log ratios, of blocks that are enough for an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Difference {
    pub(super) n_blocks: usize,
    pub(super) estimate: f64,
    pub(super) interval: Interval,
    pub(super) p_adjusted: f64,
}

impl Difference {
    /// Verdict or indication, against a δ in log ratios.
    pub(super) fn conclude(&self, delta: f64, better: Better) -> Conclusion {
        let Difference { n_blocks, estimate, interval, p_adjusted } = *self;
        let direction = match better {
            Better::Lower if estimate < 0.0 => Verdict::Faster,
            Better::Higher if estimate > 0.0 => Verdict::Faster,
            _ => Verdict::Slower,
        };
        if n_blocks < VERDICT_BLOCKS_MIN {
            let is_outside = interval.low > delta || interval.high < -delta;
            return Conclusion::Indication(if is_outside {
                direction
            } else {
                Verdict::Inconclusive
            });
        }
        let same = delta.min(EQUIVALENT_MAX_RATIO.ln_1p());
        Conclusion::Verdict(if p_adjusted < SIGNIFICANCE && estimate.abs() > delta {
            direction
        } else if interval.low > -same && interval.high < same {
            Verdict::Equivalent
        } else {
            Verdict::Inconclusive
        })
    }
}

impl Comparison {
    /// Takes back what was concluded, keeping the numbers.
    fn grey_out(&mut self) {
        if !matches!(self.conclusion, Conclusion::Withheld(_)) {
            self.conclusion = Conclusion::Withheld(Reason::PlaceboDiffers);
        }
    }
}

#[cfg(test)]
mod tests;
