//! `noise.csv`: what else the machine did.

use crate::record::columns::table;

table! {
    NOISE "noise.csv", key ["t_ns"],
    /// What the machine did in one interval of about 100 ms, which begins where the interval
    /// before it ends.
    pub struct NoiseRow: Eq {
        /// The run, as in `manifest.json`.
        run_id: String,
        /// The interval's end, by `CLOCK_MONOTONIC`: the clock of the requests' stamps.
        t_ns: u64,
        /// The interval's length. More than 0.1 s if the sampling thread had to wait.
        interval_ns: u64,
        /// The trial that ran at the interval's end; empty between trials.
        trial_id: String as Option<String>,
        /// Processors that the next three columns add up.
        cpus: u32,
        /// Time for which processors ran anything, counted by the kernel in 10 ms.
        busy_ns: Option<u64>,
        /// Time for which processors had nothing to run or waited for input or output, as coarse.
        idle_ns: Option<u64>,
        /// Time that the hypervisor gave to others, as coarse.
        steal_ns: Option<u64>,
        /// CPU time of the driver, and of all children that were reaped in the interval, over their
        /// whole lives. The running subject's is not included.
        own_cpu_ns: u64,
        /// Time for which some task waited for a processor (PSI cpu `some`). The load itself causes
        /// it.
        cpu_stall_ns: Option<u64>,
        /// Time for which some task waited for memory (PSI memory `some`).
        mem_stall_ns: Option<u64>,
        /// Time for which all tasks waited for input or output (PSI io `full`).
        io_stall_ns: Option<u64>,
        /// Pages read back from swap.
        swap_in_pages: Option<u64>,
        /// As `noise_vm_pause_ns` of `trials.csv`, of this interval.
        vm_pause_ns: Option<u64>,
        /// Time for which the driver's measuring thread was ready and did not run.
        runq_delay_ns: Option<u64>,
        /// CPU time of the sampling itself.
        sampler_cpu_ns: u64,
    }
}
