//! How a request is EXECUTED. Each strategy is one file and one line in [`ALL`].

use crate::options::{OptionDef, Values};

/// What is known of a strategy without starting it.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// As written in experiments, rows and on the command line.
    pub name: &'static str,
    /// One line for `forkbench list`.
    pub summary: &'static str,
    /// What an experiment may set, with defaults.
    pub options: &'static [OptionDef],
    /// Whether it creates processes that are reaped, so that a REAPED follows each answer.
    pub reaps: bool,
}

const fn kind(name: &'static str) -> Kind {
    Kind {
        name,
        summary: "",
        options: &[],
        reaps: false,
    }
}

const POOL: &[OptionDef] = &[OptionDef {
    name: "workers",
    default: "1x",
    values: Values::Cores { min: 1, max: 4096 },
    help: "long-lived workers",
}];

/// Every strategy, in the order in which tables show them.
pub const ALL: &[Kind] = &[
    kind("blocking"),
    kind("thread"),
    Kind {
        name: "thread-pool",
        summary: "",
        options: POOL,
        reaps: false,
    },
    kind("spawn"),
    kind("exec"),
    kind("exec-file"),
    kind("fork-ipc"),
    kind("fork"),
    Kind {
        name: "pool",
        summary: "",
        options: POOL,
        reaps: false,
    },
    Kind {
        name: "prefork-pool",
        summary: "",
        options: POOL,
        reaps: false,
    },
];

/// The strategy of this name.
pub fn by_name(name: &str) -> Option<&'static Kind> {
    ALL.iter().find(|kind| kind.name == name)
}
