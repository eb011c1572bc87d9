//! What every chart consists of: title, subtitle and legend, and below them panels of marks in
//! plotters' coordinate systems.

use crate::record::Role;
use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, LabelAreaPosition};
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::DrawingArea;
use plotters::element::{EmptyElement, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor};

use super::Chart;
use super::axis::Axis;
use super::picture::{Area, Drawn, Picture};
use super::style::{self, Marker};
use super::text::{self, fitted, font, wrapped};
use crate::analysis::summary::{ArmSummary, State};
use crate::report::format;
use crate::report::table::Table;

/// Of every picture, in px: a phone shows it whole, with text that can be read.
pub const WIDTH: i32 = 480;
/// Around everything, in px.
const PAD: i32 = 12;
/// Of a line of text, in px.
const LINE: i32 = 16;
/// Of a line of a title, in px.
const TITLE_LINE: i32 = 20;
/// Of a sample in the legend with the gap to its text, in px.
const SAMPLE: i32 = 20;
/// Above a plot its head, below it its ticks, and below these the name of the axis, in px.
const HEAD: i32 = 28;
const TICKS: i32 = 22;
const NAME: i32 = 18;
/// Between a plot and its labels, in px.
const GAP: i32 = 10;
/// Radius of a marker, in px.
const MARKER: f64 = 5.0;

/// A point of a plot.
pub type Point = (f64, f64);

/// The words of a chart.
#[derive(Debug, Clone, Default)]
pub struct Figure {
    /// Name of the file without its extension.
    pub stem: String,
    /// The data, such as the title of a family.
    pub about: String,
    /// Sample size and meaning of the marks.
    pub note: String,
    /// Also the title of the picture.
    pub question: String,
    pub answer: String,
    pub legend: Vec<Entry>,
    /// Lines below the panels.
    pub below: Vec<String>,
}

/// An entry of the legend.
#[derive(Debug, Clone)]
pub struct Entry {
    pub sample: Sample,
    pub text: String,
    /// By which it is highlighted; may be empty.
    pub key: String,
}

/// What an entry of the legend explains.
#[derive(Debug, Clone, Copy)]
pub enum Sample {
    Mark(RGBColor, Marker, Fill),
    Field(RGBColor),
    Line(RGBColor),
}

/// How a marker is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fill {
    /// With its color.
    #[default]
    Filled,
    /// With paper.
    Hollow,
    /// There is no marker.
    Unmarked,
}

/// How a series looks and what it is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    pub label: String,
    /// [`style::key`] of its strategy; may be empty.
    pub key: String,
    pub color: RGBColor,
    pub marker: Marker,
    /// May be compared; else hollow and grey.
    pub is_sound: bool,
}

/// A plot with its axes; several stand below each other.
pub struct Panel {
    /// Above the plot; may be empty.
    pub head: String,
    /// Below the plot; may be empty.
    pub name: String,
    pub x: Axis,
    pub y: Axis,
    /// Of the plot, in px.
    pub height: i32,
    /// Fields with a grey ground.
    pub ground: Vec<[Point; 2]>,
    /// In the order in which they are drawn.
    pub items: Vec<Item>,
}

/// Something drawn on a plot.
pub struct Item {
    /// By which it is highlighted; may be empty.
    pub key: String,
    pub color: RGBColor,
    pub shape: Shape,
}

pub enum Shape {
    Mark(Point, Marker, Fill),
    /// Width in px.
    Line(Vec<Point>, u32),
    /// The caps of an interval's line.
    Caps([Point; 2]),
    /// A filled field with an outline, and a text if that fits.
    Field([Point; 2], String),
    /// Text right of the plot, at a height.
    Value(f64, String),
}

type Plane<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<Axis, Axis>>;

impl Figure {
    /// The panels below each other, under a heading.
    pub fn chart(self, panels: Vec<Panel>, numbers: Table) -> Chart {
        let title_width = f64::from(WIDTH - 2 * PAD) * text::TEXT_PX / text::TITLE_PX / 1.12;
        let title = wrapped(&self.question, title_width as i32);
        let mut subtitle = wrapped(&self.about, WIDTH - 2 * PAD);
        subtitle.extend(wrapped(&self.note, WIDTH - 2 * PAD));
        let legend = self.placed_legend();
        let below: Vec<String> =
            self.below.iter().flat_map(|line| wrapped(line, WIDTH - 2 * PAD)).collect();
        let legend_top = PAD + TITLE_LINE * title.len() as i32 + LINE * subtitle.len() as i32;
        let top = legend_top + legend.last().map_or(0, |(_, (_, y))| y + LINE) + 4;
        let bottom = top + panels.iter().map(Panel::height).sum::<i32>();
        let height = bottom + LINE * below.len() as i32 + PAD;
        let mut picture = Picture::new((WIDTH, height));
        picture.draw("", |area| {
            for (y, line) in (PAD + 8..).step_by(TITLE_LINE as usize).zip(&title) {
                area.draw(&Text::new(line.as_str(), (PAD, y), text::title_font(style::INK)))?;
            }
            let under_title = PAD + 8 + TITLE_LINE * title.len() as i32;
            lines(area, under_title, &subtitle)?;
            lines(area, bottom + 8, &below)
        });
        for (entry, (x, y)) in legend {
            picture.draw(&entry.key, |area| entry.draw(area, (x, legend_top + y + 10)));
        }
        let mut y = top;
        for panel in panels {
            let height = panel.height();
            panel.draw(&mut picture, y);
            y += height;
        }
        let name = match self.about.as_str() {
            "" => self.question.clone(),
            about => format!("{} {about}", self.question),
        };
        Chart {
            svg: picture.finish(&self.stem, &name, &self.answer),
            file: format!("{}.svg", self.stem),
            question: self.question,
            answer: self.answer,
            numbers,
        }
    }

    /// The entries with their places, in as many lines as they need.
    fn placed_legend(&self) -> Vec<(&Entry, (i32, i32))> {
        let (mut x, mut y) = (PAD, 0);
        let place = |entry| {
            let width = SAMPLE + text::width(&Entry::text(entry));
            if x > PAD && x + width > WIDTH - PAD {
                (x, y) = (PAD, y + LINE);
            }
            let at = (x, y);
            x += width + 12;
            (entry, at)
        };
        self.legend.iter().map(place).collect()
    }
}

fn lines(area: &Area<'_>, top: i32, lines: &[String]) -> Drawn {
    let places = (top..).step_by(LINE as usize);
    places.zip(lines).try_for_each(|(y, line)| {
        area.draw(&Text::new(line.as_str(), (PAD, y), font(style::MUTED, HPos::Left)))
    })
}

impl Entry {
    /// Explains a kind of mark, of no strategy in particular.
    pub fn new(sample: Sample, text: &str) -> Entry {
        Entry { sample, text: text.to_owned(), key: String::new() }
    }

    /// A mark as it is filled.
    pub fn fill(fill: Fill, text: &str) -> Entry {
        Entry::new(Sample::Mark(style::MUTED, Marker::Circle, fill), text)
    }

    fn text(&self) -> String {
        fitted(&self.text, WIDTH - 2 * PAD - SAMPLE)
    }

    fn draw(&self, area: &Area<'_>, (x, y): (i32, i32)) -> Drawn {
        match self.sample {
            Sample::Mark(color, marker, fill) => mark(area, (x + 7, y), color, marker, fill)?,
            Sample::Field(color) => field(area, [(x, y - 6), (x + 14, y + 6)], color)?,
            Sample::Line(color) => {
                area.draw(&PathElement::new(vec![(x, y), (x + 14, y)], color.stroke_width(2)))?;
            }
        }
        area.draw(&Text::new(self.text(), (x + SAMPLE, y), font(style::MUTED, HPos::Left)))
    }
}

impl Look {
    pub fn new(label: &str, strategy: &str, role: Role, state: State) -> Look {
        let (color, marker) = style::of_arm(strategy, role);
        let is_sound = state == State::Ok;
        Look {
            label: label.to_owned(),
            key: style::key(strategy, role).to_owned(),
            color: if is_sound { color } else { style::GREY },
            marker,
            is_sound,
        }
    }

    pub fn of_arm(arm: &ArmSummary) -> Look {
        Look::new(&arm.label, &arm.strategy, arm.role, arm.state)
    }

    /// Of no strategy.
    pub fn plain(label: &str, color: RGBColor) -> Look {
        let (label, key) = (label.to_owned(), String::new());
        Look { label, key, color, marker: Marker::Circle, is_sound: true }
    }

    /// Something in its color, or grey where nothing may be concluded.
    pub fn item(&self, shape: Shape, is_grey: bool) -> Item {
        let color = if is_grey { style::GREY } else { self.color };
        Item { key: self.key.clone(), color, shape }
    }

    /// Hollow where it may not be compared.
    pub fn fill(&self, fill: Fill, is_grey: bool) -> Fill {
        let is_hollow = fill == Fill::Filled && (is_grey || !self.is_sound);
        if is_hollow { Fill::Hollow } else { fill }
    }
}

impl Item {
    fn draw(&self, plane: &Plane<'_>, area: &Area<'_>, right: i32) -> Drawn {
        let at = |point: &Point| plane.map_coordinate(point);
        match &self.shape {
            Shape::Mark(point, marker, fill) => mark(area, at(point), self.color, *marker, *fill),
            Shape::Line(points, px) => {
                plane.draw(&PathElement::new(points.clone(), self.color.stroke_width(*px)))
            }
            Shape::Caps(ends) => {
                let [a, b] = ends.each_ref().map(at);
                // Longer than the mark, which would hide a short line.
                let (dx, dy) = if ends[0].1 == ends[1].1 { (0, 7) } else { (7, 0) };
                let cap =
                    |(x, y)| PathElement::new(vec![(x - dx, y - dy), (x + dx, y + dy)], self.color);
                area.draw(&cap(a))?;
                area.draw(&cap(b))
            }
            Shape::Field(corners, text) => {
                let corners = corners.each_ref().map(at);
                let width = (corners[1].0 - corners[0].0).abs();
                if width == 0 {
                    return Ok(());
                }
                field(area, corners, self.color)?;
                if text.is_empty() || text::width(text) + 4 > width {
                    return Ok(());
                }
                let [(left, top), (right, bottom)] = corners;
                let middle = (i32::midpoint(left, right), i32::midpoint(top, bottom));
                area.draw(&Text::new(text.as_str(), middle, font(style::INK, HPos::Center)))
            }
            Shape::Value(height, text) => {
                let at = (right + GAP, at(&(0.0, *height)).1);
                area.draw(&Text::new(text.as_str(), at, font(self.color, HPos::Left)))
            }
        }
    }
}

/// A marker in px.
fn mark(area: &Area<'_>, at: (i32, i32), color: RGBColor, marker: Marker, fill: Fill) -> Drawn {
    let inside = match fill {
        Fill::Filled => color,
        Fill::Hollow => style::PAPER,
        Fill::Unmarked => return Ok(()),
    };
    let corner = |(x, y): (f64, f64)| ((x * MARKER).round() as i32, (y * MARKER).round() as i32);
    let corners: Vec<(i32, i32)> = marker.corners().into_iter().map(corner).collect();
    // Two more points join the outline where it closes.
    let outline: Vec<(i32, i32)> = corners.iter().chain(&corners[..2]).copied().collect();
    let inside = Polygon::new(corners, inside.filled());
    area.draw(&(EmptyElement::at(at) + inside + PathElement::new(outline, color.stroke_width(2))))
}

/// A filled field in px; the outline of a sliver would hide its fill.
fn field(area: &Area<'_>, corners: [(i32, i32); 2], color: RGBColor) -> Drawn {
    area.draw(&Rectangle::new(corners, color.filled()))?;
    if (corners[1].0 - corners[0].0).abs() <= 2 {
        return Ok(());
    }
    area.draw(&Rectangle::new(corners, style::OUTLINE.stroke_width(1)))
}

impl Panel {
    fn head_height(&self) -> i32 {
        if self.head.is_empty() { 6 } else { HEAD }
    }

    fn height(&self) -> i32 {
        let name = if self.name.is_empty() { 0 } else { NAME };
        self.head_height() + self.height + TICKS + name
    }

    /// Right of the plot values, or half a label, in px.
    fn right(&self) -> i32 {
        let value = |item: &Item| match &item.shape {
            Shape::Value(_, text) => text::width(text),
            _ => 0,
        };
        PAD + GAP + self.items.iter().map(value).max().unwrap_or(0)
    }

    fn draw(mut self, picture: &mut Picture, top: i32) {
        let (left, right) = (PAD + GAP + self.y.label_width(), WIDTH - self.right());
        self.x.fit(right - left, |word| text::width(word) + 8);
        self.y.fit(self.height, |_| LINE);
        let plot_top = top + self.head_height();
        let mut coordinates = None;
        picture.draw("", |area| {
            let frame = area.clone().shrink((0, plot_top), (WIDTH, self.height + TICKS));
            let mut plot = ChartBuilder::on(&frame)
                .margin_right(WIDTH - right)
                .set_label_area_size(LabelAreaPosition::Left, left)
                .set_label_area_size(LabelAreaPosition::Bottom, TICKS)
                .build_cartesian_2d(self.x.clone(), self.y.clone())?;
            for corners in &self.ground {
                plot.plotting_area().draw(&Rectangle::new(*corners, style::BAND.filled()))?;
            }
            plot.configure_mesh()
                .light_line_style(style::GRID)
                .bold_line_style(style::GRID)
                .axis_style(style::OUTLINE)
                .label_style(font(style::MUTED, HPos::Left))
                .set_all_tick_mark_size(4)
                .draw()?;
            let words = |text: &str, y: i32| {
                let text = fitted(text, WIDTH - 2 * PAD);
                area.draw(&Text::new(text, (WIDTH / 2, y), font(style::INK, HPos::Center)))
            };
            if !self.head.is_empty() {
                words(&self.head, plot_top - 12)?;
            }
            if !self.name.is_empty() {
                words(&self.name, plot_top + self.height + TICKS + NAME / 2)?;
            }
            coordinates = Some(plot.as_coord_spec().clone());
            Ok(())
        });
        let Some(coordinates) = coordinates else { return };
        for group in self.items.chunk_by(|a, b| a.key == b.key) {
            picture.draw(&group[0].key, |area| {
                let plane = area.apply_coord_spec(coordinates.clone());
                group.iter().try_for_each(|item| item.draw(&plane, area, right))
            });
        }
    }
}

/// `6 blocks, 12 345 requests; ` and the note.
pub fn sampled(n_blocks: usize, n_requests: Option<u64>, note: &str) -> String {
    let blocks = format::plural(n_blocks as u64, "block");
    let requests = n_requests.map(|n| format!(", {}", format::plural(n, "request")));
    format!("{blocks}{}; {note}", requests.unwrap_or_default())
}
