//! The open loops of a run: how much load each strategy takes, and who else is answered meanwhile.

use crate::record::Run;

use super::analyse::Analysed;
use super::distribution::Distributions;
use super::load::{self, Curves};
use super::responsiveness::{self, Probed};

/// The open loops of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Open {
    /// Without probes.
    pub(super) curves: Vec<Curves>,
    /// With probes.
    pub(super) probed: Vec<Probed>,
}

impl Open {
    /// The distributions may be empty: no table needs them.
    pub(super) fn of(run: &Run, families: &[Analysed<'_>], distributions: &Distributions) -> Open {
        Open {
            curves: load::of(run, families, distributions),
            probed: responsiveness::of(families),
        }
    }
}
