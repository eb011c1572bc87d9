//! `noise.csv`: data, and nothing else.

use super::tables::{always, optional};
use super::{Kind, Table};

/// `noise.csv`.
pub const NOISE: Table = Table {
    file: "noise.csv",
    row: "what the machine did in one interval of about 100 ms, beginning where the one before \
          ends",
    key: &["t_ns"],
    columns: &[
        always("run_id", Kind::Text, "The run, as in `manifest.json`."),
        always(
            "t_ns",
            Kind::Integer,
            "The interval's end, by `CLOCK_MONOTONIC`: the clock of the requests' stamps.",
        ),
        always(
            "interval_ns",
            Kind::Integer,
            "The interval's length. More than 0.1 s if the sampling thread had to wait.",
        ),
        optional(
            "trial_id",
            Kind::Text,
            "The trial that ran at the interval's end; empty between trials.",
        ),
        always(
            "cpus",
            Kind::Integer,
            "Processors that the next three columns are about, all together.",
        ),
        optional(
            "busy_ns",
            Kind::Integer,
            "Time for which processors ran anything, counted by the kernel in 10 ms.",
        ),
        optional(
            "idle_ns",
            Kind::Integer,
            "Time for which processors had nothing to run or waited for input or output, as \
             coarse.",
        ),
        optional("steal_ns", Kind::Integer, "Time that the hypervisor gave to others, as coarse."),
        always(
            "own_cpu_ns",
            Kind::Integer,
            "CPU time of the driver, and of all children that were reaped in the interval for \
             their whole lives. Not the running subject's.",
        ),
        optional(
            "cpu_stall_ns",
            Kind::Integer,
            "Time for which some task waited for a processor (PSI cpu `some`). The own load \
             causes it.",
        ),
        optional(
            "mem_stall_ns",
            Kind::Integer,
            "Time for which some task waited for memory (PSI memory `some`).",
        ),
        optional(
            "io_stall_ns",
            Kind::Integer,
            "Time for which all tasks waited for input or output (PSI io `full`).",
        ),
        optional("swap_in_pages", Kind::Integer, "Pages read back from swap."),
        optional(
            "vm_pause_ns",
            Kind::Integer,
            "As `noise_vm_pause_ns` of `trials.csv`, of this interval.",
        ),
        optional(
            "runq_delay_ns",
            Kind::Integer,
            "Time for which the driver's measuring thread was ready and did not run.",
        ),
        always("sampler_cpu_ns", Kind::Integer, "CPU time that watching itself used."),
    ],
};
