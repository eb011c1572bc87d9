//! The kernel's accounting files: text in, numbers out. No text makes these panic, and a
//! text that is not understood is `None`, which becomes "unavailable" and never a zero.

/// The kernel's unit of time in `/proc/stat`, in ns. It is `USER_HZ`, 100 on every architecture
/// that this builds for, independent of the kernel's own tick.
pub const TICK_NS: u64 = 10_000_000;

/// Time of all processors together since boot, in ns, in whole [`TICK_NS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CpuTimes {
    /// User, nice, system and interrupts.
    pub busy_ns: u64,
    /// Idle and waiting for input or output.
    pub idle_ns: u64,
    /// The hypervisor ran another guest while a processor of this machine wanted to run.
    pub steal_ns: u64,
}

/// The first line of `/proc/stat`. The times of guests are in user time already.
pub fn cpu_times(stat: &str) -> Option<CpuTimes> {
    let mut words = stat.lines().next()?.split_ascii_whitespace();
    if words.next()? != "cpu" {
        return None;
    }
    let ticks = words.take(8).map(|word| word.parse::<u64>().ok()).collect::<Option<Vec<u64>>>()?;
    // Kernels before 2.6.11 have no steal; nothing else is ever left out.
    let [user, nice, system, idle, iowait, irq, softirq, ref rest @ ..] = ticks[..] else {
        return None;
    };
    let ns = |ticks: &[u64]| {
        let sum = ticks.iter().try_fold(0_u64, |sum, t| sum.checked_add(*t));
        sum?.checked_mul(TICK_NS)
    };
    Some(CpuTimes {
        busy_ns: ns(&[user, nice, system, irq, softirq])?,
        idle_ns: ns(&[idle, iowait])?,
        steal_ns: ns(rest)?,
    })
}

/// How many processors `/proc/stat` counts.
pub fn cpu_count(stat: &str) -> u32 {
    let is_one = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    u32::try_from(stat.lines().filter(is_one).count()).unwrap_or(u32::MAX)
}

/// The time so far, in ns, for which tasks were held up: `total=` of a file in `/proc/pressure`,
/// in its line `some` (at least one task was) or `full` (all tasks were).
pub fn pressure_ns(text: &str, line: &str) -> Option<u64> {
    let line = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '))?;
    let total = line.split_ascii_whitespace().find_map(|word| word.strip_prefix("total="))?;
    total.parse::<u64>().ok()?.checked_mul(1_000)
}

/// Pages read back from swap so far: `pswpin` of `/proc/vmstat`.
pub fn swap_in_pages(vmstat: &str) -> Option<u64> {
    vmstat.lines().find_map(|line| line.strip_prefix("pswpin "))?.trim().parse().ok()
}

/// How a control group's CPU quota has bitten so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Throttled {
    /// Periods in which the quota was spent.
    pub periods: u64,
    /// Time for which processors were taken from the group, in ns, added up over processors.
    pub ns: u64,
}

/// A group's `cpu.stat`, of version 1 (`throttled_time`, in ns) or 2 (`throttled_usec`); `None`
/// where the group counts neither, as the root of version 2 and groups without a CPU controller.
pub fn throttled(stat: &str) -> Option<Throttled> {
    let field = |name: &str| -> Option<u64> {
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok();
        stat.lines().find_map(value)
    };
    let in_us = || field("throttled_usec")?.checked_mul(1_000);
    let ns = field("throttled_time").or_else(in_us)?;
    Some(Throttled { periods: field("nr_throttled")?, ns })
}

/// The time so far, in ns, for which a thread was ready and another one ran: the second number
/// of a `schedstat` file.
pub fn run_queue_delay_ns(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STAT: &str = "cpu  10 20 30 400 50 6 7 8 9 10\ncpu0 5 10 15 200 25 3 3 4 0 0\n\
                        cpu1 5 10 15 200 25 3 4 4 0 0\nintr 5 0\nctxt 7\ncpufreq 1\n";

    #[test]
    fn busy_is_all_but_idle_steal_and_guests_twice() {
        let times =
            CpuTimes { busy_ns: 73 * TICK_NS, idle_ns: 450 * TICK_NS, steal_ns: 8 * TICK_NS };
        assert_eq!(cpu_times(STAT), Some(times));
        assert_eq!(cpu_count(STAT), 2);
    }

    #[test]
    fn what_is_not_understood_is_no_zero() {
        for text in ["", "cpu", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 4 5 6 -7 8"] {
            assert_eq!(cpu_times(text), None, "{text:?}");
        }
        let most = u64::MAX;
        assert_eq!(cpu_times(&format!("cpu {most} 1 1 1 1 1 1 1")), None);
        assert_eq!(pressure_ns("", "some"), None);
        assert_eq!(pressure_ns("some avg10=0.00", "some"), None);
        assert_eq!(swap_in_pages("pgpgin 5\n"), None);
        assert_eq!(run_queue_delay_ns("12"), None);
    }

    #[test]
    fn pressure_swap_and_delay_are_found_where_they_stand() {
        let text = "some avg10=0.66 avg60=5.58 avg300=39.04 total=933\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        assert_eq!(pressure_ns(text, "some"), Some(933_000));
        assert_eq!(pressure_ns(text, "full"), Some(7_000));
        // Before Linux 5.13 there is no `full` of processors.
        assert_eq!(pressure_ns(&text[..46], "full"), None);
        let vmstat = "pgpgin 9\npswpin 12\npswpout 13\n";
        assert_eq!(swap_in_pages(vmstat), Some(12));
        assert_eq!(run_queue_delay_ns("55003 45417 2\n"), Some(45_417));
    }

    #[test]
    fn throttling_is_read_from_both_versions() {
        let v1 = "nr_periods 51\nnr_throttled 31\nthrottled_time 1550123456\nnr_bursts 0\n";
        let expected = Throttled { periods: 31, ns: 1_550_123_456 };
        assert_eq!(throttled(v1), Some(expected));
        let v2 = "usage_usec 99\nuser_usec 9\nsystem_usec 90\nnr_periods 51\n\
                  nr_throttled 31\nthrottled_usec 1550123\nnr_bursts 0\nburst_usec 0\n";
        let expected = Throttled { periods: 31, ns: 1_550_123_000 };
        assert_eq!(throttled(v2), Some(expected));
        let root = "usage_usec 99\nuser_usec 9\nsystem_usec 90\n";
        let torn = "nr_periods 1\nnr_throttled 1\nthrottled_time x\n";
        let too_long = "nr_throttled 1\nthrottled_usec 18446744073709551615\n";
        for text in ["", root, torn, too_long, "nr_throttled 5\n"] {
            assert_eq!(throttled(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in ".{0,200}") {
            all(&text);
        }

        #[test]
        fn nor_does_one_that_looks_right(
            text in "(cpu[0-9]{0,2}|some|full|pswpin|nr_throttled|throttled_usec)( (total=)?[0-9]{0,22}){0,12}\n{0,2}"
        ) {
            all(&text);
        }
    }

    fn all(text: &str) {
        let _ = cpu_times(text);
        let _ = cpu_count(text);
        let _ = pressure_ns(text, "some");
        let _ = pressure_ns(text, "full");
        let _ = swap_in_pages(text);
        let _ = run_queue_delay_ns(text);
        let _ = throttled(text);
    }
}
