//! Families and arms of a run, found by what claims say of them.

use super::{ArmOf, Evidence, FamilyOf, LoadOf};
use crate::options::{self, Options, resolve_cores};
use crate::record::TrialRow;
use crate::report::analyse::Analysed;
use crate::report::grouped::ArmRows;
use crate::report::provenance;
use crate::workload::{self, Workload};

impl<'a> Evidence<'a> {
    /// The one family of this kind that has a trial.
    pub(super) fn family(&self, of: &FamilyOf, runtime: &str) -> Result<&'a Analysed<'a>, String> {
        let cores = provenance::cores(self.run).and_then(|cores| u32::try_from(cores).ok());
        let wanted = Resolved::of(of, cores)?;
        let is_it = |family: &&Analysed<'_>| {
            let first = family.rows.rows.first();
            first.is_some_and(|row| row.runtime == runtime && wanted.is(row))
        };
        let mut found = self.families.iter().filter(is_it);
        match (found.next(), found.next()) {
            (Some(family), None) => Ok(family),
            (None, _) => Err("no trial of this run is of this family".to_owned()),
            (Some(_), Some(_)) => Err("several families of this run are of this kind".to_owned()),
        }
    }
}

/// The arm's place in its family.
pub(super) fn place(family: &Analysed<'_>, of: &ArmOf) -> Result<usize, String> {
    let is_it = |arm: &ArmRows<'_>| {
        let own = options::parse(&arm.key.options);
        let has = |(name, value): (&String, &String)| own.get(name) == Some(value);
        arm.key.name == of.strategy
            && arm.key.role_name() != "placebo"
            && of.options.iter().all(has)
    };
    let arms = family.rows.arms.iter().enumerate();
    let mut found = arms.filter(|(_, arm)| is_it(arm)).map(|(place, _)| place);
    match (found.next(), found.next()) {
        (Some(place), None) => Ok(place),
        (None, _) => Err("no arm of the family is of this strategy".to_owned()),
        (Some(_), Some(_)) => Err("several arms of the family are of this strategy".to_owned()),
    }
}

/// A family on the machine of a run: nothing is a multiple of its cores any more.
struct Resolved<'f> {
    of: &'f FamilyOf,
    workload: &'static dyn Workload,
    options: Options,
    callers: Option<u32>,
}

impl Resolved<'_> {
    fn of(of: &FamilyOf, cores: Option<u32>) -> Result<Resolved<'_>, String> {
        let workload = workload::by_name(&of.workload).ok_or("there is no such workload")?;
        let is_multiple = |text: &String| text.ends_with('x');
        let callers = match &of.load {
            LoadOf::Callers(callers) => Some(callers),
            LoadOf::Open { .. } => None,
        };
        if cores.is_none() && callers.into_iter().chain(of.options.values()).any(is_multiple) {
            return Err("the run does not say how many cores it had".to_owned());
        }
        let cores = cores.unwrap_or(1);
        let options = options::resolve(workload.options(), &of.options, cores);
        Ok(Resolved {
            of,
            workload,
            options: options.map_err(|error| error.to_string())?,
            callers: callers
                .and_then(|callers| resolve_cores(callers, cores))
                .and_then(|callers| u32::try_from(callers).ok()),
        })
    }

    fn is(&self, row: &TrialRow) -> bool {
        let of = self.of;
        let is_loaded = match &of.load {
            LoadOf::Callers(_) => row.regime == "closed" && row.callers == self.callers,
            LoadOf::Open { share, probe } => {
                row.regime == "open" && row.rate_of_capacity == Some(*share) && row.probe == *probe
            }
        };
        is_loaded
            && row.workload == of.workload
            && of.size.as_ref().is_none_or(|size| row.size == *size)
            && of.payload_bytes.is_none_or(|bytes| row.payload_bytes == bytes)
            && self.has_options(row)
            && row.ballast_bytes == 0
            && matches!(row.placement.as_str(), "" | "unpinned")
    }

    /// Texts are paths and dates: places in a run, and no factors.
    fn has_options(&self, row: &TrialRow) -> bool {
        let own = options::parse(&row.workload_options);
        let mut defs = self.workload.options().iter();
        defs.all(|def| {
            let is_text = matches!(def.values, options::Values::Text);
            let wanted = self.options.get(def.name);
            is_text || own.get(def.name).is_none_or(|value| Some(value) == wanted)
        })
    }
}
