//! The columns of `trials.csv` that divide what is not service, and those that laws need.

use super::tables::optional;
use super::{Column, Kind};

pub(super) const IDLE: &[Column] = &[
    optional(
        "delivery_p50_ns",
        Kind::Integer,
        "Median of done − replied, without the inbound transport: for how long an answer waited \
             for the busy driver.",
    ),
    optional(
        "idle_outbound_ns",
        Kind::Integer,
        "From the driver sending to the subject having read, while neither does anything else: the \
             median of up to 30 round trips that the subject's main loop answers, before the \
             warm-up.",
    ),
    optional(
        "idle_inbound_ns",
        Kind::Integer,
        "From the subject writing to the driver having read, of the same round trips.",
    ),
    optional(
        "response_mean_ns",
        Kind::Integer,
        "Mean response time of ok requests, all of them, however many there were.",
    ),
    optional(
        "alive_ns",
        Kind::Integer,
        "From READY until the subject was reaped: the span of `cpu_user_ns` and all that is counted \
             with it.",
    ),
];
