//! How a strategy looks in every chart: colour, marker and label together, so that none of them
//! is needed alone.

use plotters::style::RGBColor;

use crate::experiment::label::is_placebo;
use crate::strategy;

/// Colours with a contrast of 3:1 or more on white.
pub(super) const INK: RGBColor = RGBColor(0, 0, 0);
/// Text of less weight; 7:1 on white.
pub(super) const MUTED: RGBColor = RGBColor(89, 89, 89);
/// Marks and words of what failed.
pub(super) const GREY: RGBColor = RGBColor(118, 118, 118);
/// Lines behind the marks.
pub(super) const GRID: RGBColor = RGBColor(225, 225, 225);
/// Lines that lead from a mark to its name, or stand behind another.
pub(super) const LEADER: RGBColor = RGBColor(150, 150, 150);
/// Where differences are too small to name, and fields without a number.
pub(super) const BAND: RGBColor = RGBColor(236, 236, 236);
/// Fields of a ratio below 1, from near to far; black text on all of them is 7:1 or more.
pub(super) const FASTER: [RGBColor; 4] = [
    RGBColor(0xE3, 0xEE, 0xF8),
    RGBColor(0xC3, 0xDD, 0xF0),
    RGBColor(0x97, 0xC6, 0xE6),
    RGBColor(0x6A, 0xAE, 0xD8),
];
/// Fields of a ratio above 1, from near to far.
pub(super) const SLOWER: [RGBColor; 4] = [
    RGBColor(0xFD, 0xEE, 0xDC),
    RGBColor(0xFD, 0xD7, 0xAE),
    RGBColor(0xFD, 0xB4, 0x74),
    RGBColor(0xF5, 0x91, 0x45),
];
/// Bars of a signal, on paper and on [`BAND`]; 3:1 on both.
pub(super) const LANE: RGBColor = RGBColor(0x44, 0x77, 0x99);
/// Outlines of bars whose fill is pale.
pub(super) const OUTLINE: RGBColor = RGBColor(68, 68, 68);
/// The ground, also on a dark page.
pub(super) const PAPER: RGBColor = RGBColor(255, 255, 255);

const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
const VERMILION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
const GREEN: RGBColor = RGBColor(0x00, 0x9E, 0x73);
const WINE: RGBColor = RGBColor(0x88, 0x22, 0x55);
const INDIGO: RGBColor = RGBColor(0x33, 0x22, 0x88);
const OLIVE: RGBColor = RGBColor(0x99, 0x99, 0x33);

/// The shape that stands for a strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Diamond,
    Square,
    Up,
    Down,
    Left,
    Right,
    Plus,
    Hexagon,
    Star,
    Cross,
}

impl Marker {
    /// Corners around (0, 0) in a circle of radius 1; empty for the circle itself.
    pub(super) fn corners(self) -> Vec<(f64, f64)> {
        match self {
            Marker::Circle => Vec::new(),
            Marker::Diamond => ring(4, -90.0, 1.15),
            Marker::Square => ring(4, -45.0, 1.2),
            Marker::Up => ring(3, -90.0, 1.25),
            Marker::Down => ring(3, 90.0, 1.25),
            Marker::Left => ring(3, 180.0, 1.25),
            Marker::Right => ring(3, 0.0, 1.25),
            Marker::Hexagon => ring(6, 0.0, 1.1),
            Marker::Star => (0..10)
                .map(|i| {
                    let radius = if i % 2 == 0 { 1.4 } else { 0.6 };
                    on_ring(f64::from(i) * 36.0 - 90.0, radius)
                })
                .collect(),
            Marker::Plus => plus(0.0),
            Marker::Cross => plus(45.0),
        }
    }
}

fn on_ring(degrees: f64, radius: f64) -> (f64, f64) {
    let (sin, cos) = degrees.to_radians().sin_cos();
    (cos * radius, sin * radius)
}

fn ring(corners: u32, first_degrees: f64, radius: f64) -> Vec<(f64, f64)> {
    (0..corners)
        .map(|i| on_ring(first_degrees + 360.0 * f64::from(i) / f64::from(corners), radius))
        .collect()
}

fn plus(turn_degrees: f64) -> Vec<(f64, f64)> {
    let (thin, far) = (0.42, 1.15);
    let (sin, cos) = f64::to_radians(turn_degrees).sin_cos();
    [
        (-thin, -far),
        (thin, -far),
        (thin, -thin),
        (far, -thin),
        (far, thin),
        (thin, thin),
        (thin, far),
        (-thin, far),
        (-thin, thin),
        (-far, thin),
        (-far, -thin),
        (-thin, -thin),
    ]
    .into_iter()
    .map(|(x, y)| (x * cos - y * sin, x * sin + y * cos))
    .collect()
}

/// Colour and marker of an arm: seven colours, black among them, since an eye keeps apart no more
/// of them at once, and as many markers as there are arms. Kindred strategies share a colour (the fork server's two, the
/// programs' two, the two that buffer a program's output) and differ in the marker; the placebo is
/// black as the reference it repeats.
pub(super) fn of_arm(strategy: &str, role: &str) -> (RGBColor, Marker) {
    if role == PLACEBO {
        return (INK, Marker::Diamond);
    }
    match strategy {
        "blocking" => (INK, Marker::Circle),
        "thread" => (BLUE, Marker::Square),
        "thread-pool" => (INDIGO, Marker::Up),
        "spawn" => (VERMILION, Marker::Down),
        "exec" => (WINE, Marker::Plus),
        "exec-file" => (WINE, Marker::Cross),
        "fork-ipc" => (OLIVE, Marker::Hexagon),
        "fork" => (GREEN, Marker::Right),
        "pool" => (VERMILION, Marker::Left),
        "prefork-pool" => (GREEN, Marker::Star),
        _ => (MUTED, Marker::Square),
    }
}

/// What a page calls an arm's strategy, to make its rows and marks stand out: its name, or
/// `placebo`.
pub(in crate::report) fn key<'a>(strategy: &'a str, role: &str) -> &'a str {
    if role == PLACEBO { PLACEBO } else { strategy }
}

const PLACEBO: &str = "placebo";

/// The [`key`] of an arm of which only the label is known, from which it follows; `None` where the
/// text is no arm's label.
pub(in crate::report) fn key_of_label(label: &str) -> Option<&str> {
    let first = label.split(' ').next()?;
    let is_one = strategy::ALL.iter().any(|kind| kind.name == first);
    is_one.then(|| if is_placebo(label) { PLACEBO } else { first })
}

/// Pale fills, with black text on them, and unlike any strategy's colour.
pub(super) const SILVER: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);
pub(super) const SAND: RGBColor = RGBColor(0xEE, 0xDD, 0x88);
pub(super) const CORAL: RGBColor = RGBColor(0xEE, 0x88, 0x66);
pub(super) const ROSE: RGBColor = RGBColor(0xFF, 0xAA, 0xBB);
pub(super) const SKY: RGBColor = RGBColor(0x99, 0xDD, 0xFF);
pub(super) const LIME: RGBColor = RGBColor(0xBB, 0xCC, 0x33);
pub(super) const MINT: RGBColor = RGBColor(0x44, 0xBB, 0x99);

/// Fill of a phase.
pub(super) fn of_phase(phase: &str) -> RGBColor {
    match phase {
        "transport" => SILVER,
        "queue" => SAND,
        "creation" => CORAL,
        "load" => ROSE,
        "work" => SKY,
        "return" => LIME,
        _ => MINT,
    }
}

/// Every colour of the charts with the one that stands in its place on a dark page. The files
/// below `charts/` have a white ground wherever they are shown.
const IN_THE_DARK: [(RGBColor, RGBColor); 30] = [
    (PAPER, RGBColor(0x1C, 0x1F, 0x24)),
    (INK, RGBColor(0xE8, 0xE8, 0xE8)),
    (MUTED, RGBColor(0xB8, 0xBC, 0xC1)),
    (GREY, RGBColor(0x9A, 0x9F, 0xA5)),
    (GRID, RGBColor(0x35, 0x3A, 0x40)),
    (LEADER, RGBColor(0x80, 0x86, 0x8D)),
    (BAND, RGBColor(0x2E, 0x33, 0x3A)),
    (OUTLINE, RGBColor(0xA9, 0xAE, 0xB4)),
    (LANE, RGBColor(0x6F, 0xA8, 0xCF)),
    (FASTER[0], RGBColor(0x1F, 0x2F, 0x3D)),
    (FASTER[1], RGBColor(0x1F, 0x40, 0x58)),
    (FASTER[2], RGBColor(0x1D, 0x53, 0x79)),
    (FASTER[3], RGBColor(0x1B, 0x66, 0x98)),
    (SLOWER[0], RGBColor(0x3A, 0x2D, 0x1F)),
    (SLOWER[1], RGBColor(0x54, 0x39, 0x1C)),
    (SLOWER[2], RGBColor(0x77, 0x48, 0x14)),
    (SLOWER[3], RGBColor(0x95, 0x55, 0x0B)),
    (BLUE, RGBColor(0x56, 0xB4, 0xE9)),
    (VERMILION, RGBColor(0xFF, 0x8A, 0x3D)),
    (GREEN, RGBColor(0x2F, 0xCB, 0x9C)),
    (WINE, RGBColor(0xE5, 0x8B, 0xB5)),
    (INDIGO, RGBColor(0xA7, 0x9B, 0xF0)),
    (OLIVE, RGBColor(0xC9, 0xC9, 0x5A)),
    (SILVER, RGBColor(0x4A, 0x4F, 0x55)),
    (SAND, RGBColor(0x6B, 0x5E, 0x14)),
    (CORAL, RGBColor(0x8A, 0x3F, 0x24)),
    (ROSE, RGBColor(0x8A, 0x3A, 0x52)),
    (SKY, RGBColor(0x1F, 0x5F, 0x80)),
    (LIME, RGBColor(0x55, 0x62, 0x0F)),
    (MINT, RGBColor(0x1B, 0x62, 0x4E)),
];

/// Rules of CSS that show the charts below a selector in the colours of the page's scheme. A
/// browser that does not know `light-dark` leaves them as they are, on their white ground.
pub(in crate::report) fn css(below: &str) -> String {
    let rules = IN_THE_DARK.iter().flat_map(|(light, dark)| {
        ["fill", "stroke"].map(|what| {
            let (light, dark) = (hex(*light), hex(*dark));
            format!("{below} [{what}=\"{light}\"]{{{what}:light-dark({light},{dark})}}\n")
        })
    });
    let rules: String = rules.collect();
    format!("@supports (color:light-dark(#000,#fff)){{\n{rules}}}\n")
}

/// As plotters writes it.
fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_strategy_looks_unlike_every_other() {
        let mut looks = BTreeSet::new();
        for kind in strategy::ALL {
            let (color, marker) = of_arm(kind.name, "arm");
            assert_ne!(color, MUTED, "{} has no look", kind.name);
            assert!(looks.insert(format!("{marker:?}")), "{}", kind.name);
        }
        assert!(looks.insert(format!("{:?}", of_arm("blocking", PLACEBO).1)));
    }

    #[test]
    fn strategies_have_at_most_seven_colors() {
        let colors = strategy::ALL.iter().map(|kind| hex(of_arm(kind.name, "arm").0));
        let colors: BTreeSet<String> = colors.collect();
        assert!(colors.len() <= 7, "{colors:?}");
    }

    #[test]
    fn a_label_begins_with_the_key_of_its_strategy() {
        assert_eq!(key("pool", "arm"), "pool");
        assert_eq!(key("blocking", PLACEBO), "placebo");
        for (label, key) in [
            ("pool workers=1 [2]", Some("pool")),
            ("spawn × 10", Some("spawn")),
            ("blocking (placebo)", Some("placebo")),
            ("response p50", None),
            ("", None),
        ] {
            assert_eq!(key_of_label(label), key, "{label}");
        }
    }

    /// By the definition of WCAG 2.
    fn contrast(a: RGBColor, b: RGBColor) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = |RGBColor(r, g, b): RGBColor| {
            0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
        };
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    fn dark(color: RGBColor) -> RGBColor {
        let known = IN_THE_DARK.iter().find(|(light, _)| *light == color);
        known.expect("every colour has its dark one").1
    }

    #[track_caller]
    fn check(ink: RGBColor, ground: RGBColor, least: f64) {
        for (ink, ground) in [(ink, ground), (dark(ink), dark(ground))] {
            let is = contrast(ink, ground);
            let names = (hex(ink), hex(ground));
            assert!(is >= least, "{} on {}: {is:.2}", names.0, names.1);
        }
    }

    #[test]
    fn text_and_marks_are_told_from_their_ground_on_light_and_on_dark_pages() {
        let phases = [SILVER, SAND, CORAL, ROSE, SKY, LIME, MINT];
        let fields = FASTER.into_iter().chain(SLOWER).chain(phases);
        for ground in fields.chain([PAPER, BAND]) {
            check(INK, ground, 4.5);
        }
        for ground in [PAPER, BAND] {
            check(MUTED, ground, 4.5);
            check(LANE, ground, 3.0);
        }
        let marks = strategy::ALL.iter().map(|kind| of_arm(kind.name, "arm").0);
        for mark in marks.chain([GREY, OUTLINE]) {
            check(mark, PAPER, 3.0);
        }
    }

    #[test]
    fn every_color_is_exchanged_once() {
        let lights: BTreeSet<String> = IN_THE_DARK.iter().map(|(light, _)| hex(*light)).collect();
        assert_eq!(lights.len(), IN_THE_DARK.len());
        let css = css(".card");
        let rule = ".card [stroke=\"#0072B2\"]{stroke:light-dark(#0072B2,#56B4E9)}";
        assert!(css.contains(rule), "{css}");
    }
}
