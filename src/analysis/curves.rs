//! Open loops: how long requests take at each rate, and the highest rate of every arm that meets the
//! objective.

use std::collections::BTreeSet;

use super::attempts::usable;
use super::cells::Analysed;
use super::distribution::Distributions;
use super::families::{self, ArmKey};
use super::grouped::grouped;
use super::load_points::load_id;
use crate::record::{LoadPointRow, Role, Status, TrialRow, YesNo};
use crate::stats::quantile::{P, median};

/// Families that differ in their rate only: a curve per arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// As in `load_points.csv`.
    pub id: String,
    /// Workload, runtime and arrivals in words.
    pub title: String,
    /// The objective, such as `p99<50ms`; empty if there is none.
    pub slo: String,
    /// Requests per second that `blocking` answered in the closed loop that rates are shares of.
    pub capacity_per_s: Option<f64>,
    /// The reference, the placebo, then in the order of [`crate::strategy::ALL`]; an arm without a
    /// usable trial has no points.
    pub arms: Vec<LoadArm>,
}

/// One arm at all its rates.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadArm {
    /// Unique among the arms.
    pub label: String,
    /// Name of the strategy.
    pub strategy: String,
    /// `reference`, `placebo` or `arm`.
    pub role: Role,
    /// Rates ascending.
    pub points: Vec<Point>,
    /// The highest rate up to which every rate met the objective.
    pub limit_per_s: Option<f64>,
    /// The next higher rate, which missed it.
    pub missed_per_s: Option<f64>,
    /// Processors that the work kept busy at the limit, without the driver.
    pub cores_at_limit: Option<f64>,
    /// Why there are no points; empty if there are.
    pub reason: String,
}

/// One arm at one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Requests offered per second.
    pub rate_per_s: f64,
    /// Trials at this rate.
    pub n_trials: u64,
    /// Requests offered in them.
    pub n_offered: u64,
    /// Requests answered ok per second of the window.
    pub ok_per_s: Option<f64>,
    /// Median over trials of the median response.
    pub p50_ns: Option<f64>,
    /// Of the requests of all trials together, from 1 000 on and if all were answered.
    pub p99_ns: Option<f64>,
    /// Share of the offered requests that was answered within the objective's time.
    pub in_time_ratio: Option<f64>,
    /// The backlog grew until the end in half of the trials or more.
    pub is_saturated: bool,
    /// The objective was met.
    pub meets_slo: bool,
}

impl Curves {
    /// Whether a search tried rates between those of the grid, which the placebo does not have.
    pub fn is_searched_without_placebo(&self) -> bool {
        let rates = |is_placebo: bool| -> Vec<f64> {
            let arms = self.arms.iter();
            let arms = arms.filter(|arm| (arm.role == Role::Placebo) == is_placebo);
            arms.flat_map(|arm| &arm.points).map(|point| point.rate_per_s).collect()
        };
        let (of_placebo, of_others) = (rates(true), rates(false));
        !of_placebo.is_empty() && of_others.iter().any(|rate| !of_placebo.contains(rate))
    }
}

impl LoadArm {
    /// Its point at the limit.
    pub fn at_limit(&self) -> Option<&Point> {
        let limit = self.limit_per_s?;
        self.points.iter().find(|point| point.rate_per_s == limit)
    }
}

/// The open loops of a run without probes, in the order in which they were run. `rows` are those
/// that count, and `points` are made of them.
pub fn of(
    rows: &[&TrialRow],
    points: &[LoadPointRow],
    families: &[Analysed<'_>],
    distributions: &Distributions,
) -> Vec<Curves> {
    let rows = rows.iter().copied().filter(|row| is_open(row));
    let loads = grouped(rows.map(|row| (load_id(row), row))).into_iter();
    let curves = loads.map(|(id, own)| {
        let keys: BTreeSet<ArmKey> = own.iter().map(|row| ArmKey::of_row(row)).collect();
        let pool = Pool { id: &id, families, distributions };
        let labels = families::labels(keys.iter());
        let arms = keys.iter().zip(labels).map(|(key, label)| arm(key, label, &own, points, &pool));
        let mut objectives = own.iter().map(|row| row.slo.as_str());
        Curves {
            title: title(own[0]),
            slo: objectives.find(|slo| !slo.is_empty()).unwrap_or_default().to_owned(),
            capacity_per_s: own.iter().find_map(|row| row.capacity_per_s),
            arms: arms.collect(),
            id: id.clone(),
        }
    });
    curves.collect()
}

fn is_open(row: &TrialRow) -> bool {
    !row.arrivals.is_empty() && row.probe.is_empty() && row.status != Status::Partial
}

fn title(row: &TrialRow) -> String {
    let bare = TrialRow { rate_per_s: None, callers: None, ..row.clone() };
    format!("{} · open loop, {} arrivals", families::title(&bare), row.arrivals)
}

fn arm(
    key: &ArmKey,
    label: String,
    rows: &[&TrialRow],
    points: &[LoadPointRow],
    pool: &Pool<'_>,
) -> LoadArm {
    let rows: Vec<&TrialRow> =
        rows.iter().copied().filter(|row| ArmKey::of_row(row) == *key).collect();
    let is_own = |point: &&LoadPointRow| {
        let arm = (point.role, &point.strategy, &point.options);
        point.load_id == pool.id && arm == (key.role(), &key.name, &key.options)
    };
    let own: Vec<&LoadPointRow> = points.iter().filter(is_own).collect();
    let limit_per_s = own.first().and_then(|point| point.limit_per_s);
    let reason = match own.is_empty() {
        true => {
            let mut reasons = rows.iter().map(|row| row.reason.as_str());
            reasons.find(|reason| !reason.is_empty()).unwrap_or("no trial may be used")
        }
        false => "",
    };
    LoadArm {
        label,
        strategy: key.name.clone(),
        role: key.role(),
        limit_per_s,
        missed_per_s: own.first().and_then(|point| point.limit_above_per_s),
        cores_at_limit: limit_per_s.and_then(|rate_per_s| cores(&at(&rows, rate_per_s))),
        reason: reason.to_owned(),
        points: own.into_iter().map(|p| point(p, &at(&rows, p.rate_per_s), key, pool)).collect(),
    }
}

/// Usable trials of an arm at a rate.
fn at<'a>(rows: &[&'a TrialRow], rate_per_s: f64) -> Vec<&'a TrialRow> {
    let of_rate = |row: &&&TrialRow| row.rate_per_s == Some(rate_per_s) && usable(row);
    rows.iter().filter(of_rate).copied().collect()
}

fn point(row: &LoadPointRow, trials: &[&TrialRow], key: &ArmKey, pool: &Pool<'_>) -> Point {
    let is_lost =
        |row: &&TrialRow| row.n_unanswered.unwrap_or(0) + row.n_rejected_by_driver.unwrap_or(0) > 0;
    // Those that collapsed are not among the trials.
    let lost = trials.iter().any(is_lost) || (trials.len() as u64) < row.n_trials;
    let p99_ns = match (trials, lost) {
        (_, true) => None,
        ([alone], false) => alone.response_p99_ns.map(|ns| ns as f64),
        (_, false) => pool.p99_ns(key, row.rate_per_s),
    };
    Point {
        rate_per_s: row.rate_per_s,
        n_trials: row.n_trials,
        n_offered: row.n_offered,
        ok_per_s: row.throughput_per_s,
        p50_ns: row.response_p50_ns.map(|ns| ns as f64),
        p99_ns,
        in_time_ratio: row.in_time_ratio,
        is_saturated: row.saturated == YesNo::Yes,
        meets_slo: row.meets_slo == YesNo::Yes,
    }
}

/// CPU time of the window over the window's length.
fn cores(trials: &[&TrialRow]) -> Option<f64> {
    let per_trial = |row: &&TrialRow| {
        let window_ns = row.window_ns.filter(|ns| *ns > 0)?;
        Some(row.window_cpu_ns? as f64 / window_ns as f64)
    };
    median(&trials.iter().filter_map(per_trial).collect::<Vec<f64>>())
}

/// The requests of a curve's families.
struct Pool<'a> {
    id: &'a str,
    families: &'a [Analysed<'a>],
    distributions: &'a Distributions,
}

impl Pool<'_> {
    fn p99_ns(&self, key: &ArmKey, rate_per_s: f64) -> Option<f64> {
        let place = self.families.iter().position(|family| {
            let first = family.rows.rows.iter().find(|row| row.rate_per_s == Some(rate_per_s));
            first.is_some_and(|row| is_open(row) && load_id(row) == self.id)
        })?;
        let arm = self.families[place].rows.arms.iter().position(|arm| arm.key == *key)?;
        self.distributions.families.get(place)?.get(arm)?.pooled(P::P99)
    }
}
