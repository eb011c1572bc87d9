//! What vectors cannot pin: how often intervals hold the truth, how often equal arms are called
//! different, and that each safeguard is needed. Experiments are simulated from fixed seeds, in
//! the full counts, and the counts are asserted.

use super::safeguards::{Safeguard, holds};
use super::seeded::Seeded;
use super::verdict::{Better, FamilyValues, Judgement, Observed, Settings, judge};
use crate::experiment::DELTA_RATIO;

mod across;
mod coverage;
mod guard;
mod modes;
mod outliers;
mod queueing;
mod stopping;
pub(crate) mod switch;

/// Draws from the distributions that simulations need.
pub(crate) struct Draws(Seeded);

impl Draws {
    pub(crate) fn new(seed: u64) -> Draws {
        Draws(Seeded::new(seed))
    }

    /// In 0 to 1, both excluded.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Mean 1.
    fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// Mean 0, standard deviation 1 (Box and Muller; the second of the pair is not kept).
    fn normal(&mut self) -> f64 {
        let angle = std::f64::consts::TAU * self.uniform();
        (2.0 * self.exponential()).sqrt() * angle.cos()
    }

    /// A stationary series with mean 0, standard deviation 1 and this lag-1 autocorrelation.
    fn autoregressive(&mut self, count: usize, correlation: f64) -> Vec<f64> {
        let innovation = (1.0 - correlation * correlation).sqrt();
        let mut state = self.normal();
        (0..count)
            .map(|_| {
                let now = state;
                state = correlation * state + innovation * self.normal();
                now
            })
            .collect()
    }
}

/// A machine on which one family is measured.
pub(crate) struct Machine {
    /// By how much the last trial is slower than the first.
    ramp: f64,
    /// Standard deviation of the logarithm of the slow drift from trial to trial.
    wander: f64,
    /// Standard deviation of the logarithm of each trial's own noise.
    noise: f64,
}

/// A shared machine on a bad day: a third slower at the end, wandering by 5 %.
pub(crate) const DRIFTING: Machine = Machine { ramp: 0.3, wander: 0.05, noise: 0.02 };

impl Machine {
    /// The values by arm and block of arms with these true latencies. With interleaving each
    /// block runs all arms in a random order, without it each arm runs all its blocks on end.
    pub(crate) fn measure(
        &self,
        arms: &[f64],
        blocks: usize,
        draws: &mut Draws,
    ) -> Vec<Vec<Option<f64>>> {
        let trials = arms.len() * blocks;
        let wandering = draws.autoregressive(trials, 0.95);
        let mut values = vec![vec![None; blocks]; arms.len()];
        for (trial, (arm, block)) in schedule(arms.len(), blocks, draws).into_iter().enumerate() {
            let ramp = 1.0 + self.ramp * trial as f64 / (trials - 1) as f64;
            let log = self.wander * wandering[trial] + self.noise * draws.normal();
            values[arm][block] = Some(arms[arm] * ramp * log.exp());
        }
        values
    }
}

/// `(arm, block)` of each trial in order of time.
fn schedule(arms: usize, blocks: usize, draws: &mut Draws) -> Vec<(usize, usize)> {
    if !holds(Safeguard::Interleaving) {
        return (0..arms).flat_map(|arm| (0..blocks).map(move |block| (arm, block))).collect();
    }
    let mut trials = Vec::with_capacity(arms * blocks);
    for block in 0..blocks {
        let mut order: Vec<usize> = (0..arms).collect();
        for last in (1..arms).rev() {
            order.swap(last, draws.0.index(last + 1));
        }
        trials.extend(order.into_iter().map(|arm| (arm, block)));
    }
    trials
}

/// The judgement over a family: values by arm, the reference first, the placebo second.
pub(crate) fn judge_values(values: &[Vec<Option<f64>>]) -> Judgement {
    let family = FamilyValues {
        reference: Observed::Blocks(&values[0]),
        placebo: Observed::Blocks(&values[1]),
        arms: values[2..].iter().map(|arm| Observed::Blocks(arm)).collect(),
    };
    judge(&family, Settings { better: Better::Lower, delta_ratio: DELTA_RATIO })
}
