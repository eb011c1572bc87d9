//! The books of one trial: which requests are in flight, whether their answers are right, what
//! they came to. Every way of offering load keeps the same books.

use std::collections::BTreeMap;

use super::{Counted, Edge, Exchange, FAILED_ROWS, Measured, RoundTrip};
use crate::driver::samples::Samples;
use crate::driver::target::{Target, TargetError};
use crate::protocol::{FLAG_MORE, FLAG_REAPS, Frame, Kind, Outcome, Reply};
use crate::record::{RequestRow, laws};
use crate::stats::safeguards::{Safeguard, holds};
use crate::sys::clock::now_ns;

/// Requests in flight, and the results of those that are over.
#[derive(Debug)]
pub struct Ledger<'a> {
    exchange: &'a Exchange,
    next_id: u64,
    in_flight: BTreeMap<u64, Sent>,
    /// Answered and not reaped, with whether they count.
    unreaped: BTreeMap<u64, (RequestRow, Counted)>,
    /// The longest response of any request.
    longest_ns: u64,
    /// A response under this is in time.
    limit_ns: u64,
    measured: Measured,
}

/// A request that is not answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// When it was to be sent: what response times are counted from.
    pub intended_ns: u64,
    /// When it was.
    pub sent_ns: u64,
    acknowledged_ns: Option<u64>,
}

impl<'a> Ledger<'a> {
    /// Empty books. `seed` decides which requests of a long window are kept.
    pub fn new(exchange: &'a Exchange, seed: u64) -> Ledger<'a> {
        Ledger {
            exchange,
            next_id: 1,
            in_flight: BTreeMap::new(),
            unreaped: BTreeMap::new(),
            longest_ns: 0,
            limit_ns: u64::MAX,
            measured: Measured { samples: Samples::new(seed), ..Measured::default() },
        }
    }

    /// Counts answers in less than this as in time, instead of all.
    #[must_use]
    pub fn with_limit(self, limit_ns: u64) -> Ledger<'a> {
        Ledger { limit_ns, ..self }
    }

    /// Notes the idle round trip: that much of each request is transport.
    pub fn travels(&mut self, idle: RoundTrip) {
        self.measured.idle = Some(idle);
    }

    /// Reads the CPU time of the subject's tree at an end of the window.
    pub fn passes(&mut self, edge: Option<Edge>, target: &Target) {
        match edge {
            Some(Edge::Opens) => self.measured.cpu.first = target.cpu(),
            Some(Edge::Closes) => self.measured.cpu.last = target.cpu(),
            None => {}
        }
    }

    /// Sends `count` requests now: a caller in a closed loop intends to send when it does.
    ///
    /// # Errors
    /// The subject is gone.
    pub fn send(&mut self, target: &mut Target, count: u64) -> Result<(), TargetError> {
        if count == 0 {
            return Ok(());
        }
        for _ in 0..count {
            let now = now_ns();
            self.push(target, now, now);
        }
        target.flush()
    }

    /// Takes a frame that had arrived at `read_ns`.
    ///
    /// # Errors
    /// The subject was not asked for it, or a stamp is impossible.
    pub fn take(
        &mut self,
        frame: &Frame,
        read_ns: u64,
        counted: Counted,
    ) -> Result<(), TargetError> {
        match frame.header.kind {
            Kind::Reply => self.answered(frame, read_ns, counted),
            Kind::Reaped => self.reaped(frame, read_ns),
            kind => Err(TargetError::Protocol(format!("sent {kind:?} unasked"))),
        }
    }

    /// Queues the next request; the target's flush sends it. Gives its id.
    pub fn push(&mut self, target: &mut Target, intended_ns: u64, sent_ns: u64) -> u64 {
        let id = self.enter(intended_ns, sent_ns);
        let start = id.to_le_bytes();
        let payload = &self.exchange.payload;
        let head = &start[..payload.len().min(8)];
        target.push_run(id, &[head, &payload[head.len()..]]);
        id
    }

    /// Enters a request into the books and gives its id.
    pub fn enter(&mut self, intended_ns: u64, sent_ns: u64) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let counts_intended = holds(Safeguard::IntendedTime);
        let sent = Sent {
            intended_ns: if counts_intended { intended_ns } else { sent_ns },
            sent_ns,
            acknowledged_ns: None,
        };
        self.in_flight.insert(id, sent);
        id
    }

    /// Enters a request that is not sent at all, because too many are in flight.
    pub fn reject(&mut self, intended_ns: u64, now: u64, counted: Counted) {
        let row = RequestRow {
            id: self.next_id,
            intended_ns,
            sent_ns: now,
            done_ns: now,
            outcome: Some(Outcome::Rejected),
            ..RequestRow::default()
        };
        self.next_id += 1;
        self.count(row, counted);
    }

    /// The request of this id, if it is not answered.
    pub fn sent(&self, id: u64) -> Option<Sent> {
        self.in_flight.get(&id).copied()
    }

    /// Gives up on open requests: answered ones count without their reaping, the others are given
    /// back.
    pub fn abandon(&mut self) -> Vec<Sent> {
        for (row, counted) in std::mem::take(&mut self.unreaped).into_values() {
            self.count(row, counted);
        }
        std::mem::take(&mut self.in_flight).into_values().collect()
    }

    /// Requests that are not answered.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Requests that are not answered, or not reaped.
    pub fn open(&self) -> usize {
        self.in_flight.len() + self.unreaped.len()
    }

    /// The request that has been in flight for longest, not answered or not reaped: its id, and
    /// when it was sent.
    pub fn oldest(&self) -> Option<(u64, u64)> {
        let sent = self.in_flight.first_key_value().map(|(id, sent)| (*id, sent.sent_ns));
        let answered = self.unreaped.first_key_value().map(|(id, (row, _))| (*id, row.sent_ns));
        sent.into_iter().chain(answered).min()
    }

    /// The longest response of any request until now, in ns.
    pub fn longest_ns(&self) -> u64 {
        self.longest_ns
    }

    /// Takes an answer that had arrived at `done_ns`, or its announcement.
    pub(super) fn answered(
        &mut self,
        frame: &Frame,
        done_ns: u64,
        counted: Counted,
    ) -> Result<(), TargetError> {
        let id = frame.header.id;
        if is_announcement(frame) {
            let sent = self.in_flight.get_mut(&id).ok_or_else(|| unasked(id))?;
            sent.acknowledged_ns = Some(done_ns);
            return Ok(());
        }
        let sent = self.in_flight.remove(&id).ok_or_else(|| unasked(id))?;
        let (reply, body) = Reply::decode(&frame.body)?;
        let outcome = self.judge(id, frame.header.outcome, &reply, body);
        self.measured.served += 1;
        if outcome != Outcome::Ok && self.measured.first_failure.is_none() {
            self.measured.first_failure = Some(reason(outcome, &reply, body));
        }
        if id == 1 && outcome == Outcome::Ok {
            self.measured.first_response_ns = Some(done_ns - sent.intended_ns);
        }
        let row = row(id, sent, done_ns, outcome, &reply, self.measured.idle);
        if let Some(fault) = laws::stamps(&row) {
            return Err(TargetError::Protocol(format!("stamped request {id} {fault}")));
        }
        self.longest_ns = self.longest_ns.max(row.response_ns());
        if frame.header.flags & FLAG_REAPS != 0 {
            self.unreaped.insert(id, (row, counted));
        } else {
            self.count(row, counted);
        }
        Ok(())
    }

    /// Takes the word, read at `read_ns`, that all children of an answered request are reaped.
    fn reaped(&mut self, frame: &Frame, read_ns: u64) -> Result<(), TargetError> {
        let id = frame.header.id;
        let at_ns = frame.body.as_slice().try_into().map(u64::from_le_bytes);
        let (Some((row, counted)), Ok(at_ns)) = (self.unreaped.remove(&id), at_ns) else {
            let what = format!("told of a reaping for request {id} out of turn");
            return Err(TargetError::Protocol(what));
        };
        // A child may be reaped before its answer is written, but not before it has worked.
        let order = [
            ("child_start_ns", row.child_start_ns),
            ("work_start_ns", row.work_start_ns),
            ("work_end_ns", row.work_end_ns),
            ("reaped_ns", Some(at_ns)),
            ("the arrival of REAPED", Some(read_ns)),
        ];
        if let Some(fault) = laws::order_of(&order) {
            return Err(TargetError::Protocol(format!("stamped request {id} {fault}")));
        }
        self.count(RequestRow { reaped_ns: Some(at_ns), ..row }, counted);
        Ok(())
    }

    /// Closes the books. Answered requests count without their reaping.
    pub fn close(mut self, window_ns: u64) -> Measured {
        let abandoned = self.abandon().len() as u64;
        Measured { window_ns, abandoned, ..self.measured }
    }

    fn judge(&mut self, id: u64, outcome: Outcome, reply: &Reply, body: &[u8]) -> Outcome {
        if outcome != Outcome::Ok || !holds(Safeguard::Checksum) {
            return outcome;
        }
        let right_sum = self.exchange.checksum.is_none_or(|due| due == reply.checksum);
        let sent = &self.exchange.payload;
        let head = sent.len().min(8);
        let right_echo = !self.exchange.echo
            || (body.len() == sent.len()
                && body[..head] == id.to_le_bytes()[..head]
                && body[head..] == sent[head..]);
        if right_sum && right_echo {
            return Outcome::Ok;
        }
        self.measured.wrong += 1;
        Outcome::WrongAnswer
    }

    fn count(&mut self, row: RequestRow, counted: Counted) {
        let Some(outcome) = row.outcome else {
            return;
        };
        if counted == Counted::No {
            // The first request has a column of its own.
            self.measured.not_ok_outside += u64::from(outcome != Outcome::Ok && row.id != 1);
            return;
        }
        self.measured.outcomes[outcome as usize] += 1;
        if outcome == Outcome::Ok {
            self.measured.in_time += u64::from(row.response_ns() < self.limit_ns);
            self.measured.samples.offer(row);
        } else if self.measured.failed.len() < FAILED_ROWS {
            self.measured.failed.push(RequestRow { weight: 1.0, ..row });
        }
    }
}

/// Whether this answer only says that the request was accepted, and another follows.
pub fn is_announcement(frame: &Frame) -> bool {
    frame.header.flags & FLAG_MORE != 0
}

pub fn unasked(id: u64) -> TargetError {
    TargetError::Protocol(format!("answered request {id}, which it was not asked"))
}

fn row(
    id: u64,
    sent: Sent,
    done_ns: u64,
    outcome: Outcome,
    reply: &Reply,
    idle: Option<RoundTrip>,
) -> RequestRow {
    let s = &reply.stamps;
    let happened = |ns: u64| (ns != 0).then_some(ns);
    // On a warm core a request may travel faster than an idle round trip.
    let out_ns = |idle: RoundTrip| {
        Some(idle.outbound_ns.min(happened(s.accepted)?.saturating_sub(sent.sent_ns)))
    };
    let in_ns =
        |idle: RoundTrip| Some(idle.inbound_ns.min(done_ns.saturating_sub(happened(s.replied)?)));
    RequestRow {
        id,
        intended_ns: sent.intended_ns,
        sent_ns: sent.sent_ns,
        accepted_ns: happened(s.accepted),
        dispatched_ns: happened(s.dispatched),
        child_start_ns: happened(s.child_start),
        work_start_ns: happened(s.work_start),
        work_end_ns: happened(s.work_end),
        replied_ns: happened(s.replied),
        done_ns,
        reaped_ns: None,
        outcome: Some(outcome),
        child_pid: (reply.child_pid != 0).then_some(reply.child_pid),
        weight: 1.0,
        acknowledged_ns: sent.acknowledged_ns,
        transport_out_ns: idle.and_then(out_ns),
        transport_in_ns: idle.and_then(in_ns),
    }
}

fn reason(outcome: Outcome, reply: &Reply, body: &[u8]) -> String {
    if outcome == Outcome::WrongAnswer {
        let (bytes, checksum) = (body.len(), reply.checksum);
        return format!("wrong_answer: {bytes} bytes, checksum {checksum:016x}");
    }
    format!("{}: {}", outcome.name(), String::from_utf8_lossy(body))
}

#[cfg(test)]
mod tests;
