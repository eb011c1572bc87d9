//! After the grid: the highest rate at which each arm still meets the objective, looked for
//! between the rates of the grid. These trials are in no plan, because their rates follow from
//! measurements; they are recorded like all others, under a regime of their own.

use anyhow::Result;

use super::oracle::Oracle;
use super::trial::{self, Ran, Setting};
use crate::analysis::load_points::{Bracket, load_points};
use crate::experiment::{
    Arrivals, Experiment, Family, Load, Open, Rate, Role, Trial, WindowLength,
};
use crate::record::{Regime, TrialRow};
use crate::workload::fold;

/// A family of the grid at all its rates: one curve per arm.
#[derive(Debug, Clone)]
struct Curve {
    /// As at the first of its rates, without a rate in its id.
    family: Family,
    /// The ids of the families at all rates.
    grid: Vec<String>,
    open: Open,
}

/// Maximum number of trials of the search.
pub fn trials_max(experiment: &Experiment) -> usize {
    let trials = |curve: &Curve| curve.open.search_steps as usize * searched(&curve.family).count();
    curves(experiment).iter().map(trials).sum()
}

/// The arms that are searched: a placebo's limit is its reference's.
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
    bare.id = family.id.replacen(&rate, Regime::Search.name(), 1);
    // Any load, as long as it is the same for all rates.
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

/// A trial of the search.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its family, at its rate.
    pub family: Family,
    /// It. Its block is the round, from 1.
    pub trial: Trial,
    /// Trials of the search before it.
    pub done: usize,
    /// The capacity that rates are relative to, if they are.
    capacity_per_s: Option<f64>,
}

impl Step {
    /// The strategy that is tried.
    pub fn strategy(&self) -> &str {
        &self.family.arms[self.trial.arm].strategy
    }
}

/// The first trial of the search that is not in these rows; `None` when the search is over. In each
/// round every arm is tried once, so that a drift of the machine meets all arms alike.
pub fn next(experiment: &Experiment, rows: &[&TrialRow], seed: u64) -> Option<Step> {
    let mut done = 0;
    for curve in curves(experiment) {
        let of_grid = rows.iter().filter(|row| curve.grid.contains(&row.family_id));
        let mut known: Vec<&TrialRow> = of_grid.copied().collect();
        for round in 1..=curve.open.search_steps {
            for arm in searched(&curve.family) {
                let Some(rate_per_s) = next_rate(&curve.family, arm, &known) else {
                    continue;
                };
                let id = format!("s{:04}", done + 1);
                let is_it = |row: &&&TrialRow| row.regime == Regime::Search && row.trial_id == id;
                if let Some(row) = rows.iter().find(is_it) {
                    known.push(row);
                    done += 1;
                    continue;
                }
                // The same arrivals for all arms of a round, as far as their rates allow.
                let seed = fold(&[seed, u64::from(round)]);
                let trial = Trial { id, family: 0, arm, block: round, position: 1, seed };
                let capacity_per_s = match curve.open.rate {
                    Rate::PerSecond(_) => None,
                    Rate::OfBlocking { capacity_per_s, .. } => capacity_per_s,
                };
                let rate = Rate::PerSecond(rate_per_s);
                let load = Load::Open(Open { rate, ..curve.open });
                let family = Family { load, ..curve.family.clone() };
                return Some(Step { family, trial, done, capacity_per_s });
            }
        }
    }
    None
}

fn next_rate(family: &Family, arm: usize, rows: &[&TrialRow]) -> Option<f64> {
    let arm = &family.arms[arm];
    let options = crate::workload::options::render(&arm.options);
    Bracket::of(&load_points(rows.iter().copied()), &arm.strategy, &options)?.next_per_s()
}

/// Runs a trial of the search.
///
/// # Errors
/// The user interrupted, or the trial cannot be cleaned up.
pub fn run(setting: &Setting<'_>, step: &Step, oracle: &mut Oracle<'_>, seed: u64) -> Result<Ran> {
    let families = vec![step.family.clone()];
    let experiment = Experiment { families, ..setting.experiment.clone() };
    let setting = Setting { experiment: &experiment, ..*setting };
    let prepared = oracle.prepare_family(&step.family, seed)?;
    let mut ran = trial::run(&setting, &step.trial, &prepared)?;
    ran.row.regime = Regime::Search;
    if let Some(capacity_per_s) = step.capacity_per_s {
        ran.row.capacity_per_s = Some(capacity_per_s);
        ran.row.rate_of_capacity = ran.row.rate_per_s.map(|rate| rate / capacity_per_s);
    }
    Ok(ran)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::wire;
    use crate::record::{Placement, Regime, Status, Validity, YesNo};

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

    /// A trial of `pool` in the grid or the search, which meets its objective up to 60 requests/s.
    fn trial(id: &str, family: &Family, regime: &str, rate_per_s: f64) -> TrialRow {
        let pool = family.arms.iter().find(|arm| arm.strategy == "pool").unwrap();
        TrialRow {
            trial_id: id.into(),
            family_id: family.id.clone(),
            options: crate::workload::options::render(&pool.options),
            regime: Regime::by_name(regime).unwrap(),
            strategy: "pool".into(),
            role: Role::Arm,
            status: Status::Ok,
            validity: Validity::Valid,
            placement: Placement::Unpinned,
            arrivals: "poisson".into(),
            rate_per_s: Some(rate_per_s),
            slo: "p99<50ms".into(),
            n_offered: Some(1_000),
            n_in_time: Some(if rate_per_s > 60.0 { 0 } else { 1_000 }),
            saturated: Some(YesNo::No),
            throughput_per_s: Some(rate_per_s),
            ..TrialRow::default()
        }
    }

    #[test]
    fn search_follows_from_the_rows_alone() {
        let text = r#"
            name = "t"
            question = "q?"
            [[family]]
            workload = "noop"
            strategy = "pool"
            load = { open = { rate_per_s = [50, 80], search = 3 } }
        "#;
        let experiment = wire::parse(text, "t.toml", 2, 1).unwrap();
        assert_eq!(next(&experiment, &[], 1).map(|step| step.trial.id), None, "no rate was met");
        let [lower, upper] = &experiment.families[..] else { panic!("two rates are two families") };
        let mut rows = vec![trial("t1", lower, "open", 50.0), trial("t2", upper, "open", 80.0)];
        for number in 1..=3 {
            let step = next(&experiment, &rows.iter().collect::<Vec<_>>(), 1).unwrap();
            let again = next(&experiment, &rows.iter().collect::<Vec<_>>(), 1).unwrap();
            assert_eq!((&step.trial, &step.family), (&again.trial, &again.family));
            assert_eq!(
                (step.done, step.trial.id.as_str()),
                (number - 1, format!("s{number:04}").as_str())
            );
            assert_eq!(step.strategy(), "pool");
            let rate_per_s = step.family.load.open().unwrap().rate.per_s().unwrap();
            assert!(rate_per_s > 50.0 && rate_per_s < 80.0, "{rate_per_s}");
            rows.push(trial(&step.trial.id, &step.family, Regime::Search.name(), rate_per_s));
        }
        assert!(
            next(&experiment, &rows.iter().collect::<Vec<_>>(), 1).is_none(),
            "three steps were asked for"
        );
    }
}
