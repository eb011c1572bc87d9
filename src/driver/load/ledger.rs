//! The books of one trial: which requests are under way, whether their answers are right, what
//! they came to. Every way of offering load keeps them alike.

use std::collections::BTreeMap;

use super::{Counted, Exchange, FAILED_ROWS, Measured, RoundTrip};
use crate::driver::target::{Target, TargetError};
use crate::protocol::{FLAG_MORE, FLAG_REAPS, Frame, Outcome, Reply};
use crate::record::{RequestRow, laws};
use crate::stats::safeguards::{Safeguard, holds};

/// Requests under way, and what those that are over came to.
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
            measured: Measured::new(seed),
        }
    }

    /// Counts answers in less than this as in time, instead of all.
    #[must_use]
    pub fn with_limit(self, limit_ns: u64) -> Ledger<'a> {
        Ledger { limit_ns, ..self }
    }

    /// Takes note of what an idle round trip takes: that much of what follows is transport.
    pub(super) fn travels(&mut self, idle: RoundTrip) {
        self.measured.idle = Some(idle);
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
    pub(super) fn enter(&mut self, intended_ns: u64, sent_ns: u64) -> u64 {
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

    /// Enters a request that is not sent at all, because too many are under way.
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

    /// Gives up on what is still open: answered requests count without their reaping, the others
    /// are given back, for whoever knows what they count as.
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

    /// The request that has been under way for longest, not answered or not reaped: its id, and
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
    ///
    /// # Errors
    /// It answers what was not asked, is no answer, or has a stamp that is impossible.
    pub fn answered(
        &mut self,
        frame: &Frame,
        done_ns: u64,
        counted: Counted,
    ) -> Result<(), TargetError> {
        let id = frame.header.id;
        if is_announcement(frame) {
            return match self.in_flight.get_mut(&id) {
                Some(sent) => {
                    sent.acknowledged_ns = Some(done_ns);
                    Ok(())
                }
                None => Err(unasked(id)),
            };
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
            return Err(TargetError::Silent(format!("stamped request {id} {fault}")));
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
    ///
    /// # Errors
    /// It is about a request that has none, or its stamp is impossible.
    pub fn reaped(&mut self, frame: &Frame, read_ns: u64) -> Result<(), TargetError> {
        let id = frame.header.id;
        let at_ns = frame.body.as_slice().try_into().map(u64::from_le_bytes);
        let (Some((row, counted)), Ok(at_ns)) = (self.unreaped.remove(&id), at_ns) else {
            let what = format!("told of a reaping for request {id} out of turn");
            return Err(TargetError::Silent(what));
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
            return Err(TargetError::Silent(format!("stamped request {id} {fault}")));
        }
        self.count(RequestRow { reaped_ns: Some(at_ns), ..row }, counted);
        Ok(())
    }

    /// Closes the books. Of what is still open, answered requests count without their reaping.
    pub fn close(mut self, window_ns: u64) -> Measured {
        self.abandon();
        Measured { window_ns, ..self.measured }
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
pub(in crate::driver) fn is_announcement(frame: &Frame) -> bool {
    frame.header.flags & FLAG_MORE != 0
}

pub(super) fn unasked(id: u64) -> TargetError {
    TargetError::Silent(format!("answered request {id}, which it was not asked"))
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::{Header, Kind, Stamps};
    use crate::stats::safeguards::without;

    /// Without it an answer whose checksum is wrong is believed.
    #[test]
    fn checksum_is_needed() {
        let right = [&1_u64.to_le_bytes()[..], &(8..16).collect::<Vec<u8>>()].concat();
        let wrong = answer(15, &right);
        let outcome = || {
            let measured = judged(&wrong);
            let mut outcomes = Outcome::ALL.into_iter();
            outcomes.find(|&outcome| measured.outcomes[outcome as usize] == 1)
        };
        assert_eq!(outcome(), Some(Outcome::WrongAnswer));
        assert_eq!(without(Safeguard::Checksum, outcome), Some(Outcome::Ok));
    }

    fn exchange(payload: Vec<u8>) -> Exchange {
        Exchange { payload, echo: true, checksum: Some(16) }
    }

    fn answer(checksum: u64, echo: &[u8]) -> Frame {
        let reply = Reply { checksum, ..Reply::default() };
        let body = [&reply.encode()[..], echo].concat();
        Frame { header: Header::new(Kind::Reply, 1), body }
    }

    /// What the books say of one request to which this was the answer.
    fn judged(answer: &Frame) -> Measured {
        let exchange = exchange((0..16).collect());
        let mut ledger = Ledger::new(&exchange, 1);
        let sent = Sent { intended_ns: 10, sent_ns: 20, acknowledged_ns: None };
        ledger.in_flight.insert(1, sent);
        ledger.answered(answer, 50, Counted::Yes).unwrap();
        ledger.close(100)
    }

    #[test]
    fn only_the_right_bytes_under_the_right_id_are_an_answer() {
        let right = [&1_u64.to_le_bytes()[..], &(8..16).collect::<Vec<u8>>()].concat();
        let measured = judged(&answer(16, &right));
        assert_eq!(measured.outcomes[Outcome::Ok as usize], 1);
        assert_eq!(measured.first_response_ns, Some(40), "from the intended start");
        let mut others = right.clone();
        others[0] = 2;
        let mut flipped = right.clone();
        flipped[15] ^= 1;
        for wrong in
            [answer(15, &right), answer(16, &others), answer(16, &flipped), answer(16, &[])]
        {
            let measured = judged(&wrong);
            assert_eq!(measured.outcomes[Outcome::WrongAnswer as usize], 1);
            assert_eq!((measured.wrong, measured.samples.seen()), (1, 0));
            assert_eq!(measured.first_response_ns, None);
        }
    }

    const IDLE: RoundTrip = RoundTrip { outbound_ns: 30, inbound_ns: 20 };

    /// The row of a request sent at 1 000 and answered at 2 000 with these stamps.
    fn stamped(stamps: Stamps, outcome: Outcome) -> Result<RequestRow, TargetError> {
        let exchange = Exchange { payload: Vec::new(), echo: true, checksum: None };
        let mut ledger = Ledger::new(&exchange, 1);
        ledger.travels(IDLE);
        let sent = Sent { intended_ns: 990, sent_ns: 1_000, acknowledged_ns: None };
        ledger.in_flight.insert(7, sent);
        let reply = Reply { stamps, ..Reply::default() };
        let header = Header { outcome, ..Header::new(Kind::Reply, 7) };
        let frame = Frame { header, body: reply.encode().to_vec() };
        ledger.answered(&frame, 2_000, Counted::Yes)?;
        let measured = ledger.close(1);
        let rows = measured.samples.into_rows().into_iter().chain(measured.failed);
        Ok(rows.last().unwrap())
    }

    fn stamps_of([a, d, c, s, e, r]: [u64; 6]) -> Stamps {
        let (accepted, dispatched, child_start) = (a, d, c);
        Stamps { accepted, dispatched, child_start, work_start: s, work_end: e, replied: r }
    }

    #[test]
    fn a_wait_in_the_socket_is_queue_and_a_wait_for_the_driver_is_delivery() {
        let stamps = stamps_of([1_500, 1_510, 1_520, 1_530, 1_600, 1_650]);
        let row = stamped(stamps, Outcome::Ok).unwrap();
        assert_eq!(row.transport_ns(), Some(50));
        assert_eq!(row.queue_ns(), Some(480));
        assert_eq!(row.service_ns(), Some(620));
        assert_eq!(row.delivery_ns(), Some(330));
        // Faster than an idle round trip: there is no more transport than there is time.
        let quick = stamps_of([1_005, 1_005, 1_010, 1_010, 1_980, 1_990]);
        let row = stamped(quick, Outcome::Ok).unwrap();
        assert_eq!((row.transport_out_ns, row.transport_in_ns), (Some(5), Some(10)));
        assert_eq!((row.queue_ns(), row.delivery_ns()), (Some(0), Some(0)));
    }

    proptest! {
        #[test]
        fn stamps_out_of_order_end_the_trial_and_others_do_not(
            stamps in prop::array::uniform6(prop_oneof![Just(0_u64), 900_u64..2_100]),
            outcome in prop::sample::select(&[Outcome::Ok, Outcome::Timeout, Outcome::Crash][..]),
        ) {
            let known: Vec<u64> = stamps.into_iter().filter(|ns| *ns > 0).collect();
            let can_be = [&[1_000], &known[..], &[2_000]].concat().is_sorted();
            match stamped(stamps_of(stamps), outcome) {
                Ok(row) => {
                    prop_assert!(can_be);
                    prop_assert_eq!(laws::by_request(&row), None);
                }
                Err(error) => {
                    let said = error.to_string();
                    prop_assert!(!can_be && said.contains("stamped request 7 impossibly"), "{said}");
                }
            }
        }
    }

    #[test]
    fn a_child_reaped_before_its_work_or_after_the_word_of_it_ends_the_trial() {
        let reaped = |at_ns: u64| {
            let exchange = Exchange { payload: Vec::new(), echo: true, checksum: None };
            let mut ledger = Ledger::new(&exchange, 1);
            let row = RequestRow { work_end_ns: Some(1_600), ..RequestRow::default() };
            ledger.unreaped.insert(7, (row, Counted::Yes));
            let header = Header::new(Kind::Reaped, 7);
            ledger.reaped(&Frame { header, body: at_ns.to_le_bytes().to_vec() }, 2_000)
        };
        assert!(reaped(1_600).is_ok() && reaped(2_000).is_ok());
        for at_ns in [1_599, 2_001] {
            let said = reaped(at_ns).unwrap_err().to_string();
            assert!(said.contains("stamped request 7 impossibly"), "{said}");
        }
    }

    #[test]
    fn an_answer_that_nobody_asked_for_is_an_error() {
        let exchange = exchange(Vec::new());
        let mut ledger = Ledger::new(&exchange, 1);
        assert!(ledger.answered(&answer(16, &[]), 1, Counted::Yes).is_err());
        let reaped = Frame { header: Header::new(Kind::Reaped, 1), body: vec![0; 8] };
        assert!(ledger.reaped(&reaped, 1).is_err());
    }
}
