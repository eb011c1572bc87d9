//! A whole run: plans, makes the directory, runs trial after trial, keeps to its budget.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result};

use super::leftovers;
use super::noise::Monitor;
use super::noise::judge::JUDGED_NS;
use super::oracle::Oracle;
use super::private;
use super::programs::SubjectProgram;
use super::target::{TargetError, subject_environment};
use super::trial::{self, Setting};
use super::{calibrate, search};
use crate::experiment::{Arm, Experiment, Family, Preset, Slo, Trial, plan};
use crate::record::{self, Manifest, RunDir, SCHEMA_VERSION, TrialRow};
use crate::sys::clock::now_ns;
use crate::sys::process;

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
    /// Of inputs and orders.
    pub seed: u64,
    /// The Rust subject, which also writes the inputs and knows the right answers.
    pub subject: &'a Path,
    /// What to start as the subject of each runtime that is available here.
    pub programs: &'a BTreeMap<String, SubjectProgram>,
    /// The command line after the program's name.
    pub arguments: &'a [String],
    /// The run's directory, which must not exist.
    pub out: PathBuf,
    /// Why an arm of a family cannot be measured on this machine, if it cannot. An arm of a
    /// runtime without a program never can.
    pub unavailable: fn(&Family, &Arm) -> Option<String>,
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
    /// The trial that comes next: its family, its strategy, its block.
    pub next: Option<(&'a str, &'a str, u32)>,
}

/// A run that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every planned trial has a row.
    Complete,
    /// The budget was spent; later blocks were dropped whole.
    OutOfBudget {
        /// Trials that were planned and not run.
        dropped: usize,
    },
    /// The user ended it.
    Interrupted {
        /// Trials that were planned and not run.
        missing: usize,
    },
}

/// Runs an experiment. Everything measured is on disk when this returns, also when it fails.
///
/// # Errors
/// The directory or a row could not be written, a right answer could not be found out, or the
/// machine does not let a trial be cleaned up.
pub fn run(order: &Order<'_>, mut progress: impl FnMut(Progress<'_>)) -> Result<End> {
    let strangers = leftovers::children().context("list this process's own children")?;
    process::adopt_orphans().context("become the reaper of orphaned children")?;
    super::catch_interrupts().context("catch Ctrl-C")?;
    let trials = plan::plan(order.experiment, order.preset.blocks, order.seed);
    let manifest = manifest(order);
    let mut environment = environment(order);
    let mut monitor = monitor(&order.preset).context("start watching the machine")?;
    monitor.describe(&mut environment);
    let rows = plan::plan_rows(order.experiment, &trials);
    let mut dir = RunDir::create(&order.out, &manifest, &environment, order.toml, &rows)?;
    let scratch = std::path::absolute(dir.scratch()?).context("find the scratch directory")?;
    let copies = match private::may_run_below(&order.out) {
        true => private::copies(order.programs, &scratch.join("programs"))?,
        false => order.programs.clone(),
    };
    let subject_environment = subject_environment();
    let setting = Setting {
        run_id: &manifest.run_id,
        experiment: order.experiment,
        preset: order.preset,
        programs: &copies,
        environment: &subject_environment,
        scratch: &scratch,
        strangers: &strangers,
    };
    let mut oracle = Oracle::new(order.subject, &scratch);
    // All inputs before the first trial: a picture that cannot be read must not end a run that
    // has begun. The directory holds nothing measured yet.
    let prepared = order
        .experiment
        .families
        .iter()
        .try_for_each(|family| oracle.prepare(&family.spec, order.seed).map(drop));
    if let Err(error) = prepared {
        drop(dir);
        let out = order.out.display();
        fs::remove_dir_all(&order.out).with_context(|| format!("remove {out}, which is empty"))?;
        return Err(error);
    }
    let end = calibrated(order, &setting, &mut oracle, &mut dir).and_then(|experiment| {
        let Some(experiment) = experiment else {
            let missing = trials.len();
            return Ok(End::Interrupted { missing });
        };
        let setting = Setting {
            experiment: &experiment,
            ..setting
        };
        run_trials(
            order,
            &setting,
            &trials,
            &mut oracle,
            &mut monitor,
            &mut dir,
            &mut progress,
        )
    });
    dir.finish()?;
    end
}

/// The experiment with its rates known; `None` if the user ended the run meanwhile.
fn calibrated(
    order: &Order<'_>,
    setting: &Setting<'_>,
    oracle: &mut Oracle<'_>,
    dir: &mut RunDir,
) -> Result<Option<Experiment>> {
    match calibrate::calibrated(setting, order.slo, oracle, order.seed, dir) {
        Ok(experiment) => Ok(Some(experiment)),
        Err(error) if is_interrupt(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_interrupt(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(TargetError::Interrupted))
}

/// What trials are prepared, watched and recorded with.
struct Means<'a, 'o> {
    oracle: &'a mut Oracle<'o>,
    monitor: &'a mut Monitor,
    dir: &'a mut RunDir,
}

/// The search after the grid, as far as the budget goes.
fn search_limits(
    order: &Order<'_>,
    setting: &Setting<'_>,
    rows: &[TrialRow],
    means: Means<'_, '_>,
    budget: &Budget,
    mut announce: impl FnMut(usize, &search::Step<'_>),
) -> Result<End> {
    let Means {
        oracle,
        monitor,
        dir,
    } = means;
    let total = search::trials_max(setting.experiment);
    let mut out_of_time = None;
    let found = search::search(
        setting,
        rows,
        oracle,
        order.seed,
        |step| {
            announce(total, &step);
            let goes_on = budget.has_time();
            if !goes_on {
                out_of_time = Some(total - step.done);
            }
            goes_on
        },
        |mut ran| {
            if let Some(noise) = monitor.after_trial() {
                noise.fill_in(&mut ran.row);
            }
            dir.append_noise(&monitor.take_rows(setting.run_id, &ran.row.trial_id))?;
            if !ran.requests.is_empty() {
                dir.write_requests(&ran.row.trial_id, &ran.requests)?;
            }
            Ok(dir.append_trial(&ran.row)?)
        },
    );
    match (found, out_of_time) {
        (Ok(()), None) => Ok(End::Complete),
        (Ok(()), Some(dropped)) => Ok(End::OutOfBudget { dropped }),
        (Err(error), _) if is_interrupt(&error) => Ok(End::Interrupted { missing: 0 }),
        (Err(error), _) => Err(error),
    }
}

fn run_trials(
    order: &Order<'_>,
    setting: &Setting<'_>,
    trials: &[Trial],
    oracle: &mut Oracle<'_>,
    monitor: &mut Monitor,
    dir: &mut RunDir,
    progress: &mut impl FnMut(Progress<'_>),
) -> Result<End> {
    let mut budget = Budget::new(order);
    let mut rows = Vec::new();
    for (done, planned) in trials.iter().enumerate() {
        if super::interrupted() {
            return Ok(End::Interrupted {
                missing: trials.len() - done,
            });
        }
        if !budget.allows(planned.block) {
            return Ok(End::OutOfBudget {
                dropped: trials.len() - done,
            });
        }
        let family = &setting.experiment.families[planned.family];
        let arm = &family.arms[planned.arm];
        progress(Progress {
            done,
            total: trials.len(),
            left_ns: budget.left_ns(done, trials.len()),
            next: Some((&family.id, &arm.strategy, planned.block)),
        });
        if let Some(reason) = (order.unavailable)(family, arm) {
            dir.append_trial(&trial::skipped_row(setting, planned, &reason))?;
            continue;
        }
        let prepared = oracle.prepare(&family.spec, order.seed)?;
        monitor.before_trial(planned.family, planned.block);
        let mut ran = match trial::run(setting, planned, &prepared) {
            Ok(ran) => ran,
            Err(TargetError::Interrupted) => {
                return Ok(End::Interrupted {
                    missing: trials.len() - done,
                });
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(noise) = monitor.after_trial() {
            noise.fill_in(&mut ran.row);
        }
        dir.append_noise(&monitor.take_rows(setting.run_id, &planned.id))?;
        if !ran.requests.is_empty() {
            dir.write_requests(&planned.id, &ran.requests)?;
        }
        // Last, because a row says that all of its trial is on disk.
        dir.append_trial(&ran.row)?;
        if family.load.open().is_some() {
            rows.push(ran.row);
        }
    }
    let total = trials.len();
    let announce = |more: usize, step: &search::Step<'_>| {
        progress(Progress {
            done: total + step.done,
            total: total + more,
            left_ns: budget.left_ns(total + step.done, total + more),
            next: Some((step.family_id, step.strategy, order.preset.blocks)),
        });
    };
    let means = Means {
        oracle,
        monitor,
        dir,
    };
    let end = search_limits(order, setting, &rows, means, &budget, announce);
    progress(Progress {
        done: total,
        total,
        left_ns: 0,
        next: None,
    });
    end
}

/// Watches the machine from now on: first while nothing of ours runs, for as long as ten windows.
/// Of a run that is too short to be judged anyway no time is taken.
fn monitor(preset: &Preset) -> io::Result<Monitor> {
    let mut monitor = Monitor::start()?;
    let idle_ns = preset.min_window_ns.saturating_mul(10).min(5 * JUDGED_NS);
    if idle_ns >= JUDGED_NS {
        let idle = monitor.watch_idle(idle_ns, |_| ());
        monitor.adapt_to(&idle);
    }
    Ok(monitor)
}

fn manifest(order: &Order<'_>) -> Manifest {
    let experiment = order.experiment;
    let run_id = match order.out.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => record::run_id(&experiment.name),
    };
    Manifest {
        schema_version: SCHEMA_VERSION,
        run_id,
        forkbench_version: env!("CARGO_PKG_VERSION").to_owned(),
        git_revision: record::environment::GIT_REVISION.to_owned(),
        arguments: order.arguments.to_vec(),
        experiment: experiment.name.clone(),
        question: experiment.question.clone(),
        reference: experiment.reference.clone(),
        preset: order.preset.name.to_owned(),
        blocks: order.preset.blocks,
        budget_ns: order.preset.budget_ns,
        seed: order.seed,
        started_utc: record::utc_now(),
    }
}

fn environment(order: &Order<'_>) -> record::Environment {
    let mut environment = record::environment::collect(order.subject);
    let variables = subject_environment()
        .into_iter()
        .map(|(k, v)| format!("{k}={v}"));
    let variables: Vec<String> = variables.collect();
    environment.record("subject_environment", Ok(variables));
    environment.record("subject_is_copied", Ok(private::may_run_below(&order.out)));
    for (runtime, program) in order.programs {
        for (name, version) in &program.versions {
            let name = match name == runtime {
                true => format!("{runtime}_version"),
                false => format!("{runtime}_{}", name.replace('-', "_")),
            };
            let found = Some(version.as_str()).filter(|version| !version.is_empty());
            environment.record(&name, found.ok_or_else(|| "none".to_owned()));
        }
    }
    environment
}

/// Spends whole blocks: one is begun only if it is expected to end in time, so that no family
/// gets more of them than another.
#[derive(Debug)]
struct Budget {
    started_ns: u64,
    limit_ns: Option<u64>,
    /// What blocks may not spend, because a search follows.
    kept_ns: u64,
    estimate_ns: u64,
    block: u32,
    block_started_ns: u64,
    longest_block_ns: u64,
}

impl Budget {
    fn new(order: &Order<'_>) -> Budget {
        let blocks = order.preset.blocks;
        Budget {
            started_ns: now_ns(),
            limit_ns: order.preset.budget_ns,
            kept_ns: match (order.preset.budget_ns, search::trials_max(order.experiment)) {
                (Some(limit_ns), 1..) => limit_ns / 3,
                _ => 0,
            },
            estimate_ns: plan::estimated_ns(order.experiment, &order.preset, blocks),
            block: 0,
            block_started_ns: now_ns(),
            longest_block_ns: 0,
        }
    }

    /// Whether a trial of this block may begin. The first block always may.
    fn allows(&mut self, block: u32) -> bool {
        if block == self.block {
            return true;
        }
        let now = now_ns();
        if self.block > 0 {
            self.longest_block_ns = self.longest_block_ns.max(now - self.block_started_ns);
        }
        self.block = block;
        self.block_started_ns = now;
        let end_ns = now - self.started_ns + self.longest_block_ns;
        let limit_ns = self.limit_ns.map(|limit_ns| limit_ns - self.kept_ns);
        block == 1 || limit_ns.is_none_or(|limit_ns| end_ns <= limit_ns)
    }

    /// Whether any of it is left.
    fn has_time(&self) -> bool {
        let spent_ns = now_ns() - self.started_ns;
        self.limit_ns.is_none_or(|limit_ns| spent_ns < limit_ns)
    }

    /// About how long the trials that are left will take: from what the others took, or from the
    /// plan while there are none.
    fn left_ns(&self, done: usize, total: usize) -> u64 {
        let by_pace = match done {
            0 => self.estimate_ns,
            _ => {
                let per_trial_ns = (now_ns() - self.started_ns) / done as u64;
                per_trial_ns * (total - done) as u64
            }
        };
        match self.limit_ns {
            Some(limit_ns) => by_pace.min(limit_ns.saturating_sub(now_ns() - self.started_ns)),
            None => by_pace,
        }
    }
}
