//! Pairs of invented runs.

use std::collections::BTreeMap;

use super::*;
use crate::record::columns::{COMPARE, Kind, Presence};
use crate::record::{NoiseLabel, Role, TrialRow};
use crate::report::tests::check_markup;
use crate::report::{sample, sample_memory};
use crate::stats::verdict::{Conclusion, Reason, Verdict};
use cells::{Refusal, View};
use judged::Agreement;

mod pages;
mod refusals;

/// Multiplies everything that is timed.
fn slow(row: &mut TrialRow, by: f64) {
    for ns in [
        &mut row.response_p50_ns,
        &mut row.response_p90_ns,
        &mut row.response_p99_ns,
        &mut row.service_p50_ns,
    ] {
        *ns = ns.map(|ns| (ns as f64 * by) as u64);
    }
    row.throughput_per_s = row.throughput_per_s.map(|per_s| per_s / by);
}

/// The same plan at another time, on a machine on which everything takes `pace` times as long,
/// give or take half a percent.
fn again(run: &Run, run_id: &str, pace: f64) -> Run {
    let mut run = run.clone();
    run.manifest.run_id = run_id.to_owned();
    run.manifest.started_utc = "2026-11-21T10:00:00Z".to_owned();
    run.remarks.clear();
    for (i, row) in run.trials.iter_mut().enumerate() {
        row.run_id = run_id.to_owned();
        let step = (i * 7919 + i * i) % 11;
        slow(row, pace * (0.995 + 0.001 * step as f64));
    }
    for row in &mut run.memory {
        row.run_id = run_id.to_owned();
    }
    run
}

/// Slows one strategy of one workload.
fn slow_arm(run: &mut Run, workload: &str, strategy: &str, by: f64) {
    let is_it = |row: &&mut TrialRow| row.workload == workload && row.strategy == strategy;
    run.trials.iter_mut().filter(is_it).for_each(|row| slow(row, by));
}

fn cell<'c>(compared: &'c Compared, workload: &str, strategy: &str, metric: &str) -> &'c Cell {
    let is_it = |cell: &&Cell| {
        compared.groups[cell.group].row.workload == workload
            && cell.strategy == strategy
            && cell.role != Role::Placebo
            && cell.metric.name == metric
    };
    compared.cells.iter().find(is_it).unwrap()
}

fn absolute(cell: &Cell) -> Conclusion {
    cell.absolute.across().unwrap().conclusion
}

fn relative(cell: &Cell) -> Conclusion {
    cell.relative.as_ref().unwrap().across().unwrap().conclusion
}

const P50: &str = "response_p50_ns";

#[test]
fn a_faster_machine_is_faster_in_every_cell_and_gives_the_same_advice() {
    let a = sample::standard();
    let compared = compare(&a, &again(&a, "b", 0.5)).unwrap();
    let faster = Conclusion::Verdict(Verdict::Faster);
    let mut known = 0;
    for cell in compared.cells.iter().filter(|cell| cell.absolute.across().is_some()) {
        assert_eq!(absolute(cell), faster, "{cell:?}");
        let Some(view) = &cell.relative else { continue };
        let across = view.across().unwrap();
        assert!(!across.conclusion.is_difference(), "{cell:?}");
        assert!((across.ratio.unwrap() - 1.0).abs() < 0.01, "{cell:?}");
        known += 1;
    }
    assert!(known > 40, "{known}");
    let opposite =
        |cell: &&Cell| cell.said.is_some_and(|said| Agreement::of(&said) == Agreement::Opposite);
    assert_eq!(compared.cells.iter().filter(opposite).count(), 0);
    assert!(compared.advice.iter().all(|advice| advice.holds == advice::Holds::Same));
    let said = sentences::summary(&compared);
    assert!(said.len() <= 5, "{said:?}");
    let pace = "The median response of blocking in B is 0.50× that in A";
    assert!(said[0].starts_with(pace), "{said:?}");
    assert!(said[3].contains("contradict each other in none"), "{said:?}");
}

#[test]
fn a_strategy_that_costs_more_in_b_is_named_and_no_other() {
    let a = sample::standard();
    let mut b = again(&a, "b", 0.5);
    slow_arm(&mut b, "noop", "pool", 1.4);
    let compared = compare(&a, &b).unwrap();
    let pool = cell(&compared, "noop", "pool", P50);
    assert_eq!(absolute(pool), Conclusion::Verdict(Verdict::Faster));
    assert_eq!(relative(pool), Conclusion::Verdict(Verdict::Slower));
    let across = pool.relative.as_ref().unwrap().across().unwrap();
    assert!((across.ratio.unwrap() / 1.4 - 1.0).abs() < 0.02, "{across:?}");
    let changed = compared.cells.iter().filter(|cell| {
        cell.metric.name == P50
            && cell
                .relative
                .as_ref()
                .and_then(View::across)
                .is_some_and(|across| across.conclusion.is_difference())
    });
    let names: Vec<_> = changed.map(|cell| cell.strategy.as_str()).collect();
    assert_eq!(names, ["pool"]);
}

#[test]
fn advice_that_does_not_hold_says_what_it_costs() {
    let a = sample::standard();
    let mut b = again(&a, "b", 1.0);
    let title = |compared: &Compared| {
        let advice = compared.advice.iter().find(|a| a.family.starts_with("primes"));
        advice.unwrap().clone()
    };
    let before = title(&compare(&a, &b).unwrap());
    assert_eq!((before.holds, before.cost_ratio), (advice::Holds::Same, None));
    let best = before.best[0].clone();
    slow_arm(&mut b, "primes", &best, 1.5);
    let compared = compare(&a, &b).unwrap();
    let after = title(&compared);
    assert_eq!(after.best[0], best);
    assert_ne!(after.best[1], best);
    assert_eq!(after.holds, advice::Holds::No, "{after:?}");
    assert!(after.cost_ratio.unwrap() > 1.1, "{after:?}");
    let said = sentences::summary(&compared).join(" ");
    assert!(said.contains("slower than another in 1"), "{said}");
    // A little slower than another is as good.
    let mut near = again(&a, "c", 1.0);
    slow_arm(&mut near, "primes", &best, after_delta(&after));
    let near = title(&compare(&a, &near).unwrap());
    assert!(near.holds != advice::Holds::No, "{near:?}");
}

/// By how much B's second best lies behind, and one percent.
fn after_delta(advice: &advice::Advice) -> f64 {
    1.5 / advice.cost_ratio.unwrap() * 1.01
}

#[test]
fn opposite_advice_is_counted_and_named() {
    let a = sample::standard();
    let mut b = again(&a, "b", 1.0);
    // Slower than blocking in A, and now far faster.
    slow_arm(&mut b, "noop", "thread", 0.01);
    let compared = compare(&a, &b).unwrap();
    let thread = cell(&compared, "noop", "thread", P50);
    assert_eq!(Agreement::of(&thread.said.unwrap()), Agreement::Opposite);
    let said = sentences::summary(&compared).join(" ");
    assert!(said.contains("p50 of thread in noop 64 B"), "{said}");
}

#[test]
fn inconclusive_is_an_answer_and_every_cell_is_counted() {
    let mut a = sample::standard();
    // Too noisy for any difference.
    for (i, row) in a.trials.iter_mut().enumerate() {
        slow(row, [1.0, 3.0, 0.4, 1.7, 0.6][i * i % 5]);
    }
    let mut b = again(&a, "b", 1.1);
    b.trials.iter_mut().enumerate().for_each(|(i, row)| slow(row, [0.5, 2.0, 1.0][i % 3]));
    let compared = compare(&a, &b).unwrap();
    for counts in [Counts::absolute(&compared.cells), Counts::relative(&compared.cells)] {
        assert!(counts.inconclusive > 20, "{counts:?}");
    }
    let of = |cells: &[Cell]| cells.iter().filter(|c| c.role != Role::Placebo).count();
    assert_eq!(Counts::absolute(&compared.cells).total(), of(&compared.cells));
    let text = compared.terminal(120);
    assert!(text.contains(" ~") && text.contains("inconclusive"), "{text}");
}

#[test]
fn six_blocks_give_indications_and_fewer_only_ratios() {
    let a = sample::run();
    let compared = compare(&a, &again(&a, "b", 0.5)).unwrap();
    let of_noop = cell(&compared, "noop", "fork", P50);
    assert_eq!(absolute(of_noop), Conclusion::Indication(Verdict::Faster));
    let said = sentences::summary(&compared)[1].clone();
    assert!(said.starts_with("By indication, which is no verdict: of "), "{said}");
    let mut few = again(&a, "b", 0.5);
    few.trials.retain(|row| row.block <= 5);
    let compared = compare(&a, &few).unwrap();
    let of_noop = cell(&compared, "noop", "fork", P50);
    assert_eq!(absolute(of_noop), Conclusion::Withheld(Reason::TooFewBlocks));
    let across = of_noop.absolute.across().unwrap();
    assert!((across.ratio.unwrap() / 0.5 - 1.0).abs() < 0.02);
    assert_eq!((across.ratio_interval, across.p_value), (None, None));
}

#[test]
fn a_placebo_that_differs_takes_back_what_its_family_says() {
    let a = sample::standard();
    let mut b = again(&a, "b", 0.5);
    let placebos = b.trials.iter_mut().filter(|row| row.role == Role::Placebo);
    placebos.filter(|row| row.workload == "noop").for_each(|row| slow(row, 1.2));
    let compared = compare(&a, &b).unwrap();
    let grey = Conclusion::Withheld(Reason::PlaceboDiffers);
    let fork = cell(&compared, "noop", "fork", P50);
    assert_eq!((absolute(fork), relative(fork)), (grey, grey));
    let other = cell(&compared, "primes", "fork", P50);
    assert_eq!(absolute(other), Conclusion::Verdict(Verdict::Faster));
    let noop = compared.advice.iter().find(|a| a.family.starts_with("noop"));
    assert_eq!(noop.unwrap().holds, advice::Holds::Withheld);
    assert!(compared.terminal(120).contains("because the placebo differs"));
}

#[test]
fn noise_in_either_run_is_said_and_silences_nothing() {
    let a = sample::standard();
    let mut b = again(&a, "b", 0.5);
    let quiet = compare(&a, &b).unwrap();
    let facts = &mut b.environment.facts;
    facts.insert("noise_when_idle".to_owned(), "noisy".into());
    for row in &mut b.trials {
        row.noise_label = Some(NoiseLabel::Disturbed);
    }
    let noisy = compare(&a, &b).unwrap();
    let what = noisy.differs.iter().find(|one| one.what == "noise while idle").unwrap();
    assert_eq!((what.a.as_str(), what.b.as_str()), ("not measured", "noisy"));
    let of = |compared| absolute(cell(compared, "noop", "fork", P50));
    assert_eq!(of(&noisy), of(&quiet));
    assert!(of(&noisy).is_difference(), "{:?}", of(&noisy));
}

#[test]
fn larger_delta_of_two_runs_holds_for_both() {
    let a = sample::standard();
    let mut b = again(&a, "b", 0.95);
    b.manifest.delta_ratio = 0.2;
    let compared = compare(&a, &b).unwrap();
    assert!(compared.rows().iter().all(|row| row.delta_ratio == 0.2));
    let same = absolute(cell(&compared, "noop", "fork", P50));
    assert_eq!(same, Conclusion::Verdict(Verdict::Equivalent));
}

/// A memory run in which each child costs `times` as much, give or take.
fn memory_again(a: &Run, times: f64) -> Run {
    let mut b = again(a, "b", 1.0);
    for (i, row) in b.memory.iter_mut().enumerate() {
        let by = times * (0.999 + 0.0002 * (i * i % 11) as f64);
        let once = 2_000_000.0;
        row.pss_bytes = row.pss_bytes.map(|n| (once + (n as f64 - once) * by) as u64);
        row.page_tables_bytes = row.page_tables_bytes.map(|n| (n as f64 * by) as u64);
    }
    b
}

#[test]
fn memory_is_compared_by_what_a_child_costs() {
    let a = sample_memory::alone();
    let compared = compare(&a, &memory_again(&a, 1.25)).unwrap();
    let spawn = cell(&compared, "hold", "spawn", "memory_per_child_bytes");
    assert_eq!(absolute(spawn), Conclusion::Indication(Verdict::Slower));
    let ratio = spawn.absolute.across().unwrap().ratio.unwrap();
    assert!((ratio / 1.25 - 1.0).abs() < 0.02, "{ratio}");
    assert!(spawn.relative.is_none());
    assert!(compared.terminal(120).contains("more?"));
    let pool = cell(&compared, "hold", "pool", "memory_per_child_bytes");
    assert!(!pool.options.contains("workers"));
}

#[test]
fn lines_go_through_the_children_that_both_runs_held() {
    let a = sample_memory::alone();
    let mut b = memory_again(&a, 1.0);
    b.memory.retain(|row| row.k <= 32);
    // What only A held must not count: there a child is ten times as dear.
    let mut a = a;
    for row in a.memory.iter_mut().filter(|row| row.k > 32) {
        row.pss_bytes = row.pss_bytes.map(|n| n * 10);
    }
    let compared = compare(&a, &b).unwrap();
    let spawn = cell(&compared, "hold", "spawn", "memory_per_child_bytes");
    let ratio = spawn.absolute.across().unwrap().ratio.unwrap();
    assert!((ratio - 1.0).abs() < 0.02, "{ratio}");
    assert!(compared.groups[spawn.group].notes[0].contains("different numbers of children"));
    b.memory.retain(|row| row.k <= 1);
    let one = compare(&a, &b).unwrap();
    let spawn = cell(&one, "hold", "spawn", "memory_per_child_bytes");
    assert!(spawn.absolute.across().is_some());
    b.memory.retain(|row| row.k == 1);
    let none = compare(&a, &b).unwrap();
    let spawn = cell(&none, "hold", "spawn", "memory_per_child_bytes");
    assert_eq!(spawn.absolute.refusal(), Some(&Refusal::NoLine));
}

#[test]
fn a_child_that_costs_nothing_is_no_multiple_of_another() {
    let a = sample_memory::alone();
    let mut b = memory_again(&a, 1.0);
    for row in b.memory.iter_mut().filter(|row| row.strategy == "spawn") {
        row.pss_bytes = Some(5_000_000 - u64::from(row.k));
        row.page_tables_bytes = Some(0);
    }
    let compared = compare(&a, &b).unwrap();
    let spawn = cell(&compared, "hold", "spawn", "memory_per_child_bytes");
    assert_eq!(spawn.absolute.refusal(), Some(&Refusal::NotPositive(Side::B)));
}
