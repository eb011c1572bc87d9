//! Where the time of a request goes, in every runtime that is installed here. What is compared is
//! of one trial, so that a busy machine changes both sides alike.
use crate::common::runtimes::installed;
use crate::common::{Subject, configure, spec};
use forkbench::driver::load::{self, Exchange, Measured, Pace, Timeout};
use forkbench::record::RequestRow;

const CALLERS: u32 = 4;

/// A closed loop of four callers for whom the main loop works 2 ms each.
fn blocked(mut subject: Subject) -> Measured {
    let exchange = Exchange { payload: Vec::new(), echo: true, checksum: None };
    let pace = Pace {
        callers: CALLERS,
        warm_up_ns: 0,
        min_window_ns: 0,
        max_window_ns: 60_000_000_000,
        min_requests: 80,
        timeout: Timeout::new(30_000_000_000),
    };
    let measured = load::closed(&mut subject.target, &exchange, pace, 1).unwrap();
    subject.stop();
    measured
}

/// Under `blocking` a request waits for the three others' work, nearly all of that time unread in
/// the socket. That is the server's doing and no transport.
fn check(runtime: &str, measured: &Measured) {
    let p50 = |time: fn(&RequestRow) -> Option<u64>| measured.samples.median_of(time).unwrap();
    let work = p50(|row| Some(row.work_end_ns? - row.work_start_ns?));
    let [queue, service, transport] =
        [RequestRow::queue_ns, RequestRow::service_ns, RequestRow::transport_ns].map(p50);
    // On a busy machine answers wait for the driver, which is no fault of the server's.
    let response = p50(|row| Some(row.response_ns() - row.delivery_ns()?));
    let said = format!(
        "{runtime}: work {work}, queue {queue}, service {service}, transport {transport}, response \
         without delivery {response} ns"
    );
    assert!(queue >= 2 * work, "{said}");
    assert!(10 * (service + transport) >= 9 * response, "{said}");
    // An idle round trip takes longer on a busy machine too, and work with it.
    assert!(2 * transport < queue, "{said}");
    let idle = measured.idle.unwrap();
    assert!(transport <= idle.outbound_ns + idle.inbound_ns, "{said}, {idle:?}");
}

#[test]
fn a_wait_behind_work_is_queue_and_no_transport_in_every_runtime() {
    let configure =
        configure("blocking", &spec("spin", 0, &[("us", "2000"), ("steps_per_ms", "500000")]));
    check("rust", &blocked(Subject::start(&configure).unwrap()));
    for one in installed() {
        check(one.runtime.name, &blocked(one.start(&configure)));
    }
}
