//! The claims of the study notes: all of them, on what there is.

use std::collections::BTreeSet;

use super::*;
use crate::experiment::demonstration::{self, Demonstration};
use crate::experiment::{self, Experiment, Load, builtin};
use crate::workload;
use crate::workload::options;

/// The places that have a claim: every row of every table, the key benefits, the key
/// characteristics, the key takeaways, and the best practices.
const PLACES: &[&str] = &[
    "Key Benefits: Non-blocking",
    "Key Benefits: CPU utilization",
    "Key Benefits: Isolation",
    "Key Benefits: Scalability",
    "Core Differences: Purpose",
    "Core Differences: Communication",
    "Core Differences: Data Transfer",
    "Core Differences: Memory Usage",
    "Core Differences: Use Case",
    "Comparison Overview: Best For",
    "Comparison Overview: Organization",
    "Comparison Overview: Maintainability",
    "Comparison Overview: Team Development",
    "Comparison Overview: Middleware Scope",
    "Comparison Overview: Reusability",
    "Key Characteristics of New Processes: 1",
    "Key Characteristics of New Processes: 2",
    "Key Characteristics of New Processes: 3",
    "Key Characteristics of New Processes: 4",
    "Key Characteristics of New Processes: 5",
    "Child Process Methods Comparison: fork()",
    "Child Process Methods Comparison: spawn()",
    "Child Process Methods Comparison: exec()",
    "Child Process Methods Comparison: execFile()",
    "Process vs Thread Comparison: Memory",
    "Process vs Thread Comparison: Crash Impact",
    "Process vs Thread Comparison: Communication",
    "Process vs Thread Comparison: Creation Cost",
    "Process vs Thread Comparison: Debugging",
    "Process vs Thread Comparison: Synchronization",
    "Router vs Direct Routes Decision Matrix: < 10 routes",
    "Router vs Direct Routes Decision Matrix: 10-50 routes",
    "Router vs Direct Routes Decision Matrix: 50+ routes",
    "Router vs Direct Routes Decision Matrix: Microservices",
    "When to Use Child Processes: File I/O",
    "When to Use Child Processes: Database queries",
    "When to Use Child Processes: Image processing",
    "When to Use Child Processes: Video encoding",
    "When to Use Child Processes: Mathematical calculations",
    "When to Use Child Processes: API calls",
    "When to Use Child Processes: Email sending",
    "When to Use Child Processes: Report generation",
    "Memory and Performance Considerations: 1 child process (memory)",
    "Memory and Performance Considerations: 1 child process (performance)",
    "Memory and Performance Considerations: 10 child processes (memory)",
    "Memory and Performance Considerations: 10 child processes (performance)",
    "Memory and Performance Considerations: 100 child processes (memory)",
    "Memory and Performance Considerations: 100 child processes (performance)",
    "Memory and Performance Considerations: 1000 child processes (memory)",
    "Memory and Performance Considerations: 1000 child processes (performance)",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "Child Process Management: cleanup",
    "Child Process Management: timeout",
    "Child Process Management: error handler",
    "Router Organization: by feature",
    "Router Organization: middleware",
];

fn of_notes() -> Claims {
    let builtin = builtin::claims_by_name("notes").unwrap();
    read::parse(builtin.text, builtin.path).unwrap()
}

fn selectors(claims: &Claims) -> impl Iterator<Item = &Selector> {
    let figures = claims.figures.iter();
    figures.flat_map(|figure| std::iter::once(&figure.of).chain(&figure.over))
}

#[test]
fn every_place_of_the_notes_has_a_claim() {
    let claims = of_notes();
    for place in PLACES {
        let has = |claim: &Claim| match place.parse::<u32>() {
            Ok(_) => claim.place == *place && claim.section == "Key Takeaways",
            Err(_) => claim.place.starts_with(place),
        };
        assert!(claims.claims.iter().any(has), "{place}");
    }
    let decided = claims.claims.iter().filter(|c| matches!(c.rule, Rule::Tests(_)));
    assert!(decided.count() >= 40);
}

#[test]
fn every_row_of_a_table_of_the_notes_has_a_verdict_and_every_claim_is_in_one_or_in_a_text() {
    let claims = of_notes();
    // What is beside the notes' own tables has rows that nothing is claimed of.
    let ours = ["spawn-fork-creation", "crash"];
    for table in claims.tables.iter().filter(|t| !ours.contains(&t.id.as_str())) {
        for row in &table.rows {
            assert!(!row.claims.is_empty(), "{}: {:?}", table.id, row.words);
        }
    }
    let tables = claims.tables.iter().flat_map(|table| &table.rows);
    let judged: BTreeSet<usize> = tables.flat_map(|row| row.claims.clone()).collect();
    for (place, claim) in claims.claims.iter().enumerate() {
        let is_of_a_table = claim.section.ends_with("Tables") || claim.place.contains(": ");
        let is_text = ["Key Benefits", "Best Practices", "Real-World"]
            .iter()
            .any(|text| claim.section.starts_with(text) || claim.place.starts_with(text));
        assert!(judged.contains(&place) || is_text || !is_of_a_table, "{}", claim.id);
    }
}

#[test]
fn every_figure_is_used() {
    let claims = of_notes();
    let mut used = BTreeSet::new();
    for claim in &claims.claims {
        if let Rule::Tests(tests) = &claim.rule {
            for test in tests {
                used.insert(test.figure);
                used.extend(test.provided.as_ref().map(|provided| provided.figure));
            }
        }
    }
    for part in claims.tables.iter().flat_map(|t| &t.rows).flat_map(|row| row.cells.concat()) {
        match part {
            Part::Figure(figure) | Part::TextOf(figure) => _ = used.insert(figure),
            Part::Words(_) => {}
        }
    }
    for (place, figure) in claims.figures.iter().enumerate() {
        assert!(used.contains(&place), "{}", figure.id);
    }
}

/// What `results/README.md` says of demonstrations: each with its cases and facts.
fn documented() -> Vec<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/results/README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| {
        let name = line.strip_prefix("| `")?.split_once('`')?.0;
        let known = demonstration::ALL.iter().any(|kind| kind.name == name);
        known.then(|| (name.to_owned(), line.to_owned()))
    });
    rows.collect()
}

#[test]
fn every_fact_is_one_that_a_demonstration_shows() {
    let documented = documented();
    let mut seen = BTreeSet::new();
    for selector in selectors(&of_notes()) {
        let Selector::Fact(of) = selector else {
            continue;
        };
        let (name, row) = documented
            .iter()
            .find(|(name, _)| *name == of.demonstration)
            .unwrap_or_else(|| panic!("{of:?}"));
        assert!(row.contains(&format!("`{}`", of.fact)), "{of:?}");
        // `process/abort` is said as `process/` and `abort`.
        let is_said = |case: &str| row.contains(&format!("`{case}`"));
        let in_two = of
            .case
            .split_once('/')
            .is_some_and(|(place, way)| is_said(&format!("{place}/")) && is_said(way));
        assert!(is_said(&of.case) || in_two, "{of:?}");
        seen.insert(name.as_str());
    }
    let all: BTreeSet<&str> = demonstration::ALL.iter().map(|kind| kind.name).collect();
    assert_eq!(seen, all);
}

/// The experiment that answers the claims has the families, arms, numbers of children and
/// demonstrations that they ask for.
#[test]
fn the_experiment_has_what_the_claims_ask_for() {
    let notes = builtin::by_name("notes").unwrap();
    for cores in [2, 8] {
        let experiment = experiment::wire::parse(notes.text, notes.path, cores, 1).unwrap();
        assert_eq!(experiment.claims.as_deref(), Some("notes"));
        for selector in selectors(&of_notes()) {
            match selector {
                Selector::Arm(of) => has_arm(&experiment, of, cores),
                Selector::Slope(of) => has_memory(&experiment, of),
                Selector::Memory(of) => {
                    let slope = SlopeOf {
                        runtime: of.runtime.clone(),
                        strategy: of.strategy.clone(),
                        children: of.children,
                    };
                    has_memory(&experiment, &slope);
                }
                Selector::Fact(of) => {
                    let is_it = |shown: &Demonstration| {
                        shown.name == of.demonstration && shown.runtime == of.runtime
                    };
                    assert!(experiment.demonstrations.iter().any(is_it), "{of:?}");
                }
            }
        }
    }
}

#[track_caller]
fn has_arm(experiment: &Experiment, of: &ArmOf, cores: u32) {
    let defs = workload::by_name(&of.family.workload).unwrap().options();
    let wanted = options::resolve(defs, &of.family.options, cores).unwrap();
    let families = experiment.families.iter().filter(|family| {
        let is_loaded = match (&of.family.load, family.load) {
            (LoadOf::Callers(callers), Load::Closed { callers: own }) => {
                options::resolve_cores(callers, cores) == Some(own.into())
            }
            (LoadOf::Open { share, probe }, Load::Open(open)) => {
                let own = open.probe.map_or("", |probe| probe.name());
                open.rate.share() == Some(*share) && own == probe
            }
            _ => false,
        };
        is_loaded
            && family.runtime == of.runtime
            && family.spec.workload == of.family.workload
            && of.family.size.as_deref().is_none_or(|s| family.spec.size.name() == s)
            && of.family.payload_bytes.is_none_or(|n| family.spec.payload_bytes == n)
            && family.spec.options == wanted
    });
    let families: Vec<_> = families.collect();
    assert_eq!(families.len(), 1, "{of:?}");
    let is_it = |arm: &&experiment::Arm| {
        let has = |(name, value): (&String, &String)| arm.options.get(name) == Some(value);
        arm.strategy == of.strategy
            && arm.role != experiment::Role::Placebo
            && of.options.iter().all(has)
    };
    assert_eq!(families[0].arms.iter().filter(is_it).count(), 1, "{of:?}");
}

#[track_caller]
fn has_memory(experiment: &Experiment, of: &SlopeOf) {
    let own = experiment.families.iter().filter(|family| {
        family.runtime == of.runtime && family.arms.iter().any(|arm| arm.strategy == of.strategy)
    });
    let held: Vec<u32> = own.filter_map(|family| family.load.children()).collect();
    assert!(held.iter().any(|k| *k >= of.children) && held.len() > 1, "{of:?}: {held:?}");
}
