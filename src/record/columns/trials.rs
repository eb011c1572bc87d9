//! `trials.csv`: data, and nothing else.

use super::event_loop::EVENT_LOOP;
use super::idle::IDLE;
use super::load::OPEN_LOOP;
use super::quota::QUOTA;
use super::tables::{LABEL, NOISE_LABELS, ROLES, STATUSES, always, optional};
use super::window::WINDOW;
use super::{Column, Kind, Table};

/// `trials.csv`.
pub const TRIALS: Table = Table {
    file: "trials.csv",
    row: "one attempt at one trial, in the order in which attempts ended, with all its factors",
    key: &["trial_id", "attempt"],
    columns: &TRIAL_COLUMNS,
};

const TRIAL_PARTS: [&[Column]; 7] =
    [CLOSED_LOOP, OPEN_LOOP, EVENT_LOOP, IDLE, QUOTA, WINDOW, &[LABEL]];

const TRIALS_LEN: usize = CLOSED_LOOP.len()
    + OPEN_LOOP.len()
    + EVENT_LOOP.len()
    + IDLE.len()
    + QUOTA.len()
    + WINDOW.len()
    + 1;

const TRIAL_COLUMNS: [Column; TRIALS_LEN] = {
    let mut all = [LABEL; TRIALS_LEN];
    // Constants can neither iterate nor concatenate.
    let (mut i, mut part, mut at) = (0, 0, 0);
    while i < all.len() {
        if at == TRIAL_PARTS[part].len() {
            (part, at) = (part + 1, 0);
        }
        all[i] = TRIAL_PARTS[part][at];
        (i, at) = (i + 1, at + 1);
    }
    all
};

/// What is known of trials of either regime.
const CLOSED_LOOP: &[Column] = &[
    always("run_id", Kind::Text, "The run, as in `manifest.json`."),
    always("trial_id", Kind::Text, "The trial, as in `plan.csv`."),
    always(
        "attempt",
        Kind::Integer,
        "Which attempt at the trial, from 1. All attempts stay in the file.",
    ),
    always(
        "family_id",
        Kind::Text,
        "The family: workload, size, runtime and load. Arms of one family are compared.",
    ),
    always(
        "block",
        Kind::Integer,
        "Which pass over all arms of the family, from 1. The block, not the request, is the \
             unit of replication.",
    ),
    always("position", Kind::Integer, "Place in the random order of the family's block, from 1."),
    always(
        "role",
        ROLES,
        "`reference`: what the family's other arms are compared with. `placebo`: the same \
             arm a second time, an A/A test. `arm`: any other.",
    ),
    always(
        "runtime",
        Kind::Text,
        "What the subject is written in, as on the command line: `rust`.",
    ),
    always(
        "workload",
        Kind::Text,
        "What a request does, as on the command line: `noop`, `random-sum`, `primes`.",
    ),
    always("size", Kind::Word(&["s", "m", "l"]), "Which of the workload's three inputs."),
    always(
        "strategy",
        Kind::Text,
        "How requests are executed, as on the command line: `thread-pool`.",
    ),
    optional(
        "options",
        Kind::Text,
        "The strategy's options, resolved, as `name=value` joined by `;` in the order of \
             their names: `queue=64;workers=2`.",
    ),
    always(
        "regime",
        Kind::Text,
        "How load is offered. `closed`: each caller sends its next request when its last \
             was answered. `open`: requests come on a schedule, whatever became of those before. \
             `search`: an open loop at a rate that was chosen while the run went on, to find an \
             arm's limit; such trials are in no plan, and are compared in `load_points.csv` only. \
             `memory`: none; children are held and read, which `memory.csv` tells of.",
    ),
    optional("callers", Kind::Integer, "Callers of a closed loop."),
    optional(
        "rate_per_s",
        Kind::Number,
        "Requests offered per second in an open loop, also where it is said as a share of the \
             blocking capacity; empty in a closed one.",
    ),
    optional("workers", Kind::Integer, "Long-lived workers; empty for strategies that have none."),
    always(
        "placement",
        Kind::Word(&["unpinned", "same-core", "other-core"]),
        "Where processes may run. `unpinned`: wherever the kernel likes. `same-core`: \
             subject and children on one core. `other-core`: children on another core than the \
             subject.",
    ),
    always(
        "payload_bytes",
        Kind::Integer,
        "Length of the payload that each request carries and each answer echoes.",
    ),
    always(
        "ballast_bytes",
        Kind::Integer,
        "Memory touched, before the first request, in the process that creates children.",
    ),
    always("seed", Kind::Integer, "Seed of the block: all arms of a block get the same."),
    always("started_utc", Kind::Utc, "When the attempt began, by the wall clock."),
    always(
        "status",
        STATUSES,
        "`ok`: ran to the end of its window. `failed`: something went wrong that is no \
             request's outcome, such as a subject that died; or an answer was wrong, or none ok; its \
             counts are of what was answered until then. `skipped`: cannot be run here, or no \
             request was due in its window. `partial`: the run's budget \
             ended while an answer was due; its block is left to `--resume`. Only `ok` is compared.",
    ),
    optional(
        "reason",
        Kind::Text,
        "Why the status is not `ok`, in words, with what the other side last said. Of an ok \
             trial: what the first failed request said, if one failed.",
    ),
    always(
        "validity",
        Kind::Word(&["valid", "invalid"]),
        "Whether the numbers may be used. `invalid`: never.",
    ),
    optional(
        "flags",
        Kind::Text,
        "Doubts, as words joined by `;`. `law:` and a name: the trial breaks a law that every \
             measurement obeys, and is invalid.",
    ),
    optional(
        "ready_ns",
        Kind::Integer,
        "From starting the subject to its READY: program start, input loaded, ballast \
             touched, workers up.",
    ),
    optional(
        "first_response_ns",
        Kind::Integer,
        "Response time of the cold first request of the fresh subject, alone. It is in no \
             other column of latency.",
    ),
    optional(
        "window_ns",
        Kind::Integer,
        "Length of the window: in a closed loop from the last completion of the warm-up, two \
             rounds of callers at least, to the completion that ends a later round; in an open one \
             as it was planned.",
    ),
    always(
        "n_ok",
        Kind::Integer,
        "Requests completed inside the window and answered rightly. All `n_` columns of \
             outcomes, the throughput and the quantiles are of requests completed inside the \
             window.",
    ),
    always(
        "n_app_error",
        Kind::Integer,
        "Those whose task said that it failed, or whose child answered with something that \
             is no answer.",
    ),
    always(
        "n_crash",
        Kind::Integer,
        "Those whose child died, or whose task panicked, before it answered.",
    ),
    always(
        "n_timeout",
        Kind::Integer,
        "Those not answered before the deadline; their children were killed.",
    ),
    always(
        "n_rejected",
        Kind::Integer,
        "Those never executed: a full queue, or the system refused to create the child.",
    ),
    always(
        "n_wrong_answer",
        Kind::Integer,
        "Those answered otherwise than every other strategy answers.",
    ),
    optional(
        "throughput_per_s",
        Kind::Number,
        "Of a closed loop, `n_ok` per second of the window; of an open one, ok answers that \
             arrived inside the window, per second. A closed loop's window holds whole rounds of \
             callers, two at least; the report leaves the rate out of older files where it holds \
             less.",
    ),
    optional(
        "response_p50_ns",
        Kind::Integer,
        "Median response time of ok requests, done − intended: what a caller waits, counted \
             from when it meant to send. Quantiles are nearest-rank, exact up to 20 000 requests \
             and to three significant digits beyond. Those above the median are empty under 20 \
             requests, or with fewer than 10 beyond the quantile.",
    ),
    optional(
        "response_p90_ns",
        Kind::Integer,
        "Response time that 90 % of ok requests did not exceed.",
    ),
    optional(
        "response_p99_ns",
        Kind::Integer,
        "Response time that 99 % of ok requests did not exceed.",
    ),
    optional(
        "response_max_ns",
        Kind::Integer,
        "The longest response time of an ok request, however few there were.",
    ),
    optional(
        "service_p50_ns",
        Kind::Integer,
        "Median service time of ok requests: replied − sent, without the outbound half of an \
             idle round trip. All that the server makes a caller wait for, a wait unread in the \
             socket included; without the driver's own wake-ups.",
    ),
    optional(
        "service_p90_ns",
        Kind::Integer,
        "Service time that 90 % of ok requests did not exceed.",
    ),
    optional(
        "service_p99_ns",
        Kind::Integer,
        "Service time that 99 % of ok requests did not exceed.",
    ),
    optional(
        "transport_p50_ns",
        Kind::Integer,
        "Median of what a request spends between driver and subject, both ways: what an idle \
             round trip takes (`idle_outbound_ns`, `idle_inbound_ns`), but never more than \
             accepted − sent and done − replied. Phases are those of ok requests; of a request of several tasks, those of the \
             task that finished last.",
    ),
    optional(
        "queue_p50_ns",
        Kind::Integer,
        "Median of dispatched − sent, without the outbound transport: until the strategy began \
             with the task. A wait unread in the socket while the server works is in it. Of a \
             thread pool it contains waiting for a free worker, because a worker stamps \
             `dispatched` when it takes the task.",
    ),
    optional(
        "creation_p50_ns",
        Kind::Integer,
        "Median of child_start − dispatched: until the child ran its first own code.",
    ),
    optional(
        "load_p50_ns",
        Kind::Integer,
        "Median of work_start − child_start: the child getting at its input. Only a program \
             started per request must load it.",
    ),
    optional("work_p50_ns", Kind::Integer, "Median of work_end − work_start: the task itself."),
    optional(
        "return_p50_ns",
        Kind::Integer,
        "Median of replied − work_end: the result's way back through the subject.",
    ),
    optional(
        "reap_p50_ns",
        Kind::Integer,
        "Median of reaped − replied: until the child was reaped, after the answer; empty \
             where nothing is reaped per request.",
    ),
    optional(
        "cpu_user_ns",
        Kind::Integer,
        "CPU time in user mode of the subject's whole tree, children included, from READY \
             to its end: the first request, the warm-up, the window and the shut-down. What one \
             request costs is in `window_cpu_ns`.",
    ),
    optional(
        "cpu_system_ns",
        Kind::Integer,
        "CPU time in the kernel, over the same processes and span as `cpu_user_ns`.",
    ),
    optional(
        "driver_cpu_ns",
        Kind::Integer,
        "CPU time of the driver itself, user and kernel, over the whole trial, from before the \
         subject is started until it is gone; its thread that samples noise included.",
    ),
    optional(
        "faults_minor",
        Kind::Integer,
        "Page faults without input or output, over the same processes and span as \
             `cpu_user_ns`.",
    ),
    optional(
        "faults_major",
        Kind::Integer,
        "Page faults that read from a file or swap, over the same processes and span.",
    ),
    optional(
        "ctx_voluntary",
        Kind::Integer,
        "Times a process gave up the processor to wait, over the same processes and span.",
    ),
    optional(
        "ctx_involuntary",
        Kind::Integer,
        "Times the processor was taken away, over the same processes and span.",
    ),
    optional(
        "children_started",
        Kind::Integer,
        "Processes or threads that the strategy created since the subject started.",
    ),
    optional("children_peak", Kind::Integer, "The most of them alive at one time."),
    optional(
        "checksum",
        Kind::Text,
        "The checksum of the right answers, in hexadecimal; equal in all arms of a family.",
    ),
    optional(
        "workload_options",
        Kind::Text,
        "The workload's options, resolved, written like `options`.",
    ),
    optional(
        "n_served",
        Kind::Integer,
        "Requests that the columns `cpu_*`, `faults_*`, `ctx_*` and `driver_cpu_ns` cover: \
             all that were answered from READY to the end, the first and the warm-up included.",
    ),
    optional("tasks", Kind::Integer, "Tasks that one request consists of."),
    optional(
        "acknowledged_p50_ns",
        Kind::Integer,
        "Median time from the intended start to the word that the request was accepted; only \
             for a workload that is answered twice (`orders`), whose response is its completion.",
    ),
    optional("acknowledged_p90_ns", Kind::Integer, "The 90th percentile of the same."),
    optional(
        "noise_span_ns",
        Kind::Integer,
        "Length of what the `noise_` columns are about: from before the subject was started \
             until all of its tree was reaped. Longer than the window.",
    ),
    optional(
        "noise_steal_ratio",
        Kind::Number,
        "Share of all processors' time that the hypervisor gave to others. The kernel counts \
             in 10 ms: of a short trial this is coarse.",
    ),
    optional(
        "noise_foreign_cpu_ratio",
        Kind::Number,
        "Share of all processors' time that programs other than the driver and the subject's \
             tree used; as coarse.",
    ),
    optional(
        "noise_canary_ratio",
        Kind::Number,
        "A fixed piece of work of about 5 ms, run before and after the trial: the longer of \
             its two times over that at the run's start. May exceed 1.",
    ),
    optional(
        "noise_vm_pause_ns",
        Kind::Integer,
        "The longest time for which a thread that wakes every 5 ms was late, less what it \
             spent in a run queue: the whole machine stood still.",
    ),
    optional(
        "noise_mem_pressure_ratio",
        Kind::Number,
        "Share of the time for which some task waited for memory (PSI memory `some`).",
    ),
    optional(
        "noise_io_pressure_ratio",
        Kind::Number,
        "Share of the time for which all tasks waited for input or output (PSI io `full`).",
    ),
    optional(
        "noise_freq_ratio",
        Kind::Number,
        "The processor's frequency after the trial over that at the run's start, both right \
             after the fixed piece of work. May exceed 1.",
    ),
    optional(
        "noise_runq_delay_ns",
        Kind::Integer,
        "Time for which the driver's measuring thread was ready and did not run. The own load \
             causes it, so it is recorded and never judged.",
    ),
    optional(
        "noise_label",
        NOISE_LABELS,
        "The worst of `noise_flags`; `quiet` without any. Rates (`steal`, `foreign_cpu`, \
             `mem_pressure`, `io_pressure`) are judged over at least 0.5 s: over a shorter trial \
             together with those before it in its family's block, so that the last trial of a \
             block tells about all of it. `unjudged`: too little of the block was over. A label \
             explains and causes re-runs; it takes no trial out of a comparison.",
    ),
    optional(
        "noise_flags",
        Kind::Text,
        "Signals above a limit of `noise_thresholds` in `env.json`, as `signal:warn` or \
             `signal:disturbed` joined by `;`. Beside the columns: `throttle` and `swap_in`; \
             `quota_throttled` is `throttled_periods` above none.",
    ),
];
