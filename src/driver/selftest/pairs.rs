//! Arms that differ only in what a check varies, compared as a run compares its own: fresh
//! subjects in the planner's order, a p50 each, judged by block.

use anyhow::{Context, Result, ensure};

use super::bench::{Bench, Service};
use crate::driver::samples::Time;
use crate::experiment::DELTA_RATIO;
use crate::experiment::{plan, wire};
use crate::stats::verdict::{Better, FamilyValues, Judgement, Observed, Settings, judge};

/// The results of trials.
#[derive(Debug, Clone)]
pub struct Blocks {
    /// By arm and block, in ns: reference, placebo, and the arm if there is one.
    pub by_arm: Vec<Vec<Option<f64>>>,
    /// In the order in which they were run.
    pub in_time: Vec<f64>,
}

/// A family with this number of arms besides the reference and the placebo, 0 or 1. Its strategies
/// only make it plan that many: each check decides what the arms do.
fn family(others: usize) -> String {
    let strategy = if others == 0 { "blocking" } else { "thread" };
    format!(
        "name = \"selftest\"\nquestion = \"\"\n[[family]]\nworkload = \"spin\"\n\
         strategy = \"{strategy}\"\nload = {{ closed = {{ callers = 1 }} }}\n"
    )
}

/// Runs trials: `p50_ns` is given the number of trials before, and the arm.
///
/// # Errors
/// A trial failed.
pub fn measure(
    others: usize,
    blocks: u32,
    seed: u64,
    mut p50_ns: impl FnMut(usize, usize) -> Result<u64>,
) -> Result<Blocks> {
    let experiment = wire::parse(&family(others), "selftest", 1, seed)?;
    let arms = experiment.families.first().map_or(0, |f| f.arms.len());
    ensure!(arms == 2 + others, "a family of {arms} arms was planned");
    let mut measured =
        Blocks { by_arm: vec![vec![None; blocks as usize]; arms], in_time: Vec::new() };
    for trial in plan::plan(&experiment, blocks, seed) {
        let value = p50_ns(measured.in_time.len(), trial.arm)? as f64;
        measured.by_arm[trial.arm][trial.block as usize - 1] = Some(value);
        measured.in_time.push(value);
    }
    Ok(measured)
}

/// The p50 of one trial with one caller, in ns.
///
/// # Errors
/// It failed.
pub fn p50_ns(bench: &mut Bench<'_>, service: &Service) -> Result<u64> {
    let measured = bench.closed(service, bench.extent.trial_window_ns)?;
    measured.samples.quantile(Time::Response, 0.5).context("no request was answered ok")
}

/// The conclusion of a run.
pub fn conclude(by_arm: &[Vec<Option<f64>>]) -> Judgement {
    let [reference, placebo, arms @ ..] = by_arm else {
        unreachable!("a family has a reference and a placebo")
    };
    judge(
        &FamilyValues {
            reference: Observed::Blocks(reference),
            placebo: Observed::Blocks(placebo),
            arms: arms.iter().map(|arm| Observed::Blocks(arm)).collect(),
        },
        Settings { better: Better::Lower, delta_ratio: DELTA_RATIO },
    )
}

/// The middle one of some values; NaN of none.
pub fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
