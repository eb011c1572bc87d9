//! `claims.csv`: data, and nothing else.

use super::tables::{always, optional};
use super::{Column, Kind, Table};

/// The verdicts; a test holds them equal to the report's.
const VERDICTS: Kind = Kind::Word(&[
    "confirmed",
    "refuted",
    "depends",
    "not_decided",
    "not_yet_measured",
    "not_a_matter_of_measurement",
]);

/// `claims.csv`.
pub const CLAIMS: Table = Table {
    file: "claims.csv",
    row: "one figure that decides one claim of a document, or a claim without figures; derived \
          from the other files",
    key: &["claim_id", "test"],
    columns: &CLAIM_COLUMNS,
};

const CLAIM_COLUMNS: [Column; 28] = [
    always("run_id", Kind::Text, "The run, as in `manifest.json`."),
    always(
        "claim_id",
        Kind::Text,
        "The claim, as in the file of claims that the experiment names.",
    ),
    always(
        "test",
        Kind::Integer,
        "Which of the claim's figures, from 1; 0 of a claim that has none.",
    ),
    always("section", Kind::Text, "The document's heading that the claim stands under."),
    always("place", Kind::Text, "Where there: a table and its row, or a number in a list."),
    always("words", Kind::Text, "What is claimed, in the document's words."),
    always(
        "verdict",
        VERDICTS,
        "Of the claim, the same in all its rows. `confirmed`, `refuted`: every condition that was \
         decided says so. `depends`: some conditions confirm it and others refute it. \
         `not_decided`: the figures of the first condition decide nothing. `not_yet_measured`: \
         one of them is missing. `not_a_matter_of_measurement`: \
         no figure could decide.",
    ),
    optional(
        "strength",
        Kind::Word(&["verdict", "indication"]),
        "`indication` where a deciding figure has fewer than 10 blocks; empty where nothing is \
         decided.",
    ),
    optional(
        "condition",
        Kind::Text,
        "What the row's figure is of, where the claim may depend on it. All rows of one condition \
         must be confirmed for it to be.",
    ),
    optional(
        "outcome",
        Kind::Word(&["confirmed", "refuted", "undecided", "missing"]),
        "Of the row's figure: `confirmed` or `refuted` if its whole interval lies where \
         `confirmed_when` or `refuted_when` says; `undecided` if it does not, if it has no \
         interval or is in doubt, or if what the row presumes does not hold; `missing` if there is \
         no figure.",
    ),
    optional("reason", Kind::Text, "Why the figure decides nothing, or why the claim has none."),
    optional("figure", Kind::Text, "Name of the figure in the file of claims."),
    optional("figure_is", Kind::Text, "What the figure is, in words."),
    optional(
        "runtime",
        Kind::Text,
        "The figure's runtime; of a ratio between two runtimes, that of the first.",
    ),
    optional(
        "estimate",
        Kind::Signed,
        "The figure: a median over blocks, the slope of a line, or of a ratio the \
         Hodges–Lehmann estimate.",
    ),
    optional("ci_low", Kind::Signed, "Lower end of its interval. From 6 blocks."),
    optional("ci_high", Kind::Signed, "Upper end of it."),
    super::derived::CI_LEVEL,
    optional(
        "unit",
        Kind::Text,
        "Of the figure and its interval, and of the bounds; 1 is a ratio or a share. Empty of \
         counts, and of what is so (1) or is not (0).",
    ),
    always("n_blocks", Kind::Integer, "Blocks that the figure is of."),
    optional(
        "confirmed_when",
        Kind::Text,
        "Where the whole interval must lie to confirm, in the figure's unit.",
    ),
    optional(
        "refuted_when",
        Kind::Text,
        "Where it must lie to refute; `otherwise`: wholly outside `confirmed_when`, on one side.",
    ),
    optional(
        "source",
        Kind::Word(&[
            "cells.csv",
            "comparisons.csv",
            "fits.csv",
            "memory.csv",
            "trials.csv",
            "facts.csv",
        ]),
        "The file that the figure stands in or is made from.",
    ),
    optional(
        "source_rows",
        Kind::Text,
        "Which rows of it: those with these values in these columns, as `column=value` joined by \
         a comma and a space. In `trials.csv` and `memory.csv`, `metric` is the column that is read.",
    ),
    optional(
        "source_rows_over",
        Kind::Text,
        "Of a ratio that is no row of `comparisons.csv`: the rows that it is divided by.",
    ),
    optional(
        "pairing",
        Kind::Word(&["block", "pass"]),
        "Of a ratio, which values are divided by which. `block`: those of one block of one family, \
         or of one demonstration. `pass`: those of the same block number of two families, which are \
         minutes apart.",
    ),
    optional("confirms", Kind::Text, "What would confirm the claim, in words."),
    optional("refutes", Kind::Text, "What would refute it, in words."),
];
