//! A whole run: plans, makes or reopens the directory, runs trial after trial, keeps to its
//! budget.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::leftovers;
use super::noise::Monitor;
use super::oracle::Oracle;
use super::private;
use super::programs::SubjectProgram;
use super::recorder::Recorder;
use super::target::{TargetError, subject_environment};
use super::trial::Setting;
use super::{calibrate, search, work};
use crate::experiment::{Arm, Experiment, Family, Preset, Slo, Trial, plan};
use crate::record::{Environment, PlanRow, RunDir};
use crate::sys::clock::now_ns;
use crate::sys::process;

mod before;
pub mod budget;
mod demonstrations;
mod resume;
mod runner;

use before::{environment, manifest};
use budget::Budget;
use resume::Past;
pub use resume::Refused;
use runner::Runner;

/// A run as it was asked for.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    /// What.
    pub experiment: &'a Experiment,
    /// The text it was read from.
    pub toml: &'a str,
    /// How much, with the blocks and budget that were asked for.
    pub preset: Preset,
    /// The objective of open loops, instead of the default.
    pub slo: Option<Slo>,
    /// The memory that a pool is to fit into, for the report.
    pub memory_budget_bytes: Option<u64>,
    /// δ of the report: the smallest difference that matters.
    pub delta_ratio: f64,
    /// Of inputs and orders.
    pub seed: u64,
    /// The Rust subject, which also writes the inputs and knows the right answers.
    pub subject: &'a Path,
    /// The program of each runtime's subject that is available here.
    pub programs: &'a BTreeMap<String, SubjectProgram>,
    /// The command line after the program's name.
    pub arguments: &'a [String],
    /// The run's directory, which must not exist, unless it is resumed.
    pub out: PathBuf,
    /// Whether the directory holds the beginning of this very run. Experiment, preset and seed
    /// are then those of its files.
    pub resume: bool,
    /// The arms and runtimes that cannot be measured on this machine.
    pub unavailable: Unavailable,
}

/// Why arms and runtimes cannot be measured on this machine.
#[derive(Debug, Clone)]
pub struct Unavailable {
    /// By family and arm of the experiment; `None` for an arm that can be measured.
    pub arms: Vec<Vec<Option<String>>>,
    /// By the name of a runtime of demonstrations.
    pub runtimes: BTreeMap<String, String>,
}

impl Unavailable {
    /// The reasons that `arm` and `runtime` give.
    pub fn of(
        experiment: &Experiment,
        arm: impl Fn(&Family, &Arm) -> Option<String>,
        runtime: impl Fn(&str) -> Option<String>,
    ) -> Unavailable {
        let of_family = |family: &Family| family.arms.iter().map(|of| arm(family, of)).collect();
        let shown = experiment.demonstrations.iter().map(|shown| &shown.runtime);
        Unavailable {
            arms: experiment.families.iter().map(of_family).collect(),
            runtimes: shown.filter_map(|name| Some((name.clone(), runtime(name)?))).collect(),
        }
    }

    /// Whether no arm of a family can be measured.
    pub fn is_whole_family(&self, family: usize) -> bool {
        self.arms[family].iter().all(Option::is_some)
    }
}

/// The state of a run, told between trials.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Trials that have a row.
    pub done: usize,
    /// Trials that are planned.
    pub total: usize,
    /// About how long the rest takes, in ns.
    pub left_ns: u64,
    /// The trial that comes next: its family, its strategy, its block; of a demonstration its name
    /// and its runtime.
    pub next: Option<(&'a str, &'a str, u32)>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every planned trial has a row, except those of families that were stopped.
    Complete,
    /// It was complete when it was resumed.
    NothingLeft,
    /// The budget was spent; later blocks were dropped whole.
    OutOfBudget {
        /// Trials that were planned and not run; none if only demonstrations were dropped.
        dropped: usize,
    },
    /// The user ended it.
    Interrupted {
        /// Trials that were planned and not run.
        missing: usize,
    },
}

/// Runs an experiment, or what is left of it. Everything measured is on disk when this returns,
/// also when it fails.
///
/// # Errors
/// The directory or a row could not be written, a right answer could not be found out, or the
/// machine does not let a trial be cleaned up. [`Refused`] if it cannot be resumed.
pub fn run(order: &Order<'_>, progress: impl FnMut(Progress<'_>)) -> Result<End> {
    let started_ns = now_ns();
    let preexisting = leftovers::children().context("list this process's own children")?;
    process::adopt_orphans().context("become the reaper of orphaned children")?;
    super::catch_interrupts().context("catch Ctrl-C")?;
    let trials = plan::plan(order.experiment, order.preset.blocks, order.seed);
    let plan = crate::record::plan_rows(order.experiment, &trials);
    let mut environment = environment(order);
    let begun = match order.resume {
        true => begin_again(order, &trials, &plan, &environment)?,
        false => Some(begin(order, &plan, &mut environment)?),
    };
    let Some(mut begun) = begun else {
        return Ok(End::NothingLeft);
    };
    let scratch = begun.recorder.dir.scratch()?;
    let scratch = std::path::absolute(scratch).context("find the scratch directory")?;
    let copies = copies(order, &scratch)?;
    let run_id = begun.recorder.run_id.clone();
    let mut oracle = Oracle::new(order.subject, &scratch).of_runtimes(order.programs);
    let experiment = match prepare_all(order, &mut begun, &mut oracle) {
        Ok(experiment) => experiment,
        Err(error) => {
            drop(begun);
            if !order.resume {
                remove_empty(&order.out)?;
            }
            return Err(error);
        }
    };
    let setting = Setting {
        run_id: &run_id,
        experiment: &experiment,
        preset: order.preset,
        programs: &copies,
        environment: &subject_environment(),
        scratch: &scratch,
        preexisting: &preexisting,
        budget_end_ns: order.preset.budget_ns.map(|ns| started_ns + ns),
    };
    let planned = (trials.as_slice(), plan.as_slice());
    let end = run_planned(&setting, order, planned, &mut begun, &mut oracle, started_ns, progress);
    begun.recorder.dir.finish()?;
    end
}

/// Finds the rates, then runs what is left of the plan.
fn run_planned(
    setting: &Setting<'_>,
    order: &Order<'_>,
    (trials, plan): (&[Trial], &[PlanRow]),
    begun: &mut Begun,
    oracle: &mut Oracle<'_>,
    started_ns: u64,
    mut progress: impl FnMut(Progress<'_>),
) -> Result<End> {
    let Begun { recorder, past } = begun;
    let known = &past.calibration;
    let found = calibrate::calibrated(setting, order.slo, known, oracle, order.seed, recorder);
    let experiment = match found {
        Err(error) if is_interrupt(&error) => {
            return Ok(End::Interrupted { missing: trials.len() });
        }
        found => found?,
    };
    let past = std::mem::take(past);
    let mut budget = Budget::new(&experiment, &order.preset, started_ns, past.spent_ns);
    budget.learn(&experiment, &past.trials);
    demonstrations::learn(&mut budget, &past.facts);
    let mut runner = Runner {
        order,
        setting: &Setting { experiment: &experiment, budget_end_ns: budget.end_ns(), ..*setting },
        trials,
        plan,
        rows: past.trials,
        last_snapshots: past.last_snapshots,
        facts: past.facts,
        budget,
        ended_ns: 0,
        oracle,
        recorder,
    };
    runner.go(&mut progress)
}

/// A run whose directory is open and whose machine is watched.
struct Begun {
    recorder: Recorder,
    past: Past,
}

/// Watches the idle machine and makes the directory.
fn begin(order: &Order<'_>, plan: &[PlanRow], environment: &mut Environment) -> Result<Begun> {
    let manifest = manifest(order);
    let monitor = before::monitor(&order.preset).context("start watching the machine")?;
    monitor.describe(environment);
    let dir = RunDir::create(&order.out, &manifest, environment, order.toml, plan)?;
    let recorder = Recorder { run_id: manifest.run_id, monitor, dir };
    Ok(Begun { recorder, past: Past::default() })
}

/// Reopens the directory; `None` if nothing is left to be run.
fn begin_again(
    order: &Order<'_>,
    trials: &[Trial],
    plan: &[PlanRow],
    environment: &Environment,
) -> Result<Option<Begun>> {
    let (dir, run_id, past) = resume::open(order, plan, environment)?;
    let searched = search::trials_max(order.experiment) > 0;
    let measured = runner::due(trials, plan, &past.trials, &order.preset).is_empty();
    if !searched && measured && demonstrations::all_shown(order, plan, &past) {
        return Ok(None);
    }
    let mut monitor = Monitor::start().context("start watching the machine")?;
    monitor.keep_thresholds(&past.environment);
    Ok(Some(Begun { recorder: Recorder { run_id, monitor, dir }, past }))
}

/// The programs where they cannot be replaced while they are measured, if they may run there.
fn copies(order: &Order<'_>, scratch: &Path) -> Result<BTreeMap<String, SubjectProgram>> {
    match private::may_run_below(&order.out) {
        true => Ok(private::copies(order.programs, &scratch.join("programs"))?),
        false => Ok(order.programs.clone()),
    }
}

/// Removes the directory of a run that has measured nothing yet.
fn remove_empty(out: &Path) -> Result<()> {
    fs::remove_dir_all(out).with_context(|| format!("remove {}, which is empty", out.display()))
}

/// The experiment with its work calibrated, and all inputs before the first trial: a picture that
/// cannot be read must not end a run that has begun.
fn prepare_all(
    order: &Order<'_>,
    begun: &mut Begun,
    oracle: &mut Oracle<'_>,
) -> Result<Experiment> {
    let experiment = work::calibrated(order, &begun.past.calibration, oracle, &mut begun.recorder)?;
    for (index, family) in experiment.families.iter().enumerate() {
        if !order.unavailable.is_whole_family(index) {
            oracle.prepare_family(family, order.seed)?;
        }
    }
    Ok(experiment)
}

fn is_interrupt(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(TargetError::Interrupted))
}
