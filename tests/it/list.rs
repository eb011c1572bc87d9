//! What `forkbench list` prints: complete, within the width it was given, and the same each time.

use assert_cmd::Command;
use forkbench::{experiment, strategy, workload};

fn list(columns: u16, args: &[&str]) -> String {
    let output = Command::cargo_bin("forkbench")
        .unwrap()
        .arg("list")
        .args(args)
        .env("COLUMNS", columns.to_string())
        .env("FORKBENCH_SUBJECT", "/bin/sh")
        .env("FORKBENCH_NODE", "/nonexistent/node")
        .env("FORKBENCH_PYTHON", "/nonexistent/python")
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_overview_names_everything_and_fits() {
    for columns in [80, 120] {
        let text = list(columns, &[]);
        let names = strategy::ALL.iter().map(|strategy| strategy.name);
        let names = names.chain(workload::ALL.iter().map(|workload| workload.name()));
        let names = names.chain(experiment::builtin::ALL.iter().map(|builtin| builtin.name));
        let names = names.chain(experiment::runtime::ALL.iter().map(|runtime| runtime.name));
        for name in names {
            let begins = |line: &str| line.trim_start().split("  ").next() == Some(name);
            assert!(text.lines().any(begins), "{name} is missing:\n{text}");
        }
        for line in text.lines() {
            assert!(line.chars().count() < usize::from(columns), "{line}");
            assert_eq!(line.trim_end(), line);
        }
    }
}

#[test]
fn trials_are_all_listed_and_depend_on_the_seed_alone() {
    let args = ["spawn-cost", "--trials", "--blocks", "3", "--filter", "ballast_mib=0,64"];
    let text = list(80, &args);
    let trials = text.lines().filter(|line| line.starts_with("  t0")).count();
    assert_eq!(trials, 3 * 2 * 8, "{text}");
    assert!(text.contains(&format!("{trials} trials in 3 blocks at `quick`: about")), "{text}");
    assert_eq!(text, list(80, &args));
    let other = list(80, &[&args[..], &["--seed", "2"]].concat());
    assert_ne!(text, other);
}

#[test]
fn arms_are_listed_by_the_labels_that_their_rows_have() {
    let text = list(120, &["ipc", "--filter", "runtime=node", "--filter", "payload_bytes=64"]);
    let arms = "blocking (reference and placebo), thread-pool, pool serialization=json, pool \
                serialization=advanced, prefork-pool";
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&text).contains(&words(arms)), "{text}");
    let text =
        list(120, &["ipc", "--trials", "--filter", "runtime=rust", "--filter", "payload_bytes=64"]);
    for arm in ["  blocking (placebo)\n", "  blocking            reference\n", "  pool\n"] {
        assert!(text.contains(arm), "{arm}: {text}");
    }
}

#[test]
fn a_budget_that_is_too_short_is_said() {
    let text = list(80, &["main", "--blocks", "1000"]);
    assert!(text.contains("later blocks are dropped whole"), "{text}");
    let text = list(80, &["main", "--preset", "smoke"]);
    assert!(!text.contains("later blocks are dropped whole"), "{text}");
}
