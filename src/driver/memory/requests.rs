//! Requests of a memory trial: sent, held at the barrier, released, answered. Only one time is
//! measured here: how long it takes until all children are there.

use super::Sampler;
use super::barrier::Barrier;
use super::machine::still_has_memory;
use crate::driver::load::ledger::is_announcement;
use crate::driver::load::{Counted, Exchange, Ledger, Measured};
use crate::driver::target::{Target, TargetError, check_interrupt};
use crate::protocol::Kind;
use crate::sys::clock::now_ns;

/// Maximum time from one arrival or answer to the next: a runtime's start on a machine that starts
/// a thousand of them.
const SILENCE_NS: u64 = 60_000_000_000;

/// How often the machine's memory is checked meanwhile.
const CHECK_NS: u64 = 20_000_000;

/// The requests of one trial.
pub struct HeldRequests<'a> {
    target: &'a mut Target,
    ledger: Ledger<'a>,
    barrier: Option<Barrier>,
    /// Tasks that stand at the barrier.
    arrived: usize,
    answered: usize,
    heard_ns: u64,
    /// When the machine's memory is checked next.
    check_ns: u64,
    /// Runs between turns of waiting.
    sampler: Option<Sampler>,
}

/// How many of the children that were asked for are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// They stand at the barrier.
    pub arrived: usize,
    /// From sending the first request to the last arrival, in ns.
    pub took_ns: u64,
}

impl<'a> HeldRequests<'a> {
    pub fn new(
        target: &'a mut Target,
        exchange: &'a Exchange,
        barrier: Option<Barrier>,
        seed: u64,
        sampler: Option<Sampler>,
    ) -> Result<HeldRequests<'a>, TargetError> {
        if let Some(barrier) = &barrier {
            target.watch(barrier.arrivals_fd())?;
        }
        Ok(HeldRequests {
            target,
            ledger: Ledger::new(exchange, seed),
            barrier,
            arrived: 0,
            answered: 0,
            heard_ns: now_ns(),
            check_ns: 0,
            sampler,
        })
    }

    /// Sends `tasks` requests, and waits until each stands at the barrier or has failed.
    pub fn hold(&mut self, tasks: usize) -> Result<Held, TargetError> {
        let started_ns = now_ns();
        self.ledger.send(self.target, tasks as u64)?;
        while self.arrived + self.answered < tasks {
            self.turn()?;
        }
        // Also of those that failed: then it is the time until that was known.
        let took_ns = now_ns() - started_ns;
        self.answered = 0;
        Ok(Held { arrived: self.arrived, took_ns })
    }

    /// Releases all tasks at the barrier, and waits for all answers and reapings.
    pub fn release(&mut self) -> Result<(), TargetError> {
        let tasks = std::mem::take(&mut self.arrived);
        self.open(tasks)?;
        while self.ledger.open() > 0 {
            self.turn()?;
        }
        self.answered = 0;
        Ok(())
    }

    /// Sends `total` requests, at most `at_a_time` in flight, none of them held.
    pub fn pass(&mut self, total: usize, at_a_time: usize) -> Result<(), TargetError> {
        self.open(total)?;
        let mut sent = at_a_time.min(total);
        self.ledger.send(self.target, sent as u64)?;
        while self.ledger.open() > 0 {
            self.turn()?;
            let more = std::mem::take(&mut self.answered).min(total - sent);
            self.ledger.send(self.target, more as u64)?;
            sent += more;
        }
        self.arrived = 0;
        Ok(())
    }

    /// The results, and the highest PSS that was sampled.
    pub fn close(self) -> (Measured, Option<u64>) {
        if let Some(barrier) = &self.barrier {
            self.target.unwatch(barrier.arrivals_fd());
        }
        let sampled = self.sampler.and_then(|sampler| sampler.highest_bytes);
        (self.ledger.close(0), sampled)
    }

    fn open(&mut self, tasks: usize) -> Result<(), TargetError> {
        let Some(barrier) = &mut self.barrier else {
            return Ok(());
        };
        let released = barrier.release(tasks);
        released.map_err(TargetError::io(format!("release {tasks} tasks at the barrier")))
    }

    /// Waits for the next thing to happen, and takes it.
    fn turn(&mut self) -> Result<(), TargetError> {
        check_interrupt()?;
        self.target.wait(Some(now_ns() + CHECK_NS))?;
        let now = now_ns();
        let mut heard = false;
        while let Some(frame) = self.target.next_frame()? {
            // Only the end of a request buys time.
            let is_end = !is_announcement(&frame);
            heard |= is_end;
            self.ledger.take(&frame, now, Counted::Yes)?;
            self.answered += usize::from(is_end && frame.header.kind == Kind::Reply);
        }
        if let Some(barrier) = &mut self.barrier {
            let arrived = barrier.arrivals();
            let arrived = arrived.map_err(TargetError::io("read arrivals at the barrier"))?;
            heard |= !arrived.is_empty();
            self.arrived += arrived.len();
        }
        if heard {
            self.heard_ns = now;
        } else if now > self.heard_ns + SILENCE_NS {
            let (here, open) = (self.arrived, self.ledger.in_flight());
            let what = format!("is silent; of {open} tasks in flight {here} stand at the barrier");
            return Err(TargetError::Protocol(what));
        }
        if now >= self.check_ns {
            still_has_memory()?;
            self.check_ns = now + CHECK_NS;
        }
        if let Some(sampler) = &mut self.sampler {
            sampler.sample(self.target.pid());
        }
        Ok(())
    }
}
