//! `memory.csv`: data, and nothing else.

use super::tables::{LABEL, ROLES, STATUSES, always, optional};
use super::{Column, Kind, Table};

/// The moments of a memory trial.
const PHASES: Kind = Kind::Word(&["idle", "first", "hundred", "held", "peak"]);

const PROCESS_ROLES: Kind = Kind::Word(&["parent", "child", "worker", "helper", "shell", "tree"]);

/// `memory.csv`.
pub const MEMORY: Table = Table {
    file: "memory.csv",
    row: "one process of a memory trial at one moment, or the sum of all of its tree",
    key: &["trial_id", "attempt", "snapshot", "role", "pid"],
    columns: &MEMORY_COLUMNS,
};

/// In the order of the row: what a process is and has, and from `block` on what makes the file
/// usable alone and is of trees only.
const MEMORY_COLUMNS: [Column; 50] = [
    always("run_id", Kind::Text, "The run, as in `manifest.json`."),
    always("trial_id", Kind::Text, "The trial, as in `plan.csv`."),
    always(
        "snapshot",
        Kind::Integer,
        "Which look at the trial's processes, from 1, also where the trial failed before the first; 0 if it was skipped.",
    ),
    always(
        "phase",
        PHASES,
        "`idle`: the subject is ready and was asked nothing. `first`: after one request to each \
         worker. `hundred`: after a hundred. `held`: all `k` children wait at a barrier. `peak`: \
         high-water marks, read at the end, and the row that says why a trial failed or was skipped, \
         which may follow looks that are whole.",
    ),
    optional("t_ns", Kind::Integer, "When the look began, by `CLOCK_MONOTONIC`."),
    always(
        "k",
        Kind::Integer,
        "Children that the trial holds: workers of a pool, threads, or programs and copies at \
         the barrier.",
    ),
    always("runtime", Kind::Text, "As in `trials.csv`."),
    always("strategy", Kind::Text, "As in `trials.csv`."),
    always(
        "role",
        PROCESS_ROLES,
        "`parent`: the subject. `child`: a program or copy of one request. `worker`: of a pool. \
         `helper`: the fork server, and of Python its `forkserver` and resource tracker. `shell`: of `exec`. `tree`: the sum over all of them.",
    ),
    always("pid", Kind::Integer, "The process; of `tree` the subject's, or 0 if there was none."),
    optional("ppid", Kind::Integer, "The process that created it."),
    optional(
        "rss_bytes",
        Kind::Integer,
        "Resident memory. Pages that processes share count in each of them: the sum over a tree \
         is naïve.",
    ),
    optional(
        "pss_bytes",
        Kind::Integer,
        "Resident memory, each page divided by the number of processes that map it: these add up.",
    ),
    optional(
        "pss_anon_bytes",
        Kind::Integer,
        "The part of `pss_bytes` without a file: heaps and stacks.",
    ),
    optional(
        "pss_file_bytes",
        Kind::Integer,
        "The part of `pss_bytes` that is mapped files: code and libraries.",
    ),
    optional("pss_shmem_bytes", Kind::Integer, "The part of `pss_bytes` that is shared memory."),
    optional(
        "uss_bytes",
        Kind::Integer,
        "Pages that no other process maps (`Private_Clean` and `Private_Dirty`): what ending the \
         process alone would free.",
    ),
    optional(
        "vmhwm_bytes",
        Kind::Integer,
        "The most that was ever resident (`VmHWM`); of a program, since it was exec'd, of a forked \
         copy, since the fork. Empty for `tree`: peaks at different times do not add up.",
    ),
    optional(
        "page_tables_bytes",
        Kind::Integer,
        "The kernel's tables of its pages (`VmPTE`), which no process's resident memory contains.",
    ),
    optional("threads", Kind::Integer, "How many threads it has."),
    optional(
        "source",
        Kind::Text,
        "Where the numbers are from, joined by `;`: `smaps_rollup`, `status`, `cgroup_v1`, \
         `cgroup_v2`.",
    ),
    always(
        "status",
        STATUSES,
        "`ok`; `failed`: the process could not be read, or of a tree, the trial failed; `partial`: of a \
         tree, some of whose processes could not be read, or that had fewer children than `k`; \
         `skipped`: `k` children were not tried.",
    ),
    optional("reason", Kind::Text, "Why the status is not `ok`."),
    // Behind the pinned columns.
    always("attempt", Kind::Integer, "As in `trials.csv`."),
    always("family_id", Kind::Text, "As in `trials.csv`."),
    always("block", Kind::Integer, "As in `trials.csv`."),
    always("trial_role", ROLES, "As `role` in `trials.csv`."),
    always("workload", Kind::Text, "As in `trials.csv`."),
    optional("workload_options", Kind::Text, "As in `trials.csv`."),
    always("size", Kind::Text, "As in `trials.csv`."),
    optional("options", Kind::Text, "As in `trials.csv`."),
    always("placement", Kind::Text, "As in `trials.csv`."),
    always("payload_bytes", Kind::Integer, "As in `trials.csv`."),
    always("ballast_bytes", Kind::Integer, "As in `trials.csv`."),
    optional(
        "swap_pss_bytes",
        Kind::Integer,
        "What of it is swapped out, divided like `pss_bytes`, which does not contain it.",
    ),
    optional(
        "hugetlb_bytes",
        Kind::Integer,
        "Huge pages set aside by the administrator, which neither RSS nor PSS contains.",
    ),
    // Of `tree` only.
    optional(
        "processes",
        Kind::Integer,
        "Processes of the tree. This and what follows are of `tree` rows.",
    ),
    optional(
        "processes_unread",
        Kind::Integer,
        "Those of them that could not be read; the sums lack them.",
    ),
    optional(
        "ready_all_ns",
        Kind::Integer,
        "Until all `k` were there: of a pool, from starting the subject, with the shell that joins the \
         control group, to its READY; else, from \
         sending the first of `k` requests to the last child's arrival at the barrier.",
    ),
    optional("sweep_ns", Kind::Integer, "How long the look took."),
    optional(
        "cgroup_usage_bytes",
        Kind::Integer,
        "What the trial's control group is charged for: pages that it touched first, files and \
         kernel memory included.",
    ),
    optional(
        "cgroup_peak_bytes",
        Kind::Integer,
        "The most that it was ever charged for, by the kernel's own high-water mark.",
    ),
    optional(
        "cgroup_kernel_bytes",
        Kind::Integer,
        "What of `cgroup_usage_bytes` is the kernel's: page tables, stacks, sockets, descriptors.",
    ),
    optional("cgroup_anon_bytes", Kind::Integer, "What of `cgroup_usage_bytes` is without a file."),
    optional("cgroup_reason", Kind::Text, "Why there is nothing of a control group."),
    optional("mem_total_bytes", Kind::Integer, "`MemTotal` of the machine."),
    optional(
        "mem_available_bytes",
        Kind::Integer,
        "`MemAvailable` of the machine. All programs change it, so the difference to the next \
         column is unreliable.",
    ),
    optional(
        "mem_available_start_bytes",
        Kind::Integer,
        "`MemAvailable` before the subject was started.",
    ),
    optional(
        "flags",
        Kind::Text,
        "Doubts, joined by `;`. `peak_sampled`: `pss_bytes` is the highest of some looks, since the \
         kernel keeps no high-water mark here; its parts are of the last look.",
    ),
    LABEL,
];

/// What there are lines through; a test holds them equal to the report's.
const FITTED: Kind = Kind::Word(&[
    "pss_and_page_tables_bytes",
    "page_tables_bytes",
    "cgroup_kernel_bytes",
    "uss_bytes",
    "rss_bytes",
    "cgroup_usage_bytes",
    "mem_available_fall_bytes",
]);

/// `fits.csv`.
pub const FITS: Table = Table {
    file: "fits.csv",
    row: "a line through one metric of a tree against its children, or a segment of one that misses \
          some; derived from `memory.csv`",
    key: &[
        "runtime",
        "workload",
        "workload_options",
        "size",
        "strategy",
        "options",
        "placement",
        "payload_bytes",
        "ballast_bytes",
        "phase",
        "metric",
        "k_min",
        "k_max",
    ],
    columns: &FIT_COLUMNS,
};

const FIT_COLUMNS: [Column; 25] = [
    always("run_id", Kind::Text, "The run, as in `manifest.json`."),
    always("runtime", Kind::Text, "As in `memory.csv`."),
    always("workload", Kind::Text, "As in `memory.csv`."),
    optional("workload_options", Kind::Text, "As in `memory.csv`."),
    always("size", Kind::Text, "As in `memory.csv`."),
    always("strategy", Kind::Text, "As in `memory.csv`."),
    optional(
        "options",
        Kind::Text,
        "As in `memory.csv`, without `workers`: their number is what varies.",
    ),
    always("placement", Kind::Text, "As in `memory.csv`."),
    always("payload_bytes", Kind::Integer, "As in `memory.csv`."),
    always("ballast_bytes", Kind::Integer, "As in `memory.csv`."),
    always(
        "phase",
        PHASES,
        "As in `memory.csv`. A tree without children was asked nothing: the lines of `first` and \
         `hundred` leave it out if there are two other numbers of children, else it stands in them \
         as it was when `idle`.",
    ),
    always(
        "metric",
        FITTED,
        "A column of `memory.csv`, of `tree` rows; or `pss_and_page_tables_bytes`: the two \
         together, which is what tables and charts call memory; or `mem_available_fall_bytes`: \
         `mem_available_start_bytes` less `mem_available_bytes`, which all programs change.",
    ),
    always(
        "slope_bytes",
        Kind::Signed,
        "What each further child costs: the median of the slopes of all pairs of trees \
         (Theil–Sen).",
    ),
    optional(
        "slope_ci_low_bytes",
        Kind::Signed,
        "Lower end of its interval, from resampled blocks. From 6 blocks, and of \
         `pss_and_page_tables_bytes` only.",
    ),
    optional("slope_ci_high_bytes", Kind::Signed, "Upper end of it."),
    optional(
        "intercept_bytes",
        Kind::Signed,
        "What is there once, however many children there are. Empty in a segment.",
    ),
    optional(
        "intercept_ci_low_bytes",
        Kind::Signed,
        "Lower end of its interval, as for the slope.",
    ),
    optional("intercept_ci_high_bytes", Kind::Signed, "Upper end of it."),
    optional(
        "ci_level",
        Kind::Number,
        "How often such an interval is to contain the truth, in 0 to 1; empty without one.",
    ),
    always("n_blocks", Kind::Integer, "Blocks that the trees are of."),
    always("trees", Kind::Integer, "How many trees the line goes through."),
    always("k_min", Kind::Integer, "The fewest children among them."),
    always("k_max", Kind::Integer, "The most children among them."),
    optional(
        "flags",
        Kind::Text,
        "Doubts, joined by `;`. `too_few_blocks`: no interval below 6. `outside_pss`: some of the \
         memory was swapped out or in huge pages that PSS does not contain. `misses_levels`: the \
         median tree of some number of children is more than 3 % off the line, so that there is no \
         one cost per child. `segment`: instead, what each further child costs from `k_min` to \
         `k_max`, the median over blocks that have both.",
    ),
    optional(
        "label",
        Kind::Text,
        "The short name of the strategy with its options, as in `plan.csv`: of `options` those in \
         which it differs from another line of the same work.",
    ),
];
