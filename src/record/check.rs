//! Whether rows that can be read can also be true: keys, names and factors.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{FACTS, MEMORY, PLAN, TRIALS};
use super::reader::{Line, Remarks};
use super::{FactRow, Manifest, MemoryRow, PlanRow, TrialRow};
use crate::experiment::FAMILIES_MAX;
use crate::{strategy, workload};

/// The plan without rows that double another.
pub(super) fn plan(rows: Vec<Line<PlanRow>>, remarks: &mut Remarks) -> Vec<PlanRow> {
    let mut lines = BTreeMap::new();
    let mut kept = Vec::with_capacity(rows.len());
    for Line { number, row } in rows {
        if let Some(first) = lines.get(&row.trial_id) {
            let text = format!("trial `{}` is on line {first} already", row.trial_id);
            remarks.line(PLAN.file, number, &text);
            continue;
        }
        lines.insert(row.trial_id.clone(), number);
        kept.push(row);
    }
    kept
}

/// The attempts that fit the run, the plan and each other. `plan` is `None` if it could not be
/// read: then nothing can be held against it.
pub(super) fn trials(
    rows: Vec<Line<TrialRow>>,
    manifest: &Manifest,
    plan: Option<&[PlanRow]>,
    remarks: &mut Remarks,
) -> Vec<TrialRow> {
    let plan: Option<BTreeMap<&str, &PlanRow>> =
        plan.map(|rows| rows.iter().map(|row| (row.trial_id.as_str(), row)).collect());
    let families = families(&rows);
    let mut seen = BTreeSet::new();
    let mut lines = BTreeMap::new();
    let mut kept = Vec::with_capacity(rows.len());
    for Line { number, row } in rows {
        let key = (row.trial_id.clone(), row.attempt);
        let fault = unknown_name(&row)
            .or_else(|| against_manifest(&row, manifest))
            .or_else(|| against_plan(&row, plan.as_ref()))
            .or_else(|| against_family(&row, &families))
            .or_else(|| {
                seen.insert(row.family_id.clone());
                let many = seen.len() > FAMILIES_MAX;
                many.then(|| format!("is of more than {FAMILIES_MAX} families"))
            })
            .or_else(|| {
                let first = lines.get(&key)?;
                let (id, attempt) = &key;
                Some(format!("trial `{id}` attempt {attempt} is on line {first} already"))
            });
        match fault {
            Some(fault) => remarks.line(TRIALS.file, number, &fault),
            None => {
                lines.insert(key, number);
                kept.push(row);
            }
        }
    }
    kept
}

/// The rows of memory that fit the run, the plan and each other. `plan` is as for [`trials`].
pub(super) fn memory(
    rows: Vec<Line<MemoryRow>>,
    manifest: &Manifest,
    plan: Option<&[PlanRow]>,
    remarks: &mut Remarks,
) -> Vec<MemoryRow> {
    let plan: Option<BTreeMap<&str, &PlanRow>> =
        plan.map(|rows| rows.iter().map(|row| (row.trial_id.as_str(), row)).collect());
    let mut lines = BTreeMap::new();
    let mut kept = Vec::with_capacity(rows.len());
    for Line { number, row } in rows {
        let process = (row.snapshot, row.role.clone(), row.pid);
        let key = (row.trial_id.clone(), row.attempt, process);
        let fault = differs("run_id", &row.run_id, &manifest.run_id, "the manifest says")
            .or_else(|| memory_against_plan(&row, plan.as_ref()))
            .or_else(|| {
                let first = lines.get(&key)?;
                let MemoryRow { role, pid, .. } = &row;
                Some(format!(
                    "{role} {pid} of trial `{}` is on line {first} already",
                    row.trial_id.escape_debug()
                ))
            });
        match fault {
            Some(fault) => remarks.line(MEMORY.file, number, &fault),
            None => {
                lines.insert(key, number);
                kept.push(row);
            }
        }
    }
    kept
}

/// The facts that fit the run and each other.
pub(super) fn facts(
    rows: Vec<Line<FactRow>>,
    manifest: &Manifest,
    remarks: &mut Remarks,
) -> Vec<FactRow> {
    let mut lines = BTreeMap::new();
    let mut kept = Vec::with_capacity(rows.len());
    for Line { number, row } in rows {
        let shown = (row.demonstration.clone(), row.runtime.clone(), row.block);
        let key = (shown, row.case.clone(), row.fact.clone());
        let fault =
            differs("run_id", &row.run_id, &manifest.run_id, "the manifest says").or_else(|| {
                let first = lines.get(&key)?;
                let fact = row.fact.escape_debug();
                Some(format!("fact `{fact}` is on line {first} already"))
            });
        match fault {
            Some(fault) => remarks.line(FACTS.file, number, &fault),
            None => {
                lines.insert(key, number);
                kept.push(row);
            }
        }
    }
    kept
}

fn memory_against_plan(row: &MemoryRow, plan: Option<&BTreeMap<&str, &PlanRow>>) -> Option<String> {
    let Some(planned) = plan?.get(row.trial_id.as_str()) else {
        return Some(not_planned(&row.trial_id));
    };
    let says = "the plan says";
    differs("family_id", &row.family_id, &planned.family_id, says)
        .or_else(|| differs("block", &row.block, &planned.block, says))
        .or_else(|| differs("trial_role", &row.trial_role, &planned.role, says))
        .or_else(|| differs("strategy", &row.strategy, &planned.strategy, says))
        .or_else(|| differs("options", &row.options, &planned.options, says))
}

fn not_planned(trial_id: &str) -> String {
    format!("trial `{}` is not in the plan", trial_id.escape_debug())
}

fn unknown_name(row: &TrialRow) -> Option<String> {
    if strategy::by_name(&row.strategy).is_none() {
        let names = strategy::ALL.iter().map(|kind| kind.name).collect::<Vec<_>>();
        return Some(unknown("strategy", &row.strategy, &names));
    }
    if workload::by_name(&row.workload).is_none() {
        let names = workload::ALL.iter().map(|w| w.name()).collect::<Vec<_>>();
        return Some(unknown("workload", &row.workload, &names));
    }
    None
}

fn unknown(what: &str, found: &str, names: &[&str]) -> String {
    format!("unknown {what} `{}`; expected {}", found.escape_debug(), names.join(", "))
}

fn against_manifest(row: &TrialRow, manifest: &Manifest) -> Option<String> {
    differs("run_id", &row.run_id, &manifest.run_id, "the manifest says")
}

/// The regime of trials at rates that follow from what was measured: no plan can have them.
pub(crate) const SEARCH: &str = "search";

fn against_plan(row: &TrialRow, plan: Option<&BTreeMap<&str, &PlanRow>>) -> Option<String> {
    if row.regime == SEARCH {
        return None;
    }
    let Some(planned) = plan?.get(row.trial_id.as_str()) else {
        return Some(not_planned(&row.trial_id));
    };
    let says = "the plan says";
    differs("family_id", &row.family_id, &planned.family_id, says)
        .or_else(|| differs("block", &row.block, &planned.block, says))
        .or_else(|| differs("position", &row.position, &planned.position, says))
        .or_else(|| differs("role", &row.role, &planned.role, says))
        .or_else(|| differs("strategy", &row.strategy, &planned.strategy, says))
        .or_else(|| differs("options", &row.options, &planned.options, says))
        .or_else(|| differs("seed", &row.seed, &planned.seed, says))
}

/// The factors that make a family, which the plan does not repeat; by the columns' names.
type Factors = [(&'static str, String); 9];

fn factors(row: &TrialRow) -> Factors {
    let optional = |number: Option<String>| number.unwrap_or_default();
    [
        ("runtime", row.runtime.clone()),
        ("workload", row.workload.clone()),
        ("workload_options", row.workload_options.clone()),
        ("size", row.size.clone()),
        ("regime", row.regime.clone()),
        ("callers", optional(row.callers.map(|n| n.to_string()))),
        ("placement", row.placement.clone()),
        ("payload_bytes", row.payload_bytes.to_string()),
        ("ballast_bytes", row.ballast_bytes.to_string()),
    ]
}

/// What most rows of each family say, the earliest where as many say something else.
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

fn differs<T: PartialEq + std::fmt::Display>(
    name: &str,
    found: &T,
    expected: &T,
    says: &str,
) -> Option<String> {
    (found != expected).then(|| {
        let found = found.to_string();
        format!("`{name}` is `{}`, {says} `{expected}`", found.escape_debug())
    })
}
