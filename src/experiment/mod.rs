//! WHAT to run: the domain types. Pure: no I/O, no clock.
//!
//! [`wire`] reads them from TOML ([`builtin`] holds those that come with the program),
//! [`filter`] takes parts of them, [`plan`] turns them into trials, and [`runtime`] knows which
//! runtimes exist.

use crate::workload::Spec;
use crate::workload::options::{OptionDef, Options};

pub mod builtin;
pub mod demonstration;
pub mod filter;
pub mod fit;
pub mod label;
pub mod nearest;
pub mod numbers;
mod open;
pub mod plan;
pub mod preset;
pub mod runtime;
pub mod slo;
pub mod subjects;
pub mod wire;

pub use demonstration::Demonstration;
pub use open::{Arrivals, Open, Probe, Rate, WindowLength};
pub use preset::Preset;
pub use slo::Slo;

/// Families of one experiment: far more than a day measures. Lists multiply, so that this is
/// checked before they are made, and again where a run is read.
pub const FAMILIES_MAX: usize = 1_000;

/// δ, the smallest difference that matters, where the user sets no other: 3 %.
pub const DELTA_RATIO: f64 = 0.03;

/// One question, and the families and demonstrations that answer it.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// Also the default name of its runs.
    pub name: String,
    /// What a reader will be able to answer afterwards.
    pub question: String,
    /// Name of the strategy that every arm is compared with.
    pub reference: String,
    /// The whole run's deadline unless `--budget` says otherwise, in place of the preset's. A
    /// preset that is there for tests keeps its own.
    pub budget_ns: Option<u64>,
    /// The same at preset `standard`, which may measure what others skip.
    pub standard_budget_ns: Option<u64>,
    /// Name of the claims that its runs are judged by, one of [`builtin::CLAIMS`].
    pub claims: Option<String>,
    /// In the order of the file, factors multiplied out.
    pub families: Vec<Family>,
    /// Demonstrations, which are not timed, in the order of the file.
    pub demonstrations: Vec<Demonstration>,
}

/// Arms that differ in the strategy only, and are compared with each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Unique in the experiment, readable, stable: `noop-64B-rust-closed4`.
    pub id: String,
    /// What each request does.
    pub spec: Spec,
    /// Name of the runtime.
    pub runtime: String,
    /// How requests are offered.
    pub load: Load,
    /// Memory touched in the process that creates children, in bytes.
    pub ballast_bytes: u64,
    /// Where the processes may run.
    pub placement: Placement,
    /// Per-request deadline.
    pub deadline_ms: u64,
    /// The most blocks, however many the run has.
    pub blocks_max: Option<u32>,
    /// The name of the smallest preset that measures it; smaller ones skip it.
    pub from_preset: &'static str,
    /// The strategies, the reference first, the placebo second.
    pub arms: Vec<Arm>,
}

/// Per-request deadline of a family that sets none: the study notes' 30 s.
pub const DEADLINE_MS: u64 = 30_000;

impl Family {
    /// The number of blocks in a run of so many.
    pub fn blocks(&self, of_run: u32) -> u32 {
        self.blocks_max.map_or(of_run, |most| most.min(of_run))
    }

    /// Why this preset does not measure it, if it does not.
    pub fn left_out(&self, preset: &Preset) -> Option<String> {
        let place = |name: &str| Preset::ALL.iter().position(|preset| preset.name == name);
        let from = self.from_preset;
        (place(preset.name) < place(from)).then(|| {
            format!("measured from preset `{from}` on: it takes too long for `{}`", preset.name)
        })
    }
}

/// One strategy with its options in a family.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arm {
    /// What it is there for.
    pub role: Role,
    /// Name of the strategy.
    pub strategy: String,
    /// Its options, resolved; only those that the strategy defines.
    pub options: Options,
}

/// The options that are not at their defaults on this many cores.
pub fn options_set(defs: &[OptionDef], options: &Options, cores: u32) -> Options {
    let at_default = |name: &str, value: &str| {
        let def = defs.iter().find(|def| def.name == name);
        def.is_some_and(|def| def.values.resolve(def.default, cores).as_deref() == Some(value))
    };
    let set = options.iter().filter(|(name, value)| !at_default(name, value));
    set.map(|(name, value)| (name.clone(), value.clone())).collect()
}

crate::words! {
    /// What an arm is there for; in the order of a family's arms.
    #[derive(Default)]
    pub enum Role {
        /// What the others are compared with.
        Reference = "reference",
        /// The reference a second time: an A/A test inside every experiment.
        Placebo = "placebo",
        /// Everything else.
        #[default]
        Arm = "arm",
    }
}

/// How requests are offered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Load {
    /// This many callers, each sending its next request when its last was answered.
    Closed {
        /// At least 1.
        callers: u32,
    },
    /// Requests that arrive on a schedule, whether or not earlier ones were answered.
    Open(Open),
    /// No load to be timed: children are held while their memory is read.
    Memory {
        /// Workers of a pool; of the other strategies, tasks of `hold` under way. May be 0.
        children: u32,
    },
}

impl Load {
    /// The regime's name in rows.
    pub fn regime(&self) -> &'static str {
        match self {
            Load::Closed { .. } => "closed",
            Load::Open(_) => "open",
            Load::Memory { .. } => "memory",
        }
    }

    /// The callers of a closed loop.
    pub fn callers(&self) -> Option<u32> {
        if let Load::Closed { callers } = self { Some(*callers) } else { None }
    }

    /// The children of a memory trial.
    pub fn children(&self) -> Option<u32> {
        if let Load::Memory { children } = self { Some(*children) } else { None }
    }

    /// What an open loop offers.
    pub fn open(&self) -> Option<&Open> {
        if let Load::Open(open) = self { Some(open) } else { None }
    }
}

crate::words! {
    /// Where the processes of a trial may run.
    #[derive(Default)]
    pub enum Placement {
        /// Wherever the kernel likes.
        #[default]
        Unpinned = "unpinned",
        /// Subject and children on one core.
        SameCore = "same-core",
        /// Children on another core than the subject.
        OtherCore = "other-core",
    }
}

/// One fresh process tree, one arm, one block.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// `t0001` in planned order.
    pub id: String,
    /// Index of the family in the experiment.
    pub family: usize,
    /// Index of the arm in the family.
    pub arm: usize,
    /// From 1.
    pub block: u32,
    /// From 1, within the family's block.
    pub position: u32,
    /// Of the trial: the block's seed, so that all arms of a block get the same inputs.
    pub seed: u64,
}
