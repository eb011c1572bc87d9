//! Whether rows that can be read can also be true: keys, names and factors.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::Row;
use super::lines::{Line, Remarks};
use super::{FactRow, Manifest, MemoryRow, PlanRow, Regime, TrialRow};
use crate::experiment::FAMILIES_MAX;
use crate::experiment::nearest::unknown;
use crate::{strategy, workload};

/// The planned trials by id; `None` if the plan cannot be read, and then nothing is compared with
/// it.
pub type Planned<'a> = Option<BTreeMap<&'a str, &'a PlanRow>>;

/// The rows without a fault whose key is not that of an earlier row; the others are remarked on.
/// `what` names a row in a remark about its key.
fn keep<T: Row, K: Ord>(
    lines: Vec<Line<T>>,
    remarks: &mut Remarks,
    key: impl Fn(&T) -> K,
    what: impl Fn(&T) -> String,
    mut fault: impl FnMut(&T) -> Option<String>,
) -> Vec<T> {
    let mut numbers = BTreeMap::new();
    let mut kept = Vec::with_capacity(lines.len());
    for Line { number, row } in lines {
        let key = key(&row);
        let twice = || {
            let first = numbers.get(&key)?;
            Some(format!("{} is on line {first} already", what(&row)))
        };
        match fault(&row).or_else(twice) {
            Some(fault) => remarks.line(T::TABLE.file, number, &fault),
            None => {
                numbers.insert(key, number);
                kept.push(row);
            }
        }
    }
    kept
}

/// The plan without rows that repeat a trial.
pub fn plan(lines: Vec<Line<PlanRow>>, remarks: &mut Remarks) -> Vec<PlanRow> {
    let what = |row: &PlanRow| format!("trial `{}`", row.trial_id.escape_debug());
    keep(lines, remarks, |row| row.trial_id.clone(), what, |_| None)
}

/// The attempts that fit the run, the plan and each other.
pub fn trials(
    lines: Vec<Line<TrialRow>>,
    manifest: &Manifest,
    planned: &Planned<'_>,
    remarks: &mut Remarks,
) -> Vec<TrialRow> {
    let families = families(&lines);
    let mut seen = BTreeSet::new();
    let what =
        |row: &TrialRow| format!("trial `{}` attempt {}", row.trial_id.escape_debug(), row.attempt);
    let key = |row: &TrialRow| (row.trial_id.clone(), row.attempt);
    keep(lines, remarks, key, what, |row| {
        unknown_name(row)
            .or_else(|| of_run(&row.run_id, manifest))
            .or_else(|| trial_against_plan(row, planned))
            .or_else(|| against_family(row, &families))
            .or_else(|| {
                seen.insert(row.family_id.clone());
                let many = seen.len() > FAMILIES_MAX;
                many.then(|| format!("is of more than {FAMILIES_MAX} families"))
            })
    })
}

/// The rows of memory that fit the run, the plan and each other.
pub fn memory(
    lines: Vec<Line<MemoryRow>>,
    manifest: &Manifest,
    planned: &Planned<'_>,
    remarks: &mut Remarks,
) -> Vec<MemoryRow> {
    let what = |row: &MemoryRow| {
        format!("{} {} of trial `{}`", row.role, row.pid, row.trial_id.escape_debug())
    };
    let key =
        |row: &MemoryRow| (row.trial_id.clone(), row.attempt, row.snapshot, row.role, row.pid);
    keep(lines, remarks, key, what, |row| {
        of_run(&row.run_id, manifest).or_else(|| memory_against_plan(row, planned))
    })
}

/// The facts that fit the run and each other.
pub fn facts(
    lines: Vec<Line<FactRow>>,
    manifest: &Manifest,
    remarks: &mut Remarks,
) -> Vec<FactRow> {
    let what = |row: &FactRow| format!("fact `{}`", row.fact.escape_debug());
    let key = |row: &FactRow| {
        let texts = [&row.demonstration, &row.runtime, &row.case, &row.fact].map(String::clone);
        (texts, row.block)
    };
    keep(lines, remarks, key, what, |row| of_run(&row.run_id, manifest))
}

fn of_run(run_id: &str, manifest: &Manifest) -> Option<String> {
    differs("run_id", run_id, &manifest.run_id, "the manifest says")
}

/// The first of a row's cells that is not as planned. `cells` gives for each column what the row
/// says and what the plan says.
fn against_plan<const N: usize>(
    trial_id: &str,
    planned: &Planned<'_>,
    cells: impl Fn(&PlanRow) -> [(&'static str, String, String); N],
) -> Option<String> {
    let Some(planned) = planned.as_ref()?.get(trial_id) else {
        return Some(format!("trial `{}` is not in the plan", trial_id.escape_debug()));
    };
    let cells = cells(planned);
    cells.iter().find_map(|(name, found, plan)| differs(name, found, plan, "the plan says"))
}

fn memory_against_plan(row: &MemoryRow, planned: &Planned<'_>) -> Option<String> {
    against_plan(&row.trial_id, planned, |plan| {
        [
            ("family_id", row.family_id.clone(), plan.family_id.clone()),
            ("block", row.block.to_string(), plan.block.to_string()),
            ("trial_role", row.trial_role.to_string(), plan.role.to_string()),
            ("strategy", row.strategy.clone(), plan.strategy.clone()),
            ("options", row.options.clone(), plan.options.clone()),
        ]
    })
}

fn trial_against_plan(row: &TrialRow, planned: &Planned<'_>) -> Option<String> {
    if row.regime == Regime::Search {
        return None;
    }
    against_plan(&row.trial_id, planned, |plan| {
        [
            ("family_id", row.family_id.clone(), plan.family_id.clone()),
            ("block", row.block.to_string(), plan.block.to_string()),
            ("position", row.position.to_string(), plan.position.to_string()),
            ("role", row.role.to_string(), plan.role.to_string()),
            ("strategy", row.strategy.clone(), plan.strategy.clone()),
            ("options", row.options.clone(), plan.options.clone()),
            ("seed", row.seed.to_string(), plan.seed.to_string()),
        ]
    })
}

fn unknown_name(row: &TrialRow) -> Option<String> {
    let strategies: Vec<&str> = strategy::ALL.iter().map(|kind| kind.name).collect();
    let workloads: Vec<&str> = workload::ALL.iter().map(|workload| workload.name()).collect();
    [("strategy", &row.strategy, strategies), ("workload", &row.workload, workloads)]
        .into_iter()
        .find(|(_, name, known)| !known.contains(&name.as_str()))
        .map(|(what, name, known)| unknown(what, &name.escape_debug().to_string(), &known))
}

/// The factors that make a family, which the plan does not repeat; by the columns' names.
type Factors = [(&'static str, String); 9];

fn factors(row: &TrialRow) -> Factors {
    [
        ("runtime", row.runtime.clone()),
        ("workload", row.workload.clone()),
        ("workload_options", row.workload_options.clone()),
        ("size", row.size.clone()),
        ("regime", row.regime.to_string()),
        ("callers", row.callers.map(|callers| callers.to_string()).unwrap_or_default()),
        ("placement", row.placement.to_string()),
        ("payload_bytes", row.payload_bytes.to_string()),
        ("ballast_bytes", row.ballast_bytes.to_string()),
    ]
}

/// What most rows of each family say; of two with as many rows, the earlier.
fn families(rows: &[Line<TrialRow>]) -> BTreeMap<String, Factors> {
    let mut votes: BTreeMap<&str, Vec<(Factors, usize)>> = BTreeMap::new();
    for Line { row, .. } in rows {
        let found = factors(row);
        let family = votes.entry(&row.family_id).or_default();
        match family.iter_mut().find(|(factors, _)| *factors == found) {
            Some((_, count)) => *count += 1,
            None => family.push((found, 1)),
        }
    }
    let winner = |votes: Vec<(Factors, usize)>| {
        // `max_by_key` takes the last of equals.
        votes.into_iter().rev().max_by_key(|(_, count)| *count)
    };
    votes
        .into_iter()
        .filter_map(|(family, votes)| Some((family.to_owned(), winner(votes)?.0)))
        .collect()
}

fn against_family(row: &TrialRow, families: &BTreeMap<String, Factors>) -> Option<String> {
    let common = families.get(&row.family_id)?;
    factors(row).iter().zip(common).find_map(|((name, found), (_, common))| {
        differs(name, found, common, "the rest of the family says")
    })
}

fn differs(name: &str, found: &str, expected: &str, says: &str) -> Option<String> {
    (found != expected)
        .then(|| format!("`{name}` is `{}`, {says} `{expected}`", found.escape_debug()))
}
