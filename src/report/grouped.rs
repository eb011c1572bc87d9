//! The rows of a run as families and arms: what was planned, what ran, what may be used, and what
//! state each arm is in. Everything else in the report begins from here.

use std::collections::{BTreeMap, BTreeSet};

use crate::experiment::Preset;
use crate::experiment::label::{self, Named};
use crate::options;
use crate::record::accepted::accepted;
use crate::record::stopping;
use crate::record::{PlanRow, Run, TrialRow};
use crate::stats::Safeguards;
use crate::{strategy, workload};

use super::summary::{Outcomes, State};
use super::{human, memory};

/// One family's rows.
#[derive(Debug, Clone)]
pub struct FamilyRows<'a> {
    /// As in the rows.
    pub id: &'a str,
    /// Workload, runtime and load in words; the id where no trial has run.
    pub title: String,
    /// How many trials were planned.
    pub trials_planned: usize,
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

/// The families of a run, in planned order.
pub fn families(run: &Run) -> Vec<FamilyRows<'_>> {
    let rows = accepted(&run.trials, Safeguards::ALL_ON);
    let stopped = stopped(run);
    family_ids(run).into_iter().map(|id| family(run, id, &rows, stopped.get(id).copied())).collect()
}

/// After which block each family stopped that was known well enough, by its id.
pub fn stopped(run: &Run) -> BTreeMap<String, u32> {
    let preset = Preset::by_name(&run.manifest.preset);
    let looks = preset.map_or(&[][..], |preset| preset.looks);
    let mut stopped = stopping::stopped(&run.plan, &run.trials, looks);
    // Whoever asked for a run by other rules than these has rows behind the look.
    for row in &run.trials {
        if stopped.get(&row.family_id).is_some_and(|after| row.block > *after) {
            stopped.remove(&row.family_id);
        }
    }
    stopped
}

fn family_ids(run: &Run) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    let planned = run.plan.iter().map(|p| p.family_id.as_str());
    let ran = run.trials.iter().filter(|t| t.regime != "search");
    let ran = ran.map(|t| t.family_id.as_str());
    planned
        .chain(ran)
        .filter(|id| seen.insert(*id))
        // Nothing in them is timed: what they say stands apart.
        .filter(|id| !memory::is_memory_family(run, id))
        .collect()
}

/// What tells an arm from the others of its family.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArmKey {
    role: u8,
    strategy: usize,
    /// Of the strategy.
    pub name: String,
    /// As in the rows.
    pub options: String,
}

impl ArmKey {
    fn new(role: &str, name: &str, options: &str) -> ArmKey {
        ArmKey {
            role: ["reference", "placebo"].iter().position(|r| *r == role).map_or(2, |i| i as u8),
            strategy: strategy::ALL
                .iter()
                .position(|kind| kind.name == name)
                .unwrap_or(strategy::ALL.len()),
            name: name.to_owned(),
            options: options.to_owned(),
        }
    }

    pub fn of_row(row: &TrialRow) -> ArmKey {
        ArmKey::new(&row.role, &row.strategy, &row.options)
    }

    fn of_plan(row: &PlanRow) -> ArmKey {
        ArmKey::new(&row.role, &row.strategy, &row.options)
    }

    pub fn role_name(&self) -> &'static str {
        ["reference", "placebo", "arm"][usize::from(self.role)]
    }

    /// What labels are made from.
    pub fn named(&self) -> Named {
        Named::of_row(self.role_name(), &self.name, &self.options)
    }
}

fn family<'a>(
    run: &'a Run,
    id: &'a str,
    rows: &[&'a TrialRow],
    stopped: Option<u32>,
) -> FamilyRows<'a> {
    let wanted = |row: &&PlanRow| stopped.is_none_or(|after| row.block <= after);
    let of_family = |row: &&&TrialRow| row.family_id == id;
    let rows: Vec<&TrialRow> = rows.iter().filter(of_family).copied().collect();
    let plan: Vec<&PlanRow> =
        run.plan.iter().filter(|p| p.family_id == id).filter(wanted).collect();
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
    let arms = labelled(&keys)
        .map(|(key, label)| {
            let planned = plan.iter().filter(|p| ArmKey::of_plan(p) == *key).count();
            let of_arm = |row: &&&TrialRow| ArmKey::of_row(row) == *key;
            let own: Vec<&TrialRow> = rows.iter().filter(of_arm).copied().collect();
            arm(key, label, planned, own)
        })
        .collect();
    let blocks: BTreeSet<u32> = rows.iter().filter(|r| usable(r)).map(|r| r.block).collect();
    FamilyRows {
        id,
        title: rows.first().map_or_else(|| id.to_owned(), |row| title(row)),
        trials_planned: planned_ids.len(),
        rows,
        blocks: blocks.into_iter().collect(),
        arms,
    }
}

fn arm<'a>(key: &ArmKey, label: String, planned: usize, rows: Vec<&'a TrialRow>) -> ArmRows<'a> {
    let good: Vec<&TrialRow> = rows.iter().copied().filter(|row| usable(row)).collect();
    let mut outcomes = Outcomes::default();
    rows.iter().for_each(|row| outcomes.add(row));
    let (state, reason) = judge(&rows, good.len(), planned, &outcomes);
    ArmRows { key: key.clone(), label, good, outcomes, state, reason }
}

/// Each arm with its label among the others.
pub fn labelled(keys: &BTreeSet<ArmKey>) -> impl Iterator<Item = (&ArmKey, String)> {
    let named: Vec<Named> = keys.iter().map(ArmKey::named).collect();
    keys.iter().zip(label::labels(&named))
}

/// Workload with what it was asked for, runtime, load and surroundings in words.
pub fn title(row: &TrialRow) -> String {
    let mut what = row.workload.clone();
    let takes_payload = workload::by_name(&row.workload).is_some_and(|w| w.takes_payload());
    if !row.size.is_empty() && !takes_payload {
        what = format!("{what} {}", row.size);
    }
    if row.payload_bytes > 0 {
        what = format!("{what} {}", human::bytes(row.payload_bytes));
    }
    let mut parts = vec![what];
    parts.extend(options_set(row));
    parts.push(row.runtime.clone());
    match (row.callers, row.rate_per_s) {
        (Some(n), _) => {
            parts.push(format!("{} loop, {}", row.regime, human::plural(n.into(), "caller")))
        }
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

/// The workload's options that are not at their defaults, in words: `chunks 4`.
fn options_set(row: &TrialRow) -> Vec<String> {
    let defs = workload::by_name(&row.workload).map_or(&[][..], |workload| workload.options());
    let is_default =
        |name: &str, value: &str| defs.iter().any(|def| def.name == name && def.default == value);
    options::parse(&row.workload_options)
        .into_iter()
        .filter(|(name, value)| !is_default(name, value))
        .map(|(name, value)| format!("{} {value}", name.replace('_', " ")))
        .collect()
}

pub fn usable(row: &TrialRow) -> bool {
    row.status == "ok" && row.validity != "invalid" && row.holds_two_rounds()
}

/// Whether a trial says something bad of its arm. That the generator did not do what it says, or
/// that no request was due, is no fault of the arm: such a trial is thrown out and its block with
/// it, but the others stand.
fn is_bad(row: &TrialRow) -> bool {
    !matches!(row.status.as_str(), "ok" | "skipped") || row.n_wrong_answer > 0
}

/// The arm's state, and in words why it is not `ok` and which trials were thrown out.
fn judge(rows: &[&TrialRow], good: usize, planned: usize, all: &Outcomes) -> (State, String) {
    let skipped = rows.iter().filter(|r| r.status == "skipped").count();
    if rows.is_empty() {
        return (State::Missing, format!("0 of {planned} planned trials ran to their end"));
    }
    if skipped == rows.len() {
        return (State::Skipped, reasons(rows));
    }
    let (bad, thrown): (Vec<&TrialRow>, Vec<&TrialRow>) =
        rows.iter().filter(|row| !usable(row)).partition(|row| is_bad(row));
    let some_of = |some: &[&TrialRow], what: &str| {
        let said = reasons(some);
        let colon = if said.is_empty() { "" } else { ": " };
        let trials = human::plural(rows.len() as u64, "trial");
        format!("{} of {trials} {what}{colon}{said}", some.len())
    };
    let mut why = Vec::new();
    if !bad.is_empty() {
        why.push(some_of(&bad, "not ok"));
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
    if !thrown.is_empty() {
        why.push(some_of(&thrown, "thrown out"));
    }
    (state, why.join("; "))
}

/// The distinct reasons of these trials, each once, in the order in which they came.
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
