//! Charts as SVG text: one file per chart, one line in [`KINDS`].

use super::table::Table;
use crate::analysis::Open;
use crate::analysis::cells::Analysed;
use crate::analysis::distribution::{Distribution, Distributions};
use crate::analysis::families::FamilyRows;
use crate::analysis::summary::{FamilySummary, Summary};
use crate::analysis::timeline::Timeline;

pub(super) mod agreement;
mod anatomy;
mod best;
mod canvas;
mod curve;
mod ecdf;
mod ends;
mod forest;
mod frame;
mod goodput;
mod heat;
mod latency;
mod load;
mod memory_bars;
mod memory_lines;
mod noise;
mod panel;
mod percentiles;
mod placement;
mod responsiveness;
mod scale;
mod sequence;
mod speedup;
pub(super) mod style;
#[cfg(test)]
mod sweep_tests;
mod throughput;

/// A chart with what a reader needs beside it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    /// Name of the file, unique in a run.
    pub(super) file: String,
    /// What it answers.
    pub(super) question: String,
    /// The answer, from the data.
    pub(super) answer: String,
    /// The picture.
    pub(super) svg: String,
    /// Exactly the numbers that are plotted, in machine units.
    pub(super) numbers: Table,
}

/// What the charts of a family are made from.
pub(super) struct Material<'a> {
    /// What the tables show.
    pub(super) summary: &'a FamilySummary,
    /// Its trials.
    pub(super) rows: &'a FamilyRows<'a>,
    /// Of each arm, in the order of the summary.
    pub(super) distributions: &'a [Distribution],
}

/// Draws a family under a file stem; `None` if there is nothing to draw.
type Draw = fn(&Material<'_>, &str) -> Option<Chart>;

/// Every chart of a family, in the order of the page.
const KINDS: &[(&str, Draw)] = &[
    ("ratios", forest::chart),
    ("throughput", |material, stem| throughput::chart(material.summary, stem)),
    ("latency", |material, stem| latency::chart(material.summary, stem)),
    ("percentiles", percentiles::chart),
    ("distribution", ecdf::chart),
    ("anatomy", |material, stem| anatomy::chart(material.summary, stem)),
    ("sequence", sequence::chart),
];

/// All charts of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Charts {
    /// Of all families together.
    pub(super) overview: Vec<Chart>,
    /// Of each family, in the order of the summary.
    pub(super) families: Vec<Vec<Chart>>,
    /// Of each open loop, in the order of [`Open::sections`].
    pub(super) open: Vec<Vec<Chart>>,
    /// Of the machine.
    pub(super) trust: Vec<Chart>,
    /// Of each group of memory trials, in the order of the summary.
    pub(super) memory: Vec<Vec<Chart>>,
}

impl Charts {
    /// In the order of the page.
    pub(super) fn into_iter(self) -> impl Iterator<Item = Chart> {
        self.overview
            .into_iter()
            .chain(self.open.into_iter().flatten())
            .chain(self.trust)
            .chain(self.families.into_iter().flatten())
            .chain(self.memory.into_iter().flatten())
    }
}

impl Charts {
    /// With those of open loops.
    pub(super) fn with_open(mut self, open: &Open) -> Charts {
        let of_load = open.curves.iter().enumerate().map(|(i, curves)| {
            let charts = [
                load::chart(curves, &format!("load-{}-latency", i + 1)),
                goodput::chart(curves, &format!("load-{}-goodput", i + 1)),
            ];
            charts.into_iter().flatten().collect()
        });
        let of_probes = open.probed.iter().enumerate().map(|(i, probed)| {
            let chart = responsiveness::chart(probed, &format!("responsiveness-{}", i + 1));
            chart.into_iter().collect()
        });
        self.open = of_load.chain(of_probes).collect();
        self
    }

    /// With that of the machine's noise.
    pub(super) fn with_noise(mut self, timeline: Option<&Timeline>) -> Charts {
        self.trust = timeline.map(|timeline| noise::chart(timeline, "noise")).into_iter().collect();
        self
    }
}

/// Draws a run; the first three arguments name the same families in the same order.
pub(super) fn of_run(
    summary: &Summary,
    families: &[Analysed<'_>],
    distributions: &Distributions,
    cores: Option<u64>,
) -> Charts {
    let materials = summary.families.iter().zip(families).zip(&distributions.families).map(
        |((summary, analysed), distributions)| Material {
            summary,
            rows: &analysed.rows,
            distributions,
        },
    );
    Charts {
        overview: overview(summary, families, cores),
        families: materials
            .enumerate()
            .map(|(i, material)| {
                KINDS
                    .iter()
                    .filter_map(|(kind, draw)| {
                        draw(&material, &stem(i, &material.summary.id, kind))
                    })
                    .collect()
            })
            .collect(),
        memory: (1..)
            .zip(&summary.memory.groups)
            .map(|(i, group)| {
                let charts = [
                    memory_lines::chart(group, &format!("memory-{i:02}-children")),
                    memory_bars::chart(group, &format!("memory-{i:02}-parts")),
                ];
                charts.into_iter().flatten().collect()
            })
            .collect(),
        ..Charts::default()
    }
}

/// What an experiment that varies one thing asks for comes first.
fn overview(summary: &Summary, families: &[Analysed<'_>], cores: Option<u64>) -> Vec<Chart> {
    let mut charts = curve::charts(families, cores);
    charts.extend(placement::charts(families));
    charts.extend(best::chart(summary));
    charts.extend(heat::KINDS.iter().flat_map(|kind| heat::charts(summary, kind)));
    charts
}

/// `01-noop-64B-rust-closed4-latency`: safe as a file name and an id whatever the family is
/// called, and unique through its number.
fn stem(index: usize, family_id: &str, kind: &str) -> String {
    let safe: String = family_id
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .take(80)
        .collect();
    format!("f{:02}-{safe}-{kind}", index + 1)
}

#[cfg(test)]
mod tests {
    use super::super::{sample, sample_memory};

    fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| value)
    }

    /// Or it would be drawn on a dark page as on a white one.
    #[test]
    fn every_color_has_one_for_dark_pages() {
        let css = super::style::css("");
        let mut colors = 0;
        for svg in svgs() {
            for tag in svg.split('<') {
                for what in ["fill", "stroke"] {
                    let Some(color) = attribute(tag, what).filter(|color| *color != "none") else {
                        continue;
                    };
                    assert!(css.contains(&format!("[{what}=\"{color}\"]")), "{tag}");
                    colors += 1;
                }
            }
        }
        assert!(colors > 1_000);
    }

    fn svgs() -> Vec<String> {
        let open = sample::open::render(&sample::open::run());
        let open = open.charts.into_iter().map(|(_, svg)| svg);
        let closed = sample::charts(&sample::run()).into_iter().map(|c| c.svg);
        let memory = sample::charts(&sample_memory::alone());
        let memory = memory.into_iter().map(|c| c.svg);
        closed.chain(open).chain(memory).collect()
    }

    #[test]
    fn no_text_is_smaller_than_12_px_or_leaves_the_picture() {
        assert!(check_texts(&svgs()) > 100);
    }

    /// How many texts there are.
    pub(super) fn check_texts(svgs: &[String]) -> usize {
        let mut texts = 0;
        for svg in svgs {
            let implied = attribute(svg, "font-size").unwrap();
            for tag in svg.split('<').filter(|tag| tag.starts_with("text ")) {
                let size = attribute(tag, "font-size").unwrap_or(implied);
                let size: f64 = size.parse().unwrap();
                assert!(size >= 12.0, "{tag}");
                check_inside(tag);
                texts += 1;
            }
        }
        texts
    }

    fn check_inside(tag: &str) {
        let (head, body) = tag.split_once('>').unwrap();
        let x: i32 = attribute(head, "x").unwrap().parse().unwrap();
        let body = body
            .trim()
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&apos;", "'")
            .replace("&quot;", "\"")
            .replace("&amp;", "&");
        let width = super::canvas::text_width(&body);
        let (left, right) = match attribute(head, "text-anchor").unwrap_or("start") {
            "start" => (x, x + width),
            "middle" => (x - width / 2, x + width / 2),
            _ => (x - width, x),
        };
        assert!(left >= 0 && right <= super::frame::WIDTH, "{left}..{right}: {body}");
    }

    #[test]
    fn stems_are_safe_and_unique() {
        assert_eq!(super::stem(0, "../a b", "x"), "f01-___a_b-x");
        assert_ne!(super::stem(0, "a b", "x"), super::stem(1, "a_b", "x"));
    }
}
