//! The table that two runs make together. It belongs to neither run, so it is not a file of one.

use crate::experiment::{Placement, Role};
use crate::record::columns::{Signed, table};
use crate::record::words::Regime;

const VERDICTS: &[&str] = &["faster", "slower", "equivalent", "inconclusive"];

const WITHHELD: &[&str] = &[
    "too_few_blocks",
    "no_placebo",
    "placebo_differs",
    "arm_failed_in_a",
    "arm_failed_in_b",
    "reference_failed_in_a",
    "reference_failed_in_b",
    "no_value_in_a",
    "no_value_in_b",
    "other_rate",
    "not_positive",
    "no_line",
];

table! {
    COMPARE "compare.csv", key [
        "family_id", "runtime", "workload", "workload_options", "size", "regime",
        "placement", "payload_bytes", "ballast_bytes", "role", "strategy", "options",
        "metric",
    ],
    /// One metric of one arm in two runs, A and B.
    pub struct CompareRow {
        /// A: the run named first, the divisor of ratios.
        run_a: String,
        /// B: the run named second.
        run_b: String,
        /// The family, as in `trials.csv`; empty for memory, whose lines cross families.
        family_id: String as Option<String>,
        /// As in `trials.csv`.
        runtime: String,
        /// As in `trials.csv`.
        workload: String,
        /// As in `trials.csv`.
        workload_options: String as Option<String>,
        /// As in `trials.csv`.
        size: String as Option<String>,
        /// As in `trials.csv`.
        strategy: String,
        /// As in `trials.csv`; arms with other options are other arms and are not compared. For
        /// memory without the number of workers, which varies.
        options: String as Option<String>,
        /// As in `trials.csv`.
        role: Role,
        /// As in `trials.csv`.
        regime: String as Regime,
        /// As in `trials.csv`.
        callers: Option<u32>,
        /// As in `trials.csv`.
        placement: String as Option<Placement>,
        /// As in `trials.csv`.
        payload_bytes: u64,
        /// As in `trials.csv`.
        ballast_bytes: u64,
        /// As in `cells.csv`; or `memory_per_child_bytes`: of each block the Theil–Sen slope of PSS
        /// and page tables over the numbers of children that both runs have.
        metric: String = &[
            "response_p50_ns", "response_p99_ns", "throughput_per_s",
            "memory_per_child_bytes",
        ],
        /// Unit of `a`, `b` and their intervals: nanoseconds, per second, or bytes.
        unit: String = &["ns", "1/s", "bytes"],
        /// Which direction of the metric is good.
        better: String = &["lower", "higher"],
        /// The median over A's blocks, in `unit`. Empty if no block has a value.
        a: Option<f64> as Option<Signed>,
        /// Lower end of the 95 % interval of that median, in `unit`, as in `cells.csv`. From 6
        /// blocks.
        a_ci_low: Option<f64> as Option<Signed>,
        /// Upper end of the same interval, in `unit`.
        a_ci_high: Option<f64> as Option<Signed>,
        /// A's blocks that have a value.
        a_n_blocks: u64,
        /// The median over B's blocks, in `unit`.
        b: Option<f64> as Option<Signed>,
        /// Lower end of the 95 % interval of that median.
        b_ci_low: Option<f64> as Option<Signed>,
        /// Upper end of the same interval.
        b_ci_high: Option<f64> as Option<Signed>,
        /// B's blocks that have a value.
        b_n_blocks: u64,
        /// δ: the smallest difference that matters, 0.03 for 3 %; the larger δ of the two runs.
        delta_ratio: f64,
        /// B over A, a pure number: 0.8 is 20 % less in B. The Hodges–Lehmann shift of the
        /// logarithms of their blocks.
        ratio: Option<f64>,
        /// Lower end of the 95 % interval of the ratio: exact by the rank sum, stretched for
        /// autocorrelation between the blocks of a run. From 6 blocks in both.
        ratio_ci_low: Option<f64>,
        /// Upper end of the same interval.
        ratio_ci_high: Option<f64>,
        /// Of no shift, two-sided, 0 to 1, by the rank sum with the same stretching. From 6 blocks
        /// in both.
        p_value: Option<f64>,
        /// After Holm, over all ratios of B to A in the table, and over these alone. It decides
        /// nothing.
        p_adjusted: Option<f64>,
        /// From 10 blocks in both. `faster`, `slower`: B is better or worse, for any metric, and
        /// the whole interval lies beyond `delta_ratio`. `equivalent`: the interval lies within it,
        /// and within 0.8 to 1.25. `inconclusive`: none of these could be shown.
        verdict: String as Option<String> = VERDICTS,
        /// From 6 to 9 blocks, in place of a verdict, by the same rule.
        indication: String as Option<String> = VERDICTS,
        /// Why there is neither verdict nor indication. `too_few_blocks`: fewer than 6 in A or B.
        /// `no_placebo`, `placebo_differs`: as in `comparisons.csv`, of either run; or the placebo
        /// moved between the two. `arm_failed_in_…`, `reference_failed_in_…`, `no_value_in_…`: the
        /// run that has nothing to compare. `other_rate`: the rate is a share of each machine's own
        /// capacity. `not_positive`: a block's slope is 0 or below, so it has no ratio. `no_line`:
        /// the runs have fewer than two numbers of children in common.
        withheld: String as Option<String> = WITHHELD,
        /// Arm over reference in A, a pure number, as `ratio` in A's `comparisons.csv`. This column
        /// and the following ones are empty for the reference itself and for memory.
        a_to_reference: Option<f64>,
        /// The conclusion of A on the arm against the reference: `verdict: slower`, `indication:
        /// slower`, `withheld: too_few_blocks`.
        a_says: String as Option<String>,
        /// Arm over reference in B, as `a_to_reference`.
        b_to_reference: Option<f64>,
        /// The conclusion of B.
        b_says: String as Option<String>,
        /// Whether the two agree. `same`. `opposite`: faster in one, slower in the other.
        /// `different`: a difference in one, equivalent in the other. `open`: at least one has no
        /// conclusion.
        agreement: String as Option<String> = &["same", "opposite", "different", "open"],
        /// Arm against reference in B over arm against reference in A, a pure number: the shift of
        /// the blocks' log ratios, so near `b_to_reference` over `a_to_reference` and not exactly
        /// that.
        relative_ratio: Option<f64>,
        /// Lower end of the exact 95 % rank-sum interval of the relative ratio. From 6 blocks in
        /// both.
        relative_ci_low: Option<f64>,
        /// Upper end of the same interval.
        relative_ci_high: Option<f64>,
        /// Of no shift, two-sided, by the rank sum.
        relative_p_value: Option<f64>,
        /// After Holm, over all relative ratios in the table, and over these alone.
        relative_p_adjusted: Option<f64>,
        /// As `verdict`: `faster` if the arm gains more, or loses less, against the reference in B.
        relative_verdict: String as Option<String> = VERDICTS,
        /// As `indication`, of the relative ratio.
        relative_indication: String as Option<String> = VERDICTS,
        /// As `withheld`. Also empty for the reference itself and for memory, which have no
        /// relative ratio.
        relative_withheld: String as Option<String> = WITHHELD,
        /// The arm's short name, as in `plan.csv`, among the arms of both runs.
        label: String as Option<String>,
    }
}
