//! `forkbench run --resume DIR`: what to run is read from the run's own files.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Parser;

use super::run::{RunArgs, Shown, measure, watched};
use super::{Cli, Command, Failure, here, picture};
use crate::driver::run::{Order, Refused, Unavailable};
use crate::experiment::{Experiment, Preset, filter, plan, wire};
use crate::record::{self, Manifest, PlanRow, RecordError, Run};
use crate::workload::options;

/// Goes on with the run in `dir`, and shows all of it.
///
/// # Errors
/// Bad input: no run, one of a newer forkbench, or one that cannot be continued here. Otherwise
/// the run failed.
pub(super) fn resume(dir: &Path, shown: Shown) -> Result<(), Failure> {
    let subject = here::subject_program().map_err(Failure::BadInput)?;
    let _watcher = watched(&subject);
    let begun = Begun::read(dir, subject).map_err(Failure::BadInput)?;
    let order = begun.order(dir);
    measure(&order, &begun.asked.selection.filters, shown).map_err(|error| {
        let in_use = matches!(error.downcast_ref(), Some(RecordError::InUse { .. }));
        if in_use || error.is::<Refused>() {
            Failure::BadInput(error)
        } else {
            Failure::Failed(error)
        }
    })
}

/// A run as its files say that it was begun.
struct Begun {
    manifest: Manifest,
    experiment: Experiment,
    toml: String,
    preset: Preset,
    asked: RunArgs,
    subject: PathBuf,
    programs: std::collections::BTreeMap<String, crate::driver::programs::SubjectProgram>,
}

impl Begun {
    fn read(dir: &Path, subject: PathBuf) -> Result<Begun> {
        let Run { manifest, plan: planned, .. } = record::read(dir)?;
        let path = dir.join("experiment.toml");
        let toml = record::read_experiment(dir)?;
        let name = path.display().to_string();
        let experiment = wire::parse(&toml, &name, here::cores(), manifest.seed)?;
        let asked = asked(&manifest)?;
        let mut experiments = [experiment];
        if let Some(image) = &asked.selection.image {
            picture::replace(&mut experiments, image)?;
        }
        let [experiment] = experiments;
        let mut experiment = as_planned(experiment, &planned);
        plan::check_size(&experiment, manifest.blocks).map_err(anyhow::Error::msg)?;
        filter::keep_demonstrations(&asked.selection.filters, &mut experiment);
        Ok(Begun {
            preset: preset(&manifest)?,
            programs: here::programs(&experiment),
            subject,
            manifest,
            experiment,
            toml,
            asked,
        })
    }

    fn order(&self, dir: &Path) -> Order<'_> {
        Order {
            experiment: &self.experiment,
            toml: &self.toml,
            preset: self.preset,
            slo: self.asked.slo,
            memory_budget_bytes: self.manifest.memory_budget_bytes,
            delta_ratio: self.manifest.delta_ratio,
            seed: self.manifest.seed,
            subject: &self.subject,
            programs: &self.programs,
            arguments: &self.manifest.arguments,
            out: dir.to_owned(),
            resume: true,
            unavailable: Unavailable::of(&self.experiment, here::unavailable, here::lacking),
        }
    }
}

/// The arguments that the run was begun with.
fn asked(manifest: &Manifest) -> Result<RunArgs> {
    let line = ["forkbench"].into_iter().map(str::to_owned);
    let line = line.chain(manifest.arguments.iter().cloned());
    match Cli::try_parse_from(line) {
        Ok(Cli { command: Command::Run(args) }) => Ok(args),
        _ => bail!(
            "its manifest.json says that it was begun as `forkbench {}`, which is no run that \
             this forkbench knows; continue it with the one that began it",
            manifest.arguments.join(" ")
        ),
    }
}

/// The preset with what the manifest says of this run.
fn preset(manifest: &Manifest) -> Result<Preset> {
    let Some(mut preset) = Preset::by_name(&manifest.preset) else {
        bail!("its preset `{}` is none of this forkbench", manifest.preset);
    };
    preset.blocks = manifest.blocks;
    preset.budget_ns = manifest.budget_ns;
    if let Some(windows) = manifest.windows {
        preset.min_window_ns = windows.min_window_ns;
        preset.min_requests = windows.min_requests;
        preset.max_window_ns = windows.max_window_ns;
        preset.warm_up_ns = windows.warm_up_ns;
        preset.open_window_ns = windows.open_window_ns;
    }
    Ok(preset)
}

/// What filters left of the experiment, as the plan shows it: they may have named what only
/// other experiments of the same command line have.
fn as_planned(mut experiment: Experiment, plan: &[PlanRow]) -> Experiment {
    for family in &mut experiment.families {
        let id = family.id.clone();
        family.arms.retain(|arm| {
            let options = options::render(&arm.options);
            plan.iter().any(|row| {
                row.family_id == id
                    && row.role == arm.role.name()
                    && row.strategy == arm.strategy
                    && row.options == options
            })
        });
    }
    experiment.families.retain(|family| !family.arms.is_empty());
    experiment
}
