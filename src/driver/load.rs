//! Offering load, in one loop for every runtime.
//!
//! Closed: N callers, each sending its next request when its last was answered. The window begins
//! at a completion (the last of the warm-up) and ends at one, and counts the completions between
//! them: whole renewals, so that neither end biases the rate. The callers go on through both ends.

use std::collections::HashMap;

use super::samples::Samples;
use super::target::{Target, TargetError};
use crate::experiment::Preset;
use crate::protocol::{FLAG_REAPS, Frame, Kind, Outcome, REPLY_BYTES, Reply};
use crate::record::RequestRow;
use crate::sys::clock::now_ns;

/// A subject that says nothing for this long after the deadline of its requests is silent.
const SILENCE_NS: u64 = 10_000_000_000;

/// What a request carries and what it must answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The payload of every request; its first eight bytes become the request's id, so that no
    /// answer can pass for another's.
    pub payload: Vec<u8>,
    /// Whether the answer must carry the same payload.
    pub echo: bool,
    /// The checksum of a right answer; `None` for a workload that fails on purpose.
    pub checksum: Option<u64>,
}

/// How long to load and to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Callers at a time, at least 1.
    pub callers: u32,
    /// See [`Preset`].
    pub warm_up_ns: u64,
    /// See [`Preset`].
    pub min_window_ns: u64,
    /// See [`Preset`].
    pub max_window_ns: u64,
    /// See [`Preset`].
    pub min_requests: u64,
    /// A request's time to be answered in, as the subject was told.
    pub deadline_ns: u64,
}

impl Pace {
    /// This preset's, with so many callers.
    pub fn new(preset: &Preset, callers: u32, deadline_ns: u64) -> Pace {
        Pace {
            callers,
            warm_up_ns: preset.warm_up_ns,
            min_window_ns: preset.min_window_ns,
            max_window_ns: preset.max_window_ns,
            min_requests: preset.min_requests,
            deadline_ns,
        }
    }
}

/// What a trial's load came to.
#[derive(Debug)]
pub struct Measured {
    /// The first request of a fresh subject, alone, in ns; `None` if it was not ok.
    pub first_response_ns: Option<u64>,
    /// Length of the window, in ns.
    pub window_ns: u64,
    /// Completions in the window, by outcome.
    pub outcomes: [u64; Outcome::ALL.len()],
    /// The ok ones among them.
    pub samples: Samples,
    /// Failed ones among them, at most [`FAILED_ROWS`].
    pub failed: Vec<RequestRow>,
    /// All requests that were answered, the first one, warm-up and drain included.
    pub served: u64,
    /// Wrong answers anywhere, inside the window or outside.
    pub wrong: u64,
    /// What the first failure said.
    pub first_failure: Option<String>,
}

/// So many failed requests are kept whole.
pub const FAILED_ROWS: usize = 1_000;

/// Runs the closed loop to its end: first request, warm-up, window, drain.
///
/// # Errors
/// The subject is gone, silent or speaks something else; or the user interrupted.
pub fn closed(
    target: &mut Target,
    exchange: &Exchange,
    pace: Pace,
    seed: u64,
) -> Result<Measured, TargetError> {
    let mut run = Closed {
        target,
        exchange,
        pace,
        next_id: 1,
        in_flight: HashMap::new(),
        unreaped: HashMap::new(),
        phase: Phase::First,
        measured: Measured {
            first_response_ns: None,
            window_ns: 0,
            outcomes: [0; Outcome::ALL.len()],
            samples: Samples::new(seed),
            failed: Vec::new(),
            served: 0,
            wrong: 0,
            first_failure: None,
        },
    };
    run.go()?;
    Ok(run.measured)
}

struct Closed<'a> {
    target: &'a mut Target,
    exchange: &'a Exchange,
    pace: Pace,
    next_id: u64,
    /// Sent and not answered: when, in ns.
    in_flight: HashMap<u64, u64>,
    /// Answered and not reaped; with whether it counts.
    unreaped: HashMap<u64, (RequestRow, Counted)>,
    phase: Phase,
    measured: Measured,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// One request, alone.
    First,
    /// Under load, not yet counted.
    WarmUp { since_ns: u64, completed: u64 },
    /// Counted.
    Window { since_ns: u64, completed: u64 },
    /// Nothing new is sent.
    Drain,
}

/// Whether a request was completed in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Yes,
    No,
}

impl Closed<'_> {
    fn go(&mut self) -> Result<(), TargetError> {
        self.send(1)?;
        let mut frames = Vec::new();
        let mut heard_ns = now_ns();
        while self.phase != Phase::Drain || !self.in_flight.is_empty() || !self.unreaped.is_empty()
        {
            if super::interrupted() {
                return Err(TargetError::Interrupted);
            }
            let patience = heard_ns + self.pace.deadline_ns + SILENCE_NS;
            let read_ns = self.target.wait(Some(patience))?;
            if read_ns == 0 {
                if now_ns() >= patience {
                    let waiting = self.in_flight.len() + self.unreaped.len();
                    let what =
                        format!("is silent; {waiting} requests wait for an answer or reaping");
                    return Err(TargetError::Silent(what));
                }
                continue;
            }
            heard_ns = read_ns;
            while let Some(frame) = self.target.next_frame()? {
                frames.push(frame);
            }
            // Callers send their next request before the answers are looked at: verifying must
            // not stand between an answer and the next request.
            let answers = frames
                .iter()
                .filter(|frame| frame.header.kind == Kind::Reply)
                .count();
            let (counted, wanted) = self.advance(read_ns, answers as u64);
            self.send(wanted)?;
            for frame in frames.drain(..) {
                match frame.header.kind {
                    Kind::Reply => self.take(&frame, read_ns, counted)?,
                    Kind::Reaped => self.reaped(&frame)?,
                    kind => return Err(TargetError::Silent(format!("sent {kind:?} under load"))),
                }
            }
        }
        Ok(())
    }

    /// Moves the phase on by so many completions at this time. Says whether they count, and how
    /// many requests are to be sent.
    fn advance(&mut self, now: u64, completed_now: u64) -> (Counted, u64) {
        if completed_now == 0 {
            return (Counted::No, 0);
        }
        let pace = self.pace;
        match self.phase {
            Phase::First => {
                self.phase = Phase::WarmUp {
                    since_ns: now,
                    completed: 0,
                };
                (Counted::No, u64::from(pace.callers))
            }
            Phase::WarmUp {
                since_ns,
                completed,
            } => {
                let completed = completed + completed_now;
                let warm =
                    now - since_ns >= pace.warm_up_ns && completed >= 2 * u64::from(pace.callers);
                self.phase = if warm || now - since_ns >= pace.max_window_ns {
                    Phase::Window {
                        since_ns: now,
                        completed: 0,
                    }
                } else {
                    Phase::WarmUp {
                        since_ns,
                        completed,
                    }
                };
                (Counted::No, completed_now)
            }
            Phase::Window {
                since_ns,
                completed,
            } => {
                let completed = completed + completed_now;
                let elapsed = now - since_ns;
                let enough = elapsed >= pace.min_window_ns && completed >= pace.min_requests;
                if enough || elapsed >= pace.max_window_ns {
                    self.measured.window_ns = elapsed;
                    self.phase = Phase::Drain;
                    return (Counted::Yes, 0);
                }
                self.phase = Phase::Window {
                    since_ns,
                    completed,
                };
                (Counted::Yes, completed_now)
            }
            Phase::Drain => (Counted::No, 0),
        }
    }

    fn send(&mut self, count: u64) -> Result<(), TargetError> {
        if count == 0 {
            return Ok(());
        }
        for _ in 0..count {
            let id = self.next_id;
            self.next_id += 1;
            let start = id.to_le_bytes();
            let payload = &self.exchange.payload;
            let head = &start[..payload.len().min(8)];
            self.target.push_run(id, &[head, &payload[head.len()..]]);
            self.in_flight.insert(id, now_ns());
        }
        self.target.flush()
    }

    fn take(&mut self, frame: &Frame, done_ns: u64, counted: Counted) -> Result<(), TargetError> {
        let id = frame.header.id;
        let Some(sent_ns) = self.in_flight.remove(&id) else {
            return Err(TargetError::Silent(format!(
                "answered request {id}, which it was not asked"
            )));
        };
        let (reply, body) = Reply::decode(&frame.body)?;
        let outcome = self.judge(id, frame.header.outcome, &reply, body);
        self.measured.served += 1;
        if outcome != Outcome::Ok && self.measured.first_failure.is_none() {
            self.measured.first_failure = Some(reason(outcome, &reply, body));
        }
        if id == 1 && outcome == Outcome::Ok {
            self.measured.first_response_ns = Some(done_ns - sent_ns);
        }
        let row = row(id, sent_ns, done_ns, outcome, &reply);
        if frame.header.flags & FLAG_REAPS != 0 {
            self.unreaped.insert(id, (row, counted));
        } else {
            self.count(row, counted);
        }
        Ok(())
    }

    fn judge(&mut self, id: u64, outcome: Outcome, reply: &Reply, body: &[u8]) -> Outcome {
        if outcome != Outcome::Ok {
            return outcome;
        }
        let right_sum = self
            .exchange
            .checksum
            .is_none_or(|due| due == reply.checksum);
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

    fn reaped(&mut self, frame: &Frame) -> Result<(), TargetError> {
        let id = frame.header.id;
        let at_ns = frame.body.as_slice().try_into().map(u64::from_le_bytes);
        let (Some((row, counted)), Ok(at_ns)) = (self.unreaped.remove(&id), at_ns) else {
            return Err(TargetError::Silent(format!(
                "told of a reaping for request {id} out of turn"
            )));
        };
        self.count(
            RequestRow {
                reaped_ns: Some(at_ns),
                ..row
            },
            counted,
        );
        Ok(())
    }

    fn count(&mut self, row: RequestRow, counted: Counted) {
        let Some(outcome) = row.outcome.filter(|_| counted == Counted::Yes) else {
            return;
        };
        self.measured.outcomes[outcome as usize] += 1;
        if outcome == Outcome::Ok {
            self.measured.samples.offer(row);
        } else if self.measured.failed.len() < FAILED_ROWS {
            self.measured.failed.push(RequestRow { weight: 1.0, ..row });
        }
    }
}

fn row(id: u64, sent_ns: u64, done_ns: u64, outcome: Outcome, reply: &Reply) -> RequestRow {
    let s = &reply.stamps;
    let happened = |ns: u64| (ns != 0).then_some(ns);
    RequestRow {
        id,
        // A caller in a closed loop intends to send when it does.
        intended_ns: sent_ns,
        sent_ns,
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
    }
}

fn reason(outcome: Outcome, reply: &Reply, body: &[u8]) -> String {
    if outcome == Outcome::WrongAnswer {
        return format!(
            "wrong_answer: {} bytes, checksum {}",
            body.len(),
            reply.checksum
        );
    }
    format!("{}: {}", outcome.name(), String::from_utf8_lossy(body))
}

/// Length of the longest payload that fits into a frame beside the reply's fixed part.
pub const MAX_PAYLOAD_BYTES: usize = crate::protocol::MAX_BODY_BYTES - REPLY_BYTES;
