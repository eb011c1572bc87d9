//! `requests/<trial_id>.csv.zst`: single requests with their stamps.

use crate::protocol::Outcome;
use crate::record::columns::{Table, joined, table};

table! {
    ROW "requests/<trial_id>.csv.zst", key ["id"],
    /// One request of the trial's window, with all its stamps.
    pub struct RequestRow: Copy {
        /// Names the request in the trial.
        id: u64,
        /// When the driver intended to send it. All stamps are `CLOCK_MONOTONIC`, one clock for all
        /// processes of the machine; an empty stamp did not happen.
        intended_ns: u64,
        /// When the driver sent it.
        sent_ns: u64,
        /// When the subject had read it.
        accepted_ns: Option<u64>,
        /// When the strategy began with the task. Stamps from here to `work_end_ns` are, of a
        /// request of several tasks, those of the task that finished last.
        dispatched_ns: Option<u64>,
        /// When the child ran its first own code.
        child_start_ns: Option<u64>,
        /// When the task had its input and began.
        work_start_ns: Option<u64>,
        /// When the task had its result.
        work_end_ns: Option<u64>,
        /// When the subject wrote the answer.
        replied_ns: Option<u64>,
        /// When the driver had read the answer.
        done_ns: u64,
        /// When the request's child had been reaped; empty where nothing is reaped per request.
        reaped_ns: Option<u64>,
        /// How it ended, as counted in the `n_` columns of `trials.csv`.
        outcome: Option<Outcome>,
        /// The process that worked: the subject itself if one of its threads did.
        child_pid: Option<u32>,
        /// How many requests this one stands for: 1 while all are kept; above 1 in the uniform
        /// sample of a long trial; 0 for a request that is kept only because it was among the
        /// slowest.
        weight: f64,
        /// When the driver had the word that the request was accepted; only where one is sent
        /// before the answer (`orders`).
        acknowledged_ns: Option<u64>,
        /// Time of the outbound half of an idle round trip (`idle_outbound_ns` of the trial), but
        /// never more than accepted − sent. For the rest, the request waited unread in the socket.
        transport_out_ns: Option<u64>,
        /// Time of the inbound half (`idle_inbound_ns`), but never more than done − replied.
        transport_in_ns: Option<u64>,
    }
}

table! {
    OF "requests/<trial_id>.csv.zst", key ["trial_id", "attempt"],
    /// Which trial the requests of a file are of, behind the columns of [`RequestRow`], so that the
    /// rows of several files can stand in one table.
    pub struct RequestOf: Eq {
        /// The trial; the same in all rows of the file.
        trial_id: String,
        /// Which attempt at it, from 1.
        attempt: u32,
    }
}

/// `requests/<trial_id>.csv.zst`.
pub const REQUESTS: Table = Table {
    key: &["trial_id", "attempt", "id"],
    columns: &joined::<{ ROW.columns.len() + OF.columns.len() }>([ROW.columns, OF.columns]),
    ..ROW
};

impl RequestRow {
    /// From the intended start to the driver having the answer, in ns.
    pub fn response_ns(&self) -> u64 {
        self.done_ns.saturating_sub(self.intended_ns)
    }

    /// All that the server makes a caller wait for, in ns: replied − sent without the outbound
    /// transport. A request that waits unread in the socket while the server works is waiting.
    pub fn service_ns(&self) -> Option<u64> {
        self.served_by(self.replied_ns?)
    }

    /// From the request's arrival at the server to its dispatch, in ns.
    pub fn queue_ns(&self) -> Option<u64> {
        self.served_by(self.dispatched_ns?)
    }

    fn served_by(&self, at_ns: u64) -> Option<u64> {
        let arrived_ns = self.sent_ns.saturating_add(self.transport_out_ns?);
        Some(at_ns.saturating_sub(arrived_ns))
    }

    /// Both ways between driver and subject, in ns.
    pub fn transport_ns(&self) -> Option<u64> {
        Some(self.transport_out_ns?.saturating_add(self.transport_in_ns?))
    }

    /// For how long the answer waited for the driver, beyond the inbound transport, in ns.
    pub fn delivery_ns(&self) -> Option<u64> {
        let inbound_ns = self.done_ns.saturating_sub(self.replied_ns?);
        Some(inbound_ns.saturating_sub(self.transport_in_ns?))
    }
}
