//! The machine while nothing of ours runs: pure arithmetic over counters that were read every
//! 100 ms.

use super::counters::Counters;
use super::judge::JUDGED_NS;
use super::signal::{PerSignal, Readings, Signal};
use crate::stats::quantile::{P, median, nearest_rank};

/// One moment of an idle time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moment {
    /// Everything so far.
    pub counters: Counters,
    /// Longest pause since the moment before.
    pub vm_pause_ns: Option<u64>,
    /// A canary that ran since the moment before: its time.
    pub canary_ns: Option<u64>,
    /// The frequency right after it.
    pub frequency_hz: Option<f64>,
}

/// A signal's values over an idle time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Median.
    pub median: f64,
    /// Nearest-rank 95 % quantile, of however few values.
    pub p95: f64,
    /// The worst.
    pub max: f64,
}

/// The results of an idle time.
#[derive(Debug, Clone, PartialEq)]
pub struct Idle {
    /// Its length, in ns.
    pub wall_ns: u64,
    /// The median time of a canary, in ns. `None` if none ran.
    pub canary_ns: Option<f64>,
    /// `None` where the signal cannot be read.
    spreads: PerSignal<Spread>,
}

impl Idle {
    /// Rates over every stretch of [`JUDGED_NS`] (of all of it, if it is shorter), canaries and
    /// frequencies against their own medians, pauses of every stretch.
    pub fn of(moments: &[Moment], cpus: u32) -> Idle {
        let readings: Vec<Readings> =
            windows(moments).iter().map(|window| of_window(window, cpus)).collect();
        let canaries_ns: Vec<f64> =
            moments.iter().filter_map(|m| Some(m.canary_ns? as f64)).collect();
        let frequencies: Vec<f64> = moments.iter().filter_map(|m| m.frequency_hz).collect();
        let drops = against_median(&frequencies).into_iter().map(|ratio| (1.0 - ratio).max(0.0));
        let drops: Vec<f64> = drops.collect();
        let spreads = PerSignal::from_fn(|signal| match signal {
            Signal::Canary => spread(&against_median(&canaries_ns)),
            Signal::FrequencyDrop => spread(&drops),
            _ => {
                let values = readings.iter().filter_map(|r| r.get(signal));
                spread(&values.collect::<Vec<_>>())
            }
        });
        let t_ns = |moment: Option<&Moment>| moment.map_or(0, |moment| moment.counters.t_ns);
        let wall_ns = t_ns(moments.last()).saturating_sub(t_ns(moments.first()));
        Idle { wall_ns, canary_ns: median(&canaries_ns), spreads }
    }

    /// The values of this signal.
    pub fn spread(&self, signal: Signal) -> Option<Spread> {
        self.spreads.get(signal)
    }

    /// The values that thresholds are compared with.
    pub fn p95(&self) -> Readings {
        Readings::from_fn(|signal| Some(self.spread(signal)?.p95))
    }
}

/// Every stretch that is long enough, or all of it.
fn windows(moments: &[Moment]) -> Vec<&[Moment]> {
    let long_enough = |window: &[Moment], last: &Moment| {
        last.counters.t_ns.saturating_sub(window[0].counters.t_ns) >= JUDGED_NS
    };
    let from = |start: usize| {
        let rest = &moments[start..];
        let end = rest.iter().position(|last| long_enough(rest, last))?;
        Some(&rest[..=end])
    };
    let windows: Vec<&[Moment]> = (0..moments.len()).filter_map(from).collect();
    if windows.is_empty() && moments.len() > 1 { vec![moments] } else { windows }
}

fn of_window(window: &[Moment], cpus: u32) -> Readings {
    let [first, rest @ ..] = window else {
        return Readings::default();
    };
    let last = rest.last().unwrap_or(first);
    let span = last.counters.since(&first.counters);
    let pause = rest.iter().filter_map(|m| m.vm_pause_ns).max();
    Readings::of(&span, cpus).with(Signal::VmPause, pause.map(|ns| ns as f64))
}

/// Each value over the median of all.
fn against_median(values: &[f64]) -> Vec<f64> {
    let Some(middle) = median(values).filter(|middle| *middle > 0.0) else {
        return Vec::new();
    };
    values.iter().map(|value| value / middle).collect()
}

fn spread(values: &[f64]) -> Option<Spread> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (median, max) = (median(&sorted)?, *sorted.last()?);
    Some(Spread { median, p95: nearest_rank(&sorted, P::P95)?, max })
}

#[cfg(test)]
mod tests {
    use super::super::counters::Counts;
    use super::super::judge::{Adapted, Thresholds};
    use super::super::text::CpuTimes;
    use super::*;

    const MS: u64 = 1_000_000;

    /// One moment per 100 ms of a machine with two processors, of which somebody else used
    /// `busy(i)` ms in the interval that ends at moment `i`.
    fn moments(n: u64, busy_ms: impl Fn(u64) -> u64) -> Vec<Moment> {
        let mut cpu = CpuTimes::default();
        (0..=n)
            .map(|i| {
                let busy_ns = if i == 0 { 0 } else { busy_ms(i) * MS };
                cpu.busy_ns += busy_ns;
                cpu.idle_ns += 200 * MS - busy_ns;
                Moment {
                    counters: Counters {
                        t_ns: i * 100 * MS,
                        counts: Counts { cpu: Some(cpu), ..Counts::default() },
                    },
                    vm_pause_ns: Some(if i == 30 { 15 * MS } else { 1 }),
                    canary_ns: (i % 5 == 0).then_some(if i == 10 { 1_100 } else { 1_000 }),
                    frequency_hz: None,
                }
            })
            .collect()
    }

    #[test]
    fn rates_are_those_of_stretches_that_are_long_enough() {
        // A tenth of a second in which one of two processors was taken: a tenth of half a second.
        let idle = Idle::of(&moments(100, |i| if i == 50 { 100 } else { 0 }), 2);
        assert_eq!(idle.wall_ns, 10_000 * MS);
        let foreign = idle.spread(Signal::ForeignCpu).unwrap();
        assert_eq!((foreign.median, foreign.max), (0.0, 0.1));
        assert_eq!(idle.spread(Signal::Steal).unwrap().max, 0.0);
        assert_eq!(idle.spread(Signal::FrequencyDrop), None);
        assert_eq!(idle.spread(Signal::MemPressure), None);
        assert_eq!(idle.spread(Signal::VmPause).unwrap().max, 15e6);
        assert_eq!(idle.spread(Signal::Canary).unwrap().max, 1.1);
        assert_eq!(idle.canary_ns, Some(1_000.0));
    }

    #[test]
    fn a_busy_neighbour_raises_the_thresholds() {
        let idle = Idle::of(&moments(40, |_| 20), 2);
        let Adapted { thresholds, raised, .. } = Thresholds::new(2).raised_to(&idle.p95(), 2);
        // The only canary that was slow is one of nine, and so within their 95 %.
        assert_eq!(raised, [Signal::ForeignCpu, Signal::Canary, Signal::VmPause]);
        let warn = thresholds.get(Signal::ForeignCpu).unwrap().warn;
        assert!((warn - 0.15).abs() < 1e-9, "{warn}");
    }

    #[test]
    fn too_short_a_time_is_one_stretch_and_none_says_nothing() {
        let idle = Idle::of(&moments(5, |_| 100), 2);
        assert_eq!(idle.spread(Signal::ForeignCpu).unwrap().p95, 0.5);
        for few in [&[][..], &moments(0, |_| 0)] {
            let idle = Idle::of(few, 2);
            assert_eq!(idle.wall_ns, 0);
            assert_eq!(idle.spread(Signal::ForeignCpu), None);
        }
    }
}
