//! Families whose blocks are made by hand.

use super::*;
use crate::analysis::cells;
use crate::record::{NoiseLabel, Role, Run, TrialRow};
use crate::report::sample;

/// The caveats of the first family.
fn caveats(run: &Run) -> String {
    of(&cells::run(run)[0], run.manifest.delta_ratio).join("\n")
}

/// A run whose first family's rows are changed.
fn changed(mut change: impl FnMut(&mut TrialRow)) -> Run {
    let mut run = sample::standard();
    let family = run.trials[0].family_id.clone();
    run.trials.iter_mut().filter(|row| row.family_id == family).for_each(&mut change);
    run
}

fn slower(row: &mut TrialRow) {
    row.response_p50_ns = row.response_p50_ns.map(|ns| ns * 3);
}

#[test]
fn quiet_run_of_one_speed_has_no_caveats() {
    assert_eq!(caveats(&sample::standard()), "");
}

#[test]
fn two_speeds_of_the_machine_are_those_that_strategies_share() {
    let run = changed(|row| {
        if row.block % 2 == 0 {
            slower(row);
        }
    });
    let said = caveats(&run);
    assert!(said.starts_with("The machine had two speeds: p50 of "), "{said}");
    assert!(said.contains("in 6 blocks, ") && said.contains(" in 6; "), "{said}");
    assert!(said.contains("more arms changed in the same blocks"), "{said}");
    let html = sample::render(&run).html;
    assert!(html.contains("The machine had two speeds"));
}

#[test]
fn two_speeds_of_one_strategy_are_its_processes() {
    let one = |runtime: &'static str| {
        changed(move |row| {
            row.runtime = runtime.to_owned();
            if row.strategy == "pool" && row.block % 2 == 0 {
                slower(row);
            }
        })
    };
    let said = caveats(&one("rust"));
    assert!(said.starts_with("Its processes differ: p50 of pool "), "{said}");
    let said = caveats(&one("node"));
    assert!(said.starts_with("V8 probably compiled it in two ways, by process: p50 of"), "{said}");
}

#[test]
fn work_that_differs_by_process_is_named_where_a_runtime_compiles() {
    let work = |runtime: &'static str| {
        changed(move |row| {
            row.runtime = runtime.to_owned();
            let speeds = [65_000, 105_000, 172_000, 241_000];
            row.work_p50_ns = Some(speeds[row.block as usize % 4]);
        })
    };
    let said = caveats(&work("node"));
    assert!(said.contains("The same work takes different times by process"), "{said}");
    assert!(said.contains("65.0 µs to 241 µs"), "{said}");
    assert_eq!(caveats(&work("rust")), "");
}

#[test]
fn disturbed_trials_are_counted_and_held_against_the_others() {
    let run = changed(|row| {
        if row.block <= 2 {
            row.noise_label = Some(NoiseLabel::Disturbed);
            row.noise_flags = "foreign_cpu:disturbed;canary:warn".to_owned();
        }
    });
    let said = caveats(&run);
    assert!(said.contains("disturbed by the rest of the machine (foreign_cpu "), "{said}");
    assert!(said.contains("are the same without them"), "{said}");

    // All that is slow about it are blocks in which something else ran.
    let run = changed(|row| {
        if row.strategy == "pool" {
            let by = if row.block % 6 == 0 { 1.0 } else { 2.0 };
            row.response_p50_ns = Some((30_000_000.0 * by) as u64 + u64::from(row.block) * 1_000);
        } else if matches!(row.role.name(), "reference" | "placebo") {
            row.response_p50_ns = Some(30_000_000 + u64::from(row.block) * 1_500);
        }
        if row.strategy == "pool" && row.block % 2 == 1 {
            row.noise_label = Some(NoiseLabel::Disturbed);
        }
    });
    let said = caveats(&run);
    assert!(said.contains("would be another without them: response ratio of pool"), "{said}");
    assert!(said.contains("slower with them, ") && said.contains("without"), "{said}");
}

/// Of six blocks none may be missing: that says nothing of what the lost one did.
#[test]
fn conclusions_that_lose_their_blocks_are_not_called_others() {
    let mut run = sample::run();
    let family = run.trials[0].family_id.clone();
    for row in run.trials.iter_mut().filter(|row| row.family_id == family && row.block == 3) {
        if row.role == Role::Placebo || row.strategy == "pool" {
            row.noise_label = Some(NoiseLabel::Disturbed);
        }
    }
    let said = caveats(&run);
    assert!(said.contains("what would be concluded without them is unknown"), "{said}");
    assert!(said.contains("too few blocks would be left") && !said.contains("another"), "{said}");
}
