//! The columns of `trials.csv` in which a CPU quota shows.

use super::tables::optional;
use super::{Column, Kind};

pub(super) const QUOTA: &[Column] = &[
    optional(
        "throttled_periods",
        Kind::Integer,
        "Periods, from before the subject was started until it was reaped, in which a control \
             group of this process had spent its CPU quota and was stopped for the rest of the \
             period: `nr_throttled` of `cpu.stat`, over the own group and all above. The quota \
             itself is `cgroup_cpu_quota_cores` in `env.json`.",
    ),
    optional(
        "throttled_ns",
        Kind::Integer,
        "Time for which processors were taken from the group for that. It is added up over \
             processors and groups, so that it may exceed the trial's length.",
    ),
];
