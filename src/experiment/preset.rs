//! How much to measure: `smoke`, `quick`, `standard`.

use super::Experiment;

const STANDARD: &str = "standard";

/// How much one run measures. An experiment says what, a preset how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// As on the command line.
    pub name: &'static str,
    /// Blocks per family.
    pub blocks: u32,
    /// A trial's window ends once it is at least this long and has [`Preset::min_requests`].
    pub min_window_ns: u64,
    /// See [`Preset::min_window_ns`].
    pub min_requests: u64,
    /// A window ends at the first completion after this, however few requests it has.
    pub max_window_ns: u64,
    /// Load before the window begins, at least; always at least two requests per caller.
    pub warm_up_ns: u64,
    /// The shortest and the longest window of an open loop; between them it is as long as
    /// [`OPEN_REQUESTS`] take to arrive.
    pub open_window_ns: [u64; 2],
    /// The pause between two trials, in which the processes of the first one end.
    pub cool_down_ns: u64,
    /// The whole run's deadline unless `--budget` says otherwise.
    pub budget_ns: Option<u64>,
    /// Whether an experiment's own budget takes the place of this one.
    pub budget_rule: BudgetRule,
    /// Maximum re-runs per disturbed trial.
    pub reruns: usize,
    /// Numbers of blocks after which a family stops if its ratios are known well enough.
    pub looks: &'static [u32],
    /// One line for `--help`.
    pub summary: &'static str,
}

/// Whose budget holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetRule {
    /// The preset's: it is there for tests.
    Preset,
    /// The experiment's, where it has one.
    Experiment,
}

/// The number of requests that an open loop's window aims at, within its bounds. A p99 needs a
/// thousand, which the blocks of a run have together.
pub const OPEN_REQUESTS: f64 = 500.0;

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;

impl Preset {
    /// All presets, smallest first.
    pub const ALL: [Preset; 3] = [
        Preset {
            name: "smoke",
            blocks: 1,
            min_window_ns: 20 * MS,
            min_requests: 5,
            max_window_ns: 200 * MS,
            warm_up_ns: 5 * MS,
            open_window_ns: [100 * MS, 200 * MS],
            cool_down_ns: 0,
            budget_ns: Some(20 * S),
            budget_rule: BudgetRule::Preset,
            reruns: 0,
            looks: &[],
            summary: "one block, a few requests: does everything run?",
        },
        Preset {
            name: "quick",
            blocks: 6,
            min_window_ns: 200 * MS,
            min_requests: 20,
            max_window_ns: S,
            warm_up_ns: 30 * MS,
            open_window_ns: [S, 4 * S],
            cool_down_ns: 20 * MS,
            budget_ns: Some(240 * S),
            budget_rule: BudgetRule::Experiment,
            reruns: 0,
            looks: &[],
            summary: "6 blocks: indications",
        },
        Preset {
            name: STANDARD,
            blocks: 20,
            min_window_ns: 2 * S,
            min_requests: 1_000,
            max_window_ns: 10 * S,
            warm_up_ns: 500 * MS,
            open_window_ns: [5 * S, 20 * S],
            cool_down_ns: 200 * MS,
            budget_ns: None,
            budget_rule: BudgetRule::Experiment,
            reruns: 2,
            looks: &[10, 15],
            summary: "10 to 20 blocks of 2 to 10 s: verdicts",
        },
    ];

    /// The preset for an experiment that may have a budget of its own.
    #[must_use]
    pub fn for_experiment(mut self, experiment: &Experiment) -> Preset {
        if self.budget_rule == BudgetRule::Experiment {
            let own = match self.name {
                STANDARD => experiment.standard_budget_ns.or(experiment.budget_ns),
                _ => experiment.budget_ns,
            };
            self.budget_ns = own.or(self.budget_ns);
        }
        self
    }

    /// Whether its windows are shorter than those of the preset of its name, the longest too.
    pub fn is_shortened(&self) -> bool {
        let own = Preset::by_name(self.name);
        own.is_some_and(|own| {
            self.min_window_ns < own.min_window_ns || self.max_window_ns < own.max_window_ns
        })
    }

    /// The preset of this name.
    pub fn by_name(name: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|preset| preset.name == name)
    }
}
