//! The open loop and its probes against real subjects. Nothing here depends on how fast the
//! machine is; what does is for `forkbench selftest`.

use crate::common::{Heard, Subject, configure, spec};
use forkbench::driver::load::{self, Exchange, Measured, Offer, Timeout};
use forkbench::experiment::{Arrivals, Probe};
use forkbench::protocol::Outcome;
use forkbench::strategy;

const MS: u64 = 1_000_000;

fn offer(rate_per_s: f64) -> Offer {
    Offer {
        rate_per_s,
        arrivals: Arrivals::Poisson,
        probe: None,
        unloaded_ns: 0,
        warm_up_ns: 50 * MS,
        window_ns: 300 * MS,
        patience_ns: 20_000 * MS,
        timeout: Timeout::new(30_000 * MS),
        limit_ns: u64::MAX,
    }
}

fn offered(subject: &mut Subject, offer: &Offer, checksum: Option<u64>) -> Measured {
    let exchange = Exchange { payload: Vec::new(), echo: false, checksum };
    load::open(&mut subject.target, &exchange, offer, 7).unwrap()
}

#[test]
fn what_is_offered_is_answered_and_accounted_for() {
    for strategy in ["blocking", "fork", "pool"] {
        let noop = spec("noop", 0, &[]);
        let mut subject = Subject::start(&configure(strategy, &noop)).unwrap();
        let measured = offered(&mut subject, &offer(200.0), Some(0));
        let traffic = measured.traffic.as_ref().unwrap();
        assert!(traffic.offered > 20, "{strategy}: {}", traffic.offered);
        let ok = measured.outcomes[Outcome::Ok as usize];
        assert_eq!(ok, traffic.offered, "{strategy}");
        assert_eq!(measured.in_time, ok, "{strategy}");
        assert_eq!((traffic.unanswered, measured.abandoned), (0, 0), "{strategy}");
        assert!((traffic.littles_law_ratio().unwrap() - 1.0).abs() < 0.02);
        assert!(measured.first_response_ns.is_some());
        subject.stop();
    }
}

/// All arms of a block meet the same arrivals.
#[test]
fn the_same_seed_is_the_same_arrivals() {
    let arrivals = |strategy: &str| -> Vec<u64> {
        let mut subject = Subject::start(&configure(strategy, &spec("noop", 0, &[]))).unwrap();
        let measured = offered(&mut subject, &offer(200.0), Some(0));
        let window = measured.traffic.as_ref().unwrap().window();
        let rows = measured.samples.into_rows();
        subject.stop();
        rows.iter().map(|row| row.intended_ns - window.from_ns).collect()
    };
    let blocking = arrivals("blocking");
    assert_eq!(blocking, arrivals("thread"));
    assert!(blocking.len() > 20);
}

/// Ten requests per second of two seconds each: the trial ends when patience does, and what is
/// unanswered is counted.
#[test]
fn a_server_that_cannot_keep_up_is_given_up() {
    let sleep = spec("sleep", 0, &[("us", "400000")]);
    let mut subject = Subject::start(&configure("blocking", &sleep)).unwrap();
    let offer = Offer { patience_ns: 50 * MS, ..offer(100.0) };
    let measured = offered(&mut subject, &offer, None);
    let traffic = measured.traffic.as_ref().unwrap();
    let ok = measured.outcomes[Outcome::Ok as usize];
    assert!(traffic.unanswered > 0);
    assert_eq!(traffic.unanswered + ok, traffic.offered);
    assert!(traffic.is_saturated(traffic.unanswered));
    assert!(measured.abandoned >= traffic.unanswered);
}

#[test]
fn probes_are_answered_by_the_loop_and_through_every_strategy() {
    for kind in strategy::ALL {
        for probe in Probe::ALL {
            // A workload with several tasks and a payload's echo would both trip over a probe
            // that is taken for a request.
            let primes = spec("primes", 0, &[("chunks", "2")]);
            let mut subject = Subject::start(&configure(kind.name, &primes)).unwrap();
            let offer = Offer { probe: Some(probe), unloaded_ns: 100 * MS, ..offer(20.0) };
            let measured = offered(&mut subject, &offer, None);
            let met = measured.probes.unwrap();
            for (times, due) in [(&met.unloaded, 10), (&met.loaded, 30)] {
                let name = format!("{} {}", kind.name, probe.name());
                assert_eq!((times.failed, times.sorted_ns.len()), (0, due), "{name}");
            }
            subject.stop();
        }
    }
}

/// A probe through the strategy has one empty answer and, where children are reaped, a reaping.
#[test]
fn a_light_run_carries_no_payload_and_does_no_work() {
    let noop = spec("noop", 1_000, &[]);
    let mut subject = Subject::start(&configure("spawn", &noop)).unwrap();
    subject.target.push_light_run(5);
    subject.target.flush().unwrap();
    let answer = subject.answer().unwrap();
    assert_eq!((answer.id, answer.outcome), (5, Outcome::Ok), "{}", answer.reason());
    assert!(answer.body.is_empty());
    assert!(matches!(subject.hear().unwrap(), Heard::Reaped(5)));
    // And the next is an ordinary request again.
    let answer = subject.ask(6, &[7; 1_000]).unwrap();
    assert_eq!(answer.body, [7; 1_000]);
    subject.stop();
}
