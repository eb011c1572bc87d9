//! One trial: a fresh subject, READY, load, stop, and the row that says what happened. Whatever
//! goes wrong becomes a row too.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::cpu::{CpuGroup, Meter};
use super::leftovers::{self, Leftovers};
use super::load::{self, Measured, Offer, Pace};
use super::memory::{self, Crowd, Grouping, Session};
use super::oracle::Prepared;
use super::placed::Placed;
use super::programs::SubjectProgram;
use super::target::{Farewell, Guard, Launch, READY_NS, Target, TargetError};
use crate::experiment::{Arm, Experiment, Family, Load, Open, Preset, Trial};
use crate::protocol::{Configure, Ready};
use crate::record::laws::{self, Bounds};
use crate::record::{MemoryRow, RequestRow, TrialRow};
use crate::sys::clock::now_ns;
use crate::sys::process;
use crate::workload::options;

mod row;

use row::{count_answered, fail, fill_in, fill_in_held};

/// What every trial of a run shares.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The run's name.
    pub run_id: &'a str,
    /// What is run.
    pub experiment: &'a Experiment,
    /// How much.
    pub preset: Preset,
    /// What to start as the subject of each runtime.
    pub programs: &'a BTreeMap<String, SubjectProgram>,
    /// The subjects' whole environment.
    pub environment: &'a [(String, String)],
    /// For files that are gone after the run.
    pub scratch: &'a Path,
    /// Children that this process had before the run and that are none of its affair.
    pub strangers: &'a [u32],
    /// When the run's budget ends, if it has one.
    pub budget_end_ns: Option<u64>,
}

/// A trial that has been run.
#[derive(Debug)]
pub struct Ran {
    /// What happened.
    pub row: TrialRow,
    /// The requests that were kept.
    pub requests: Vec<RequestRow>,
    /// What its processes held, of a trial that is about memory.
    pub memory: Vec<MemoryRow>,
}

impl Ran {
    /// The same as this attempt, in this pass over its block.
    #[must_use]
    pub fn of_attempt(mut self, attempt: u32, pass: u32) -> Ran {
        (self.row.attempt, self.row.pass) = (attempt, Some(pass));
        for row in &mut self.memory {
            row.attempt = attempt;
        }
        self
    }
}

/// Runs one trial.
///
/// # Errors
/// Only for what ends the whole run: the user's interrupt, or a machine on which nothing can be
/// cleaned up. Everything else is in the row.
pub fn run(setting: &Setting<'_>, trial: &Trial, prepared: &Prepared) -> Result<Ran, TargetError> {
    run_grouped(setting, trial, prepared, Grouping::WherePossible)
}

/// The same, with a say in whether a memory trial has a control group.
///
/// # Errors
/// As [`run`].
pub fn run_grouped(
    setting: &Setting<'_>,
    trial: &Trial,
    prepared: &Prepared,
    grouping: Grouping,
) -> Result<Ran, TargetError> {
    let family = &setting.experiment.families[trial.family];
    let arm = &family.arms[trial.arm];
    let mut row = planned_row(setting, trial);
    if let Some(reason) = refusal(family, arm) {
        return Ok(skipped(setting, trial, &reason));
    }
    let descriptors = leftovers::open_descriptors().map_err(cleaning)?;
    let bounds = Bounds::here();
    let killed_before = memory::oom::kills();
    let cpu_before = process::usage_self();
    let mut session = Session::begin(setting, trial, grouping);
    let crowd = Crowd::of(family, arm);
    let _raised = crowd.map(|crowd| crowd.raise_limits(family));
    let is_timed = session.is_none();
    let group = is_timed.then(|| CpuGroup::create(&trial.id)).flatten().map(Arc::new);
    let result = measure(setting, trial, family, arm, prepared, session.as_mut(), group.as_ref());
    let driver = process::usage_self().since(cpu_before);
    let left = leftovers::clean_up(setting.strangers).map_err(cleaning)?;
    // It can be removed now that all of its members are gone.
    drop(group);
    prepared.empty_outputs().map_err(cleaning)?;
    let failure = result.as_ref().err().map(TargetError::to_string);
    let (memory, left_group) = match session {
        Some(session) => session.finish(failure.as_deref()),
        None => (Vec::new(), None),
    };
    // Whoever is killed with work left cannot see to its children first.
    let given_up = matches!(&result, Ok(done) if done.farewell.is_none());
    let leaked = leftovers::open_descriptors().map_err(cleaning)?.saturating_sub(descriptors);
    let flags = left_group.into_iter().chain(flags(given_up, &left, leaked));
    row.flags = flags.collect::<Vec<_>>().join(";");
    let requests = match result {
        Ok(done) => {
            row.driver_cpu_ns = Some(driver.cpu_user_ns + driver.cpu_system_ns);
            let checksum = prepared.exchange.checksum;
            row.checksum = checksum.map(|sum| format!("{sum:016x}")).unwrap_or_default();
            match family.load.children() {
                Some(children) => fill_in_held(&mut row, done, children),
                None => fill_in(&mut row, done),
            }
        }
        Err(TargetError::Interrupted) => return Err(TargetError::Interrupted),
        Err(error) => {
            if let Some(measured) = error.measured() {
                count_answered(&mut row, measured);
            }
            fail(&mut row, error.to_string());
            if error.is_out_of_budget() {
                row.status = "partial".to_owned();
            }
            Vec::new()
        }
    };
    if left.running > 0 && !given_up && row.status == "ok" {
        fail(&mut row, format!("{} processes outlived the subject", left.running));
    }
    laws::hold(&mut row, &requests, &memory.iter().collect::<Vec<_>>(), &bounds);
    killed_before.explain(&mut row.reason);
    Ok(Ran { row, requests, memory })
}

/// Why the trial cannot be run, if that is known before.
fn refusal(family: &Family, arm: &Arm) -> Option<String> {
    let unknown_rate = |open: &Open| open.rate.per_s().is_none();
    if family.load.open().is_some_and(unknown_rate) {
        let reason = "its rate is a share of the blocking capacity, which could not be found; \
                      calibration.csv says why";
        return Some(reason.to_owned());
    }
    memory::refusal(family, arm).or_else(|| Crowd::of(family, arm)?.refusal(family))
}

/// What a trial has left behind.
fn flags(given_up: bool, left: &Leftovers, leaked: usize) -> Vec<String> {
    let found = [
        (given_up, "given_up".to_owned()),
        (left.running > 0 && !given_up, format!("left_running:{}", left.running)),
        (left.zombies > 0 && !given_up, format!("left_zombies:{}", left.zombies)),
        (leaked > 0, format!("descriptors_leaked:{leaked}")),
        (left.objects > 0 && !given_up, format!("left_shared_memory:{}", left.objects)),
    ];
    let found = found.into_iter().filter(|(is_so, _)| *is_so);
    found.map(|(_, flag)| flag).collect()
}

/// A trial that is not run at all, and why.
pub fn skipped(setting: &Setting<'_>, trial: &Trial, reason: &str) -> Ran {
    Ran {
        row: skipped_row(setting, trial, reason),
        requests: Vec::new(),
        memory: memory::skipped_row(setting, trial, reason).into_iter().collect(),
    }
}

fn cleaning(error: std::io::Error) -> TargetError {
    TargetError::Io { attempt: "clean up after a trial".to_owned(), error }
}

fn skipped_row(setting: &Setting<'_>, trial: &Trial, reason: &str) -> TrialRow {
    let mut row = planned_row(setting, trial);
    row.status = "skipped".to_owned();
    row.validity = "invalid".to_owned();
    row.reason = reason.to_owned();
    row
}

struct Done {
    measured: Measured,
    ready: Ready,
    ready_ns: u64,
    /// From READY to its end.
    alive_ns: u64,
    /// `None` if it had work left and was killed.
    farewell: Option<Farewell>,
}

fn measure(
    setting: &Setting<'_>,
    trial: &Trial,
    family: &Family,
    arm: &Arm,
    prepared: &Prepared,
    session: Option<&mut Session<'_>>,
    group: Option<&Arc<CpuGroup>>,
) -> Result<Done, TargetError> {
    let placed = Placed::begin(family.placement)?;
    let Some(program) = setting.programs.get(&family.runtime) else {
        let what = format!("start a subject in {}: there is none here", family.runtime);
        return Err(TargetError::Failed(what));
    };
    let variables = [setting.environment, &program.environment].concat();
    let launch = Launch {
        command: match &session {
            Some(session) => session.command(&program.command),
            None => program.command.clone(),
        },
        environment: placed.environment(&variables),
        stderr: setting.scratch.join(format!("{}.stderr", trial.id)),
    };
    let configure = Configure {
        spec: prepared.spec.clone(),
        strategy: arm.strategy.clone(),
        strategy_options: arm.options.clone(),
        ballast_bytes: family.ballast_bytes,
        deadline_ms: deadline_ms(family),
        child_program: None,
    };
    let presses = session.is_some() || Crowd::of(family, arm).is_some();
    let guard = presses.then_some(memory::GUARD);
    let done = serve(&launch, &configure, guard, setting.budget_end_ns, |target| match session {
        Some(session) => session.observe(target, prepared),
        None => {
            target.attach(Meter::new(group, target.pid()));
            offer(setting, trial, family, target, prepared)
        }
    });
    let done = done.map_err(|error| error.with_last_words(&launch.stderr));
    let _ = std::fs::remove_file(&launch.stderr);
    done
}

/// A request's time to be answered in: one that is held waits for all the others.
fn deadline_ms(family: &Family) -> u64 {
    match family.load.children() {
        Some(_) => memory::DEADLINE_MS,
        None => family.deadline_ms,
    }
}

/// A subject that has become ready before its time, or the run's budget, is over.
fn start(
    launch: &Launch,
    configure: &Configure,
    guard: Option<Guard>,
    budget_end_ns: Option<u64>,
) -> Result<Target, TargetError> {
    let begun_ns = now_ns();
    let due_ns = begun_ns + READY_NS;
    let until_ns = load::within_budget_ns(budget_end_ns, begun_ns, due_ns);
    Target::start_within(launch, configure, guard, until_ns - begun_ns).map_err(|error| {
        let budget_ended = until_ns < due_ns && now_ns() >= until_ns;
        match error {
            TargetError::Silent(_) if budget_ended => {
                TargetError::OutOfBudget("not become ready".to_owned())
            }
            error => error,
        }
    })
}

/// One subject's life: started, put under load, stopped.
fn serve(
    launch: &Launch,
    configure: &Configure,
    guard: Option<Guard>,
    budget_end_ns: Option<u64>,
    load: impl FnOnce(&mut Target) -> Result<Measured, TargetError>,
) -> Result<Done, TargetError> {
    let mut target = start(launch, configure, guard, budget_end_ns)?;
    let measured = load(&mut target)?;
    let ready = target.ready.clone();
    let ready_at_ns = target.ready_ns;
    let ready_ns = ready_at_ns - target.started_ns;
    let farewell = if measured.abandoned > 0 {
        // It would work on everything it has accepted before it saw that it is to stop.
        drop(target);
        None
    } else {
        Some(target.stop()?)
    };
    Ok(Done { measured, ready, ready_ns, alive_ns: now_ns() - ready_at_ns, farewell })
}

fn offer(
    setting: &Setting<'_>,
    trial: &Trial,
    family: &Family,
    target: &mut Target,
    prepared: &Prepared,
) -> Result<Measured, TargetError> {
    let deadline_ns = family.deadline_ms * 1_000_000;
    match &family.load {
        Load::Closed { callers } => {
            let pace = Pace {
                budget_end_ns: setting.budget_end_ns,
                ..Pace::new(&setting.preset, *callers, deadline_ns)
            };
            load::closed(target, &prepared.exchange, pace, trial.seed)
        }
        Load::Open(open) => {
            // Trials of an unknown rate are skipped before a subject is started.
            let rate_per_s = open.rate.per_s().unwrap_or(1.0);
            let mut offer = Offer::new(&setting.preset, open, rate_per_s, deadline_ns);
            offer.budget_end_ns = setting.budget_end_ns;
            offer.limit_ns = open.slo.map_or(u64::MAX, |slo| slo.limit_ns);
            load::open(target, &prepared.exchange, &offer, trial.seed)
        }
        Load::Memory { .. } => {
            let what = "a memory trial is no load to be timed".to_owned();
            Err(TargetError::Failed(what))
        }
    }
}

fn planned_row(setting: &Setting<'_>, trial: &Trial) -> TrialRow {
    let family = &setting.experiment.families[trial.family];
    let arm = &family.arms[trial.arm];
    let open = family.load.open();
    let share = open.and_then(|open| open.rate.share());
    let rate_per_s = open.and_then(|open| open.rate.per_s());
    TrialRow {
        run_id: setting.run_id.to_owned(),
        trial_id: trial.id.clone(),
        attempt: 1,
        family_id: family.id.clone(),
        block: trial.block,
        position: trial.position,
        role: arm.role.name().to_owned(),
        runtime: family.runtime.clone(),
        workload: family.spec.workload.clone(),
        size: family.spec.size.name().to_owned(),
        strategy: arm.strategy.clone(),
        options: options::render(&arm.options),
        regime: family.load.regime().to_owned(),
        callers: family.load.callers(),
        rate_per_s,
        rate_of_capacity: share,
        capacity_per_s: rate_per_s.zip(share).map(|(rate, share)| rate / share),
        arrivals: open.map_or("", |open| open.arrivals.name()).to_owned(),
        slo: open.and_then(|open| open.slo).map_or_else(String::new, |slo| slo.to_string()),
        probe: open.and_then(|open| open.probe).map_or("", |probe| probe.name()).to_owned(),
        workers: arm.options.get("workers").and_then(|text| text.parse().ok()),
        placement: family.placement.name().to_owned(),
        payload_bytes: family.spec.payload_bytes,
        ballast_bytes: family.ballast_bytes,
        seed: trial.seed,
        started_utc: crate::record::utc_now(),
        workload_options: options::render(&family.spec.options),
        deadline_ns: Some(deadline_ms(family) * 1_000_000),
        label: family.label(arm),
        ..TrialRow::default()
    }
}
