//! A picture: SVG that plotters writes, in groups by strategy, with a name for screen readers.

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};

use super::style;

/// Shown px per px of the picture, where there is room.
const ENLARGED: f64 = 1.25;
/// What plotters writes on every element although the outermost element implies it. Without it a
/// page is half as large. Text contains none of it, since plotters escapes quotation marks.
const IMPLIED: [&str; 7] = [
    " opacity=\"1\"",
    " stroke=\"none\"",
    " stroke-width=\"1\"",
    " text-anchor=\"start\"",
    " fill=\"none\"",
    " font-family=\"sans-serif\"",
    " font-size=\"12\"",
];

/// All of a picture, in px from its upper left corner.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A string takes any drawing.
pub type Drawn =
    Result<(), DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>>;

/// A picture in the making.
pub struct Picture {
    size: (u32, u32),
    body: String,
}

impl Picture {
    pub fn new((width, height): (i32, i32)) -> Picture {
        let mut picture =
            Picture { size: (width.unsigned_abs(), height.unsigned_abs()), body: String::new() };
        picture.draw("", |area| area.fill(&style::PAPER));
        picture
    }

    /// Adds what is drawn; with a key, as a group by which a page highlights a strategy. The key
    /// is [`style::key`]'s.
    pub fn draw(&mut self, key: &str, paint: impl FnOnce(&Area<'_>) -> Drawn) {
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, self.size).into_drawing_area();
        paint(&area).expect("a string takes any drawing");
        drop(area);
        // Without the outermost element.
        let elements = svg.split_once(">\n").map_or("", |(_, inside)| inside);
        let elements = elements.trim_end_matches("</svg>\n");
        match key {
            "" => self.body.push_str(elements),
            _ => {
                let group = format!("<g data-s=\"{}\">\n{elements}</g>\n", escaped(key));
                self.body.push_str(&group);
            }
        }
    }

    /// The SVG. `id` begins the ids of title and description, and is unique in a page.
    pub fn finish(self, id: &str, title: &str, description: &str) -> String {
        let (width, height) = self.size;
        let [shown_width, shown_height] = [width, height].map(|px| f64::from(px) * ENLARGED);
        let (title, description) = (escaped(title), escaped(description));
        let body = IMPLIED.iter().fold(self.body, |body, implied| body.replace(implied, ""));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{shown_width}\" \
             height=\"{shown_height}\" viewBox=\"0 0 {width} {height}\" fill=\"none\" \
             font-family=\"sans-serif\" font-size=\"12\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-desc\">\n<title id=\"{id}-title\">{title}</title>\n\
             <desc id=\"{id}-desc\">{description}</desc>\n{body}</svg>\n"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use plotters::element::{PathElement, Text};
    use plotters::style::text_anchor::HPos;

    use super::super::text::font;
    use super::*;

    #[test]
    fn title_and_description_come_first_and_are_escaped() {
        let svg = Picture::new((10, 10)).finish("x", "a < b", "\"&\"");
        assert!(svg.starts_with("<svg "));
        let first =
            "role=\"img\" aria-labelledby=\"x-title x-desc\">\n<title id=\"x-title\">a &lt; b";
        assert!(svg.contains(first), "{svg}");
        assert!(svg.contains("&quot;&amp;&quot;</desc>"));
        assert!(svg.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn elements_omit_defaults_and_escape_text() {
        let mut picture = Picture::new((10, 10));
        picture.draw("a\"b", |area| {
            area.draw(&PathElement::new(vec![(1, 2), (3, 4)], style::INK))?;
            area.draw(&Text::new(" opacity=\"1\" <", (5, 6), font(style::MUTED, HPos::Left)))
        });
        let svg = picture.finish("x", "", "");
        let (_, body) = svg.split_once("</desc>\n").unwrap();
        let expected = "<rect x=\"0\" y=\"0\" width=\"10\" height=\"10\" fill=\"#FFFFFF\"/>\n\
             <g data-s=\"a&quot;b\">\n\
             <polyline stroke=\"#000000\" points=\"1,2 3,4 \"/>\n\
             <text x=\"5\" y=\"6\" dy=\"0.5ex\" fill=\"#595959\">\n opacity=&quot;1&quot; &lt;\n\
             </text>\n</g>\n</svg>\n";
        assert_eq!(body, expected);
    }
}
