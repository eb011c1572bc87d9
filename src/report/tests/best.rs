//! The overview of the best strategy of every family.

use super::super::{answers, format, sentences};
use super::*;
use crate::stats::verdict::Verdict;

#[test]
fn best_strategy_of_a_family_has_its_lowest_ratio_and_counts_where_it_is_faster() {
    let run = sample::run();
    let summary = summarise(&run);
    let chart = &sample::charts(&run).overview[0];
    assert_eq!(chart.file, "overview-best.svg");
    assert_eq!(chart.numbers.rows.len(), summary.families.len());
    let mut faster = 0;
    for (row, family) in chart.numbers.rows.iter().zip(&summary.families) {
        let ratios = sentences::comparable(family).filter_map(|arm| arm.response_p50_ratio);
        let lowest = ratios.map(|r| r.estimate).fold(f64::INFINITY, f64::min);
        let (_, label) = row[0].split_once(": ").unwrap();
        let named = arm(family, label).response_p50_ratio.unwrap();
        assert_eq!(named.estimate, lowest);
        assert_eq!(&*row[1], format::exact(lowest));
        faster += usize::from(sentences::says(Some(named), Verdict::Faster));
    }
    assert!(faster > 0);
    let said = format!("By indication, in {faster} of 3 families the best strategy answers sooner");
    assert!(chart.answer.starts_with(&said), "{}", chart.answer);
}

#[test]
fn best_strategy_without_a_win_or_a_conclusion_does_not_lead() {
    let mut run = sample::run();
    let best = |run: &Run| {
        let summary = summarise(run);
        let best: Vec<_> = summary.families.iter().filter_map(answers::best).collect();
        answers::best_answer(&best, "blocking")
    };
    assert!(best(&run).contains("; most often it is "), "{}", best(&run));
    for row in run.trials.iter_mut().filter(|row| row.role == Role::Arm) {
        row.response_p50_ns = row.response_p50_ns.map(|ns| ns * 20);
    }
    let none = "o strategy answers sooner than blocking in any of 3 families.";
    assert!(best(&run).ends_with(none), "{}", best(&run));
    for row in run.trials.iter_mut().filter(|row| row.role == Role::Placebo) {
        row.response_p50_ns = row.response_p50_ns.map(|ns| ns * 2);
    }
    let nothing = "Nothing is concluded of the best strategy of any of 3 families.";
    assert_eq!(best(&run), nothing);
}
