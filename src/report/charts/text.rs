//! Text in px. No fonts are read: widths are estimated, on the wide side, and all margins follow
//! from that estimate.

use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBColor, TextStyle};

/// Of all text but titles, in px.
pub const TEXT_PX: f64 = 12.0;
/// Of a chart's title, in px.
pub const TITLE_PX: f64 = 15.0;
/// plotters' sizes are boxes around the text; its SVG backend divides by this again.
const BOX_PER_EM: f64 = 1.24;

/// Text of a color whose point is its left end, middle or right end.
pub fn font(color: RGBColor, anchor: HPos) -> TextStyle<'static> {
    let mut style = TextStyle::from(("sans-serif", TEXT_PX * BOX_PER_EM).into_font());
    style.color = color.to_backend_color();
    style.pos = Pos::new(anchor, VPos::Center);
    style
}

/// The text of titles.
pub fn title_font(color: RGBColor) -> TextStyle<'static> {
    let font = ("sans-serif", TITLE_PX * BOX_PER_EM, FontStyle::Bold).into_font();
    TextStyle { font, ..self::font(color, HPos::Left) }
}

/// How wide a text of [`TEXT_PX`] is at most, in px, in the usual sans-serif fonts.
pub fn width(text: &str) -> i32 {
    let ems: f64 = text.chars().map(em_width).sum();
    (ems * TEXT_PX).ceil() as i32
}

/// DejaVu Sans, the widest of the fonts that `sans-serif` usually stands for.
fn em_width(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' => 0.28,
        ' ' | '.' | ',' | ':' | ';' | '|' | '/' | '·' | '-' | '(' | ')' | '[' | ']' | 'f' | 't'
        | 'r' | 'I' => 0.41,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '→' | '←' | '×' | '÷' => 0.99,
        'A'..='Z' => 0.77,
        _ => 0.64,
    }
}

/// The text cut to `width_px` with an ellipsis, or whole if it fits.
pub fn fitted(text: &str, width_px: i32) -> String {
    if width(text) <= width_px {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if width(&kept) + width("W…") > width_px {
            break;
        }
        kept.push(c);
    }
    format!("{}…", kept.trim_end())
}

/// The text in lines of at most `width_px`; a longer word is cut.
pub fn wrapped(text: &str, width_px: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace().map(|word| fitted(word, width_px)) {
        match lines.last_mut() {
            Some(line) if width(line) + width(" ") + width(&word) <= width_px => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_and_wrapped_to_its_width() {
        assert_eq!(fitted("short", 100), "short");
        let cut = fitted("a text that is much too long for its place", 100);
        assert!(cut.ends_with('…') && width(&cut) <= 100, "{cut}");
        for line in wrapped("some words and_one_very_long_word_that_fits_nowhere, wrapped", 120) {
            assert!(width(&line) <= 120, "{line}");
        }
        assert!(wrapped("", 120).is_empty());
    }
}
