//! The drawing surface of the charts: plotters' SVG backend, addressed in pixels.
//!
//! No fonts are read anywhere, so how wide a text becomes is estimated here, on the wide side, and
//! every margin is made from that estimate.
//!
//! plotters writes neither `<title>` and `<desc>`, without which a chart is silent to those who
//! cannot see it, nor groups, without which a page cannot tell whose mark is whose; and it spells
//! out on every element what holds anyway, which is half of its output. So each element is drawn
//! by itself, and what it says beyond the defaults is put together here.

use std::cell::RefCell;

use plotters::backend::SVGBackend;
use plotters::drawing::IntoDrawingArea;
use plotters::element::{Circle, Drawable, PathElement, PointCollection, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBColor, TextStyle};

use super::style::{self, Marker};

/// Of all text but titles, in px.
pub(super) const TEXT_PX: f64 = 12.0;
/// Of a chart's title, in px.
pub(super) const TITLE_PX: f64 = 15.0;
/// Radius of a marker, in px.
pub(super) const MARKER_PX: i32 = 5;

/// plotters' sizes are boxes around the text; its SVG backend divides by this again.
const BOX_PER_EM: f64 = 1.24;

/// Where a text lies relative to its point; vertically it is always centred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// Begins at the point.
    Start,
    /// Is centred on it.
    Middle,
}

/// Whether a mark is filled with its colour or with paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    /// Solid.
    Filled,
    /// An outline.
    Hollow,
}

pub(super) struct Canvas<'a> {
    size: (u32, u32),
    body: &'a RefCell<String>,
}

/// An SVG of this size in px, with its name and description for screen readers. `id` begins the
/// ids of both and must be unique in a page.
pub(super) fn draw(
    (width, height): (i32, i32),
    id: &str,
    title: &str,
    description: &str,
    paint: impl FnOnce(&Canvas<'_>),
) -> String {
    let body = RefCell::new(String::new());
    let canvas = Canvas { size: (width.unsigned_abs(), height.unsigned_abs()), body: &body };
    canvas.rect((0, 0), (width, height), style::PAPER);
    paint(&canvas);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" fill=\"none\" font-family=\"sans-serif\" \
         font-size=\"{TEXT_PX}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n{}</svg>\n",
        escaped(title),
        escaped(description),
        body.take()
    )
}

/// What plotters writes on every element although it is so without, or by the outermost element.
const IMPLIED: [&str; 7] = [
    " opacity=\"1\"",
    " stroke=\"none\"",
    " stroke-width=\"1\"",
    " text-anchor=\"start\"",
    " fill=\"none\"",
    " font-family=\"sans-serif\"",
    " font-size=\"12\"",
];

/// The one element of a picture, without what is implied. Text cannot be mistaken for attributes,
/// since plotters escapes its quotation marks.
fn lean(svg: &str) -> String {
    let inside = svg.split_once(">\n").map_or("", |(_, inside)| inside);
    let mut element = inside
        .trim_end()
        .trim_end_matches("</svg>")
        .replace(">\n", ">")
        .replace("\n</", "</")
        .replace(" \"/>", "\"/>")
        // The size of titles, as plotters' division leaves it.
        .replace("\"15.000000000000002\"", "\"15\"");
    for implied in IMPLIED {
        element = element.replace(implied, "");
    }
    element.push('\n');
    element
}

impl Canvas<'_> {
    fn put<E>(&self, element: &E)
    where
        for<'e> &'e E: PointCollection<'e, (i32, i32)>,
        for<'b> E: Drawable<SVGBackend<'b>>,
    {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, self.size).into_drawing_area();
            area.draw(element).expect("a string takes any text");
            area.present().expect("a string takes any text");
        }
        self.body.borrow_mut().push_str(&lean(&svg));
    }

    /// What is painted meanwhile is about one strategy, so that a page can make it stand out. The
    /// key is [`style::key`]'s.
    pub(super) fn about(&self, key: &str, paint: impl FnOnce()) {
        let group = format!("<g data-s=\"{}\">\n", escaped(key));
        self.body.borrow_mut().push_str(&group);
        paint();
        self.body.borrow_mut().push_str("</g>\n");
    }

    pub(super) fn text(&self, at: (i32, i32), text: &str, align: Align, color: RGBColor) {
        self.styled_text(at, text, align, (color, TEXT_PX, FontStyle::Normal));
    }

    pub(super) fn title(&self, at: (i32, i32), text: &str) {
        let look = (style::INK, TITLE_PX, FontStyle::Bold);
        self.styled_text(at, text, Align::Start, look);
    }

    fn styled_text(
        &self,
        at: (i32, i32),
        text: &str,
        align: Align,
        (color, px, weight): (RGBColor, f64, FontStyle),
    ) {
        let anchor = match align {
            Align::Start => HPos::Left,
            Align::Middle => HPos::Center,
        };
        let look = TextStyle::from(("sans-serif", px * BOX_PER_EM, weight).into_font())
            .color(&color)
            .pos(Pos::new(anchor, VPos::Center));
        self.put(&Text::new(text.to_owned(), at, look));
    }

    pub(super) fn line(&self, from: (i32, i32), to: (i32, i32), color: RGBColor, width_px: u32) {
        self.put(&PathElement::new(vec![from, to], color.stroke_width(width_px)));
    }

    /// A line through all points.
    pub(super) fn path(&self, points: Vec<(i32, i32)>, color: RGBColor, width_px: u32) {
        self.put(&PathElement::new(points, color.stroke_width(width_px)));
    }

    pub(super) fn rect(&self, corner: (i32, i32), opposite: (i32, i32), color: RGBColor) {
        self.put(&Rectangle::new([corner, opposite], color.filled()));
    }

    pub(super) fn frame(&self, corner: (i32, i32), opposite: (i32, i32), color: RGBColor) {
        self.put(&Rectangle::new([corner, opposite], color.stroke_width(1)));
    }

    pub(super) fn marker(&self, at: (i32, i32), marker: Marker, color: RGBColor, fill: Fill) {
        let inside = match fill {
            Fill::Filled => color,
            Fill::Hollow => style::PAPER,
        };
        let corners = marker.corners();
        if corners.is_empty() {
            self.put(&Circle::new(at, MARKER_PX, inside.filled()));
            self.put(&Circle::new(at, MARKER_PX, color.stroke_width(2)));
            return;
        }
        let mut points: Vec<(i32, i32)> = corners
            .into_iter()
            .map(|(x, y)| {
                let radius = f64::from(MARKER_PX);
                (at.0 + (x * radius).round() as i32, at.1 + (y * radius).round() as i32)
            })
            .collect();
        self.put(&Polygon::new(points.clone(), inside.filled()));
        // Two more points round off the corner where the outline closes.
        points.extend([points[0], points[1]]);
        self.put(&PathElement::new(points, color.stroke_width(2)));
    }
}

/// How wide a text of [`TEXT_PX`] is at most, in px, in the usual sans-serif fonts.
pub(super) fn text_width(text: &str) -> i32 {
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

/// The text cut to `width_px` with an ellipsis, or as it is if it fits.
pub(super) fn fitted(text: &str, width_px: i32) -> String {
    if text_width(text) <= width_px {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if text_width(&kept) + text_width("W…") > width_px {
            break;
        }
        kept.push(c);
    }
    format!("{}…", kept.trim_end())
}

/// The text in lines of at most `width_px`.
pub(super) fn wrapped(text: &str, width_px: i32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if text_width(line) + text_width(" ") + text_width(word) <= width_px {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_and_wrapped_to_its_width() {
        assert_eq!(fitted("short", 100), "short");
        let cut = fitted("a text that is much too long for its place", 100);
        assert!(cut.ends_with('…') && text_width(&cut) <= 100, "{cut}");
        for line in wrapped("some words that do not fit into one line", 120) {
            assert!(text_width(&line) <= 120, "{line}");
        }
    }

    #[test]
    fn title_and_description_are_the_first_children_and_escaped() {
        let svg = draw((10, 10), "x", "a < b", "\"&\"", |_| {});
        assert!(svg.starts_with("<svg "));
        let first =
            "role=\"img\" aria-labelledby=\"x-title x-desc\">\n<title id=\"x-title\">a &lt; b";
        assert!(svg.contains(first), "{svg}");
        assert!(svg.contains("&quot;&amp;&quot;</desc>"));
        assert!(svg.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn elements_say_what_is_not_implied_and_text_stays_what_it_is() {
        let svg = draw((10, 10), "x", "", "", |canvas| {
            canvas.about("a\"b", || {
                canvas.line((1, 2), (3, 4), style::INK, 2);
                canvas.text((5, 6), " opacity=\"1\" <", Align::Start, style::MUTED);
            });
        });
        let (_, body) = svg.split_once("</desc>\n").unwrap();
        let expected = "<rect x=\"0\" y=\"0\" width=\"10\" height=\"10\" fill=\"#FFFFFF\"/>\n\
             <g data-s=\"a&quot;b\">\n\
             <polyline stroke=\"#000000\" stroke-width=\"2\" points=\"1,2 3,4\"/>\n\
             <text x=\"5\" y=\"6\" dy=\"0.5ex\" fill=\"#595959\"> opacity=&quot;1&quot; &lt;</text>\n\
             </g>\n</svg>\n";
        assert_eq!(body, expected);
    }
}
