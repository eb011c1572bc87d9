//! The tables of open loops: `calibration.csv`, which rates come from, and `load_points.csv`, which
//! is derived from the trials at these rates.

use super::SIZES;
use crate::experiment::{Placement, Role};
use crate::record::columns::{Utc, table};
use crate::record::words::{NoiseLabel, Status, YesNo};

table! {
    CALIBRATION "calibration.csv", key ["calibration_id"],
    /// One trial that finds the rate or the objective of other trials, or one measurement of
    /// their work.
    pub struct CalibrationRow {
        /// The run, as in `manifest.json`.
        run_id: String,
        /// Names the trial: `c0001`; for work `w0001`.
        calibration_id: String,
        /// `capacity`: how many requests per second `blocking` answers when it never waits for one;
        /// rates are shares of the median. `unloaded`: how long it takes for one request at a time;
        /// the default objective is ten times the median. `work`: how much work a millisecond is in
        /// this runtime. It is not a trial; the result is in `workload_options`, as in the trials
        /// that do this work.
        purpose: String = &["capacity", "unloaded", "work"],
        /// As in `trials.csv`.
        runtime: String,
        /// As in `trials.csv`.
        workload: String,
        /// As in `trials.csv`.
        workload_options: String as Option<String>,
        /// As in `trials.csv`.
        size: String = SIZES,
        /// As in `trials.csv`.
        payload_bytes: u64,
        /// As in `trials.csv`.
        ballast_bytes: u64,
        /// As in `trials.csv`.
        placement: Placement,
        /// Always `blocking`.
        strategy: String,
        /// Callers of the closed loop.
        callers: Option<u32>,
        /// When the trial began, by the wall clock.
        started_utc: String as Utc,
        /// As in `trials.csv`.
        status: Status,
        /// As in `trials.csv`.
        reason: String as Option<String>,
        /// As in `trials.csv`.
        window_ns: Option<u64>,
        /// As in `trials.csv`.
        n_ok: u64,
        /// As in `trials.csv`.
        throughput_per_s: Option<f64>,
        /// As in `trials.csv`.
        response_p50_ns: Option<u64>,
        /// As in `trials.csv`.
        noise_label: Option<NoiseLabel>,
        /// As in `trials.csv`.
        noise_flags: String as Option<String>,
    }
}

table! {
    LOAD_POINTS "load_points.csv", key ["load_id", "role", "strategy", "options", "rate_per_s"],
    /// One arm at one rate of an open loop, over all its trials.
    pub struct LoadPointRow {
        /// The run, as in `manifest.json`.
        run_id: String,
        /// All but the rate: workload, runtime, surroundings and arrivals. An arm's rows with one
        /// id are one curve.
        load_id: String,
        /// As in `trials.csv`.
        role: Role,
        /// As in `trials.csv`.
        strategy: String,
        /// As in `trials.csv`.
        options: String as Option<String>,
        /// Requests offered per second.
        rate_per_s: f64,
        /// As in `trials.csv`.
        rate_of_capacity: Option<f64>,
        /// Trials at this rate that are valid, or that failed under it. A failed trial counts as
        /// saturated, and none of its requests as in time.
        n_trials: u64,
        /// Requests offered in these trials, all together.
        n_offered: u64,
        /// Median over trials of the ok answers per second.
        throughput_per_s: Option<f64>,
        /// Median over trials of the median response time.
        response_p50_ns: Option<u64>,
        /// Median over trials of the p99; empty unless every trial has one.
        response_p99_ns: Option<u64>,
        /// Median over trials of the median service time.
        service_p50_ns: Option<u64>,
        /// Share of `n_offered` that was answered ok within the objective's time.
        in_time_ratio: Option<f64>,
        /// The objective, as in `trials.csv`.
        slo: String as Option<String>,
        /// Whether at least half of the trials were saturated.
        saturated: YesNo,
        /// Whether `in_time_ratio` reaches the objective's share, the arm was not saturated, and no
        /// trial failed.
        meets_slo: YesNo,
        /// The arm's limit, the same in all its rows: the highest rate up to which it met the
        /// objective at every rate. Empty if it met it at none.
        limit_per_s: Option<f64>,
        /// The next higher rate, at which it missed the objective: the limit lies between the two.
        /// Empty if it met the objective at all rates.
        limit_above_per_s: Option<f64>,
        /// The arm's short name, as in `plan.csv`; to group rows by.
        label: String as Option<String>,
    }
}
