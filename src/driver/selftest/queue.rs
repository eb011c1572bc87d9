//! First come, first served: every request's response against the recursions of Lindley and of
//! Kiefer and Wolfowitz, from the real draws. Stationary theory would need minutes to be met
//! by a queue at 70 %, and is checked in simulation.

use anyhow::{Context, Result};

use super::bench::{Bench, SEED, Service, offer};
use super::wakeups::Path;
use super::{Findings, MS, ms};
use crate::driver::samples::nearest_rank;
use crate::experiment::Arrivals;
use crate::record::RequestRow;
use crate::stats::queue::{Offered, fifo_waits_ns};
use crate::workload::Draws;

const UTILIZATION: f64 = 0.7;
const SERVERS: usize = 4;
const US: u64 = 10_000;
const TOLERANCE_NS: u64 = MS / 5;

/// One request: when it was to arrive, what its service took and was to take, and its response, in
/// ns.
#[derive(Debug, Clone, Copy)]
struct Served {
    arrival_ns: u64,
    service_ns: u64,
    drawn_ns: u64,
    response_ns: u64,
}

/// How far each response is from the recursion's, in ns, ascending: earlier by anything, or later
/// by more than the machine's own wake-ups are late.
fn errors_ns(served: &[Served], servers: usize, late_ns: u64) -> Vec<u64> {
    let mut served = served.to_vec();
    served.sort_by_key(|request| request.arrival_ns);
    let offered = |request: &Served| Offered {
        arrival_ns: request.arrival_ns,
        service_ns: request.service_ns,
    };
    let waits_ns = fifo_waits_ns(&served.iter().map(offered).collect::<Vec<_>>(), servers);
    let error = |(request, wait_ns): (&Served, u64)| {
        let due_ns = wait_ns + request.service_ns;
        request.response_ns.abs_diff(request.response_ns.clamp(due_ns, due_ns + late_ns))
    };
    let mut errors: Vec<u64> = served.iter().zip(waits_ns).map(error).collect();
    errors.sort_unstable();
    errors
}

/// `late_ns` is what the machine's own wake-ups typically add to a response.
fn judge(findings: &mut Findings, what: &str, served: &[Served], (servers, late_ns): (usize, u64)) {
    let errors = errors_ns(served, servers, late_ns);
    // Against the draws alone: late sleeps are errors here, and add up in the requests behind
    // them.
    let pure = |request: &Served| Served { service_ns: request.drawn_ns, ..*request };
    let pure = errors_ns(&served.iter().map(pure).collect::<Vec<_>>(), servers, 0);
    let quantile = |errors: &[u64], p| nearest_rank(errors, p).unwrap_or(u64::MAX);
    let median_ns = quantile(&errors, 0.5);
    let figures_ns = [median_ns, quantile(&errors, 0.99), quantile(&pure, 0.5), late_ns];
    let [median, p99, pure, _] = figures_ns.map(|ns| ms(ns as f64));
    let found = format!("{median}, p99 {p99}; of pure draws {pure}");
    findings.line(format!("{what}, median error"), found, "≤ 0.2 ms", median_ns <= TOLERANCE_NS);
    let key = what.replace(' ', "_");
    let names = ["error_p50", "error_p99", "pure_draws_error_p50", "machine_late"];
    for (name, ns) in names.into_iter().zip(figures_ns) {
        findings.figure(format!("{key}_{name}_ns"), ns as f64);
    }
    findings.figure(format!("{key}_requests"), errors.len() as f64);
}

pub fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    // The generator sleeps and wakes the server, which answers; a late end of a service is in its
    // stamps. Between a server and its workers a request is handed over twice more.
    let path = |hand_overs| Path { sleeps: 1, hand_overs };
    let one = ("one server", "blocking", Draws::LogNormal, 1, path(2));
    let some = ("4 servers", "pool", Draws::Bimodal, SERVERS, path(4));
    let mut findings = Findings::default();
    for (what, strategy, draws, servers, path) in [one, some] {
        let before = bench.lateness()?;
        let served = serve(bench, strategy, draws, servers)?;
        let late_ns = before.and(&bench.lateness()?).typical_ns(path);
        judge(&mut findings, what, &served, (servers, late_ns));
    }
    Ok(findings)
}

fn serve(
    bench: &mut Bench<'_>,
    strategy: &'static str,
    draws: Draws,
    servers: usize,
) -> Result<Vec<Served>> {
    let mean_s = draws.mean() * US as f64 / 1e6;
    let rate_per_s = UTILIZATION * servers as f64 / mean_s;
    let workers = if servers > 1 { format!("workers={servers}") } else { String::new() };
    let service = Service {
        payload_bytes: 8,
        strategy,
        strategy_options: workers,
        ..Service::blocking("sleep", format!("us={US};draws={}", draws.name()))
    };
    let offer = offer(rate_per_s, Arrivals::Poisson, bench.extent.open_window_ns);
    let rows = bench.open(&service, &offer)?.samples.into_rows();
    let served: Option<_> = rows.iter().map(|row| served(row, draws)).collect();
    served.context("an answer is without stamps")
}

/// The service is the draw, or more where the sleep ended late: that keeps a server from
/// the next request like any work. Less than the draw would be an answer too early, and shows
/// as an error.
fn served(row: &RequestRow, draws: Draws) -> Option<Served> {
    let took_ns = row.work_end_ns?.checked_sub(row.work_start_ns?)?;
    let drawn_ns = draws.of_request_ns(US, SEED, row.id);
    Some(Served {
        arrival_ns: row.intended_ns,
        service_ns: took_ns.max(drawn_ns),
        drawn_ns,
        response_ns: row.response_ns(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::selftest::State;

    /// Two requests for each server at a time, a nanosecond apart: the second ones wait.
    fn served(servers: usize) -> Vec<Served> {
        let together = 2 * servers as u64;
        let offered: Vec<Offered> = (0..1_000)
            .map(|i| Offered {
                arrival_ns: i / together * 25 * MS + i % together,
                service_ns: (5 + i % 7) * MS,
            })
            .collect();
        let waits = fifo_waits_ns(&offered, servers);
        assert!(waits.iter().filter(|&&wait| wait > 0).count() >= 500);
        let pairs = offered.iter().zip(waits);
        pairs
            .map(|(request, wait_ns)| Served {
                arrival_ns: request.arrival_ns,
                service_ns: request.service_ns,
                drawn_ns: request.service_ns,
                response_ns: wait_ns + request.service_ns,
            })
            .collect()
    }

    fn judged(served: &[Served], servers: usize, late_ns: u64) -> Findings {
        let mut findings = Findings::default();
        judge(&mut findings, "one server", served, (servers, late_ns));
        findings
    }

    fn state(served: &[Served], servers: usize) -> State {
        judged(served, servers, 0).lines[0].state
    }

    #[test]
    fn another_number_of_servers_fails() {
        for servers in [1, 4] {
            let mut right = served(servers);
            assert_eq!(state(&right, servers), State::Pass);
            // The order in which requests were answered must not matter.
            right.reverse();
            assert_eq!(state(&right, servers), State::Pass);
        }
        let queued: Vec<Served> = (0..100)
            .map(|i| Served {
                arrival_ns: i * 5 * MS,
                service_ns: 10 * MS,
                drawn_ns: 10 * MS,
                response_ns: 10 * MS + i * 5 * MS,
            })
            .collect();
        assert_eq!(state(&queued, 1), State::Pass);
        assert_eq!(state(&queued, 2), State::Fail);
    }

    /// A sleep that ends late is the machine's, not the driver's; only the second figure has it.
    #[test]
    fn the_error_against_pure_draws_counts_late_sleeps() {
        let mut late = served(1);
        late.iter_mut().for_each(|request| request.drawn_ns -= MS / 2);
        let findings = judged(&late, 1, 0);
        assert_eq!(findings.lines[0].state, State::Pass);
        let found = &findings.lines[0].found;
        // Half of the requests are first in their server, half wait for another.
        assert_eq!(found, "0.000 ms, p99 0.000 ms; of pure draws 0.500 ms");
    }

    #[test]
    fn a_late_machine_is_no_excuse_for_answers_that_are_late_by_1_ms() {
        let machine_ns = 4 * MS / 10;
        let state = |by_ns: u64| {
            let mut late = served(4);
            late.iter_mut().for_each(|request| request.response_ns += by_ns);
            judged(&late, 4, machine_ns).lines[0].state
        };
        assert_eq!(state(machine_ns + TOLERANCE_NS), State::Pass);
        assert_eq!(state(machine_ns + TOLERANCE_NS + 1), State::Fail);
        assert_eq!(state(machine_ns + MS), State::Fail);
        let mut early = served(4);
        early.iter_mut().for_each(|request| request.response_ns -= 3 * MS / 10);
        assert_eq!(judged(&early, 4, machine_ns).lines[0].state, State::Fail);
    }

    #[test]
    fn responses_that_are_late_or_leave_out_the_wait_fail() {
        let late = |by_ns: u64| -> Vec<Served> {
            let mut late = served(1);
            late.iter_mut().for_each(|request| request.response_ns += by_ns);
            late
        };
        assert_eq!(state(&late(MS / 5), 1), State::Pass);
        assert_eq!(state(&late(MS / 5 + 1), 1), State::Fail);
        let mut queued = served(1);
        for (i, request) in (0..).zip(&mut queued) {
            request.arrival_ns = i * MS;
            request.response_ns = request.service_ns;
        }
        assert_eq!(state(&queued, 1), State::Fail);
        assert_eq!(state(&[], 1), State::Fail);
    }
}
