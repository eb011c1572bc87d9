//! The chart kinds of intervals, stacked bars and curves. All consist of series of marks: a mark
//! has a value on one axis and a place on the other, which is a row of its own for intervals and
//! bars, and another quantity for curves.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::axis::{Axis, Spacing};
use super::figure::{Entry, Figure, Fill, Item, Look, Panel, Point, Sample, Shape};
use super::{Chart, style, text};
use crate::report::format;
use crate::report::table::{Cell, Head, NONE, Table};

/// Longest name of a row, in px.
pub const NAME_MAX: i32 = 205;
/// Of a row with one lane, in px, and of each further lane.
const ROW: i32 = 26;
const LANE: i32 = 14;

/// How a quantity is spaced and written on its axis.
pub type Written = (Spacing, fn(f64) -> String);

pub const TIME: Written = (Spacing::Fitting, format::duration_tick);
pub const RATE: Written = (Spacing::Fitting, format::rate_tick);
pub const RATIO: Written = (Spacing::Ratios, format::ratio_tick);
pub const MEMORY: Written = (Spacing::Linear, format::megabytes_tick);

/// A plot; several stand below each other.
pub struct Plot {
    /// Above the plot; may be empty.
    pub head: String,
    /// Below the plot, with the good direction in a plot of rows.
    pub name: String,
    /// Of the values.
    pub written: Written,
    /// Of the places.
    pub places: Axis,
    /// Values lie across, and places are rows.
    pub has_rows: bool,
    /// In px.
    pub height: i32,
    pub series: Vec<Series>,
    /// A value worth a line.
    pub level: Option<f64>,
    /// Values with a grey ground.
    pub band: Option<(f64, f64)>,
    /// Places with a grey ground.
    pub shaded: Vec<(f64, f64)>,
    /// What else the axis of values has to hold.
    pub also: Vec<f64>,
    /// Names and fills of the parts of bars, and their unit.
    pub parts: Vec<(&'static str, RGBColor)>,
    pub unit: &'static str,
}

/// Marks of one kind, and a line.
pub struct Series {
    pub look: Look,
    /// What is shown, for the table; empty where it is the head.
    pub shown: String,
    pub path: Path,
    /// In the order of the path.
    pub dots: Vec<Dot>,
}

/// What line a series has.
pub enum Path {
    None,
    /// From mark to mark.
    Through,
    /// Through these places and values.
    Line(Vec<Point>),
}

/// A mark.
#[derive(Clone, Default)]
pub struct Dot {
    pub place: f64,
    pub value: f64,
    /// Of its place, for the table.
    pub word: String,
    /// The ends of an interval.
    pub ends: Option<(f64, f64)>,
    /// A thick line goes to here.
    pub tail: Option<f64>,
    /// A thin line goes to here.
    pub far: Option<f64>,
    pub fill: Fill,
    /// Nothing may be concluded.
    pub is_grey: bool,
    /// Right of the plot.
    pub beside: String,
    /// For the table.
    pub state: String,
    /// Of a bar that begins at zero, for the mark.
    pub parts: Vec<Option<f64>>,
}

/// A row of a plot with rows.
pub struct Row {
    pub look: Look,
    /// From the top down; the words are what they show.
    pub lanes: Vec<Option<Dot>>,
    /// For the table, and in parentheses behind the name where it may not be compared.
    pub state: String,
}

impl Dot {
    /// Filled, without lines.
    pub fn new(place: f64, word: String, value: f64) -> Dot {
        Dot { place, word, value, ..Dot::default() }
    }

    /// Of a row, with its value in words.
    pub fn of_row(word: &str, value: f64, beside: String) -> Dot {
        Dot { beside, ..Dot::new(0.0, word.to_owned(), value) }
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        let (low, high) = self.ends.unzip();
        let parts = self.parts.iter().flatten().copied().sum();
        [Some(self.value), low, high, self.tail, self.far, Some(parts)].into_iter().flatten()
    }
}

impl Series {
    /// From mark to mark.
    pub fn new(look: Look, dots: Vec<Dot>) -> Series {
        Series { look, shown: String::new(), path: Path::Through, dots }
    }

    /// A line for comparison.
    pub fn line(name: &str, color: RGBColor, points: Vec<Point>) -> Series {
        Series { path: Path::Line(points), ..Series::new(Look::plain(name, color), Vec::new()) }
    }

    fn points(&self) -> Vec<Point> {
        match &self.path {
            Path::None => Vec::new(),
            Path::Through => self.dots.iter().map(|dot| (dot.place, dot.value)).collect(),
            Path::Line(points) => points.clone(),
        }
    }

    /// Its entry of the legend; `None` without a name.
    fn entry(&self) -> Option<Entry> {
        let Look { label, key, color, marker, .. } = &self.look;
        let sample = match key.as_str() {
            "" => Sample::Line(*color),
            _ => Sample::Mark(*color, *marker, self.look.fill(Fill::Filled, false)),
        };
        (!label.is_empty()).then(|| Entry { sample, text: label.clone(), key: key.clone() })
    }
}

impl Plot {
    /// A plot of curves.
    pub fn new(head: &str, places: Axis, written: Written, series: Vec<Series>) -> Plot {
        Plot {
            head: head.to_owned(),
            name: String::new(),
            written,
            places,
            has_rows: false,
            height: 200,
            series,
            level: None,
            band: None,
            shaded: Vec::new(),
            also: Vec::new(),
            parts: Vec::new(),
            unit: "",
        }
    }

    /// A plot with a row per arm.
    pub fn rows(name: &str, written: Written, rows: Vec<Row>) -> Plot {
        let names = rows.iter().map(|row| {
            let is_sound = row.look.is_sound && row.lanes.iter().any(Option::is_some);
            let state = if is_sound { String::new() } else { format!(" ({})", row.state) };
            format!("{}{state}", row.look.label)
        });
        let places = Axis::rows(names.map(|name| text::fitted(&name, NAME_MAX)));
        let lanes = rows.iter().map(|row| row.lanes.len() as i32).max().unwrap_or(1);
        let height = (ROW + LANE * (lanes - 1)) * rows.len() as i32;
        let series = (0..).map(f64::from).zip(rows).map(|(top, row)| {
            let n = row.lanes.len() as f64;
            let lanes = (0..).map(f64::from).zip(row.lanes);
            let dots = lanes.filter_map(|(lane, dot)| {
                Some(Dot { place: top + (lane + 0.5) / n, state: row.state.clone(), ..dot? })
            });
            Series { path: Path::None, ..Series::new(row.look, dots.collect()) }
        });
        let plot = Plot::new("", places, written, series.collect());
        Plot { name: name.to_owned(), has_rows: true, height, ..plot }
    }

    /// All that the axis of values has to hold.
    pub fn values(&self) -> Vec<f64> {
        let dots = self.series.iter().flat_map(|series| &series.dots).flat_map(Dot::values);
        let lines = self.series.iter().flat_map(Series::points).map(|point| point.1);
        dots.chain(lines).chain(self.level).chain(self.also.iter().copied()).collect()
    }

    fn at(&self, place: f64, value: f64) -> Point {
        if self.has_rows { (value, place) } else { (place, value) }
    }

    fn panel(self) -> Panel {
        let values = Axis::new(self.written.0, &self.values(), self.written.1);
        let ((first, last), (low, high)) = (self.places.ends(), values.ends());
        let bands = self.band.map(|(from, to)| [self.at(first, from), self.at(last, to)]);
        let shaded = self.shaded.iter().map(|(from, to)| [self.at(*from, low), self.at(*to, high)]);
        let ground = bands.into_iter().chain(shaded).collect();
        let mut items = Vec::new();
        if let Some(level) = self.level {
            let ends = vec![self.at(first, level), self.at(last, level)];
            items.push(Look::plain("", style::OUTLINE).item(Shape::Line(ends, 1), false));
        }
        for series in &self.series {
            let points: Vec<Point> = series.points().iter().map(|p| self.at(p.0, p.1)).collect();
            if points.len() > 1 {
                items.push(series.look.item(Shape::Line(points, 2), false));
            }
            series.dots.iter().for_each(|dot| self.draw(&mut items, &series.look, dot));
        }
        let (mut head, mut name) = (self.head.clone(), self.name.clone());
        let of_values = if self.has_rows { &mut name } else { &mut head };
        of_values.push_str(&format!(", {}", values.scale()));
        let height = self.height;
        match self.has_rows {
            true => Panel { head, name, x: values, y: self.places, height, ground, items },
            false => Panel { head, name, x: self.places, y: values, height, ground, items },
        }
    }

    fn draw(&self, items: &mut Vec<Item>, look: &Look, dot: &Dot) {
        let at = |value: f64| self.at(dot.place, value);
        let line =
            |to: f64, px| look.item(Shape::Line(vec![at(dot.value), at(to)], px), dot.is_grey);
        let mut sum = 0.0;
        for ((name, color), part) in self.parts.iter().zip(&dot.parts) {
            let from = sum;
            sum += part.unwrap_or(0.0);
            let corners = [(from, dot.place - 0.3), (sum, dot.place + 0.3)];
            let color = if look.is_sound { *color } else { style::PAPER };
            let field = Shape::Field(corners, (*name).to_owned());
            items.push(Item { color, ..look.item(field, false) });
        }
        if let Some((low, high)) = dot.ends {
            items.push(look.item(Shape::Line(vec![at(low), at(high)], 2), dot.is_grey));
            items.push(look.item(Shape::Caps([at(low), at(high)]), dot.is_grey));
        }
        items.extend(dot.far.map(|far| line(far, 1)));
        items.extend(dot.tail.map(|tail| line(tail, 3)));
        let mark = Shape::Mark(at(dot.value), look.marker, look.fill(dot.fill, dot.is_grey));
        items.push(look.item(mark, dot.is_grey));
        if !dot.beside.is_empty() {
            let beside = look.item(Shape::Value(dot.place, dot.beside.clone()), false);
            items.push(Item { color: style::INK, ..beside });
        }
    }
}

/// The names of a figure's columns; those that are empty or without a value are left out.
#[derive(Debug, Clone, Copy)]
pub struct Names<'n> {
    pub who: &'n str,
    pub place: &'n str,
    pub value: &'n str,
    pub ends: [&'n str; 2],
    pub tail: &'n str,
    pub far: &'n str,
    /// A row per place and a column per series, for many places that all series share.
    pub is_wide: bool,
}

impl<'n> Names<'n> {
    /// Of strategies' values, which may have intervals.
    pub fn of(value: &'n str) -> Names<'n> {
        let ends = ["interval from", "interval to"];
        Names { who: "strategy", place: "", value, ends, tail: "", far: "", is_wide: false }
    }
}

/// A chart of the plots with marks; `None` if there are none. Curves get their entries in the
/// legend.
pub fn chart(mut figure: Figure, mut plots: Vec<Plot>, names: Names<'_>) -> Option<Chart> {
    plots.retain(|plot| plot.series.iter().any(|series| !series.dots.is_empty()));
    plots.first()?;
    let series = || plots.iter().flat_map(|plot| plot.series.iter().map(move |s| (plot, s)));
    let curves = series().filter(|(plot, _)| !plot.has_rows);
    let parts = plots.iter().flat_map(|plot| &plot.parts);
    let parts = parts.map(|(name, color)| Entry::new(Sample::Field(*color), name));
    for entry in curves.filter_map(|(_, series)| series.entry()).chain(parts) {
        if figure.legend.iter().all(|known| known.text != entry.text) {
            figure.legend.push(entry);
        }
    }
    let numbers = if names.is_wide { wide(&plots, names) } else { numbers(&plots, names) };
    Some(figure.chart(plots.into_iter().map(Plot::panel).collect(), numbers))
}

/// Plots on one scale.
pub fn on_one_scale(mut plots: Vec<Plot>) -> Vec<Plot> {
    let all: Vec<f64> = plots.iter().flat_map(Plot::values).collect();
    plots.iter_mut().for_each(|plot| plot.also.clone_from(&all));
    plots
}

/// A row per mark, and per point of a named line that does not go through marks.
fn numbers(plots: &[Plot], names: Names<'_>) -> Table {
    let parts = plots.iter().flat_map(|plot| plot.parts.iter().map(|part| (part.0, plot.unit)));
    let parts: Vec<String> = parts.map(|(name, unit)| format!("{name}, {unit}")).collect();
    let mut columns = vec![(names.who, false), ("shown", false), (names.place, true)];
    columns.extend(parts.iter().map(|name| (name.as_str(), true)));
    let lines = [names.value, names.ends[0], names.ends[1], names.tail, names.far];
    columns.extend(lines.map(|name| (name, true)));
    columns.push(("state", false));
    let exact = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), format::exact);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (plot, series) in plots.iter().flat_map(|p| p.series.iter().map(move |s| (p, s))) {
        let who = series.look.label.as_str();
        let head = if plots.len() > 1 { plot.head.as_str() } else { "" };
        let shown = if series.shown.is_empty() { head } else { series.shown.as_str() };
        let mut add = |dot: &Dot, state: &str| {
            let mut cells = vec![who.to_owned(), shown.to_owned(), dot.word.clone()];
            cells.extend(dot.parts.iter().map(|part| exact(*part)));
            let (low, high) = dot.ends.unzip();
            cells.extend([Some(dot.value), low, high, dot.tail, dot.far].map(exact));
            cells.push(state.to_owned());
            rows.push(cells);
        };
        series.dots.iter().for_each(|dot| add(dot, &dot.state));
        if let (Path::Line(points), false) = (&series.path, who.is_empty()) {
            let dots = points.iter().map(|(x, y)| Dot::new(*x, format::exact(*x), *y));
            dots.for_each(|dot| add(&dot, "line"));
        }
    }
    let has_value = |place: usize| rows.iter().any(|row| !matches!(row[place].as_str(), NONE | ""));
    let is_used = |place: &usize| !columns[*place].0.is_empty() && has_value(*place);
    let used: Vec<usize> = (0..columns.len()).filter(is_used).collect();
    let head = used.iter().map(|i| Head::new(columns[*i].0, columns[*i].1)).collect();
    let kept = |row: &Vec<String>| used.iter().map(|i| Cell::from(row[*i].as_str())).collect();
    Table::new(head, rows.iter().map(kept).collect::<Vec<Vec<Cell>>>())
}

/// The values of marks alone.
fn wide(plots: &[Plot], names: Names<'_>) -> Table {
    let mut columns: Vec<String> = Vec::new();
    let mut rows: Vec<(&str, BTreeMap<usize, f64>)> = Vec::new();
    for series in plots.iter().flat_map(|plot| &plot.series) {
        let name = match series.look.label.as_str() {
            "" => series.shown.clone(),
            label => format!("{label}, {}", names.value),
        };
        let column = columns.iter().position(|known| *known == name).unwrap_or_else(|| {
            columns.push(name);
            columns.len() - 1
        });
        for dot in &series.dots {
            let row = rows.iter().position(|(word, _)| *word == dot.word).unwrap_or_else(|| {
                rows.push((&dot.word, BTreeMap::new()));
                rows.len() - 1
            });
            rows[row].1.insert(column, dot.value);
        }
    }
    let mut head = vec![Head::new(names.place, true)];
    head.extend(columns.iter().map(|column| Head::new(column, true)));
    let row = |(word, values): &(&str, BTreeMap<usize, f64>)| {
        let cell =
            |i: usize| Cell::from(values.get(&i).map_or(NONE.to_owned(), |v| format::exact(*v)));
        [Cell::from(*word)].into_iter().chain((0..columns.len()).map(cell)).collect::<Vec<Cell>>()
    };
    Table::new(head, rows.iter().map(row))
}
