//! CPU time per request: of the window, and of nothing before or after it. CPU time is no wall
//! time, so a busy machine changes little of it.

use std::sync::Arc;

use crate::common::{Subject, configure_with, spec};
use forkbench::driver::cgroup::TrialGroup;
use forkbench::driver::cpu::{self, Meter};
use forkbench::driver::load::{self, Exchange, Pace, Timeout};

const MS: u64 = 1_000_000;

/// What one trial says: CPU time per request by its window and by its whole tree's life, in ns,
/// and requests per second.
#[derive(Debug)]
struct Costs {
    window_ns: f64,
    life_ns: f64,
    rate_per_s: f64,
    source: &'static str,
}

fn costs(group: Option<&Arc<TrialGroup>>, min_window_ns: u64) -> Costs {
    let work = spec("random-sum", 0, &[]);
    let mut subject =
        Subject::start(&configure_with("pool", &work, &[("workers", "100")])).unwrap();
    subject.target.attach(Meter::new(group, subject.target.pid()));
    let pace = Pace {
        callers: 4,
        warm_up_ns: 0,
        min_window_ns,
        max_window_ns: min_window_ns,
        min_requests: 40,
        timeout: Timeout::new(30_000 * MS),
    };
    let exchange = Exchange { payload: Vec::new(), echo: true, checksum: None };
    let measured = load::closed(&mut subject.target, &exchange, pace, 1).unwrap();
    let at_ready = subject.target.ready.usage;
    let life = subject.stop().exit.usage.since(at_ready);
    let completed = measured.outcomes.iter().sum::<u64>() as f64;
    let (used_ns, source) = measured.cpu.used();
    Costs {
        window_ns: used_ns.map_or(f64::NAN, |ns| ns as f64 / completed),
        life_ns: (life.cpu_user_ns + life.cpu_system_ns) as f64 / measured.served as f64,
        rate_per_s: completed * 1e9 / measured.window_ns as f64,
        source,
    }
}

#[test]
fn cpu_per_request_of_a_tiny_window_has_neither_start_nor_stop_of_the_workers() {
    let group = cpu::group("cpu-test");
    let tiny = costs(group.as_ref(), MS);
    let long = costs(group.as_ref(), 1_000 * MS);
    eprintln!("{tiny:?} {long:?}");
    assert_eq!(long.source, if group.is_some() { "group" } else { "processes" });
    let cores = std::thread::available_parallelism().unwrap().get() as f64;
    // The window is stamped a little before its CPU time is read.
    assert!(long.rate_per_s * long.window_ns / 1e9 <= 1.02 * cores, "{long:?}");
    assert!(tiny.life_ns > 3.0 * long.life_ns, "the test tells nothing: {tiny:?} {long:?}");
    if tiny.source == "group" {
        let ratio = tiny.window_ns / long.window_ns;
        // Forty requests: what is looked for is the start of the workers, several times as much.
        assert!((0.2..2.0).contains(&ratio), "{tiny:?} {long:?}");
    } else {
        assert_eq!(tiny.source, "too_short");
    }
}
