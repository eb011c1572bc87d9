//! The closed loop without a subject: times are made up.

use proptest::prelude::*;

use super::*;
use crate::driver::load::Timeout;

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;

fn timeout(deadline_ns: u64) -> Timeout {
    Timeout { deadline_ns, grace_ns: 0, budget_end_ns: None }
}

fn pace() -> Pace {
    Pace {
        callers: 2,
        warm_up_ns: 10,
        min_window_ns: 100,
        max_window_ns: 1_000,
        min_requests: 5,
        timeout: timeout(10_000),
    }
}

/// The window of a pacer whose completions come at these times, and how many it counts.
fn window(completions: &[u64]) -> (u64, usize) {
    let mut pacer = Pacer::new(pace());
    let counts =
        completions.iter().filter(|&&at| pacer.advance(at, 1).counted == Counted::Yes).count();
    assert!(pacer.is_draining());
    (pacer.window_ns(), counts)
}

#[test]
fn a_window_counts_what_completes_after_its_first_moment_and_up_to_its_last() {
    // First at 0, warm-up until four completions and 10 ns: at 40. Then one each 20 ns: the
    // fifth comes at 140, and the sixth ends a round.
    let completions: Vec<u64> =
        [0, 5, 6, 7, 40].into_iter().chain((60..).step_by(20).take(9)).collect();
    assert_eq!(window(&completions), (120, 6));
}

#[test]
fn a_window_goes_on_until_it_has_enough_requests_or_lasts_too_long() {
    let slow: Vec<u64> = [0, 1, 2, 3, 20].into_iter().chain((100..).step_by(80).take(20)).collect();
    assert_eq!(window(&slow), (480, 6));
    // Two rounds of two callers, although it has lasted too long by the second completion.
    let slower: Vec<u64> =
        [0, 1, 2, 3, 20].into_iter().chain([800, 1_500, 3_000, 4_000, 5_000]).collect();
    assert_eq!(window(&slower), (3_980, 4));
}

#[test]
fn callers_stay_busy_through_both_ends_and_stop_in_the_drain() {
    let mut pacer = Pacer::new(pace());
    assert_eq!(pacer.advance(0, 1).wanted, 2, "as many as there are callers");
    let mut in_flight = 2;
    let mut edges = Vec::new();
    for at in (10..).step_by(10).take(40) {
        let step = pacer.advance(at, 1);
        in_flight = in_flight - 1 + step.wanted;
        edges.extend(step.edge);
        if pacer.is_draining() {
            break;
        }
        assert_eq!(in_flight, 2);
    }
    assert_eq!(in_flight, 1);
    assert_eq!(edges, [Edge::Opens, Edge::Closes]);
}

#[test]
fn two_rounds_that_do_not_come_fail_with_their_count() {
    let mut pacer = Pacer::new(Pace { callers: 50, ..pace() });
    assert_eq!(pacer.limit_ns(), None, "the first request has a deadline of its own");
    pacer.advance(100, 1);
    for _ in 0..63 {
        pacer.advance(200, 1);
    }
    assert_eq!(pacer.limit_ns(), Some(20_100));
    assert_eq!(pacer.too_slow(20_099), None);
    let reason = pacer.too_slow(20_100).unwrap();
    assert!(reason.starts_with("63 of 100 answers came in 0.0 s of the warm-up"), "{reason}");
    assert!(reason.ends_with("fewer callers or less work per request"), "{reason}");
    for _ in 0..37 {
        pacer.advance(300, 1);
    }
    assert_eq!(pacer.limit_ns(), Some(20_300), "the window has its own time");
    pacer.advance(400, 99);
    assert!(pacer.too_slow(20_300).unwrap().contains("99 of 100 answers came"));
    pacer.advance(500, 1);
    assert_eq!(pacer.too_slow(u64::MAX), None);
}

/// How the simulated server shares its processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Discipline {
    /// Each processor takes a request and finishes it: a pool.
    Queue,
    /// All requests get the same share: a child per request. Answers come in bursts.
    Share,
}

/// A server, and how long each request takes it.
#[derive(Debug, Clone, Copy)]
struct Server {
    processors: usize,
    discipline: Discipline,
    service_ns: u64,
    /// Each request takes up to this share more or less.
    jitter: f64,
}

/// What was measured of a simulated closed loop.
#[derive(Debug)]
struct Seen {
    completed: u64,
    rate_per_s: f64,
    mean_response_ns: f64,
}

/// A request under way: when it was sent, and the work that is left of it in ns.
type UnderWay = (u64, f64);

/// The next completions: how long until them, and which places they have. The work of the others
/// is taken off.
fn serve(server: &Server, open: &mut [UnderWay]) -> (f64, Vec<usize>) {
    let working = match server.discipline {
        Discipline::Queue => open.len().min(server.processors),
        Discipline::Share => open.len(),
    };
    let share = (server.processors as f64 / working as f64).min(1.0);
    let work = open[..working].iter().map(|o| o.1).fold(f64::INFINITY, f64::min);
    open[..working].iter_mut().for_each(|o| o.1 -= work);
    let done = (0..working).filter(|&i| open[i].1 < 1.0).collect();
    (work / share, done)
}

/// The closed loop against this server; the reason if it is refused.
fn simulate(pace: Pace, server: Server, seed: u64) -> Result<Seen, String> {
    let mut pacer = Pacer::new(pace);
    let mut draw = seed | 1;
    let mut work = || {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let unit = (draw >> 11) as f64 / (1_u64 << 53) as f64;
        server.service_ns as f64 * (1.0 + server.jitter * (2.0 * unit - 1.0))
    };
    let (mut now_ns, mut responses) = (0.0, Vec::new());
    let mut open: Vec<UnderWay> = vec![(0, work())];
    while !pacer.is_draining() {
        let (after_ns, done) = serve(&server, &mut open);
        now_ns += after_ns;
        let now = now_ns as u64;
        if let Some(reason) = pacer.too_slow(now) {
            return Err(reason);
        }
        // Each is read alone, as where their answers are a few microseconds apart.
        for (gone, place) in done.into_iter().enumerate() {
            let (sent, _) = open.remove(place - gone);
            let step = pacer.advance(now, 1);
            if step.counted == Counted::Yes {
                responses.push((now - sent) as f64);
            }
            (0..step.wanted).for_each(|_| open.push((now, work())));
        }
    }
    let completed = responses.len() as u64;
    Ok(Seen {
        completed,
        rate_per_s: completed as f64 * 1e9 / pacer.window_ns() as f64,
        mean_response_ns: responses.iter().sum::<f64>() / completed as f64,
    })
}

#[test]
fn the_rate_of_a_hundred_callers_is_that_of_the_servers_and_never_of_a_burst() {
    let pace = Pace {
        callers: 100,
        warm_up_ns: 30 * MS,
        min_window_ns: 200 * MS,
        max_window_ns: S,
        min_requests: 20,
        timeout: Timeout { grace_ns: 10 * S, ..timeout(30 * S) },
    };
    for discipline in [Discipline::Queue, Discipline::Share] {
        let server = Server { processors: 2, discipline, service_ns: 50 * MS, jitter: 0.02 };
        let seen = simulate(pace, server, 1).unwrap();
        assert!((seen.rate_per_s / 40.0 - 1.0).abs() < 0.03, "{discipline:?}: {seen:?}");
        assert!(seen.completed >= 200, "{seen:?}");
        let in_flight = seen.rate_per_s * seen.mean_response_ns / 1e9;
        assert!((in_flight / 100.0 - 1.0).abs() < 0.05, "{discipline:?}: {in_flight}");
        // A deadline in which two rounds do not fit: they take 5 s.
        let short = Pace { timeout: timeout(2 * S), ..pace };
        let reason = simulate(short, server, 1).unwrap_err();
        assert!(reason.contains("of 200 answers came"), "{reason}");
    }
}

proptest! {
    /// A window that ends among the completions of servers in lockstep may miss all but one of
    /// them; that is more than a tenth where there are few requests for many servers.
    #[test]
    fn a_rate_is_near_the_capacity_or_refused(
        callers in 1..60_u32, processors in 1..9_usize, service_ms in 1..80_u64,
        is_shared: bool, jitter in 0.0..0.05, warm_up_ms in 0..200_u64, min_window_ms in 1..500_u64,
        more_ms in 0..1_000_u64, min_requests in 1..30_u64, deadline_ms in 50..5_000_u64,
        seed: u64,
    ) {
        let pace = Pace {
            callers,
            warm_up_ns: warm_up_ms * MS,
            min_window_ns: min_window_ms * MS,
            max_window_ns: (min_window_ms + more_ms) * MS,
            min_requests,
            timeout: timeout(deadline_ms * MS),
        };
        let discipline = if is_shared { Discipline::Share } else { Discipline::Queue };
        let server = Server { processors, discipline, service_ns: service_ms * MS, jitter };
        if let Ok(seen) = simulate(pace, server, seed) {
            let working = processors.min(callers as usize) as f64;
            let capacity_per_s = working * 1e3 / service_ms as f64;
            let off = (seen.rate_per_s / capacity_per_s - 1.0).abs();
            let expected = seen.completed as f64 - (working - 1.0);
            let allowed = (0.1_f64).max((working - 1.0) / expected + jitter);
            prop_assert!(off <= allowed, "{:?}: off by {} of {}", seen, off, capacity_per_s);
            prop_assert!(seen.completed >= 2 * u64::from(callers));
            let in_flight = seen.rate_per_s * seen.mean_response_ns / 1e9;
            let law = in_flight / f64::from(callers);
            prop_assert!((0.67..=1.5).contains(&law), "{} of {}", in_flight, callers);
        }
    }
}
