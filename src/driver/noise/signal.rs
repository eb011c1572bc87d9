//! What may disturb a trial from outside, and one value of each.

use super::counters::Span;

/// What may disturb a trial from outside. Of each, more is worse.
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

    /// As in flags.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Steal => "steal",
            Signal::ForeignCpu => "foreign_cpu",
            Signal::Canary => "canary",
            Signal::VmPause => "vm_pause",
            Signal::FrequencyDrop => "freq",
            Signal::Throttle => "throttle",
            Signal::MemPressure => "mem_pressure",
            Signal::SwapIn => "swap_in",
            Signal::IoPressure => "io_pressure",
            Signal::QuotaThrottled => "quota_throttled",
        }
    }

    /// In a few words, for people.
    pub fn summary(self) -> &'static str {
        match self {
            Signal::Steal => "taken by the hypervisor",
            Signal::ForeignCpu => "used by other programs",
            Signal::Canary => "fixed work, against its median",
            Signal::VmPause => "longest stand-still",
            Signal::FrequencyDrop => "frequency below its median",
            Signal::Throttle => "slowed down for heat",
            Signal::MemPressure => "waiting for memory",
            Signal::SwapIn => "pages read back from swap",
            Signal::IoPressure => "waiting for disks",
            Signal::QuotaThrottled => "periods stopped by a CPU quota",
        }
    }

    /// A value with its unit, in as many digits as a decision needs. Shares of processor time are
    /// shown as shares of one core, as they are judged.
    pub fn shown(self, value: f64, cpus: u32) -> String {
        match self {
            Signal::Steal | Signal::ForeignCpu => {
                format!("{:.0} % of a core", value * f64::from(cpus) * 100.0)
            }
            Signal::Canary => format!("{value:.2} times the median of the fixed work"),
            Signal::VmPause => format!("pauses of {:.0} ms", value / 1e6),
            Signal::FrequencyDrop => format!("{:.0} % below its own frequency", value * 100.0),
            Signal::Throttle | Signal::SwapIn | Signal::QuotaThrottled => format!("{value:.0}"),
            Signal::MemPressure | Signal::IoPressure => {
                format!("{:.0} % of the time waiting", value * 100.0)
            }
        }
    }

    /// Whether it is counted over a time, and so needs [`JUDGED_NS`](super::judge::JUDGED_NS) of
    /// it.
    pub fn is_rate(self) -> bool {
        matches!(
            self,
            Signal::Steal | Signal::ForeignCpu | Signal::MemPressure | Signal::IoPressure
        )
    }

    /// Its value on a machine on which nothing disturbs.
    pub fn calm(self) -> f64 {
        if self == Signal::Canary { 1.0 } else { 0.0 }
    }

    /// Whether thresholds may be raised to the idle machine's own level. Heat, swapping and a
    /// quota that bites are wrong at any level.
    pub(super) fn may_be_raised(self) -> bool {
        !matches!(self, Signal::Throttle | Signal::SwapIn | Signal::QuotaThrottled)
    }
}

/// One value per signal, where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Readings {
    values: [Option<f64>; Signal::ALL.len()],
}

impl Readings {
    /// The value of this signal.
    pub fn get(&self, signal: Signal) -> Option<f64> {
        self.values[signal as usize]
    }

    /// The same with this signal set.
    #[must_use]
    pub fn with(mut self, signal: Signal, value: Option<f64>) -> Readings {
        self.values[signal as usize] = value;
        self
    }

    /// What counters tell: the rates, heat, swapping and quotas.
    pub fn of(span: &Span, cpus: u32) -> Readings {
        Readings::default()
            .with(Signal::Steal, span.steal_ratio(cpus))
            .with(Signal::ForeignCpu, span.foreign_cpu_ratio(cpus))
            .with(Signal::Throttle, span.counts.throttles.map(|n| n as f64))
            .with(Signal::MemPressure, span.mem_pressure_ratio())
            .with(Signal::SwapIn, span.counts.swap_in_pages.map(|n| n as f64))
            .with(Signal::IoPressure, span.io_pressure_ratio())
            .with(Signal::QuotaThrottled, span.counts.throttled_periods.map(|n| n as f64))
    }

    /// Events of `self`, rates of `rates` (none if that is `None`).
    pub(super) fn with_rates_of(&self, rates: Option<&Readings>) -> Readings {
        Signal::ALL.into_iter().fold(*self, |readings, signal| {
            if signal.is_rate() {
                readings.with(signal, rates.and_then(|rates| rates.get(signal)))
            } else {
                readings
            }
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
        }
    }
}
