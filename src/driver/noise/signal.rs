//! The signals that may disturb a trial from outside: one table, and one value of each.

use Kind::{CoreShare, Event, TimeShare};

use serde::{Deserialize, Serialize};

use super::counters::Span;

/// A disturbance from outside. Of each, more is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Signal {
    /// Share of the processors' time that the hypervisor gave to others.
    Steal,
    /// Share of the processors' time that other programs used.
    ForeignCpu,
    /// A fixed piece of work before or after the trial, over its time at the run's start.
    Canary,
    /// The longest time, in ns, for which nothing ran and no run queue explains it.
    VmPause,
    /// How far the frequency fell, as a share of that at the run's start.
    FrequencyDrop,
    /// Times that a processor was slowed down for its heat.
    Throttle,
    /// Share of the time for which some task waited for memory.
    MemPressure,
    /// Pages read back from swap.
    SwapIn,
    /// Share of the time for which all tasks waited for input or output.
    IoPressure,
    /// Periods in which a control group had spent its CPU quota and was stopped.
    QuotaThrottled,
}

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A share of the time of all processors. Limits are parts of one core, since one core is what
    /// most trials use.
    CoreShare,
    /// A share of the time.
    TimeShare,
    /// A value or a number of events of the trial itself.
    Event,
}

/// A line of the table.
#[derive(Debug, Clone, Copy)]
struct Definition {
    /// As in flags.
    name: &'static str,
    /// In a few words, for people.
    summary: &'static str,
    kind: Kind,
    limits: Limits,
    /// Up to where a limit may be raised to the idle machine's level: beyond it, the limit would
    /// let real disturbances pass, and the signal is not watched. Without a cap it is never raised:
    /// heat, swapping and a quota that bites are wrong at any level.
    cap: Option<f64>,
}

/// Two limits; a value is bad if it is above.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Above: [`Level::Warn`](super::judge::Level::Warn).
    pub warn: f64,
    /// Above: [`Level::Disturbed`](super::judge::Level::Disturbed).
    pub disturbed: f64,
}

/// The signals in the order of their numbers. Limits are those of a machine that is quiet when it
/// is idle: where a single trial is visibly off.
const TABLE: [Definition; Signal::ALL.len()] = [
    of(CoreShare, "steal", "taken by the hypervisor", [0.05, 0.1], Some(0.5)),
    of(CoreShare, "foreign_cpu", "used by other programs", [0.1, 0.25], Some(0.5)),
    of(Event, "canary", "fixed work, against its median", [1.05, 1.1], Some(1.25)),
    of(Event, "vm_pause", "longest stand-still", [10e6, 20e6], Some(50e6)),
    of(Event, "freq", "frequency below its median", [0.05, 0.1], Some(0.25)),
    of(Event, "throttle", "slowed down for heat", [0.0, 0.0], None),
    of(TimeShare, "mem_pressure", "waiting for memory", [0.01, 0.05], Some(0.25)),
    // 100 pages take about 10 ms to be read.
    of(Event, "swap_in", "pages read back from swap", [0.0, 100.0], None),
    of(TimeShare, "io_pressure", "waiting for disks", [0.02, 0.1], Some(0.25)),
    of(Event, "quota_throttled", "periods stopped by a CPU quota", [0.0, 0.0], None),
];

const fn of(
    kind: Kind,
    name: &'static str,
    summary: &'static str,
    [warn, disturbed]: [f64; 2],
    cap: Option<f64>,
) -> Definition {
    Definition { name, summary, kind, limits: Limits { warn, disturbed }, cap }
}

impl Signal {
    /// All of them, in the order of their numbers.
    pub const ALL: [Signal; 10] = [
        Signal::Steal,
        Signal::ForeignCpu,
        Signal::Canary,
        Signal::VmPause,
        Signal::FrequencyDrop,
        Signal::Throttle,
        Signal::MemPressure,
        Signal::SwapIn,
        Signal::IoPressure,
        Signal::QuotaThrottled,
    ];

    fn definition(self) -> &'static Definition {
        &TABLE[self as usize]
    }

    /// As in flags.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// In a few words, for people.
    pub fn summary(self) -> &'static str {
        self.definition().summary
    }

    /// The limits on a machine with `cpus` processors that is quiet when it is idle.
    pub fn limits(self, cpus: u32) -> Limits {
        let Limits { warn, disturbed } = self.definition().limits;
        let unit = self.unit(cpus);
        Limits { warn: warn * unit, disturbed: disturbed * unit }
    }

    /// Up to where these may be raised, if they may.
    pub fn cap(self, cpus: u32) -> Option<f64> {
        Some(self.definition().cap? * self.unit(cpus))
    }

    /// One core, for shares of all of them.
    fn unit(self, cpus: u32) -> f64 {
        match self.definition().kind {
            CoreShare => 1.0 / f64::from(cpus.max(1)),
            TimeShare | Event => 1.0,
        }
    }

    /// A value with its unit, in as many digits as a decision needs. Shares of processor time are
    /// shown as shares of one core, as they are judged.
    pub fn shown(self, value: f64, cpus: u32) -> String {
        match (self, self.definition().kind) {
            (_, CoreShare) => {
                format!("{:.0} % of a core", value * f64::from(cpus) * 100.0)
            }
            (_, TimeShare) => format!("{:.0} % of the time waiting", value * 100.0),
            (Signal::Canary, _) => format!("{value:.2} times the median of the fixed work"),
            (Signal::VmPause, _) => format!("pauses of {:.0} ms", value / 1e6),
            (Signal::FrequencyDrop, _) => {
                format!("{:.0} % below its own frequency", value * 100.0)
            }
            _ => format!("{value:.0}"),
        }
    }

    /// Whether it is counted over a time, and so needs [`JUDGED_NS`](super::judge::JUDGED_NS) of
    /// it.
    pub fn is_rate(self) -> bool {
        self.definition().kind != Event
    }

    /// Its value on a machine on which nothing disturbs.
    pub fn calm(self) -> f64 {
        if self == Signal::Canary { 1.0 } else { 0.0 }
    }
}

/// One value per signal, where there is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PerSignal<T>([Option<T>; Signal::ALL.len()]);

/// The measured value of each signal.
pub type Readings = PerSignal<f64>;

impl<T: Copy> Default for PerSignal<T> {
    fn default() -> PerSignal<T> {
        PerSignal([None; Signal::ALL.len()])
    }
}

impl<T: Copy> PerSignal<T> {
    /// The value that `of` has for each.
    pub fn from_fn(of: impl FnMut(Signal) -> Option<T>) -> PerSignal<T> {
        PerSignal(Signal::ALL.map(of))
    }

    /// The value of this signal.
    pub fn get(&self, signal: Signal) -> Option<T> {
        self.0[signal as usize]
    }

    /// The same with this signal set.
    #[must_use]
    pub fn with(mut self, signal: Signal, value: Option<T>) -> PerSignal<T> {
        self.0[signal as usize] = value;
        self
    }
}

impl Readings {
    /// The readings of counters: the rates, heat, swapping and quotas.
    pub fn of(span: &Span, cpus: u32) -> Readings {
        let counts = &span.counts;
        Readings::from_fn(|signal| match signal {
            Signal::Steal => span.steal_ratio(cpus),
            Signal::ForeignCpu => span.foreign_cpu_ratio(cpus),
            Signal::MemPressure => span.mem_pressure_ratio(),
            Signal::IoPressure => span.io_pressure_ratio(),
            Signal::Throttle => counts.throttles.map(|n| n as f64),
            Signal::SwapIn => counts.swap_in_pages.map(|n| n as f64),
            Signal::QuotaThrottled => counts.throttled_periods.map(|n| n as f64),
            Signal::Canary | Signal::VmPause | Signal::FrequencyDrop => None,
        })
    }

    /// Events of `self`, rates of `rates` (none if that is `None`).
    pub fn with_rates_of(&self, rates: Option<&Readings>) -> Readings {
        Readings::from_fn(|signal| match signal.is_rate() {
            true => rates?.get(signal),
            false => self.get(signal),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_stand_in_the_order_of_their_numbers() {
        for (index, signal) in Signal::ALL.into_iter().enumerate() {
            assert_eq!(signal as usize, index);
            let variant = format!("{signal:?}").to_lowercase();
            let name = signal.name().replace('_', "");
            assert!(variant.starts_with(&name), "{variant} is `{name}` in the table");
        }
    }
}
