//! The books: which answers are right, and what stamps come to.

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
    for wrong in [answer(15, &right), answer(16, &others), answer(16, &flipped), answer(16, &[])] {
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
