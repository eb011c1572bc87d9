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
use super::target::{TargetError, subject_environment};
use super::trial::Setting;
use super::{calibrate, search, work};
use crate::experiment::{Arm, Experiment, Family, Preset, Slo, Trial, plan};
use crate::record::{Environment, PlanRow, RunDir};
use crate::sys::clock::now_ns;
use crate::sys::process;

mod before;
pub mod budget;
mod course;
mod demonstrations;
mod resume;

use before::{environment, manifest};
use budget::Budget;
use course::Course;
use resume::Past;
pub use resume::Refused;

/// What is to be run, and where to.
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
    /// What a pool is to fit into, which the report says.
    pub memory_budget_bytes: Option<u64>,
    /// δ of the report: the smallest difference that matters.
    pub delta_ratio: f64,
    /// Of inputs and orders.
    pub seed: u64,
    /// The Rust subject, which also writes the inputs and knows the right answers.
    pub subject: &'a Path,
    /// What to start as the subject of each runtime that is available here.
    pub programs: &'a BTreeMap<String, SubjectProgram>,
    /// The command line after the program's name.
    pub arguments: &'a [String],
    /// The run's directory, which must not exist, unless it is resumed.
    pub out: PathBuf,
    /// Whether the directory holds the beginning of this very run. Experiment, preset and seed
    /// are then those of its files.
    pub resume: bool,
    /// Why an arm of a family cannot be measured on this machine, if it cannot. An arm of a
    /// runtime without a program never can.
    pub unavailable: fn(&Family, &Arm) -> Option<String>,
    /// Why a runtime is not available on this machine, if it is not.
    pub lacking: fn(&str) -> Option<String>,
}

/// Where a run stands, told between trials.
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

/// A run that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every planned trial has a row, but those of families that were measured enough before.
    Complete,
    /// It was complete when it was resumed.
    NothingLeft,
    /// The budget was spent; later blocks were dropped whole.
    OutOfBudget {
        /// Trials that were planned and not run; none if it was but the last demonstrations.
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
    let strangers = leftovers::children().context("list this process's own children")?;
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
    let scratch =
        std::path::absolute(begun.dir.scratch()?).context("find the scratch directory")?;
    let copies = copies(order, &scratch)?;
    let subject_environment = subject_environment();
    let run_id = begun.run_id.clone();
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
        environment: &subject_environment,
        scratch: &scratch,
        strangers: &strangers,
        budget_end_ns: order.preset.budget_ns.map(|ns| started_ns + ns),
    };
    let planned = (trials.as_slice(), plan.as_slice());
    let end = run_planned(&setting, order, planned, &mut begun, &mut oracle, started_ns, progress);
    begun.dir.finish()?;
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
    let Some(experiment) = calibrated(order, setting, begun, oracle)? else {
        let missing = trials.len();
        return Ok(End::Interrupted { missing });
    };
    let past = std::mem::take(&mut begun.past);
    let mut budget = Budget::new(&experiment, &order.preset, started_ns, past.spent_ns);
    let setting = Setting { experiment: &experiment, budget_end_ns: budget.end_ns(), ..*setting };
    budget.learn(&experiment, &past.trials);
    demonstrations::learn(&mut budget, &past.facts);
    let mut course = Course {
        order,
        setting: &setting,
        trials,
        plan,
        rows: past.trials,
        looked_at: past.looked_at,
        facts: past.facts,
        budget,
        ended_ns: 0,
        oracle,
        monitor: &mut begun.monitor,
        dir: &mut begun.dir,
    };
    course.go(&mut progress)
}

/// A run whose directory is open and whose machine is watched.
struct Begun {
    dir: RunDir,
    run_id: String,
    past: Past,
    monitor: Monitor,
}

/// Watches the idle machine and makes the directory.
fn begin(order: &Order<'_>, plan: &[PlanRow], environment: &mut Environment) -> Result<Begun> {
    let manifest = manifest(order);
    let monitor = before::monitor(&order.preset).context("start watching the machine")?;
    monitor.describe(environment);
    let dir = RunDir::create(&order.out, &manifest, environment, order.toml, plan)?;
    Ok(Begun { dir, run_id: manifest.run_id, past: Past::default(), monitor })
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
    let measured = course::due(trials, plan, &past.trials, &order.preset).is_empty();
    if !searched && measured && demonstrations::all_shown(order, plan, &past) {
        return Ok(None);
    }
    let mut monitor = Monitor::start().context("start watching the machine")?;
    monitor.keep_thresholds(&past.environment);
    Ok(Some(Begun { dir, run_id, past, monitor }))
}

/// The programs where nobody replaces them while they are measured, if they may run there.
fn copies(order: &Order<'_>, scratch: &Path) -> Result<BTreeMap<String, SubjectProgram>> {
    match private::may_run_below(&order.out) {
        true => Ok(private::copies(order.programs, &scratch.join("programs"))?),
        false => Ok(order.programs.clone()),
    }
}

/// The directory of a run that has measured nothing yet.
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
    let (run_id, known) = (&begun.run_id, &begun.past.calibration);
    let (given, unavailable) = (order.experiment, order.unavailable);
    let experiment = work::calibrated(given, run_id, unavailable, known, oracle, &mut begun.dir)?;
    let can_run = |family: &&Family| {
        let mut arms = family.arms.iter();
        arms.any(|arm| (order.unavailable)(family, arm).is_none())
    };
    let mut families = experiment.families.iter().filter(can_run);
    families.try_for_each(|family| oracle.prepare_family(family, order.seed).map(drop))?;
    Ok(experiment)
}

/// The experiment with its rates known; `None` if the user ended the run meanwhile.
fn calibrated(
    order: &Order<'_>,
    setting: &Setting<'_>,
    begun: &mut Begun,
    oracle: &mut Oracle<'_>,
) -> Result<Option<Experiment>> {
    let known = &begun.past.calibration;
    let to = (&mut begun.monitor, &mut begun.dir);
    match calibrate::calibrated(setting, order.slo, known, oracle, order.seed, to) {
        Ok(experiment) => Ok(Some(experiment)),
        Err(error) if is_interrupt(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_interrupt(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(TargetError::Interrupted))
}
