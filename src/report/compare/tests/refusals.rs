//! What is not compared, and what is said of it.

use super::*;
use crate::record::{Regime, SCHEMA_VERSION, Status};

fn refused(a: &Run, b: &Run) -> String {
    compare(a, b).unwrap_err().to_string()
}

#[test]
fn runs_that_cannot_be_compared_say_why_and_what_to_do() {
    let a = sample::standard();
    let b = again(&a, "b", 1.0);
    let mut copy = a.clone();
    copy.trials.pop();
    assert!(refused(&a, &copy).contains("are the same run, `sample`; name two different"));
    let mut other = b.clone();
    other.manifest.experiment = "load".to_owned();
    let said = refused(&a, &other);
    assert!(said.contains("experiment `main`, B of `load`; compare two runs of one"), "{said}");
    let mut other = b.clone();
    other.manifest.reference = "pool".to_owned();
    assert!(refused(&a, &other).contains("to `blocking` in A and to `pool` in B"));
    let mut other = b.clone();
    other.manifest.schema_version = 0;
    let said = format!("schema version {SCHEMA_VERSION}, B's 0");
    assert!(refused(&a, &other).contains(&said));
    let mut empty = b.clone();
    empty.trials.clear();
    let said = refused(&a, &empty);
    assert!(said.contains("B (`b`) has no usable trial"), "{said}");
    assert!(said.contains("--resume"), "{said}");
    let mut failed = b;
    for row in &mut failed.trials {
        row.status = Status::Failed;
        row.reason = "the subject died".to_owned();
    }
    assert!(refused(&a, &failed).contains("the subject died (t0001)"));
}

#[test]
fn nothing_in_common_names_what_each_has() {
    let a = sample::standard();
    let mut b = again(&a, "b", 1.0);
    let renamed = |id: &str| id.replace("closed4", "closed32");
    b.plan.iter_mut().for_each(|row| row.family_id = renamed(&row.family_id));
    b.trials.iter_mut().for_each(|row| row.family_id = renamed(&row.family_id));
    let said = refused(&a, &b);
    assert!(said.contains("A alone has `noop-64B-rust-closed4`"), "{said}");
    assert!(said.contains("run `forkbench run main --preset quick` on both"), "{said}");
    let cores = &mut b.environment.facts;
    cores.insert("cpus_available".to_owned(), 16.into());
    let said = refused(&a, &b);
    assert!(said.contains("A had 2 cores and B 16") && said.contains("write numbers"), "{said}");
}

#[test]
fn what_only_one_run_has_is_listed_and_not_compared() {
    let a = sample::standard();
    let mut b = again(&a, "b", 1.0);
    b.plan.retain(|row| row.family_id != "primes-m-rust-closed4");
    b.trials.retain(|row| row.workload != "primes");
    let wider = |options: &mut String| *options = options.replace("workers=2", "workers=16");
    b.plan.iter_mut().for_each(|row| wider(&mut row.options));
    b.trials.iter_mut().for_each(|row| wider(&mut row.options));
    b.environment.facts.insert("cpus_available".to_owned(), 16.into());
    let compared = compare(&a, &b).unwrap();
    let lines = sentences::missing(&compared).join("\n");
    for said in [
        "only in A: primes-m-rust-closed4",
        "only in A: pool workers=2 in 2 families",
        "only in B: pool workers=16 in 2 families",
        "A had 2 cores and B 16",
    ] {
        assert!(lines.contains(said), "{said}: {lines}");
    }
    assert!(compared.cells.iter().all(|cell| cell.strategy != "pool"));
    assert!(compared.cells.iter().any(|cell| cell.strategy == "spawn"));
}

/// What is said of the family of `noop`, which must not be compared.
fn left(a: &Run, b: &Run) -> String {
    let compared = compare(a, b).unwrap();
    assert!(compared.groups.iter().all(|group| group.row.workload != "noop"));
    let left = compared.left.iter().find(|left| left.name == "noop-64B-rust-closed4");
    left.unwrap().reason.clone()
}

#[test]
fn a_family_of_one_name_that_is_not_the_same_is_not_compared() {
    let a = sample::standard();
    let mut b = again(&a, "b", 1.0);
    let noop = |row: &&mut TrialRow| row.workload == "noop";
    for row in b.trials.iter_mut().filter(noop) {
        row.workload_options = "chunks=16".to_owned();
    }
    assert_eq!(
        left(&a, &b),
        "`workload_options` is empty in A and `chunks=16` in B; measure both with one experiment \
         file and the same forkbench"
    );
    // What each run has measured for itself is not another experiment.
    let spun = |id: &str, steps: &str| {
        let mut run = again(&a, id, 1.0);
        for row in run.trials.iter_mut().filter(noop) {
            row.workload = "spin".to_owned();
            row.workload_options = format!("steps_per_ms={steps};us=1000");
        }
        run
    };
    let said = left(&spun("one", "600000"), &spun("two", "600001"));
    assert!(said.ends_with("each run measured `steps_per_ms` itself, set it in the experiment"));
    let mut b = again(&a, "b", 1.0);
    b.trials.retain(|row| row.workload != "noop");
    let said = left(&a, &b);
    assert!(said.starts_with("no trial of it has run in B; go on"), "{said}");
}

#[test]
fn times_of_different_answers_are_not_compared() {
    let a = sample::standard();
    let mut b = again(&a, "b", 0.5);
    let noop = |row: &&mut TrialRow| row.workload == "noop";
    for row in b.trials.iter_mut().filter(noop).filter(|row| row.status == Status::Ok) {
        row.checksum = "0000000000000bad".to_owned();
    }
    let said = left(&a, &b);
    assert!(said.contains("`00000000deadbeef` in A and by `0000000000000bad` in B"), "{said}");
    // It is the first that is said, wherever.
    let compared = compare(&a, &b).unwrap();
    let alarm = "THE ANSWERS DIFFER in 1 family (noop-64B-rust-closed4): A and B answered";
    assert!(compared.alarm().unwrap().starts_with(alarm));
    let out = compared.terminal(200);
    assert!(out.lines().nth(1).unwrap().starts_with(&format!("!!! {alarm}")), "{out}");
    let page = compared.html();
    assert!(page.find(alarm).unwrap() < page.find("id=\"verdict\"").unwrap());
    assert!(compared.json()["alarm"].as_str().unwrap().starts_with(alarm));
    // Other inputs have other answers.
    b.manifest.seed += 1;
    let compared = compare(&a, &b).unwrap();
    assert_eq!(compared.alarm(), None);
    let lines = sentences::missing(&compared).join("\n");
    assert!(lines.contains("run B with --seed"), "{lines}");
    assert!(compared.groups.iter().any(|group| group.row.workload == "noop"));
    assert!(compared.differs.iter().any(|one| one.what.starts_with("seed")));
    // But not where the family fixes its own.
    let fixed = |run: &mut Run| {
        let with_seed = |id: &str| format!("{id}-seed42");
        run.plan.iter_mut().for_each(|row| row.family_id = with_seed(&row.family_id));
        run.trials.iter_mut().for_each(|row| row.family_id = with_seed(&row.family_id));
    };
    let mut a = a;
    fixed(&mut a);
    fixed(&mut b);
    let compared = compare(&a, &b).unwrap();
    assert!(compared.groups.iter().all(|group| group.row.workload != "noop"));
}

#[test]
fn rates_that_are_shares_of_a_machine_s_own_capacity_are_compared_within_it_only() {
    let mut a = sample::standard();
    for row in &mut a.trials {
        row.regime = Regime::Open;
        row.callers = None;
        row.rate_of_capacity = Some(0.8);
        row.rate_per_s = Some(1000.0);
    }
    let mut b = again(&a, "b", 0.5);
    b.trials.iter_mut().for_each(|row| row.rate_per_s = Some(2000.0));
    let compared = compare(&a, &b).unwrap();
    let fork = cell(&compared, "noop", "fork", P50);
    assert_eq!(fork.absolute.refusal(), Some(&Refusal::OtherRate([1000.0, 2000.0])));
    assert!(matches!(relative(fork), Conclusion::Verdict(_)));
    assert!(compared.terminal(120).contains("A was asked 1.00k/s and B 2.00k/s"));
    // A rate that was asked for as a number must be the same.
    a.trials.iter_mut().for_each(|row| row.rate_of_capacity = None);
    b.trials.iter_mut().for_each(|row| row.rate_of_capacity = None);
    let said = refused(&a, &b);
    assert!(said.contains("`rate_per_s` is `1000` in A and `2000` in B"), "{said}");
}

#[test]
fn an_arm_that_failed_in_one_run_says_so_and_has_no_ratio() {
    let a = sample::standard();
    let mut b = again(&a, "b", 1.0);
    let is_it = |row: &&mut TrialRow| row.workload == "noop" && row.strategy == "fork";
    for row in b.trials.iter_mut().filter(is_it) {
        row.status = Status::Failed;
        row.reason = "it died".to_owned();
    }
    let compared = compare(&a, &b).unwrap();
    let fork = cell(&compared, "noop", "fork", P50);
    let is_failed = matches!(fork.absolute.refusal(), Some(Refusal::Failed(Side::B, _)));
    assert!(is_failed, "{fork:?}");
    let text = compared.terminal(120);
    assert!(text.contains("fork: in B: failed: ") && text.contains("it died"), "{text}");
    // Node.js cannot fork, here or there.
    let lines = sentences::missing(&compared).join("\n");
    assert!(lines.contains("skipped in both: Node.js cannot fork(2)"), "{lines}");
}
