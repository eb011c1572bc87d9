//! The open loop without a subject: times are made up, a FIFO server answers, and the machine may
//! stand still. What differs from the real loop is only who tells the time.

use std::collections::VecDeque;

use super::*;
use crate::driver::samples::Time;
use crate::protocol::{Header, Reply};
use crate::stats::safeguards::{Safeguard, without};

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;

const TIMEOUT: Timeout = Timeout { deadline_ns: 30 * S, grace_ns: 10 * S, budget_end_ns: None };

/// Constant 200 per second over 5 s: 1 000 requests.
const OFFER: Offer = Offer {
    rate_per_s: 200.0,
    arrivals: Arrivals::Constant,
    probe: None,
    unloaded_ns: 0,
    warm_up_ns: S,
    window_ns: 5 * S,
    patience_ns: 2 * S,
    timeout: TIMEOUT,
    limit_ns: 20 * MS,
};
const SERVICE_NS: u64 = MS;
/// The stall, in the middle of the window.
const STALL: (u64, u64) = (3 * S + 2 * MS, 3 * S + 102 * MS);

/// Who stands still during the stall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stalled {
    Nobody,
    /// Requests are sent in time and wait at the server.
    Server,
    /// As when the hypervisor takes the machine away: requests are sent late, too.
    Machine,
}

fn exchange() -> Exchange {
    Exchange { payload: Vec::new(), echo: false, checksum: Some(0) }
}

fn answer(id: u64) -> Frame {
    Frame { header: Header::new(Kind::Reply, id), body: Reply::default().encode().to_vec() }
}

/// When a server that is busy until `free_ns` is done with a request that reached it at `at_ns`.
fn served(at_ns: u64, free_ns: u64, stalled: Stalled) -> u64 {
    let start_ns = at_ns.max(free_ns);
    let done_ns = start_ns + SERVICE_NS;
    let stands_still = stalled != Stalled::Nobody && start_ns < STALL.1 && done_ns > STALL.0;
    if stands_still { STALL.1 + SERVICE_NS } else { done_ns }
}

/// What the driver can know of a moment: nothing happens on a machine that stands still.
fn awake(at_ns: u64, stalled: Stalled) -> u64 {
    let asleep = stalled == Stalled::Machine && (STALL.0..STALL.1).contains(&at_ns);
    if asleep { STALL.1 } else { at_ns }
}

fn simulate(stalled: Stalled) -> Measured {
    let exchange = exchange();
    let mut ledger = Ledger::new(&exchange, 1).with_limit(OFFER.limit_ns);
    let mut timetable = Timetable::new(&OFFER, 0, 1);
    let window = timetable.window;
    let mut traffic = Traffic::new(window);
    let mut server: VecDeque<(u64, u64, u64)> = VecDeque::new();
    let mut free_ns = 0;
    let enter = |ledger: &mut Ledger<'_>, traffic: &mut Traffic, id, done_ns| {
        let Some(sent) = ledger.sent(id) else {
            return 0;
        };
        let counted = window.counts(sent.intended_ns);
        traffic.done(sent.sent_ns, done_ns, true);
        ledger.answered(&answer(id), done_ns, counted).unwrap();
        u64::from(counted == Counted::Yes)
    };
    loop {
        let due = timetable.next_ns().map(|at_ns| awake(at_ns, stalled));
        let done = server.front().map(|&(_, _, done_ns)| done_ns);
        let now = match (due, done) {
            (Some(due), Some(done)) => due.min(done),
            (Some(at), None) | (None, Some(at)) => at,
            (None, None) => break,
        };
        while let Some(&(id, _, done_ns)) = server.front().filter(|s| s.2 <= now) {
            timetable.answered += enter(&mut ledger, &mut traffic, id, done_ns);
            server.pop_front();
        }
        while let Some(intended_ns) = timetable.take_due(now) {
            let id = ledger.enter(intended_ns, now);
            traffic.sent(intended_ns, now);
            free_ns = served(now, free_ns, stalled);
            server.push_back((id, now, free_ns));
        }
        timetable.consider(now, &traffic);
    }
    traffic.close();
    Measured { traffic: Some(traffic), ..ledger.close(window.length_ns()) }
}

fn p99_ms(measured: &Measured) -> f64 {
    measured.samples.quantile(Time::Response, 0.99).unwrap() as f64 / MS as f64
}

/// The theory: L − (1 − q)(1 − ρ)T + service = 100 − 0.01 · 0.8 · 5 000 + 1 ms.
#[test]
fn a_stall_of_the_server_shows_in_the_open_loop() {
    let measured = simulate(Stalled::Server);
    let p99 = p99_ms(&measured);
    assert!((p99 - 61.0).abs() < 5.0, "{p99} ms");
    let traffic = measured.traffic.unwrap();
    assert_eq!((traffic.offered, traffic.completed), (1_000, 1_000));
    assert_eq!(traffic.lateness_max_ns(), Some(0), "the generator was in time");
    assert!(!traffic.is_saturated(0));
    let law = traffic.littles_law_ratio().unwrap();
    assert!((law - 1.0).abs() < 1e-9);
    let calm = simulate(Stalled::Nobody);
    assert_eq!(p99_ms(&calm), 1.0);
    assert_eq!(calm.in_time, 1_000);
    // In time were those that did not meet the stall, or its last 20 ms less what the queue took.
    assert!((975..=985).contains(&measured.in_time), "{}", measured.in_time);
}

/// One caller meets the stall once: that is why a closed loop is for capacity only.
#[test]
fn a_stall_does_not_show_with_one_caller() {
    let mut times: Vec<u64> = Vec::new();
    let mut now = 0;
    while now < 5 * S {
        let done_ns = served(now, now, Stalled::Server);
        times.push(done_ns - now);
        now = done_ns;
    }
    times.sort_unstable();
    assert!(*times.last().unwrap() >= 100 * MS);
    let p99 = crate::driver::samples::nearest_rank(&times, 0.99).unwrap();
    assert!(p99 < 5 * MS, "{p99} ns");
}

/// Without it nothing shows that the machine stood still for 100 ms, the generator included.
#[test]
fn intended_time_is_needed() {
    let p99 = || p99_ms(&simulate(Stalled::Machine));
    assert!((p99() - 61.0).abs() <= 5.0, "{} ms", p99());
    let off = without(Safeguard::IntendedTime, p99);
    assert!((off - 61.0).abs() > 5.0, "{off} ms");
}

#[test]
fn what_is_sent_late_is_charged_from_when_it_was_meant() {
    let measured = simulate(Stalled::Machine);
    let p99 = p99_ms(&measured);
    assert!((p99 - 61.0).abs() < 5.0, "{p99} ms");
    let traffic = measured.traffic.unwrap();
    let late_ms = traffic.lateness_max_ns().unwrap() / MS;
    assert!((95..=100).contains(&late_ms), "the lateness is published: {late_ms} ms");
    assert_eq!(traffic.sent, 1_000);
}

#[test]
fn arrivals_go_on_until_the_windows_requests_are_answered() {
    let mut timetable = Timetable::new(&OFFER, 0, 1);
    let until_ns = timetable.window.until_ns;
    let mut traffic = Traffic::new(timetable.window);
    while let Some(intended_ns) = timetable.take_due(until_ns - 1) {
        traffic.sent(intended_ns, intended_ns);
    }
    assert_eq!(traffic.offered, 1_000);
    timetable.answered = 999;
    timetable.consider(until_ns, &traffic);
    assert_eq!(timetable.next_ns(), Some(until_ns), "one is not answered");
    timetable.answered = 1_000;
    timetable.consider(until_ns - 1, &traffic);
    assert!(timetable.next_ns().is_some(), "the window is not over");
    timetable.consider(until_ns, &traffic);
    assert_eq!(timetable.next_ns(), None);
}

/// As long for every arm, since nothing but rate and preset decides.
#[test]
fn windows_are_as_long_as_a_thousand_requests_within_bounds() {
    let preset = Preset::by_name("quick").unwrap();
    let [min_ns, max_ns] = preset.open_window_ns;
    let open = |window, probe| crate::experiment::Open {
        rate: crate::experiment::Rate::PerSecond(1.0),
        arrivals: Arrivals::Poisson,
        probe,
        window,
        search_steps: 0,
        slo: None,
    };
    let of = |window, rate, probe| Offer::new(&preset, &open(window, probe), rate, TIMEOUT);
    let offer = |rate, probe| of(WindowLength::AsNeeded, rate, probe);
    assert_eq!(offer(250.0, None).window_ns, 2 * S);
    assert_eq!(offer(1e4, None).window_ns, min_ns);
    assert_eq!(offer(1.0, None).window_ns, max_ns);
    let probed = offer(1e4, Some(Probe::MainLoop));
    assert_eq!(probed.window_ns, max_ns);
    assert_eq!(probed.unloaded_ns, max_ns / 2);
    // A p95 of probes needs 200 of them.
    assert!(probed.unloaded_ns >= 200 * probe::SLOT_NS);
    for (rate, probe) in [(1.0, None), (1.0, Some(Probe::MainLoop)), (1e4, None)] {
        let shortest = of(WindowLength::Shortest, rate, probe);
        assert_eq!(shortest.window_ns, min_ns, "{rate} {probe:?}");
    }
}
