//! Offering load: what is asked and answered ([`Exchange`]), what came of it ([`Measured`]), and
//! the loops that offer it. One loop measures every runtime.

use super::cpu::WindowCpu;
use super::samples::Samples;
use crate::protocol::{Outcome, REPLY_BYTES};
use crate::record::RequestRow;

mod before;
mod closed;
pub(crate) mod ledger;
pub mod open;
pub mod probe;
pub mod schedule;
pub mod traffic;

pub use before::RoundTrip;
pub use closed::{Pace, closed};
pub use ledger::{Ledger, Sent};
pub use open::{Offer, open};
pub use traffic::Traffic;

/// For this long after its deadline the driver waits for the answer to a request.
pub const GRACE_NS: u64 = 10_000_000_000;

/// When the run's budget is over, what takes up to this long still comes to its end.
pub const OVERTIME_NS: u64 = 5_000_000_000;

/// Until when to wait for what began at `since_ns` and may end at `due_ns`, in a run whose budget
/// ends then.
pub(in crate::driver) fn within_budget_ns(
    budget_end_ns: Option<u64>,
    since_ns: u64,
    due_ns: u64,
) -> u64 {
    budget_end_ns.map_or(due_ns, |end_ns| due_ns.min(end_ns.max(since_ns + OVERTIME_NS)))
}

/// So many failed requests are kept whole.
const FAILED_ROWS: usize = 1_000;

/// Length of the longest payload that fits into a frame beside the reply's fixed part.
pub const MAX_PAYLOAD_BYTES: usize = crate::protocol::MAX_BODY_BYTES - REPLY_BYTES;

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
    /// Those of the ok ones that were in time, if the ledger was told what that is.
    pub in_time: u64,
    /// Failed ones among them, at most a thousand.
    pub failed: Vec<RequestRow>,
    /// All requests that were answered, the first one, warm-up and drain included.
    pub served: u64,
    /// Wrong answers anywhere, inside the window or outside.
    pub wrong: u64,
    /// What an idle round trip takes; `None` where none was measured.
    pub idle: Option<RoundTrip>,
    /// What the first failure said.
    pub first_failure: Option<String>,
    /// Requests before and after the window that were not answered ok, or not at all.
    pub not_ok_outside: u64,
    /// Requests of any time that had no answer when the trial was given up.
    pub abandoned: u64,
    /// CPU time of the subject's tree in the window.
    pub cpu: WindowCpu,
    /// What an open loop offered, and what became of it; `None` of a closed one.
    pub traffic: Option<Traffic>,
    /// What probes met, where there were any.
    pub probes: Option<probe::Met>,
}

impl Measured {
    /// Nothing yet. `seed` decides which requests of a long window are kept.
    fn new(seed: u64) -> Measured {
        Measured {
            first_response_ns: None,
            window_ns: 0,
            outcomes: [0; Outcome::ALL.len()],
            samples: Samples::new(seed),
            in_time: 0,
            failed: Vec::new(),
            served: 0,
            wrong: 0,
            idle: None,
            first_failure: None,
            not_ok_outside: 0,
            abandoned: 0,
            cpu: WindowCpu::default(),
            traffic: None,
            probes: None,
        }
    }
}

/// Whether a request belongs to the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// It does.
    Yes,
    /// It was the first, or of the warm-up, or of the drain.
    No,
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
