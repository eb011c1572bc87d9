//! `plan.csv`, and what the tables share: data, and nothing else.

use super::{Column, Kind, Presence, Table};

pub(super) const ROLES: Kind = Kind::Word(&["arm", "reference", "placebo"]);
pub(super) const STATUSES: Kind = Kind::Word(&["ok", "failed", "skipped", "partial"]);
pub(super) const NOISE_LABELS: Kind = Kind::Word(&["quiet", "warn", "disturbed", "unjudged"]);

/// `plan.csv`.
pub const PLAN: Table = Table {
    file: "plan.csv",
    row: "one planned trial, in the order in which trials are to be run",
    key: &["trial_id"],
    columns: &[
        always(
            "trial_id",
            Kind::Text,
            "Names the trial in all files of the run; in planned order.",
        ),
        always(
            "family_id",
            Kind::Text,
            "The family: workload, size, runtime and load. Arms of one family are compared.",
        ),
        always("block", Kind::Integer, "Which pass over all arms of the family, from 1."),
        always(
            "position",
            Kind::Integer,
            "Place in the random order of the family's block, from 1.",
        ),
        always(
            "role",
            ROLES,
            "`reference`: what the family's other arms are compared with. `placebo`: the same \
             arm a second time, an A/A test. `arm`: any other.",
        ),
        always("strategy", Kind::Text, "How the requests are to be executed."),
        optional(
            "options",
            Kind::Text,
            "The strategy's options, resolved, as `name=value` joined by `;` in the order of \
             their names.",
        ),
        always("seed", Kind::Integer, "Seed of the block: all arms of a block get the same."),
        optional(
            "label",
            Kind::Text,
            "The arm's short name, unique in the family: the strategy, those of its options in \
             which it differs from another arm of the family, and `(placebo)` behind the placebo's. \
             Empty in runs of an older forkbench.",
        ),
    ],
};

/// The short name of an arm where a row of a trial names it.
pub(super) const LABEL: Column =
    optional("label", Kind::Text, "The arm's short name, as in `plan.csv`; to group rows by.");

pub(super) const fn always(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
    Column { name, kind, presence: Presence::Always, meaning }
}

pub(super) const fn optional(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
    Column { name, kind, presence: Presence::Optional, meaning }
}
