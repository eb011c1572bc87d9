//! What open loops say of every arm: how long requests take at each rate, and the highest rate
//! that still meets the objective.

use std::collections::BTreeSet;

use crate::record::load_points::{load_id, load_points};
use crate::record::{LoadPointRow, Run, TrialRow};
use crate::stats::quantile::{P, median};

use super::analyse::Analysed;
use super::distribution::Distributions;
use super::grouped::{self, ArmKey};

/// Everything at one load but the rate: a curve per arm.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curves {
    /// As in `load_points.csv`.
    pub(super) id: String,
    /// Workload, runtime and arrivals in words.
    pub(super) title: String,
    /// Such as `p99<50ms`; empty if there is none.
    pub(super) slo: String,
    /// What `blocking` answered in the closed loop that rates are shares of.
    pub(super) capacity_per_s: Option<f64>,
    /// The reference, the placebo, then in the order of [`crate::strategy::ALL`]; one without a
    /// usable trial has no points.
    pub(super) arms: Vec<LoadArm>,
}

/// One arm at all its rates.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LoadArm {
    /// Unique among the arms.
    pub(super) label: String,
    /// Name of the strategy.
    pub(super) strategy: String,
    /// `reference`, `placebo` or `arm`.
    pub(super) role: String,
    /// Rates ascending.
    pub(super) points: Vec<Point>,
    /// The highest rate at which it, as at every lower one, met the objective.
    pub(super) limit_per_s: Option<f64>,
    /// The next higher one, at which it did not.
    pub(super) missed_per_s: Option<f64>,
    /// Processors that its work kept busy at the limit, the driver's not counted.
    pub(super) cores_at_limit: Option<f64>,
    /// Why there are no points; empty if there are.
    pub(super) reason: String,
}

/// One arm at one rate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    /// Offered.
    pub(super) rate_per_s: f64,
    pub(super) n_trials: u64,
    pub(super) n_offered: u64,
    /// Answered ok inside the window.
    pub(super) ok_per_s: Option<f64>,
    /// Median over trials of the median response.
    pub(super) p50_ns: Option<f64>,
    /// Of the requests of all trials together, from 1 000 on and if all were answered.
    pub(super) p99_ns: Option<f64>,
    /// Share of the requests offered that was answered in the objective's time.
    pub(super) in_time_ratio: Option<f64>,
    pub(super) is_saturated: bool,
    pub(super) meets_slo: bool,
}

impl Curves {
    /// A search looked for the limits between the rates of the grid, and no placebo has one.
    pub(super) fn is_searched_without_placebo(&self) -> bool {
        let rates = |is_placebo: bool| -> Vec<f64> {
            let arms = self.arms.iter();
            let arms = arms.filter(|arm| (arm.role == "placebo") == is_placebo);
            arms.flat_map(|arm| &arm.points).map(|point| point.rate_per_s).collect()
        };
        let (of_placebo, of_others) = (rates(true), rates(false));
        !of_placebo.is_empty() && of_others.iter().any(|rate| !of_placebo.contains(rate))
    }
}

impl LoadArm {
    /// Its point at the limit.
    pub(super) fn at_limit(&self) -> Option<&Point> {
        let limit = self.limit_per_s?;
        self.points.iter().find(|point| point.rate_per_s == limit)
    }
}

/// The open loops of a run without probes, in the order in which they were run.
pub(super) fn of(
    run: &Run,
    families: &[Analysed<'_>],
    distributions: &Distributions,
) -> Vec<Curves> {
    let rows: Vec<&TrialRow> = run.trials.iter().filter(|row| is_open(row)).collect();
    let points = load_points(&run.trials);
    let mut seen = BTreeSet::new();
    let ids = rows.iter().map(|row| load_id(row));
    ids.filter(|id| seen.insert(id.clone()))
        .map(|id| {
            let own = || rows.iter().copied().filter(|row| load_id(row) == id);
            let keys: BTreeSet<ArmKey> = own().map(ArmKey::of_row).collect();
            let pool = Pool { id: &id, families, distributions };
            let arm = |(key, label)| arm(key, label, own().collect(), &points, &pool);
            let arms = grouped::labelled(&keys).map(arm).collect();
            let any = own().next();
            Curves {
                title: any.map_or_else(String::new, title),
                slo: own()
                    .map(|row| row.slo.clone())
                    .find(|slo| !slo.is_empty())
                    .unwrap_or_default(),
                capacity_per_s: own().find_map(|row| row.capacity_per_s),
                arms,
                id,
            }
        })
        .collect()
}

fn is_open(row: &TrialRow) -> bool {
    !row.arrivals.is_empty() && row.probe.is_empty() && row.status != "partial"
}

fn title(row: &TrialRow) -> String {
    let bare = TrialRow { rate_per_s: None, callers: None, ..row.clone() };
    format!("{} · open loop, {} arrivals", grouped::title(&bare), row.arrivals)
}

fn arm(
    key: &ArmKey,
    label: String,
    rows: Vec<&TrialRow>,
    points: &[LoadPointRow],
    pool: &Pool<'_>,
) -> LoadArm {
    let rows: Vec<&TrialRow> = rows.into_iter().filter(|row| ArmKey::of_row(row) == *key).collect();
    let own: Vec<&LoadPointRow> = points
        .iter()
        .filter(|p| {
            p.load_id == pool.id
                && (p.role.as_str(), &p.strategy, &p.options)
                    == (key.role_name(), &key.name, &key.options)
        })
        .collect();
    let limit_per_s = own.first().and_then(|p| p.limit_per_s);
    let reason = match own.is_empty() {
        true => rows
            .iter()
            .map(|row| row.reason.as_str())
            .find(|reason| !reason.is_empty())
            .unwrap_or("no trial may be used"),
        false => "",
    };
    LoadArm {
        label,
        strategy: key.name.clone(),
        role: key.role_name().to_owned(),
        limit_per_s,
        missed_per_s: own.first().and_then(|p| p.limit_above_per_s),
        cores_at_limit: limit_per_s.and_then(|rate_per_s| cores(&rows, rate_per_s)),
        reason: reason.to_owned(),
        points: own.into_iter().map(|p| point(p, &at(&rows, p.rate_per_s), key, pool)).collect(),
    }
}

/// Usable trials of an arm at a rate.
fn at<'a>(rows: &[&'a TrialRow], rate_per_s: f64) -> Vec<&'a TrialRow> {
    let of_rate = |row: &&&TrialRow| row.rate_per_s == Some(rate_per_s) && grouped::usable(row);
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
        is_saturated: row.saturated == "yes",
        meets_slo: row.meets_slo == "yes",
    }
}

/// CPU time of the window over the window's length.
fn cores(rows: &[&TrialRow], rate_per_s: f64) -> Option<f64> {
    let per_trial = |row: &&TrialRow| {
        let window_ns = row.window_ns.filter(|ns| *ns > 0)?;
        Some(row.window_cpu_ns? as f64 / window_ns as f64)
    };
    let cores: Vec<f64> = at(rows, rate_per_s).iter().filter_map(per_trial).collect();
    median(&cores)
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
