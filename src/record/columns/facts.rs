//! `facts.csv`: data, and nothing else.

use super::tables::{always, optional};
use super::{Kind, Table};

/// `facts.csv`.
pub const FACTS: Table = Table {
    file: "facts.csv",
    row: "one thing that one demonstration showed in one block, or how the demonstration ended",
    key: &["demonstration", "case", "runtime", "block", "fact"],
    columns: &[
        always("run_id", Kind::Text, "The run, as in `manifest.json`."),
        always(
            "demonstration",
            Kind::Text,
            "What was shown; the program is of this name in \
             `subjects/<runtime>/demonstrations/`.",
        ),
        optional(
            "case",
            Kind::Text,
            "What it was shown on: a way of creating a child, code as it is in the notes or \
             corrected, a place and a way to crash. Empty in the row that says how the \
             demonstration ended.",
        ),
        always("runtime", Kind::Text, "In which runtime it was shown."),
        always("block", Kind::Integer, "Behind the trials of which block, from 1."),
        always(
            "fact",
            Kind::Text,
            "What was found; those of each demonstration are listed above. `took_ms`: how long the \
             whole demonstration took; it is always the last row of one.",
        ),
        optional(
            "value",
            Kind::Signed,
            "The number, in the unit that stands beside it; of what is so or is not, 1 or 0. Empty \
             where nothing could be found out, or there is only a text.",
        ),
        optional(
            "unit",
            Kind::Text,
            "The unit of the value: `bytes`, `ms`, `MB`, `cores`; empty for counts, and for 1 or 0.",
        ),
        optional(
            "text",
            Kind::Text,
            "What a number cannot say: the name of an error, what an object became.",
        ),
        always(
            "status",
            Kind::Word(&["ok", "failed", "skipped"]),
            "`ok`: it was shown. `failed`: the demonstration ended otherwise than it should, was \
             too late, said what is no fact, or left processes. `skipped`: its runtime is not \
             there. Rows before one that is not `ok` were shown before that.",
        ),
        optional("reason", Kind::Text, "Why it is not `ok`."),
        always("started_utc", Kind::Utc, "When the demonstration began."),
    ],
};
