//! Colors and markers. A strategy has a color, a marker and a label, so that none of them is
//! needed alone.

use plotters::style::RGBColor;

use crate::experiment::label::is_placebo;
use crate::record::Role;
use crate::strategy;

const fn rgb(hex: u32) -> RGBColor {
    let [_, r, g, b] = hex.to_be_bytes();
    RGBColor(r, g, b)
}

/// Defines each color with the one that replaces it on a dark page.
macro_rules! colors {
    ($($(#[$doc:meta])* $name:ident $light:literal $dark:literal)*) => {
        $($(#[$doc])* pub const $name: RGBColor = rgb($light);)*

        /// Every color of the charts, and its replacement on a dark page.
        const IN_THE_DARK: &[(RGBColor, RGBColor)] = &[$((rgb($light), rgb($dark))),*];
    };
}

// Text and marks have a contrast of 3:1 or more on their ground, text of small weight 4.5:1.
colors! {
    /// The ground.
    PAPER 0xFFFFFF 0x1C1F24
    INK 0x000000 0xE8E8E8
    /// Text of less weight.
    MUTED 0x595959 0xB8BCC1
    /// Marks that may not be compared.
    GREY 0x767676 0x9A9FA5
    /// Lines behind the marks.
    GRID 0xE1E1E1 0x353A40
    /// Lines for comparison.
    LEADER 0x969696 0x80868D
    /// Ground of differences too small to matter, of disturbed trials and of empty fields.
    BAND 0xECECEC 0x2E333A
    /// Axes and the outlines of pale fields.
    OUTLINE 0x444444 0xA9AEB4
    /// Signals of the machine.
    SIGNAL 0x447799 0x6FA8CF
    // Of strategies.
    BLUE 0x0072B2 0x56B4E9
    VERMILION 0xD55E00 0xFF8A3D
    GREEN 0x009E73 0x2FCB9C
    WINE 0x882255 0xE58BB5
    INDIGO 0x332288 0xA79BF0
    OLIVE 0x999933 0xC9C95A
    // Pale fields with text on them.
    SILVER 0xDDDDDD 0x4A4F55
    SAND 0xEEDD88 0x6B5E14
    CORAL 0xEE8866 0x8A3F24
    ROSE 0xFFAABB 0x8A3A52
    SKY 0x99DDFF 0x1F5F80
    LIME 0xBBCC33 0x55620F
    MINT 0x44BB99 0x1B624E
    // Ratios below and above 1, from near to far.
    FASTER_1 0xE3EEF8 0x1F2F3D
    FASTER_2 0xC3DDF0 0x1F4058
    FASTER_3 0x97C6E6 0x1D5379
    FASTER_4 0x6AAED8 0x1B6698
    SLOWER_1 0xFDEEDC 0x3A2D1F
    SLOWER_2 0xFDD7AE 0x54391C
    SLOWER_3 0xFDB474 0x774814
    SLOWER_4 0xF59145 0x95550B
}

/// Fields of a ratio below 1, from near to far.
pub const FASTER: [RGBColor; 4] = [FASTER_1, FASTER_2, FASTER_3, FASTER_4];
/// Fields of a ratio above 1, from near to far.
pub const SLOWER: [RGBColor; 4] = [SLOWER_1, SLOWER_2, SLOWER_3, SLOWER_4];
/// Fields of the phases of a request, in their order.
pub const PHASES: [RGBColor; 7] = [SILVER, SAND, CORAL, ROSE, SKY, LIME, MINT];

/// The shape that stands for a strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
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
    /// Corners around (0, 0), about 1 from it.
    pub fn corners(self) -> Vec<(f64, f64)> {
        // Corners in degrees and radius, repeated around the circle.
        let (times, corners): (u32, &[(f64, f64)]) = match self {
            Marker::Circle => (12, &[(0.0, 1.0)]),
            Marker::Diamond => (4, &[(-90.0, 1.15)]),
            Marker::Square => (4, &[(-45.0, 1.2)]),
            Marker::Up => (3, &[(-90.0, 1.25)]),
            Marker::Down => (3, &[(90.0, 1.25)]),
            Marker::Left => (3, &[(180.0, 1.25)]),
            Marker::Right => (3, &[(0.0, 1.25)]),
            Marker::Hexagon => (6, &[(0.0, 1.1)]),
            Marker::Star => (5, &[(-90.0, 1.4), (-54.0, 0.6)]),
            Marker::Plus => (4, &[(-20.0, 1.22), (20.0, 1.22), (45.0, 0.6)]),
            Marker::Cross => (4, &[(25.0, 1.22), (65.0, 1.22), (90.0, 0.6)]),
        };
        let turned = (0..times).flat_map(|i| corners.iter().map(move |corner| (i, *corner)));
        turned
            .map(|(i, (degrees, radius))| {
                let turn = 360.0 * f64::from(i) / f64::from(times);
                let (sin, cos) = (degrees + turn).to_radians().sin_cos();
                (cos * radius, sin * radius)
            })
            .collect()
    }
}

/// Color and marker of an arm. Seven colors are as many as an eye tells apart, so that similar
/// strategies share one and differ in the marker; the placebo is black as the reference.
pub fn of_arm(strategy: &str, role: Role) -> (RGBColor, Marker) {
    if role == Role::Placebo {
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

const PLACEBO: &str = "placebo";

/// By which a page highlights an arm's rows and marks: its strategy, or `placebo`.
pub fn key(strategy: &str, role: Role) -> &str {
    if role == Role::Placebo { PLACEBO } else { strategy }
}

/// The [`key`] of an arm by its label; `None` for other text.
pub fn key_of_label(label: &str) -> Option<&str> {
    let first = label.split(' ').next()?;
    let is_one = strategy::ALL.iter().any(|kind| kind.name == first);
    is_one.then(|| if is_placebo(label) { PLACEBO } else { first })
}

/// Rules of CSS that show the charts below a selector in the colors of the page's scheme. A
/// browser without `light-dark` shows them on their white ground, as the files below `charts/`.
pub fn css(below: &str) -> String {
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
    use crate::record::Role;

    #[test]
    fn strategies_have_markers_of_their_own() {
        let mut looks = BTreeSet::new();
        for kind in strategy::ALL {
            let (color, marker) = of_arm(kind.name, Role::Arm);
            assert_ne!(color, MUTED, "{} has no look", kind.name);
            assert!(looks.insert(format!("{marker:?}")), "{}", kind.name);
        }
        assert!(looks.insert(format!("{:?}", of_arm("blocking", Role::Placebo).1)));
    }

    #[test]
    fn strategies_have_at_most_seven_colors() {
        let colors = strategy::ALL.iter().map(|kind| hex(of_arm(kind.name, Role::Arm).0));
        let colors: BTreeSet<String> = colors.collect();
        assert!(colors.len() <= 7, "{colors:?}");
    }

    #[test]
    fn key_is_the_first_word_of_a_label() {
        assert_eq!(key("pool", Role::Arm), "pool");
        assert_eq!(key("blocking", Role::Placebo), "placebo");
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
        known.expect("every color has its dark one").1
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
    fn text_and_marks_contrast_with_their_ground_on_light_and_dark_pages() {
        let fields = FASTER.into_iter().chain(SLOWER).chain(PHASES);
        for ground in fields.chain([PAPER, BAND]) {
            check(INK, ground, 4.5);
        }
        for ground in [PAPER, BAND] {
            check(MUTED, ground, 4.5);
            check(SIGNAL, ground, 3.0);
        }
        let marks = strategy::ALL.iter().map(|kind| of_arm(kind.name, Role::Arm).0);
        for mark in marks.chain([GREY, OUTLINE]) {
            check(mark, PAPER, 3.0);
        }
    }

    #[test]
    fn every_color_is_replaced_once() {
        let lights: BTreeSet<String> = IN_THE_DARK.iter().map(|(light, _)| hex(*light)).collect();
        assert_eq!(lights.len(), IN_THE_DARK.len());
        let css = css(".card");
        let rule = ".card [stroke=\"#0072B2\"]{stroke:light-dark(#0072B2,#56B4E9)}";
        assert!(css.contains(rule), "{css}");
    }
}
