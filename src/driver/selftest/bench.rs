//! The bench of all checks: a fresh subject of any workload and strategy under any load, with
//! every answer verified.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::wakeups::Lateness;
use super::{Extent, S};
use crate::driver::leftovers;
use crate::driver::load::{self, Exchange, Measured, Offer, Pace, Timeout};
use crate::driver::noise::Monitor;
use crate::driver::oracle::Oracle;
use crate::driver::programs::SubjectProgram;
use crate::driver::target::{Launch, Target, TargetError, subject_environment};
use crate::driver::trial::{self, Ran, Setting};
use crate::experiment::runtime::RUST_NAME;
use crate::experiment::{Arrivals, DEADLINE_MS, Experiment, Preset, Trial};
use crate::protocol::{Configure, Outcome};
use crate::strategy;
use crate::workload::options;
use crate::workload::{self, Size, Spec};

/// Of everything that is drawn.
pub const SEED: u64 = 1;

/// A workload under a strategy. Options are as in rows, `us=1000;draws=bimodal`; the others are at
/// their defaults.
#[derive(Debug, Clone)]
pub struct Service {
    pub workload: &'static str,
    pub options: String,
    pub payload_bytes: u64,
    pub strategy: &'static str,
    pub strategy_options: String,
}

impl Service {
    /// Under `blocking`, without payload.
    pub fn blocking(workload: &'static str, options: impl Into<String>) -> Service {
        Service {
            workload,
            options: options.into(),
            payload_bytes: 0,
            strategy: "blocking",
            strategy_options: String::new(),
        }
    }

    fn configure(&self) -> Result<Configure> {
        let workload = workload::by_name(self.workload).context("no such workload")?;
        let strategy = strategy::by_name(self.strategy).context("no such strategy")?;
        let given = options::parse(&self.strategy_options);
        Ok(Configure {
            spec: Spec {
                workload: self.workload.to_owned(),
                size: Size::S,
                seed: SEED,
                payload_bytes: self.payload_bytes,
                options: options::resolve(workload.options(), &options::parse(&self.options), 1)?,
            },
            strategy: self.strategy.to_owned(),
            strategy_options: options::resolve(strategy.options, &given, 1)?,
            ballast_bytes: 0,
            deadline_ms: DEADLINE_MS,
            child_program: None,
        })
    }
}

/// Loads subjects and keeps what the last checks judge.
pub struct Bench<'a> {
    subject: &'a Path,
    scratch: &'a Path,
    pub extent: Extent,
    pub monitor: Monitor,
    oracle: Oracle<'a>,
    /// Little's law in every open load so far: requests counted over those that stamps make.
    pub littles_law_ratios: Vec<f64>,
    /// How long the noise thread has watched so far, in ns.
    pub watched_ns: u64,
    /// Its CPU time meanwhile, in ns.
    pub sampler_cpu_ns: u64,
    groups: u32,
}

impl<'a> Bench<'a> {
    pub fn new(
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
            groups: 0,
        }
    }

    /// Starts watching the machine: judged apart from everything before.
    pub fn watch(&mut self) {
        self.groups += 1;
        self.monitor.before_trial(crate::driver::noise::judge::Group::Check(self.groups));
    }

    /// Adds up the cost of watching since the last call.
    pub fn collect_samples(&mut self) {
        for row in self.monitor.take_rows("", "") {
            self.watched_ns += row.interval_ns;
            self.sampler_cpu_ns += row.sampler_cpu_ns;
        }
    }

    /// How late this machine wakes sleeping and waiting threads just now.
    ///
    /// # Errors
    /// It has no thread or socket to give.
    pub fn lateness(&self) -> Result<Lateness> {
        Lateness::measure(self.extent.wakeups)
    }

    /// A fresh subject whose answers are not verified. Dropping it ends it.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(&mut self, service: &Service) -> Result<Target> {
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

    /// Loads a fresh subject and stops it; every request must be answered rightly.
    ///
    /// # Errors
    /// It could not be started, loaded or stopped, or an answer is missing or wrong.
    pub fn load(
        &mut self,
        service: &Service,
        load: impl FnOnce(&mut Target, &Exchange) -> Result<Measured, TargetError>,
    ) -> Result<Measured> {
        let exchange = self.oracle.prepare(&service.configure()?.spec, SEED)?.exchange;
        let mut target = self.start(service)?;
        let measured = load(&mut target, &exchange)?;
        all_right(&measured)?;
        target.stop()?;
        let traffic = measured.traffic.as_ref();
        self.littles_law_ratios.extend(traffic.and_then(|traffic| traffic.littles_law_ratio()));
        Ok(measured)
    }

    /// An open loop.
    ///
    /// # Errors
    /// As [`Bench::load`].
    pub fn open(&mut self, service: &Service, offer: &Offer) -> Result<Measured> {
        self.load(service, |target, exchange| load::open(target, exchange, offer, SEED))
    }

    /// One caller's closed loop for about this long.
    ///
    /// # Errors
    /// As [`Bench::load`].
    pub fn closed(&mut self, service: &Service, window_ns: u64) -> Result<Measured> {
        let pace = one_caller(window_ns);
        self.load(service, |target, exchange| load::closed(target, exchange, pace, SEED))
    }

    /// A trial as a run does it.
    ///
    /// # Errors
    /// Its input could not be made, or the user interrupted. Its own failure is in its row.
    pub fn trial(&mut self, experiment: &Experiment, trial: &Trial) -> Result<Ran> {
        // No subject runs between trials: every child is a preexisting one.
        let preexisting = leftovers::children().context("list this process's own children")?;
        let program = SubjectProgram::compiled(self.subject.to_owned());
        let setting = Setting {
            run_id: "selftest",
            experiment,
            preset: Preset::by_name("smoke").context("no such preset")?,
            programs: &[(RUST_NAME.to_owned(), program)].into(),
            environment: &subject_environment(),
            scratch: self.scratch,
            preexisting: &preexisting,
            budget_end_ns: None,
        };
        let spec = &experiment.families[trial.family].spec;
        let prepared = self.oracle.prepare(spec, trial.seed)?;
        Ok(trial::run(&setting, trial, &prepared)?)
    }
}

/// A warm-up of a sixth of the window; the window is no longer than it must be.
pub fn one_caller(window_ns: u64) -> Pace {
    Pace {
        callers: 1,
        warm_up_ns: window_ns / 6,
        min_window_ns: window_ns,
        max_window_ns: window_ns,
        min_requests: 1,
        timeout: Timeout::new(DEADLINE_MS * 1_000_000),
    }
}

/// An open loop whose window begins at once.
pub fn offer(rate_per_s: f64, arrivals: Arrivals, window_ns: u64) -> Offer {
    Offer {
        rate_per_s,
        arrivals,
        probe: None,
        unloaded_ns: 0,
        warm_up_ns: 0,
        window_ns,
        patience_ns: 5 * S,
        timeout: Timeout::new(DEADLINE_MS * 1_000_000),
        limit_ns: u64::MAX,
    }
}

/// Whether every request was answered, and rightly.
fn all_right(measured: &Measured) -> Result<()> {
    if measured.abandoned > 0 {
        bail!("{} requests had no answer in the end", measured.abandoned);
    }
    let ok = measured.outcomes[Outcome::Ok as usize];
    if ok == 0 || measured.outcomes.iter().sum::<u64>() != ok {
        let said = measured.first_failure.as_deref().unwrap_or("none was made");
        bail!("not every request was answered rightly: {said}");
    }
    Ok(())
}
