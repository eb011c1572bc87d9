//! What children cost in memory: from the looks of memory trials to a line per strategy, whose
//! slope is the price of one more child and whose intercept is what is there once.
//!
//! The line goes through what a tree holds, PSS and page tables together, against the number of
//! its children. PSS per child is no constant (each page is divided by the number of processes
//! that share it, so it falls with every child), while the slope is what the next child adds.
//!
//! What else the kernel holds for a child (stacks, task structs, sockets, descriptors) is known of
//! control groups only. It has a line of its own, beside the other: a price that contained it on
//! some machines and not on others could not be compared.

use segments::Miss;
use serde::Serialize;

use crate::stats::fit::FittedLine;

mod budget;
mod looks;
mod notes;
mod segments;
mod sentences;
mod series;
mod tables;
#[cfg(test)]
mod tests;
mod timed;

use budget::sizings;
pub(super) use looks::{MEMORY_ROLES, MemoryRole, QUANTITIES, Quantity, Wanted, held_by_block};
pub(super) use segments::Segment;
pub(super) use sentences::{bars_answer, headline, lines_answer, section};
pub(super) use series::{HELD, is_memory_family, of_run};

/// What may be said about memory in a run.
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
    /// As in the rows, like the next six.
    pub runtime: String,
    #[allow(missing_docs, reason = "see above")]
    pub workload: String,
    #[allow(missing_docs, reason = "see above")]
    pub workload_options: String,
    #[allow(missing_docs, reason = "see above")]
    pub size: String,
    #[allow(missing_docs, reason = "see above")]
    pub placement: String,
    #[allow(missing_docs, reason = "see above")]
    pub payload_bytes: u64,
    #[allow(missing_docs, reason = "see above")]
    pub ballast_bytes: u64,
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
    pub phase: String,
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

/// A tree with so many children: medians over blocks. Empty numbers were not measured.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct MemoryLevel {
    /// Children.
    pub k: u32,
    /// Blocks that were measured.
    pub n_blocks: usize,
    /// Why nothing was measured; empty if it was.
    pub reason: String,
    /// The naïve sum, in which shared pages count many times.
    pub rss_bytes: Option<f64>,
    /// The sum that is right.
    pub pss_bytes: Option<f64>,
    /// Its parts.
    pub pss_anon_bytes: Option<f64>,
    /// See there.
    pub pss_file_bytes: Option<f64>,
    /// See there.
    pub pss_shmem_bytes: Option<f64>,
    /// The kernel's part, which no process's memory contains.
    pub page_tables_bytes: Option<f64>,
    /// What no other process maps.
    pub uss_bytes: Option<f64>,
    /// By the control group.
    pub cgroup_usage_bytes: Option<f64>,
    /// By its high-water mark, at the trial's end.
    pub cgroup_peak_bytes: Option<f64>,
    /// Where the kernel keeps no such mark: the highest PSS of some looks, so that the peak was at
    /// least this.
    pub sampled_peak_bytes: Option<f64>,
    /// Until all children were there.
    pub ready_all_ns: Option<f64>,
    /// By how much MemAvailable fell. All programs change it.
    pub mem_available_fall_bytes: Option<f64>,
    /// Of timed trials with as many workers, or callers where children live for a request.
    pub throughput_per_s: Option<f64>,
    /// Of the same trials; has a value far more often than the next, which asks for ten times as
    /// many requests.
    pub response_p90_ns: Option<f64>,
    /// Of the same trials.
    pub response_p99_ns: Option<f64>,
    /// Their work and load in words; empty if there are none.
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
        MemoryLine {
            slope_bytes: fitted.line.slope,
            slope_ci_bytes: fitted.slope.map(|i| (i.low, i.high)),
            intercept_bytes: fitted.line.intercept,
            intercept_ci_bytes: fitted.intercept.map(|i| (i.low, i.high)),
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
    /// When.
    pub phase: String,
    /// Of what.
    pub metric: &'static str,
    /// What came out.
    pub line: MemoryLine,
    /// Blocks of the points.
    pub n_blocks: usize,
    /// Trees.
    pub n_points: usize,
    /// The fewest and the most children.
    pub k_range: (u32, u32),
    /// Some of it was swapped out, or lay in pages that PSS does not count.
    pub is_incomplete: bool,
    /// Of each block alone, by its number; of what is meant by memory wherever nothing else is
    /// said, and of no other metric.
    #[serde(skip)]
    pub slopes: Vec<(u32, f64)>,
}

impl MemorySummary {
    /// What one more child costs under a strategy, for a table about something else: of the same
    /// workload if that was measured, else of any.
    pub fn line_of(
        &self,
        runtime: &str,
        workload: &str,
        ballast_bytes: u64,
        strategy: &str,
        options: &str,
    ) -> Option<MemoryLine> {
        let fits = |group: &&Group| {
            group.runtime == runtime && group.ballast_bytes == ballast_bytes && !group.writes()
        };
        let options = series::without_workers(options);
        let groups = self.groups.iter().filter(fits);
        let all = groups.flat_map(|group| group.series.iter().map(move |series| (group, series)));
        let lined = all.filter(|(_, series)| series.strategy == strategy && series.line.is_some());
        let (_, series) = lined.min_by_key(|(group, series)| {
            (group.workload != workload, series.options != options)
        })?;
        // A line that misses a level is no price.
        series.line.filter(|_| series.miss.is_none())
    }
}

impl Group {
    /// Whether its children write what they inherited, or touch memory of their own: a price of
    /// the work, and not of the child.
    fn writes(&self) -> bool {
        ["write_mib", "touch_mib"].iter().any(|name| self.option(name).is_some_and(|mib| mib > 0))
    }

    /// Whether it is about children alone, without a creator that holds or a child that writes
    /// much: those others are compared in a table of their own.
    pub(super) fn is_plain(&self) -> bool {
        self.ballast_bytes == 0 && !self.writes()
    }

    /// A whole number among the workload's options.
    fn option(&self, name: &str) -> Option<u64> {
        self.workload_options.split(';').find_map(|option| {
            let (found, value) = option.split_once('=')?;
            (found == name).then(|| value.parse().ok())?
        })
    }

    /// The series that have a line.
    pub(super) fn lined(&self) -> impl Iterator<Item = (&Series, MemoryLine)> {
        self.series.iter().filter_map(|s| Some((s, s.line?)))
    }
}

impl Series {
    /// The fit that [`Series::line`] is of.
    pub(super) fn fit(&self) -> Option<&Fit> {
        let is_it = |fit: &&Fit| fit.phase == self.phase && fit.metric == HELD;
        self.fits.iter().find(is_it)
    }

    /// The line through a metric in the series' phase.
    fn line_through(&self, metric: &str) -> Option<MemoryLine> {
        let is_it = |fit: &&Fit| fit.phase == self.phase && fit.metric == metric;
        self.fits.iter().find(is_it).map(|fit| fit.line)
    }

    /// The kernel's memory, by the control group: page tables and all else.
    fn kernel(&self) -> Option<MemoryLine> {
        self.line_through(series::KERNEL)
    }

    /// The level with so many children, if it was measured.
    pub fn level(&self, k: u32) -> Option<&MemoryLevel> {
        let of_k = |level: &&MemoryLevel| level.k == k && level.n_blocks > 0;
        self.levels.iter().find(of_k)
    }

    /// The level with the most children that was measured.
    pub fn last(&self) -> Option<&MemoryLevel> {
        self.levels.iter().rfind(|level| level.n_blocks > 0)
    }
}
