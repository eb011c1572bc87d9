//! The columns of `trials.csv` in which a runtime tells about its own event loop: a witness that
//! shares nothing with the driver's probes. Behind them what was added last.

use super::tables::optional;
use super::{Column, Kind};

pub(super) const EVENT_LOOP: &[Column] = &[
    optional(
        "event_loop_delay_p50_ns",
        Kind::Integer,
        "How late the event loop was for a timer of 10 ms, by Node's own `monitorEventLoopDelay`, \
             from READY to STOP: the median of the times it came. Empty for other runtimes. \
             A loop that stood still for a second came late once, so look at the longest.",
    ),
    optional("event_loop_delay_p99_ns", Kind::Integer, "What 99 % of those times did not exceed."),
    optional("event_loop_delay_max_ns", Kind::Integer, "The longest of those times."),
    optional(
        "event_loop_busy_ratio",
        Kind::Number,
        "Share of the time from READY to STOP in which the event loop ran anything, by Node's own \
             `eventLoopUtilization`. Empty for other runtimes.",
    ),
    optional(
        "deadline_ns",
        Kind::Integer,
        "A request's time to be answered in, by the subject's clock; what takes longer has the \
             outcome `timeout`. Empty in runs of an older forkbench: 30 s.",
    ),
];
