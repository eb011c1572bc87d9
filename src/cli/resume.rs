//! `forkbench run --resume DIR`: what to run is read from the run's own files.

use std::path::Path;

use anyhow::{Result, bail};
use clap::Parser;

use super::run::{Output, RunArgs, measure, watched};
use super::{Cli, Command, Failure, here, picture};
use crate::driver::run::{Order, Refused, Unavailable};
use crate::experiment::{Experiment, Preset, filter, plan, wire};
use crate::record::{self, Manifest, PlanRow, RecordError, Run};
use crate::workload::options;

/// Continues the run in `dir`, and shows all of it.
///
/// # Errors
/// Bad input: no run, one of a newer forkbench, or one that cannot be continued here. Otherwise
/// the run failed.
pub fn resume(dir: &Path, output: Output) -> Result<(), Failure> {
    let subject = here::subject_program().map_err(Failure::BadInput)?;
    let _watcher = watched(&subject);
    let Run { manifest, plan, .. } =
        record::read(dir).map_err(|error| Failure::BadInput(error.into()))?;
    let begun = || -> Result<_> {
        let toml = record::read_experiment(dir)?;
        let asked = asked(&manifest)?;
        let experiment = experiment(dir, &toml, &manifest, &plan, &asked)?;
        Ok((toml, asked, experiment, preset(&manifest)?))
    };
    let (toml, asked, experiment, preset) = begun().map_err(Failure::BadInput)?;
    let order = Order {
        experiment: &experiment,
        toml: &toml,
        preset,
        slo: asked.slo,
        memory_budget_bytes: manifest.memory_budget_bytes,
        delta_ratio: manifest.delta_ratio,
        seed: manifest.seed,
        subject: &subject,
        programs: &here::programs(&experiment),
        arguments: &manifest.arguments,
        out: dir.to_owned(),
        resume: true,
        unavailable: Unavailable::of(&experiment, here::unavailable, here::lacking),
    };
    measure(&order, &asked.selection.filters, output).map_err(|error| {
        let in_use = matches!(error.downcast_ref(), Some(RecordError::InUse { .. }));
        if in_use || error.is::<Refused>() {
            Failure::BadInput(error)
        } else {
            Failure::Failed(error)
        }
    })
}

/// The experiment as it was planned.
fn experiment(
    dir: &Path,
    toml: &str,
    manifest: &Manifest,
    plan: &[PlanRow],
    asked: &RunArgs,
) -> Result<Experiment> {
    let path = dir.join("experiment.toml").display().to_string();
    let mut experiments = [wire::parse(toml, &path, here::cores(), manifest.seed)?];
    if let Some(image) = &asked.selection.image {
        picture::replace(&mut experiments, image)?;
    }
    let [mut experiment] = experiments;
    keep_planned(&mut experiment, plan);
    plan::check_size(&experiment, manifest.blocks).map_err(anyhow::Error::msg)?;
    filter::keep_demonstrations(&asked.selection.filters, &mut experiment);
    Ok(experiment)
}

/// The arguments of the run's first start.
fn asked(manifest: &Manifest) -> Result<RunArgs> {
    let line = ["forkbench"].into_iter().map(str::to_owned);
    let line = line.chain(manifest.arguments.iter().cloned());
    match Cli::try_parse_from(line) {
        Ok(Cli { command: Command::Run(args) }) => Ok(args),
        _ => bail!(
            "its manifest.json has the command line `forkbench {}`, which this forkbench does not \
             know; continue it with the forkbench that began it",
            manifest.arguments.join(" ")
        ),
    }
}

/// The preset with the run's own blocks, budget and windows.
fn preset(manifest: &Manifest) -> Result<Preset> {
    let Some(mut preset) = Preset::by_name(&manifest.preset) else {
        bail!("unknown preset `{}` in its manifest.json", manifest.preset);
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

/// Leaves the arms that are in the plan. The filters alone do not tell: they may have named what
/// only other experiments of the same command line have.
fn keep_planned(experiment: &mut Experiment, plan: &[PlanRow]) {
    for family in &mut experiment.families {
        let id = &family.id;
        family.arms.retain(|arm| {
            let options = options::render(&arm.options);
            let is_arm = |row: &PlanRow| {
                row.role == arm.role && row.strategy == arm.strategy && row.options == options
            };
            plan.iter().any(|row| row.family_id == *id && is_arm(row))
        });
    }
    experiment.families.retain(|family| !family.arms.is_empty());
}
