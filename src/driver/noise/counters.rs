//! The machine's counters at one moment, and what they counted between two.

use super::text::CpuTimes;

/// Counts since boot, or in a span. `None` is a count that this machine lacks, here or
/// at either end of the span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Of all processors together.
    pub cpu: Option<CpuTimes>,
    /// CPU time of this process and of all descendants that have been reaped.
    pub own_cpu_ns: u64,
    /// Time for which some task waited for a processor.
    pub cpu_stall_ns: Option<u64>,
    /// Time for which some task waited for memory.
    pub mem_stall_ns: Option<u64>,
    /// Time for which all tasks waited for input or output.
    pub io_stall_ns: Option<u64>,
    /// Pages read back from swap.
    pub swap_in_pages: Option<u64>,
    /// Times that a processor was slowed down for its heat.
    pub throttles: Option<u64>,
    /// Time for which this process's main thread was ready and did not run.
    pub run_queue_delay_ns: Option<u64>,
    /// Periods in which a control group of this process had spent its CPU quota.
    pub throttled_periods: Option<u64>,
    /// Time for which it was stopped for that, added up over processors.
    pub throttled_ns: Option<u64>,
}

impl Counts {
    fn zip(&self, other: &Counts, f: fn(u64, u64) -> u64) -> Counts {
        let both = |a: Option<u64>, b: Option<u64>| Some(f(a?, b?));
        let cpu = self.cpu.zip(other.cpu).map(|(a, b)| CpuTimes {
            busy_ns: f(a.busy_ns, b.busy_ns),
            idle_ns: f(a.idle_ns, b.idle_ns),
            steal_ns: f(a.steal_ns, b.steal_ns),
        });
        Counts {
            cpu,
            own_cpu_ns: f(self.own_cpu_ns, other.own_cpu_ns),
            cpu_stall_ns: both(self.cpu_stall_ns, other.cpu_stall_ns),
            mem_stall_ns: both(self.mem_stall_ns, other.mem_stall_ns),
            io_stall_ns: both(self.io_stall_ns, other.io_stall_ns),
            swap_in_pages: both(self.swap_in_pages, other.swap_in_pages),
            throttles: both(self.throttles, other.throttles),
            run_queue_delay_ns: both(self.run_queue_delay_ns, other.run_queue_delay_ns),
            throttled_periods: both(self.throttled_periods, other.throttled_periods),
            throttled_ns: both(self.throttled_ns, other.throttled_ns),
        }
    }
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// When, `CLOCK_MONOTONIC`.
    pub t_ns: u64,
    /// Since boot, or since this process began.
    pub counts: Counts,
}

/// Counts between two moments, or in several such spans together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Length.
    pub wall_ns: u64,
    /// In it.
    pub counts: Counts,
}

impl Counters {
    /// Counts since `earlier`; a counter that went back (idle time may, by a tick)
    /// counted nothing.
    #[must_use]
    pub fn since(&self, earlier: &Counters) -> Span {
        Span {
            wall_ns: self.t_ns.saturating_sub(earlier.t_ns),
            counts: self.counts.zip(&earlier.counts, u64::saturating_sub),
        }
    }
}

impl Span {
    /// Both together, as if they were one.
    #[must_use]
    pub fn plus(&self, other: &Span) -> Span {
        Span {
            wall_ns: self.wall_ns.saturating_add(other.wall_ns),
            counts: self.counts.zip(&other.counts, u64::saturating_add),
        }
    }

    /// Share of the processors' time that the hypervisor gave to other guests.
    pub fn steal_ratio(&self, cpus: u32) -> Option<f64> {
        self.share(self.counts.cpu?.steal_ns, cpus)
    }

    /// Share of the processors' time that programs other than the own trees used; 0 where the
    /// ticks say less than the own trees used.
    ///
    /// Busy time is known in two ways, each wrong in a way of its own: added up from ticks, which
    /// a program that wakes with the tick can dodge or attract; and as the rest of the wall
    /// clock without idle time and steal, which also holds the time of a machine that stood still
    /// as a whole. The lesser of the two is taken, so that neither fault alone raises a flag.
    pub fn foreign_cpu_ratio(&self, cpus: u32) -> Option<f64> {
        let cpu = self.counts.cpu?;
        let all_ns = self.wall_ns.saturating_mul(u64::from(cpus));
        let not_idle_ns = all_ns.saturating_sub(cpu.idle_ns).saturating_sub(cpu.steal_ns);
        let busy_ns = cpu.busy_ns.min(not_idle_ns);
        self.share(busy_ns.saturating_sub(self.counts.own_cpu_ns), cpus)
    }

    /// Share of the span for which some task waited for memory.
    pub fn mem_pressure_ratio(&self) -> Option<f64> {
        self.share(self.counts.mem_stall_ns?, 1)
    }

    /// Share of the span for which all tasks waited for input or output.
    pub fn io_pressure_ratio(&self) -> Option<f64> {
        self.share(self.counts.io_stall_ns?, 1)
    }

    fn share(&self, part_ns: u64, cpus: u32) -> Option<f64> {
        let whole_ns = self.wall_ns as f64 * f64::from(cpus);
        // At most 1, which ticks at the edges of a short span may exceed.
        (whole_ns > 0.0).then(|| (part_ns as f64 / whole_ns).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const S: u64 = 1_000_000_000;

    fn span(busy_ns: u64, idle_ns: u64, steal_ns: u64, own_cpu_ns: u64) -> Span {
        let cpu = CpuTimes { busy_ns, idle_ns, steal_ns };
        Span { wall_ns: 2 * S, counts: Counts { cpu: Some(cpu), own_cpu_ns, ..Counts::default() } }
    }

    #[test]
    fn foreign_is_what_is_busy_and_not_own() {
        let loaded = span(3 * S, S, 0, 2 * S);
        assert_eq!(loaded.foreign_cpu_ratio(2), Some(0.25));
        assert_eq!(span(2 * S, 2 * S, 0, 2 * S).foreign_cpu_ratio(2), Some(0.0));
        assert_eq!(span(S, 3 * S, 0, 2 * S).foreign_cpu_ratio(2), Some(0.0));
        assert_eq!(Span::default().foreign_cpu_ratio(2), None);
    }

    #[test]
    fn neither_a_pause_of_the_machine_nor_ticks_alone_are_foreign() {
        // One second of four in which nothing was counted at all.
        assert_eq!(span(2 * S, S, 0, 2 * S).foreign_cpu_ratio(2), Some(0.0));
        // Ticks that found a program at work more often than it was.
        assert_eq!(span(3 * S, 2 * S, 0, 2 * S).foreign_cpu_ratio(2), Some(0.0));
        // Stolen time is no foreign program's.
        let stolen = span(3 * S, 0, S, 3 * S);
        assert_eq!(stolen.foreign_cpu_ratio(2), Some(0.0));
        assert_eq!(stolen.steal_ratio(2), Some(0.25));
    }

    #[test]
    fn a_missing_counter_stays_missing() {
        let at = |t_ns: u64, io_stall_ns: Option<u64>| Counters {
            t_ns,
            counts: Counts { io_stall_ns, ..Counts::default() },
        };
        let with = at(2 * S, Some(S));
        assert_eq!(with.since(&at(0, None)).io_pressure_ratio(), None);
        let zero = at(0, Some(0));
        let span = with.since(&zero);
        assert_eq!(span.io_pressure_ratio(), Some(0.5));
        assert_eq!(span.plus(&Span::default()).io_pressure_ratio(), None);
        assert_eq!(span.plus(&span).io_pressure_ratio(), Some(0.5));
    }

    proptest! {
        #[test]
        fn ratios_are_ratios(
            busy: u64, idle: u64, steal: u64, own: u64, wall: u64, cpus in 0_u32..5000,
        ) {
            let mut span = span(busy, idle, steal, own);
            span.wall_ns = wall;
            span.counts.mem_stall_ns = Some(busy);
            let twice = span.plus(&span);
            for span in [span, twice] {
                for ratio in [
                    span.steal_ratio(cpus),
                    span.foreign_cpu_ratio(cpus),
                    span.mem_pressure_ratio(),
                ] {
                    prop_assert!(ratio.is_none_or(|r| (0.0..=1.0).contains(&r)), "{ratio:?}");
                }
            }
        }
    }
}
