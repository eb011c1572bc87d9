//! Lines whose slopes are known, and rows that are damaged.

use proptest::prelude::*;

use super::notes::notes_table;
use super::tables::{ballast, of_group};
use super::*;
use crate::analysis::memory::{Fit, Group, HELD, MemorySummary, Series, is_memory_family, of_run};
use crate::analysis::summary::summarise;
use crate::record::{MemoryRow, Phase, Regime, Role, Run, Status, TrialRow};
use crate::report::sample::{self, terminal};
use crate::report::sample_memory::{self, GROWTH_BYTES, PRICED};
use crate::report::table::Cell;
use crate::report::values::sizings;

fn series<'a>(group: &'a Group, strategy: &str) -> &'a Series {
    let of = |series: &&Series| series.strategy == strategy;
    group.series.iter().find(of).unwrap()
}

#[test]
fn slopes_and_intercepts_are_those_that_the_rows_were_made_of() {
    let memory = of_run(&sample_memory::run());
    let [group] = memory.groups.as_slice() else { panic!("one group") };
    assert_eq!((group.title.as_str(), group.n_blocks), ("hold · rust", 6));
    for priced in &PRICED {
        let series = series(group, priced.strategy);
        let line = series.line.unwrap();
        let is_pool = priced.strategy.ends_with("pool");
        // A pool's line is of its third look.
        let growth = if is_pool { 2 * GROWTH_BYTES } else { 0 };
        let each_bytes = (priced.each_bytes + growth) as f64;
        assert!((line.slope_bytes - each_bytes).abs() < 1.0, "{line:?}");
        let (low, high) = line.slope_ci_bytes.unwrap();
        assert!(low <= each_bytes + 1.0 && each_bytes - 1.0 <= high, "{line:?}");
        let once_bytes = priced.once_bytes as f64;
        // Blocks differ by 1000 bytes each.
        assert!((line.intercept_bytes - once_bytes - 3_500.0).abs() < 2.0, "{line:?}");
        assert_eq!(series.phase.name(), if is_pool { "hundred" } else { "held" });
        assert_eq!(series.last().unwrap().k, 100);
    }
}

#[test]
fn a_pool_has_a_line_for_every_moment_and_a_child_that_is_held_one() {
    let memory = of_run(&sample_memory::run());
    let fits = |strategy: &str| -> Vec<(String, f64)> {
        let series = series(&memory.groups[0], strategy);
        let of_main = series.fits.iter().filter(|fit| fit.metric == HELD);
        of_main
            .map(|fit| (fit.phase.name().to_owned(), (fit.line.slope_bytes / 1e3).round()))
            .collect()
    };
    let expected = [("idle", 250.0), ("first", 260.0), ("hundred", 270.0)];
    assert_eq!(fits("pool"), expected.map(|(phase, kb)| (phase.to_owned(), kb)));
    assert_eq!(fits("spawn"), [("held".to_owned(), 180.0)]);
}

/// A tree some of whose children failed is one of fewer children than it says.
#[test]
fn trees_of_failed_trials_count_for_nothing_and_say_why() {
    let mut run = sample_memory::run();
    let is_bad = |row: &TrialRow| {
        row.regime == Regime::Memory
            && row.strategy == "spawn"
            && row.family_id.ends_with("memory100")
    };
    for row in run.trials.iter_mut().filter(|row| is_bad(row)) {
        row.status = Status::Failed;
        row.reason = "3 requests of 100 children failed (EAGAIN)".to_owned();
    }
    for row in run.memory.iter_mut().filter(|row| row.strategy == "spawn" && row.k == 100) {
        row.pss_bytes = Some(1);
    }
    let memory = of_run(&run);
    let spawn = series(&memory.groups[0], "spawn");
    let last = spawn.levels.last().unwrap();
    assert_eq!((last.k, last.n_blocks, last.pss_bytes), (100, 0, None));
    assert!(last.reason.contains("EAGAIN"));
    assert!((spawn.line.unwrap().slope_bytes - 180_000.0).abs() < 1.0);
    let table = of_group(&memory.groups[0]);
    assert!(table.notes.iter().any(|note| note.contains("EAGAIN")), "{:?}", table.notes);
}

#[test]
fn a_trial_that_did_not_end_and_an_earlier_attempt_count_for_nothing() {
    let mut run = sample_memory::run();
    let stray = MemoryRow {
        trial_id: "m99999".to_owned(),
        pss_bytes: Some(1),
        ..run.memory.last().unwrap().clone()
    };
    let k_and_pool = |row: &&MemoryRow| row.k == 100 && row.strategy == "pool";
    let first = run.memory.iter().find(k_and_pool).unwrap().trial_id.clone();
    let mut again: Vec<MemoryRow> = Vec::new();
    for row in run.memory.iter_mut().filter(|row| row.trial_id == first) {
        again.push(MemoryRow { attempt: 2, ..row.clone() });
        row.pss_bytes = Some(1);
    }
    run.memory.extend(again);
    run.memory.push(stray);
    let mut twice = run.trials.iter().find(|row| row.trial_id == first).unwrap().clone();
    twice.attempt = 2;
    run.trials.push(twice);
    let (memory, expected) = (of_run(&run), of_run(&sample_memory::run()));
    assert_eq!(memory.groups[0].series, expected.groups[0].series);
}

#[test]
fn the_main_table_has_what_a_child_costs() {
    let summary = summarise(&sample_memory::run());
    // Memory trials are no family.
    assert_eq!(summary.families.len(), 3);
    let family = &summary.families[0];
    let of = |strategy: &str| {
        let arm = family.arms.iter().find(|arm| arm.strategy == strategy).unwrap();
        arm.memory_per_child_bytes.map(|bytes| (bytes / 1e3).round())
    };
    assert_eq!((of("pool"), of("spawn"), of("blocking")), (Some(270.0), Some(180.0), None));
    // Of another runtime nothing was measured.
    assert!(summary.families[2].arms.iter().all(|arm| arm.memory_per_child_bytes.is_none()));
    let without = summarise(&sample::run());
    assert_eq!(without.memory, MemorySummary::default());
}

#[test]
fn the_largest_pool_fits_by_the_upper_ends() {
    let memory = of_run(&sample_memory::alone());
    let mib = 1 << 20;
    let said = sizings(&memory, Some(512 * mib));
    assert_eq!(said.len(), 2, "one per ballast: {said:?}");
    let line = series(&memory.groups[0], "pool").line.unwrap();
    let (once, each) = (line.intercept_ci_bytes.unwrap().1, line.slope_ci_bytes.unwrap().1);
    // The kernel's own, beside page tables.
    let (once, each) = (once + 400_000.0, each + 90_000.0);
    let workers = ((512.0 * mib as f64 - once) / each) as u64;
    assert!(workers > 1_400 && workers < 1_500, "{workers}");
    let expected = format!("{workers} workers of pool (measured up to 100)");
    assert!(said[0].contains(&expected), "{said:?}");
    assert!(said[0].starts_with("The largest pool within 512 MiB (hold · rust): "));
    assert!(said[0].ends_with("follows the line further."));
    let small = sizings(&memory, Some(3 * mib));
    assert!(small[0].contains("none of pool, which"), "{small:?}");
    assert!(small[0].contains("4 workers of thread-pool"), "{small:?}");
    assert!(!small[0].contains("further"));
    assert!(small[1].contains("none of pool, which needs 272 MB for one"), "{small:?}");
    assert_eq!(sizings(&memory, None), [""; 0]);
}

#[test]
fn the_notes_table_has_timed_results_of_as_many_children() {
    let mut run = sample_memory::run();
    let template = run.trials.iter().find(|row| row.regime == Regime::Closed).unwrap().clone();
    for (strategy, options, callers, rate) in [
        ("fork-ipc", "", 10, 900.0),
        ("pool", "queue=64;workers=10", 2, 700.0),
        ("pool", "queue=64;workers=10", 16, 800.0),
    ] {
        run.trials.push(TrialRow {
            trial_id: format!("timed{rate}"),
            family_id: format!("noop-{callers}"),
            role: Role::Arm,
            strategy: strategy.to_owned(),
            options: options.to_owned(),
            callers: Some(callers),
            throughput_per_s: Some(rate),
            response_p90_ns: Some(3_000_000),
            response_p99_ns: (strategy == "pool").then_some(5_000_000),
            ..template.clone()
        });
    }
    // What was cut short, or was made again, voids nothing.
    let mut void = run.trials.last().unwrap().clone();
    void.status = Status::Partial;
    void.trial_id = "cut".to_owned();
    void.throughput_per_s = None;
    run.trials.push(void.clone());
    let whole = run.trials.iter().find(|row| row.trial_id == "timed800").unwrap().clone();
    run.trials.push(TrialRow {
        attempt: 2,
        noise_flags: "crash:disturbed".to_owned(),
        throughput_per_s: Some(1.0),
        ..whole
    });
    let memory = of_run(&run);
    let table = notes_table(&memory.groups[0]).unwrap();
    let row = |strategy: &str, k: &str| {
        let of = |row: &&Vec<Cell>| row[0].starts_with(strategy) && row[1] == k;
        table.rows.iter().find(of).unwrap().clone()
    };
    // Those who keep all ten workers busy are asked, not the family with two callers.
    let pool = row("pool", "10");
    assert_eq!(pool[2..], ["250", "19.7", "4.68", "2.70", "7.00 ms", "800", "3.00 ms", "5.00 ms"]);
    let ipc = row("fork-ipc", "10");
    assert_eq!(ipc[7..], ["900", "3.00 ms", "–"]);
    let thousand = row("pool", "1000");
    assert_eq!(thousand[2..6], ["25000", "–", "–", "–"]);
    let notes = table.notes.join("\n");
    assert!(notes.contains("1000 children: not in this experiment"), "{notes}");
    assert!(notes.contains("noop 64 B, 16 callers"), "{notes}");
    assert!(notes.contains("no timed trials with as many children"), "{notes}");
    // Every strategy in the file, two in a terminal.
    assert_eq!((table.rows_in_terminal, table.rows.len()), (Some(8), 36));
}

#[test]
fn ballast_stands_in_a_table_of_its_own() {
    let memory = of_run(&sample_memory::alone());
    let table = ballast(&memory).unwrap();
    let fork: Vec<&Vec<Cell>> = table.rows.iter().filter(|row| row[0] == "fork").collect();
    assert_eq!(fork.len(), 2);
    assert!(terminal(&sample_memory::alone(), 120).contains("creator's"));
    assert_eq!((&*fork[0][2], &*fork[1][2]), ("0 B", "256 MiB"));
    assert_eq!(ballast(&of_run(&sample_memory::run())), None);
}

#[test]
fn memory_in_the_terminal_at_80_columns() {
    insta::assert_snapshot!(terminal(&sample_memory::run(), 80));
}

#[test]
fn memory_in_the_terminal_at_120_columns() {
    let mut run = sample_memory::alone();
    run.manifest.memory_budget_bytes = Some(512 << 20);
    insta::assert_snapshot!(terminal(&run, 120));
}

#[test]
fn no_line_about_memory_is_wider_than_the_terminal() {
    for run in [sample_memory::run(), sample_memory::alone()] {
        for width in [80, 100, 120] {
            for line in terminal(&run, width).lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn a_family_about_memory_is_known_by_its_rows_or_its_id() {
    let run = sample_memory::run();
    assert!(is_memory_family(&run, "hold-rust-memory10"));
    assert!(is_memory_family(&run, "hold-node-memory100-ballast64MiB"));
    for other in ["noop-64B-rust-closed4", "memory-rust-closed2", "x-memory-y"] {
        assert!(!is_memory_family(&run, other), "{other}");
    }
}

/// A row whose cells are anything that a file may hold.
fn damaged(run: &mut Run, picks: &[(prop::sample::Index, u8, u64)]) {
    for (index, what, value) in picks {
        let len = run.memory.len();
        let row = &mut run.memory[index.index(len)];
        match what % 8 {
            0 => row.pss_bytes = Some(*value),
            1 => row.pss_bytes = None,
            2 => row.k = *value as u32,
            3 => row.phase = Phase::ALL[*value as usize % Phase::ALL.len()],
            4 => row.rss_bytes = Some(*value),
            5 => row.block = *value as u32,
            6 => row.mem_available_bytes = Some(*value),
            _ => row.strategy = sample::HOSTILE.to_owned(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn damaged_rows_are_shown_or_left_out_but_never_a_panic(
        picks in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<u8>(), prop_oneof![Just(0), any::<u64>()]), 1..40),
        kept in any::<prop::sample::Index>(),
    ) {
        let mut run = sample_memory::run();
        damaged(&mut run, &picks);
        let len = run.memory.len();
        // A file that ends early.
        run.memory.truncate(kept.index(len + 1));
        let rendered = sample::render(&run);
        // The page's own, and none of a damaged row's.
        prop_assert_eq!(rendered.html.matches("<script").count(), 1);
        for line in terminal(&run, 80).lines() {
            prop_assert!(line.chars().count() <= 80 || !line.contains(' '), "{line}");
        }
    }
}

#[test]
fn the_kernel_has_a_line_and_a_column_of_its_own() {
    let memory = of_run(&sample_memory::run());
    let spawn = series(&memory.groups[0], "spawn");
    // A tenth of what a child holds is page tables.
    let kernel = spawn.kernel().unwrap().slope_bytes;
    assert!((kernel - 108_000.0).abs() < 1.0, "{kernel}");
    assert!((spawn.line.unwrap().slope_bytes - 180_000.0).abs() < 1.0);
    let table = of_group(&memory.groups[0]);
    let kernel = "kernel, MB per further child";
    let place = table.head.iter().position(|head| head.text == kernel).unwrap();
    let row = table.rows.iter().find(|row| row[0] == "spawn").unwrap();
    assert_eq!(row[place], "0.11");
}

#[test]
fn without_a_mark_of_the_kernel_the_peak_is_at_least_the_highest_look() {
    let mut run = sample_memory::run();
    for row in &mut run.memory {
        row.cgroup_peak_bytes = None;
        if row.strategy == "pool" && row.phase == Phase::Peak {
            row.pss_bytes = Some(45_600_000);
            row.flags = "peak_sampled".to_owned();
        }
    }
    let memory = of_run(&run);
    let table = of_group(&memory.groups[0]);
    let place = table.head.iter().position(|h| h.text == "peak, MB").unwrap();
    let row = |strategy: &str| {
        let row = |row: &&Vec<Cell>| row[0].split(" [").next() == Some(strategy);
        table.rows.iter().find(row).unwrap()
    };
    let pool = row("pool");
    let (_, number) = pool[0].split_once(" [").unwrap();
    let number: usize = number.trim_end_matches(']').parse().unwrap();
    assert_eq!(pool[place], "≥ 45.6");
    assert!(table.notes[number - 1].contains("highest PSS"));
    assert_eq!(row("spawn")[place], "–");
}

/// What a server grows by with its requests is no price of a child.
#[test]
fn a_server_that_was_asked_nothing_is_not_in_the_line_of_those_that_were() {
    let mut run = sample_memory::run();
    run.memory.retain(|row| row.strategy != "pool" || row.k < 3);
    for row in &mut run.memory {
        if row.strategy == "pool" && row.k == 0 {
            row.pss_bytes = Some(1_000_000);
        }
    }
    let slope = |run: &Run| {
        let memory = of_run(run);
        let pool = series(&memory.groups[0], "pool");
        let is_main = |fit: &&Fit| fit.phase == Phase::Hundred && fit.metric == HELD;
        let fit = pool.fits.iter().find(is_main).unwrap();
        (fit.k_range, fit.line.slope_bytes)
    };
    let (range, bytes) = slope(&run);
    assert_eq!(range, (1, 2));
    assert!((bytes - 270_000.0).abs() < 5_001.0, "{bytes}");
    // With one other number there would be no line.
    run.memory.retain(|row| row.strategy != "pool" || row.k < 2);
    assert_eq!(slope(&run).0, (0, 1));
}

#[test]
fn the_headline_is_of_node_where_that_was_measured_and_of_no_thread() {
    let run = sample_memory::run();
    let mut memory = of_run(&run);
    let said = headline(&memory).unwrap();
    assert!(said.contains("in Rust") && said.ends_with("of Node."), "{said}");
    assert!(!said.contains("thread"), "{said}");
    let mut node = memory.groups[0].clone();
    node.key.runtime = "node".to_owned();
    node.series.retain(|series| series.strategy == "pool");
    memory.groups.push(node);
    let said = headline(&memory).unwrap();
    assert!(said.contains("costs 0.27 MB (pool) in Node;"), "{said}");
}

#[test]
fn a_sizing_without_a_control_group_says_what_it_lacks() {
    let mut run = sample_memory::alone();
    for row in &mut run.memory {
        row.cgroup_kernel_bytes = None;
    }
    let said = sizings(&of_run(&run), Some(512 << 20));
    assert!(said[0].contains("without the kernel's stacks and descriptors"), "{said:?}");
    let said = sizings(&of_run(&sample_memory::alone()), Some(512 << 20));
    assert!(!said[0].contains("without the kernel"), "{said:?}");
}

/// No one cost per child where the line misses a level: in no table, sentence, chart or file.
#[test]
fn line_that_misses_a_level_is_no_price_anywhere() {
    let mut run = sample_memory::run();
    for row in run.memory.iter_mut().filter(|row| row.strategy == "spawn" && row.k == 100) {
        row.pss_bytes = row.pss_bytes.map(|bytes| bytes * 4 / 5);
    }
    let memory = of_run(&run);
    let group = &memory.groups[0];
    let spawn = series(group, "spawn");
    assert_eq!(spawn.miss.unwrap().k, 100);
    let is_other = |series: &&Series| series.strategy != "spawn";
    assert!(group.series.iter().filter(is_other).all(|series| series.miss.is_none()));
    let table = of_group(group);
    let row = table.rows.iter().find(|row| row[0].starts_with("spawn")).unwrap();
    assert!(row[2].contains(" to ") && row[0].ends_with(']'), "{row:?}");
    let note = table.notes.iter().find(|note| note.starts_with("spawn: the line misses"));
    let note = note.unwrap();
    assert!(note.contains("no one cost per child") && note.contains("to 100"), "{note}");
    let rendered = sample::render(&run);
    assert!(rendered.html.contains("no one cost per child"));
    // Nor in the table of a timed family.
    let family = &summarise(&run).families[0];
    let price = |strategy: &str| {
        let arm = family.arms.iter().find(|arm| arm.strategy == strategy);
        arm.unwrap().memory_per_child_bytes
    };
    assert_eq!(price("spawn"), None);
    assert!(price("pool").is_some());
    let rows: Vec<&str> =
        rendered.fits_csv.lines().filter(|line| line.ends_with(",segment,spawn")).collect();
    assert_eq!(rows.len(), spawn.segments.len());
    assert!(rows.iter().all(|row| row.contains(",spawn,")), "{rows:?}");
    assert_eq!(rendered.fits_csv.matches("misses_levels").count(), 1);
}
