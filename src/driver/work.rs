//! The work of a millisecond, for workloads that count theirs in it: measured once per run and
//! runtime before anything else, so that all arms and all blocks do the same, also in a resumed run.

use anyhow::Result;

use super::oracle::Oracle;
use super::recorder::Recorder;
use super::run::Order;
use crate::experiment::{Experiment, Family};
use crate::record::{self, CalibrationRow, Status};
use crate::workload::options;

/// In `calibration.csv`.
const PURPOSE: &str = "work";

/// The experiment with all work counted in the measured unit. Units in `measured`, of the same
/// run before it was cut short, are not measured again.
///
/// # Errors
/// A subject could not measure it, or a row could not be written.
pub fn calibrated(
    order: &Order<'_>,
    measured: &[CalibrationRow],
    oracle: &mut Oracle<'_>,
    recorder: &mut Recorder,
) -> Result<Experiment> {
    for row in measured.iter().filter(|row| row.purpose == PURPOSE) {
        if let Some(value) = options::parse(&row.workload_options).into_values().next() {
            oracle.learn(&row.workload, &row.runtime, value);
        }
    }
    let mut experiment = order.experiment.clone();
    for (index, family) in experiment.families.iter_mut().enumerate() {
        if order.unavailable.is_whole_family(index) {
            continue;
        }
        let known = oracle.units();
        family.spec = oracle.calibrate(&family.spec, Some(&family.runtime))?;
        if oracle.units() > known {
            let row = row(&recorder.run_id, oracle.units(), family)?;
            recorder.dir.append_calibration(&row)?;
        }
    }
    Ok(experiment)
}

fn row(run_id: &str, number: usize, family: &Family) -> Result<CalibrationRow> {
    let unit = family.spec.workload().map_err(anyhow::Error::msg)?.calibrated_option();
    let mut options = family.spec.options.clone();
    options.retain(|name, _| Some(name.as_str()) == unit);
    Ok(CalibrationRow {
        run_id: run_id.to_owned(),
        calibration_id: format!("w{number:04}"),
        purpose: PURPOSE.to_owned(),
        runtime: family.runtime.clone(),
        workload: family.spec.workload.clone(),
        workload_options: options::render(&options),
        size: family.spec.size.name().to_owned(),
        placement: family.placement,
        strategy: "blocking".to_owned(),
        started_utc: record::utc_now(),
        status: Status::Ok,
        ..CalibrationRow::default()
    })
}
