//! How large a pool may be within a budget of memory.

use super::rows::TABLES;
use super::{Group, MemoryLine, Series};
use crate::record::Phase;

/// A pool within a budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizing<'a> {
    /// The pool.
    pub series: &'a Series,
    /// How many of its workers fit.
    pub size: PoolSize,
    /// Whether the price contains the kernel's stacks and descriptors.
    pub has_kernel: bool,
}

/// How many workers of a pool fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PoolSize {
    /// None: this much is needed for one.
    TooLarge {
        /// Server and one worker.
        needs_bytes: f64,
    },
    /// No cost per worker was seen.
    Free,
    /// This many.
    Workers {
        /// By memory alone; [`crate::strategy::WORKERS_MAX`] is the most that can be started.
        fit: u64,
        /// The most that were measured.
        measured: u64,
        /// Whether there were enough blocks for an interval.
        is_sure: bool,
    },
}

/// Every pool of a group. The upper ends of the intervals are used where there are any: a pool that
/// just fits on average does not fit half of the time.
pub fn sizing(group: &Group, budget_bytes: u64) -> Vec<Sizing<'_>> {
    // A child that is held lives for a request only. Workers that write as much as an experiment
    // says are no pool of a real server.
    let pools =
        group.series.iter().filter(|series| series.phase != Phase::Held && !group.key.writes());
    pools.filter_map(|series| size(series, budget_bytes)).collect()
}

/// The kernel's memory and the page tables among it, which the series' own line has already.
fn kernel(series: &Series) -> Option<(MemoryLine, MemoryLine)> {
    Some((series.kernel()?, series.line_through(TABLES)?))
}

fn size(series: &Series, budget_bytes: u64) -> Option<Sizing<'_>> {
    let line = series.line?;
    let upper =
        |interval: Option<(f64, f64)>, estimate| interval.map_or(estimate, |(_, high)| high);
    let kernel = kernel(series);
    let of_kernel = |of: fn(&MemoryLine) -> f64| {
        kernel.map_or(0.0, |(kernel, tables)| (of(&kernel) - of(&tables)).max(0.0))
    };
    let once_bytes = upper(line.intercept_ci_bytes, line.intercept_bytes)
        + of_kernel(|line| line.intercept_bytes);
    let each_bytes =
        upper(line.slope_ci_bytes, line.slope_bytes) + of_kernel(|line| line.slope_bytes);
    let room_bytes = budget_bytes as f64 - once_bytes;
    let size = if room_bytes < each_bytes.max(0.0) {
        PoolSize::TooLarge { needs_bytes: once_bytes + each_bytes.max(0.0) }
    } else if each_bytes <= 0.0 {
        PoolSize::Free
    } else {
        PoolSize::Workers {
            fit: (room_bytes / each_bytes) as u64,
            measured: series.last()?.k.into(),
            is_sure: line.slope_ci_bytes.is_some(),
        }
    };
    Some(Sizing { series, size, has_kernel: kernel.is_some() })
}
