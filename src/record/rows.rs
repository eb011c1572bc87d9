//! The rows of a run's CSV files, one struct per file. Field order is column order, and the unit
//! is the end of the name: `_ns`, `_bytes`, `_per_s`. Empty means missing.

use serde::{Deserialize, Serialize};

/// One row of `trials.csv`: one attempt at one trial, with all its factors, so that the file can
/// be used alone. The columns are explained one by one in `results/README.md`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "every column has its sentence in results/README.md, which a test holds complete"
)]
pub struct TrialRow {
    pub run_id: String,
    pub trial_id: String,
    pub attempt: u32,
    pub family_id: String,
    pub block: u32,
    pub position: u32,
    pub role: String,
    pub runtime: String,
    pub workload: String,
    pub size: String,
    pub strategy: String,
    pub options: String,
    pub regime: String,
    pub callers: Option<u32>,
    pub rate_per_s: Option<f64>,
    pub workers: Option<u32>,
    pub placement: String,
    pub payload_bytes: u64,
    pub ballast_bytes: u64,
    pub seed: u64,
    pub started_utc: String,
    pub status: String,
    pub reason: String,
    pub validity: String,
    pub flags: String,
    pub ready_ns: Option<u64>,
    pub first_response_ns: Option<u64>,
    pub window_ns: Option<u64>,
    pub n_ok: u64,
    pub n_app_error: u64,
    pub n_crash: u64,
    pub n_timeout: u64,
    pub n_rejected: u64,
    pub n_wrong_answer: u64,
    pub throughput_per_s: Option<f64>,
    pub response_p50_ns: Option<u64>,
    pub response_p90_ns: Option<u64>,
    pub response_p99_ns: Option<u64>,
    pub response_max_ns: Option<u64>,
    pub service_p50_ns: Option<u64>,
    pub service_p90_ns: Option<u64>,
    pub service_p99_ns: Option<u64>,
    pub transport_p50_ns: Option<u64>,
    pub queue_p50_ns: Option<u64>,
    pub creation_p50_ns: Option<u64>,
    pub load_p50_ns: Option<u64>,
    pub work_p50_ns: Option<u64>,
    pub return_p50_ns: Option<u64>,
    pub reap_p50_ns: Option<u64>,
    pub cpu_user_ns: Option<u64>,
    pub cpu_system_ns: Option<u64>,
    pub driver_cpu_ns: Option<u64>,
    pub faults_minor: Option<u64>,
    pub faults_major: Option<u64>,
    pub ctx_voluntary: Option<u64>,
    pub ctx_involuntary: Option<u64>,
    pub children_started: Option<u64>,
    pub children_peak: Option<u64>,
    pub checksum: String,
    // Behind the pinned columns, in the order in which parts were added.
    pub workload_options: String,
    pub n_served: Option<u64>,
    pub tasks: Option<u32>,
    pub acknowledged_p50_ns: Option<u64>,
    pub acknowledged_p90_ns: Option<u64>,
    pub noise_span_ns: Option<u64>,
    pub noise_steal_ratio: Option<f64>,
    pub noise_foreign_cpu_ratio: Option<f64>,
    pub noise_canary_ratio: Option<f64>,
    pub noise_vm_pause_ns: Option<u64>,
    pub noise_mem_pressure_ratio: Option<f64>,
    pub noise_io_pressure_ratio: Option<f64>,
    pub noise_freq_ratio: Option<f64>,
    pub noise_runq_delay_ns: Option<u64>,
    pub noise_label: String,
    pub noise_flags: String,
    // Of an open loop.
    pub rate_of_capacity: Option<f64>,
    pub capacity_per_s: Option<f64>,
    pub arrivals: String,
    pub slo: String,
    pub n_offered: Option<u64>,
    pub n_completed: Option<u64>,
    pub n_in_time: Option<u64>,
    pub n_unanswered: Option<u64>,
    pub n_rejected_by_driver: Option<u64>,
    pub achieved_rate_per_s: Option<f64>,
    pub lateness_p50_ns: Option<u64>,
    pub lateness_p99_ns: Option<u64>,
    pub lateness_max_ns: Option<u64>,
    pub saturated: String,
    pub in_flight_mean: Option<f64>,
    pub in_flight_start: Option<u64>,
    pub in_flight_end: Option<u64>,
    pub in_flight_peak: Option<u64>,
    pub littles_law_ratio: Option<f64>,
    // Of light probes.
    pub probe: String,
    pub n_probes: Option<u64>,
    pub n_probes_failed: Option<u64>,
    pub probe_p50_ns: Option<u64>,
    pub probe_p95_ns: Option<u64>,
    pub probe_p99_ns: Option<u64>,
    pub probe_max_ns: Option<u64>,
    pub probe_over_100ms_ratio: Option<f64>,
    pub probe_over_1s_ratio: Option<f64>,
    pub probe_gap_max_ns: Option<u64>,
    pub probe_unloaded_p50_ns: Option<u64>,
    pub probe_unloaded_p95_ns: Option<u64>,
    pub probe_unloaded_p99_ns: Option<u64>,
    pub probe_unloaded_max_ns: Option<u64>,
    pub pass: Option<u32>,
    // Of a runtime that watches its own event loop.
    pub event_loop_delay_p50_ns: Option<u64>,
    pub event_loop_delay_p99_ns: Option<u64>,
    pub event_loop_delay_max_ns: Option<u64>,
    pub event_loop_busy_ratio: Option<f64>,
    pub deadline_ns: Option<u64>,
    // Of an idle round trip, and what follows from it.
    pub delivery_p50_ns: Option<u64>,
    pub idle_outbound_ns: Option<u64>,
    pub idle_inbound_ns: Option<u64>,
    pub response_mean_ns: Option<u64>,
    pub alive_ns: Option<u64>,
    // Of a CPU quota.
    pub throttled_periods: Option<u64>,
    pub throttled_ns: Option<u64>,
    // Of the window alone, and of what lies outside it.
    pub window_cpu_ns: Option<u64>,
    #[serde(default)]
    pub cpu_source: String,
    pub n_not_ok_outside: Option<u64>,
    #[serde(default)]
    pub label: String,
}

impl TrialRow {
    /// Which pass over its block of its family, from 1.
    pub fn pass_number(&self) -> u32 {
        self.pass.unwrap_or(1)
    }

    /// The name of its file of requests, without an ending: that of the trial, and from the
    /// second attempt on the attempt's number behind it.
    pub fn requests_name(&self) -> String {
        match self.attempt {
            0 | 1 => self.trial_id.clone(),
            attempt => format!("{}-{attempt}", self.trial_id),
        }
    }

    /// Requests that completed inside the window, whatever their outcome.
    pub fn n_completed_in_window(&self) -> u64 {
        let outcomes = self.n_ok
            + self.n_app_error
            + self.n_crash
            + self.n_timeout
            + self.n_rejected
            + self.n_wrong_answer;
        // An open loop's outcomes are of requests that were due in the window.
        self.n_completed.unwrap_or(outcomes)
    }

    /// Whether a closed loop's window holds two rounds of callers, without which it may lie within
    /// one burst of answers and has neither rate nor quantile. Today's driver ends no window
    /// before; files of older ones have such rows.
    pub fn holds_two_rounds(&self) -> bool {
        self.callers.is_none_or(|callers| self.n_completed_in_window() >= 2 * u64::from(callers))
    }
}

/// One row of `calibration.csv`: one trial whose only purpose is to find a rate or an objective
/// for other trials.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "every column has its sentence in results/README.md, which a test holds complete"
)]
pub struct CalibrationRow {
    pub run_id: String,
    pub calibration_id: String,
    pub purpose: String,
    pub runtime: String,
    pub workload: String,
    pub workload_options: String,
    pub size: String,
    pub payload_bytes: u64,
    pub ballast_bytes: u64,
    pub placement: String,
    pub strategy: String,
    pub callers: Option<u32>,
    pub started_utc: String,
    pub status: String,
    pub reason: String,
    pub window_ns: Option<u64>,
    pub n_ok: u64,
    pub throughput_per_s: Option<f64>,
    pub response_p50_ns: Option<u64>,
    pub noise_label: String,
    pub noise_flags: String,
}

/// One row of `load_points.csv`: one arm at one rate, over all blocks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "every column has its sentence in results/README.md, which a test holds complete"
)]
pub struct LoadPointRow {
    pub run_id: String,
    pub load_id: String,
    pub role: String,
    pub strategy: String,
    pub options: String,
    pub rate_per_s: f64,
    pub rate_of_capacity: Option<f64>,
    pub n_trials: u64,
    pub n_offered: u64,
    pub throughput_per_s: Option<f64>,
    pub response_p50_ns: Option<u64>,
    pub response_p99_ns: Option<u64>,
    pub service_p50_ns: Option<u64>,
    pub in_time_ratio: Option<f64>,
    pub slo: String,
    pub saturated: String,
    pub meets_slo: String,
    pub limit_per_s: Option<f64>,
    pub limit_above_per_s: Option<f64>,
    #[serde(default)]
    pub label: String,
}

/// One row of `noise.csv`: what the machine's counters counted in one interval of about 100 ms.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "every column has its sentence in results/README.md, which a test holds complete"
)]
pub struct NoiseRow {
    pub run_id: String,
    pub t_ns: u64,
    pub interval_ns: u64,
    pub trial_id: String,
    pub cpus: u32,
    pub busy_ns: Option<u64>,
    pub idle_ns: Option<u64>,
    pub steal_ns: Option<u64>,
    pub own_cpu_ns: u64,
    pub cpu_stall_ns: Option<u64>,
    pub mem_stall_ns: Option<u64>,
    pub io_stall_ns: Option<u64>,
    pub swap_in_pages: Option<u64>,
    pub vm_pause_ns: Option<u64>,
    pub runq_delay_ns: Option<u64>,
    pub sampler_cpu_ns: u64,
}

/// One row of `memory.csv`: one process at one moment, or the sum of its tree.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "every column has its sentence in results/README.md, which a test holds complete"
)]
pub struct MemoryRow {
    pub run_id: String,
    pub trial_id: String,
    pub snapshot: u32,
    pub phase: String,
    pub t_ns: Option<u64>,
    pub k: u32,
    pub runtime: String,
    pub strategy: String,
    pub role: String,
    pub pid: u32,
    pub ppid: Option<u32>,
    pub rss_bytes: Option<u64>,
    pub pss_bytes: Option<u64>,
    pub pss_anon_bytes: Option<u64>,
    pub pss_file_bytes: Option<u64>,
    pub pss_shmem_bytes: Option<u64>,
    pub uss_bytes: Option<u64>,
    pub vmhwm_bytes: Option<u64>,
    pub page_tables_bytes: Option<u64>,
    pub threads: Option<u64>,
    pub source: String,
    pub status: String,
    pub reason: String,
    // Behind the pinned columns.
    pub attempt: u32,
    pub family_id: String,
    pub block: u32,
    pub trial_role: String,
    pub workload: String,
    pub workload_options: String,
    pub size: String,
    pub options: String,
    pub placement: String,
    pub payload_bytes: u64,
    pub ballast_bytes: u64,
    pub swap_pss_bytes: Option<u64>,
    pub hugetlb_bytes: Option<u64>,
    // Of `tree` only.
    pub processes: Option<u64>,
    pub processes_unread: Option<u64>,
    pub ready_all_ns: Option<u64>,
    pub sweep_ns: Option<u64>,
    pub cgroup_usage_bytes: Option<u64>,
    pub cgroup_peak_bytes: Option<u64>,
    pub cgroup_kernel_bytes: Option<u64>,
    pub cgroup_anon_bytes: Option<u64>,
    pub cgroup_reason: String,
    pub mem_total_bytes: Option<u64>,
    pub mem_available_bytes: Option<u64>,
    pub mem_available_start_bytes: Option<u64>,
    pub flags: String,
    #[serde(default)]
    pub label: String,
}

/// One row of `requests/<trial_id>.csv.zst`: one request with all its stamps
/// (`CLOCK_MONOTONIC`, ns). Empty stamps did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "every column has its sentence in results/README.md, which a test holds complete"
)]
pub struct RequestRow {
    pub id: u64,
    pub intended_ns: u64,
    pub sent_ns: u64,
    pub accepted_ns: Option<u64>,
    pub dispatched_ns: Option<u64>,
    pub child_start_ns: Option<u64>,
    pub work_start_ns: Option<u64>,
    pub work_end_ns: Option<u64>,
    pub replied_ns: Option<u64>,
    pub done_ns: u64,
    pub reaped_ns: Option<u64>,
    pub outcome: Option<crate::protocol::Outcome>,
    pub child_pid: Option<u32>,
    /// How many requests this one stands for: 1 while all are kept; above 1 for the uniform
    /// sample of a long trial; 0 for a request that is kept only because it was among the
    /// slowest.
    pub weight: f64,
    /// When the driver had the word that the request was accepted, where one is sent before the
    /// answer.
    pub acknowledged_ns: Option<u64>,
    /// What an idle round trip takes outbound, in ns, but never more than accepted − sent. `None`
    /// where none was measured.
    pub transport_out_ns: Option<u64>,
    /// The same inbound, never more than done − replied.
    pub transport_in_ns: Option<u64>,
}

/// The columns of a file of requests behind those of [`RequestRow`]: which trial they are of, so
/// that the rows of several files can stand in one table. The same in every row of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "every column has its sentence in results/README.md, which a test holds complete"
)]
pub struct RequestOf {
    pub trial_id: String,
    pub attempt: u32,
}

impl RequestRow {
    /// From the intended start to the driver having the answer, in ns.
    pub fn response_ns(&self) -> u64 {
        self.done_ns.saturating_sub(self.intended_ns)
    }

    /// All that the server makes a caller wait for, in ns: replied − sent without the outbound
    /// transport. A request that waits unread in the socket while the server works is waiting.
    pub fn service_ns(&self) -> Option<u64> {
        self.served_by(self.replied_ns?)
    }

    /// From the request's arrival at the server to its dispatch, in ns.
    pub fn queue_ns(&self) -> Option<u64> {
        self.served_by(self.dispatched_ns?)
    }

    fn served_by(&self, at_ns: u64) -> Option<u64> {
        let arrived_ns = self.sent_ns.saturating_add(self.transport_out_ns?);
        Some(at_ns.saturating_sub(arrived_ns))
    }

    /// Both ways between driver and subject, in ns.
    pub fn transport_ns(&self) -> Option<u64> {
        Some(self.transport_out_ns?.saturating_add(self.transport_in_ns?))
    }

    /// For how long the answer waited for the driver, beyond the inbound transport, in ns.
    pub fn delivery_ns(&self) -> Option<u64> {
        let inbound_ns = self.done_ns.saturating_sub(self.replied_ns?);
        Some(inbound_ns.saturating_sub(self.transport_in_ns?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_of_less_than_two_rounds_is_told_by_its_count_alone() {
        let row = |callers, n_ok, n_timeout| TrialRow {
            callers,
            n_ok,
            n_timeout,
            throughput_per_s: Some(46.9),
            ..TrialRow::default()
        };
        // Rate times response time would be the number of callers in each of these.
        assert!(!row(Some(100), 136, 0).holds_two_rounds());
        assert!(!row(Some(100), 198, 1).holds_two_rounds());
        assert!(row(Some(100), 198, 2).holds_two_rounds());
        assert!(row(None, 1, 0).holds_two_rounds(), "an open loop has no callers");
    }
}
