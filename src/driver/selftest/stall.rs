//! Coordinated omission: a subject that stands still for 100 ms must show in an open loop as long
//! as it stood, and hides from a closed one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};

use super::bench::{Bench, SEED, Service, offer, one_caller};
use super::wakeups::Lateness;
use super::{Findings, MS, S, ms};
use crate::driver::load::{self, Measured, Offer};
use crate::driver::samples::Time;
use crate::driver::target::{Target, TargetError};
use crate::experiment::Arrivals;
use crate::sys::clock::{now_ns, sleep_until_ns};
use crate::sys::process;

const STALL_NS: u64 = 100 * MS;

/// The server's sleep per request, and the rate of requests.
const SERVICE_NS: u64 = MS;
const RATE_PER_S: f64 = 200.0;

/// The effect of the stall on the p99 of either loop, in ns.
#[derive(Debug, Clone, Copy)]
struct Stall {
    /// Of the windows.
    window_ns: u64,
    open_p99_ns: u64,
    closed_p99_ns: u64,
}

/// `L − (1 − q)(1 − ρ)T` + service, where each service is longer by the lateness of a sleep: 61 ms
/// on a machine that is never late, where T is 5 s.
fn due_open_p99_ns(window_ns: u64, late: &Lateness) -> f64 {
    let service_ns = SERVICE_NS as f64 + late.mean_sleep_ns();
    let utilization = RATE_PER_S * service_ns / 1e9;
    STALL_NS as f64 - 0.01 * (1.0 - utilization) * window_ns as f64 + service_ns
}

fn judge(found: Stall, late: &Lateness) -> Findings {
    let due_ns = due_open_p99_ns(found.window_ns, late);
    let (open_ns, closed_ns) = (found.open_p99_ns as f64, found.closed_p99_ns as f64);
    let open = (open_ns - due_ns).abs() <= 5.0 * MS as f64;
    let open_bar = format!("{:.0} ± 5 ms", due_ns / MS as f64);
    // The slowest hundredth of sleeps is the machine's.
    let closed_bar_ns = 5 * MS + late.sleep_ns(0.99);
    let closed = found.closed_p99_ns < closed_bar_ns;
    let closed_bar = format!("< {:.1} ms", closed_bar_ns as f64 / MS as f64);
    let mut findings = Findings::default();
    findings.line("open loop, p99", ms(open_ns), open_bar, open);
    findings.line("closed loop, p99", ms(closed_ns), closed_bar, closed);
    findings.figure("open_p99_ns", open_ns);
    findings.figure("open_p99_due_ns", due_ns);
    findings.figure("closed_p99_ns", closed_ns);
    findings
}

pub fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    let window_ns = bench.extent.stall_window_ns;
    let service = Service::blocking("sleep", "us=1000");
    let before = bench.lateness()?;
    let offer = offer(RATE_PER_S, Arrivals::Constant, window_ns);
    let offer = Offer { warm_up_ns: S.min(window_ns), ..offer };
    let at_ns = offer.warm_up_ns + window_ns * 2 / 5;
    let open = bench.load(&service, |target, exchange| {
        stalled(target, at_ns, |target| load::open(target, exchange, &offer, SEED))
    })?;
    let pace = one_caller(window_ns);
    let at_ns = pace.warm_up_ns + window_ns * 2 / 5;
    let closed = bench.load(&service, |target, exchange| {
        stalled(target, at_ns, |target| load::closed(target, exchange, pace, SEED))
    })?;
    let p99 = |measured: &Measured| {
        let p99 = measured.samples.quantile(Time::Response, 0.99);
        p99.context("no request was answered ok")
    };
    let found = Stall { window_ns, open_p99_ns: p99(&open)?, closed_p99_ns: p99(&closed)? };
    Ok(judge(found, &before.and(&bench.lateness()?)))
}

/// Runs a load while the subject is stopped once, `after_ns` from now.
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
            // A load that has failed may have reaped the subject: the number may be another's then.
            if is_over.load(Ordering::Relaxed) {
                return Ok(());
            }
            process::stop(pid)?;
            let slept = sleep_until_ns(now_ns() + STALL_NS);
            // Also after a failed sleep: a stopped subject would never end.
            process::go_on(pid)?;
            slept
        });
        let measured = load(target);
        is_over.store(true, Ordering::Relaxed);
        let stalled = stalling.join().unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()));
        stalled.map_err(TargetError::io("stop the subject for a while"))?;
        measured
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    use crate::driver::selftest::wakeups::tests::{late, punctual};

    fn states(late: &Lateness, open_p99_ns: u64, closed_p99_ns: u64) -> [State; 2] {
        let findings = judge(Stall { window_ns: 5 * S, open_p99_ns, closed_p99_ns }, late);
        [findings.lines[0].state, findings.lines[1].state]
    }

    #[test]
    fn a_stall_that_one_loop_hides_or_the_other_shows_fails() {
        let states = |open, closed| states(&punctual(), open, closed);
        assert_eq!(states(63 * MS, MS), [State::Pass, State::Pass]);
        // Counted from sending, or with the load held back meanwhile.
        assert_eq!(states(MS, MS), [State::Fail, State::Pass]);
        assert_eq!(states(67 * MS, MS), [State::Fail, State::Pass]);
        assert_eq!(states(61 * MS, 6 * MS), [State::Pass, State::Fail]);
    }

    /// By hand: services of 1.3 ms are 26 % of the time, and 100 − 37 + 1.3 is 64.3 ms.
    #[test]
    fn a_late_machine_moves_the_theory_and_keeps_the_bar() {
        assert!((due_open_p99_ns(5 * S, &punctual()) - 61e6).abs() < 1.0);
        assert!((due_open_p99_ns(5 * S, &late()) - 64.3e6).abs() < 0.1e6);
        assert_eq!(states(&late(), 67 * MS, MS), [State::Pass, State::Pass]);
        // 1 ms more for each service is 11 ms at the end.
        assert_eq!(states(&late(), 75 * MS, MS), [State::Fail, State::Pass]);
        assert_eq!(states(&late(), 64 * MS, 6 * MS), [State::Pass, State::Fail]);
    }
}
