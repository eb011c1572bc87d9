//! Whether a run that ended has measured anything. Pure.

use std::collections::BTreeMap;

use crate::analysis::attempts::accepted;
use crate::experiment::filter::Filter;
use crate::record::{Regime, Run, Status, TrialRow};
use crate::workload;

/// Why the run counts as failed, in a sentence; `None` if it does not.
///
/// A family that was skipped because its runtime is missing is no failure, unless a filter names
/// the runtime. A workload that fails on purpose is none either.
pub fn complaint(run: &Run, filters: &[Filter]) -> Option<String> {
    let fails_on_purpose =
        |row: &TrialRow| workload::by_name(&row.workload).is_some_and(|w| w.is_fault());
    let rows: Vec<&TrialRow> =
        accepted(&run.trials).into_iter().filter(|row| !fails_on_purpose(row)).collect();
    if rows.is_empty() {
        return None;
    }
    if !rows.iter().any(|row| has_answers(row)) {
        return Some(format!("no request of the run was answered ok{}", because(&rows)));
    }
    let mut families: BTreeMap<&str, Vec<&TrialRow>> = BTreeMap::new();
    // A search is meant to find the rate at which an arm fails.
    for &row in rows.iter().filter(|row| row.regime != Regime::Search) {
        families.entry(&row.family_id).or_default().push(row);
    }
    let is_asked = |row: &&TrialRow| filters.iter().any(|f| f.names_runtime(&row.runtime));
    let failed = families.iter().find(|(_, rows)| {
        let is_skipped = rows.iter().all(|row| row.status == Status::Skipped);
        !rows.iter().any(|row| row.status == Status::Ok)
            && (!is_skipped || rows.iter().any(is_asked))
    });
    failed.map(|(id, rows)| format!("every arm of the family {id} failed{}", because(rows)))
}

/// A tree of no children is looked at without a request.
fn has_answers(row: &TrialRow) -> bool {
    row.n_ok > 0 || (row.regime == Regime::Memory && row.status == Status::Ok)
}

fn because(rows: &[&TrialRow]) -> String {
    let reason = rows.iter().map(|row| row.reason.trim()).find(|reason| !reason.is_empty());
    reason.map_or_else(String::new, |reason| format!("; first reason: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Status;
    use crate::report::sample;

    fn with(change: impl Fn(&mut TrialRow)) -> Run {
        let mut run = sample::run();
        run.trials.iter_mut().for_each(change);
        run
    }

    fn fail(row: &mut TrialRow, status: &str) {
        row.status = Status::by_name(status).unwrap();
        row.reason = "no luck".to_owned();
        row.n_ok = 0;
    }

    #[test]
    fn run_without_an_ok_answer_has_failed() {
        assert_eq!(complaint(&sample::run(), &[]), None);
        for status in ["failed", "skipped"] {
            let said = complaint(&with(|row| fail(row, status)), &[]).unwrap();
            assert_eq!(said, "no request of the run was answered ok; first reason: no luck");
        }
        let on_purpose = with(|row| {
            fail(row, "failed");
            row.workload = "fault".to_owned();
        });
        assert_eq!(complaint(&on_purpose, &[]), None);
        let without_children = with(|row| {
            row.regime = Regime::Memory;
            row.n_ok = 0;
        });
        assert_eq!(complaint(&without_children, &[]), None);
    }

    #[test]
    fn family_that_failed_in_every_arm_fails_the_run() {
        let of_node = |status: &'static str| {
            with(move |row| {
                if row.runtime == "node" {
                    fail(row, status);
                }
            })
        };
        let said = complaint(&of_node("failed"), &[]).unwrap();
        assert!(said.starts_with("every arm of the family ") && said.contains("no luck"), "{said}");
        // One arm that ran is enough.
        let one = with(|row| {
            if row.runtime == "node" && row.strategy != "pool" {
                fail(row, "failed");
            }
        });
        assert_eq!(complaint(&one, &[]), None);
        let skipped = of_node("skipped");
        assert_eq!(complaint(&skipped, &[]), None);
        assert_eq!(complaint(&skipped, &["runtime=rust".parse().unwrap()]), None);
        assert!(complaint(&skipped, &["runtime=rust,node".parse().unwrap()]).is_some());
    }
}
