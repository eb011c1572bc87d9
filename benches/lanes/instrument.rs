//! The cost of the instrument itself: a clock read, a recorded sample, the driver's loop.

use std::hint::black_box;

use forkbench::driver::load::{self, Exchange, Pace, Timeout};
use forkbench::driver::samples::Samples;
use forkbench::driver::target::Target;
use forkbench::protocol::Outcome;
use forkbench::record::RequestRow;
use forkbench::sys::clock::now_ns;
use forkbench::workload;

use super::subject;
use crate::lane::{Lane, Result, Scale, Site};

/// Too short to be timed one by one.
const TIMES: u64 = 1_000;

/// A thousand reads of the clock.
pub(crate) fn clock_reads(_: &Site) -> Result<Box<dyn Lane>> {
    Ok(Box::new(|| {
        let start = now_ns();
        for _ in 1..TIMES {
            black_box(now_ns());
        }
        Ok(now_ns() - start)
    }))
}

/// Records a thousand samples of a window so long that not all are kept.
pub(crate) fn recorded_samples(_: &Site) -> Result<Box<dyn Lane>> {
    let mut samples = Samples::new(1);
    let mut id = 0;
    let mut record = move || {
        let start = now_ns();
        for _ in 0..TIMES {
            id += 1;
            let answered = start + 20_000 + id % 1_009;
            samples.offer(RequestRow {
                id,
                intended_ns: start,
                sent_ns: start,
                accepted_ns: Some(start + 5_000),
                replied_ns: Some(answered - 5_000),
                done_ns: answered,
                transport_out_ns: Some(5_000),
                transport_in_ns: Some(5_000),
                ..RequestRow::default()
            });
        }
        Ok(now_ns() - start)
    };
    for _ in 0..2 * forkbench::driver::samples::KEPT as u64 / TIMES {
        let _: Result<u64> = record();
    }
    Ok(Box::new(record))
}

/// Requests of one lap of [`closed_loop`].
pub(crate) const LOOP_REQUESTS: u64 = 10_000;

/// Callers in [`closed_loop`].
const CALLERS: u32 = 16;

/// The time of [`LOOP_REQUESTS`] requests by 16 callers to `blocking`.
pub(crate) fn closed_loop(site: &Site) -> Result<Box<dyn Lane>> {
    let mut target = loop_target(site)?;
    let requests = match site.scale {
        Scale::Bench => LOOP_REQUESTS,
        Scale::Test => 100,
    };
    Ok(Box::new(move || {
        let (count, window_ns) = run_loop(&mut target, requests)?;
        // One read may return several answers, so a window may hold a few more than asked for.
        Ok((u128::from(window_ns) * u128::from(LOOP_REQUESTS) / u128::from(count)) as u64)
    }))
}

/// A subject under `blocking` that leaves the driver's core to the driver.
pub(crate) fn loop_target(site: &Site) -> Result<Target> {
    site.cores.pin_answering()?;
    let target = subject::start("blocking", 0, site)?;
    site.cores.pin_asking()?;
    Ok(target)
}

/// Requests answered in the window, and its length in ns.
pub(crate) fn run_loop(target: &mut Target, requests: u64) -> Result<(u64, u64)> {
    let exchange =
        Exchange { payload: Vec::new(), echo: true, checksum: Some(workload::noop_checksum(&[])) };
    let pace = Pace {
        callers: CALLERS,
        warm_up_ns: 0,
        min_window_ns: 0,
        max_window_ns: 600_000_000_000,
        min_requests: requests,
        timeout: Timeout::new(30_000_000_000),
    };
    let measured = load::closed(target, &exchange, pace, 1)?;
    let answered = measured.outcomes[Outcome::Ok as usize];
    match measured.first_failure {
        None if answered >= requests => Ok((answered, measured.window_ns)),
        failure => Err(format!("{answered} of {requests} answered: {failure:?}").into()),
    }
}
