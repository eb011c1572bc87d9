//! What holds for every chart.

mod sweeps;

use super::{figure, stem, style, text};
use crate::report::{sample, sample_memory};

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// Else it would be drawn on a dark page as on a white one.
#[test]
fn every_color_has_one_for_dark_pages() {
    let css = style::css("");
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
fn text_is_at_least_12_px_and_inside_the_picture() {
    assert!(check_texts(&svgs()) > 100);
}

/// How many texts there are.
fn check_texts(svgs: &[String]) -> usize {
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
    let width = text::width(&body);
    let (left, right) = match attribute(head, "text-anchor").unwrap_or("start") {
        "start" => (x, x + width),
        "middle" => (x - width / 2, x + width / 2),
        _ => (x - width, x),
    };
    assert!(left >= 0 && right <= figure::WIDTH, "{left}..{right}: {body}");
}

#[test]
fn stems_are_safe_and_unique() {
    assert_eq!(stem(0, "../a b", "x"), "f01-___a_b-x");
    assert_ne!(stem(0, "a b", "x"), stem(1, "a_b", "x"));
}

/// A chart shows every strategy that it is about, the placebo among them, and highlights each.
#[test]
fn every_chart_of_a_family_shows_the_placebo() {
    for family in sample::charts(&sample::run()).families {
        for chart in family {
            assert!(chart.svg.contains("<g data-s=\"placebo\">"), "{}", chart.file);
            let rows = chart.numbers.rows.iter().map(|row| row[0].to_string());
            let heads = chart.numbers.head.iter().map(|head| head.text.clone());
            let mut names = rows.chain(heads);
            assert!(names.any(|name| name.starts_with("blocking (placebo)")), "{}", chart.file);
        }
    }
}
