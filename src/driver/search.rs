//! After the grid: the highest rate at which each arm still meets the objective, looked for
//! between the rates of the grid. These trials are in no plan, because their rates follow from
//! what was measured; they are recorded like all others, under a regime of their own.

use anyhow::Result;

use super::oracle::Oracle;
use super::target::TargetError;
use super::trial::{self, Ran, Setting};
use crate::analysis::load_points::{Bracket, load_points};
use crate::experiment::{
    Arrivals, Experiment, Family, Load, Open, Rate, Role, Trial, WindowLength,
};
use crate::record::{SEARCH, TrialRow};
use crate::workload::fold;

/// One family of the grid's, at all its rates: what is on one curve per arm.
#[derive(Debug, Clone)]
struct Curve {
    /// As at the first of its rates, without a rate in its id.
    family: Family,
    /// The ids of the families at all rates.
    grid: Vec<String>,
    open: Open,
}

/// How many trials a search makes at most.
pub fn trials_max(experiment: &Experiment) -> usize {
    let trials = |curve: &Curve| curve.open.search_steps as usize * searched(&curve.family).count();
    curves(experiment).iter().map(trials).sum()
}

/// The arms that are looked at: a placebo's limit is its reference's.
fn searched(family: &Family) -> impl Iterator<Item = usize> {
    let arms = family.arms.iter().enumerate();
    arms.filter(|(_, arm)| arm.role != Role::Placebo).map(|(index, _)| index)
}

fn curves(experiment: &Experiment) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    for family in &experiment.families {
        let Some(&open) = family.load.open() else {
            continue;
        };
        if open.search_steps == 0 || open.probe.is_some() {
            continue;
        }
        let bare = without_rate(family, open.arrivals);
        match curves.iter_mut().find(|curve| curve.family == bare) {
            Some(curve) => curve.grid.push(family.id.clone()),
            None => curves.push(Curve { family: bare, grid: vec![family.id.clone()], open }),
        }
    }
    curves
}

/// The family under an id that names no rate: `…-open0.5cap` becomes `…-search`.
fn without_rate(family: &Family, arrivals: Arrivals) -> Family {
    let rate = family.load.open().map(|open| open.rate.label());
    let rate = format!("open{}", rate.unwrap_or_default());
    let mut bare = family.clone();
    bare.id = family.id.replacen(&rate, SEARCH, 1);
    // Any load will do, so long as it is the same for all rates.
    bare.load = Load::Open(Open {
        rate: Rate::PerSecond(1.0),
        arrivals,
        probe: None,
        window: WindowLength::AsNeeded,
        search_steps: 0,
        slo: None,
    });
    bare
}

/// A trial of the search that is to be run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step<'a> {
    /// Id of its family.
    pub family_id: &'a str,
    /// Its strategy.
    pub strategy: &'a str,
    /// In which round, from 1.
    pub round: u32,
    /// Trials of the search before it.
    pub done: usize,
}

/// Runs the search: `steps` rounds, in each of which every arm is tried once, so that a drift of
/// the machine meets all arms alike. Trials of the search among `rows` were made before the run was
/// cut short; the rates of the others follow from them as they would have. `proceed` is asked
/// before each trial, and `record` is given each that was run.
///
/// # Errors
/// The user interrupted, or what `record` says.
pub fn search(
    setting: &Setting<'_>,
    rows: &[TrialRow],
    oracle: &mut Oracle<'_>,
    seed: u64,
    mut proceed: impl FnMut(Step<'_>) -> Result<bool>,
    mut record: impl FnMut(Ran) -> Result<()>,
) -> Result<()> {
    let before: Vec<&TrialRow> = rows.iter().filter(|row| row.regime == SEARCH).collect();
    let mut done = 0;
    for curve in curves(setting.experiment) {
        let mut rows: Vec<TrialRow> =
            rows.iter().filter(|row| curve.grid.contains(&row.family_id)).cloned().collect();
        for round in 1..=curve.open.search_steps {
            for arm in searched(&curve.family) {
                let family = &curve.family;
                let strategy = family.arms[arm].strategy.as_str();
                let Some(rate_per_s) = next_rate(family, arm, &rows) else {
                    continue;
                };
                let id = format!("s{:04}", done + 1);
                if let Some(row) = before.iter().find(|row| row.trial_id == id) {
                    done += 1;
                    rows.push((*row).clone());
                    continue;
                }
                let step = Step { family_id: &family.id, strategy, round, done };
                if !proceed(step)? {
                    return Ok(());
                }
                done += 1;
                let trial = Trial {
                    id,
                    family: 0,
                    arm,
                    block: round,
                    position: 1,
                    // The same arrivals for all arms of a round, as far as their rates allow.
                    seed: fold(&[seed, u64::from(round)]),
                };
                let ran = try_rate(setting, &curve, &trial, rate_per_s, oracle, seed)?;
                rows.push(ran.row.clone());
                record(ran)?;
            }
        }
    }
    Ok(())
}

fn next_rate(family: &Family, arm: usize, rows: &[TrialRow]) -> Option<f64> {
    let arm = &family.arms[arm];
    let options = crate::workload::options::render(&arm.options);
    Bracket::of(&load_points(rows), &arm.strategy, &options)?.next_per_s()
}

fn try_rate(
    setting: &Setting<'_>,
    curve: &Curve,
    trial: &Trial,
    rate_per_s: f64,
    oracle: &mut Oracle<'_>,
    seed: u64,
) -> Result<Ran> {
    let experiment = Experiment {
        families: vec![Family {
            load: Load::Open(Open { rate: Rate::PerSecond(rate_per_s), ..curve.open }),
            ..curve.family.clone()
        }],
        ..setting.experiment.clone()
    };
    let setting = Setting { experiment: &experiment, ..*setting };
    let prepared = oracle.prepare_family(&curve.family, seed)?;
    let mut ran = trial::run(&setting, trial, &prepared).map_err(|error: TargetError| error)?;
    ran.row.regime = SEARCH.to_owned();
    if let Some(capacity_per_s) = capacity(&curve.open) {
        ran.row.capacity_per_s = Some(capacity_per_s);
        ran.row.rate_of_capacity = Some(rate_per_s / capacity_per_s);
    }
    Ok(ran)
}

fn capacity(open: &Open) -> Option<f64> {
    match open.rate {
        Rate::PerSecond(_) => None,
        Rate::OfBlocking { capacity_per_s, .. } => capacity_per_s,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::wire;

    #[test]
    fn the_rates_of_a_family_are_one_curve_and_each_arm_is_searched_once() {
        let text = r#"
            name = "t"
            question = "q?"
            [[family]]
            workload = "noop"
            strategy = ["blocking", "pool", "fork"]
            load = { open = { rate = [0.5, 0.8], of = "blocking-capacity", search = 4 } }
            [[family]]
            workload = "noop"
            strategy = "pool"
            load = { open = { rate_per_s = [5, 6], arrivals = "constant" } }
        "#;
        let experiment = wire::parse(text, "t.toml", 2, 1).unwrap();
        let curves = curves(&experiment);
        assert_eq!(curves.len(), 1, "a search is made where one is asked for");
        assert_eq!(curves[0].family.id, "noop-0B-rust-search");
        assert_eq!(curves[0].grid, ["noop-0B-rust-open0.5cap", "noop-0B-rust-open0.8cap"]);
        assert_eq!(trials_max(&experiment), 4 * 3);
    }
}
