//! The claims of the study notes: each of the notes' places has one, and experiment and
//! demonstrations show what they ask for.

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

pub fn of_notes() -> Claims {
    let builtin = builtin::claims_by_name("notes").unwrap();
    check::parse(builtin.text, builtin.path).unwrap()
}

fn selectors(claims: &Claims) -> impl Iterator<Item = &Selector> {
    let figures = claims.figures.values().map(|figure| figure.get_ref());
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
    let decided = claims.claims.iter().filter(|claim| !claim.tests.is_empty());
    assert!(decided.count() >= 40);
}

#[test]
fn every_row_of_a_table_is_judged_and_every_claim_of_a_table_is_in_a_row() {
    let claims = of_notes();
    // Tables that the notes do not have also show rows without claims.
    let ours = ["spawn-fork-creation", "crash"];
    for table in claims.tables.iter().filter(|t| !ours.contains(&t.id.get_ref().as_str())) {
        for row in &table.rows {
            assert!(!row.claims.is_empty(), "{}: {:?}", table.id.get_ref(), row.words);
        }
    }
    let rows = claims.tables.iter().flat_map(|table| &table.rows);
    let judged: BTreeSet<&str> =
        rows.flat_map(|row| &row.claims).map(|id| id.get_ref().as_str()).collect();
    for claim in &claims.claims {
        let is_of_a_table = claim.section.ends_with("Tables") || claim.place.contains(": ");
        let is_text = ["Key Benefits", "Best Practices", "Real-World"]
            .iter()
            .any(|text| claim.section.starts_with(text) || claim.place.starts_with(text));
        let id = claim.id.get_ref();
        assert!(judged.contains(id.as_str()) || is_text || !is_of_a_table, "{id}");
    }
}

#[test]
fn every_figure_is_used() {
    let claims = of_notes();
    let mut used = BTreeSet::new();
    for test in claims.claims.iter().flat_map(|claim| &claim.tests) {
        used.insert(test.figure.get_ref().as_str());
        used.extend(test.provided.as_ref().map(|provided| provided.figure.get_ref().as_str()));
    }
    let rows = claims.tables.iter().flat_map(|table| &table.rows);
    for cell in rows.flat_map(|row| &row.cells) {
        let names = pieces(cell.get_ref()).filter_map(|(_, name)| name);
        used.extend(names.map(|name| name.trim_end_matches(":text")));
    }
    for figure in claims.figures.keys() {
        assert!(used.contains(figure.as_str()), "{figure}");
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
fn experiment_has_all_that_the_claims_ask_for() {
    let notes = builtin::by_name("notes").unwrap();
    for cores in [2, 8] {
        let experiment = experiment::wire::parse(notes.text, notes.path, cores, 1).unwrap();
        assert_eq!(experiment.claims.as_deref(), Some("notes"));
        let claims = of_notes();
        for selector in selectors(&claims) {
            match selector {
                Selector::Arm(of) => {
                    let family = claims.families[&of.family].get_ref();
                    has_arm(&experiment, of, family, cores);
                }
                Selector::Slope(of) => {
                    let children = of.children.unwrap_or(1);
                    has_memory(&experiment, &of.runtime, &of.strategy, children);
                }
                Selector::Memory(of) => {
                    has_memory(&experiment, &of.runtime, &of.strategy, of.children);
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
fn has_arm(experiment: &Experiment, of: &ArmOf, family: &Family, cores: u32) {
    let defs = workload::by_name(&family.workload).unwrap().options();
    let wanted = options::resolve(defs, &family.options, cores).unwrap();
    let families = experiment.families.iter().filter(|own| {
        let is_loaded = match (&family.callers, family.share, own.load) {
            (Some(callers), None, Load::Closed { callers: own }) => {
                options::resolve_cores(callers, cores) == Some(own.into())
            }
            (None, Some(share), Load::Open(open)) => {
                let probe = open.probe.map_or("", |probe| probe.name());
                open.rate.share() == Some(share) && family.probe == probe
            }
            _ => false,
        };
        is_loaded
            && own.runtime == of.runtime
            && own.spec.workload == family.workload
            && family.size.as_deref().is_none_or(|size| own.spec.size.name() == size)
            && family.payload_bytes.is_none_or(|bytes| own.spec.payload_bytes == bytes)
            && own.spec.options == wanted
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
fn has_memory(experiment: &Experiment, runtime: &str, strategy: &str, children: u32) {
    let own = experiment.families.iter().filter(|family| {
        family.runtime == runtime && family.arms.iter().any(|arm| arm.strategy == strategy)
    });
    let held: Vec<u32> = own.filter_map(|family| family.load.children()).collect();
    let is_there = held.iter().any(|k| *k >= children) && held.len() > 1;
    assert!(is_there, "{runtime} {strategy} {children}: {held:?}");
}
