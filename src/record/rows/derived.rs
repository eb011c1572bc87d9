//! The tables that the report derives from the others. Each begins with the factors, so that it can
//! be used alone.

use crate::experiment::{Placement, Role};
use crate::record::columns::{Signed, Table, joined, table};
use crate::record::words::{Phase, Regime};

const VERDICTS: &[&str] = &["faster", "slower", "equivalent", "inconclusive"];

table! { FACTORS {
    /// The run, as in `manifest.json`.
    run_id: String,
    /// The family, as in `trials.csv`; arms of one family are compared.
    family_id: String,
    /// As in `trials.csv`; like the workload and the load, empty if no trial of the family ran.
    runtime: Option<String>,
    /// As in `trials.csv`.
    workload: Option<String>,
    /// As in `trials.csv`.
    workload_options: Option<String>,
    /// As in `trials.csv`.
    size: Option<String>,
    /// As in `trials.csv`.
    strategy: String,
    /// As in `trials.csv`.
    options: Option<String>,
    /// As in `trials.csv`.
    role: Role,
    /// As in `trials.csv`.
    regime: Option<Regime>,
    /// As in `trials.csv`.
    callers: Option<u64>,
    /// As in `trials.csv`.
    rate_per_s: Option<f64>,
    /// As in `trials.csv`.
    workers: Option<u64>,
    /// As in `trials.csv`.
    placement: Option<Placement>,
    /// As in `trials.csv`.
    payload_bytes: Option<u64>,
    /// As in `trials.csv`.
    ballast_bytes: Option<u64>,
    /// As in `trials.csv`.
    tasks: Option<u64>,
    /// A column of `trials.csv`; or `cpu_per_request_ns`: `window_cpu_ns` divided by the requests
    /// that completed in the window, of any outcome.
    metric: String = &[
        "response_p50_ns", "response_p90_ns", "response_p99_ns", "service_p50_ns",
        "service_p90_ns", "service_p99_ns", "throughput_per_s", "first_response_ns",
        "ready_ns", "cpu_per_request_ns",
    ],
} }

/// `cells.csv`.
pub const CELLS: Table = Table {
    file: "cells.csv",
    row: "One metric of one arm: its median over valid blocks; derived from `trials.csv`.",
    key: &["family_id", "role", "strategy", "options", "metric"],
    columns: &joined::<{ FACTORS.len() + CELL.len() }>([FACTORS, CELL]),
};

table! { CELL {
    /// Unit of the estimate and its interval.
    unit: String = &["ns", "1/s"],
    /// The median over blocks. Empty if no block has a value; or, of a p90 or p99, if not every
    /// block has one: those that lack it were slow, so the others would flatter.
    estimate: Option<f64>,
    /// Lower end of the interval of the median: exact by order statistics, stretched for
    /// autocorrelation between blocks. From 6 blocks.
    ci_low: Option<f64>,
    /// Upper end of the same interval.
    ci_high: Option<f64>,
    /// Probability with which such an interval contains the truth, from 0 to 1; empty without an
    /// interval.
    ci_level: Option<f64>,
    /// Blocks that have a value.
    n_blocks: u64,
    /// Doubts, joined by `;`. `arm_flawed`, `arm_failed`, `arm_skipped`, `arm_not_run`: the state
    /// of the arm. `too_few_blocks`: no interval below 6. `coverage_below_20_blocks`: if the
    /// machine drifts, the interval may miss more often than its level says. `missing_blocks`: a
    /// usable block has no value, usually because it has too few requests for the quantile.
    flags: Option<String>,
    /// The arm's short name, as in `plan.csv`; to group rows by.
    label: Option<String>,
} }

/// `comparisons.csv`.
pub const COMPARISONS: Table = Table {
    file: "comparisons.csv",
    row: "One metric of one arm against the reference, paired by block; derived from `trials.csv`.",
    key: &["family_id", "role", "strategy", "options", "metric"],
    columns: &joined::<{ FACTORS.len() + COMPARISON.len() }>([FACTORS, COMPARISON]),
};

table! { COMPARISON {
    /// Which direction of the metric is good.
    better: String = &["lower", "higher"],
    /// The strategy that the arm is compared with.
    reference: String,
    /// Arm over reference: the Hodges–Lehmann estimate over blocks. Empty if one of the two failed
    /// or was not run.
    ratio: Option<f64>,
    /// Lower end of the exact signed-rank interval of the ratio. From 6 blocks.
    ratio_ci_low: Option<f64>,
    /// Upper end of the same interval.
    ratio_ci_high: Option<f64>,
    /// Two-sided, of the signed-rank test that the interval of the ratio inverts: the interval
    /// excludes 1 if this is at most 0.05. Exact; differences of 0 and those that cancel out count
    /// against a difference. From 6 blocks.
    p_value: Option<f64>,
    /// After Holm, over all arms of the family with its placebo. It decides nothing.
    p_adjusted: Option<f64>,
    /// From 10 blocks. `faster`, `slower`: better or worse, for any metric, and the whole interval
    /// lies beyond `delta_ratio`. `equivalent`: the interval lies within it, and within 0.8 to
    /// 1.25. `inconclusive`: none of these could be shown.
    verdict: Option<String> = VERDICTS,
    /// Blocks in which both have a value.
    n_blocks: u64,
    /// Doubts, joined by `;`. `placebo_differs`: the reference differs from itself, so there are no
    /// verdicts on the others. `missing_blocks`: blocks of the family in which one of the two has
    /// no value. `disturbed_over_20_percent`: the rest of the machine disturbed more than this
    /// share of the family's trials, after re-runs.
    flags: Option<String>,
    /// From 6 to 9 blocks, in place of a verdict, by the same rule.
    indication: Option<String> = VERDICTS,
    /// Why there is neither verdict nor indication. `no_placebo`: nothing checked the family.
    /// `placebo_differs`: the whole interval of the placebo's ratio lies beyond `delta_ratio`.
    withheld: Option<String> = &[
        "arm_failed", "arm_skipped", "arm_not_run", "reference_failed", "too_few_blocks",
        "no_placebo", "placebo_differs",
    ],
    /// Probability with which such an interval contains the truth, from 0 to 1; empty without an
    /// interval.
    ci_level: Option<f64>,
    /// δ: the smallest difference that matters, 0.03 for 3 %, as `--delta` set it before the run.
    delta_ratio: Option<f64>,
    /// The arm's short name, as in `plan.csv`; to group rows by.
    label: Option<String>,
} }

table! {
    FITS "fits.csv", key [
        "runtime", "workload", "workload_options", "size", "strategy", "options",
        "placement", "payload_bytes", "ballast_bytes", "phase", "metric", "k_min", "k_max"
    ],
    /// A line through one metric of a tree against its children, or a segment of a line that misses
    /// some; derived from `memory.csv`.
    columns {
        /// The run, as in `manifest.json`.
        run_id: String,
        /// As in `memory.csv`.
        runtime: String,
        /// As in `memory.csv`.
        workload: String,
        /// As in `memory.csv`.
        workload_options: Option<String>,
        /// As in `memory.csv`.
        size: String,
        /// As in `memory.csv`.
        strategy: String,
        /// As in `memory.csv`, without `workers`, which varies along the line.
        options: Option<String>,
        /// As in `memory.csv`.
        placement: Placement,
        /// As in `memory.csv`.
        payload_bytes: u64,
        /// As in `memory.csv`.
        ballast_bytes: u64,
        /// As in `memory.csv`. A tree without children is read only when `idle`: the lines of
        /// `first` and `hundred` leave it out if there are two other numbers of children, else they
        /// use its `idle` reading.
        phase: Phase,
        /// A column of `memory.csv`, of `tree` rows; or `pss_and_page_tables_bytes`: the two
        /// together, which is what tables and charts call memory; or `mem_available_fall_bytes`:
        /// `mem_available_start_bytes` less `mem_available_bytes`, which all programs change.
        metric: String = &[
            "pss_and_page_tables_bytes", "page_tables_bytes", "cgroup_kernel_bytes",
            "uss_bytes", "rss_bytes", "cgroup_usage_bytes", "mem_available_fall_bytes",
        ],
        /// Cost of each further child: the median of the slopes of all pairs of trees (Theil–Sen).
        slope_bytes: Signed,
        /// Lower end of its interval, from resampled blocks. From 6 blocks, and of
        /// `pss_and_page_tables_bytes` only.
        slope_ci_low_bytes: Option<Signed>,
        /// Upper end of its interval.
        slope_ci_high_bytes: Option<Signed>,
        /// Memory that does not depend on the number of children. Empty in a segment.
        intercept_bytes: Option<Signed>,
        /// Lower end of its interval, as for the slope.
        intercept_ci_low_bytes: Option<Signed>,
        /// Upper end of its interval.
        intercept_ci_high_bytes: Option<Signed>,
        /// Probability with which such an interval contains the truth, from 0 to 1; empty without
        /// an interval.
        ci_level: Option<f64>,
        /// Blocks that the trees are of.
        n_blocks: u64,
        /// Number of trees on the line.
        trees: u64,
        /// The fewest children among them.
        k_min: u64,
        /// The most children among them.
        k_max: u64,
        /// Doubts, joined by `;`. `too_few_blocks`: no interval below 6. `outside_pss`: some of the
        /// memory was swapped out or in huge pages, which PSS does not contain. `misses_levels`:
        /// for some number of children the median tree is more than 3 % off the line, so there is
        /// no one cost per child. `segment`: the cost of each further child from `k_min` to `k_max`
        /// instead, the median over blocks that have both.
        flags: Option<String>,
        /// The short name of the strategy with its options, as in `plan.csv`: those `options` in
        /// which it differs from another line of the same work.
        label: Option<String>,
    }
}

table! {
    CLAIMS "claims.csv", key ["claim_id", "test"],
    /// One figure that decides one claim of a document, or a claim without figures; derived from
    /// the other files.
    columns {
        /// The run, as in `manifest.json`.
        run_id: String,
        /// The claim, as in the file of claims that the experiment names.
        claim_id: String,
        /// Number of the claim's figure, from 1; 0 for a claim without figures.
        test: u64,
        /// The document's heading that the claim stands under.
        section: String,
        /// The place under it: a table and its row, or a number in a list.
        place: String,
        /// The claim, in the document's words.
        words: String,
        /// Verdict on the claim, the same in all its rows. `confirmed`, `refuted`: every decided
        /// condition does so. `depends`: some conditions confirm it and others refute it.
        /// `not_decided`: the figures of the first condition decide nothing. `not_yet_measured`: a
        /// figure of it is missing. `not_a_matter_of_measurement`: no figure could decide.
        verdict: String = &[
            "confirmed", "refuted", "depends", "not_decided", "not_yet_measured",
            "not_a_matter_of_measurement",
        ],
        /// `indication` where a deciding figure has fewer than 10 blocks; empty where nothing is
        /// decided.
        strength: Option<String> = &["verdict", "indication"],
        /// The condition of the row's figure, where the claim may depend on it. A condition is
        /// confirmed if all its rows are.
        condition: Option<String>,
        /// Outcome of the row's figure. `confirmed`, `refuted`: its whole interval lies where
        /// `confirmed_when` or `refuted_when` says. `undecided`: it does not, it has no interval,
        /// it is in doubt, or an assumption of the row does not hold. `missing`: there is no
        /// figure.
        outcome: Option<String> = &["confirmed", "refuted", "undecided", "missing"],
        /// Why the figure decides nothing, or why the claim has none.
        reason: Option<String>,
        /// Name of the figure in the file of claims.
        figure: Option<String>,
        /// Description of the figure.
        figure_is: Option<String>,
        /// The figure's runtime; for a ratio between two runtimes, the first one.
        runtime: Option<String>,
        /// The figure: a median over blocks, the slope of a line, or the Hodges–Lehmann estimate of
        /// a ratio.
        estimate: Option<Signed>,
        /// Lower end of its interval. From 6 blocks.
        ci_low: Option<Signed>,
        /// Upper end of its interval.
        ci_high: Option<Signed>,
        /// Probability with which such an interval contains the truth, from 0 to 1; empty without
        /// an interval.
        ci_level: Option<f64>,
        /// Unit of the figure, its interval and the bounds; 1 is a ratio or a share. Empty for
        /// counts, and for a yes (1) or no (0).
        unit: Option<String>,
        /// Blocks that the figure is of.
        n_blocks: u64,
        /// Where the whole interval must lie to confirm, in the figure's unit.
        confirmed_when: Option<String>,
        /// Where it must lie to refute; `otherwise`: wholly outside `confirmed_when`, on one side.
        refuted_when: Option<String>,
        /// The file that the figure is in or is made from.
        source: Option<String> = &[
            "cells.csv", "comparisons.csv", "fits.csv", "memory.csv", "trials.csv",
            "facts.csv",
        ],
        /// The rows of that file: those with these values in these columns, as `column=value`
        /// joined by a comma and a space. In `trials.csv` and `memory.csv`, `metric` is the column
        /// that is read.
        source_rows: Option<String>,
        /// For a ratio that is not a row of `comparisons.csv`: the rows of the divisor.
        source_rows_over: Option<String>,
        /// For a ratio, which values are divided by which. `block`: values of one block of one
        /// family, or of one demonstration. `pass`: values of the same block number of two
        /// families, which are minutes apart.
        pairing: Option<String> = &["block", "pass"],
        /// What would confirm the claim.
        confirms: Option<String>,
        /// What would refute the claim.
        refutes: Option<String>,
    }
}
