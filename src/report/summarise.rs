//! How a [`Summary`] is made: rows grouped into families and arms, judged, and reduced to medians
//! and paired ratios.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{PlanRow, Run, TrialRow};
use crate::strategy;

use super::human;
use super::pairing::{median, paired_ratio};
use super::summary::{ArmSummary, FamilySummary, Medians, Outcomes, Ratio, State, Summary};

/// Summarises a run.
pub fn summarise(run: &Run) -> Summary {
    let rows = last_attempts(&run.trials);
    let families: Vec<FamilySummary> = family_ids(run)
        .into_iter()
        .map(|id| family(run, id, &rows))
        .collect();
    Summary {
        trials_planned: families.iter().map(|f| f.trials_planned).sum(),
        trials_run: families.iter().map(|f| f.trials_run).sum(),
        families,
    }
}

/// The last attempt at each trial that was not cut short, in the order of the file. A trial that an
/// interrupt or the deadline cut short says nothing of its strategy: it counts as not run.
fn last_attempts(trials: &[TrialRow]) -> Vec<&TrialRow> {
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, row) in trials.iter().enumerate() {
        if row.status == "partial" {
            continue;
        }
        let best = last.entry(&row.trial_id).or_insert(i);
        if row.attempt >= trials[*best].attempt {
            *best = i;
        }
    }
    let mut kept: Vec<usize> = last.into_values().collect();
    kept.sort_unstable();
    kept.into_iter().map(|i| &trials[i]).collect()
}

fn family_ids(run: &Run) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    let planned = run.plan.iter().map(|p| p.family_id.as_str());
    let ran = run.trials.iter().map(|t| t.family_id.as_str());
    planned.chain(ran).filter(|id| seen.insert(*id)).collect()
}

/// What tells an arm from the others of its family.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ArmKey {
    role: u8,
    strategy: usize,
    name: String,
    options: String,
}

impl ArmKey {
    fn new(role: &str, name: &str, options: &str) -> ArmKey {
        ArmKey {
            role: ["reference", "placebo"]
                .iter()
                .position(|r| *r == role)
                .map_or(2, |i| i as u8),
            strategy: strategy::ALL
                .iter()
                .position(|kind| kind.name == name)
                .unwrap_or(strategy::ALL.len()),
            name: name.to_owned(),
            options: options.to_owned(),
        }
    }

    fn of_row(row: &TrialRow) -> ArmKey {
        ArmKey::new(&row.role, &row.strategy, &row.options)
    }

    fn of_plan(row: &PlanRow) -> ArmKey {
        ArmKey::new(&row.role, &row.strategy, &row.options)
    }

    fn role_name(&self) -> &'static str {
        ["reference", "placebo", "arm"][usize::from(self.role)]
    }
}

fn family(run: &Run, id: &str, rows: &[&TrialRow]) -> FamilySummary {
    let rows: Vec<&TrialRow> = rows
        .iter()
        .copied()
        .filter(|row| row.family_id == id)
        .collect();
    let plan: Vec<&PlanRow> = run.plan.iter().filter(|p| p.family_id == id).collect();
    let planned_ids: BTreeSet<&str> = plan
        .iter()
        .map(|p| p.trial_id.as_str())
        .chain(rows.iter().map(|r| r.trial_id.as_str()))
        .collect();
    let keys: BTreeSet<ArmKey> = plan
        .iter()
        .map(|p| ArmKey::of_plan(p))
        .chain(rows.iter().map(|r| ArmKey::of_row(r)))
        .collect();
    let reference: Vec<&TrialRow> = rows
        .iter()
        .copied()
        .filter(|row| row.role == "reference")
        .collect();
    let arms: Vec<ArmSummary> = keys
        .iter()
        .map(|key| {
            let planned = plan.iter().filter(|p| ArmKey::of_plan(p) == *key).count();
            let own: Vec<&TrialRow> = rows
                .iter()
                .copied()
                .filter(|row| ArmKey::of_row(row) == *key)
                .collect();
            arm(key, &label(key, &keys), planned, &own, &reference)
        })
        .collect();
    let blocks: BTreeSet<u32> = rows.iter().filter(|r| usable(r)).map(|r| r.block).collect();
    FamilySummary {
        id: id.to_owned(),
        title: rows.first().map_or_else(|| id.to_owned(), |row| title(row)),
        n_blocks: blocks.len(),
        trials_planned: planned_ids.len(),
        trials_run: rows.len(),
        n_ok: rows.iter().filter(|r| usable(r)).map(|r| r.n_ok).sum(),
        reference: run.manifest.reference.clone(),
        arms,
    }
}

/// The strategy's name; its options behind it only where the family has the strategy twice.
fn label(key: &ArmKey, all: &BTreeSet<ArmKey>) -> String {
    if key.role_name() == "placebo" {
        return format!("placebo ({} again)", key.name);
    }
    let twins = all
        .iter()
        .filter(|k| k.name == key.name && k.role_name() != "placebo")
        .count();
    if twins > 1 && !key.options.is_empty() {
        format!("{} {}", key.name, key.options.replace(';', " "))
    } else {
        key.name.clone()
    }
}

fn title(row: &TrialRow) -> String {
    let mut what = row.workload.clone();
    if !row.size.is_empty() {
        what = format!("{what} {}", row.size);
    }
    if row.payload_bytes > 0 {
        what = format!("{what} {}", human::bytes(row.payload_bytes));
    }
    let mut parts = vec![what, row.runtime.clone()];
    match (row.callers, row.rate_per_s) {
        (Some(n), _) => parts.push(format!(
            "{} loop, {}",
            row.regime,
            human::plural(n.into(), "caller")
        )),
        (None, Some(rate)) => parts.push(format!("{} loop, {}/s", row.regime, human::rate(rate))),
        (None, None) => {}
    }
    if row.ballast_bytes > 0 {
        parts.push(format!("ballast {}", human::bytes(row.ballast_bytes)));
    }
    if !matches!(row.placement.as_str(), "" | "unpinned") {
        parts.push(row.placement.clone());
    }
    parts.join(" · ")
}

fn usable(row: &TrialRow) -> bool {
    row.status == "ok" && row.validity != "invalid"
}

fn arm(
    key: &ArmKey,
    label: &str,
    planned: usize,
    rows: &[&TrialRow],
    reference: &[&TrialRow],
) -> ArmSummary {
    let good: Vec<&TrialRow> = rows.iter().copied().filter(|row| usable(row)).collect();
    let mut outcomes = Outcomes::default();
    rows.iter().for_each(|row| outcomes.add(row));
    let (state, reason) = judge(rows, good.len(), planned, &outcomes);
    let against = |get: fn(&TrialRow) -> Option<f64>| {
        let comparable = state == State::Ok && key.role_name() != "reference";
        let reference_ok = reference.iter().all(|row| is_clean(row));
        (comparable && reference_ok).then(|| ratio(&good, reference, get))?
    };
    let rates: Vec<f64> = good.iter().filter_map(|r| r.throughput_per_s).collect();
    ArmSummary {
        label: label.to_owned(),
        strategy: key.name.clone(),
        options: key.options.clone(),
        role: key.role_name().to_owned(),
        reason,
        n_blocks: good.len(),
        medians: medians(&good),
        throughput_range_per_s: rates
            .iter()
            .copied()
            .reduce(f64::min)
            .zip(rates.iter().copied().reduce(f64::max)),
        outcomes,
        response_p50_ratio: against(|row| row.response_p50_ns.map(|ns| ns as f64)),
        service_p50_ratio: against(|row| row.service_p50_ns.map(|ns| ns as f64)),
        throughput_ratio: against(|row| row.throughput_per_s),
        state,
    }
}

fn is_clean(row: &TrialRow) -> bool {
    let mut outcomes = Outcomes::default();
    outcomes.add(row);
    usable(row) && outcomes.not_ok().is_empty()
}

/// The arm's state, and the reason in words where it is not `ok`.
fn judge(rows: &[&TrialRow], good: usize, planned: usize, all: &Outcomes) -> (State, String) {
    let skipped = rows.iter().filter(|r| r.status == "skipped").count();
    if rows.is_empty() {
        return (
            State::Missing,
            format!("0 of {planned} planned trials ran to their end"),
        );
    }
    if skipped == rows.len() {
        return (State::Skipped, reasons(rows));
    }
    let bad: Vec<&TrialRow> = rows.iter().copied().filter(|row| !usable(row)).collect();
    let mut why = Vec::new();
    if !bad.is_empty() {
        let said = reasons(&bad);
        let colon = if said.is_empty() { "" } else { ": " };
        why.push(format!(
            "{} of {} not ok{colon}{said}",
            bad.len(),
            human::plural(rows.len() as u64, "trial")
        ));
    }
    for (name, n) in all.not_ok() {
        let requests = human::plural(all.total(), "request");
        why.push(format!("{} of {requests}: {name}", human::count(n)));
    }
    let state = match (good, why.is_empty()) {
        (0, _) => State::Failed,
        (_, true) => State::Ok,
        (_, false) => State::Flawed,
    };
    (state, why.join("; "))
}

/// The distinct reasons of these trials, each once, in the order in which they came.
fn reasons(rows: &[&TrialRow]) -> String {
    let mut seen = BTreeSet::new();
    let distinct: Vec<&str> = rows
        .iter()
        .map(|row| match (row.reason.trim(), row.flags.trim()) {
            ("", flags) => flags,
            (reason, _) => reason,
        })
        .filter(|reason| !reason.is_empty() && seen.insert(*reason))
        .collect();
    distinct.join("; ")
}

fn medians(rows: &[&TrialRow]) -> Medians {
    let any = |get: fn(&TrialRow) -> Option<u64>| {
        let values: Vec<f64> = rows
            .iter()
            .filter_map(|r| get(r))
            .map(|v| v as f64)
            .collect();
        median(&values)
    };
    let every = |get: fn(&TrialRow) -> Option<u64>| {
        let complete = rows.iter().all(|row| get(row).is_some());
        if complete { any(get) } else { None }
    };
    let rates: Vec<f64> = rows.iter().filter_map(|r| r.throughput_per_s).collect();
    Medians {
        response_p50_ns: any(|r| r.response_p50_ns),
        response_p90_ns: every(|r| r.response_p90_ns),
        response_p99_ns: every(|r| r.response_p99_ns),
        service_p50_ns: any(|r| r.service_p50_ns),
        service_p90_ns: every(|r| r.service_p90_ns),
        service_p99_ns: every(|r| r.service_p99_ns),
        throughput_per_s: median(&rates),
        ready_ns: any(|r| r.ready_ns),
        first_response_ns: any(|r| r.first_response_ns),
        transport_p50_ns: any(|r| r.transport_p50_ns),
        queue_p50_ns: any(|r| r.queue_p50_ns),
        creation_p50_ns: any(|r| r.creation_p50_ns),
        load_p50_ns: any(|r| r.load_p50_ns),
        work_p50_ns: any(|r| r.work_p50_ns),
        return_p50_ns: any(|r| r.return_p50_ns),
        reap_p50_ns: any(|r| r.reap_p50_ns),
    }
}

fn ratio(
    arm: &[&TrialRow],
    reference: &[&TrialRow],
    get: fn(&TrialRow) -> Option<f64>,
) -> Option<Ratio> {
    let by_block: BTreeMap<u32, f64> = reference
        .iter()
        .filter_map(|row| Some((row.block, get(row)?)))
        .collect();
    let pairs: Vec<(f64, f64)> = arm
        .iter()
        .filter_map(|row| Some((get(row)?, *by_block.get(&row.block)?)))
        .collect();
    let (estimate, n_blocks) = paired_ratio(&pairs)?;
    Some(Ratio { estimate, n_blocks })
}
