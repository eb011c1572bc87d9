//! How far a run can be trusted, in its own words.

use super::super::sentences;
use super::*;
use crate::record::{NoiseLabel, Regime, Validity, Windows};
use crate::report::sample::open as sample_open;

fn trust(run: &Run) -> String {
    trust::sentences(run, &summarise(run), &cells::run(run)).join("\n")
}

#[track_caller]
fn says(run: &Run, said: &str) {
    let text = trust(run);
    assert!(text.contains(said), "{said}: {text}");
}

#[test]
fn shortened_windows_are_named_per_regime() {
    let windows = Windows {
        min_window_ns: 400_000_000,
        min_requests: 100,
        max_window_ns: 2_000_000_000,
        warm_up_ns: 100_000_000,
        open_window_ns: [1_000_000_000, 3_000_000_000],
        shortened: true,
    };
    let mut closed = sample::run();
    closed.manifest.windows = Some(windows);
    let every = "every closed-loop trial was measured for 400 ms only";
    says(&closed, every);
    assert!(!trust(&closed).contains("open loops had"));
    let mut open = sample_open::run();
    open.manifest.windows = Some(windows);
    says(&open, "open loops had windows of 1.00 s to 3.00 s");
    assert_eq!(
        trust(&open).contains(every),
        open.trials.iter().any(|row| row.regime == Regime::Closed)
    );
}

#[test]
fn flags_are_counted_on_trials_that_have_some_and_were_kept() {
    let mut run = sample::run();
    says(&run, "None of 191 trials carries a flag.");
    run.trials[0].flags = "canary_late;survivors".to_owned();
    run.trials[1].flags = "generator_late".to_owned();
    run.trials[1].validity = Validity::Invalid;
    says(&run, "1 of 190 trials carries flags and was kept: canary_late: 1, survivors: 1.");
    run.trials[2].flags = "survivors".to_owned();
    says(&run, "2 of 190 trials carry flags and were kept:");
}

#[test]
fn trials_that_broke_a_law_are_counted_with_its_words() {
    let mut run = sample::run();
    let broken =
        |run: &Run| (trust(run).contains("broke a law"), terminal(run, 120).contains("broke"));
    assert_eq!(broken(&run), (false, false));
    let mut break_law = |place: usize, flags: &str| {
        run.trials[place].flags = flags.to_owned();
        run.trials[place].validity = Validity::Invalid;
        run.clone()
    };
    let one = break_law(0, "left_zombies:1;law:nesting");
    says(
        &one,
        "1 trial broke a law that every measurement obeys, and counts for nothing: response ≥ service \
         ≥ work (1).",
    );
    assert_eq!(broken(&one), (true, true));
    break_law(3, "law:cpu;law:nesting");
    says(
        &break_law(7, "law:cpu"),
        "3 trials broke a law that every measurement obeys, and count for nothing: CPU time ≤ cores × \
         time (2); response ≥ service ≥ work (2).",
    );
}

#[test]
fn a_family_of_which_over_a_fifth_was_disturbed_is_flagged() {
    let mut run = sample::standard();
    let family = run.trials[0].family_id.clone();
    let mut own: Vec<&mut TrialRow> =
        run.trials.iter_mut().filter(|row| row.family_id == family).collect();
    own.iter_mut().for_each(|row| row.noise_label = Some(NoiseLabel::Quiet));
    let fifth = own.len() / 5;
    for row in own.iter_mut().take(fifth) {
        row.noise_label = Some(NoiseLabel::Disturbed);
    }
    let flagged = |run: &Run| {
        let families = cells::run(run);
        let csv = derived::comparisons(&run.manifest, &families);
        csv.matches("disturbed_over_20_percent").count()
    };
    assert_eq!(flagged(&run), 0);
    assert!(!trust(&run).contains("More than 20 %"));
    let next = run
        .trials
        .iter_mut()
        .find(|row| row.family_id == family && row.noise_label == Some(NoiseLabel::Quiet));
    next.unwrap().noise_label = Some(NoiseLabel::Disturbed);
    let rows = flagged(&run);
    assert!(rows > 0);
    let families = cells::run(&run);
    let csv = derived::comparisons(&run.manifest, &families);
    assert_eq!(rows, csv.matches(&format!("{family},")).count());
    says(&run, "More than 20 % of the trials were disturbed, after re-runs, in: ");
}

#[test]
fn a_run_is_worth_what_its_family_with_the_fewest_blocks_is() {
    let mut run = sample::standard();
    let confidence = |run: &Run| sentences::confidence(run, &summarise(run));
    assert_eq!(confidence(&run), "enough blocks for verdicts");
    let family = run.trials[0].family_id.clone();
    run.trials.retain(|row| row.family_id != family || row.block <= 7);
    assert_eq!(confidence(&run), "screening: indications, no verdicts");
}
