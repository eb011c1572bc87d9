//! What is measured of a fresh subject before there is load: its first request, alone, and what an
//! idle round trip takes.
//!
//! What a request spends between driver and subject cannot be told from its own stamps: before
//! `accepted` it may have travelled, or waited unread while the server worked. The idle round trip
//! tells how long travelling takes; the rest is waiting.

use super::ledger::{Ledger, unasked};
use super::{Counted, GRACE_NS, within_budget_ns};
use crate::driver::interrupted;
use crate::driver::samples::nearest_rank;
use crate::driver::target::{Target, TargetError};
use crate::protocol::{Kind, LightStamps};
use crate::record::laws;
use crate::sys::clock::now_ns;

/// Idle round trips that are measured, at most and at least.
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
/// The subject is gone, does not answer within its deadline and the grace or before the run's budget
/// ends, or speaks something else; or the user interrupted.
pub(super) fn first(
    target: &mut Target,
    ledger: &mut Ledger<'_>,
    deadline_ns: u64,
    grace_ns: u64,
    budget_end_ns: Option<u64>,
) -> Result<(), TargetError> {
    let begun_ns = now_ns();
    ledger.push(target, begun_ns, begun_ns);
    target.flush()?;
    let due_ns = begun_ns + deadline_ns + grace_ns;
    let until_ns = within_budget_ns(budget_end_ns, begun_ns, due_ns);
    while ledger.open() > 0 {
        if interrupted() {
            return Err(TargetError::Interrupted);
        }
        // Counted from the sending: bytes that complete no answer buy no time.
        if now_ns() >= until_ns {
            let waited_s = (until_ns - begun_ns) as f64 / 1e9;
            let what =
                format!("left request 1 without an answer or its reaping for {waited_s:.1} s");
            return Err(if until_ns < due_ns {
                TargetError::OutOfBudget(what)
            } else {
                let deadline_s = deadline_ns as f64 / 1e9;
                TargetError::Silent(format!("{what}, beyond its deadline of {deadline_s:.1} s"))
            });
        }
        let read_ns = target.wait(Some(until_ns))?;
        if read_ns == 0 {
            continue;
        }
        while let Some(frame) = target.next_frame()? {
            match frame.header.kind {
                Kind::Reply => ledger.answered(&frame, read_ns, Counted::No)?,
                Kind::Reaped => ledger.reaped(&frame, read_ns)?,
                kind => return Err(TargetError::Silent(format!("sent {kind:?} unasked"))),
            }
        }
    }
    Ok(())
}

/// What an idle round trip takes, answered by the subject's main loop. Nothing else may be under
/// way.
///
/// # Errors
/// As [`first`]; or a stamp is impossible.
pub(super) fn idle(target: &mut Target) -> Result<RoundTrip, TargetError> {
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
        if interrupted() {
            return Err(TargetError::Interrupted);
        }
        if now_ns() >= until_ns {
            let waited_s = GRACE_NS / 1_000_000_000;
            let what = format!("left idle round trip {id} without an answer for {waited_s} s");
            return Err(TargetError::Silent(what));
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
                return Err(TargetError::Silent(what));
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
            return Err(TargetError::Silent(format!("stamped idle round trip {id} {fault}")));
        }
        return Ok((accepted - sent_ns, done_ns - replied));
    }
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    nearest_rank(&values, 0.5).unwrap_or(0)
}
