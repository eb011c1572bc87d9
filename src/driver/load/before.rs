//! The measurements of a fresh subject before there is load: its first request, alone, and the
//! idle round trip.
//!
//! The way between driver and subject cannot be told from the stamps of a request: before
//! `accepted` it may have travelled, or waited unread while the server worked. The idle round trip
//! tells how long travelling takes; the rest is waiting.

use super::ledger::{Ledger, unasked};
use super::{Counted, GRACE_NS, Timeout};
use crate::driver::samples::nearest_rank;
use crate::driver::target::{Target, TargetError, check_interrupt};
use crate::protocol::{Kind, LightStamps};
use crate::record::laws;
use crate::sys::clock::now_ns;

/// Number of idle round trips, at least and at most.
const TRIPS: std::ops::RangeInclusive<usize> = 5..=30;

/// After the least number of them, no further one begins when this has passed, in ns.
const TRIPS_NS: u64 = 50_000_000;

/// An idle round trip, as medians of its halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// From the driver sending to the subject having read, in ns.
    pub outbound_ns: u64,
    /// From the subject writing to the driver having read, in ns.
    pub inbound_ns: u64,
}

/// The first request of a fresh subject, alone, until it is answered and its children are reaped.
///
/// # Errors
/// The subject is gone, does not answer in time, or breaks the protocol; or the user interrupted.
pub fn first(
    target: &mut Target,
    ledger: &mut Ledger<'_>,
    timeout: &Timeout,
) -> Result<(), TargetError> {
    let sent_ns = now_ns();
    let id = ledger.push(target, sent_ns, sent_ns);
    target.flush()?;
    let until_ns = timeout.until_ns(sent_ns);
    while ledger.open() > 0 {
        check_interrupt()?;
        // Counted from the sending: bytes that complete no answer buy no time.
        let now = now_ns();
        if now >= until_ns {
            return Err(timeout.exceeded(id, sent_ns, now));
        }
        let read_ns = target.wait(Some(until_ns))?;
        if read_ns == 0 {
            continue;
        }
        while let Some(frame) = target.next_frame()? {
            ledger.take(&frame, read_ns, Counted::No)?;
        }
    }
    Ok(())
}

/// The idle round trip, answered by the subject's main loop. Nothing else may be in flight.
///
/// # Errors
/// As [`first`]; or a stamp is impossible.
pub fn idle(target: &mut Target) -> Result<RoundTrip, TargetError> {
    let begun_ns = now_ns();
    let (mut outbound, mut inbound) = (Vec::new(), Vec::new());
    for id in 1..=*TRIPS.end() {
        if id > *TRIPS.start() && now_ns() > begun_ns + TRIPS_NS {
            break;
        }
        let (out_ns, in_ns) = trip(target, id as u64)?;
        outbound.push(out_ns);
        inbound.push(in_ns);
    }
    Ok(RoundTrip { outbound_ns: median(outbound), inbound_ns: median(inbound) })
}

/// One round trip: the time of its two halves, in ns.
fn trip(target: &mut Target, id: u64) -> Result<(u64, u64), TargetError> {
    let sent_ns = now_ns();
    target.push_light(id);
    target.flush()?;
    let until_ns = sent_ns + GRACE_NS;
    loop {
        check_interrupt()?;
        if now_ns() >= until_ns {
            let waited_s = GRACE_NS / 1_000_000_000;
            let what = format!("left idle round trip {id} without an answer for {waited_s} s");
            return Err(TargetError::Protocol(what));
        }
        let done_ns = target.wait(Some(until_ns))?;
        if done_ns == 0 {
            continue;
        }
        let Some(frame) = target.next_frame()? else {
            continue;
        };
        match (frame.header.kind, frame.header.id) {
            (Kind::Light, found) if found == id => {}
            (Kind::Reply, found) => return Err(unasked(found)),
            (kind, _) => {
                let what = format!("sent {kind:?} when LIGHT {id} was due");
                return Err(TargetError::Protocol(what));
            }
        }
        let LightStamps { accepted, replied } = LightStamps::decode(&frame.body)?;
        let order = [
            ("sent_ns", Some(sent_ns)),
            ("accepted_ns", Some(accepted)),
            ("replied_ns", Some(replied)),
            ("done_ns", Some(done_ns)),
        ];
        if let Some(fault) = laws::order_of(&order) {
            return Err(TargetError::Protocol(format!("stamped idle round trip {id} {fault}")));
        }
        return Ok((accepted - sent_ns, done_ns - replied));
    }
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    nearest_rank(&values, 0.5).unwrap_or(0)
}
