//! First come, first served with any number of servers: the wait of each request by the times that
//! were really drawn, and the stationary mean for comparison.
//!
//! Live measurements are checked against [`fifo_waits_ns`] and not against the theory, because a
//! queue at 90 % needs minutes to show its mean; the theory checks [`fifo_waits_ns`] in
//! simulation.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One request as it was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// When it arrives, in ns on any clock.
    pub arrival_ns: u64,
    /// How long it occupies a server, in ns.
    pub service_ns: u64,
}

/// How long each request waits before its service begins, in ns, in the order given, which is the
/// order of arrival. Kiefer and Wolfowitz's recursion, with one server Lindley's: the next request
/// gets the server that is free first. `servers` is at least 1.
pub fn fifo_waits_ns(offered: &[Offered], servers: usize) -> Vec<u64> {
    debug_assert!(offered.is_sorted_by_key(|request| request.arrival_ns));
    let mut free_at_ns: BinaryHeap<Reverse<u64>> = vec![Reverse(0); servers].into();
    let serve = |request: &Offered| {
        let mut next = free_at_ns.peek_mut()?;
        let start_ns = next.0.max(request.arrival_ns);
        next.0 = start_ns + request.service_ns;
        Some(start_ns - request.arrival_ns)
    };
    offered.iter().map_while(serve).collect()
}

/// Erlang C: the stationary mean wait of M/M/c in mean service times, for `servers >= 1` at a
/// `utilization` in 0 to 1; `None` where there is no stationary state (Kleinrock, *Queueing
/// Systems* I, section 3.5).
pub fn mean_wait_mmc(servers: u32, utilization: f64) -> Option<f64> {
    if servers == 0 || !(0.0..1.0).contains(&utilization) {
        return None;
    }
    let load = f64::from(servers) * utilization;
    // Erlang B by its recursion, which neither overflows nor cancels as factorials do.
    let blocked = (1..=servers)
        .fold(1.0, |blocked, server| load * blocked / (f64::from(server) + load * blocked));
    let waits = blocked / (1.0 - utilization * (1.0 - blocked));
    Some(waits / (f64::from(servers) * (1.0 - utilization)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits_ns(offered: &[(u64, u64)], servers: usize) -> Vec<u64> {
        let offered: Vec<_> = offered
            .iter()
            .map(|&(arrival_ns, service_ns)| Offered { arrival_ns, service_ns })
            .collect();
        fifo_waits_ns(&offered, servers)
    }

    #[test]
    fn waits_by_hand() {
        let offered = [(0, 10), (1, 10), (2, 1), (30, 5)];
        assert_eq!(waits_ns(&offered, 1), [0, 9, 18, 0]);
        assert_eq!(waits_ns(&offered, 2), [0, 0, 8, 0]);
        assert_eq!(waits_ns(&offered, 3), [0, 0, 0, 0]);
        assert_eq!(waits_ns(&offered, 0), Vec::<u64>::new());
    }

    #[test]
    fn erlang_c_is_the_tabulated_one() {
        for (servers, expected) in [
            (1, [1.0, 2.33, 4.0, 9.0]),
            (2, [0.333, 0.961, 1.78, 4.26]),
            (4, [0.087, 0.357, 0.746, 1.97]),
            (8, [0.015, 0.113, 0.286, 0.877]),
        ] {
            for (utilization, wait) in [0.5, 0.7, 0.8, 0.9].into_iter().zip(expected) {
                let got = mean_wait_mmc(servers, utilization).unwrap();
                assert!((got - wait).abs() < 0.006, "M/M/{servers} at {utilization}: {got}");
            }
        }
        assert_eq!(mean_wait_mmc(2, 1.0), None);
        assert_eq!(mean_wait_mmc(0, 0.5), None);
        assert_eq!(mean_wait_mmc(1, 0.0), Some(0.0));
    }
}
