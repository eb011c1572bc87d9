//! The first sentences of a report.

use super::super::{sample, sentences};
use crate::analysis::summary::{ArmSummary, FamilySummary, Medians, summarise};
use crate::record::{Role, TrialRow};

#[test]
fn the_summary_is_at_most_five_sentences_and_names_a_gain_beyond_the_placebo_only() {
    let mut run = sample::run();
    let said = sentences::summary(&run, &summarise(&run));
    assert!(said.len() <= 5);
    assert!(said[0].starts_with("By indication, in 2 of 3 comparable families"), "{said:?}");
    for row in run.trials.iter_mut().filter(|row| row.role == Role::Placebo) {
        row.response_p50_ns = row.response_p50_ns.map(|ns| ns * 2);
    }
    let said = sentences::summary(&run, &summarise(&run));
    assert!(!said.iter().any(|s| s.contains("answered faster than")), "{said:?}");
    // The last block of one family was cut short.
    let nothing = "Nothing is concluded of 3 families: the placebo differs as well, or there are too \
                   few blocks to tell.";
    assert_eq!(said[0], nothing);
}

#[test]
fn the_summary_counts_the_families_of_which_it_concludes_nothing() {
    let mut run = sample::standard();
    let of_primes = |row: &&mut TrialRow| row.workload == "primes" && row.role == Role::Placebo;
    for row in run.trials.iter_mut().filter(of_primes) {
        row.response_p50_ns = row.response_p50_ns.map(|ns| ns * 2);
    }
    let said = sentences::summary(&run, &summarise(&run)).join("\n");
    assert!(said.contains("In 1 of 2 comparable families"), "{said}");
    let more = "; of 1 more nothing is concluded: the placebo differs as well.";
    assert!(said.contains(more), "{said}");
    let is_primes = |family: &&FamilySummary| family.title.starts_with("primes");
    let summary = summarise(&run);
    let primes = summary.families.iter().find(is_primes).unwrap();
    let withheld =
        sentences::comparable(primes).filter(|arm| arm.response_p50_ratio.is_some()).count();
    assert!(withheld > 5);
    let overview = sample::charts(&run).overview;
    let answers: Vec<String> = overview.into_iter().map(|chart| chart.answer).collect();
    let said = format!("; of {withheld} nothing is concluded");
    let says = |answer: &String| answer.contains(&said);
    assert!(answers.iter().any(says), "{answers:?}");
}

#[test]
fn a_window_of_less_than_two_rounds_has_neither_rate_nor_quantile() {
    let mut run = sample::run();
    let of_primes = |row: &&mut TrialRow| row.workload == "primes";
    for row in run.trials.iter_mut().filter(of_primes) {
        // One answer each, of which nobody can tell how long the next would have taken.
        let callers = row.callers.expect("it is a closed loop");
        row.n_ok = u64::from(callers);
        row.throughput_per_s = row.throughput_per_s.map(|rate| rate * 100.0);
    }
    let summary = summarise(&run);
    let is_primes = |family: &&FamilySummary| family.title.starts_with("primes");
    let (primes, others): (Vec<_>, Vec<_>) = summary.families.iter().partition(is_primes);
    let rates = |families: &[&FamilySummary]| {
        let arms = families.iter().flat_map(|family| &family.arms);
        let has_any = |arm: &&ArmSummary| {
            let Medians { throughput_per_s, response_p50_ns, .. } = arm.medians;
            throughput_per_s.is_some()
                || response_p50_ns.is_some()
                || arm.throughput_ratio.is_some()
        };
        arms.filter(has_any).count()
    };
    assert_eq!(rates(&primes), 0);
    assert!(rates(&others) > 5);
}
