//! How much to measure: `smoke`, `quick`, `standard`.

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
    /// The whole run's deadline unless `--budget` says otherwise.
    pub budget_ns: Option<u64>,
    /// One line for `--help`.
    pub summary: &'static str,
}

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
            budget_ns: Some(20 * S),
            summary: "one block, a few requests: does everything run?",
        },
        Preset {
            name: "quick",
            blocks: 6,
            min_window_ns: 200 * MS,
            min_requests: 20,
            max_window_ns: S,
            warm_up_ns: 30 * MS,
            budget_ns: Some(240 * S),
            summary: "6 blocks: indications",
        },
        Preset {
            name: "standard",
            blocks: 20,
            min_window_ns: 2 * S,
            min_requests: 1_000,
            max_window_ns: 10 * S,
            warm_up_ns: 500 * MS,
            budget_ns: None,
            summary: "20 blocks of 2 to 10 s: verdicts",
        },
    ];

    /// The preset of this name.
    pub fn by_name(name: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|preset| preset.name == name)
    }
}
