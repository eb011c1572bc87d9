//! What is timed: a lane is one thing that can be done again and again, once per lap.

use std::error::Error;
use std::path::PathBuf;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

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
#[derive(Debug)]
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
    /// Puts this process, and so all that it starts, where the asking side belongs.
    pub(crate) fn pin_asking(self) -> Result<()> {
        match self {
            Cores::Any => Ok(()),
            Cores::One | Cores::Two => pin(None, 0),
        }
    }

    /// Puts the answering side, the process `pid` (`None`: this one), where it belongs.
    pub(crate) fn pin_answering(self, pid: Option<u32>) -> Result<()> {
        match self {
            Cores::Any | Cores::One => Ok(()),
            Cores::Two => pin(pid, 1),
        }
    }
}

/// The processors that this process may use, by number.
pub(crate) fn processors() -> Vec<usize> {
    // Read before anybody is pinned, by the process that pins nobody: the benches themselves.
    sched_getaffinity(None).map_or_else(
        |_| Vec::new(),
        |set| (0..CpuSet::MAX_CPU).filter(|&n| set.is_set(n)).collect(),
    )
}

/// The name under which the benches hand [`processors`] to the processes that time.
pub(crate) const PROCESSORS: &str = "FORKBENCH_BENCH_PROCESSORS";

fn pin(pid: Option<u32>, nth: usize) -> Result<()> {
    let known = std::env::var(PROCESSORS)?;
    let processor = known
        .split(',')
        .nth(nth)
        .ok_or("there are too few processors")?;
    let mut set = CpuSet::new();
    set.set(processor.parse()?);
    let pid = pid.and_then(|pid| rustix::process::Pid::from_raw(pid as i32));
    Ok(sched_setaffinity(pid, &set)?)
}
