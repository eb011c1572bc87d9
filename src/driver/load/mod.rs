//! Offering load: requests and answers ([`Exchange`]), results ([`Measured`]), and the loops that
//! offer it. One loop measures every runtime.

use super::cpu::WindowCpu;
use super::samples::Samples;
use super::target::TargetError;
use crate::protocol::{Outcome, REPLY_BYTES};
use crate::record::RequestRow;

mod before;
mod closed;
pub(crate) mod ledger;
pub mod open;
pub mod probe;
mod punctual;
pub mod schedule;
pub mod traffic;

pub use before::RoundTrip;
pub use closed::{Pace, closed};
pub use ledger::{Ledger, Sent};
pub use open::{Offer, open};
pub use traffic::Traffic;

/// For this long after its deadline the driver waits for the answer to a request.
pub const GRACE_NS: u64 = 10_000_000_000;

/// After the end of the run's budget, requests and starts of up to this length still end.
pub const OVERTIME_NS: u64 = 5_000_000_000;

/// Until when to wait for something that began at `since_ns` and is due at `due_ns`.
pub fn within_budget_ns(budget_end_ns: Option<u64>, since_ns: u64, due_ns: u64) -> u64 {
    budget_end_ns.map_or(due_ns, |end_ns| due_ns.min(end_ns.max(since_ns + OVERTIME_NS)))
}

/// Maximum number of failed requests that are kept whole.
const FAILED_ROWS: usize = 1_000;

/// Length of the longest payload that fits into a frame with the reply's fixed part.
pub const MAX_PAYLOAD_BYTES: usize = crate::protocol::MAX_BODY_BYTES - REPLY_BYTES;

/// How long the driver waits for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout {
    /// Per-request deadline, as the subject was told.
    pub deadline_ns: u64,
    /// How long after its deadline the driver still waits for an answer, which may say that the
    /// deadline has passed.
    pub grace_ns: u64,
    /// When the run's budget ends, if it has one: from then on no request is waited for that takes
    /// longer than [`OVERTIME_NS`].
    pub budget_end_ns: Option<u64>,
}

impl Timeout {
    /// With the usual grace, in a run without a budget.
    pub fn new(deadline_ns: u64) -> Timeout {
        Timeout { deadline_ns, grace_ns: GRACE_NS, budget_end_ns: None }
    }

    /// Until when the driver waits for a request that was sent at `sent_ns`.
    fn until_ns(&self, sent_ns: u64) -> u64 {
        within_budget_ns(self.budget_end_ns, sent_ns, sent_ns + self.deadline_ns + self.grace_ns)
    }

    /// The error of a request that is not over by then.
    fn exceeded(&self, id: u64, sent_ns: u64, now: u64) -> TargetError {
        let waited_s = (now - sent_ns) as f64 / 1e9;
        let what =
            format!("left request {id} without an answer or its reaping for {waited_s:.1} s");
        if now < sent_ns + self.deadline_ns + self.grace_ns {
            return TargetError::OutOfBudget(what);
        }
        let deadline_s = self.deadline_ns as f64 / 1e9;
        TargetError::Protocol(format!("{what}, beyond its deadline of {deadline_s:.1} s"))
    }
}

/// The payload of requests and the right answer.
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

/// The results of a trial's load.
#[derive(Debug, Default)]
pub struct Measured {
    /// The first request of a fresh subject, alone, in ns; `None` if it was not ok.
    pub first_response_ns: Option<u64>,
    /// Length of the window, in ns.
    pub window_ns: u64,
    /// Completions in the window, by outcome.
    pub outcomes: [u64; Outcome::ALL.len()],
    /// The ok ones among them.
    pub samples: Samples,
    /// The number of ok ones within the ledger's limit.
    pub in_time: u64,
    /// Failed ones among them, at most a thousand.
    pub failed: Vec<RequestRow>,
    /// All requests that were answered, the first one, warm-up and drain included.
    pub served: u64,
    /// Wrong answers anywhere, inside the window or outside.
    pub wrong: u64,
    /// The time of an idle round trip; `None` where none was measured.
    pub idle: Option<RoundTrip>,
    /// The reason of the first failure.
    pub first_failure: Option<String>,
    /// Requests before and after the window that were not answered ok, or not at all.
    pub not_ok_outside: u64,
    /// Requests of any time that had no answer when the trial was given up.
    pub abandoned: u64,
    /// CPU time of the subject's tree in the window.
    pub cpu: WindowCpu,
    /// The traffic of an open loop; `None` of a closed one.
    pub traffic: Option<Traffic>,
    /// The times of probes, if there were any.
    pub probes: Option<probe::Met>,
}

/// Whether a request belongs to the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// It does.
    Yes,
    /// It was the first, or of the warm-up, or of the drain.
    No,
}

/// An end of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Its first moment.
    Opens,
    /// Its last.
    Closes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overtime_is_short_and_only_behind_the_budget() {
        let due_ns = 40_000_000_000;
        assert_eq!(within_budget_ns(None, 0, due_ns), due_ns);
        assert_eq!(within_budget_ns(Some(u64::MAX), 0, due_ns), due_ns);
        assert_eq!(within_budget_ns(Some(30_000_000_000), 0, due_ns), 30_000_000_000);
        assert_eq!(within_budget_ns(Some(1), 7, due_ns), 7 + OVERTIME_NS);
        assert_eq!(within_budget_ns(Some(1), 0, 3), 3);
    }
}
