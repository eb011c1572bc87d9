//! Closed loop: N callers, each sending its next request when its last was answered.
//!
//! The window begins at a completion (the last of the warm-up) and ends at one, and counts the
//! completions between them: whole renewals, so that neither end biases the rate. The callers go
//! on through both ends. When it begins and ends, [`course`] says.

use super::before;
use super::ledger::{Ledger, is_announcement};
use super::{Exchange, GRACE_NS, Measured, within_budget_ns};
use crate::driver::cpu::WindowCpu;
use crate::driver::interrupted;
use crate::driver::target::{Target, TargetError};
use crate::experiment::Preset;
use crate::protocol::{Frame, Kind};
use crate::sys::clock::now_ns;

mod course;

use course::{Course, Edge};

/// A request that is under way at the end of the window is waited for at least this long.
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
    /// A request's time to be answered in, as the subject was told.
    pub deadline_ns: u64,
    /// How long after its deadline the driver still waits for an answer, which may say that the
    /// deadline has passed.
    pub grace_ns: u64,
    /// When the run's budget ends, if it has one: from then on no request is waited for that takes
    /// longer than [`super::OVERTIME_NS`].
    pub budget_end_ns: Option<u64>,
}

impl Pace {
    /// This preset's, with this many callers.
    pub fn new(preset: &Preset, callers: u32, deadline_ns: u64) -> Pace {
        Pace {
            callers,
            warm_up_ns: preset.warm_up_ns,
            min_window_ns: preset.min_window_ns,
            max_window_ns: preset.max_window_ns,
            min_requests: preset.min_requests,
            deadline_ns,
            grace_ns: GRACE_NS,
            budget_end_ns: None,
        }
    }

    /// No request may be under way for longer.
    fn patience_ns(&self) -> u64 {
        self.deadline_ns + self.grace_ns
    }

    /// Until when to wait for what began then, and may end at `due_ns`.
    fn within_budget_ns(&self, since_ns: u64, due_ns: u64) -> u64 {
        within_budget_ns(self.budget_end_ns, since_ns, due_ns)
    }
}

/// Runs the closed loop to its end: first request, warm-up, window, drain. If not all answers have
/// come when the drain is over, the caller must not expect the subject to stop in an orderly way:
/// it has work left.
///
/// # Errors
/// The subject is gone, leaves a request without an answer, completes too little or speaks
/// something else; or the user interrupted.
pub fn closed(
    target: &mut Target,
    exchange: &Exchange,
    pace: Pace,
    seed: u64,
) -> Result<Measured, TargetError> {
    let mut run = Closed {
        target,
        ledger: Ledger::new(exchange, seed),
        course: Course::new(pace),
        cpu: WindowCpu::default(),
    };
    match run.go() {
        Ok(()) => Ok(run.finish()),
        Err(error) => Err(error.under_load(run.ledger.close(0))),
    }
}

struct Closed<'a> {
    target: &'a mut Target,
    ledger: Ledger<'a>,
    course: Course,
    cpu: WindowCpu,
}

impl Closed<'_> {
    fn go(&mut self) -> Result<(), TargetError> {
        let pace = *self.course.pace();
        let Pace { deadline_ns, grace_ns, budget_end_ns, .. } = pace;
        before::first(self.target, &mut self.ledger, deadline_ns, grace_ns, budget_end_ns)?;
        self.ledger.travels(before::idle(self.target)?);
        let mut frames = Vec::new();
        // The first request has been answered.
        let step = self.course.advance(now_ns(), 1);
        self.send(step.wanted)?;
        while !self.course.is_draining() || self.ledger.open() > 0 {
            if interrupted() {
                return Err(TargetError::Interrupted);
            }
            let now = now_ns();
            let until_ns = self.until_ns(now)?;
            if self.course.is_draining() && now >= until_ns {
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
        let patience_ns = self.course.pace().patience_ns();
        if let Some(until_ns) = self.course.drained_ns() {
            // What took longest until now may do so again.
            let drain_ns = DRAIN_NS.max(self.ledger.longest_ns().saturating_mul(3));
            return Ok(until_ns + drain_ns.min(patience_ns));
        }
        if let Some(reason) = self.course.too_slow(now) {
            return Err(TargetError::TooSlow(reason));
        }
        let (id, sent_ns) = self.ledger.oldest().unwrap_or((0, now));
        let due_ns = sent_ns + patience_ns;
        let until_ns = self.course.pace().within_budget_ns(sent_ns, due_ns);
        if now >= until_ns {
            let waited_s = (now - sent_ns) as f64 / 1e9;
            let deadline_s = self.course.pace().deadline_ns as f64 / 1e9;
            let open = self.ledger.open();
            let what =
                format!("left request {id} without an answer or its reaping for {waited_s:.1} s");
            return Err(if now >= due_ns {
                TargetError::Silent(format!(
                    "{what}, beyond its deadline of {deadline_s:.1} s; requests under way: {open}"
                ))
            } else {
                TargetError::OutOfBudget(what)
            });
        }
        Ok(self.course.limit_ns().unwrap_or(u64::MAX).min(until_ns))
    }

    /// Takes what one read brought.
    fn take(&mut self, frames: &mut Vec<Frame>, read_ns: u64) -> Result<(), TargetError> {
        let is_answer =
            |frame: &&Frame| frame.header.kind == Kind::Reply && !is_announcement(frame);
        let answers = frames.iter().filter(is_answer).count();
        // Callers send their next request before the CPU time is read and the answers are looked
        // at: neither must stand between an answer and the next request.
        let step = self.course.advance(read_ns, answers as u64);
        self.send(step.wanted)?;
        match step.edge {
            Edge::Opens => self.cpu.open(self.target.cpu()),
            Edge::Closes => self.cpu.close(self.target.cpu()),
            Edge::None => {}
        }
        for frame in frames.drain(..) {
            match frame.header.kind {
                Kind::Reply => self.ledger.answered(&frame, read_ns, step.counted)?,
                Kind::Reaped => self.ledger.reaped(&frame, read_ns)?,
                kind => return Err(TargetError::Silent(format!("sent {kind:?} under load"))),
            }
        }
        Ok(())
    }

    fn send(&mut self, count: u64) -> Result<(), TargetError> {
        if count == 0 {
            return Ok(());
        }
        for _ in 0..count {
            // A caller in a closed loop intends to send when it does.
            let now = now_ns();
            self.ledger.push(self.target, now, now);
        }
        self.target.flush()
    }

    fn finish(mut self) -> Measured {
        let abandoned = self.ledger.abandon().len() as u64;
        let window_ns = self.course.window_ns();
        let measured = self.ledger.close(window_ns);
        Measured {
            abandoned,
            not_ok_outside: measured.not_ok_outside + abandoned,
            cpu: self.cpu,
            ..measured
        }
    }
}
