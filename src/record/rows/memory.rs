//! `memory.csv`: what the processes of memory trials hold.

use crate::experiment::{Placement, Role};
use crate::record::columns::table;
use crate::record::words::{Phase, ProcessRole, Status};

table! {
    MEMORY "memory.csv", key ["trial_id", "attempt", "snapshot", "role", "pid"],
    /// One process of a memory trial at one moment, or the sum of all processes of its tree.
    pub struct MemoryRow: Eq {
        /// The run, as in `manifest.json`.
        run_id: String,
        /// The trial, as in `plan.csv`.
        trial_id: String,
        /// Number of the reading of the trial's processes, from 1, also where the trial failed
        /// before the first; 0 if it was skipped.
        snapshot: u32,
        /// `idle`: the subject is ready and has been asked nothing. `first`: after one request to
        /// each worker. `hundred`: after a hundred. `held`: all `k` children wait at a barrier.
        /// `peak`: high-water marks, read at the end, and the row with the reason why a trial
        /// failed or was skipped, which may follow complete readings.
        phase: Phase,
        /// When the reading began, by `CLOCK_MONOTONIC`.
        t_ns: Option<u64>,
        /// Children that the trial holds: workers of a pool, threads, or programs and copies at the
        /// barrier.
        k: u32,
        /// As in `trials.csv`.
        runtime: String,
        /// As in `trials.csv`.
        strategy: String,
        /// `parent`: the subject. `child`: a program or copy of one request. `worker`: of a pool.
        /// `helper`: the fork server, and of Python its `forkserver` and resource tracker. `shell`:
        /// of `exec`. `tree`: the sum over all processes.
        role: ProcessRole,
        /// Process id; in rows of `tree` the subject's, or 0 if there was none.
        pid: u32,
        /// The process that created it.
        ppid: Option<u32>,
        /// Resident memory. A shared page counts in each process that maps it, so the sum over a
        /// tree counts it several times.
        rss_bytes: Option<u64>,
        /// Resident memory, each page divided by the number of processes that map it: the sum over
        /// a tree is right.
        pss_bytes: Option<u64>,
        /// The part of `pss_bytes` without a file: heaps and stacks.
        pss_anon_bytes: Option<u64>,
        /// The part of `pss_bytes` that is mapped files: code and libraries.
        pss_file_bytes: Option<u64>,
        /// The part of `pss_bytes` that is shared memory.
        pss_shmem_bytes: Option<u64>,
        /// Pages that no other process maps (`Private_Clean` and `Private_Dirty`): what ending the
        /// process alone would free.
        uss_bytes: Option<u64>,
        /// The most that was ever resident (`VmHWM`): of a program since its exec, of a forked copy
        /// since the fork. Empty for `tree`: peaks at different times do not add up.
        vmhwm_bytes: Option<u64>,
        /// The kernel's tables of its pages (`VmPTE`), which resident memory does not contain.
        page_tables_bytes: Option<u64>,
        /// Threads of the process.
        threads: Option<u64>,
        /// Sources of the numbers, joined by `;`: `smaps_rollup`, `status`, `cgroup_v1`,
        /// `cgroup_v2`.
        source: String as Option<String>,
        /// `ok`. `failed`: the process could not be read; of a tree, the trial failed. `partial`:
        /// of a tree, some processes could not be read, or it had fewer children than `k`.
        /// `skipped`: `k` children were not tried.
        status: Status,
        /// Why the status is not `ok`.
        reason: String as Option<String>,
        /// As in `trials.csv`.
        attempt: u32,
        /// As in `trials.csv`.
        family_id: String,
        /// As in `trials.csv`.
        block: u32,
        /// As `role` in `trials.csv`.
        trial_role: Role,
        /// As in `trials.csv`.
        workload: String,
        /// As in `trials.csv`.
        workload_options: String as Option<String>,
        /// As in `trials.csv`.
        size: String,
        /// As in `trials.csv`.
        options: String as Option<String>,
        /// As in `trials.csv`.
        placement: Placement,
        /// As in `trials.csv`.
        payload_bytes: u64,
        /// As in `trials.csv`.
        ballast_bytes: u64,
        /// Swapped-out memory, divided like `pss_bytes`, which does not contain it.
        swap_pss_bytes: Option<u64>,
        /// Huge pages set aside by the administrator, which neither RSS nor PSS contains.
        hugetlb_bytes: Option<u64>,
        /// Processes of the tree. This column and the following ones are filled in rows of `tree`.
        processes: Option<u64>,
        /// Processes of the tree that could not be read; the sums lack them.
        processes_unread: Option<u64>,
        /// Until all `k` children were there. Of a pool: from starting the subject, including the
        /// shell that joins the control group, to its READY. Else: from sending the first of `k`
        /// requests to the last child's arrival at the barrier.
        ready_all_ns: Option<u64>,
        /// How long the reading took.
        sweep_ns: Option<u64>,
        /// Memory charged to the trial's control group: pages that it touched first, files and
        /// kernel memory included.
        cgroup_usage_bytes: Option<u64>,
        /// The most that was ever charged, by the kernel's own high-water mark.
        cgroup_peak_bytes: Option<u64>,
        /// The kernel's part of `cgroup_usage_bytes`: page tables, stacks, sockets, descriptors.
        cgroup_kernel_bytes: Option<u64>,
        /// The part of `cgroup_usage_bytes` without a file.
        cgroup_anon_bytes: Option<u64>,
        /// Why the columns of the control group are empty.
        cgroup_reason: String as Option<String>,
        /// `MemTotal` of the machine.
        mem_total_bytes: Option<u64>,
        /// `MemAvailable` of the machine. All programs change it, so the difference to the next
        /// column is unreliable.
        mem_available_bytes: Option<u64>,
        /// `MemAvailable` before the subject was started.
        mem_available_start_bytes: Option<u64>,
        /// Doubts, joined by `;`. `peak_sampled`: `pss_bytes` is the highest of several readings,
        /// since the kernel keeps no high-water mark here; its parts are of the last reading.
        flags: String as Option<String>,
        /// The arm's short name, as in `plan.csv`; to group rows by.
        label: String as Option<String>,
    }
}
