//! Charts as SVG text: one file per chart, one line in [`KINDS`].

use super::summary::{FamilySummary, Summary};
use super::table::Table;

mod anatomy;
mod canvas;
mod frame;
mod latency;
mod scale;
mod style;
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

/// Draws a family under a file stem; `None` if there is nothing to draw.
type Draw = fn(&FamilySummary, &str) -> Option<Chart>;

/// Every chart of a family, in the order of the page.
const KINDS: &[(&str, Draw)] = &[
    ("throughput", throughput::chart),
    ("latency", latency::chart),
    ("anatomy", anatomy::chart),
];

/// The charts of each family, in the order of the summary.
pub(super) fn of_run(summary: &Summary) -> Vec<Vec<Chart>> {
    summary
        .families
        .iter()
        .enumerate()
        .map(|(i, family)| {
            KINDS
                .iter()
                .filter_map(|(kind, draw)| draw(family, &stem(i, &family.id, kind)))
                .collect()
        })
        .collect()
}

/// `01-noop-64B-rust-closed4-latency`: safe as a file name and an id whatever the family is
/// called, and unique through its number.
fn stem(index: usize, family_id: &str, kind: &str) -> String {
    let safe: String = family_id
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .take(80)
        .collect();
    format!("f{:02}-{safe}-{kind}", index + 1)
}

#[cfg(test)]
mod tests {
    use super::super::{sample, summary::summarise};

    fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        rest.split_once('"').map(|(value, _)| value)
    }

    fn svgs() -> Vec<String> {
        let summary = summarise(&sample::run());
        super::of_run(&summary)
            .into_iter()
            .flatten()
            .map(|c| c.svg)
            .collect()
    }

    #[test]
    fn no_text_is_smaller_than_12_px() {
        let mut texts = 0;
        for svg in svgs() {
            for tag in svg.split('<').filter(|tag| tag.starts_with("text ")) {
                let size: f64 = attribute(tag, "font-size").unwrap().parse().unwrap();
                assert!(size >= 12.0, "{tag}");
                texts += 1;
            }
        }
        assert!(texts > 100);
    }

    #[test]
    fn no_text_leaves_the_picture() {
        for svg in svgs() {
            for tag in svg.split('<').filter(|tag| tag.starts_with("text ")) {
                let (head, body) = tag.split_once('>').unwrap();
                let x: i32 = attribute(head, "x").unwrap().parse().unwrap();
                let body = body
                    .trim()
                    .replace("&lt;", "<")
                    .replace("&gt;", ">")
                    .replace("&apos;", "'");
                let width = super::canvas::text_width(&body);
                let (left, right) = match attribute(head, "text-anchor").unwrap() {
                    "start" => (x, x + width),
                    "middle" => (x - width / 2, x + width / 2),
                    _ => (x - width, x),
                };
                assert!(
                    left >= 0 && right <= super::frame::WIDTH,
                    "{left}..{right}: {body}"
                );
            }
        }
    }

    #[test]
    fn stems_are_safe_and_unique() {
        assert_eq!(super::stem(0, "../a b", "x"), "f01-___a_b-x");
        assert_ne!(super::stem(0, "a b", "x"), super::stem(1, "a_b", "x"));
    }
}
