//! The columns of an open loop and of probes, and whether a trial's numbers may be used: pure.

use crate::driver::load::{Measured, Traffic, probe};
use crate::record::{Status, TrialRow, Validity};
use crate::stats::quantile::P;

/// A generator this late may be blamed for the response times.
const LATE_NS: u64 = 1_000_000;

/// Fills in the offered load, and judges it.
pub fn fill_traffic(row: &mut TrialRow, traffic: &Traffic, measured: &Measured) {
    row.n_offered = Some(traffic.offered);
    row.n_completed = Some(traffic.completed);
    row.n_in_time = (!row.slo.is_empty()).then_some(measured.in_time);
    row.n_unanswered = Some(traffic.unanswered);
    row.n_rejected_by_driver = Some(traffic.rejected);
    row.achieved_rate_per_s = Some(traffic.achieved_rate_per_s());
    row.lateness_p50_ns = traffic.lateness_ns(0.5);
    row.lateness_p99_ns = traffic.lateness_ns(0.99);
    row.lateness_max_ns = traffic.lateness_max_ns();
    let lost = traffic.offered.saturating_sub(row.n_ok);
    let saturated = traffic.is_saturated(lost);
    row.saturated = Some(saturated.into());
    row.in_flight_mean = Some(traffic.in_flight_mean());
    row.in_flight_start = Some(traffic.in_flight_start);
    row.in_flight_end = Some(traffic.in_flight_end);
    row.in_flight_peak = Some(traffic.in_flight_peak);
    row.littles_law_ratio = traffic.littles_law_ratio();
    if row.status != Status::Ok {
        return;
    }
    if let Some((flag, reason)) = distrust(row, saturated) {
        row.validity = Validity::Invalid;
        row.reason = reason;
        add_flag(row, flag);
    }
}

/// Adds a word to the flags.
pub fn add_flag(row: &mut TrialRow, flag: &str) {
    let flags = [row.flags.as_str(), flag];
    row.flags = flags.into_iter().filter(|f| !f.is_empty()).collect::<Vec<_>>().join(";");
}

/// Why the numbers may not be used, as a flag and in words: the generator did not do what it says.
fn distrust(row: &TrialRow, saturated: bool) -> Option<(&'static str, String)> {
    let (rate, achieved) = (row.rate_per_s?, row.achieved_rate_per_s?);
    let due = rate * row.window_ns? as f64 / 1e9;
    let allowed = 0.01 + 3.0 / due.sqrt();
    // Rejected requests are not sent, and into a full machine the driver cannot send at its rate:
    // that the machine is full is then all that the trial says.
    let sends_all = !saturated && row.n_rejected_by_driver == Some(0);
    if sends_all && (achieved / rate - 1.0).abs() > allowed {
        let reason = format!("sent {achieved:.1} requests per second instead of {rate:.1}");
        return Some(("wrong_rate", reason));
    }
    // On a machine that is full the generator is late with everybody else; that the machine is
    // full is then all that the trial says, and lateness does not change it.
    let late = row.lateness_p99_ns?;
    let allowed = LATE_NS.max(row.response_p50_ns.unwrap_or(0) / 20);
    (late > allowed && !saturated).then(|| {
        let [late_ms, allowed_ms] = [late, allowed].map(|ns| ns as f64 / 1e6);
        let reason =
            format!("the generator was late: p99 {late_ms:.2} ms, allowed {allowed_ms:.2} ms");
        ("generator_late", reason)
    })
}

/// Fills in what the probes met.
pub fn fill_probes(row: &mut TrialRow, met: &probe::Met) {
    let probe::Met { unloaded, loaded } = met;
    row.n_probes = Some(loaded.sorted_ns.len() as u64);
    row.n_probes_failed = Some(loaded.failed);
    row.probe_p50_ns = loaded.quantile_ns(P::P50);
    row.probe_p95_ns = loaded.quantile_ns(P::P95);
    row.probe_p99_ns = loaded.quantile_ns(P::P99);
    row.probe_max_ns = loaded.max_ns();
    row.probe_over_100ms_ratio = loaded.over_100ms_ratio();
    row.probe_over_1s_ratio = loaded.over_1s_ratio();
    row.probe_gap_max_ns = loaded.gap_max_ns;
    row.probe_unloaded_p50_ns = unloaded.quantile_ns(P::P50);
    row.probe_unloaded_p95_ns = unloaded.quantile_ns(P::P95);
    row.probe_unloaded_p99_ns = unloaded.quantile_ns(P::P99);
    row.probe_unloaded_max_ns = unloaded.max_ns();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row about which nothing is wrong: 1 000 requests in 10 s.
    fn row() -> TrialRow {
        TrialRow {
            status: Status::Ok,
            rate_per_s: Some(100.0),
            achieved_rate_per_s: Some(100.0),
            window_ns: Some(10_000_000_000),
            n_rejected_by_driver: Some(0),
            lateness_p99_ns: Some(LATE_NS),
            response_p50_ns: Some(5_000_000),
            ..TrialRow::default()
        }
    }

    #[test]
    fn a_generator_that_does_what_it_says_is_trusted() {
        assert_eq!(distrust(&row(), false), None);
        let slow = TrialRow {
            lateness_p99_ns: Some(4_000_000),
            response_p50_ns: Some(80_000_000),
            ..row()
        };
        assert_eq!(distrust(&slow, false), None, "5 % of the median");
    }

    #[test]
    fn a_wrong_rate_and_lateness_are_not() {
        let wrong_rate = TrialRow { achieved_rate_per_s: Some(85.0), ..row() };
        assert!(distrust(&wrong_rate, false).unwrap().1.contains("sent 85.0"));
        assert_eq!(distrust(&wrong_rate, true), None, "saturated: said already");
        let late = TrialRow { lateness_p99_ns: Some(LATE_NS + 1), ..row() };
        assert!(distrust(&late, false).unwrap().0.contains("late"));
        assert_eq!(distrust(&late, true), None, "saturated: said already");
    }
}
