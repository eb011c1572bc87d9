//! From values to px, with round ticks. plotters' own logarithmic axis labels powers of ten only,
//! and none of its axes knows how much room a label takes.

use std::ops::Range;

use plotters::coord::ranged1d::{
    KeyPointHint, KeyPointWeight, NoDefaultFormatting, Ranged, ValueFormatter,
};

use super::text;

/// A linear axis hides values below a twentieth of its end.
const LINEAR_SPAN: f64 = 20.0;
/// Ratios that span less than this have ticks at even distances.
const NARROW_RATIOS: f64 = 4.0;

/// How values are spaced along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// Linear from zero, or logarithmic where the values span more than 20 times.
    Fitting,
    /// From zero.
    Linear,
    /// However little the values span.
    Logarithmic,
    /// Logarithmic around 1, so that twice and half are equally far from it.
    Ratios,
}

/// One axis of a plotters coordinate system.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    is_logarithmic: bool,
    /// Ascending, with their labels.
    ticks: Vec<(f64, String)>,
    /// Those of the ticks whose labels fit.
    labeled: Vec<f64>,
    /// Grid lines without a label.
    lines: Vec<f64>,
}

impl Axis {
    /// Covers the positive ones of the values, with round ends.
    pub fn new(spacing: Spacing, values: &[f64], word: fn(f64) -> String) -> Axis {
        let positive = || values.iter().copied().filter(|v| *v > 0.0 && v.is_finite());
        let high = positive().fold(0.0, f64::max);
        let low = positive().fold(f64::INFINITY, f64::min).min(high);
        let (ticks, is_logarithmic) = match spacing {
            Spacing::Ratios => (ratio_ticks(low, high), true),
            Spacing::Logarithmic => (log_ticks(low, high), true),
            Spacing::Fitting if high > low * LINEAR_SPAN => (log_ticks(low, high), true),
            Spacing::Fitting | Spacing::Linear => (linear_ticks(high), false),
        };
        let ends = (ticks[0], ticks[ticks.len() - 1]);
        let ticks = ticks.into_iter().map(|tick| (tick, word(tick)));
        Axis { is_logarithmic, ..Axis::with_ticks(ends, ticks, Vec::new()) }
    }

    /// Linear between two ends, with these ticks and further grid lines.
    pub fn with_ticks(
        (low, high): (f64, f64),
        ticks: impl IntoIterator<Item = (f64, String)>,
        lines: Vec<f64>,
    ) -> Axis {
        let ticks: Vec<(f64, String)> = ticks.into_iter().collect();
        let labeled = ticks.iter().map(|(tick, _)| *tick).collect();
        Axis { low, high, is_logarithmic: false, ticks, labeled, lines }
    }

    /// Named rows from the top down: row `i` lies between `i` and `i + 1`.
    pub fn rows(names: impl IntoIterator<Item = String>) -> Axis {
        let ticks: Vec<(f64, String)> = (0..).map(|row| f64::from(row) + 0.5).zip(names).collect();
        Axis::with_ticks((ticks.len().max(1) as f64, 0.0), ticks, Vec::new())
    }

    /// `log scale` or `linear scale`.
    pub fn scale(&self) -> &'static str {
        if self.is_logarithmic { "log scale" } else { "linear scale" }
    }

    /// Both ends.
    pub fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// The widest of the labels, in px.
    pub fn label_width(&self) -> i32 {
        self.ticks.iter().map(|(_, word)| text::width(word)).max().unwrap_or(0)
    }

    /// Labels as many ticks as fit on `length_px` with `room_px` for the label of each: all, else
    /// powers of ten, else every second, third and so on, around 1 on a logarithmic axis; else
    /// both ends.
    pub fn fit(&mut self, length_px: i32, room_px: impl Fn(&str) -> i32) {
        let at = |tick: &(f64, String)| self.map(&tick.0, (0, length_px));
        let fits = |some: &[&(f64, String)]| {
            let room = |pair: &[&(f64, String)]| (room_px(&pair[0].1) + room_px(&pair[1].1)) / 2;
            some.windows(2).all(|pair| (at(pair[1]) - at(pair[0])).abs() >= room(pair))
        };
        let all: Vec<&(f64, String)> = self.ticks.iter().collect();
        let is_decade = |v: f64| (v.log10() - v.log10().round()).abs() < 1e-9;
        let decades = all.iter().copied().filter(|tick| is_decade(tick.0));
        let decades: Vec<_> = decades.filter(|_| self.is_logarithmic).collect();
        let base = if decades.len() > 1 && !fits(&all) { decades } else { all };
        let is_one = |tick: &&(f64, String)| self.is_logarithmic && (tick.0 - 1.0).abs() < 1e-9;
        let one = base.iter().position(is_one).unwrap_or(0);
        let chosen = (1..base.len())
            .map(|n| base.iter().copied().skip(one % n).step_by(n).collect::<Vec<_>>())
            .find(|some| some.len() > 1 && fits(some));
        let ends = || self.ticks.first().into_iter().chain(self.ticks.last()).collect();
        let chosen = chosen.unwrap_or_else(ends);
        self.labeled = chosen.into_iter().map(|tick| tick.0).collect();
    }

    fn share(&self, value: f64) -> f64 {
        let share = match self.is_logarithmic {
            true => (value.max(self.low) / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        };
        share.clamp(0.0, 1.0)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    /// Values beyond an end lie on it.
    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + (self.share(*value) * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight() {
            KeyPointWeight::Bold => self.labeled.clone(),
            KeyPointWeight::Any => {
                let others = self.ticks.iter().map(|tick| tick.0);
                let others = others.filter(|tick| !self.labeled.contains(tick));
                others.chain(self.lines.iter().copied()).collect()
            }
        }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let label = self.ticks.iter().find(|(at, _)| at == value);
        label.map_or_else(String::new, |(_, word)| word.clone())
    }
}

/// From zero to `high` or a little more.
fn linear_ticks(high: f64) -> Vec<f64> {
    let high = if high > 0.0 { high } else { 1.0 };
    let raw = high / 5.0;
    let decade = 10f64.powi(raw.log10().floor() as i32);
    let round = [1.0, 2.0, 2.5, 5.0].into_iter().find(|s| s * decade >= raw * 0.999);
    let step = decade * round.unwrap_or(10.0);
    (0..=(high / step).ceil() as u32).map(|i| f64::from(i) * step).collect()
}

/// 1, 2 and 5 of each power of ten, or these powers alone where they are many, with round ends.
fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    if high <= 0.0 {
        return vec![1.0, 10.0];
    }
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let of_decade = |n| [1.0, 2.0, 5.0].map(|step| step * 10f64.powi(n));
    let all: Vec<f64> = (first..=last).flat_map(of_decade).collect();
    let from = all.iter().rposition(|tick| *tick <= low * 1.000_001).unwrap_or(0);
    let to = all.iter().position(|tick| *tick >= high * 0.999_999).unwrap_or(0).max(from + 1);
    let is_shown = |i: &usize| high <= low * 1e3 || i.is_multiple_of(3) || *i == from || *i == to;
    (from..=to).filter(is_shown).map(|i| all[i]).collect()
}

fn ratio_ticks(low: f64, high: f64) -> Vec<f64> {
    let (low, high) = (low.min(0.98), high.max(1.02));
    let low = if low > 0.0 { low } else { 0.98 };
    if high > low * NARROW_RATIOS {
        return log_ticks(low, high);
    }
    let mut steps = [0.01, 0.02, 0.05, 0.1, 0.25].into_iter();
    let step = steps.find(|step| (high - low) / step <= 6.0).unwrap_or(0.5);
    let (first, last) = ((low / step).floor().max(1.0), (high / step).ceil());
    (first as u32..=last as u32).map(|i| f64::from(i) * step).collect()
}

#[cfg(test)]
mod tests {
    use plotters::coord::ranged1d::{BoldPoints, LightPoints};

    use super::*;

    fn axis(spacing: Spacing, values: &[f64]) -> Axis {
        Axis::new(spacing, values, |v| format!("{v}"))
    }

    fn labels(axis: &Axis) -> Vec<f64> {
        axis.key_points(BoldPoints(9))
    }

    /// Labels on `length_px`, of 16 px each.
    fn labels_on(mut axis: Axis, length_px: i32) -> Vec<f64> {
        axis.fit(length_px, |_| 16);
        labels(&axis)
    }

    /// With and without a label.
    fn ticks(axis: &Axis) -> Vec<f64> {
        let mut all = labels(axis);
        all.extend(axis.key_points(LightPoints::new(9, 9)));
        all.sort_by(f64::total_cmp);
        all
    }

    #[test]
    fn axis_is_linear_until_values_span_twenty_times() {
        let linear = axis(Spacing::Fitting, &[10.0, 200.0]);
        assert_eq!(linear.scale(), "linear scale");
        assert_eq!(labels(&linear), [0.0, 50.0, 100.0, 150.0, 200.0]);
        let at = |v: f64| linear.map(&v, (0, 100));
        assert_eq!((at(0.0), at(100.0), at(1e9)), (0, 50, 100));
        let logarithmic = axis(Spacing::Fitting, &[12.0, 0.0, 480.0]);
        assert_eq!(logarithmic.scale(), "log scale");
        assert_eq!(labels(&logarithmic), [10.0, 20.0, 50.0, 100.0, 200.0, 500.0]);
        let at = |v: f64| logarithmic.map(&v, (100, 0));
        assert_eq!((at(10.0), at(500.0), at(1.0)), (100, 0, 100));
        assert_eq!(labels(&axis(Spacing::Fitting, &[1.0, 2e6])).len(), 8);
        assert_eq!(axis(Spacing::Fitting, &[]).map(&0.5, (0, 100)), 50);
    }

    #[test]
    fn labels_thin_out_where_room_is_short_and_grid_lines_stay() {
        let of = |values: &[f64]| axis(Spacing::Fitting, values);
        assert_eq!(labels_on(of(&[12.0, 480.0]), 60), [10.0, 100.0]);
        assert_eq!(labels_on(of(&[12.0, 480.0]), 20), [10.0, 500.0]);
        assert_eq!(labels_on(of(&[1.0, 2e6]), 60), [1.0, 1e2, 1e4, 1e6]);
        let mut short = of(&[12.0, 480.0]);
        short.fit(20, |_| 16);
        assert_eq!(ticks(&short).len(), 6);
        let ratios = labels_on(axis(Spacing::Ratios, &[0.8, 1.06]), 90);
        let rounded: Vec<i32> = ratios.iter().map(|v| (v * 100.0).round() as i32).collect();
        assert_eq!(rounded, [80, 90, 100, 110]);
        let given = (0..10).map(|i| (f64::from(i), "label".to_owned()));
        let given = Axis::with_ticks((0.0, 9.0), given, Vec::new());
        assert_eq!(labels_on(given, 50), [0.0, 3.0, 6.0, 9.0]);
    }

    #[test]
    fn ratio_axis_has_one_among_its_ticks_and_covers_the_values() {
        for values in [&[0.97, 1.04][..], &[0.8, 1.9], &[1.0, 1.02], &[0.3, 0.5], &[0.9, 140.0]] {
            let ticks = ticks(&axis(Spacing::Ratios, values));
            assert!((3..=9).contains(&ticks.len()), "{values:?}: {ticks:?}");
            assert!(ticks.iter().any(|t| (t - 1.0).abs() < 1e-9), "{ticks:?}");
            for value in values {
                let inside = ticks[0] <= *value && *value <= ticks[ticks.len() - 1];
                assert!(inside, "{value}: {ticks:?}");
            }
        }
        let axis = axis(Spacing::Ratios, &[0.5, 2.0]);
        assert_eq!(axis.map(&1.0, (0, 100)), 50);
    }

    #[test]
    fn logarithmic_axis_has_two_ends_for_any_values() {
        assert_eq!(ticks(&axis(Spacing::Logarithmic, &[30.0, 40.0])), [20.0, 50.0]);
        for values in [&[][..], &[20.0], &[1e6, f64::INFINITY]] {
            let axis = axis(Spacing::Logarithmic, values);
            assert!(ticks(&axis).len() > 1, "{values:?}");
            assert!((0..=100).contains(&axis.map(&20.0, (0, 100))));
        }
    }
}
