//! What children cost in memory: from the looks of memory trials to a line per strategy, whose
//! slope is the price of one more child and whose intercept is shared once.
//!
//! The line goes through what a tree holds, PSS and page tables together, against the number of
//! its children. PSS per child is no constant (each page is divided by the number of processes
//! that share it, so it falls with every child), while the slope is what the next child adds.
//!
//! What else the kernel holds for a child (stacks, task structs, sockets, descriptors) is known of
//! control groups only. It has a line of its own: a price that contained it on some machines and not
//! on others could not be compared.

use crate::record::Phase;
use serde::Serialize;

use super::family_key::FamilyKey;
use crate::stats::Interval;
use crate::stats::fit::FittedLine;

mod budget;
mod levels;
mod looks;
mod rows;
mod segments;
mod series;
mod timed;

pub use budget::{PoolSize, Sizing, sizing};
pub use looks::{Wanted, held_by_block};
pub use rows::{HELD, MEMORY_ROLES, MemoryRole, QUANTITIES, Quantity, TABLES, is_memory_family};
pub use segments::{Miss, Segment};
pub use series::of_run;

/// The memory trials of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct MemorySummary {
    /// Memory trials of which there is a row.
    pub trials_run: usize,
    /// In planned order.
    pub groups: Vec<Group>,
}

/// Strategies that were measured on the same work, runtime and surroundings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// In words.
    pub title: String,
    /// Blocks with at least one usable trial.
    pub n_blocks: usize,
    /// Equal in all its trials.
    #[serde(flatten)]
    pub key: FamilyKey,
    /// In the order of [`crate::strategy::ALL`].
    pub series: Vec<Series>,
}

/// One strategy, over all numbers of children.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// The strategy, with its options where the group has it several times.
    pub label: String,
    /// Name of the strategy.
    pub strategy: String,
    /// Its options, without the number of workers, which is what varies.
    pub options: String,
    /// The moment that the levels and the line are of: `held`, `hundred`, `first` or `idle`.
    pub phase: Phase,
    /// By number of children, ascending.
    pub levels: Vec<MemoryLevel>,
    /// Of PSS and page tables in [`Series::phase`]; `None` without two levels.
    pub line: Option<MemoryLine>,
    /// The level that [`Series::line`] misses, if it misses any by more than 3 %.
    pub miss: Option<Miss>,
    /// What each further child costs between neighboring levels of [`Series::line`].
    pub segments: Vec<Segment>,
    /// Every line through every metric in every phase.
    pub fits: Vec<Fit>,
    /// Of each block, its trees in [`Series::phase`]: children, and bytes held.
    #[serde(skip)]
    pub points: Vec<Vec<(u32, f64)>>,
}

/// A tree at one number of children: medians over blocks. Empty numbers were not measured.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct MemoryLevel {
    /// Children.
    pub k: u32,
    /// Blocks that were measured.
    pub n_blocks: usize,
    /// Why nothing was measured; empty if it was.
    pub reason: String,
    /// The sum of RSS, in which shared pages count many times.
    pub rss_bytes: Option<f64>,
    /// The sum of PSS, in which every page counts once.
    pub pss_bytes: Option<f64>,
    /// The anonymous part of PSS.
    pub pss_anon_bytes: Option<f64>,
    /// The part of PSS that is mapped from files.
    pub pss_file_bytes: Option<f64>,
    /// The part of PSS in shared memory.
    pub pss_shmem_bytes: Option<f64>,
    /// The kernel's part, which no process's memory contains.
    pub page_tables_bytes: Option<f64>,
    /// What no other process maps.
    pub uss_bytes: Option<f64>,
    /// Usage of the control group.
    pub cgroup_usage_bytes: Option<f64>,
    /// High-water mark of the control group, at the trial's end.
    pub cgroup_peak_bytes: Option<f64>,
    /// Where the kernel keeps no such mark, the highest PSS of some looks: a lower bound of the peak.
    pub sampled_peak_bytes: Option<f64>,
    /// Until all children were there.
    pub ready_all_ns: Option<f64>,
    /// By how much MemAvailable fell. All programs change it.
    pub mem_available_fall_bytes: Option<f64>,
    /// Of timed trials with as many workers, or callers where children live for a request.
    pub throughput_per_s: Option<f64>,
    /// Of the same trials; needs a tenth of the requests that the p99 needs.
    pub response_p90_ns: Option<f64>,
    /// Of the same trials.
    pub response_p99_ns: Option<f64>,
    /// Work and load of the timed trials in words; empty if there are none.
    pub timed_in: String,
}

impl MemoryLevel {
    /// What the line goes through.
    pub fn held_bytes(&self) -> Option<f64> {
        Some(self.pss_bytes? + self.page_tables_bytes.unwrap_or(0.0))
    }

    /// By how much the naïve sum is too large.
    pub fn naive_ratio(&self) -> Option<f64> {
        let pss_bytes = self.pss_bytes.filter(|bytes| *bytes > 0.0)?;
        Some(self.rss_bytes? / pss_bytes)
    }
}

/// A line through a tree's memory against its children.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MemoryLine {
    /// What one more child costs.
    pub slope_bytes: f64,
    /// At 95 %; from 6 blocks.
    pub slope_ci_bytes: Option<(f64, f64)>,
    /// What is there once.
    pub intercept_bytes: f64,
    /// At 95 %; from 6 blocks.
    pub intercept_ci_bytes: Option<(f64, f64)>,
}

impl MemoryLine {
    fn of(fitted: &FittedLine) -> MemoryLine {
        let ends = |interval: Interval| (interval.low, interval.high);
        MemoryLine {
            slope_bytes: fitted.line.slope,
            slope_ci_bytes: fitted.slope.map(ends),
            intercept_bytes: fitted.line.intercept,
            intercept_ci_bytes: fitted.intercept.map(ends),
        }
    }

    /// The line's height at a number of children.
    pub fn at(&self, k: f64) -> f64 {
        self.intercept_bytes + k * self.slope_bytes
    }
}

/// A row of `fits.csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fit {
    /// The moment of the looks.
    pub phase: Phase,
    /// The column or sum that was fitted.
    pub metric: &'static str,
    /// The line.
    pub line: MemoryLine,
    /// Blocks of the points.
    pub n_blocks: usize,
    /// Trees.
    pub n_points: usize,
    /// The fewest and the most children.
    pub k_range: (u32, u32),
    /// Some of it was swapped out, or lay in pages that PSS does not count.
    pub is_incomplete: bool,
    /// The slope of each block alone, by its number; of [`HELD`] only.
    #[serde(skip)]
    pub slopes: Vec<(u32, f64)>,
}

impl MemorySummary {
    /// What one more child costs under a strategy, for a table of timed trials: of the same workload
    /// if that was measured, else of any. `None` where the line misses a level.
    pub fn line_of(&self, of: &FamilyKey, strategy: &str, options: &str) -> Option<MemoryLine> {
        let fits = |group: &&Group| {
            let key = &group.key;
            key.runtime == of.runtime && key.ballast_bytes == of.ballast_bytes && !key.writes()
        };
        let options = rows::without_workers(options);
        let find = |group: &Group| {
            let own = || group.series.iter().filter(|series| series.strategy == strategy);
            let series = own().find(|series| series.options == options).or_else(|| own().next())?;
            Some((series.line?, series.miss))
        };
        let groups = || self.groups.iter().filter(fits);
        let same = groups().filter(|group| group.key.workload == of.workload).find_map(find);
        let (line, miss) = same.or_else(|| groups().find_map(find))?;
        miss.is_none().then_some(line)
    }
}

impl Group {
    /// Whether it is about children alone: its creator holds no ballast and its children write
    /// little. Other groups are compared in a table of their own.
    pub fn is_plain(&self) -> bool {
        self.key.ballast_bytes == 0 && !self.key.writes()
    }

    /// The series that have a line.
    pub fn lined(&self) -> impl Iterator<Item = (&Series, MemoryLine)> {
        self.series.iter().filter_map(|s| Some((s, s.line?)))
    }
}

impl Series {
    /// The fit that [`Series::line`] is of.
    pub fn fit(&self) -> Option<&Fit> {
        self.fit_through(HELD)
    }

    /// The line through a metric in the series' phase.
    pub fn line_through(&self, metric: &str) -> Option<MemoryLine> {
        self.fit_through(metric).map(|fit| fit.line)
    }

    fn fit_through(&self, metric: &str) -> Option<&Fit> {
        self.fits.iter().find(|fit| fit.phase == self.phase && fit.metric == metric)
    }

    /// The kernel's memory, by the control group: page tables and everything else.
    pub fn kernel(&self) -> Option<MemoryLine> {
        self.line_through(rows::KERNEL)
    }

    /// The level with `k` children, if it was measured.
    pub fn level(&self, k: u32) -> Option<&MemoryLevel> {
        let of_k = |level: &&MemoryLevel| level.k == k && level.n_blocks > 0;
        self.levels.iter().find(of_k)
    }

    /// The level with the most children that was measured.
    pub fn last(&self) -> Option<&MemoryLevel> {
        self.levels.iter().rfind(|level| level.n_blocks > 0)
    }
}
