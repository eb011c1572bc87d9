//! How a strategy looks in every chart: colour, marker and label together, so that none of them
//! is needed alone.

use plotters::style::RGBColor;

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
const PINK: RGBColor = RGBColor(0xCC, 0x79, 0xA7);
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
        .map(|i| {
            on_ring(
                first_degrees + 360.0 * f64::from(i) / f64::from(corners),
                radius,
            )
        })
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

/// Colour and marker of an arm. Kindred strategies share a colour (the fork server's two, the
/// programs' two) and differ in the marker; the placebo is black as the reference it repeats.
pub(super) fn of_arm(strategy: &str, role: &str) -> (RGBColor, Marker) {
    if role == "placebo" {
        return (INK, Marker::Diamond);
    }
    match strategy {
        "blocking" => (INK, Marker::Circle),
        "thread" => (BLUE, Marker::Square),
        "thread-pool" => (INDIGO, Marker::Up),
        "spawn" => (VERMILION, Marker::Down),
        "exec" => (PINK, Marker::Plus),
        "exec-file" => (WINE, Marker::Cross),
        "fork-ipc" => (OLIVE, Marker::Hexagon),
        "fork" => (GREEN, Marker::Right),
        "pool" => (VERMILION, Marker::Left),
        "prefork-pool" => (GREEN, Marker::Star),
        _ => (MUTED, Marker::Square),
    }
}

/// Fill of a phase: pale, with black text on it, and unlike any strategy's colour.
pub(super) fn of_phase(phase: &str) -> RGBColor {
    match phase {
        "transport" => RGBColor(0xDD, 0xDD, 0xDD),
        "queue" => RGBColor(0xEE, 0xDD, 0x88),
        "creation" => RGBColor(0xEE, 0x88, 0x66),
        "load" => RGBColor(0xFF, 0xAA, 0xBB),
        "work" => RGBColor(0x99, 0xDD, 0xFF),
        _ => RGBColor(0xBB, 0xCC, 0x33),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_strategy_looks_unlike_every_other() {
        let mut looks = BTreeSet::new();
        for kind in crate::strategy::ALL {
            let (RGBColor(r, g, b), marker) = of_arm(kind.name, "arm");
            assert_ne!(
                (r, g, b),
                (MUTED.0, MUTED.1, MUTED.2),
                "{} has no look",
                kind.name
            );
            assert!(looks.insert(format!("{marker:?}")), "{}", kind.name);
        }
        assert!(looks.insert(format!("{:?}", of_arm("blocking", "placebo").1)));
    }
}
