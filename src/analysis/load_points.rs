//! From trials of open loops to curves and limits. Pure: `load_points.csv` is this function of
//! `trials.csv`.

use std::collections::BTreeMap;

use super::attempts::usable;
use super::grouped::grouped;
use super::over_blocks::{Column, median_of_all};
use crate::experiment::Slo;
use crate::experiment::label::{Named, label};
use crate::record::{LoadPointRow, Placement, Role, Status, TrialRow, YesNo};
use crate::stats::quantile::median;

/// One arm under one load: `load_id`, role, strategy and options.
type Curve = (String, Role, String, String);

/// Every arm at every rate at which it was measured, curves in the order in which they began,
/// rates ascending.
pub fn load_points<'a>(trials: impl IntoIterator<Item = &'a TrialRow>) -> Vec<LoadPointRow> {
    let is_point = |row: &&TrialRow| {
        row.rate_per_s.is_some() && row.probe.is_empty() && (usable(row) || is_collapsed(row))
    };
    let curve =
        |row: &TrialRow| (load_id(row), row.role, row.strategy.clone(), row.options.clone());
    let curves = grouped(trials.into_iter().filter(is_point).map(|row| (curve(row), row)));
    let labels = labels_of(&curves.iter().map(|(curve, _)| curve).collect::<Vec<_>>());
    let points = curves.iter().zip(labels).map(|((curve, trials), label)| {
        // An arm without a single offered request did not collapse: it does not run at all.
        match trials.iter().all(|row| row.n_offered.is_none()) {
            true => Vec::new(),
            false => points(curve, &label, trials),
        }
    });
    points.flatten().collect()
}

/// The points of a curve, rates ascending.
fn points(curve: &Curve, label: &str, trials: &[&TrialRow]) -> Vec<LoadPointRow> {
    let mut rates: BTreeMap<u64, Vec<&TrialRow>> = BTreeMap::new();
    for row in trials {
        // Rates are positive, so their bits have their order.
        rates.entry(row.rate_per_s.unwrap_or_default().to_bits()).or_default().push(row);
    }
    let mut points: Vec<LoadPointRow> =
        rates.values().map(|trials| point(curve, label, trials)).collect();
    let (limit_per_s, limit_above_per_s) = limit(&points);
    for point in &mut points {
        (point.limit_per_s, point.limit_above_per_s) = (limit_per_s, limit_above_per_s);
    }
    points
}

/// The label of each arm among those that are measured under the same load.
fn labels_of(curves: &[&Curve]) -> Vec<String> {
    let named =
        |(_, role, strategy, options): &&Curve| Named::of_row(role.name(), strategy, options);
    let label = |curve: &&Curve| {
        let all = curves.iter().filter(|other| other.0 == curve.0).map(named);
        label(&named(curve), &all.collect::<Vec<_>>())
    };
    curves.iter().map(label).collect()
}

/// Whether the arm did not survive the rate: no request was answered, or the subject died under
/// it. Without this point the curve would end below the rate, as if it had not been tried.
fn is_collapsed(row: &TrialRow) -> bool {
    row.status == Status::Failed && row.n_offered != Some(0)
}

/// The factors of a trial but its rate, readable: trials with the same id are on one curve per
/// arm.
pub fn load_id(row: &TrialRow) -> String {
    let mut parts = vec![row.workload.clone(), row.size.clone()];
    if !row.workload_options.is_empty() {
        parts.push(row.workload_options.clone());
    }
    if row.payload_bytes > 0 {
        parts.push(format!("{}B", row.payload_bytes));
    }
    parts.push(row.runtime.clone());
    if row.ballast_bytes > 0 {
        parts.push(format!("ballast{}B", row.ballast_bytes));
    }
    if row.placement != Placement::Unpinned {
        parts.push(row.placement.name().to_owned());
    }
    parts.push(row.arrivals.clone());
    parts.join("-")
}

fn point(curve: &Curve, label: &str, trials: &[&TrialRow]) -> LoadPointRow {
    let (load_id, role, strategy, options) = curve;
    let first = trials[0];
    let sum = |column: Column| trials.iter().filter_map(|row| column(row)).sum();
    let offered: u64 = sum(|row| row.n_offered);
    let in_time: u64 = sum(|row| row.n_in_time.filter(|_| !is_collapsed(row)));
    let all_ns = |column: Column| median_of_all(trials, column).map(|ns| ns as u64);
    let rate = |row: &&TrialRow| row.throughput_per_s.or(is_collapsed(row).then_some(0.0));
    let rates: Option<Vec<f64>> = trials.iter().map(rate).collect();
    let collapsed = trials.iter().any(|row| is_collapsed(row));
    let is_saturated = |row: &&&TrialRow| row.saturated == Some(YesNo::Yes) || is_collapsed(row);
    let saturated = 2 * trials.iter().filter(is_saturated).count() >= trials.len();
    let slo: Option<Slo> = first.slo.parse().ok();
    let met = slo.is_some_and(|slo| slo.is_met(in_time, offered));
    LoadPointRow {
        run_id: first.run_id.clone(),
        load_id: load_id.clone(),
        role: *role,
        strategy: strategy.clone(),
        options: options.clone(),
        rate_per_s: first.rate_per_s.unwrap_or_default(),
        rate_of_capacity: first.rate_of_capacity,
        n_trials: trials.len() as u64,
        n_offered: offered,
        throughput_per_s: rates.and_then(|rates| median(&rates)),
        response_p50_ns: all_ns(|row| row.response_p50_ns),
        response_p99_ns: all_ns(|row| row.response_p99_ns),
        service_p50_ns: all_ns(|row| row.service_p50_ns),
        in_time_ratio: (offered > 0).then(|| in_time as f64 / offered as f64),
        slo: first.slo.clone(),
        saturated: saturated.into(),
        meets_slo: (met && !saturated && !collapsed).into(),
        limit_per_s: None,
        limit_above_per_s: None,
        label: label.to_owned(),
    }
}

/// The highest rate up to which every point meets the objective, and the next one. `points`
/// ascend in their rates.
fn limit(points: &[LoadPointRow]) -> (Option<f64>, Option<f64>) {
    let met = points.iter().take_while(|p| p.meets_slo == YesNo::Yes).count();
    let rate = |i: usize| points.get(i).map(|p| p.rate_per_s);
    (met.checked_sub(1).and_then(rate), rate(met))
}

/// Between which rates an arm's limit lies, and where to look next. Pure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bracket {
    /// The highest rate that met the objective; 0 if none did.
    pub met_per_s: f64,
    /// The lowest rate above it that missed the objective, if one did.
    pub missed_per_s: Option<f64>,
}

/// A closer bracket is not searched: the noise of one trial is larger.
const CLOSE_RATIO: f64 = 1.03;

impl Bracket {
    /// What an arm's points say, in any order of arms; `None` without a point of it.
    pub fn of(points: &[LoadPointRow], strategy: &str, options: &str) -> Option<Bracket> {
        let mut own = points
            .iter()
            .filter(|p| p.strategy == strategy && p.options == options && p.role != Role::Placebo);
        let first = own.next()?;
        Some(Bracket {
            met_per_s: first.limit_per_s.unwrap_or(0.0),
            missed_per_s: first.limit_above_per_s,
        })
    }

    /// The rate to try next: the geometric mean of the two, twice the highest if none was missed,
    /// half the lowest if none was met. `None` once they are close.
    pub fn next_per_s(self) -> Option<f64> {
        match (self.met_per_s, self.missed_per_s) {
            (met, None) => (met > 0.0).then_some(2.0 * met),
            (met, Some(missed)) if met <= 0.0 => Some(missed / 2.0),
            (met, Some(missed)) => (missed / met > CLOSE_RATIO).then(|| (met * missed).sqrt()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Regime, Validity};

    /// An arm that answers everything in time up to 100 per second, three blocks.
    fn trial(strategy: &str, rate_per_s: f64, capacity_per_s: f64) -> TrialRow {
        let saturated = rate_per_s > capacity_per_s;
        TrialRow {
            strategy: strategy.into(),
            role: Role::Arm,
            status: Status::Ok,
            validity: Validity::Valid,
            regime: Regime::Open,
            placement: Placement::Unpinned,
            arrivals: "poisson".into(),
            rate_per_s: Some(rate_per_s),
            slo: "p99<50ms".into(),
            n_offered: Some(1_000),
            n_in_time: Some(if rate_per_s > 0.9 * capacity_per_s { 989 } else { 990 }),
            saturated: Some(saturated.into()),
            throughput_per_s: Some(rate_per_s.min(capacity_per_s)),
            response_p50_ns: Some(rate_per_s as u64),
            response_p99_ns: (rate_per_s < 90.0).then_some(7),
            ..TrialRow::default()
        }
    }

    fn trials(rates: &[f64]) -> Vec<TrialRow> {
        let both = |&rate| [trial("pool", rate, 100.0), trial("spawn", rate, 30.0)];
        rates.iter().flat_map(both).collect()
    }

    #[test]
    fn points_are_pooled_per_rate_and_limits_lie_between_them() {
        let mut rows = trials(&[80.0, 20.0, 120.0, 95.0, 20.0]);
        rows[0].response_p50_ns = Some(100);
        let points = load_points(&rows);
        let pool: Vec<_> = points.iter().filter(|p| p.strategy == "pool").collect();
        let told: Vec<_> = pool
            .iter()
            .map(|p| (p.rate_per_s, p.n_trials, p.saturated.name(), p.meets_slo.name()))
            .collect();
        assert_eq!(
            told,
            [
                (20.0, 2, "no", "yes"),
                (80.0, 1, "no", "yes"),
                (95.0, 1, "no", "no"),
                (120.0, 1, "yes", "no"),
            ]
        );
        assert!(pool.iter().all(|p| p.limit_per_s == Some(80.0)));
        assert!(pool.iter().all(|p| p.limit_above_per_s == Some(95.0)));
        assert_eq!(pool[0].n_offered, 2_000);
        assert_eq!((pool[0].response_p99_ns, pool[2].response_p99_ns), (Some(7), None));
        let bracket = Bracket::of(&points, "spawn", "").unwrap();
        assert_eq!((bracket.met_per_s, bracket.missed_per_s), (20.0, Some(80.0)));
    }

    /// A limit that was met above one that was missed is no limit.
    #[test]
    fn lucky_point_beyond_the_first_miss_does_not_count() {
        let mut rows = trials(&[20.0, 40.0, 60.0]);
        rows[2].n_in_time = Some(0);
        let points = load_points(&rows);
        assert_eq!(points[0].limit_per_s, Some(20.0));
        assert_eq!(points[0].limit_above_per_s, Some(40.0));
    }

    /// The highest rate at which an arm dies is where its limit ends, and the search goes below.
    #[test]
    fn rate_at_which_an_arm_collapses_ends_its_curve() {
        let fail = |row: &mut TrialRow| {
            row.status = Status::Failed;
            row.validity = Validity::Invalid;
            row.saturated = None;
        };
        let pool_at = |rates: &[f64]| {
            let rows = trials(rates).into_iter();
            rows.filter(|row| row.strategy == "pool").collect::<Vec<_>>()
        };
        for offered in [Some(1_000), None] {
            let mut rows = pool_at(&[20.0, 50.0, 80.0]);
            fail(&mut rows[2]);
            rows[2].n_offered = offered;
            let points = load_points(&rows);
            let last = points.last().unwrap();
            assert_eq!((last.rate_per_s, last.limit_per_s), (80.0, Some(50.0)));
            assert_eq!(last.limit_above_per_s, Some(80.0));
            assert_eq!((last.saturated.name(), last.n_offered), ("yes", offered.unwrap_or(0)));
            let next = Bracket::of(&points, "pool", "").unwrap().next_per_s();
            assert!(next.is_some_and(|rate| rate > 50.0 && rate < 80.0), "{next:?}");
        }
        // One of many is enough: such a rate is not safe.
        let mut rows = pool_at(&[20.0, 50.0, 50.0, 50.0, 50.0]);
        fail(&mut rows[4]);
        rows[4].n_offered = Some(1);
        let last = load_points(&rows).pop().unwrap();
        assert_eq!((last.saturated.name(), last.meets_slo.name()), ("no", "no"));
        assert_eq!(last.limit_per_s, Some(20.0));
        // What never ran at any rate has no limit, not a low one.
        let mut rows = pool_at(&[20.0, 50.0]);
        for row in &mut rows {
            fail(row);
            row.n_offered = None;
        }
        assert_eq!(load_points(&rows), []);
    }

    #[test]
    fn invalid_trials_and_closed_loops_have_no_point() {
        let mut rows = trials(&[20.0]);
        rows[0].validity = Validity::Invalid;
        rows[1].rate_per_s = None;
        assert_eq!(load_points(&rows), []);
    }

    #[test]
    fn search_closes_in_on_the_limit() {
        let mut rows = trials(&[20.0, 50.0, 120.0]);
        for _ in 0..8 {
            let points = load_points(&rows);
            for (strategy, capacity_per_s) in [("pool", 100.0), ("spawn", 30.0)] {
                let bracket = Bracket::of(&points, strategy, "").unwrap();
                if let Some(rate_per_s) = bracket.next_per_s() {
                    rows.push(trial(strategy, rate_per_s, capacity_per_s));
                }
            }
        }
        let points = load_points(&rows);
        for (strategy, limit) in [("pool", 90.0), ("spawn", 27.0)] {
            let bracket = Bracket::of(&points, strategy, "").unwrap();
            let missed = bracket.missed_per_s.unwrap();
            assert!(bracket.met_per_s <= limit && limit <= missed, "{bracket:?}");
            assert!(missed / bracket.met_per_s <= CLOSE_RATIO);
            assert_eq!(bracket.next_per_s(), None);
        }
    }

    #[test]
    fn search_leaves_the_grid_where_it_must() {
        let bracket = |met_per_s, missed_per_s| Bracket { met_per_s, missed_per_s };
        assert_eq!(bracket(100.0, None).next_per_s(), Some(200.0));
        assert_eq!(bracket(0.0, Some(20.0)).next_per_s(), Some(10.0));
        assert_eq!(bracket(0.0, None).next_per_s(), None);
    }
}
