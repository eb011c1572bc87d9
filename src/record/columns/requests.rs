//! `requests/<trial_id>.csv.zst`: data, and nothing else.

use super::tables::{always, optional};
use super::{Kind, Table};

const OUTCOMES: Kind =
    Kind::Word(&["ok", "app_error", "crash", "timeout", "rejected", "wrong_answer"]);

/// `requests/<trial_id>.csv.zst`.
pub const REQUESTS: Table = Table {
    file: "requests/<trial_id>.csv.zst",
    row: "one request of the trial's window, with all its stamps",
    key: &["trial_id", "attempt", "id"],
    columns: &[
        always("id", Kind::Integer, "Names the request in the trial."),
        always(
            "intended_ns",
            Kind::Integer,
            "When the driver meant to send it. All stamps are `CLOCK_MONOTONIC`, one clock for \
             all processes of the machine; an empty one did not happen.",
        ),
        always("sent_ns", Kind::Integer, "When the driver sent it."),
        optional("accepted_ns", Kind::Integer, "When the subject had read it."),
        optional(
            "dispatched_ns",
            Kind::Integer,
            "When the strategy began with the task. Stamps from here to `work_end_ns` are, of a \
             request of several tasks, those of the task that finished last.",
        ),
        optional("child_start_ns", Kind::Integer, "When the child ran its first own code."),
        optional("work_start_ns", Kind::Integer, "When the task had its input and began."),
        optional("work_end_ns", Kind::Integer, "When the task had its result."),
        optional("replied_ns", Kind::Integer, "When the subject wrote the answer."),
        always("done_ns", Kind::Integer, "When the driver had read the answer."),
        optional(
            "reaped_ns",
            Kind::Integer,
            "When the request's child had been reaped; empty where nothing is reaped per \
             request.",
        ),
        optional(
            "outcome",
            OUTCOMES,
            "How it ended, as counted in the `n_` columns of `trials.csv`.",
        ),
        optional(
            "child_pid",
            Kind::Integer,
            "The process that worked; the subject's own where that was a thread of it.",
        ),
        always(
            "weight",
            Kind::Number,
            "How many requests this one stands for: 1 while all are kept; above 1 in the \
             uniform sample of a long trial; 0 for one that is kept only because it was among \
             the slowest.",
        ),
        optional(
            "acknowledged_ns",
            Kind::Integer,
            "The driver had the word that the request was accepted; only where one is sent \
             before the answer (`orders`).",
        ),
        optional(
            "transport_out_ns",
            Kind::Integer,
            "What the outbound half of an idle round trip takes (`idle_outbound_ns` of the trial), \
             but never more than accepted − sent. What is left of that, the request waited unread \
             in the socket.",
        ),
        optional(
            "transport_in_ns",
            Kind::Integer,
            "What its inbound half takes (`idle_inbound_ns`), but never more than done − replied.",
        ),
        always("trial_id", Kind::Text, "The trial; the same in all rows of the file."),
        always("attempt", Kind::Integer, "Which attempt at it, from 1."),
    ],
};
