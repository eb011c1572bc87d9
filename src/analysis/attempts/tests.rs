use proptest::prelude::*;

use super::*;
use crate::stats::safeguards::without;
use crate::stats::simulation::{DRIFTING, Draws, judge_values};
use crate::stats::verdict::{Conclusion, Verdict};

const TRIALS: u32 = 5;

fn plan() -> Vec<PlanRow> {
    let row = |position: u32| PlanRow {
        trial_id: format!("t{position}"),
        family_id: "f".to_owned(),
        block: 1,
        position,
        ..PlanRow::default()
    };
    (1..=TRIALS).map(row).collect()
}

/// An attempt at trial `t<position>`, long enough to be judged by itself.
fn row(position: u32, attempt: u32, pass: u32, flags: &str) -> TrialRow {
    TrialRow {
        trial_id: format!("t{position}"),
        attempt,
        family_id: "f".to_owned(),
        block: 1,
        position,
        pass: Some(pass),
        status: Status::Ok,
        noise_span_ns: Some(JUDGED_ALONE_NS),
        noise_flags: flags.to_owned(),
        ..TrialRow::default()
    }
}

const DISTURBED: &str = "canary:warn;foreign_cpu:disturbed";

fn keys(rows: &[TrialRow]) -> Vec<(String, u32)> {
    accepted(rows).into_iter().map(|row| (row.trial_id.clone(), row.attempt)).collect()
}

fn stands(rows: &[TrialRow]) -> Block {
    let plan = plan();
    let planned: Vec<&PlanRow> = plan.iter().collect();
    block_of(&planned, rows, RERUNS_PER_TRIAL)
}

#[test]
fn undisturbed_attempt_counts_or_else_the_first() {
    let rows = [
        row(1, 1, 1, DISTURBED),
        row(2, 1, 1, ""),
        row(3, 1, 1, DISTURBED),
        row(1, 2, 1, ""),
        row(3, 2, 1, DISTURBED),
        row(3, 3, 1, DISTURBED),
    ];
    let key = |id: &str, attempt| (id.to_owned(), attempt);
    assert_eq!(keys(&rows), [key("t2", 1), key("t3", 1), key("t1", 2)]);
}

#[test]
fn short_trial_is_disturbed_by_events_only() {
    let short =
        |flags: &str| TrialRow { noise_span_ns: Some(JUDGED_ALONE_NS - 1), ..row(1, 1, 1, flags) };
    assert!(is_disturbed(&row(1, 1, 1, DISTURBED)));
    assert!(!is_disturbed(&short(DISTURBED)));
    assert!(is_disturbed(&short("vm_pause:disturbed")));
    assert!(!is_disturbed(&row(1, 1, 1, "steal:warn")));
    assert!(!is_disturbed(&row(1, 1, 1, "")));
    // By their names, which are those of the signals.
    use crate::driver::noise::signal::Signal;
    let rates = Signal::ALL.into_iter().filter(|signal| signal.is_rate());
    assert_eq!(rates.map(Signal::name).collect::<Vec<_>>(), RATES);
    assert_eq!(JUDGED_ALONE_NS, crate::driver::noise::judge::JUDGED_NS);
}

#[test]
fn block_that_was_cut_short_is_run_again_whole() {
    let mut rows = Vec::new();
    assert_eq!(stands(&rows), Block::Due { pass: 1 });
    for position in 1..TRIALS {
        rows.push(row(position, 1, 1, ""));
        assert_eq!(stands(&rows), Block::Due { pass: 2 });
    }
    for position in 1..=TRIALS {
        let attempt = next_attempt(&format!("t{position}"), &rows);
        assert_eq!(attempt, if position < TRIALS { 2 } else { 1 });
        rows.push(row(position, attempt, 2, ""));
    }
    assert_eq!(stands(&rows), Block::Done);
    let passes: BTreeSet<u32> = accepted(&rows).iter().map(|row| row.pass_number()).collect();
    assert_eq!(passes, BTreeSet::from([2]), "two passes are mixed");
}

#[test]
fn longest_pass_counts_while_none_is_complete() {
    let rows = [row(1, 1, 1, ""), row(2, 1, 1, ""), row(1, 2, 2, "")];
    assert_eq!(keys(&rows).len(), 2);
    assert!(keys(&rows).contains(&("t1".to_owned(), 1)));
}

#[test]
fn missing_rerun_leaves_the_block_due() {
    let mut rows: Vec<TrialRow> = (1..=TRIALS).map(|p| row(p, 1, 1, "")).collect();
    rows[2].noise_flags = DISTURBED.to_owned();
    assert_eq!(stands(&rows), Block::Due { pass: 2 });
    rows.push(row(3, 2, 1, ""));
    assert_eq!(stands(&rows), Block::Done);
    // A preset without re-runs never has one to make.
    let plan = plan();
    let planned: Vec<&PlanRow> = plan.iter().collect();
    assert_eq!(block_of(&planned, &rows[..5], 0), Block::Done);
}

#[test]
fn failed_trial_is_not_run_again() {
    let mut failed = row(1, 1, 1, DISTURBED);
    failed.status = Status::Failed;
    assert_eq!(to_run_again(&[&failed], RERUNS_PER_TRIAL), None);
}

proptest! {
    /// Whatever is disturbed: no more re-runs than the limits say, then the block is done.
    #[test]
    fn reruns_end(disturbed in proptest::collection::vec(any::<bool>(), 64)) {
        let mut disturbed = disturbed.into_iter();
        let mut flags = || if disturbed.next().unwrap_or(true) { DISTURBED } else { "" };
        let mut rows: Vec<TrialRow> = (1..=TRIALS).map(|p| row(p, 1, 1, flags())).collect();
        loop {
            let pass: Vec<&TrialRow> = rows.iter().collect();
            let Some(again) = to_run_again(&pass, RERUNS_PER_TRIAL) else { break };
            let attempt = next_attempt(&again.trial_id, &rows);
            let (position, flags) = (again.position, flags());
            rows.push(row(position, attempt, 1, flags));
            prop_assert!(attempt as usize <= 1 + RERUNS_PER_TRIAL);
        }
        prop_assert!(rows.len() <= TRIALS as usize + reruns_max(TRIALS as usize));
        prop_assert_eq!(stands(&rows), Block::Done);
        prop_assert_eq!(keys(&rows).len(), TRIALS as usize);
    }

    /// Cut anywhere and gone on with, any number of times: every trial counts once, and all of
    /// a block from one pass.
    #[test]
    fn same_trials_count_after_any_number_of_cuts(cuts in proptest::collection::vec(0..6u32, 0..6)) {
        let mut rows = Vec::new();
        for cut in cuts.into_iter().chain([TRIALS]) {
            let Block::Due { pass } = stands(&rows) else { break };
            for position in 1..=cut.min(TRIALS) {
                let attempt = next_attempt(&format!("t{position}"), &rows);
                rows.push(row(position, attempt, pass, ""));
            }
        }
        prop_assert_eq!(stands(&rows), Block::Done);
        let counted = accepted(&rows);
        prop_assert_eq!(counted.len(), TRIALS as usize);
        let passes: BTreeSet<u32> = counted.iter().map(|row| row.pass_number()).collect();
        prop_assert_eq!(passes.len(), 1);
        let all: BTreeSet<_> = rows.iter().map(|r| (&r.trial_id, r.attempt)).collect();
        prop_assert_eq!(all.len(), rows.len(), "an attempt twice");
    }
}

/// Of 50 runs in which something else takes a third of the machine during a quarter of the trials,
/// those that find an arm with 8 % more work `slower`. What is disturbed is run again.
fn found_slower_among_the_disturbed() -> usize {
    let mut draws = Draws::new(24);
    (0..50)
        .filter(|_| {
            let calm = DRIFTING.measure(&[1.0, 1.0, 1.08], 20, &mut draws);
            let rows = with_reruns(&calm, &mut draws);
            let mut values = vec![vec![None; 20]; 3];
            for row in accepted(&rows) {
                let place = row.block as usize - 1;
                let arm = row.position as usize - 1;
                values[arm][place] = row.response_p50_ns.map(|ns| ns as f64);
            }
            let slower = Conclusion::Verdict(Verdict::Slower);
            judge_values(&values).arms[0].conclusion == slower
        })
        .count()
}

/// The rows of a run in which a quarter of the trials is disturbed, and those run again in peace.
fn with_reruns(values: &[Vec<Option<f64>>], draws: &mut Draws) -> Vec<TrialRow> {
    let mut rows = Vec::new();
    for (arm, blocks) in values.iter().enumerate() {
        for (block, value) in blocks.iter().enumerate() {
            let calm_ns = value.unwrap() * 1e6;
            let row = TrialRow {
                trial_id: format!("t{arm}-{block}"),
                attempt: 1,
                family_id: "f".to_owned(),
                block: block as u32 + 1,
                position: arm as u32 + 1,
                status: Status::Ok,
                response_p50_ns: Some(calm_ns as u64),
                ..TrialRow::default()
            };
            if draws.uniform() < 0.25 {
                rows.push(TrialRow {
                    response_p50_ns: Some((calm_ns * 1.5) as u64),
                    noise_flags: "canary:disturbed".to_owned(),
                    ..row.clone()
                });
                rows.push(TrialRow { attempt: 2, ..row });
            } else {
                rows.push(row);
            }
        }
    }
    rows
}

#[test]
fn reruns_are_needed() {
    let with = found_slower_among_the_disturbed();
    let without = without(Safeguard::Reruns, found_slower_among_the_disturbed);
    println!("8 % found in {with} of 50 with re-runs, in {without} without");
    assert!(with >= 45 && without < 45, "{with}, {without}");
}
