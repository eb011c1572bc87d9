//! One trial: a fresh subject, READY, load, stop, and its row. A failure becomes a row too.

use std::sync::Arc;

use super::cgroup::TrialGroup;
use super::cpu::{self, Meter};
use super::leftovers::{self, Leftovers};
use super::load::{self, Measured, Offer, Pace, Timeout};
use super::memory::machine::OomKills;
use super::memory::{self, Crowd, Grouping, Session};
use super::oracle::Prepared;
use super::pinning::Pinning;
pub use super::setting::{Ran, Setting};
use super::target::{Farewell, Guard, Launch, READY_NS, Target, TargetError};
use crate::experiment::{Family, Load, Trial};
use crate::protocol::{Configure, Ready};
use crate::record::laws::{self, Bounds};
use crate::record::{Regime, Status, TrialRow};
use crate::sys::clock::now_ns;
use crate::sys::process;
use crate::workload::options;

mod open_row;
mod row;

use row::{count_answered, fail, fill_in};

/// Runs one trial.
///
/// # Errors
/// Only for what ends the whole run: the user's interrupt, or a machine on which nothing can be
/// cleaned up. Everything else is in the row.
pub fn run(setting: &Setting<'_>, trial: &Trial, prepared: &Prepared) -> Result<Ran, TargetError> {
    run_grouped(setting, trial, prepared, Grouping::WherePossible)
}

/// The same; `grouping` decides whether a memory trial has a control group.
///
/// # Errors
/// As [`run`].
pub fn run_grouped(
    setting: &Setting<'_>,
    trial: &Trial,
    prepared: &Prepared,
    grouping: Grouping,
) -> Result<Ran, TargetError> {
    let (family, arm) = setting.of(trial);
    let crowd = Crowd::of(family, arm);
    let has_no_rate = family.load.open().is_some_and(|open| open.rate.per_s().is_none());
    let no_rate = has_no_rate.then(|| RATE_UNKNOWN.to_owned());
    if let Some(reason) = no_rate.or_else(|| crowd.as_ref()?.refusal()) {
        return Ok(skipped(setting, trial, &reason));
    }
    let mut row = planned_row(setting, trial);
    let cleaning = || TargetError::io("clean up after a trial");
    let descriptors = leftovers::open_descriptors().map_err(cleaning())?;
    let bounds = Bounds::here();
    let killed_before = OomKills::so_far();
    let cpu_before = process::usage_self();
    let mut session = Session::begin(setting, trial, grouping);
    let _raised = crowd.map(|crowd| crowd.raise_limits());
    let guard = crowd.map(|_| memory::GUARD);
    let group = if session.is_none() { cpu::group(&trial.id) } else { None };
    let result = measure(setting, trial, prepared, session.as_mut(), group.as_ref(), guard);
    let driver = process::usage_self().since(cpu_before);
    let left = leftovers::clean_up(setting.preexisting).map_err(cleaning())?;
    // It can be removed now that all of its members are gone.
    drop(group);
    prepared.empty_outputs().map_err(cleaning())?;
    let failure = result.as_ref().err().map(TargetError::to_string);
    let (memory, left_group) = match session {
        Some(session) => session.finish(failure.as_deref()),
        None => (Vec::new(), None),
    };
    // A subject that is killed with work left cannot end its children first.
    let given_up = matches!(&result, Ok(done) if done.farewell.is_none());
    let leaked = leftovers::open_descriptors().map_err(cleaning())?.saturating_sub(descriptors);
    let flags = left_group.into_iter().chain(flags(given_up, &left, leaked));
    row.flags = flags.collect::<Vec<_>>().join(";");
    let requests = match result.map_err(TargetError::into_parts) {
        Ok(done) => {
            row.driver_cpu_ns = Some(driver.cpu_user_ns + driver.cpu_system_ns);
            let checksum = prepared.exchange.checksum;
            row.checksum = checksum.map(|sum| format!("{sum:016x}")).unwrap_or_default();
            fill_in(&mut row, done, family.load.children())
        }
        Err((TargetError::Interrupted, _)) => return Err(TargetError::Interrupted),
        Err((error, measured)) => {
            if let Some(measured) = measured {
                count_answered(&mut row, &measured);
            }
            fail(&mut row, error.to_string());
            if matches!(error, TargetError::OutOfBudget(_)) {
                row.status = Status::Partial;
            }
            Vec::new()
        }
    };
    if left.running > 0 && !given_up && row.status == Status::Ok {
        fail(&mut row, format!("{} processes outlived the subject", left.running));
    }
    laws::hold(&mut row, &requests, &memory.iter().collect::<Vec<_>>(), &bounds);
    killed_before.explain(&mut row.reason);
    Ok(Ran { row, requests, memory })
}

const RATE_UNKNOWN: &str = "its rate is a share of the blocking capacity, which could not be \
                            found; calibration.csv says why";

/// The flags of a trial's leftovers.
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
    let mut row = planned_row(setting, trial);
    fail(&mut row, reason.to_owned());
    row.status = Status::Skipped;
    let memory = memory::skipped_row(setting, trial, reason).into_iter().collect();
    Ran { row, requests: Vec::new(), memory }
}

/// A subject's life.
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
    prepared: &Prepared,
    session: Option<&mut Session<'_>>,
    group: Option<&Arc<TrialGroup>>,
    guard: Option<Guard>,
) -> Result<Done, TargetError> {
    let (family, arm) = setting.of(trial);
    let pinning = Pinning::begin(family.placement)?;
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
        environment: pinning.environment(&variables),
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
    let started = start(&launch, &configure, guard, setting.budget_end_ns);
    let done = started.and_then(|mut target| {
        let measured = match session {
            Some(session) => session.observe(&mut target, prepared)?,
            None => {
                target.attach(Meter::new(group, target.pid()));
                offer(setting, trial, &mut target, prepared)?
            }
        };
        end(target, measured)
    });
    let done = done.map_err(|error| error.with_last_words(&launch.stderr));
    let _ = std::fs::remove_file(&launch.stderr);
    done
}

/// Per-request deadline: a held request waits for all the others.
fn deadline_ms(family: &Family) -> u64 {
    match family.load.children() {
        Some(_) => memory::DEADLINE_MS,
        None => family.deadline_ms,
    }
}

/// A subject that is ready before its time, or the run's budget, is over.
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
            TargetError::Protocol(_) if budget_ended => {
                TargetError::OutOfBudget("not become ready".to_owned())
            }
            error => error,
        }
    })
}

fn end(target: Target, measured: Measured) -> Result<Done, TargetError> {
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
    target: &mut Target,
    prepared: &Prepared,
) -> Result<Measured, TargetError> {
    let (family, _) = setting.of(trial);
    let timeout = Timeout {
        budget_end_ns: setting.budget_end_ns,
        ..Timeout::new(family.deadline_ms * 1_000_000)
    };
    match &family.load {
        Load::Closed { callers } => {
            let pace = Pace::new(&setting.preset, *callers, timeout);
            load::closed(target, &prepared.exchange, pace, trial.seed)
        }
        Load::Open(open) => {
            // Trials of an unknown rate are skipped before a subject is started.
            let rate_per_s = open.rate.per_s().unwrap_or(1.0);
            let offer = Offer::new(&setting.preset, open, rate_per_s, timeout);
            load::open(target, &prepared.exchange, &offer, trial.seed)
        }
        Load::Memory { .. } => {
            Err(TargetError::Failed("the load of a memory trial cannot be timed".to_owned()))
        }
    }
}

fn planned_row(setting: &Setting<'_>, trial: &Trial) -> TrialRow {
    let (family, arm) = setting.of(trial);
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
        role: arm.role,
        runtime: family.runtime.clone(),
        workload: family.spec.workload.clone(),
        size: family.spec.size.name().to_owned(),
        strategy: arm.strategy.clone(),
        options: options::render(&arm.options),
        regime: Regime::from(&family.load),
        callers: family.load.callers(),
        rate_per_s,
        rate_of_capacity: share,
        capacity_per_s: rate_per_s.zip(share).map(|(rate, share)| rate / share),
        arrivals: open.map_or("", |open| open.arrivals.name()).to_owned(),
        slo: open.and_then(|open| open.slo).map_or_else(String::new, |slo| slo.to_string()),
        probe: open.and_then(|open| open.probe).map_or("", |probe| probe.name()).to_owned(),
        workers: arm.options.get("workers").and_then(|text| text.parse().ok()),
        placement: family.placement,
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
