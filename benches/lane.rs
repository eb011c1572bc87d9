//! What is timed: a lane is one thing that can be done again and again, once per lap.

use std::error::Error;
use std::path::PathBuf;

use forkbench::sys::affinity;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Something to be timed, set up and warm.
pub(crate) trait Lane {
    /// Does it once, in ns. What the lane needs for timing itself stays outside.
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

/// How much a lap is, where that can be chosen.
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
    /// Wherever the scheduler likes.
    Any,
    /// Everything on the first.
    One,
    /// Whoever asks on the first, whoever answers on the second.
    Two,
}

impl Cores {
    /// Puts this process, and so all that it starts from now on, where the asking side belongs.
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

    /// What a subject has to be told so that its children answer where they should.
    pub(crate) fn environment(self) -> Result<Option<(String, String)>> {
        match self {
            Cores::Any | Cores::One => Ok(None),
            Cores::Two => Ok(Some((affinity::CHILD_CPU.to_owned(), nth_core(1)?.to_string()))),
        }
    }
}

/// The name under which the benches hand the cores that there are to the processes that time,
/// which would see only their own once they are pinned.
pub(crate) const CORES: &str = "FORKBENCH_BENCH_CORES";

fn nth_core(nth: usize) -> Result<u32> {
    let known = std::env::var(CORES)?;
    let core = known.split(',').nth(nth).ok_or("there are too few cores")?;
    Ok(core.parse()?)
}
