//! The notes' claims on facts as Node.js shows them, and on made-up figures: the verdicts, and how
//! they change with the data.

use super::*;
use crate::record::columns::FACTS;
use crate::stats::Interval;

/// What the demonstrations showed once, on Linux.
const FACTS_CSV: &str = include_str!("facts.csv");

/// A run of nothing but demonstrations.
fn shown() -> Run {
    let mut run = sample::standard();
    run.plan.clear();
    run.trials.clear();
    run.memory.clear();
    let mut reader = csv::Reader::from_reader(FACTS_CSV.as_bytes());
    for line in reader.deserialize() {
        let line: std::collections::BTreeMap<String, String> = line.unwrap();
        assert!(line.keys().all(|name| FACTS.column(name).is_some()));
        run.facts.extend((1..=10).map(|block| FactRow {
            demonstration: line["demonstration"].clone(),
            case: line["case"].clone(),
            runtime: line["runtime"].clone(),
            block,
            fact: line["fact"].clone(),
            value: line["value"].parse().ok(),
            unit: line["unit"].clone(),
            text: line["text"].clone(),
            ..FactRow::default()
        }));
    }
    run
}

/// Which verdict, of those that a demonstration decides.
const VERDICTS: &[(Verdict, &str)] = &[
    (
        Verdict::Confirmed,
        "benefit-isolation spawn-any-command spawn-fork-communication spawn-for-commands \
         architecture-memory proof-pids isolation-example characteristic-pids \
         characteristic-memory characteristic-resources characteristic-crash method-fork \
         method-spawn method-exec method-exec-file process-crash-impact thread-communication \
         thread-synchronization benefit-cpu characteristic-cores takeaway-1 takeaway-2 takeaway-6 \
         takeaway-8 practice-cleanup",
    ),
    // A runtime of today is larger than the notes', and their chunks count a prime twice.
    (Verdict::Refuted, "proof-memory primes-right"),
    (
        Verdict::Depends,
        "fork-scripts-only spawn-fork-data thread-memory thread-crash-impact takeaway-5 \
         practice-timeout",
    ),
];

#[test]
fn facts_of_node_decide_their_claims_and_no_others() {
    let answers = answers_of(&shown(), notes::of_notes());
    for judged in &answers.judged {
        let is_named =
            |names: &str| names.split_whitespace().any(|name| name == judged.claim.id.get_ref());
        let expected = VERDICTS.iter().find(|(_, names)| is_named(names));
        match expected {
            Some((verdict, _)) => {
                assert_eq!(
                    judged.verdict,
                    *verdict,
                    "{}: {}",
                    judged.claim.id.get_ref(),
                    judged.said
                );
            }
            None => assert!(
                matches!(
                    judged.verdict,
                    Verdict::NotYetMeasured | Verdict::NotAMatterOfMeasurement
                ),
                "{}: {}",
                judged.claim.id.get_ref(),
                judged.said
            ),
        }
    }
}

#[test]
fn verdict_changes_with_the_fact() {
    let node = |demonstration, case, fact| (demonstration, case, "node", fact);
    for (place, value, claim, verdict) in [
        (
            node("prime-boundary", "as-in-the-notes", "primes_counted"),
            2263.0,
            "primes-right",
            Verdict::Confirmed,
        ),
        (
            node("crash", "process/abort", "main_survives"),
            0.0,
            "benefit-isolation",
            Verdict::Depends,
        ),
        (
            node("crash", "process/panic", "others_lost"),
            3.0,
            "characteristic-crash",
            Verdict::Depends,
        ),
        (node("crash", "thread/abort", "main_survives"), 1.0, "takeaway-5", Verdict::Depends),
        (
            node("memory-isolation", "process", "main_count"),
            999.0,
            "characteristic-memory",
            Verdict::Refuted,
        ),
        (
            node("order-leak", "as-in-the-notes", "children_left_per_100_orders"),
            0.0,
            "takeaway-8",
            Verdict::Refuted,
        ),
        (
            node("max-buffer", "spawn", "received_bytes"),
            1_048_576.0,
            "method-spawn",
            Verdict::Refuted,
        ),
        (node("max-buffer", "exec/default", "error"), 0.0, "method-exec", Verdict::Refuted),
        (node("shell-characters", "exec", "injected"), 0.0, "method-exec", Verdict::Refuted),
        (
            node("shell-characters", "exec-file", "injected"),
            1.0,
            "method-exec-file",
            Verdict::Refuted,
        ),
        (
            node("separate-processes", "fork", "cores_used"),
            1.05,
            "characteristic-cores",
            Verdict::NotDecided,
        ),
        (
            node("separate-processes", "fork", "cores_used"),
            1.0,
            "characteristic-cores",
            Verdict::Refuted,
        ),
        (
            node("separate-processes", "worker-thread", "cores_used"),
            1.0,
            "characteristic-cores",
            Verdict::NotDecided,
        ),
    ] {
        let mut run = shown();
        let is_it = |row: &&mut FactRow| {
            let (demonstration, case, runtime, fact) = place;
            row.demonstration == demonstration
                && row.case == case
                && row.runtime == runtime
                && row.fact == fact
        };
        let changed = run.facts.iter_mut().filter(is_it);
        assert_eq!(changed.map(|row| row.value = Some(value)).count(), 10);
        let answers = answers_of(&run, notes::of_notes());
        let judged = answers.judged.iter().find(|j| j.claim.id.get_ref() == claim).unwrap();
        assert_eq!(judged.verdict, verdict, "{place:?}: {}", judged.said);
    }
}

fn measured(low: f64, high: f64) -> Result<Measured, Missing> {
    Ok(Measured {
        estimate: (low + high) / 2.0,
        interval: Some(Interval { low, high }),
        n_blocks: 10,
        source: Source { file: "cells.csv", ..Source::default() },
        ..Measured::default()
    })
}

/// On the bounds themselves, which are within.
fn within(bounds: Bounds) -> Result<Measured, Missing> {
    match (bounds.low, bounds.high) {
        (Some(low), Some(high)) => measured(low, high),
        (Some(low), None) => measured(low, low * 2.0),
        (None, Some(high)) => measured(high / 2.0, high),
        (None, None) => panic!("a bound at least"),
    }
}

/// Some value that is not within.
fn beyond(bounds: Bounds) -> f64 {
    match (bounds.low, bounds.high) {
        (_, Some(high)) => high + high.abs().max(1.0),
        (Some(low), None) => low / 2.0,
        (None, None) => panic!("a bound at least"),
    }
}

#[test]
fn every_rule_can_confirm_and_every_figure_of_it_can_refute() {
    let claims = notes::of_notes();
    let tested = claims.claims.iter().enumerate().filter(|(_, claim)| !claim.tests.is_empty());
    for (place, claim) in tested {
        let missing = Missing { of: "it".to_owned(), reason: "it is missing".to_owned() };
        let names = claims.figures.keys();
        let mut figures: Figures = names.map(|name| (name.clone(), Err(missing.clone()))).collect();
        for test in &claim.tests {
            figures.insert(test.figure.get_ref().clone(), within(test.confirmed_when));
            if let Some(provided) = &test.provided {
                figures.insert(provided.figure.get_ref().clone(), within(provided.when));
            }
        }
        let verdict = |figures: &Figures| judge::judge(&claims, figures).swap_remove(place).verdict;
        let id = claim.id.get_ref();
        assert_eq!(verdict(&figures), Verdict::Confirmed, "{id}");
        let conditions: BTreeSet<&str> = claim.tests.iter().map(|test| test.on.as_str()).collect();
        for test in &claim.tests {
            let name = test.figure.get_ref();
            let id = format!("{id}: {name}");
            let mut changed = figures.clone();
            let refuting = match test.refuted_when {
                Some(bounds) => within(bounds),
                None => measured(beyond(test.confirmed_when), beyond(test.confirmed_when)),
            };
            changed.insert(name.clone(), refuting);
            let refuted = match conditions.len() {
                1 => Verdict::Refuted,
                _ => Verdict::Depends,
            };
            assert_eq!(verdict(&changed), refuted, "{id}");
            // An interval that reaches across a bound decides nothing.
            let inside = test.confirmed_when.low.or(test.confirmed_when.high).unwrap();
            let outside = beyond(test.confirmed_when);
            changed.insert(name.clone(), measured(inside.min(outside), inside.max(outside)));
            let open = match test.on == claim.tests[0].on {
                true => Verdict::NotDecided,
                false => Verdict::Confirmed,
            };
            assert_eq!(verdict(&changed), open, "{id}");
        }
    }
}
