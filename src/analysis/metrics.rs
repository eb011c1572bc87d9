//! The metrics of an arm: each with its unit, its good direction, and how a trial gives it.

use crate::record::TrialRow;
use crate::stats::verdict::Better;

/// A number of a trial.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// As in `cells.csv` and `comparisons.csv`, unit last.
    pub name: &'static str,
    /// As in `cells.csv`.
    pub unit: &'static str,
    /// Which direction is good.
    pub better: Better,
    /// Whether one block without the value leaves the arm without it. Blocks lack a high quantile
    /// when they were slow, so a median of the others would flatter.
    pub needs_every_block: bool,
    /// From a usable trial.
    pub value: fn(&TrialRow) -> Option<f64>,
}

/// What a caller waits, in the middle.
pub const RESPONSE_P50: &str = "response_p50_ns";
/// What the server makes a caller wait for, in the middle.
pub const SERVICE_P50: &str = "service_p50_ns";
/// How many are served.
pub const THROUGHPUT: &str = "throughput_per_s";

/// Every metric, in the order of the files.
pub const METRICS: &[Metric] = &[
    time(RESPONSE_P50, false, |r| float(r.response_p50_ns)),
    time("response_p90_ns", true, |r| float(r.response_p90_ns)),
    time("response_p99_ns", true, |r| float(r.response_p99_ns)),
    time(SERVICE_P50, false, |r| float(r.service_p50_ns)),
    time("service_p90_ns", true, |r| float(r.service_p90_ns)),
    time("service_p99_ns", true, |r| float(r.service_p99_ns)),
    Metric {
        name: THROUGHPUT,
        unit: "1/s",
        better: Better::Higher,
        needs_every_block: false,
        value: |r| r.throughput_per_s,
    },
    time("first_response_ns", false, |r| float(r.first_response_ns)),
    time("ready_ns", false, |r| float(r.ready_ns)),
    time("cpu_per_request_ns", false, cpu_per_request_ns),
];

/// Numbers of trials that have no rows in the derived files of families, for claims.
pub const BESIDE: &[Metric] = &[
    time("queue_p50_ns", false, |r| float(r.queue_p50_ns)),
    time("creation_p50_ns", false, |r| float(r.creation_p50_ns)),
    time("load_p50_ns", false, |r| float(r.load_p50_ns)),
    time("work_p50_ns", false, |r| float(r.work_p50_ns)),
    time("return_p50_ns", false, |r| float(r.return_p50_ns)),
    time("delivery_p50_ns", false, |r| float(r.delivery_p50_ns)),
    time("acknowledged_p50_ns", false, |r| float(r.acknowledged_p50_ns)),
    time("probe_p50_ns", false, |r| float(r.probe_p50_ns)),
    time("probe_p95_ns", true, |r| float(r.probe_p95_ns)),
    time("probe_max_ns", false, |r| float(r.probe_max_ns)),
    time("probe_gap_max_ns", false, |r| float(r.probe_gap_max_ns)),
    time("probe_unloaded_p50_ns", false, |r| float(r.probe_unloaded_p50_ns)),
    Metric {
        name: "probe_over_100ms_ratio",
        unit: "1",
        better: Better::Lower,
        needs_every_block: false,
        value: |r| r.probe_over_100ms_ratio,
    },
];

const fn time(
    name: &'static str,
    needs_every_block: bool,
    value: fn(&TrialRow) -> Option<f64>,
) -> Metric {
    Metric { name, unit: "ns", better: Better::Lower, needs_every_block, value }
}

fn float(ns: Option<u64>) -> Option<f64> {
    ns.map(|ns| ns as f64)
}

/// CPU time of the subject's tree in the window, by the requests that completed in it.
fn cpu_per_request_ns(row: &TrialRow) -> Option<f64> {
    let completed = row.n_completed_in_window();
    let cpu_ns = row.window_cpu_ns.filter(|_| completed > 0)?;
    Some(cpu_ns as f64 / completed as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_of_the_window_is_divided_by_the_requests_of_the_window() {
        let row = TrialRow {
            // From READY to the end, with start and stop of every worker.
            cpu_user_ns: Some(3_000),
            cpu_system_ns: Some(1_000),
            n_served: Some(8),
            window_cpu_ns: Some(200),
            n_ok: 3,
            n_crash: 1,
            ..TrialRow::default()
        };
        assert_eq!(cpu_per_request_ns(&row), Some(50.0));
        let open = TrialRow { n_completed: Some(5), ..row.clone() };
        assert_eq!(cpu_per_request_ns(&open), Some(40.0));
        let unread = TrialRow { window_cpu_ns: None, ..row.clone() };
        assert_eq!(cpu_per_request_ns(&unread), None);
        let none = TrialRow { n_ok: 0, n_crash: 0, ..row };
        assert_eq!(cpu_per_request_ns(&none), None);
    }
}
