//! The needs of open loops: the blocking capacity, which rates are shares of, and the
//! unloaded response of `blocking`, which the default objective is a multiple of. Both are found
//! by closed loops, before the first trial of the same run.

use anyhow::Result;

use super::noise::judge::Group;
use super::oracle::Oracle;
use super::recorder::Recorder;
use super::trial::{self, Setting};
use crate::experiment::{Arm, Experiment, Family, Load, Preset, Rate, Role, Slo, Trial};
use crate::record::{CalibrationRow, TrialRow};
use crate::strategy;
use crate::workload::options;

/// The strategy whose capacity is meant.
const BLOCKING: &str = "blocking";

/// Enough that the loop never waits for a request.
const CAPACITY_CALLERS: u32 = 4;

/// Trials per purpose, of which the median counts; one in a run of one block, which compares
/// nothing.
const TRIALS: u32 = 3;

/// The measured quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Capacity,
    Unloaded,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Purpose::Capacity => "capacity",
            Purpose::Unloaded => "unloaded",
        }
    }

    fn callers(self) -> u32 {
        match self {
            Purpose::Capacity => CAPACITY_CALLERS,
            Purpose::Unloaded => 1,
        }
    }
}

/// The results for one family; `None` where `blocking` does not work.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    capacity_per_s: Option<f64>,
    unloaded_p50_ns: Option<u64>,
}

/// The experiment with every rate and objective that can be known. A rate that stays unknown,
/// because `blocking` does not work, becomes a skipped trial. Trials in `measured`, of the same run
/// before it was cut short, are not made again: its rates must stay what they were.
///
/// # Errors
/// The user interrupted (then [`super::target::TargetError::Interrupted`] is inside), a row could
/// not be written, or a right answer could not be found out.
pub fn calibrated(
    setting: &Setting<'_>,
    slo: Option<Slo>,
    measured: &[CalibrationRow],
    oracle: &mut Oracle<'_>,
    seed: u64,
    recorder: &mut Recorder,
) -> Result<Experiment> {
    let mut experiment = setting.experiment.clone();
    let mut known: Vec<(Family, Found)> = Vec::new();
    let mut calibration = Calibration { setting, measured, oracle, seed, recorder, trials: 0 };
    for family in &mut experiment.families {
        let Some(mut open) = family.load.open().copied() else {
            continue;
        };
        let alike = alike(family);
        let found = match known.iter().find(|(other, _)| *other == alike) {
            Some((_, found)) => *found,
            None => {
                let found = calibration.find(&alike)?;
                known.push((alike, found));
                found
            }
        };
        if let Rate::OfBlocking { share, .. } = open.rate {
            open.rate = Rate::OfBlocking { share, capacity_per_s: found.capacity_per_s };
        }
        open.slo = slo.or(found.unloaded_p50_ns.map(Slo::of_unloaded));
        family.load = Load::Open(open);
    }
    Ok(experiment)
}

/// The family without all that calibration does not depend on, and `blocking` as its one arm.
fn alike(family: &Family) -> Family {
    let defs = strategy::by_name(BLOCKING).map_or(&[][..], |kind| kind.options);
    let options = options::resolve(defs, &options::Options::new(), 1).unwrap_or_default();
    Family {
        id: "calibration".to_owned(),
        load: Load::Closed { callers: 1 },
        arms: vec![Arm { strategy: BLOCKING.to_owned(), options, role: Role::Reference }],
        ..family.clone()
    }
}

struct Calibration<'a, 'o> {
    setting: &'a Setting<'a>,
    measured: &'a [CalibrationRow],
    oracle: &'a mut Oracle<'o>,
    seed: u64,
    recorder: &'a mut Recorder,
    /// Trials so far.
    trials: u32,
}

impl Calibration<'_, '_> {
    fn find(&mut self, family: &Family) -> Result<Found> {
        let n = if self.setting.preset.blocks > 1 { TRIALS } else { 1 };
        let mut capacities = Vec::new();
        let mut responses = Vec::new();
        // In turns, so that a drift of the machine meets both alike.
        for _ in 0..n {
            capacities.extend(self.trial(family, Purpose::Capacity)?.throughput_per_s);
            responses.extend(self.trial(family, Purpose::Unloaded)?.response_p50_ns);
        }
        capacities.sort_unstable_by(f64::total_cmp);
        responses.sort_unstable();
        Ok(Found {
            capacity_per_s: capacities.get(capacities.len() / 2).copied(),
            unloaded_p50_ns: responses.get(responses.len() / 2).copied(),
        })
    }

    fn trial(&mut self, family: &Family, purpose: Purpose) -> Result<CalibrationRow> {
        self.trials += 1;
        let id = format!("c{:04}", self.trials);
        if let Some(row) = self.measured.iter().find(|row| row.calibration_id == id) {
            return Ok(row.clone());
        }
        let load = Load::Closed { callers: purpose.callers() };
        let experiment = Experiment {
            families: vec![Family { load, ..family.clone() }],
            ..self.setting.experiment.clone()
        };
        let preset = unhurried(self.setting.preset);
        let setting = Setting { experiment: &experiment, preset, ..*self.setting };
        let trial = Trial { id, family: 0, arm: 0, block: 0, position: 0, seed: self.seed };
        let prepared = self.oracle.prepare_family(family, self.seed)?;
        self.recorder.monitor.before_trial(Group::Calibration(self.trials));
        let mut row = trial::run(&setting, &trial, &prepared)?.row;
        self.recorder.watched(&mut row)?;
        let row = calibration_row(row, purpose);
        self.recorder.dir.append_calibration(&row)?;
        Ok(row)
    }
}

/// The preset with windows as long as those of open loops at least: all rates of a run follow
/// from these few trials, and a processor's speed changes from one tenth of a second to the next.
fn unhurried(preset: Preset) -> Preset {
    let [shortest_ns, longest_ns] = preset.open_window_ns;
    Preset {
        min_window_ns: preset.min_window_ns.max(shortest_ns),
        max_window_ns: preset.max_window_ns.max(longest_ns),
        ..preset
    }
}

fn calibration_row(row: TrialRow, purpose: Purpose) -> CalibrationRow {
    CalibrationRow {
        run_id: row.run_id,
        calibration_id: row.trial_id,
        purpose: purpose.name().to_owned(),
        runtime: row.runtime,
        workload: row.workload,
        workload_options: row.workload_options,
        size: row.size,
        payload_bytes: row.payload_bytes,
        ballast_bytes: row.ballast_bytes,
        placement: row.placement,
        strategy: row.strategy,
        callers: row.callers,
        started_utc: row.started_utc,
        status: row.status,
        reason: row.reason,
        window_ns: row.window_ns,
        n_ok: row.n_ok,
        throughput_per_s: row.throughput_per_s,
        response_p50_ns: row.response_p50_ns,
        noise_label: row.noise_label,
        noise_flags: row.noise_flags,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::wire;

    #[test]
    fn families_that_differ_in_rate_or_strategies_share_a_calibration() {
        let text = r#"
            name = "t"
            question = "q?"
            [[family]]
            workload = "noop"
            strategy = "pool"
            load = { open = { rate = [0.5, 0.8], of = "blocking-capacity" } }
            [[family]]
            workload = "noop"
            strategy = "thread"
            load = { open = { rate_per_s = 5, probe = "strategy" } }
            [[family]]
            workload = "noop"
            payload_bytes = 64
            strategy = "thread"
            load = { open = { rate_per_s = 5 } }
        "#;
        let families = wire::parse(text, "t.toml", 2, 1).unwrap().families;
        assert_eq!(alike(&families[0]), alike(&families[1]));
        assert_eq!(alike(&families[0]), alike(&families[2]));
        assert_ne!(alike(&families[0]), alike(&families[3]));
    }
}
