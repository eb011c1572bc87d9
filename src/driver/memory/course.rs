//! Requests of a memory trial: sent, held at the barrier, let go, answered. Nothing here is timed
//! but how long it takes until all children are there.

use super::barrier::Barrier;
use super::machine::still_has_memory;
use crate::driver::interrupted;
use crate::driver::load::ledger::is_announcement;
use crate::driver::load::{Counted, Exchange, Ledger, Measured};
use crate::driver::target::{Target, TargetError};
use crate::protocol::Kind;
use crate::sys::clock::now_ns;

/// How long it may take from one arrival or answer to the next: a runtime's start on a machine
/// that starts a thousand of them.
const SILENCE_NS: u64 = 60_000_000_000;

/// How often the machine's memory is looked at meanwhile.
const LOOK_NS: u64 = 20_000_000;

/// The requests of one trial.
pub(super) struct Course<'a> {
    target: &'a mut Target,
    ledger: Ledger<'a>,
    barrier: Option<Barrier>,
    /// Tasks that stand at the barrier.
    arrived: usize,
    answered: usize,
    heard_ns: u64,
    /// When the machine's memory is looked at next.
    look_ns: u64,
    /// Called between turns of waiting.
    between: &'a mut dyn FnMut(u32),
}

/// How many of the children that were asked for are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// They stand at the barrier.
    pub(super) arrived: usize,
    /// From sending the first request to the last arrival, in ns.
    pub(super) took_ns: u64,
}

impl<'a> Course<'a> {
    pub(super) fn new(
        target: &'a mut Target,
        exchange: &'a Exchange,
        barrier: Option<Barrier>,
        seed: u64,
        between: &'a mut dyn FnMut(u32),
    ) -> Result<Course<'a>, TargetError> {
        if let Some(barrier) = &barrier {
            target.watch(barrier.arrivals_fd())?;
        }
        Ok(Course {
            target,
            ledger: Ledger::new(exchange, seed),
            barrier,
            arrived: 0,
            answered: 0,
            heard_ns: now_ns(),
            look_ns: 0,
            between,
        })
    }

    /// Sends so many requests, and waits until each stands at the barrier or has failed.
    pub(super) fn hold(&mut self, tasks: usize) -> Result<Held, TargetError> {
        let started_ns = now_ns();
        self.send(tasks)?;
        while self.arrived + self.answered < tasks {
            self.turn()?;
        }
        // Also of those that failed: then it is the time until that was known.
        let took_ns = now_ns() - started_ns;
        self.answered = 0;
        Ok(Held { arrived: self.arrived, took_ns })
    }

    /// Lets everybody at the barrier go, and waits for all answers and reapings.
    pub(super) fn let_go(&mut self) -> Result<(), TargetError> {
        let tasks = std::mem::take(&mut self.arrived);
        self.open(tasks)?;
        while self.ledger.open() > 0 {
            self.turn()?;
        }
        self.answered = 0;
        Ok(())
    }

    /// Has `total` requests answered, `at_a_time` of them under way, none of them held.
    pub(super) fn pass(&mut self, total: usize, at_a_time: usize) -> Result<(), TargetError> {
        self.open(total)?;
        let mut sent = at_a_time.min(total);
        self.send(sent)?;
        while self.ledger.open() > 0 {
            self.turn()?;
            let more = std::mem::take(&mut self.answered).min(total - sent);
            self.send(more)?;
            sent += more;
        }
        self.arrived = 0;
        Ok(())
    }

    pub(super) fn close(self) -> Measured {
        if let Some(barrier) = &self.barrier {
            self.target.unwatch(barrier.arrivals_fd());
        }
        self.ledger.close(0)
    }

    fn send(&mut self, tasks: usize) -> Result<(), TargetError> {
        if tasks == 0 {
            return Ok(());
        }
        for _ in 0..tasks {
            let now = now_ns();
            self.ledger.push(self.target, now, now);
        }
        self.target.flush()
    }

    fn open(&mut self, tasks: usize) -> Result<(), TargetError> {
        let Some(barrier) = &mut self.barrier else {
            return Ok(());
        };
        barrier.release(tasks).map_err(|error| TargetError::Io {
            attempt: format!("let {tasks} tasks go at the barrier"),
            error,
        })
    }

    /// Waits for the next thing to happen, and takes what has.
    fn turn(&mut self) -> Result<(), TargetError> {
        if interrupted() {
            return Err(TargetError::Interrupted);
        }
        self.target.wait(Some(now_ns() + LOOK_NS))?;
        let now = now_ns();
        let mut heard = false;
        while let Some(frame) = self.target.next_frame()? {
            // Only what ends a request buys time.
            let is_end = !is_announcement(&frame);
            heard |= is_end;
            match frame.header.kind {
                Kind::Reply => {
                    self.ledger.answered(&frame, now, Counted::Yes)?;
                    self.answered += usize::from(is_end);
                }
                Kind::Reaped => self.ledger.reaped(&frame, now)?,
                kind => return Err(TargetError::Silent(format!("sent {kind:?} when held"))),
            }
        }
        if let Some(barrier) = &mut self.barrier {
            let arrived = barrier.arrivals().map_err(|error| TargetError::Io {
                attempt: "read who has arrived at the barrier".to_owned(),
                error,
            })?;
            heard |= !arrived.is_empty();
            self.arrived += arrived.len();
        }
        if heard {
            self.heard_ns = now;
        } else if now > self.heard_ns + SILENCE_NS {
            let (here, open) = (self.arrived, self.ledger.in_flight());
            let what = format!("is silent; of {open} tasks under way {here} stand at the barrier");
            return Err(TargetError::Silent(what));
        }
        if now >= self.look_ns {
            still_has_memory()?;
            self.look_ns = now + LOOK_NS;
        }
        (self.between)(self.target.pid());
        Ok(())
    }
}
