//! What the rows of a run say: rows in, one [`Analysis`] out. Pure, and without sentences; those are
//! in [`crate::report`].
//!
//! In reading order: [`attempts`] chooses the rows that count, [`stopping`] tells which families were
//! known well enough, [`families`] arranges rows by family and arm, [`cells`] compares arms,
//! [`summary`] reduces them to what is shown. Open loops are [`load_points`], [`curves`] and
//! [`probes`]; single requests are [`distribution`]; memory trials are [`memory`]; the machine
//! meanwhile is [`timeline`].

use crate::record::{LoadPointRow, NoiseRow, Run};

pub mod attempts;
pub mod cells;
pub mod curves;
pub mod distribution;
pub mod families;
pub mod family_key;
mod grouped;
pub mod load_points;
pub mod memory;
pub mod metrics;
mod over_blocks;
pub mod probes;
pub mod stopping;
mod summarise;
pub mod summary;
pub mod sweep;
pub mod timeline;

use cells::Analysed;
use curves::Curves;
use distribution::{Distributions, Requests};
use probes::Probed;
use summary::Summary;
use timeline::Timeline;

/// A run, analysed.
#[derive(Debug, Clone)]
pub struct Analysis<'a> {
    /// The run.
    pub run: &'a Run,
    /// Every family with its rows, in planned order.
    pub families: Vec<Analysed<'a>>,
    /// The same families, reduced to medians and ratios, and the memory trials.
    pub summary: Summary,
    /// The rows of `load_points.csv`.
    pub load_points: Vec<LoadPointRow>,
    /// Open loops and probes.
    pub open: Open,
    /// Response times by family and arm; empty without single requests.
    pub distributions: Distributions,
    /// What the machine did meanwhile; `None` without its rows.
    pub timeline: Option<Timeline>,
}

/// The open loops of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Open {
    /// Without probes.
    pub curves: Vec<Curves>,
    /// With probes.
    pub probed: Vec<Probed>,
}

impl<'a> Analysis<'a> {
    /// Of a run with the noise of its machine, which may be empty, and its single requests.
    pub fn of(run: &'a Run, noise: &[NoiseRow], requests: &Requests<'_>) -> Analysis<'a> {
        let families = cells::run(run);
        let distributions = Distributions::of(&families, requests);
        let analysis = Analysis::new(run, families, distributions);
        Analysis { timeline: timeline::timeline(run, noise), ..analysis }
    }

    /// Of the rows alone: all that tables need.
    pub fn of_rows(run: &'a Run) -> Analysis<'a> {
        Analysis::new(run, cells::run(run), Distributions::default())
    }

    fn new(
        run: &'a Run,
        families: Vec<Analysed<'a>>,
        distributions: Distributions,
    ) -> Analysis<'a> {
        let counted = attempts::counted(&run.trials);
        let load_points = load_points::load_points(counted.iter().copied());
        let open = Open {
            curves: curves::of(&counted, &load_points, &families, &distributions),
            probed: probes::of(&families),
        };
        let summary = summary::of_families(run, &families);
        Analysis { run, families, summary, load_points, open, distributions, timeline: None }
    }
}

/// How many cores the machine of a run had, if that is known.
pub fn cores(run: &Run) -> Option<u64> {
    CORES.iter().find_map(|fact| run.environment.facts.get(*fact)?.as_u64())
}

/// Facts that hold the number of cores, the best first.
pub const CORES: [&str; 2] = ["cpus_available", "cpus_online"];
