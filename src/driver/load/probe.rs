//! Light probes during heavy load: is the server alive, does another user get through? Timed from
//! when they were meant to be sent, first without load, then under it.

use std::collections::HashMap;

use super::Counted;
use super::schedule::ProbeSchedule;
use super::traffic::Window;
use crate::stats::quantile::{P, nearest_rank};

/// Time from one probe to the next, in ns: 100 per second.
pub const SLOT_NS: u64 = 10_000_000;

/// Set in the id of a probe, so that it cannot be taken for a request.
const PROBE_BIT: u64 = 1 << 63;

/// A user notices.
const NOTICED_NS: u64 = 100_000_000;
/// A user is annoyed.
const ANNOYING_NS: u64 = 1_000_000_000;

/// Whether a frame with this id is about a probe.
pub fn is_probe(id: u64) -> bool {
    id & PROBE_BIT != 0
}

/// The probes of one trial. Pure: it is told what happened and when.
#[derive(Debug, Clone)]
pub struct Probes {
    schedule: std::iter::Peekable<ProbeSchedule>,
    start_ns: u64,
    until_ns: u64,
    next_id: u64,
    open: HashMap<u64, u64>,
    /// When each was meant to be sent, and when its answer had arrived.
    answered: Vec<(u64, u64)>,
    /// When each that was not answered ok was meant to be sent.
    failed: Vec<u64>,
}

impl Probes {
    /// Probes from `start_ns` up to, and without, `until_ns`.
    pub fn new(start_ns: u64, until_ns: u64, seed: u64) -> Probes {
        Probes {
            schedule: ProbeSchedule::new(SLOT_NS, seed).peekable(),
            start_ns,
            until_ns,
            next_id: PROBE_BIT,
            open: HashMap::new(),
            answered: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// When the next is to be sent; `None` after the last.
    pub fn next_ns(&mut self) -> Option<u64> {
        let at_ns = self.start_ns + self.schedule.peek()?;
        (at_ns < self.until_ns).then_some(at_ns)
    }

    /// The id of the next, if it is due.
    pub fn take_due(&mut self, now: u64) -> Option<u64> {
        let intended_ns = self.next_ns().filter(|&at_ns| at_ns <= now)?;
        self.schedule.next();
        self.next_id += 1;
        self.open.insert(self.next_id, intended_ns);
        Some(self.next_id)
    }

    /// An answer arrived; an unknown one changes nothing.
    pub fn done(&mut self, id: u64, done_ns: u64, is_ok: bool) {
        match self.open.remove(&id) {
            Some(intended_ns) if is_ok => self.answered.push((intended_ns, done_ns)),
            Some(intended_ns) => self.failed.push(intended_ns),
            None => {}
        }
    }

    /// Probes that are not answered.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// The times of the probes that were meant to be sent within a window, at a time when nothing
    /// more can happen to them. One that is not answered by then took at least until then.
    pub fn met(&self, window: Window, end_ns: u64) -> Times {
        let counts = |intended_ns: u64| window.counts(intended_ns) == Counted::Yes;
        let unanswered = self.open.values().map(|&intended_ns| (intended_ns, end_ns));
        let mut all: Vec<(u64, u64)> = self.answered.iter().copied().chain(unanswered).collect();
        all.retain(|&(intended_ns, _)| counts(intended_ns));
        let mut times: Vec<u64> = all.iter().map(|(at, done)| done.saturating_sub(*at)).collect();
        times.sort_unstable();
        let mut answers: Vec<u64> = all.iter().map(|&(_, done_ns)| done_ns).collect();
        answers.push(window.from_ns);
        answers.sort_unstable();
        Times {
            failed: self.failed.iter().filter(|&&at| counts(at)).count() as u64,
            gap_max_ns: answers.windows(2).map(|pair| pair[1] - pair[0]).max(),
            sorted_ns: times,
        }
    }
}

/// The probes of one trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// Before the load began.
    pub unloaded: Times,
    /// In the window.
    pub loaded: Times,
}

/// Response times of probes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Times {
    /// In ns, ascending.
    pub sorted_ns: Vec<u64>,
    /// Probes that were not answered ok.
    pub failed: u64,
    /// The longest time without an answer to any of them, from the window's first moment, in ns.
    pub gap_max_ns: Option<u64>,
}

impl Times {
    /// Nearest-rank quantile, if there are ten probes beyond it (or it is the median).
    pub fn quantile_ns(&self, p: P) -> Option<u64> {
        nearest_rank(&self.sorted_ns, p).filter(|_| p.is_known_of(self.sorted_ns.len()))
    }

    /// The longest, in ns.
    pub fn max_ns(&self) -> Option<u64> {
        self.sorted_ns.last().copied()
    }

    /// The share that took over 100 ms: a user notices.
    pub fn over_100ms_ratio(&self) -> Option<f64> {
        self.over_ratio(NOTICED_NS)
    }

    /// The share that took over a second.
    pub fn over_1s_ratio(&self) -> Option<f64> {
        self.over_ratio(ANNOYING_NS)
    }

    fn over_ratio(&self, limit_ns: u64) -> Option<f64> {
        let n = self.sorted_ns.len();
        let within = self.sorted_ns.partition_point(|&ns| ns <= limit_ns);
        (n > 0).then(|| (n - within) as f64 / n as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const WINDOW: Window = Window { from_ns: 1_000 * MS, until_ns: 3_000 * MS };

    /// Probes to a loop that takes 100 µs to answer and is blocked once.
    fn blocked(from_ns: u64, until_ns: u64) -> Times {
        let mut probes = Probes::new(0, 3_000 * MS, 1);
        while let Some(at_ns) = probes.next_ns() {
            let id = probes.take_due(at_ns).unwrap();
            assert!(is_probe(id));
            let at_ns = if (from_ns..until_ns).contains(&at_ns) { until_ns } else { at_ns };
            probes.done(id, at_ns + MS / 10, true);
        }
        probes.met(WINDOW, 3_100 * MS)
    }

    #[test]
    fn a_loop_that_is_alive_answers_at_once() {
        let times = blocked(0, 0);
        assert_eq!((times.sorted_ns.len(), times.failed), (200, 0));
        assert_eq!(times.max_ns(), Some(MS / 10));
        assert_eq!(times.over_100ms_ratio(), Some(0.0));
        assert!(times.gap_max_ns.unwrap() < 2 * SLOT_NS);
    }

    /// A probe that is sent into a block waits for the rest of it, from when it was meant to
    /// be sent; the gap is the block, and the time to the answer before.
    #[test]
    fn a_block_shows_in_every_figure() {
        let times = blocked(1_500 * MS, 2_700 * MS);
        assert_eq!(times.sorted_ns.len(), 200);
        let over = |ratio: Option<f64>| (ratio.unwrap() * 200.0).round();
        assert!((109.0..=111.0).contains(&over(times.over_100ms_ratio())));
        assert!((19.0..=21.0).contains(&over(times.over_1s_ratio())));
        let gap_ns = times.gap_max_ns.unwrap();
        assert!((1_200 * MS..1_200 * MS + SLOT_NS).contains(&gap_ns), "{gap_ns}");
        assert!(times.quantile_ns(P::P95).unwrap() > 1_000 * MS);
        assert_eq!(times.quantile_ns(P::P99), None, "two probes are beyond it");
    }

    #[test]
    fn what_is_never_answered_counts_as_long_as_was_waited() {
        let mut probes = Probes::new(0, WINDOW.until_ns, 1);
        while let Some(at_ns) = probes.next_ns() {
            let id = probes.take_due(at_ns).unwrap();
            if at_ns < 2_000 * MS {
                probes.done(id, at_ns, at_ns >= 1_500 * MS);
            }
        }
        assert_eq!(probes.open(), 100);
        let times = probes.met(WINDOW, 4_000 * MS);
        assert_eq!((times.sorted_ns.len(), times.failed), (150, 50));
        assert_eq!(times.over_1s_ratio(), Some(100.0 / 150.0));
        assert!(times.gap_max_ns.unwrap() >= 2_000 * MS);
    }
}
