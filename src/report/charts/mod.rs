//! Charts as SVG text, drawn by plotters.
//!
//! There are four kinds of charts: intervals and stacked bars per arm and curves ([`plot`]),
//! and heat maps ([`heat`]). The `of_*` modules declare the charts of a run: data,
//! kind, question and answer. The numbers below a chart are made from what its kind draws.

use super::table::Table;
use crate::analysis::Open;
use crate::analysis::cells::Analysed;
use crate::analysis::distribution::{Distribution, Distributions};
use crate::analysis::families::FamilyRows;
use crate::analysis::summary::{FamilySummary, Summary};
use crate::analysis::timeline::Timeline;
use figure::Figure;

pub mod agreement;
mod axis;
mod figure;
mod heat;
mod of_family;
mod of_load;
mod of_memory;
mod of_run;
mod of_sweeps;
mod picture;
mod plot;
pub mod style;
#[cfg(test)]
mod tests;
mod text;

/// A chart with its words and numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Name of the file, unique in a run.
    pub file: String,
    /// What it answers.
    pub question: String,
    /// The answer, from the data.
    pub answer: String,
    /// The picture.
    pub svg: String,
    /// Exactly the numbers that are plotted, in machine units.
    pub numbers: Table,
}

/// The data of a family's charts.
pub struct Material<'a> {
    /// What the tables show.
    pub summary: &'a FamilySummary,
    /// Its trials.
    pub rows: &'a FamilyRows<'a>,
    /// Of each arm, in the order of the summary.
    pub distributions: &'a [Distribution],
}

/// All charts of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Charts {
    /// Of all families together.
    pub overview: Vec<Chart>,
    /// Of each family, in the order of the summary.
    pub families: Vec<Vec<Chart>>,
    /// Of each open loop, in the order of [`Open::sections`].
    pub open: Vec<Vec<Chart>>,
    /// Of the machine.
    pub trust: Vec<Chart>,
    /// Of each group of memory trials, in the order of the summary.
    pub memory: Vec<Vec<Chart>>,
}

impl Charts {
    /// In the order of the page.
    pub fn into_iter(self) -> impl Iterator<Item = Chart> {
        self.overview
            .into_iter()
            .chain(self.open.into_iter().flatten())
            .chain(self.trust)
            .chain(self.families.into_iter().flatten())
            .chain(self.memory.into_iter().flatten())
    }

    /// With those of open loops.
    pub fn with_open(mut self, open: &Open) -> Charts {
        let of_load = (1..).zip(&open.curves).map(|(i, curves)| of_load::charts(curves, i));
        let of_probes = (1..).zip(&open.probed).map(|(i, probed)| {
            of_load::responsiveness(probed, format!("responsiveness-{i}")).into_iter().collect()
        });
        self.open = of_load.chain(of_probes).collect();
        self
    }

    /// With that of the machine's noise.
    pub fn with_noise(mut self, timeline: Option<&Timeline>) -> Charts {
        self.trust = timeline.and_then(of_run::noise).into_iter().collect();
        self
    }
}

/// Draws a run; the first three arguments name the same families in the same order.
pub fn of_run(
    summary: &Summary,
    families: &[Analysed<'_>],
    distributions: &Distributions,
    cores: Option<u64>,
) -> Charts {
    let materials = summary.families.iter().zip(families).zip(&distributions.families);
    // What an experiment that varies one factor asks for comes first.
    let mut overview = of_sweeps::charts(families, cores);
    overview.extend(of_run::best(summary));
    overview.extend(heat::charts(summary));
    let groups = (1..).zip(&summary.memory.groups);
    Charts {
        overview,
        families: materials
            .enumerate()
            .map(|(i, ((summary, analysed), distributions))| {
                family(i, &Material { summary, rows: &analysed.rows, distributions })
            })
            .collect(),
        memory: groups.map(|(i, group)| of_memory::charts(group, i)).collect(),
        ..Charts::default()
    }
}

fn family(index: usize, material: &Material<'_>) -> Vec<Chart> {
    let kinds = of_family::KINDS.iter();
    let chart = |(kind, draw): &(&str, of_family::Draw)| {
        let stem = stem(index, &material.summary.id, kind);
        draw(material, Figure { stem, ..Figure::default() })
    };
    kinds.filter_map(chart).collect()
}

/// `f01-noop-64B-rust-closed4-latency`: safe as a file name and an id for any name of a family,
/// and unique through its number.
fn stem(index: usize, family_id: &str, kind: &str) -> String {
    let safe: String = family_id
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .take(80)
        .collect();
    format!("f{:02}-{safe}-{kind}", index + 1)
}
