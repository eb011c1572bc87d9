//! The columns of `trials.csv` that are of the window's CPU time, and of what lies outside it.

use super::tables::optional;
use super::{Column, Kind};

pub(super) const WINDOW: &[Column] = &[
    optional(
        "window_cpu_ns",
        Kind::Integer,
        "CPU time of the subject's whole tree inside the window, user and kernel, children \
             included: what one request costs is this over the requests that completed in the \
             window. Read at the window's two ends, the first time after the next requests were \
             sent. Empty where it cannot be known; `cpu_source` says why.",
    ),
    optional(
        "cpu_source",
        Kind::Word(&["group", "processes", "too_short", "unread"]),
        "Where `window_cpu_ns` is from. `group`: a control group that the tree is in, exact. \
             `processes`: the clock of each process, and what they have reaped in ticks of 10 ms. \
             `too_short`: under 50 such ticks, withheld. `unread`: not measured.",
    ),
    optional(
        "n_not_ok_outside",
        Kind::Integer,
        "Requests of the warm-up and the drain that were not answered ok, or had no answer when \
             the trial was given up: 3 s after a closed loop's window, or three times the longest \
             response, up to the deadline. They are in no other column of outcomes; if there are \
             any, `flags` says so.",
    ),
];
