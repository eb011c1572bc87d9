//! How much work a millisecond is, for workloads that count theirs in it: measured once per run and
//! runtime before anything else, so that all arms and all blocks do the same, a run that is
//! resumed included.

use std::collections::BTreeMap;

use anyhow::Result;

use super::oracle::Oracle;
use crate::experiment::{Arm, Experiment, Family};
use crate::record::{self, CalibrationRow, RunDir};
use crate::workload::options;

/// In `calibration.csv`.
const PURPOSE: &str = "work";

/// The experiment with all work counted in what was measured. What `measured` knows of the same
/// run before it was cut short is not measured again.
///
/// # Errors
/// A subject could not measure it, or a row could not be written.
pub(super) fn calibrated(
    experiment: &Experiment,
    run_id: &str,
    unavailable: fn(&Family, &Arm) -> Option<String>,
    measured: &[CalibrationRow],
    oracle: &mut Oracle<'_>,
    dir: &mut RunDir,
) -> Result<Experiment> {
    let mut experiment = experiment.clone();
    let own = measured.iter().filter(|row| row.purpose == PURPOSE);
    let mut known: BTreeMap<(String, String), String> = own
        .filter_map(|row| {
            let option = crate::workload::by_name(&row.workload)?.calibrated_option()?;
            let value = options::parse(&row.workload_options).remove(option)?;
            Some(((row.workload.clone(), row.runtime.clone()), value))
        })
        .collect();
    for family in &mut experiment.families {
        let workload = family.spec.workload().map_err(anyhow::Error::msg)?;
        let Some(option) = workload.calibrated_option() else {
            continue;
        };
        let is_given = family.spec.options.get(option).is_some_and(|value| value != "0");
        if is_given || family.arms.iter().all(|arm| unavailable(family, arm).is_some()) {
            continue;
        }
        let key = (family.spec.workload.clone(), family.runtime.clone());
        if let Some(value) = known.get(&key) {
            family.spec.options.insert(option.to_owned(), value.clone());
            continue;
        }
        family.spec = oracle.calibrate(&family.spec, Some(&family.runtime))?;
        let value = family.spec.options.get(option).cloned().unwrap_or_default();
        known.insert(key, value.clone());
        let options = [(option.to_owned(), value)].into();
        dir.append_calibration(&row(run_id, known.len(), family, &options))?;
    }
    Ok(experiment)
}

fn row(run_id: &str, number: usize, family: &Family, options: &options::Options) -> CalibrationRow {
    CalibrationRow {
        run_id: run_id.to_owned(),
        calibration_id: format!("w{number:04}"),
        purpose: PURPOSE.to_owned(),
        runtime: family.runtime.clone(),
        workload: family.spec.workload.clone(),
        workload_options: options::render(options),
        size: family.spec.size.name().to_owned(),
        placement: family.placement.name().to_owned(),
        strategy: "blocking".to_owned(),
        started_utc: record::utc_now(),
        status: "ok".to_owned(),
        ..CalibrationRow::default()
    }
}
