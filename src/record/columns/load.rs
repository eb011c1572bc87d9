//! The tables of open loops: what their rates come from, and what they came to.

use super::tables::{LABEL, NOISE_LABELS, ROLES, STATUSES, always, optional};
use super::{Column, Kind, Table};

/// The columns of `trials.csv` that are of open loops and probes.
pub(super) const OPEN_LOOP: &[Column] = &[
    optional(
        "rate_of_capacity",
        Kind::Number,
        "The rate as a share of the blocking capacity, where the experiment says it so.",
    ),
    optional(
        "capacity_per_s",
        Kind::Number,
        "The blocking capacity that the rate is a share of: requests per second that \
             `blocking` answered in a closed loop, the median in `calibration.csv`.",
    ),
    optional(
        "arrivals",
        Kind::Word(&["poisson", "constant"]),
        "How the requests of an open loop are spread over time.",
    ),
    optional(
        "slo",
        Kind::Text,
        "The objective, such as `p99<50ms`: this share of the requests offered is to be \
             answered ok in less than this time.",
    ),
    optional(
        "n_offered",
        Kind::Integer,
        "Requests of an open loop that were meant to be sent inside the window. All outcomes \
             and latencies of an open loop are of these, whenever their answers came.",
    ),
    optional(
        "n_completed",
        Kind::Integer,
        "Answers of any outcome that arrived inside the window, whenever their requests were \
             sent.",
    ),
    optional(
        "n_in_time",
        Kind::Integer,
        "Those of `n_offered` that were answered ok in less than the objective's time.",
    ),
    optional(
        "n_unanswered",
        Kind::Integer,
        "Those of `n_offered` without an answer when the trial was given up, as long after \
             the window as the window was (0.5 to 3 s). They count as slower than all others: a \
             quantile that falls among them is empty.",
    ),
    optional(
        "n_rejected_by_driver",
        Kind::Integer,
        "Those of `n_rejected` that the driver did not send, because 10 000 were under way.",
    ),
    optional(
        "achieved_rate_per_s",
        Kind::Number,
        "Requests sent per second of the window. Further from `rate_per_s` than 1 % + 3/√n, \
             the trial is invalid, unless it is saturated.",
    ),
    optional(
        "lateness_p50_ns",
        Kind::Integer,
        "Median of sent − intended: how late the generator was. It is part of the response \
             time. To three significant digits.",
    ),
    optional(
        "lateness_p99_ns",
        Kind::Integer,
        "Lateness that 99 % of the requests did not exceed. Above 1 ms and 5 % of the median \
             response, the trial is invalid, unless it is saturated.",
    ),
    optional("lateness_max_ns", Kind::Integer, "The greatest lateness."),
    optional(
        "saturated",
        Kind::Word(&["no", "yes"]),
        "Whether the subject failed to keep up: `n_completed` under 98 % of `n_offered`, over \
             0.1 % not answered ok, or requests under way growing from third to third of the \
             window by over 2 % of `n_offered`. Under five requests, the first and the last say \
             nothing.",
    ),
    optional(
        "in_flight_mean",
        Kind::Number,
        "Mean number of requests under way during the window.",
    ),
    optional("in_flight_start", Kind::Integer, "Requests under way at the window's first moment."),
    optional(
        "in_flight_end",
        Kind::Integer,
        "Requests under way at the window's end: the backlog.",
    ),
    optional(
        "in_flight_peak",
        Kind::Integer,
        "The most requests under way at one time of the window.",
    ),
    optional(
        "littles_law_ratio",
        Kind::Number,
        "Requests under way as counted, over those that the requests' stamps make. Further \
             from 1 than 2 %, the books are wrong and the trial is invalid.",
    ),
    optional(
        "probe",
        Kind::Word(&["main-loop", "strategy"]),
        "What answers the light probes, 100 per second. `main-loop`: the subject's event \
             loop, at once. `strategy`: the strategy executes them as requests without work. \
             Empty where there are none.",
    ),
    optional(
        "n_probes",
        Kind::Integer,
        "Probes of the window that were answered, or waited for until the trial's end.",
    ),
    optional(
        "n_probes_failed",
        Kind::Integer,
        "Probes of the window that were answered otherwise than ok.",
    ),
    optional(
        "probe_p50_ns",
        Kind::Integer,
        "Median response time of the window's probes, from when they were meant to be sent. \
             One without an answer took until the trial's end. Quantiles above the median are \
             empty with fewer than 10 probes beyond them.",
    ),
    optional(
        "probe_p95_ns",
        Kind::Integer,
        "Response time that 95 % of the probes did not exceed.",
    ),
    optional(
        "probe_p99_ns",
        Kind::Integer,
        "Response time that 99 % of the probes did not exceed.",
    ),
    optional("probe_max_ns", Kind::Integer, "The longest response time of a probe."),
    optional("probe_over_100ms_ratio", Kind::Number, "Share of the probes that took over 100 ms."),
    optional("probe_over_1s_ratio", Kind::Number, "Share of the probes that took over 1 s."),
    optional(
        "probe_gap_max_ns",
        Kind::Integer,
        "The longest time of the window without an answer to any probe.",
    ),
    optional(
        "probe_unloaded_p50_ns",
        Kind::Integer,
        "Median response time of probes of the same subject before the load began. The \
             unloaded twin of the columns above, for as long as half the window.",
    ),
    optional(
        "probe_unloaded_p95_ns",
        Kind::Integer,
        "Unloaded response time that 95 % of the probes did not exceed.",
    ),
    optional(
        "probe_unloaded_p99_ns",
        Kind::Integer,
        "Unloaded response time that 99 % of the probes did not exceed.",
    ),
    optional(
        "probe_unloaded_max_ns",
        Kind::Integer,
        "The longest unloaded response time of a probe.",
    ),
    optional(
        "pass",
        Kind::Integer,
        "Which pass over the block of the family, from 1. Above 1 where the pass before was cut \
             short: a block is run again whole. Empty in runs of an older forkbench: 1.",
    ),
];

/// `calibration.csv`.
pub const CALIBRATION: Table = Table {
    file: "calibration.csv",
    row: "one trial that finds the rate or the objective of other trials, or one measurement of \
          their work",
    key: &["calibration_id"],
    columns: &[
        always("run_id", Kind::Text, "The run, as in `manifest.json`."),
        always("calibration_id", Kind::Text, "Names the trial: `c0001`; of work `w0001`."),
        always(
            "purpose",
            Kind::Word(&["capacity", "unloaded", "work"]),
            "`capacity`: what `blocking` answers per second when it never waits for a request; \
             the median is what rates are shares of. `unloaded`: how long it takes for one \
             request at a time; ten times the median is the default objective. `work`: how much \
             work a millisecond is in this runtime, which is no trial: it stands in \
             `workload_options`, as it does in the trials that do it.",
        ),
        always("runtime", Kind::Text, "As in `trials.csv`."),
        always("workload", Kind::Text, "As in `trials.csv`."),
        optional("workload_options", Kind::Text, "As in `trials.csv`."),
        always("size", Kind::Word(&["s", "m", "l"]), "As in `trials.csv`."),
        always("payload_bytes", Kind::Integer, "As in `trials.csv`."),
        always("ballast_bytes", Kind::Integer, "As in `trials.csv`."),
        always("placement", Kind::Text, "As in `trials.csv`."),
        always("strategy", Kind::Text, "Always `blocking`."),
        optional("callers", Kind::Integer, "Callers of the closed loop."),
        always("started_utc", Kind::Utc, "When the trial began, by the wall clock."),
        always("status", STATUSES, "As in `trials.csv`."),
        optional("reason", Kind::Text, "As in `trials.csv`."),
        optional("window_ns", Kind::Integer, "As in `trials.csv`."),
        always("n_ok", Kind::Integer, "As in `trials.csv`."),
        optional("throughput_per_s", Kind::Number, "As in `trials.csv`."),
        optional("response_p50_ns", Kind::Integer, "As in `trials.csv`."),
        optional("noise_label", NOISE_LABELS, "As in `trials.csv`."),
        optional("noise_flags", Kind::Text, "As in `trials.csv`."),
    ],
};

/// `load_points.csv`.
pub const LOAD_POINTS: Table = Table {
    file: "load_points.csv",
    row: "one arm at one rate of an open loop, over all its trials",
    key: &["load_id", "role", "strategy", "options", "rate_per_s"],
    columns: &[
        always("run_id", Kind::Text, "The run, as in `manifest.json`."),
        always(
            "load_id",
            Kind::Text,
            "All but the rate: workload, runtime, surroundings and arrivals. Points of one are \
             on one curve per arm.",
        ),
        always("role", ROLES, "As in `trials.csv`."),
        always("strategy", Kind::Text, "As in `trials.csv`."),
        optional("options", Kind::Text, "As in `trials.csv`."),
        always("rate_per_s", Kind::Number, "Requests offered per second."),
        optional("rate_of_capacity", Kind::Number, "As in `trials.csv`."),
        always(
            "n_trials",
            Kind::Integer,
            "Trials at this rate that are valid, or failed under it. A failed one counts as \
             saturated, and nothing of it as in time.",
        ),
        always("n_offered", Kind::Integer, "Requests offered in them, all together."),
        optional(
            "throughput_per_s",
            Kind::Number,
            "Median over trials of the ok answers per second.",
        ),
        optional(
            "response_p50_ns",
            Kind::Integer,
            "Median over trials of the median response time.",
        ),
        optional(
            "response_p99_ns",
            Kind::Integer,
            "Median over trials of the p99; empty unless every trial has one.",
        ),
        optional("service_p50_ns", Kind::Integer, "Median over trials of the median service time."),
        optional(
            "in_time_ratio",
            Kind::Number,
            "Share of `n_offered` that was answered ok within the objective's time.",
        ),
        optional("slo", Kind::Text, "The objective, as in `trials.csv`."),
        always(
            "saturated",
            Kind::Word(&["no", "yes"]),
            "Whether at least half of the trials were.",
        ),
        always(
            "meets_slo",
            Kind::Word(&["no", "yes"]),
            "Whether `in_time_ratio` reaches the objective's share, the arm was not saturated, and \
             no trial failed.",
        ),
        optional(
            "limit_per_s",
            Kind::Number,
            "The arm's limit, the same in all its rows: the highest rate at which it, as at \
             every lower one, met the objective. Empty if it did at none.",
        ),
        optional(
            "limit_above_per_s",
            Kind::Number,
            "The next higher rate, at which it did not: the limit lies between the two. Empty if \
             it met the objective at all rates.",
        ),
        LABEL,
    ],
};
