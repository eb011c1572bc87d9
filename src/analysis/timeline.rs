//! What the machine did while a run measured, over time: `noise.csv` in as many steps as a chart can
//! show, with the disturbed trials.

use std::collections::BTreeMap;

use super::cells::is_disturbed;
use crate::record::{NoiseRow, Run, TrialRow};

/// Maximum steps of the timeline.
const STEPS: usize = 200;

/// A run's noise in steps of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// Length of a step.
    pub step_ns: u64,
    /// One per step: whether a disturbed trial ran in it.
    pub is_disturbed: Vec<bool>,
    /// Disturbed trials.
    pub disturbed: usize,
    /// One per signal.
    pub lanes: Vec<Lane>,
}

/// One signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// Name of the signal.
    pub name: &'static str,
    /// How a step's value is made.
    pub note: &'static str,
    /// Unit of the values.
    pub unit: Unit,
    /// One per step; `None` where it is not counted.
    pub values: Vec<Option<f64>>,
    /// Above this a trial is disturbed.
    pub limit: Option<f64>,
}

/// Unit of a lane's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A share of all processors' time, 0 to 1.
    Share,
    /// ns.
    Time,
}

/// `None` without rows.
pub fn timeline(run: &Run, rows: &[NoiseRow]) -> Option<Timeline> {
    let (step_ns, steps) = steps(rows)?;
    let trials: BTreeMap<&str, &TrialRow> =
        run.trials.iter().map(|trial| (trial.trial_id.as_str(), trial)).collect();
    let trials_of = |step: &[&NoiseRow]| -> Vec<&TrialRow> {
        step.iter().filter_map(|row| trials.get(row.trial_id.as_str()).copied()).collect()
    };
    let is_hit = |step: &Vec<&NoiseRow>| trials_of(step).into_iter().any(is_disturbed);
    let foreign = |step: &[&NoiseRow]| {
        trials_of(step).iter().filter_map(|row| row.noise_foreign_cpu_ratio).reduce(f64::max)
    };
    let limit = |signal: &str| {
        let thresholds = run.environment.facts.get("noise_thresholds")?;
        thresholds.get(signal)?.get("disturbed")?.as_f64()
    };
    let lane = |name, note, unit, signal: &str, value: &dyn Fn(&[&NoiseRow]) -> Option<f64>| Lane {
        name,
        note,
        unit,
        values: steps.iter().map(|step| value(step)).collect(),
        limit: limit(signal),
    };
    let foreign_note = "share of all processors that other programs used, per trial";
    let steal_note = "share of all processors that the hypervisor gave to others";
    let pause_note = "nothing ran, and no run queue explains it";
    Some(Timeline {
        step_ns,
        is_disturbed: steps.iter().map(is_hit).collect(),
        disturbed: run.trials.iter().filter(|row| is_disturbed(row)).count(),
        lanes: vec![
            lane("foreign CPU", foreign_note, Unit::Share, "foreign_cpu", &foreign),
            lane("steal", steal_note, Unit::Share, "steal", &steal),
            lane("longest pause", pause_note, Unit::Time, "vm_pause", &pause),
        ],
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

fn steal(step: &[&NoiseRow]) -> Option<f64> {
    let time: u64 = step.iter().map(|row| row.interval_ns.saturating_mul(row.cpus.into())).sum();
    let steal: Option<u64> = step.iter().map(|row| row.steal_ns).sum();
    (time > 0).then_some(())?;
    Some(steal? as f64 / time as f64)
}

fn pause(step: &[&NoiseRow]) -> Option<f64> {
    step.iter().filter_map(|row| row.vm_pause_ns).max().map(|ns| ns as f64)
}
