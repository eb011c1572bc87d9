//! Claims on generated runs: verdicts follow the data.

use std::collections::BTreeSet;

use super::claims::*;
use super::judge::Verdict;
use super::measure::{Figures, Measured, Missing, Source};
use super::*;
use crate::analysis::{cells, memory};
use crate::record::{
    FactRow, FactStatus, MemoryRow, NoiseLabel, Phase, ProcessRole, Regime, Role, Run, Status,
    TrialRow,
};
use crate::report::{sample, sample_memory};

mod check;
mod figures;
mod mistakes;
mod notes;
mod verdicts;

/// Claims on the samples: one for each way in which a figure is found.
const CLAIMS: &str = r#"
document = "Sample"

[family]
noop = { workload = "noop", payload_bytes = 64, callers = "2x" }
sum = { workload = "random-sum", size = "s", callers = "4" }

[figure]
spawn = { family = "noop", runtime = "rust", strategy = "spawn", metric = "response_p50_ns", over = { strategy = "blocking" } }
sum-spawn = { family = "sum", runtime = "node", strategy = "spawn", metric = "response_p50_ns", over = { strategy = "blocking" } }
creation = { family = "noop", runtime = "rust", strategy = "spawn", metric = "creation_p50_ns" }
slope = { slope = "pss_and_page_tables_bytes", runtime = "rust", strategy = "spawn", children = 10 }
rss = { memory = "rss_bytes", of = "child", children = 10, runtime = "rust", strategy = "spawn" }
survives = { demonstration = "crash", case = "process/abort", runtime = "node", fact = "main_survives", yes_no = true }
lost = { demonstration = "crash", case = "process/abort", runtime = "node", fact = "others_lost" }

[[claim]]
id = "ratio"
section = "s"
place = "p"
words = "spawn is slower"
confirms = "It takes longer."
refutes = "It does not."
[[claim.test]]
figure = "spawn"
confirmed_when = { at_least = 1.03 }

[[claim]]
id = "presumed"
section = "s"
place = "p"
words = "spawn is slower, where creating is"
confirms = "It takes longer."
refutes = "It does not."
[[claim.test]]
figure = "spawn"
confirmed_when = { at_least = 1.03 }
provided = { figure = "creation", when = { at_least = 1e5 }, otherwise = "creating is quick" }

[[claim]]
id = "two"
section = "s"
place = "p"
words = "spawn is slower everywhere"
confirms = "It takes longer."
refutes = "It does not."
[[claim.test]]
on = "rust"
figure = "spawn"
confirmed_when = { at_least = 1.5 }
refuted_when = { at_most = 1.1 }
[[claim.test]]
on = "node"
figure = "sum-spawn"
confirmed_when = { at_least = 1.5 }
refuted_when = { at_most = 1.1 }

[[claim]]
id = "slope"
section = "s"
place = "p"
words = "ten children take about 1.8 MB"
confirms = "1.5 to 2 MB."
refutes = "Another amount."
[[claim.test]]
figure = "slope"
confirmed_when = { from = 1.5e6, to = 2e6 }

[[claim]]
id = "memory"
section = "s"
place = "p"
words = "a child has about 2 MB"
confirms = "1.9 to 2.1 MB."
refutes = "Another amount."
[[claim.test]]
figure = "rss"
confirmed_when = { from = 1.9e6, to = 2.1e6 }

[[claim]]
id = "fact"
section = "s"
place = "p"
words = "a crash is isolated"
confirms = "Main survives, and nothing is lost."
refutes = "It does not, or something is."
[[claim.test]]
figure = "survives"
confirmed_when = { is = 1 }
[[claim.test]]
figure = "lost"
confirmed_when = { is = 0 }

[[claim]]
id = "opinion"
section = "s"
place = "p"
words = "it is nicer"
not_a_matter_of_measurement = "No measurement counts that."

[[claim]]
id = "later"
section = "s"
place = "p"
words = "it reads files"
not_yet_measured = "No workload does."

[[table]]
id = "table"
title = "A table"
columns = ["What", "Says"]
measured = ["is", "was"]
[[table.row]]
words = ["spawn", "slower"]
cells = ["{spawn} that of <blocking>", "{sum-spawn}; survives: {survives} {lost:text}"]
claims = ["ratio", "two"]
[[table.row]]
words = ["opinion", "nicer"]
cells = ["", "{survives} of {lost}"]
claims = ["opinion"]
"#;

fn claims() -> Claims {
    check::parse(CLAIMS, "claims.toml").unwrap()
}

/// Timed trials in two runtimes, memory trials, and a demonstration.
fn run() -> Run {
    let mut run = sample_memory::run();
    // The sample's last block was cut off: here it is whole.
    let planned = run.plan.iter().filter(|row| {
        row.block == run.manifest.blocks && !run.trials.iter().any(|t| t.trial_id == row.trial_id)
    });
    let missing: Vec<TrialRow> = planned
        .filter_map(|planned| {
            let before = run.trials.iter().find(|row| {
                row.block + 1 == planned.block
                    && row.family_id == planned.family_id
                    && row.position == planned.position
            });
            Some(TrialRow {
                trial_id: planned.trial_id.clone(),
                block: planned.block,
                ..before?.clone()
            })
        })
        .collect();
    run.trials.extend(missing);
    with_facts(run)
}

fn with_facts(mut run: Run) -> Run {
    for block in 1..=run.manifest.blocks {
        for (fact, value) in [("main_survives", 1.0), ("others_lost", 0.0)] {
            run.facts.push(FactRow {
                run_id: run.manifest.run_id.clone(),
                demonstration: "crash".to_owned(),
                case: "process/abort".to_owned(),
                runtime: "node".to_owned(),
                block,
                fact: fact.to_owned(),
                value: Some(value),
                text: format!("said in {block}"),
                ..FactRow::default()
            });
        }
    }
    // The sample's trees are not told apart by process.
    let trees: Vec<MemoryRow> = run.memory.clone();
    let held = |row: &&MemoryRow| row.strategy == "spawn" && row.phase == Phase::Held;
    for tree in trees.iter().filter(held) {
        run.memory.extend((0..tree.k).map(|child| MemoryRow {
            role: ProcessRole::Child,
            pid: 200 + child,
            rss_bytes: Some(2_000_000 + u64::from(tree.block) * 1_000),
            ..tree.clone()
        }));
    }
    run
}

fn answers_of(run: &Run, claims: Claims) -> Answers {
    let families = cells::run(run);
    let memory = memory::of_run(run);
    let evidence = Evidence { run, families: &families, memory: &memory };
    Answers::to(claims, evidence)
}

fn judged(run: &Run, id: &str) -> Judged {
    let answers = answers_of(run, claims());
    answers.judged.into_iter().find(|j| j.claim.id.get_ref() == id).unwrap()
}

#[track_caller]
fn check(run: &Run, id: &str, verdict: Verdict, said: &str) {
    let judged = judged(run, id);
    assert_eq!(judged.verdict, verdict, "{id}: {}", judged.said);
    assert!(judged.said.contains(said), "{id}: {}", judged.said);
}

/// Trials of `spawn` in a runtime, changed.
fn of_spawn(run: &mut Run, runtime: &str, change: impl Fn(&mut TrialRow)) {
    let own = |row: &&mut TrialRow| {
        row.strategy == "spawn" && row.runtime == runtime && row.regime == Regime::Closed
    };
    run.trials.iter_mut().filter(own).for_each(change);
}

fn scale(row: &mut TrialRow, factor: f64) {
    let scaled = |ns: u64| (ns as f64 * factor) as u64;
    row.response_p50_ns = row.response_p50_ns.map(scaled);
}

#[test]
fn verdict_follows_the_ratio_of_two_arms() {
    let mut data = run();
    check(&data, "ratio", Verdict::Confirmed, "spawn over blocking");
    assert!(judged(&data, "ratio").is_indication);
    of_spawn(&mut data, "rust", |row| scale(row, 1e-3));
    check(&data, "ratio", Verdict::Refuted, "×");
    // The interval reaches across the bound.
    let mut data = run();
    of_spawn(&mut data, "rust", |row| {
        let far = if row.block % 2 == 0 { 1e-3 } else { 1.0 };
        scale(row, far);
    });
    check(&data, "ratio", Verdict::NotDecided, "its comparison is inconclusive");
    assert!(!judged(&data, "ratio").is_indication);
    // More blocks make a verdict of an indication.
    let standard = judged(&sample::standard(), "ratio");
    assert_eq!((standard.verdict, standard.is_indication), (Verdict::Confirmed, false));
}

#[test]
fn arms_that_may_not_be_compared_decide_nothing() {
    type Change = fn(&mut Run);
    let cases: [(Verdict, &str, Change); 7] = [
        (Verdict::NotDecided, "but it rests on 5 blocks, and an interval needs 6", |run| {
            run.trials.retain(|row| row.block < 6);
        }),
        (Verdict::NotYetMeasured, "flawed", |run| {
            of_spawn(run, "rust", |row| {
                if row.block == 2 {
                    row.status = Status::Failed;
                }
            });
        }),
        (Verdict::NotYetMeasured, "not run", |run| {
            run.trials.retain(|row| row.strategy != "spawn" || row.regime != Regime::Closed);
        }),
        (Verdict::NotDecided, "but the placebo differs", |run| {
            let of_placebo = |row: &&mut TrialRow| row.role == Role::Placebo;
            for row in run.trials.iter_mut().filter(of_placebo) {
                scale(row, 1.5);
            }
        }),
        (Verdict::NotDecided, "but too few blocks have a placebo", |run| {
            run.trials.retain(|row| row.role != Role::Placebo);
        }),
        (Verdict::NotDecided, "but too few blocks have a placebo", |run| {
            run.trials.retain(|row| row.role != Role::Placebo);
            run.plan.retain(|row| row.role != Role::Placebo);
        }),
        (Verdict::NotYetMeasured, "this run has no trial of this family", |run| {
            run.trials.retain(|row| row.workload != "noop");
        }),
    ];
    for (verdict, reason, change) in cases {
        let mut data = run();
        change(&mut data);
        check(&data, "ratio", verdict, reason);
    }
    // Noise is in the interval, and in nothing else.
    let mut data = run();
    data.trials.iter_mut().for_each(|row| row.noise_label = Some(NoiseLabel::Disturbed));
    check(&data, "ratio", Verdict::Confirmed, "");
    let mut data = run();
    data.environment.facts.remove("cpus_available");
    check(&data, "ratio", Verdict::NotYetMeasured, "how many cores");
}

/// Whatever the interval says of the bounds.
#[test]
fn ratio_with_an_open_comparison_decides_nothing() {
    let mut data = sample::standard();
    check(&data, "ratio", Verdict::Confirmed, "spawn over blocking");
    // Most blocks a little slower, some by a third: from half a percent on.
    let factors: Vec<f64> = (0..40).map(|i| [1.005, 1.005, 1.005, 1.3][i % 4]).collect();
    let reference: Vec<(u32, u64)> = data
        .trials
        .iter()
        .filter(|row| {
            row.workload == "noop" && row.runtime == "rust" && row.role == Role::Reference
        })
        .filter_map(|row| Some((row.block, row.response_p50_ns?)))
        .collect();
    of_spawn(&mut data, "rust", |row| {
        let own = reference.iter().find(|(block, _)| *block == row.block);
        let ns = own.map(|(block, ns)| *ns as f64 * factors[*block as usize]);
        row.response_p50_ns = ns.map(|ns| ns as u64);
    });
    let text = CLAIMS.replacen("at_least = 1.03", "at_least = 1.001", 1);
    let answers = answers_of(&data, check::parse(&text, "claims.toml").unwrap());
    let figure = answers.figures["spawn"].as_ref().unwrap();
    assert!(figure.interval.unwrap().low > 1.001, "{figure:?}");
    assert_eq!(answers.judged[0].verdict, Verdict::NotDecided, "{}", answers.judged[0].said);
    let said = &answers.judged[0].said;
    assert!(said.contains("its comparison is inconclusive"), "{said}");
}

/// Where a difference that a run calls none is more than the claim's.
#[test]
fn equivalent_ratio_decides_what_no_difference_would() {
    let claims = claims();
    let mut figures = answers_of(&run(), self::claims()).figures;
    let mut of = |low: f64, high: f64, verdict| {
        let figure = figures.get_mut("spawn").unwrap().as_mut().unwrap();
        figure.interval = Some(crate::stats::Interval { low, high });
        figure.verdict = Some(verdict);
        judge::judge(&claims, &figures).swap_remove(0).verdict
    };
    use crate::stats::verdict::Verdict as Compared;
    assert_eq!(of(1.04, 1.08, Compared::Slower), Verdict::Confirmed);
    assert_eq!(of(1.04, 1.08, Compared::Equivalent), Verdict::NotDecided);
    assert_eq!(of(0.99, 1.02, Compared::Equivalent), Verdict::Refuted);
}

#[test]
fn provision_of_a_test_must_hold() {
    let mut data = run();
    check(&data, "presumed", Verdict::Confirmed, "");
    of_spawn(&mut data, "rust", |row| row.creation_p50_ns = Some(1_000));
    check(&data, "presumed", Verdict::NotDecided, "creating is quick (creation p50");
    check(&data, "ratio", Verdict::Confirmed, "");
}

#[test]
fn conditions_that_disagree_make_a_claim_depend() {
    let mut data = run();
    check(&data, "two", Verdict::Confirmed, "confirmed for rust: response p50");
    of_spawn(&mut data, "node", |row| scale(row, 1e-6));
    check(&data, "two", Verdict::Depends, "confirmed for rust: response p50");
    check(&data, "two", Verdict::Depends, "refuted for node");
    of_spawn(&mut data, "rust", |row| scale(row, 1e-3));
    check(&data, "two", Verdict::Refuted, "");
    // A condition that is not decided takes nothing from the first, but without the first there is
    // no verdict.
    let without = |runtime: &str| {
        let mut data = run();
        data.trials.retain(|row| row.runtime != runtime);
        data
    };
    check(&without("node"), "two", Verdict::Confirmed, "not decided for node");
    check(&without("rust"), "two", Verdict::NotYetMeasured, "this run has no trial");
}

#[test]
fn verdict_follows_the_memory_of_children() {
    let mut data = run();
    check(&data, "slope", Verdict::Confirmed, "1.80 MB");
    check(&data, "memory", Verdict::Confirmed, "RSS of a child");
    for row in &mut data.memory {
        row.pss_bytes = row.pss_bytes.map(|bytes| bytes * 3);
        row.rss_bytes = row.rss_bytes.map(|bytes| bytes * 3);
    }
    check(&data, "slope", Verdict::Refuted, "MB");
    check(&data, "memory", Verdict::Refuted, "6.0");
    data.memory.retain(|row| row.k < 10);
    check(&data, "slope", Verdict::NotYetMeasured, "at most 8 children");
    check(&data, "memory", Verdict::NotYetMeasured, "so many children");
    // A trial that failed says nothing, and says why.
    let mut data = run();
    let failed = data.memory.iter().filter(|row| row.k == 10 && row.strategy == "spawn");
    let failed: Vec<String> = failed.map(|row| row.trial_id.clone()).collect();
    for row in data.trials.iter_mut().filter(|row| failed.contains(&row.trial_id)) {
        row.status = Status::Failed;
        row.reason = "no memory was left".to_owned();
    }
    check(&data, "memory", Verdict::NotYetMeasured, "no memory was left");
}

#[test]
fn verdict_follows_facts() {
    let mut data = run();
    check(&data, "fact", Verdict::Confirmed, "main survives · crash process/abort");
    let last = data.facts.len() - 1;
    // In one block of six: neither so nor not so.
    data.facts[last].value = Some(3.0);
    check(&data, "fact", Verdict::NotDecided, "its interval decides nothing");
    for row in data.facts.iter_mut().filter(|row| row.fact == "others_lost") {
        row.value = Some(3.0);
    }
    check(&data, "fact", Verdict::Refuted, "others lost");
    data.facts[last].status = FactStatus::Failed;
    data.facts[last].reason = "it was too late".to_owned();
    check(&data, "fact", Verdict::NotYetMeasured, "1 of 6 blocks: it was too late");
    data.facts.clear();
    check(&data, "fact", Verdict::NotYetMeasured, "not shown in this run");
}

#[test]
fn claim_without_figures_has_a_reason() {
    let data = run();
    check(&data, "opinion", Verdict::NotAMatterOfMeasurement, "No measurement counts");
    check(&data, "later", Verdict::NotYetMeasured, "No workload");
    assert!(judged(&data, "later").tests.is_empty());
}
