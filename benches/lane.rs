//! A lane is one operation that is timed, once per lap.

use std::error::Error;
use std::path::PathBuf;

use forkbench::sys::affinity;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// An operation that is set up and warm.
pub(crate) trait Lane {
    /// Does it once; the time in ns. The lane's own overhead stays outside.
    fn lap(&mut self) -> Result<u64>;
}

impl<F: FnMut() -> Result<u64>> Lane for F {
    fn lap(&mut self) -> Result<u64> {
        self()
    }
}

/// Where and how large lanes are set up.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// For files; gone when the benches end.
    pub(crate) dir: PathBuf,
    pub(crate) scale: Scale,
    pub(crate) cores: Cores,
}

/// The size of a lap, where it can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// To be measured.
    Bench,
    /// To see that it runs.
    Test,
}

/// On which cores a race is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cores {
    /// On any core.
    Any,
    /// Everything on the first.
    One,
    /// The asking side on the first, the answering side on the second.
    Two,
}

impl Cores {
    /// Moves this process, and so all that it starts from now on, to the core of the asking side.
    pub(crate) fn pin_asking(self) -> Result<()> {
        match self {
            Cores::Any => Ok(()),
            Cores::One | Cores::Two => Ok(affinity::restrict(&[nth_core(0)?])?),
        }
    }

    /// The same for the answering side.
    pub(crate) fn pin_answering(self) -> Result<()> {
        match self {
            Cores::Any => Ok(()),
            Cores::One => self.pin_asking(),
            Cores::Two => Ok(affinity::restrict(&[nth_core(1)?])?),
        }
    }

    /// The environment of a subject whose children answer on their core.
    pub(crate) fn environment(self) -> Result<Option<(String, String)>> {
        match self {
            Cores::Any | Cores::One => Ok(None),
            Cores::Two => Ok(Some((affinity::CHILD_CPU.to_owned(), nth_core(1)?.to_string()))),
        }
    }
}

/// The environment variable that gives timing processes the list of cores; once pinned, they would
/// see only their own.
pub(crate) const CORES: &str = "FORKBENCH_BENCH_CORES";

fn nth_core(nth: usize) -> Result<u32> {
    let known = std::env::var(CORES)?;
    let core = known.split(',').nth(nth).ok_or("there are too few cores")?;
    Ok(core.parse()?)
}
