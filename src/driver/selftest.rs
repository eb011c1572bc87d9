//! Live self-tests of the driver: does it see what it has to see, on this machine, now? Each
//! starts a real subject and says what was found beside what was due. They are timed, so they are
//! no tests of the suite; the deterministic halves of them are.

use std::path::Path;
use std::thread;

use anyhow::{Context, Result, ensure};

use super::load::{self, Exchange, Measured, Offer, Pace};
use super::samples::Time;
use super::target::{Launch, Target, subject_environment};
use crate::experiment::Arrivals;
use crate::options::Options;
use crate::protocol::Configure;
use crate::sys::clock::{now_ns, sleep_until_ns};
use crate::sys::process;
use crate::workload::{Size, Spec};

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;
const DEADLINE_MS: u64 = 30_000;

/// When the subject is stopped, after its load began, and for how long.
const STALL_AFTER_NS: u64 = 3 * S;
const STALL_NS: u64 = 100 * MS;

/// What a stall of 100 ms did to the p99 of an open and of a closed loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stall {
    /// Constant 200 per second, service 1 ms, 5 s, in ns. The theory says 61 ms:
    /// L − (1 − q)(1 − ρ)T + service.
    pub open_p99_ns: u64,
    /// One caller, the same service and time, in ns.
    pub closed_p99_ns: u64,
}

impl Stall {
    /// Whether the open loop saw the stall as it was, and the closed one did not.
    pub fn passes(&self) -> bool {
        self.open_p99_ns.abs_diff(61 * MS) <= 5 * MS && self.closed_p99_ns < 5 * MS
    }
}

/// Stops a subject for 100 ms, once under each kind of load. Takes about 15 s.
///
/// # Errors
/// The subject could not be started or did not answer.
pub fn stall(subject: &Path, scratch: &Path) -> Result<Stall> {
    let offer = Offer {
        rate_per_s: 200.0,
        arrivals: Arrivals::Constant,
        probe: None,
        unloaded_ns: 0,
        warm_up_ns: S,
        window_ns: 5 * S,
        patience_ns: 2 * S,
        deadline_ns: DEADLINE_MS * MS,
        limit_ns: u64::MAX,
    };
    let open = with_subject(
        subject,
        scratch,
        "sleep",
        &[("us", "1000")],
        |target, exchange| stalled(target, |target| load::open(target, exchange, &offer, 1)),
    )?;
    let pace = Pace {
        callers: 1,
        warm_up_ns: S,
        min_window_ns: 5 * S,
        max_window_ns: 6 * S,
        min_requests: 100,
        deadline_ns: DEADLINE_MS * MS,
    };
    let closed = with_subject(
        subject,
        scratch,
        "sleep",
        &[("us", "1000")],
        |target, exchange| stalled(target, |target| load::closed(target, exchange, pace, 1)),
    )?;
    let p99 = |measured: &Measured| {
        let p99 = measured.samples.quantile(Time::Response, 0.99);
        p99.context("no request was answered ok")
    };
    Ok(Stall {
        open_p99_ns: p99(&open)?,
        closed_p99_ns: p99(&closed)?,
    })
}

/// Runs some load while the subject is stopped once.
fn stalled<T>(
    target: &mut Target,
    load: impl FnOnce(&mut Target) -> Result<T, super::target::TargetError>,
) -> Result<T> {
    let pid = target.pid();
    let at_ns = now_ns() + STALL_AFTER_NS;
    thread::scope(|scope| {
        let stalling = scope.spawn(move || {
            sleep_until_ns(at_ns)?;
            process::stop(pid)?;
            let slept = sleep_until_ns(now_ns() + STALL_NS);
            // Whatever became of the sleep: a stopped subject would never end.
            process::go_on(pid)?;
            slept
        });
        let measured = load(target);
        let stalled = stalling.join();
        ensure!(
            matches!(stalled, Ok(Ok(()))),
            "stop the subject: {stalled:?}"
        );
        Ok(measured?)
    })
}

/// How exactly the generator keeps its times at one rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Generator {
    /// Requests per second that were asked for.
    pub rate_per_s: f64,
    /// Requests per second that were sent.
    pub achieved_per_s: f64,
    /// How late they were sent, in ns.
    pub lateness_p50_ns: u64,
    /// How late they were sent, in ns.
    pub lateness_p99_ns: u64,
    /// How late they were sent, in ns.
    pub lateness_max_ns: u64,
}

impl Generator {
    /// Rate within 0.1 %, lateness p99 at most 1 ms.
    pub fn passes(&self) -> bool {
        (self.achieved_per_s / self.rate_per_s - 1.0).abs() <= 1e-3 && self.lateness_p99_ns <= MS
    }
}

/// Offers this constant rate of requests without work, for so long.
///
/// # Errors
/// The subject could not be started or did not answer.
pub fn generator(
    subject: &Path,
    scratch: &Path,
    rate_per_s: f64,
    window_ns: u64,
) -> Result<Generator> {
    let offer = Offer {
        rate_per_s,
        arrivals: Arrivals::Constant,
        probe: None,
        unloaded_ns: 0,
        warm_up_ns: 500 * MS,
        window_ns,
        patience_ns: 2 * S,
        deadline_ns: DEADLINE_MS * MS,
        limit_ns: u64::MAX,
    };
    let measured = with_subject(subject, scratch, "noop", &[], |target, exchange| {
        Ok(load::open(target, exchange, &offer, 1)?)
    })?;
    let traffic = measured.traffic.context("an open loop has traffic")?;
    let late = |p| traffic.lateness_ns(p).context("nothing was sent");
    Ok(Generator {
        rate_per_s,
        achieved_per_s: traffic.achieved_rate_per_s(),
        lateness_p50_ns: late(0.5)?,
        lateness_p99_ns: late(0.99)?,
        lateness_max_ns: traffic.lateness_max_ns().unwrap_or(0),
    })
}

/// Does something to a `blocking` subject that runs this workload, and stops it.
fn with_subject<T>(
    subject: &Path,
    scratch: &Path,
    workload: &str,
    options: &[(&str, &str)],
    then: impl FnOnce(&mut Target, &Exchange) -> Result<T>,
) -> Result<T> {
    let given = options.iter().map(|&(k, v)| (k.to_owned(), v.to_owned()));
    let launch = Launch {
        command: vec![subject.to_owned()],
        environment: subject_environment(),
        stderr: scratch.join("selftest.stderr"),
    };
    let configure = Configure {
        spec: Spec {
            workload: workload.to_owned(),
            size: Size::S,
            seed: 1,
            payload_bytes: 0,
            options: given.collect(),
        },
        strategy: "blocking".to_owned(),
        strategy_options: Options::new(),
        ballast_bytes: 0,
        deadline_ms: DEADLINE_MS,
        child_program: None,
    };
    let exchange = Exchange {
        payload: Vec::new(),
        echo: false,
        checksum: None,
    };
    let mut target = Target::start(&launch, &configure)?;
    let done = then(&mut target, &exchange)?;
    target.stop()?;
    Ok(done)
}
