//! What the machine did while a run measured, over time: `noise.csv` in so many steps as a chart
//! can show, beside what trials say of themselves.

use std::collections::BTreeMap;

use crate::record::{NoiseRow, Run, TrialRow};

use super::human;

/// Steps of the timeline at most.
const STEPS: usize = 200;

/// A run's noise in steps of equal length.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Timeline {
    /// Length of a step.
    pub(super) step_ns: u64,
    /// One per step: whether a trial ran in it that was disturbed.
    pub(super) is_disturbed: Vec<bool>,
    /// Disturbed trials.
    pub(super) disturbed: usize,
    pub(super) lanes: Vec<Lane>,
}

/// One signal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lane {
    pub(super) name: &'static str,
    /// How a step's value comes about.
    pub(super) note: &'static str,
    pub(super) unit: Unit,
    /// One per step; `None` where it is not counted.
    pub(super) values: Vec<Option<f64>>,
    /// Above this a trial is disturbed.
    pub(super) limit: Option<f64>,
}

/// What the values of a lane are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A share of all processors' time, 0 to 1.
    Share,
    /// ns.
    Time,
}

impl Lane {
    /// A value for people.
    pub(super) fn shown(&self, value: f64) -> String {
        self.tick()(value)
    }

    /// Its axis' labels.
    pub(super) fn tick(&self) -> fn(f64) -> String {
        match self.unit {
            Unit::Share => human::percent,
            Unit::Time => human::duration_tick,
        }
    }
}

/// `None` without rows.
pub(super) fn timeline(run: &Run, rows: &[NoiseRow]) -> Option<Timeline> {
    let (step_ns, steps) = steps(rows)?;
    let trials: BTreeMap<&str, &TrialRow> =
        run.trials.iter().map(|trial| (trial.trial_id.as_str(), trial)).collect();
    let of_step = |step: &[&NoiseRow]| -> Vec<&TrialRow> {
        step.iter().filter_map(|row| trials.get(row.trial_id.as_str()).copied()).collect()
    };
    let is_disturbed = |row: &TrialRow| row.noise_label == "disturbed";
    let foreign = |step: &[&NoiseRow]| {
        of_step(step).iter().filter_map(|row| row.noise_foreign_cpu_ratio).reduce(f64::max)
    };
    Some(Timeline {
        step_ns,
        is_disturbed: steps
            .iter()
            .map(|step| of_step(step).into_iter().any(is_disturbed))
            .collect(),
        disturbed: run.trials.iter().filter(|row| is_disturbed(row)).count(),
        lanes: lanes(run, &steps, &foreign),
    })
}

/// Equal lengths of time, and the rows that end in each; `None` without rows.
fn steps(rows: &[NoiseRow]) -> Option<(u64, Vec<Vec<&NoiseRow>>)> {
    let (first, last) = (rows.first()?, rows.last()?);
    let start_ns = first.t_ns.saturating_sub(first.interval_ns);
    let length_ns = (last.t_ns - start_ns).max(1);
    let step_ns = length_ns.div_ceil(STEPS.min(rows.len()) as u64).max(1);
    let n = length_ns.div_ceil(step_ns) as usize;
    let mut steps: Vec<Vec<&NoiseRow>> = vec![Vec::new(); n];
    for row in rows {
        let place = (row.t_ns - start_ns).saturating_sub(1) / step_ns;
        if let Some(step) = steps.get_mut(place as usize) {
            step.push(row);
        }
    }
    Some((step_ns, steps))
}

fn lanes(
    run: &Run,
    steps: &[Vec<&NoiseRow>],
    foreign: &dyn Fn(&[&NoiseRow]) -> Option<f64>,
) -> Vec<Lane> {
    let each = |value: &dyn Fn(&[&NoiseRow]) -> Option<f64>| -> Vec<Option<f64>> {
        steps.iter().map(|step| value(step)).collect()
    };
    let limit = |signal: &str| {
        let thresholds = run.environment.facts.get("noise_thresholds")?;
        thresholds.get(signal)?.get("disturbed")?.as_f64()
    };
    vec![
        Lane {
            name: "foreign CPU",
            note: "share of all processors that other programs used, per trial",
            unit: Unit::Share,
            values: each(foreign),
            limit: limit("foreign_cpu"),
        },
        Lane {
            name: "steal",
            note: "share of all processors that the hypervisor gave to others",
            unit: Unit::Share,
            values: each(&steal),
            limit: limit("steal"),
        },
        Lane {
            name: "longest pause",
            note: "nothing ran, and no run queue explains it",
            unit: Unit::Time,
            values: each(&pause),
            limit: limit("vm_pause"),
        },
    ]
}

fn steal(step: &[&NoiseRow]) -> Option<f64> {
    let time: u64 = step.iter().map(|row| row.interval_ns.saturating_mul(row.cpus.into())).sum();
    let steal: Option<u64> = step.iter().map(|row| row.steal_ns).sum();
    (time > 0).then_some(())?;
    Some(steal? as f64 / time as f64)
}

fn pause(step: &[&NoiseRow]) -> Option<f64> {
    step.iter().filter_map(|row| row.vm_pause_ns).max().map(|ns| ns as f64)
}
