//! When the window of a closed loop begins and ends. Pure: it is given completions and their time.
//!
//! Callers that begin together are answered together: under a strategy that works for all at once,
//! N callers are answered in bursts of N. A window that holds a part of a burst has any rate. So
//! no window begins before two rounds of callers have completed, and a window holds whole rounds,
//! two at least, however long that takes.

use super::Pace;
use crate::driver::load::{Counted, Edge};

/// Rounds of callers before the window, and the fewest in it.
const ROUNDS_MIN: u64 = 2;

/// The state of the loop.
#[derive(Debug, Clone, Copy)]
pub struct Pacer {
    /// As asked for.
    pub pace: Pace,
    phase: Phase,
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
    Drain { since_ns: u64, window_ns: u64 },
}

/// The next step of the loop after some completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Whether these completions are of the window.
    pub counted: Counted,
    /// Requests to be sent.
    pub wanted: u64,
    /// The end of the window that they are, if any: the last before it, or its last.
    pub edge: Option<Edge>,
}

impl Pacer {
    pub fn new(pace: Pace) -> Pacer {
        Pacer { pace, phase: Phase::First }
    }

    /// Whether nothing new is sent any more.
    pub fn is_draining(&self) -> bool {
        matches!(self.phase, Phase::Drain { .. })
    }

    /// When the window ended, if it has.
    pub fn drained_ns(&self) -> Option<u64> {
        match self.phase {
            Phase::Drain { since_ns, .. } => Some(since_ns),
            _ => None,
        }
    }

    /// Length of the window; 0 before its end.
    pub fn window_ns(&self) -> u64 {
        match self.phase {
            Phase::Drain { window_ns, .. } => window_ns,
            _ => 0,
        }
    }

    fn rounds_min(&self) -> u64 {
        ROUNDS_MIN * u64::from(self.pace.callers)
    }

    /// When two rounds of callers must have completed: a request that takes as long as it may is
    /// answered at its deadline, and two rounds then take two of them.
    pub fn limit_ns(&self) -> Option<u64> {
        let (Phase::WarmUp { since_ns, completed } | Phase::Window { since_ns, completed }) =
            self.phase
        else {
            return None;
        };
        let within_ns = ROUNDS_MIN * self.pace.timeout.deadline_ns + self.pace.timeout.grace_ns;
        (completed < self.rounds_min()).then_some(since_ns + within_ns)
    }

    /// Why there can be no rate, once the time for two rounds is over.
    pub fn too_slow(&self, now: u64) -> Option<String> {
        self.limit_ns().filter(|limit_ns| now >= *limit_ns)?;
        let (phase, since_ns, completed) = match self.phase {
            Phase::WarmUp { since_ns, completed } => ("warm-up", since_ns, completed),
            Phase::Window { since_ns, completed } => ("window", since_ns, completed),
            Phase::First | Phase::Drain { .. } => return None,
        };
        Some(format!(
            "{completed} of {} answers came in {:.1} s of the {phase}: two rounds of {} callers \
             are needed to know a rate; use fewer callers or less work per request",
            self.rounds_min(),
            (now - since_ns) as f64 / 1e9,
            self.pace.callers
        ))
    }

    /// Moves on by this many completions at this time.
    pub fn advance(&mut self, now: u64, completed_now: u64) -> Step {
        let step = |counted, wanted, edge| Step { counted, wanted, edge };
        if completed_now == 0 {
            return step(Counted::No, 0, None);
        }
        match self.phase {
            Phase::First => {
                self.phase = Phase::WarmUp { since_ns: now, completed: 0 };
                step(Counted::No, u64::from(self.pace.callers), None)
            }
            Phase::WarmUp { since_ns, completed } => {
                let completed = completed + completed_now;
                let is_warm = now - since_ns >= self.pace.warm_up_ns;
                if is_warm && completed >= self.rounds_min() {
                    self.phase = Phase::Window { since_ns: now, completed: 0 };
                    return step(Counted::No, completed_now, Some(Edge::Opens));
                }
                self.phase = Phase::WarmUp { since_ns, completed };
                step(Counted::No, completed_now, None)
            }
            Phase::Window { since_ns, completed } => {
                let window_ns = now - since_ns;
                if self.is_enough(window_ns, completed, completed_now) {
                    self.phase = Phase::Drain { since_ns: now, window_ns };
                    return step(Counted::Yes, 0, Some(Edge::Closes));
                }
                self.phase = Phase::Window { since_ns, completed: completed + completed_now };
                step(Counted::Yes, completed_now, None)
            }
            Phase::Drain { .. } => step(Counted::No, 0, None),
        }
    }

    /// Whether the window may end here: a round is complete, and there have been enough.
    fn is_enough(&self, window_ns: u64, before: u64, completed_now: u64) -> bool {
        let completed = before + completed_now;
        let callers = u64::from(self.pace.callers);
        let is_whole = completed / callers > before / callers;
        let is_long = window_ns >= self.pace.min_window_ns && completed >= self.pace.min_requests;
        let is_enough = is_long || window_ns >= self.pace.max_window_ns;
        is_whole && completed >= self.rounds_min() && is_enough && window_ns > 0
    }
}

#[cfg(test)]
mod tests;
