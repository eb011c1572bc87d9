//! Families and arms of a run, by the names that claims give them.

use super::claims::{ArmOf, Family};
use super::measure::Evidence;
use crate::analysis::cells::Analysed;
use crate::record::{Placement, Regime, Role, TrialRow};
use crate::workload;
use crate::workload::options::{self, Options, resolve_cores};

/// The one family of this kind that has a trial.
pub fn family<'a>(
    evidence: Evidence<'a>,
    of: &Family,
    runtime: &str,
) -> Result<&'a Analysed<'a>, String> {
    let workload = workload::by_name(&of.workload).ok_or("there is no such workload")?;
    let cores = crate::analysis::cores(evidence.run).and_then(|cores| u32::try_from(cores).ok());
    let is_multiple = |text: &String| text.ends_with('x');
    if cores.is_none() && of.callers.iter().chain(of.options.values()).any(is_multiple) {
        return Err("the run does not say how many cores it had".to_owned());
    }
    let cores = cores.unwrap_or(1);
    let options = options::resolve(workload.options(), &of.options, cores);
    let options = options.map_err(|error| error.to_string())?;
    let callers = of.callers.as_ref().and_then(|callers| resolve_cores(callers, cores));
    let is_it = |family: &&Analysed<'_>| {
        let first = family.rows.rows.first();
        first.is_some_and(|row| row.runtime == runtime && is_of(row, of, &options, callers))
    };
    the_only(
        evidence.families.iter().filter(is_it),
        "this run has no trial of this family",
        "this run has several families of this kind",
    )
}

/// The arm's place in its family.
pub fn arm(family: &Analysed<'_>, of: &ArmOf) -> Result<usize, String> {
    let is_it = |place: &usize| {
        let key = &family.rows.arms[*place].key;
        let own = options::parse(&key.options);
        key.name == of.strategy
            && key.role() != Role::Placebo
            && of.options.iter().all(|(name, value)| own.get(name) == Some(value))
    };
    the_only(
        (0..family.rows.arms.len()).filter(is_it),
        "the family has no arm of this strategy",
        "the family has several arms of this strategy",
    )
}

fn the_only<T>(mut found: impl Iterator<Item = T>, none: &str, several: &str) -> Result<T, String> {
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(none.to_owned()),
        (Some(_), Some(_)) => Err(several.to_owned()),
    }
}

/// Whether a trial is of this family, whose multiples of the cores are resolved.
fn is_of(row: &TrialRow, of: &Family, options: &Options, callers: Option<u64>) -> bool {
    let is_loaded = match of.share {
        None => row.regime == Regime::Closed && row.callers.map(u64::from) == callers,
        Some(share) => {
            row.regime == Regime::Open
                && row.rate_of_capacity == Some(share)
                && row.probe == of.probe
        }
    };
    is_loaded
        && row.workload == of.workload
        && of.size.as_ref().is_none_or(|size| row.size == *size)
        && of.payload_bytes.is_none_or(|bytes| row.payload_bytes == bytes)
        && has_options(row, &of.workload, options)
        && row.ballast_bytes == 0
        && row.placement == Placement::Unpinned
}

/// Options that are texts name paths and dates of a run, and are no factors.
fn has_options(row: &TrialRow, workload: &str, wanted: &Options) -> bool {
    let own = options::parse(&row.workload_options);
    let mut defs =
        workload::by_name(workload).map_or(&[][..], |workload| workload.options()).iter();
    defs.all(|def| {
        let is_text = matches!(def.values, options::Values::Text);
        is_text || own.get(def.name).is_none_or(|value| Some(value) == wanted.get(def.name))
    })
}
