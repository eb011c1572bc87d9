//! Closed loop: N callers, each sending its next request when its last was answered.
//!
//! The window begins at a completion (the last of the warm-up) and ends at one, and counts the
//! completions between them: whole renewals, so that neither end biases the rate. The callers go
//! on through both ends.

use super::before;
use super::ledger::{Ledger, is_announcement};
use super::{Counted, Exchange, Measured, SILENCE_NS};
use crate::driver::interrupted;
use crate::driver::target::{Target, TargetError};
use crate::experiment::Preset;
use crate::protocol::Kind;
use crate::sys::clock::now_ns;

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
    let mut ledger = Ledger::new(exchange, seed);
    before::first(target, &mut ledger, pace.deadline_ns)?;
    ledger.travels(before::idle(target)?);
    let course = Course { pace, phase: Phase::First, window_ns: 0 };
    let mut run = Closed { target, ledger, course };
    run.go(pace.deadline_ns + SILENCE_NS)?;
    Ok(run.ledger.close(run.course.window_ns))
}

struct Closed<'a> {
    target: &'a mut Target,
    ledger: Ledger<'a>,
    course: Course,
}

impl Closed<'_> {
    fn go(&mut self, patience_ns: u64) -> Result<(), TargetError> {
        let mut frames = Vec::new();
        let mut heard_ns = now_ns();
        // The first request has been answered.
        let (_, wanted) = self.course.advance(heard_ns, 1);
        self.send(wanted)?;
        while self.course.phase != Phase::Drain || self.ledger.open() > 0 {
            if interrupted() {
                return Err(TargetError::Interrupted);
            }
            let until_ns = heard_ns + patience_ns;
            let read_ns = self.target.wait(Some(until_ns))?;
            if read_ns == 0 {
                if now_ns() >= until_ns {
                    let open = self.ledger.open();
                    let what = format!("is silent; {open} requests wait for an answer or reaping");
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
            let is_answer = |frame: &&_| kind_of(frame) == Kind::Reply && !is_announcement(frame);
            let answers = frames.iter().filter(is_answer).count();
            let (counted, wanted) = self.course.advance(read_ns, answers as u64);
            self.send(wanted)?;
            for frame in frames.drain(..) {
                match kind_of(&frame) {
                    Kind::Reply => self.ledger.answered(&frame, read_ns, counted)?,
                    Kind::Reaped => self.ledger.reaped(&frame, read_ns)?,
                    kind => return Err(TargetError::Silent(format!("sent {kind:?} under load"))),
                }
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
}

fn kind_of(frame: &crate::protocol::Frame) -> Kind {
    frame.header.kind
}

/// Where the loop stands. Pure: told of completions and their time, it says what follows.
#[derive(Debug, Clone, Copy)]
struct Course {
    pace: Pace,
    phase: Phase,
    window_ns: u64,
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

impl Course {
    /// Moves on by so many completions at this time. Says whether they count, and how many
    /// requests are to be sent.
    fn advance(&mut self, now: u64, completed_now: u64) -> (Counted, u64) {
        if completed_now == 0 {
            return (Counted::No, 0);
        }
        let pace = self.pace;
        match self.phase {
            Phase::First => {
                self.phase = Phase::WarmUp { since_ns: now, completed: 0 };
                (Counted::No, u64::from(pace.callers))
            }
            Phase::WarmUp { since_ns, completed } => {
                let completed = completed + completed_now;
                let elapsed = now - since_ns;
                let warm = elapsed >= pace.warm_up_ns && completed >= 2 * u64::from(pace.callers);
                self.phase = if warm || elapsed >= pace.max_window_ns {
                    Phase::Window { since_ns: now, completed: 0 }
                } else {
                    Phase::WarmUp { since_ns, completed }
                };
                (Counted::No, completed_now)
            }
            Phase::Window { since_ns, completed } => {
                let completed = completed + completed_now;
                let elapsed = now - since_ns;
                let enough = elapsed >= pace.min_window_ns && completed >= pace.min_requests;
                if enough || elapsed >= pace.max_window_ns {
                    self.window_ns = elapsed;
                    self.phase = Phase::Drain;
                    return (Counted::Yes, 0);
                }
                self.phase = Phase::Window { since_ns, completed };
                (Counted::Yes, completed_now)
            }
            Phase::Drain => (Counted::No, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace {
            callers: 2,
            warm_up_ns: 10,
            min_window_ns: 100,
            max_window_ns: 1_000,
            min_requests: 5,
            deadline_ns: 1,
        }
    }

    /// The window of a course whose completions come at these times, and how many it counts.
    fn window(completions: &[u64]) -> (u64, usize) {
        let mut course = Course { pace: pace(), phase: Phase::First, window_ns: 0 };
        let counts =
            completions.iter().filter(|&&at| course.advance(at, 1).0 == Counted::Yes).count();
        assert_eq!(course.phase, Phase::Drain);
        (course.window_ns, counts)
    }

    #[test]
    fn a_window_counts_what_completes_after_its_first_moment_and_up_to_its_last() {
        // First at 0, warm-up until four completions and 10 ns: at 40. Then one each 20 ns: the
        // fifth at 140 ends it.
        let completions: Vec<u64> =
            [0, 5, 6, 7, 40].into_iter().chain((60..).step_by(20).take(9)).collect();
        assert_eq!(window(&completions), (100, 5));
    }

    #[test]
    fn a_window_goes_on_until_it_has_enough_requests_or_lasts_too_long() {
        let slow: Vec<u64> =
            [0, 1, 2, 3, 20].into_iter().chain((100..).step_by(80).take(20)).collect();
        assert_eq!(window(&slow), (400, 5));
        let slower: Vec<u64> = [0, 1, 2, 3, 20].into_iter().chain([800, 1_500, 3_000]).collect();
        assert_eq!(window(&slower), (1_480, 2));
    }

    #[test]
    fn callers_stay_busy_through_both_ends_and_stop_in_the_drain() {
        let mut course = Course { pace: pace(), phase: Phase::First, window_ns: 0 };
        assert_eq!(course.advance(0, 1).1, 2, "as many as there are callers");
        let mut in_flight = 2;
        for at in (10..).step_by(10).take(40) {
            let (_, wanted) = course.advance(at, 1);
            in_flight = in_flight - 1 + wanted;
            if course.phase == Phase::Drain {
                break;
            }
            assert_eq!(in_flight, 2);
        }
        assert_eq!(in_flight, 1);
    }
}
