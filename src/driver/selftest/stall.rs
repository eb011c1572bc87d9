//! Coordinated omission: a subject that stands still for 100 ms must show in an open loop as long
//! as it stood, and hides from a closed one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};

use super::bench::{Bench, SEED, Service, all_right, offer, one_caller};
use super::{Check, Findings, Line, MS, S, ms};
use crate::driver::load::{self, Measured, Offer};
use crate::driver::samples::Time;
use crate::driver::target::{Target, TargetError};
use crate::experiment::Arrivals;
use crate::sys::clock::{now_ns, sleep_until_ns};
use crate::sys::process;

pub(super) const CHECK: Check = Check {
    name: "stall",
    asked: |extent| {
        format!(
            "a server of 1 ms is stopped for 100 ms, once in {} s: at a constant 200 requests/s, \
             and with one caller in a closed loop",
            extent.stall_window_ns as f64 / 1e9
        )
    },
    run,
};

const STALL_NS: u64 = 100 * MS;
const SERVICE: Service<'static> = Service {
    workload: "sleep",
    options: &[("us", "1000")],
    payload_bytes: 0,
    strategy: "blocking",
    strategy_options: &[],
};

/// What the stall did to the p99 of either loop, in ns.
#[derive(Debug, Clone, Copy)]
struct Stall {
    open_p99_ns: u64,
    closed_p99_ns: u64,
}

/// The theory says 61 ms: L − (1 − q)(1 − ρ)T + service.
fn judge(found: Stall) -> Findings {
    let open = found.open_p99_ns.abs_diff(61 * MS) <= 5 * MS;
    let closed = found.closed_p99_ns < 5 * MS;
    let shown = |ns: u64| ms(ns as f64);
    Findings {
        lines: vec![
            Line::new("open loop, p99", shown(found.open_p99_ns), "61 ± 5 ms", open),
            Line::new("closed loop, p99", shown(found.closed_p99_ns), "< 5 ms", closed),
        ],
        figures: vec![
            ("open_p99_ns".to_owned(), found.open_p99_ns as f64),
            ("closed_p99_ns".to_owned(), found.closed_p99_ns as f64),
        ],
    }
}

fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    let window_ns = bench.extent.stall_window_ns;
    let offer =
        Offer { warm_up_ns: S.min(window_ns), ..offer(200.0, Arrivals::Constant, window_ns) };
    let at_ns = offer.warm_up_ns + window_ns * 2 / 5;
    let open = bench.open_with(&SERVICE, |target, exchange| {
        stalled(target, at_ns, |target| load::open(target, exchange, &offer, SEED))
    })?;
    let pace = one_caller(window_ns);
    let at_ns = pace.warm_up_ns + window_ns * 2 / 5;
    let closed = bench.with_subject(&SERVICE, |target, exchange| {
        let closed = stalled(target, at_ns, |target| load::closed(target, exchange, pace, SEED))?;
        all_right(&closed)?;
        Ok(closed)
    })?;
    let p99 = |measured: &Measured| {
        let p99 = measured.samples.quantile(Time::Response, 0.99);
        p99.context("no request was answered ok")
    };
    Ok(judge(Stall { open_p99_ns: p99(&open)?, closed_p99_ns: p99(&closed)? }))
}

/// Runs some load while the subject is stopped once, so long after now.
fn stalled<T>(
    target: &mut Target,
    after_ns: u64,
    load: impl FnOnce(&mut Target) -> Result<T, TargetError>,
) -> Result<T, TargetError> {
    let pid = target.pid();
    let at_ns = now_ns() + after_ns;
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let stalling = scope.spawn(|| {
            sleep_until_ns(at_ns)?;
            // A load that has failed may have reaped the subject: the number is another's then.
            if is_over.load(Ordering::Relaxed) {
                return Ok(());
            }
            process::stop(pid)?;
            let slept = sleep_until_ns(now_ns() + STALL_NS);
            // Whatever became of the sleep: a stopped subject would never end.
            process::go_on(pid)?;
            slept
        });
        let measured = load(target);
        is_over.store(true, Ordering::Relaxed);
        match stalling.join() {
            Ok(Ok(())) => measured,
            Ok(Err(error)) => {
                Err(TargetError::Io { attempt: "stop the subject for a while".to_owned(), error })
            }
            Err(_) => Err(TargetError::Silent("could not be stopped".to_owned())),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    #[test]
    fn a_stall_that_one_loop_hides_or_the_other_shows_fails() {
        let states = |open_p99_ns, closed_p99_ns| {
            let findings = judge(Stall { open_p99_ns, closed_p99_ns });
            [findings.lines[0].state, findings.lines[1].state]
        };
        assert_eq!(states(63 * MS, MS), [State::Pass, State::Pass]);
        // Counted from sending, or with the load held back meanwhile.
        assert_eq!(states(MS, MS), [State::Fail, State::Pass]);
        assert_eq!(states(67 * MS, MS), [State::Fail, State::Pass]);
        assert_eq!(states(61 * MS, 6 * MS), [State::Pass, State::Fail]);
    }
}
