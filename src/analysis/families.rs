//! The rows of a run as families and arms: what was planned, what ran, what may be used, and the
//! state of each arm. The rest of the analysis starts from here.

use std::collections::{BTreeMap, BTreeSet};

use super::attempts::{accepted, usable};
use super::family_key::FamilyKey;
use super::summary::{Outcomes, State};
use super::{memory, stopping};
use crate::experiment::label::{self, Named};
use crate::experiment::{Role, numbers};
use crate::record::{PlanRow, Regime, Run, Status, TrialRow};
use crate::strategy;
use crate::workload::options;

/// One family's rows.
#[derive(Debug, Clone)]
pub struct FamilyRows<'a> {
    /// As in the rows.
    pub id: &'a str,
    /// Workload, runtime and load in words; the id where no trial has run.
    pub title: String,
    /// How many trials were planned.
    pub trials_planned: usize,
    /// The last block of a family that stopped because it was known well enough.
    pub stopped_after: Option<u32>,
    /// The accepted attempt at each trial, in the order of the file.
    pub rows: Vec<&'a TrialRow>,
    /// Blocks with at least one usable trial, ascending.
    pub blocks: Vec<u32>,
    /// The reference, the placebo, then in the order of [`crate::strategy::ALL`].
    pub arms: Vec<ArmRows<'a>>,
}

/// One arm's rows.
#[derive(Debug, Clone)]
pub struct ArmRows<'a> {
    /// What tells it from the others.
    pub key: ArmKey,
    /// Unique in the family.
    pub label: String,
    /// Usable trials, in the order of the file.
    pub good: Vec<&'a TrialRow>,
    /// Over all trials.
    pub outcomes: Outcomes,
    /// Whether there are numbers, and whether they may be compared.
    pub state: State,
    /// Why the state is not `ok`, and which trials were thrown out; empty if there is nothing.
    pub reason: String,
}

/// The families of a run, in planned order. Nothing is timed in memory families, which are
/// analysed apart.
pub fn families(run: &Run) -> Vec<FamilyRows<'_>> {
    let rows = accepted(&run.trials);
    let stopped = stopping::of_run(run);
    let planned = run.plan.iter().map(|row| row.family_id.as_str());
    let ran = run.trials.iter().filter(|row| row.regime != Regime::Search);
    let mut seen = BTreeSet::new();
    planned
        .chain(ran.map(|row| row.family_id.as_str()))
        .filter(|id| seen.insert(*id) && !memory::is_memory_family(run, id))
        .map(|id| family(run, id, &rows, stopped.get(id).copied()))
        .collect()
}

/// What tells an arm from the others of its family; in the order of a family's arms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArmKey {
    role: Role,
    /// In [`strategy::ALL`].
    place: usize,
    /// Of the strategy.
    pub name: String,
    /// As in the rows.
    pub options: String,
}

impl ArmKey {
    fn new(role: Role, name: &str, options: &str) -> ArmKey {
        let place = strategy::ALL.iter().position(|kind| kind.name == name);
        ArmKey {
            role,
            place: place.unwrap_or(strategy::ALL.len()),
            name: name.to_owned(),
            options: options.to_owned(),
        }
    }

    /// Of a trial.
    pub fn of_row(row: &TrialRow) -> ArmKey {
        ArmKey::new(row.role, &row.strategy, &row.options)
    }

    fn of_plan(row: &PlanRow) -> ArmKey {
        ArmKey::new(row.role, &row.strategy, &row.options)
    }

    /// What the arm is there for.
    pub fn role(&self) -> Role {
        self.role
    }

    /// `reference`, `placebo` or `arm`.
    pub fn role_name(&self) -> &'static str {
        self.role.name()
    }

    /// What labels are made from.
    pub fn named(&self) -> Named {
        Named {
            role: self.role,
            strategy: self.name.clone(),
            options: options::parse(&self.options),
        }
    }
}

fn family<'a>(
    run: &'a Run,
    id: &'a str,
    rows: &[&'a TrialRow],
    stopped_after: Option<u32>,
) -> FamilyRows<'a> {
    let rows: Vec<&TrialRow> = rows.iter().filter(|row| row.family_id == id).copied().collect();
    let is_due = |row: &&PlanRow| {
        row.family_id == id && stopped_after.is_none_or(|after| row.block <= after)
    };
    let plan: Vec<&PlanRow> = run.plan.iter().filter(is_due).collect();
    let planned_ids = plan.iter().map(|row| row.trial_id.as_str());
    let ids: BTreeSet<&str> =
        planned_ids.chain(rows.iter().map(|row| row.trial_id.as_str())).collect();
    let mut arms: BTreeMap<ArmKey, (usize, Vec<&TrialRow>)> = BTreeMap::new();
    for row in &plan {
        arms.entry(ArmKey::of_plan(row)).or_default().0 += 1;
    }
    for row in &rows {
        arms.entry(ArmKey::of_row(row)).or_default().1.push(row);
    }
    let labels = labels(arms.keys());
    let arms = arms.into_iter().zip(labels);
    let arms = arms.map(|((key, (planned, rows)), label)| arm(key, label, planned, &rows));
    let blocks: BTreeSet<u32> =
        rows.iter().filter(|row| usable(row)).map(|row| row.block).collect();
    FamilyRows {
        id,
        title: rows.first().map_or_else(|| id.to_owned(), |row| title(row)),
        trials_planned: ids.len(),
        stopped_after,
        blocks: blocks.into_iter().collect(),
        arms: arms.collect(),
        rows,
    }
}

fn arm<'a>(key: ArmKey, label: String, planned: usize, rows: &[&'a TrialRow]) -> ArmRows<'a> {
    let good: Vec<&TrialRow> = rows.iter().copied().filter(|row| usable(row)).collect();
    let mut outcomes = Outcomes::default();
    rows.iter().for_each(|row| outcomes.add(row));
    let (state, reason) = judge(rows, good.len(), planned, &outcomes);
    ArmRows { key, label, good, outcomes, state, reason }
}

/// The label of each arm among the others.
pub fn labels<'k>(keys: impl Iterator<Item = &'k ArmKey>) -> Vec<String> {
    label::labels(&keys.map(ArmKey::named).collect::<Vec<_>>())
}

/// Work, runtime, load and surroundings of a trial in words.
pub fn title(row: &TrialRow) -> String {
    let load = match (row.callers, row.rate_per_s) {
        (Some(n), _) => {
            format!("{} loop, {}", row.regime, numbers::plural(n.into(), "caller"))
        }
        (None, Some(rate)) => format!("{} loop, {}/s", row.regime, numbers::rate(rate)),
        (None, None) => String::new(),
    };
    FamilyKey::of_trial(row).title(&load)
}

/// Whether a trial is evidence against its arm. A generator that was late, or a window in which no
/// request was due, is not the arm's fault: such a trial and its block are thrown out, and the
/// others stand.
fn is_bad(row: &TrialRow) -> bool {
    !matches!(row.status, Status::Ok | Status::Skipped) || row.n_wrong_answer > 0
}

/// The arm's state, and in words why it is not `ok` and which trials were thrown out.
fn judge(rows: &[&TrialRow], good: usize, planned: usize, all: &Outcomes) -> (State, String) {
    if rows.is_empty() {
        return (State::Missing, format!("0 of {planned} planned trials ran to their end"));
    }
    if rows.iter().all(|row| row.status == Status::Skipped) {
        return (State::Skipped, reasons(rows));
    }
    let (bad, thrown): (Vec<&TrialRow>, Vec<&TrialRow>) =
        rows.iter().filter(|row| !usable(row)).partition(|row| is_bad(row));
    let some_of = |some: &[&TrialRow], what: &str| {
        let said = reasons(some);
        let colon = if said.is_empty() { "" } else { ": " };
        let trials = numbers::plural(rows.len() as u64, "trial");
        format!("{} of {trials} {what}{colon}{said}", some.len())
    };
    let mut why = Vec::new();
    if !bad.is_empty() {
        why.push(some_of(&bad, "not ok"));
    }
    for (name, n) in all.not_ok() {
        let requests = numbers::plural(all.total(), "request");
        why.push(format!("{} of {requests}: {name}", numbers::count(n)));
    }
    let state = match (good, why.is_empty()) {
        (0, _) => State::Failed,
        (_, true) => State::Ok,
        (_, false) => State::Flawed,
    };
    if !thrown.is_empty() {
        why.push(some_of(&thrown, "thrown out"));
    }
    (state, why.join("; "))
}

/// The distinct reasons of these trials, in the order in which they came.
fn reasons(rows: &[&TrialRow]) -> String {
    let mut seen = BTreeSet::new();
    let distinct: Vec<&str> = rows
        .iter()
        .map(|row| match (row.reason.trim(), row.flags.trim()) {
            ("", "") if !row.holds_two_rounds() => {
                "its window holds less than two rounds of callers"
            }
            ("", flags) => flags,
            (reason, _) => reason,
        })
        .filter(|reason| !reason.is_empty() && seen.insert(*reason))
        .collect();
    distinct.join("; ")
}
