//! From values to pixels, with round ticks: linear from zero, or logarithmic where the values
//! span too much for that.

/// A linear axis hides what is smaller than a twentieth of it.
const LINEAR_SPAN: f64 = 20.0;

/// A horizontal axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    logarithmic: bool,
    low: f64,
    high: f64,
    left: f64,
    right: f64,
    /// Distance of ticks that are not those of the kind of scale.
    step: Option<f64>,
}

/// Ratios that span less than this have ticks at even distances.
const NARROW_RATIOS: f64 = 4.0;

impl Scale {
    /// Covers the positive ones of `values`; linear unless they span more than 20 times.
    pub(super) fn of(values: &[f64], left: i32, right: i32) -> Scale {
        let positive = || values.iter().copied().filter(|v| *v > 0.0 && v.is_finite());
        let low = positive().fold(f64::INFINITY, f64::min);
        let high = positive().fold(0.0, f64::max);
        if high > low * LINEAR_SPAN {
            let (low, high) = (round_down(low), round_up(high));
            return Scale::new(true, low, high, left, right);
        }
        Scale::linear(high, left, right)
    }

    /// Covers the positive ones of `values`, logarithmic however little they span.
    pub(super) fn logarithmic(values: &[f64], left: i32, right: i32) -> Scale {
        let positive = || values.iter().copied().filter(|v| *v > 0.0 && v.is_finite());
        let low = positive().fold(f64::INFINITY, f64::min);
        let high = positive().fold(0.0, f64::max);
        if high <= 0.0 {
            return Scale::new(true, 1.0, 10.0, left, right);
        }
        let (low, high) = (round_down(low), round_up(high * 1.000_001));
        Scale::new(true, low, high, left, right)
    }

    /// From zero to `high` or a little more.
    pub(super) fn linear(high: f64, left: i32, right: i32) -> Scale {
        let high = if high > 0.0 { high } else { 1.0 };
        let step = linear_step(high);
        let high = (high / step).ceil() * step;
        Scale::new(false, 0.0, high, left, right)
    }

    fn new(logarithmic: bool, low: f64, high: f64, left: i32, right: i32) -> Scale {
        Scale { logarithmic, low, high, left: f64::from(left), right: f64::from(right), step: None }
    }

    /// Ratios, of which 1 is always one: logarithmic, so that twice and half are equally far.
    pub(super) fn ratios(values: &[f64], left: i32, right: i32) -> Scale {
        let positive = || values.iter().copied().filter(|v| *v > 0.0 && v.is_finite());
        let (low, high) = (positive().fold(0.98, f64::min), positive().fold(1.02, f64::max));
        if high > low * NARROW_RATIOS {
            return Scale::new(true, round_down(low), round_up(high), left, right);
        }
        let step = [0.01, 0.02, 0.05, 0.1, 0.25]
            .into_iter()
            .find(|step| (high - low) / step <= 6.0)
            .unwrap_or(0.5);
        let low = ((low / step).floor() * step).max(step.min(0.25));
        let high = (high / step).ceil() * step;
        Scale { step: Some(step), ..Scale::new(true, low, high, left, right) }
    }

    /// Those of the ticks that can carry a label: all if `fits` says so, else powers of ten, so
    /// that labels are evenly spaced, or every second of those; else the two ends.
    pub(super) fn labelled(&self, fits: impl Fn(&[f64]) -> bool) -> Vec<f64> {
        let all = self.ticks();
        let decades: Vec<f64> = all
            .iter()
            .copied()
            .filter(|v| self.logarithmic && (v.log10() - v.log10().round()).abs() < 1e-9)
            .collect();
        let ends: Vec<f64> = [all.first(), all.last()].into_iter().flatten().copied().collect();
        let every_second = decades.iter().copied().step_by(2).collect();
        // Of evenly spaced ratios those that are as far apart and have 1 among them.
        let one = all.iter().position(|v| (v - 1.0).abs() < 1e-9).unwrap_or(0);
        let around_one = all.iter().copied().skip(one % 2).step_by(2);
        let around_one = around_one.filter(|_| self.step.is_some()).collect();
        [all, decades, around_one, every_second]
            .into_iter()
            .find(|ticks| ticks.len() > 1 && fits(ticks))
            .unwrap_or(ends)
    }

    pub(super) fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// `log scale` or `linear scale`.
    pub(super) fn word(&self) -> &'static str {
        if self.logarithmic { "log scale" } else { "linear scale" }
    }

    /// The pixel of a value, kept inside the axis.
    pub(super) fn pixel(&self, value: f64) -> i32 {
        let share = if self.logarithmic {
            let value = value.max(self.low);
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            value / self.high
        };
        (self.left + share.clamp(0.0, 1.0) * (self.right - self.left)).round() as i32
    }

    /// Round values from one end to the other, ascending.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if let Some(step) = self.step {
            let (first, last) = ((self.low / step).round(), (self.high / step).round());
            return (first as u32..=last as u32).map(|i| f64::from(i) * step).collect();
        }
        if !self.logarithmic {
            let step = linear_step(self.high);
            let n = (self.high / step).round() as u32;
            return (0..=n).map(|i| f64::from(i) * step).collect();
        }
        let decades = (self.high / self.low).log10();
        let steps: &[f64] = if decades > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        (first..=last)
            .flat_map(|decade| steps.iter().map(move |step| power(decade) * step))
            .filter(|v| *v > self.low * 0.999 && *v < self.high * 1.001)
            .collect()
    }
}

fn linear_step(high: f64) -> f64 {
    let raw = high / 5.0;
    let decade = power(raw.log10().floor() as i32);
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|s| s * decade >= raw * 0.999);
    decade * step.unwrap_or(10.0)
}

/// Of the values 1, 2, 5, 10, 20 ... the last that is not above `value`.
fn round_down(value: f64) -> f64 {
    let decade = power(value.log10().floor() as i32);
    let step = [5.0, 2.0].into_iter().find(|s| decade * s <= value);
    decade * step.unwrap_or(1.0)
}

/// Of the values 1, 2, 5, 10, 20 ... the first that is not below `value`.
fn round_up(value: f64) -> f64 {
    let decade = power(value.log10().floor() as i32);
    let step = [1.0, 2.0, 5.0].into_iter().find(|s| decade * s >= value);
    decade * step.unwrap_or(10.0)
}

fn power(decade: i32) -> f64 {
    10f64.powi(decade)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_until_values_span_more_than_twenty_times() {
        let scale = Scale::of(&[10.0, 200.0], 0, 100);
        assert!(!scale.is_logarithmic());
        assert_eq!(scale.ticks(), [0.0, 50.0, 100.0, 150.0, 200.0]);
        assert_eq!(scale.pixel(0.0), 0);
        assert_eq!(scale.pixel(100.0), 50);
        assert_eq!(scale.pixel(1e9), 100);
    }

    #[test]
    fn a_log_axis_ends_on_round_values() {
        let scale = Scale::of(&[12.0, 0.0, 480.0], 0, 100);
        assert!(scale.is_logarithmic());
        assert_eq!(scale.ticks(), [10.0, 20.0, 50.0, 100.0, 200.0, 500.0]);
        assert_eq!((scale.pixel(10.0), scale.pixel(500.0)), (0, 100));
        let wide = Scale::of(&[1.0, 2e6], 0, 100);
        assert_eq!(wide.ticks().len(), 7);
        let few = |ticks: &[f64]| ticks.len() < 4;
        assert_eq!(Scale::of(&[30.0, 3e3], 0, 100).labelled(few), [100.0, 1000.0]);
        assert_eq!(Scale::of(&[12.0, 480.0], 0, 100).labelled(few), [10.0, 100.0]);
        assert_eq!(Scale::of(&[12.0, 480.0], 0, 100).labelled(|_| false), [10.0, 500.0]);
    }

    #[test]
    fn ratios_have_one_among_their_ticks() {
        for values in [&[0.97, 1.04][..], &[0.8, 1.9], &[1.0, 1.02], &[0.3, 0.5], &[0.9, 140.0]] {
            let scale = Scale::ratios(values, 0, 1_000);
            let ticks = scale.ticks();
            assert!((3..=9).contains(&ticks.len()), "{values:?}: {ticks:?}");
            assert!(ticks.iter().any(|t| (t - 1.0).abs() < 1e-9), "{ticks:?}");
            for value in values {
                let inside = ticks[0] <= *value && *value <= ticks[ticks.len() - 1];
                assert!(inside, "{value}: {ticks:?}");
            }
        }
        let few = |ticks: &[f64]| ticks.len() < 5;
        let labels = Scale::ratios(&[0.8, 1.06], 0, 100).labelled(few);
        let rounded: Vec<i32> = labels.iter().map(|v| (v * 100.0).round() as i32).collect();
        assert_eq!(rounded, [80, 90, 100, 110]);
        let scale = Scale::ratios(&[0.5, 2.0], 0, 100);
        assert_eq!(scale.pixel(1.0), 50);
    }

    #[test]
    fn a_log_axis_may_be_asked_for_and_has_two_ends() {
        let scale = Scale::logarithmic(&[30.0, 40.0], 0, 100);
        assert!(scale.is_logarithmic());
        assert_eq!(scale.ticks(), [20.0, 50.0]);
        for values in [&[][..], &[20.0], &[1e6, f64::INFINITY]] {
            let scale = Scale::logarithmic(values, 0, 100);
            assert!(scale.ticks().len() > 1, "{values:?}");
            assert!((0..=100).contains(&scale.pixel(20.0)));
        }
    }

    #[test]
    fn nothing_to_show_is_still_an_axis() {
        let scale = Scale::of(&[], 0, 100);
        assert_eq!(scale.pixel(0.5), 50);
    }
}
