//! Closed loop: N callers, each sending its next request when its last was answered.
//!
//! The window begins at a completion (the last of the warm-up) and ends at one, and counts the
//! completions between them: whole renewals, so that neither end biases the rate. The callers go
//! on through both ends. [`pacer`] decides when it begins and ends.

use super::ledger::{Ledger, is_announcement};
use super::{Exchange, Measured, Timeout, before};
use crate::driver::target::{Target, TargetError, check_interrupt};
use crate::experiment::Preset;
use crate::protocol::{Frame, Kind};
use crate::sys::clock::now_ns;

mod pacer;

use pacer::Pacer;

/// A request that is in flight at the end of the window is waited for at least this long.
const DRAIN_NS: u64 = 3_000_000_000;

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
    /// How long a request may be in flight.
    pub timeout: Timeout,
}

impl Pace {
    /// This preset's, with this many callers.
    pub fn new(preset: &Preset, callers: u32, timeout: Timeout) -> Pace {
        Pace {
            callers,
            warm_up_ns: preset.warm_up_ns,
            min_window_ns: preset.min_window_ns,
            max_window_ns: preset.max_window_ns,
            min_requests: preset.min_requests,
            timeout,
        }
    }
}

/// Runs the closed loop to its end: first request, warm-up, window, drain. If not all answers have
/// come when the drain is over, the caller must not expect the subject to stop in order: it has
/// work left.
///
/// # Errors
/// The subject is gone, leaves a request without an answer, completes too little or breaks the
/// protocol; or the user interrupted.
pub fn closed(
    target: &mut Target,
    exchange: &Exchange,
    pace: Pace,
    seed: u64,
) -> Result<Measured, TargetError> {
    let mut run = Closed { target, ledger: Ledger::new(exchange, seed), pacer: Pacer::new(pace) };
    match run.go() {
        Ok(()) => {
            let measured = run.ledger.close(run.pacer.window_ns());
            let not_ok_outside = measured.not_ok_outside + measured.abandoned;
            Ok(Measured { not_ok_outside, ..measured })
        }
        Err(error) => Err(error.under_load(run.ledger.close(0))),
    }
}

struct Closed<'a> {
    target: &'a mut Target,
    ledger: Ledger<'a>,
    pacer: Pacer,
}

impl Closed<'_> {
    fn go(&mut self) -> Result<(), TargetError> {
        before::first(self.target, &mut self.ledger, &self.pacer.pace.timeout)?;
        self.ledger.travels(before::idle(self.target)?);
        let mut frames = Vec::new();
        // The first request has been answered.
        let step = self.pacer.advance(now_ns(), 1);
        self.ledger.send(self.target, step.wanted)?;
        while !self.pacer.is_draining() || self.ledger.open() > 0 {
            check_interrupt()?;
            let now = now_ns();
            let until_ns = self.until_ns(now)?;
            if self.pacer.is_draining() && now >= until_ns {
                return Ok(());
            }
            let read_ns = self.target.wait(Some(until_ns))?;
            if read_ns == 0 {
                continue;
            }
            while let Some(frame) = self.target.next_frame()? {
                frames.push(frame);
            }
            self.take(&mut frames, read_ns)?;
        }
        Ok(())
    }

    /// Until when to wait for the next answer. It is counted from when requests were sent: bytes
    /// that complete no answer buy no time.
    fn until_ns(&self, now: u64) -> Result<u64, TargetError> {
        let timeout = &self.pacer.pace.timeout;
        if let Some(drained_ns) = self.pacer.drained_ns() {
            // The longest request until now may come again.
            let drain_ns = DRAIN_NS.max(self.ledger.longest_ns().saturating_mul(3));
            return Ok(drained_ns + drain_ns.min(timeout.deadline_ns + timeout.grace_ns));
        }
        if let Some(reason) = self.pacer.too_slow(now) {
            return Err(TargetError::Failed(reason));
        }
        let (id, sent_ns) = self.ledger.oldest().unwrap_or((0, now));
        let until_ns = timeout.until_ns(sent_ns);
        if now >= until_ns {
            return Err(timeout.exceeded(id, sent_ns, now));
        }
        Ok(self.pacer.limit_ns().unwrap_or(u64::MAX).min(until_ns))
    }

    /// Takes the frames of one read.
    fn take(&mut self, frames: &mut Vec<Frame>, read_ns: u64) -> Result<(), TargetError> {
        let is_answer =
            |frame: &&Frame| frame.header.kind == Kind::Reply && !is_announcement(frame);
        let answers = frames.iter().filter(is_answer).count();
        // Callers send their next request before the CPU time is read and the answers are
        // verified: neither must stand between an answer and the next request.
        let step = self.pacer.advance(read_ns, answers as u64);
        self.ledger.send(self.target, step.wanted)?;
        self.ledger.passes(step.edge, self.target);
        for frame in frames.drain(..) {
            self.ledger.take(&frame, read_ns, step.counted)?;
        }
        Ok(())
    }
}
