//! The tables that the report makes out of the others. Both begin with the factors, so that each
//! can be used alone.

use super::tables::{LABEL, always, optional};
use super::{Column, Kind, Table};

/// What tells an arm and its family from the others.
const FACTORS: [Column; 17] = [
    always("run_id", Kind::Text, "The run, as in `manifest.json`."),
    always(
        "family_id",
        Kind::Text,
        "The family, as in `trials.csv`; arms of one family are compared.",
    ),
    optional(
        "runtime",
        Kind::Text,
        "As in `trials.csv`; like the workload and the load, empty if no trial of the family ran.",
    ),
    optional("workload", Kind::Text, "As in `trials.csv`."),
    optional("workload_options", Kind::Text, "As in `trials.csv`."),
    optional("size", Kind::Text, "As in `trials.csv`."),
    always("strategy", Kind::Text, "As in `trials.csv`."),
    optional("options", Kind::Text, "As in `trials.csv`."),
    always("role", super::tables::ROLES, "As in `trials.csv`."),
    optional("regime", Kind::Text, "As in `trials.csv`."),
    optional("callers", Kind::Integer, "As in `trials.csv`."),
    optional("rate_per_s", Kind::Number, "As in `trials.csv`."),
    optional("workers", Kind::Integer, "As in `trials.csv`."),
    optional("placement", Kind::Text, "As in `trials.csv`."),
    optional("payload_bytes", Kind::Integer, "As in `trials.csv`."),
    optional("ballast_bytes", Kind::Integer, "As in `trials.csv`."),
    optional("tasks", Kind::Integer, "As in `trials.csv`."),
];

/// The names of what is measured; a test holds them equal to the report's.
const METRICS: Kind = Kind::Word(&[
    "response_p50_ns",
    "response_p90_ns",
    "response_p99_ns",
    "service_p50_ns",
    "service_p90_ns",
    "service_p99_ns",
    "throughput_per_s",
    "first_response_ns",
    "ready_ns",
    "cpu_per_request_ns",
]);

const VERDICTS: Kind = Kind::Word(&["faster", "slower", "equivalent", "inconclusive"]);

pub(super) const CI_LEVEL: Column = optional(
    "ci_level",
    Kind::Number,
    "How often such an interval is to contain the truth, in 0 to 1; empty without an interval.",
);

/// Columns of one table out of those of several.
const fn joined<const N: usize>(parts: [&[Column]; 3]) -> [Column; N] {
    let mut columns = [CI_LEVEL; N];
    let (mut part, mut to) = (0, 0);
    while part < parts.len() {
        let mut from = 0;
        while from < parts[part].len() {
            columns[to] = parts[part][from];
            from += 1;
            to += 1;
        }
        part += 1;
    }
    assert!(to == N, "as many columns as there are places");
    columns
}

/// `cells.csv`.
pub const CELLS: Table = Table {
    file: "cells.csv",
    row: "one metric of one arm: its median over valid blocks; derived from `trials.csv`",
    key: &["family_id", "role", "strategy", "options", "metric"],
    columns: &joined::<26>([&FACTORS, &CELL, &[LABEL]]),
};

const CELL: [Column; 8] = [
    always(
        "metric",
        METRICS,
        "A column of `trials.csv`; or `cpu_per_request_ns`: `window_cpu_ns` divided by \
         the requests that completed in the window, of any outcome.",
    ),
    always("unit", Kind::Word(&["ns", "1/s"]), "Of the estimate."),
    optional(
        "estimate",
        Kind::Number,
        "The median over blocks. Empty if no block has a value; or, of a p90 or p99, if not \
         every block has one: those that lack it were slow, so the others would flatter.",
    ),
    optional(
        "ci_low",
        Kind::Number,
        "Lower end of the interval of the median: exact by order statistics, stretched for \
         autocorrelation between blocks. From 6 blocks.",
    ),
    optional("ci_high", Kind::Number, "Upper end of the same interval."),
    CI_LEVEL,
    always("n_blocks", Kind::Integer, "Blocks that have a value."),
    optional(
        "flags",
        Kind::Text,
        "Doubts, joined by `;`. `arm_flawed`, `arm_failed`, `arm_skipped`, `arm_not_run`: the \
         state of the arm. `too_few_blocks`: no interval below 6. `coverage_below_20_blocks`: if \
         the machine drifts, the interval may miss more often than its level says. \
         `missing_blocks`: a usable block has no value, mostly too few requests for the quantile.",
    ),
];

/// `comparisons.csv`.
pub const COMPARISONS: Table = Table {
    file: "comparisons.csv",
    row: "one metric of one arm against the reference, paired by block; derived from `trials.csv`",
    key: &["family_id", "role", "strategy", "options", "metric"],
    columns: &joined::<33>([&FACTORS, &COMPARISON, &[LABEL]]),
};

const COMPARISON: [Column; 15] = [
    always("metric", METRICS, "As in `cells.csv`."),
    always("better", Kind::Word(&["lower", "higher"]), "Which direction of the metric is good."),
    always("reference", Kind::Text, "The strategy that the arm is compared with."),
    optional(
        "ratio",
        Kind::Number,
        "Arm over reference: the Hodges–Lehmann estimate over blocks. Empty if one of the two \
         failed or was not run.",
    ),
    optional(
        "ratio_ci_low",
        Kind::Number,
        "Lower end of the exact signed-rank interval of the ratio. From 6 blocks.",
    ),
    optional("ratio_ci_high", Kind::Number, "Upper end of the same interval."),
    optional(
        "p_value",
        Kind::Number,
        "Two-sided, of the signed-rank test that the interval of the ratio inverts: the interval \
         excludes 1 if this is at most 0.05. Exact; differences of 0 and those that cancel out count \
         against a difference. From 6 blocks.",
    ),
    optional(
        "p_adjusted",
        Kind::Number,
        "After Holm, over all arms of the family with its placebo. It decides nothing.",
    ),
    optional(
        "verdict",
        VERDICTS,
        "From 10 blocks. `faster`, `slower`: better or worse, whatever the metric, and the whole \
         interval lies beyond `delta_ratio`. `equivalent`: the interval lies within it, and within \
         0.8 to 1.25.",
    ),
    always("n_blocks", Kind::Integer, "Blocks in which both have a value."),
    optional(
        "flags",
        Kind::Text,
        "Doubts, joined by `;`. `placebo_differs`: the reference differs from itself, so nothing \
         is concluded of the others. `missing_blocks`: blocks of the family in which one of the \
         two has no value. \
         `disturbed_over_20_percent`: the rest of the machine disturbed more than that of the \
         family's trials, after re-runs.",
    ),
    optional(
        "indication",
        VERDICTS,
        "From 6 to 9 blocks, in place of a verdict, by the same rule.",
    ),
    optional(
        "withheld",
        Kind::Word(&[
            "arm_failed",
            "arm_skipped",
            "arm_not_run",
            "reference_failed",
            "too_few_blocks",
            "no_placebo",
            "placebo_differs",
        ]),
        "Why there is neither verdict nor indication. `no_placebo`: nothing checked the family. \
         `placebo_differs`: the whole interval of the placebo's ratio lies beyond `delta_ratio`.",
    ),
    CI_LEVEL,
    optional(
        "delta_ratio",
        Kind::Number,
        "δ: the smallest difference that matters, 0.03 for 3 %, as `--delta` set it before the run.",
    ),
];
