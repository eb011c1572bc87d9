//! What checks are run with: a fresh subject of any workload and strategy under any load, with
//! every answer verified.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

use super::wakeups::Lateness;
use super::{Extent, S};
use crate::driver::leftovers;
use crate::driver::load::{self, Exchange, GRACE_NS, Measured, Offer, Pace};
use crate::driver::noise::Monitor;
use crate::driver::oracle::Oracle;
use crate::driver::programs::SubjectProgram;
use crate::driver::target::{Launch, Target, TargetError, subject_environment};
use crate::driver::trial::{self, Ran, Setting};
use crate::experiment::runtime::RUST_NAME;
use crate::experiment::{Arrivals, DEADLINE_MS, Experiment, Preset, Trial};
use crate::protocol::{Configure, Outcome};
use crate::strategy;
use crate::workload::options::{self, OptionDef, Options};
use crate::workload::{self, Size, Spec};

/// Of everything that is drawn.
pub(super) const SEED: u64 = 1;

/// What a subject does, and how; options that are not given are at their defaults.
#[derive(Debug, Clone, Copy)]
pub(super) struct Service<'a> {
    pub(super) workload: &'a str,
    pub(super) options: &'a [(&'a str, &'a str)],
    pub(super) payload_bytes: u64,
    pub(super) strategy: &'a str,
    pub(super) strategy_options: &'a [(&'a str, &'a str)],
}

impl<'a> Service<'a> {
    /// Under `blocking`, without payload.
    pub(super) fn blocking(workload: &'a str, options: &'a [(&'a str, &'a str)]) -> Service<'a> {
        Service { workload, options, payload_bytes: 0, strategy: "blocking", strategy_options: &[] }
    }

    fn configure(&self) -> Result<Configure> {
        let workload = workload::by_name(self.workload).context("no such workload")?;
        let strategy = strategy::by_name(self.strategy).context("no such strategy")?;
        Ok(Configure {
            spec: Spec {
                workload: self.workload.to_owned(),
                size: Size::S,
                seed: SEED,
                payload_bytes: self.payload_bytes,
                options: resolve(workload.options(), self.options)?,
            },
            strategy: self.strategy.to_owned(),
            strategy_options: resolve(strategy.options, self.strategy_options)?,
            ballast_bytes: 0,
            deadline_ms: DEADLINE_MS,
            child_program: None,
        })
    }
}

fn resolve(defs: &[OptionDef], given: &[(&str, &str)]) -> Result<Options> {
    let given = given.iter().map(|&(k, v)| (k.to_owned(), v.to_owned()));
    Ok(options::resolve(defs, &given.collect(), 1)?)
}

/// Loads subjects and keeps what the last checks judge.
pub(super) struct Bench<'a> {
    subject: &'a Path,
    scratch: &'a Path,
    pub(super) extent: Extent,
    pub(super) monitor: Monitor,
    oracle: Oracle<'a>,
    /// Little's law in every open load so far: requests counted over those that stamps make.
    pub(super) littles_law_ratios: Vec<f64>,
    /// How long the noise thread has watched so far, in ns.
    pub(super) watched_ns: u64,
    /// What it used meanwhile, in ns.
    pub(super) sampler_cpu_ns: u64,
    key: usize,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        subject: &'a Path,
        scratch: &'a Path,
        extent: Extent,
        monitor: Monitor,
    ) -> Bench<'a> {
        Bench {
            subject,
            scratch,
            extent,
            monitor,
            oracle: Oracle::new(subject, scratch),
            littles_law_ratios: Vec::new(),
            watched_ns: 0,
            sampler_cpu_ns: 0,
            key: 0,
        }
    }

    /// For the monitor: what is watched under different numbers is judged apart.
    pub(super) fn next_key(&mut self) -> usize {
        self.key += 1;
        self.key
    }

    /// Adds up what watching has cost since this was last called.
    pub(super) fn collect_samples(&mut self) {
        for row in self.monitor.take_rows("", "") {
            self.watched_ns += row.interval_ns;
            self.sampler_cpu_ns += row.sampler_cpu_ns;
        }
    }

    /// How late this machine wakes what sleeps or waits, just now.
    ///
    /// # Errors
    /// It has no thread or socket to give.
    pub(super) fn lateness(&self) -> Result<Lateness> {
        Lateness::measure(self.extent.wakeups)
    }

    /// Does something to a fresh subject, and stops it.
    ///
    /// # Errors
    /// It could not be started, asked or stopped, or what was done failed.
    pub(super) fn with_subject<T>(
        &mut self,
        service: &Service<'_>,
        then: impl FnOnce(&mut Target, &Exchange) -> Result<T>,
    ) -> Result<T> {
        let (mut target, exchange) = self.start(service)?;
        let done = then(&mut target, &exchange)?;
        target.stop()?;
        Ok(done)
    }

    /// A fresh subject, and what to ask of it. Dropping it ends it.
    ///
    /// # Errors
    /// It could not be started.
    pub(super) fn start(&mut self, service: &Service<'_>) -> Result<(Target, Exchange)> {
        let spec = service.configure()?.spec;
        let prepared = self.oracle.prepare(&spec, SEED)?;
        Ok((self.start_unverified(service)?, prepared.exchange))
    }

    /// A fresh subject whose answers nobody waits for. Dropping it ends it.
    ///
    /// # Errors
    /// It could not be started.
    pub(super) fn start_unverified(&mut self, service: &Service<'_>) -> Result<Target> {
        let mut configure = service.configure()?;
        configure.spec = self.oracle.calibrate(&configure.spec, None)?;
        let launch = Launch {
            command: vec![self.subject.to_owned()],
            environment: subject_environment(),
            stderr: self.scratch.join("subject.stderr"),
        };
        let target = Target::start(&launch, &configure);
        Ok(target.map_err(|error| error.with_last_words(&launch.stderr))?)
    }

    /// A trial as a run does it.
    ///
    /// # Errors
    /// Its input could not be made, or the user interrupted. How it went is in what it gives.
    pub(super) fn trial(&mut self, experiment: &Experiment, trial: &Trial) -> Result<Ran> {
        // No subject runs between trials: what is there was there before.
        let strangers = leftovers::children().context("list this process's own children")?;
        let program = SubjectProgram::compiled(self.subject.to_owned());
        let setting = Setting {
            run_id: "selftest",
            experiment,
            preset: Preset::by_name("smoke").context("no such preset")?,
            programs: &[(RUST_NAME.to_owned(), program)].into(),
            environment: &subject_environment(),
            scratch: self.scratch,
            strangers: &strangers,
            budget_end_ns: None,
        };
        let spec = &experiment.families[trial.family].spec;
        let prepared = self.oracle.prepare(spec, trial.seed)?;
        Ok(trial::run(&setting, trial, &prepared)?)
    }

    /// An open loop whose every request is answered rightly.
    ///
    /// # Errors
    /// As above; or an answer is missing or wrong.
    pub(super) fn open(&mut self, service: &Service<'_>, offer: &Offer) -> Result<Measured> {
        let load =
            |target: &mut Target, exchange: &Exchange| load::open(target, exchange, offer, SEED);
        self.open_with(service, load)
    }

    /// The same, with something done beside it.
    ///
    /// # Errors
    /// As above.
    pub(super) fn open_with(
        &mut self,
        service: &Service<'_>,
        load: impl FnOnce(&mut Target, &Exchange) -> Result<Measured, TargetError>,
    ) -> Result<Measured> {
        let measured = self.with_subject(service, |target, exchange| {
            let measured = load(target, exchange)?;
            all_right(&measured)?;
            Ok(measured)
        })?;
        let traffic = measured.traffic.as_ref();
        self.littles_law_ratios.extend(traffic.and_then(|traffic| traffic.littles_law_ratio()));
        Ok(measured)
    }

    /// One caller's closed loop for about this long, every answer right.
    ///
    /// # Errors
    /// As above.
    pub(super) fn closed(&mut self, service: &Service<'_>, window_ns: u64) -> Result<Measured> {
        let pace = one_caller(window_ns);
        self.with_subject(service, |target, exchange| {
            let measured = load::closed(target, exchange, pace, SEED)?;
            all_right(&measured)?;
            Ok(measured)
        })
    }
}

/// A warm-up of a sixth of the window; the window is no longer than it must be.
pub(super) fn one_caller(window_ns: u64) -> Pace {
    Pace {
        callers: 1,
        warm_up_ns: window_ns / 6,
        min_window_ns: window_ns,
        max_window_ns: window_ns,
        min_requests: 1,
        deadline_ns: DEADLINE_MS * 1_000_000,
        grace_ns: GRACE_NS,
        budget_end_ns: None,
    }
}

/// An open loop whose window begins at once.
pub(super) fn offer(rate_per_s: f64, arrivals: Arrivals, window_ns: u64) -> Offer {
    Offer {
        rate_per_s,
        arrivals,
        probe: None,
        unloaded_ns: 0,
        warm_up_ns: 0,
        window_ns,
        patience_ns: 5 * S,
        deadline_ns: DEADLINE_MS * 1_000_000,
        grace_ns: GRACE_NS,
        budget_end_ns: None,
        limit_ns: u64::MAX,
    }
}

/// Whether every request was answered, and rightly.
///
/// # Errors
/// What the first of the others said.
pub(super) fn all_right(measured: &Measured) -> Result<()> {
    let unanswered = measured.abandoned;
    if unanswered > 0 {
        bail!("{unanswered} requests had no answer in the end");
    }
    let ok = measured.outcomes[Outcome::Ok as usize];
    if ok == 0 || measured.outcomes.iter().sum::<u64>() != ok {
        let said = measured.first_failure.as_deref().unwrap_or("none was made");
        return Err(anyhow!("not every request was answered rightly: {said}"));
    }
    Ok(())
}
