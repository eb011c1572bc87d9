//! The table that two runs make together. It belongs to neither, so that it is no file of a run.

use super::tables::{ROLES, always, optional};
use super::{Column, Kind, Table};

/// What `forkbench compare --csv` prints.
pub const COMPARE: Table = Table {
    file: "compare.csv",
    row: "one metric of one arm in two runs, A and B",
    key: &[
        "family_id",
        "runtime",
        "workload",
        "workload_options",
        "size",
        "regime",
        "placement",
        "payload_bytes",
        "ballast_bytes",
        "role",
        "strategy",
        "options",
        "metric",
    ],
    columns: &COLUMNS,
};

const VERDICTS: Kind = Kind::Word(&["faster", "slower", "equivalent", "inconclusive"]);
const AS_IN_TRIALS: &str = "As in `trials.csv`.";
const WITHHELD: Kind = Kind::Word(&[
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
]);

const COLUMNS: [Column; 49] = [
    always("run_a", Kind::Text, "A: the run named first, which is divided by."),
    always("run_b", Kind::Text, "B: the run named second."),
    optional(
        "family_id",
        Kind::Text,
        "The family, as in `trials.csv`; empty for memory, whose lines cross families.",
    ),
    always("runtime", Kind::Text, AS_IN_TRIALS),
    always("workload", Kind::Text, AS_IN_TRIALS),
    optional("workload_options", Kind::Text, AS_IN_TRIALS),
    optional("size", Kind::Text, AS_IN_TRIALS),
    always("strategy", Kind::Text, AS_IN_TRIALS),
    optional(
        "options",
        Kind::Text,
        "As in `trials.csv`; arms with other options are other arms and are not compared. Of \
         memory without the number of workers, which is what varies.",
    ),
    always("role", ROLES, AS_IN_TRIALS),
    always("regime", Kind::Text, AS_IN_TRIALS),
    optional("callers", Kind::Integer, AS_IN_TRIALS),
    optional("placement", Kind::Text, AS_IN_TRIALS),
    always("payload_bytes", Kind::Integer, AS_IN_TRIALS),
    always("ballast_bytes", Kind::Integer, AS_IN_TRIALS),
    always(
        "metric",
        Kind::Word(&[
            "response_p50_ns",
            "response_p99_ns",
            "throughput_per_s",
            "memory_per_child_bytes",
        ]),
        "As in `cells.csv`; or `memory_per_child_bytes`: of each block the Theil–Sen slope of PSS \
         and page tables over the numbers of children that both runs have.",
    ),
    always(
        "unit",
        Kind::Word(&["ns", "1/s", "bytes"]),
        "Of `a`, `b` and their intervals: nanoseconds, per second, or bytes.",
    ),
    always("better", Kind::Word(&["lower", "higher"]), "Which direction of the metric is good."),
    optional(
        "a",
        Kind::Signed,
        "The median over A's blocks, in `unit`. Empty if no block has a value.",
    ),
    optional(
        "a_ci_low",
        Kind::Signed,
        "Lower end of the 95 % interval of that median, in `unit`, as in `cells.csv`. From 6 \
         blocks.",
    ),
    optional("a_ci_high", Kind::Signed, "Upper end of the same interval, in `unit`."),
    always("a_n_blocks", Kind::Integer, "A's blocks that have a value."),
    optional("b", Kind::Signed, "The median over B's blocks, in `unit`."),
    optional("b_ci_low", Kind::Signed, "As `a_ci_low`, of B."),
    optional("b_ci_high", Kind::Signed, "Upper end of the same interval."),
    always("b_n_blocks", Kind::Integer, "B's blocks that have a value."),
    always(
        "delta_ratio",
        Kind::Number,
        "δ: the smallest difference that matters, 0.03 for 3 %: the larger one of the two runs.",
    ),
    optional(
        "ratio",
        Kind::Number,
        "B over A, a pure number: 0.8 is 20 % less in B. The Hodges–Lehmann shift of the \
         logarithms of their blocks.",
    ),
    optional(
        "ratio_ci_low",
        Kind::Number,
        "Lower end of the 95 % interval of the ratio: exact by the rank sum, stretched for \
         autocorrelation between the blocks of a run. From 6 blocks in both.",
    ),
    optional("ratio_ci_high", Kind::Number, "Upper end of the same interval."),
    optional(
        "p_value",
        Kind::Number,
        "Of no shift, two-sided, 0 to 1, by the rank sum with the same stretching. From 6 blocks \
         in both.",
    ),
    optional(
        "p_adjusted",
        Kind::Number,
        "After Holm, over all ratios of B to A in the table, and these alone: each of the two \
         views is adjusted by itself. It decides nothing.",
    ),
    optional(
        "verdict",
        VERDICTS,
        "From 10 blocks in both. `faster`, `slower`: B is better or worse, whatever the metric, and \
         the whole interval lies beyond `delta_ratio`. `equivalent`: the interval lies within it, and within 0.8 to 1.25. `inconclusive`: none of these could be shown.",
    ),
    optional(
        "indication",
        VERDICTS,
        "From 6 to 9 blocks, in place of a verdict, by the same rule.",
    ),
    optional(
        "withheld",
        WITHHELD,
        "Why there is neither. `too_few_blocks`: fewer than 6 in A or B. `no_placebo`, \
         `placebo_differs`: as in `comparisons.csv`, of either run; or the placebo \
         moved between the two. `arm_failed_in_…`, `reference_failed_in_…`, `no_value_in_…`: which \
         of the two has nothing to compare. `other_rate`: the rate is a share of each machine's \
         own capacity. `not_positive`: a block's slope is 0 or below, and no multiple of another. \
         `no_line`: the runs have fewer than two numbers of children in common.",
    ),
    optional(
        "a_to_reference",
        Kind::Number,
        "Arm over reference in A, a pure number, as `ratio` in A's `comparisons.csv`. Empty for \
         the reference itself and for memory, like all that follow.",
    ),
    optional(
        "a_says",
        Kind::Text,
        "What A says by itself of the arm against the reference: `verdict: slower`, `indication: \
         slower`, `withheld: too_few_blocks`.",
    ),
    optional("b_to_reference", Kind::Number, "Arm over reference in B, as `a_to_reference`."),
    optional("b_says", Kind::Text, "What B says by itself."),
    optional(
        "agreement",
        Kind::Word(&["same", "opposite", "different", "open"]),
        "Of the two: `same`; `opposite`: faster in one, slower in the other; `different`: a \
         difference in one, equivalent in the other; `open`: at least one does not say.",
    ),
    optional(
        "relative_ratio",
        Kind::Number,
        "How the arm does against the reference in B over how it does in A, a pure number: the \
         shift of the blocks' log ratios, so near `b_to_reference` over `a_to_reference` and not \
         exactly that.",
    ),
    optional(
        "relative_ci_low",
        Kind::Number,
        "Lower end of the exact 95 % rank-sum interval of that. From 6 blocks in both.",
    ),
    optional("relative_ci_high", Kind::Number, "Upper end of the same interval."),
    optional("relative_p_value", Kind::Number, "Of no shift, two-sided, by the rank sum."),
    optional(
        "relative_p_adjusted",
        Kind::Number,
        "After Holm, over all relative ratios in the table, and these alone.",
    ),
    optional(
        "relative_verdict",
        VERDICTS,
        "As `verdict`: `faster` if the arm gains more, or loses less, against the reference in B.",
    ),
    optional("relative_indication", VERDICTS, "As `indication`, of the relative ratio."),
    optional(
        "relative_withheld",
        WITHHELD,
        "As `withheld`. Empty as well for the reference itself and for memory, which have no \
         relative ratio.",
    ),
    optional(
        "label",
        Kind::Text,
        "The arm's short name, as in `plan.csv`, among the arms of both runs.",
    ),
];
