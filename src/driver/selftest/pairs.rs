//! Arms that differ in nothing but what a check wants, compared as a run compares its own: fresh
//! subjects in the planner's order, a p50 each, judged by block.

use anyhow::{Context, Result, ensure};

use super::bench::Bench;
use crate::driver::samples::Time;
use crate::experiment::DELTA_RATIO;
use crate::experiment::{plan, wire};
use crate::stats::verdict::{Better, FamilyValues, Judgement, Observed, Settings, judge};

/// What trials came to.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    /// By arm and block, in ns: reference, placebo, and the arm if there is one.
    pub(super) by_arm: Vec<Vec<Option<f64>>>,
    /// In the order in which they were run.
    pub(super) in_time: Vec<f64>,
}

/// A family with so many arms besides the reference and the placebo, 0 or 1. Its strategies only
/// make it plan that many: what the arms do is the check's.
fn family(others: usize) -> String {
    let strategy = if others == 0 { "blocking" } else { "thread" };
    format!(
        "name = \"selftest\"\nquestion = \"\"\n[[family]]\nworkload = \"spin\"\n\
         strategy = \"{strategy}\"\nload = {{ closed = {{ callers = 1 }} }}\n"
    )
}

/// Runs trials: `p50_ns` is told how many were before, and of which arm this one is.
///
/// # Errors
/// A trial failed.
pub(super) fn measure(
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

/// The p50 of one trial of a workload under `blocking`, with one caller, in ns.
///
/// # Errors
/// It failed.
pub(super) fn p50_ns(
    bench: &mut Bench<'_>,
    workload: &str,
    options: &[(&str, &str)],
) -> Result<u64> {
    let service = super::bench::Service::blocking(workload, options);
    let measured = bench.closed(&service, bench.extent.trial_window_ns)?;
    let p50 = measured.samples.quantile(Time::Response, 0.5);
    p50.context("no request was answered ok")
}

/// What a run would conclude.
pub(super) fn conclude(by_arm: &[Vec<Option<f64>>]) -> Judgement {
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
