//! Which families have been measured enough: a function of their rows, so that an interrupted run
//! stops where it would have stopped, and the report can tell why. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::attempts::{accepted, usable};
use super::families::ArmKey;
use crate::experiment::{Preset, Role};
use crate::record::{PlanRow, Regime, Run, Status, TrialRow};
use crate::stats::stopping::is_narrow;

type Value = fn(&TrialRow) -> Option<f64>;

/// How well each metric must be known: half the width of the ratio's interval, as a share of the
/// ratio.
const TARGETS: [(Value, f64); 3] = [
    (|row| row.throughput_per_s, 0.03),
    (|row| row.response_p50_ns.map(|ns| ns as f64), 0.03),
    (|row| row.response_p99_ns.map(|ns| ns as f64), 0.10),
];

/// After which block each family of a run stopped early, by its id.
pub fn of_run(run: &Run) -> BTreeMap<String, u32> {
    let looks = Preset::by_name(&run.manifest.preset).map_or(&[][..], |preset| preset.looks);
    let mut stopped = stopped(&run.plan, &run.trials, looks);
    // A run under other rules has rows behind the look.
    for row in &run.trials {
        if stopped.get(&row.family_id).is_some_and(|after| row.block > *after) {
            stopped.remove(&row.family_id);
        }
    }
    stopped
}

/// After which look each family stops that stops before its plan ends, by its id.
pub fn stopped(plan: &[PlanRow], rows: &[TrialRow], looks: &[u32]) -> BTreeMap<String, u32> {
    let rows = accepted(rows);
    let ids: BTreeSet<&str> = plan.iter().map(|row| row.family_id.as_str()).collect();
    let stop = |id: &str| {
        let planned: Vec<_> = plan.iter().filter(|row| row.family_id == id).collect();
        let own: Vec<_> = rows.iter().filter(|row| row.family_id == id).copied().collect();
        // Memory trials time nothing, so there is no width to know.
        if own.iter().any(|row| row.regime == Regime::Memory) {
            return None;
        }
        looks.iter().copied().find(|&look| is_enough(&planned, &own, look))
    };
    ids.into_iter().filter_map(|id| Some((id.to_owned(), stop(id)?))).collect()
}

/// Whether every ratio of the family is known well enough after this many blocks. Later blocks must
/// not change what was decided then.
fn is_enough(planned: &[&PlanRow], rows: &[&TrialRow], look: u32) -> bool {
    let planned = planned.iter().filter(|row| row.block <= look).count();
    let rows: Vec<&TrialRow> = rows.iter().filter(|row| row.block <= look).copied().collect();
    let seen = rows.iter().map(|row| row.block).max();
    if planned == 0 || rows.len() < planned || seen != Some(look) {
        return false;
    }
    let mut arms: BTreeMap<ArmKey, Vec<&TrialRow>> = BTreeMap::new();
    for &row in &rows {
        arms.entry(ArmKey::of_row(row)).or_default().push(row);
    }
    // An arm that failed anywhere gets no ratio, so nothing waits for it. An arm without a usable
    // trial has nothing to compare.
    arms.retain(|_, rows| {
        rows.iter().all(|row| row.status == Status::Ok) && rows.iter().any(|row| usable(row))
    });
    // The reference is the first of all keys.
    let Some((_, reference)) = arms.pop_first().filter(|(key, _)| key.role() == Role::Reference)
    else {
        return false;
    };
    let is_known = |arm: &Vec<&TrialRow>| {
        TARGETS.iter().all(|target| is_known(arm, &reference, *target, look))
    };
    !arms.is_empty() && arms.values().all(is_known)
}

/// A quantile that a block lacks is not shown, so nothing waits for it. A block in which either
/// trial is invalid drops out.
fn is_known(
    arm: &[&TrialRow],
    reference: &[&TrialRow],
    (value, limit_ratio): (Value, f64),
    look: u32,
) -> bool {
    let in_block = |rows: &[&TrialRow], block: u32| -> Option<Option<f64>> {
        let row = rows.iter().find(|row| row.block == block)?;
        usable(row).then(|| value(row))
    };
    let both = |block| Some((in_block(arm, block)?, in_block(reference, block)?));
    let (arm, reference): (Vec<_>, Vec<_>) = (1..=look).filter_map(both).unzip();
    let missing = arm.iter().chain(&reference).any(Option::is_none);
    missing || is_narrow(&arm, &reference, limit_ratio)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Role, Validity};

    const LOOKS: [u32; 2] = [10, 15];

    /// A family of three arms over 20 blocks, whose ratios spread by this between blocks up to
    /// the tenth, and not at all after it.
    fn family(id: &str, spread: f64) -> (Vec<PlanRow>, Vec<TrialRow>) {
        let (mut plan, mut rows) = (Vec::new(), Vec::new());
        for block in 1..=20_u32 {
            for (role, strategy) in
                [("reference", "blocking"), ("placebo", "blocking"), ("arm", "pool")]
            {
                let trial_id = format!("{id}-{block}-{role}");
                plan.push(PlanRow {
                    trial_id: trial_id.clone(),
                    family_id: id.to_owned(),
                    block,
                    role: Role::by_name(role).unwrap(),
                    strategy: strategy.to_owned(),
                    ..PlanRow::default()
                });
                let sign = if block % 2 == 0 { 1.0 } else { -1.0 };
                let moved = block <= 10 && role != "reference";
                let factor = 1.0 + if moved { sign * spread } else { 0.0 };
                rows.push(TrialRow {
                    trial_id,
                    attempt: 1,
                    family_id: id.to_owned(),
                    block,
                    role: Role::by_name(role).unwrap(),
                    strategy: strategy.to_owned(),
                    status: Status::Ok,
                    throughput_per_s: Some(1e4 / factor),
                    response_p50_ns: Some((1e6 * factor) as u64),
                    ..TrialRow::default()
                });
            }
        }
        (plan, rows)
    }

    fn stop_of(plan: &[PlanRow], rows: &[TrialRow]) -> Option<u32> {
        stopped(plan, rows, &LOOKS).into_values().next()
    }

    #[test]
    fn each_family_stops_at_the_first_look_at_which_it_is_known_well_enough() {
        let (mut plan, mut rows) = family("narrow", 0.001);
        for (id, spread) in [("wide", 0.5), ("later", 0.04)] {
            let (more_plan, more_rows) = family(id, spread);
            plan.extend(more_plan);
            rows.extend(more_rows);
        }
        let stopped = stopped(&plan, &rows, &LOOKS);
        assert_eq!(stopped.get("narrow"), Some(&10));
        assert_eq!(stopped.get("later"), Some(&15));
        assert_eq!(stopped.get("wide"), None);
        assert!(super::stopped(&plan, &rows, &[]).is_empty());
    }

    #[test]
    fn look_ignores_later_blocks() {
        let (plan, rows) = family("f", 0.04);
        assert_eq!(stop_of(&plan, &rows[..45]), Some(15));
        assert_eq!(stop_of(&plan, &rows[..44]), None, "its last block is not whole");
        assert_eq!(stop_of(&plan, &rows[..30]), None);
        assert_eq!(stop_of(&plan, &rows), Some(15));
    }

    /// A block in which the generator was late drops out; the others count.
    #[test]
    fn thrown_out_trial_does_not_delay_stopping() {
        for role in ["arm", "reference"] {
            let (plan, mut rows) = family("f", 0.001);
            let late = rows.iter_mut().find(|row| row.role.name() == role).unwrap();
            late.validity = Validity::Invalid;
            late.throughput_per_s = Some(1.0);
            late.response_p50_ns = None;
            assert_eq!(stop_of(&plan, &rows), Some(10), "{role}");
            for row in rows.iter_mut().filter(|row| row.role.name() == role) {
                row.validity = Validity::Invalid;
            }
            let expected = (role == "arm").then_some(10);
            assert_eq!(stop_of(&plan, &rows), expected, "{role}: none is left");
        }
    }

    #[test]
    fn memory_family_runs_to_the_end_of_its_plan() {
        let (plan, mut rows) = family("f", 0.001);
        for row in &mut rows {
            row.regime = Regime::Memory;
            (row.throughput_per_s, row.response_p50_ns) = (None, None);
        }
        assert_eq!(stop_of(&plan, &rows), None);
    }

    #[test]
    fn failed_arm_does_not_delay_stopping_and_a_failed_reference_prevents_it() {
        let (plan, rows) = family("f", 0.001);
        let without = |role: &str, spoil: fn(&mut TrialRow)| {
            let mut rows = rows.clone();
            rows.iter_mut().filter(|row| row.role.name() == role).for_each(spoil);
            stop_of(&plan, &rows)
        };
        let fail = |row: &mut TrialRow| row.status = Status::Failed;
        assert_eq!(without("arm", fail), Some(10));
        assert_eq!(without("reference", fail), None);
        // A p99 that not every block has is not shown, so nothing waits for it.
        let rare = |row: &mut TrialRow| {
            row.response_p99_ns = (row.block > 3).then_some(u64::from(row.block) * 1_000_000);
        };
        assert_eq!(without("arm", rare), Some(10));
        let wild = |row: &mut TrialRow| {
            row.response_p99_ns = Some(u64::from(row.block) * 1_000_000);
        };
        let mut rows = rows.clone();
        rows.iter_mut().filter(|row| row.role == Role::Arm).for_each(wild);
        let flat = |row: &mut TrialRow| row.response_p99_ns = Some(1_000_000);
        rows.iter_mut().filter(|row| row.role != Role::Arm).for_each(flat);
        assert_eq!(stop_of(&plan, &rows), None, "its p99 is not known well");
    }
}
