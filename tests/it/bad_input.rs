//! Bad input names its place and what was expected, ends with exit code 2, and starts nothing.

use std::path::Path;

use assert_cmd::Command;
use forkbench::{experiment, strategy, workload};
use tempfile::TempDir;

/// Runs the driver in an empty directory, expects exit code 2, and gives back what it said on
/// standard error. A run directory that was made although the input is bad would be found.
fn refused(dir: &Path, args: &[&str]) -> String {
    let before = entries(dir);
    let output = Command::cargo_bin("forkbench")
        .unwrap()
        .args(args)
        .current_dir(dir)
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
    assert_eq!(output.stdout, b"", "{args:?}");
    assert_eq!(entries(dir), before, "{args:?} left something behind");
    stderr
}

fn entries(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// An expected error with the registries' names in place of `{workloads}` and the like, so that a
/// new workload changes no test.
fn filled(expected: &str) -> String {
    let workloads: Vec<_> = workload::ALL.iter().map(|w| w.name()).collect();
    let strategies: Vec<_> = strategy::ALL.iter().map(|s| s.name).collect();
    let experiments: Vec<_> = experiment::builtin::ALL.iter().map(|b| b.name).collect();
    expected
        .replace("{workloads}", &workloads.join(", "))
        .replace("{strategies}", &strategies.join(", "))
        .replace("{experiments}", &experiments.join(", "))
}

/// A file that is right, one line of which each case replaces, or to which it adds one.
const RIGHT: [&str; 8] = [
    r#"name = "x""#,
    r#"question = "Which?""#,
    r#"reference = "blocking""#,
    r#"[[family]]"#,
    r#"workload = "noop""#,
    r#"runtime = ["rust"]"#,
    r#"strategy = ["blocking", "fork"]"#,
    r#"load = { closed = { callers = [1, "2x"] } }"#,
];

/// What stands in the given line (from 1; line 9 is a new one) instead, and the whole error after
/// the file's name.
const WRONG: &[(usize, &str, &str)] = &[
    // Keys.
    (
        3,
        r#"referense = "blocking""#,
        "3:1: unknown key `referense`; did you mean `reference`? \
         valid: name, question, reference, budget, standard_budget, claims, family, demonstration",
    ),
    (
        9,
        r#"payload = 64"#,
        "9:1: unknown key `payload`; did you mean `payload_bytes`? valid: workload, size, \
         payload_bytes, options, runtime, strategy, load, ballast_mib, placement, seed, \
         deadline, blocks, preset",
    ),
    (
        8,
        r#"load = { clsed = { callers = 1 } }"#,
        "8:10: unknown key `clsed`; did you mean `closed`? valid: closed, open, memory",
    ),
    (
        8,
        r#"load = { closed = { caller = 1 } }"#,
        "8:21: unknown key `caller`; did you mean `callers`? valid: callers",
    ),
    (1, "", "1:1: missing key `name`"),
    (5, "", "4:1: missing key `workload`"),
    (8, "load = { closed = {} }", "8:19: missing key `callers`"),
    (9, r#"workload = "noop""#, "9:1: duplicate key"),
    (
        8,
        r#"load = { open = { rate_per_s = 9, window = "short" } }"#,
        "8:44: unknown window `short`; did you mean `shortest`? valid: shortest",
    ),
    // Options without an effect where they stand.
    (
        5,
        "workload = \"image\"\nsize = [\"s\", \"m\"]\noptions = { input = \"a.jpg\" }",
        "7:21: `input` is `a.jpg` and has no effect: only size = l uses it, and size is m; \
         leave it out",
    ),
    (
        5,
        "workload = \"image\"\noptions = { decode = \"once\", dir = \"out\" }",
        "6:36: `dir` is `out` and has no effect: only output = files uses it, and output is \
         memory; leave it out",
    ),
    (
        5,
        "workload = \"analytics\"\noptions = { input = \"a.fba\" }",
        "6:21: `input` is `a.fba` and has no effect: the run makes the dataset itself; leave it \
         out",
    ),
    (
        5,
        "workload = \"sleep\"\noptions = { us = 0, draws = [\"constant\", \"bimodal\"] }",
        "6:42: `draws` is `bimodal` and has no effect: nothing uses it while us is 0; leave it \
         out",
    ),
    (
        7,
        "strategy = { name = \"pool\", recycle_jitter = [0, 5] }",
        "7:50: `recycle_jitter` is `5` and has no effect: nothing uses it while recycle_after is \
         0; leave it out",
    ),
    (
        7,
        "strategy = { name = \"fork-ipc\", start_method = \"spawn\" }",
        "7:48: `start_method` is `spawn` and has no effect: only python has it, and runtime is \
         rust; leave it out",
    ),
    // Names.
    (
        5,
        r#"workload = "nop""#,
        "5:12: unknown workload `nop`; did you mean `noop`? \
         valid: {workloads}",
    ),
    (
        5,
        r#"workload = ["noop", "prime"]"#,
        "5:21: unknown workload `prime`; did you mean `primes`? \
         valid: {workloads}",
    ),
    (
        7,
        r#"strategy = ["blocking", "poool"]"#,
        "7:25: unknown strategy `poool`; did you mean `pool`? valid: {strategies}",
    ),
    (
        7,
        r#"strategy = { name = "threadpool" }"#,
        "7:21: unknown strategy `threadpool`; did you mean `thread-pool`? valid: {strategies}",
    ),
    (3, r#"reference = "inline""#, "3:13: unknown strategy `inline`; valid: {strategies}"),
    (
        6,
        r#"runtime = ["rust", "rusty"]"#,
        "6:20: unknown runtime `rusty`; did you mean `rust`? valid: rust, node, node-compile-cache, python",
    ),
    (
        9,
        r#"placement = "same_core""#,
        "9:13: unknown placement `same_core`; did you mean `same-core`? \
         valid: unpinned, same-core, other-core",
    ),
    (5, "workload = \"primes\"\nsize = \"xl\"", "6:8: unknown size `xl`; valid: s, m, l"),
    (
        1,
        r#"name = "X y""#,
        "1:8: expected a name of lower-case letters, digits and `-`, found `X y`",
    ),
    // Options.
    (
        5,
        "workload = \"primes\"\noptions = { chunk = 1 }",
        "6:13: unknown option `chunk`; did you mean `chunks`? valid: chunks, split",
    ),
    (
        5,
        "workload = \"primes\"\noptions = { split = [\"contiguous\", \"interleavd\"] }",
        "6:36: `split` is `interleavd`; did you mean `interleaved`? \
         expected one of contiguous, interleaved",
    ),
    (
        5,
        "workload = \"primes\"\noptions = { chunks = [] }",
        "6:22: empty list; expected at least one value",
    ),
    (9, "options = { chunks = 1 }", "9:13: `noop` takes no options, found `chunks`"),
    (
        7,
        r#"strategy = [{ name = "pool", workers = [1, 0] }]"#,
        "7:44: `workers` is `0`; expected a whole number from 1 to 4096, \
         or a multiple of the cores such as \"2x\"",
    ),
    (
        7,
        r#"strategy = [{ name = "pool", workers = 99999 }]"#,
        "7:40: `workers` is `99999`; expected a whole number from 1 to 4096, \
         or a multiple of the cores such as \"2x\"",
    ),
    (7, r#"strategy = [{ workers = 1 }]"#, "7:13: missing key `name`"),
    // Types.
    (5, "workload = 5", "5:12: expected a string, found integer `5`"),
    (5, "workload = true", "5:12: expected a string, found boolean `true`"),
    (9, r#"payload_bytes = "64""#, "9:17: expected a whole number, found string \"64\""),
    (9, "payload_bytes = -1", "9:17: expected 0 or more, found -1"),
    (9, "payload_bytes = 1.5", "9:17: expected a whole number, found floating point `1.5`"),
    (9, "ballast_mib = [0, [64]]", "9:19: expected a whole number, found a list"),
    (
        7,
        "strategy = [1]",
        "7:13: expected a name in quotes or a table such as { name = \"pool\" }, found integer `1`",
    ),
    (
        8,
        "load = 4",
        "8:8: expected a table such as { closed = { callers = 1 } }, found integer `4`",
    ),
    (1, "name = x", "1:8: string values must be quoted, expected literal string"),
    (4, "[family]", "4:1: expected [[family]] in double brackets, found a table"),
    // Impossible factors.
    (
        8,
        "load = { closed = { callers = [1, 0] } }",
        "8:35: `callers` is `0`; expected a whole number from 1 to 4096, \
         or a multiple of the cores such as \"2x\"",
    ),
    (
        8,
        r#"load = { closed = { callers = "-1x" } }"#,
        "8:31: `callers` is `-1x`; expected a whole number from 1 to 4096, \
         or a multiple of the cores such as \"2x\"",
    ),
    (
        8,
        r#"load = { closed = { callers = "0x" } }"#,
        "8:31: `callers` is `0x`; expected a whole number from 1 to 4096, \
         or a multiple of the cores such as \"2x\"",
    ),
    (8, "load = { closed = { callers = [2, 2] } }", "8:35: `2` is there twice; expected it once"),
    (
        8,
        "load = {}",
        "8:8: no load is given; expected load = { closed = { callers = [1, \"2x\"] } }, \
         load = { open = { rate = 0.5, of = \"blocking-capacity\" } } or \
         load = { memory = { children = [0, 1, 10] } }",
    ),
    (
        8,
        "load = { closed = { callers = 1 }, open = { rate_per_s = 5 } }",
        "8:43: a family has one regime; give `open` a [[family]] of its own",
    ),
    (
        8,
        "load = { open = { rate = [0.5] } }",
        "8:26: what is `rate` a share of? expected of = \"blocking-capacity\" beside it, \
         or `rate_per_s` instead",
    ),
    (
        8,
        "load = { open = { rate = 0.5, of = \"blocking\" } }",
        "8:36: unknown whole `blocking`; did you mean `blocking-capacity`? \
         valid: blocking-capacity",
    ),
    (
        8,
        "load = { open = {} }",
        "8:17: no rate is given; expected rate = [0.2, 0.5], of = \"blocking-capacity\", \
         or rate_per_s = [100, 500]",
    ),
    (
        8,
        "load = { open = { rate_per_s = [100, 0] } }",
        "8:38: `rate_per_s` is `0`; expected a number above 0, at most 50000",
    ),
    (
        8,
        "load = { open = { rate_per_s = -0.5 } }",
        "8:32: `rate_per_s` is `-0.5`; expected a number above 0, at most 50000",
    ),
    (
        8,
        "load = { open = { rate_per_s = nan } }",
        "8:32: `rate_per_s` is `NaN`; expected a number above 0, at most 50000",
    ),
    (
        8,
        "load = { open = { rate_per_s = [5, 5.0] } }",
        "8:36: `5` is there twice; expected it once",
    ),
    (8, "load = { open = { rate_per_s = [] } }", "8:32: empty list; expected at least one value"),
    (8, "load = { open = { rate_per_s = \"5\" } }", "8:32: expected a number, found string \"5\""),
    (
        8,
        "load = { open = { rate_per_s = 5, rate = 0.5 } }",
        "8:32: `rate_per_s` stands alone; leave `rate` and `of` out, or this",
    ),
    (
        8,
        "load = { open = { rate_per_s = 5, arrivals = \"poison\" } }",
        "8:46: unknown arrivals `poison`; did you mean `poisson`? valid: poisson, constant",
    ),
    (
        8,
        "load = { open = { rate_per_s = 5, probe = \"mainloop\" } }",
        "8:43: unknown probe `mainloop`; did you mean `main-loop`? valid: main-loop, strategy",
    ),
    (
        8,
        "load = { open = { rates = 5 } }",
        "8:19: unknown key `rates`; did you mean `rate`? \
         valid: rate, of, rate_per_s, arrivals, probe, search, window",
    ),
    (
        8,
        "load = { open = { rate_per_s = 5, search = 21 } }",
        "8:44: `search` is `21`; expected at most 20 trials",
    ),
    (3, "budget = \"0s\"", "3:10: `budget` is `0s`; expected a time above zero such as \"10m\""),
    (
        9,
        "payload_bytes = [64, 16_777_217]",
        "9:22: 16777217 bytes of payload are too many; expected at most 16777216",
    ),
    (
        5,
        "workload = \"primes\"\npayload_bytes = 64",
        "6:17: `primes` takes no payload; leave `payload_bytes` out",
    ),
    (9, "size = \"s\"", "9:8: `noop` has no sizes; leave `size` out"),
    (
        9,
        "ballast_mib = 1_048_577",
        "9:15: 1048577 MiB of ballast are too many; expected at most 1048576",
    ),
    (5, "workload = []", "5:12: empty list; expected at least one workload"),
    (7, "strategy = []", "7:12: empty list; expected at least one strategy, or \"*\" for all"),
    (
        7,
        r#"strategy = ["fork", "fork"]"#,
        "7:21: arm `fork` is there twice; expected it once, or with other options",
    ),
    (
        7,
        r#"strategy = ["*", { name = "pool", workers = "1x" }]"#,
        "7:18: arm `pool` is there twice; expected it once, or with other options",
    ),
    (
        9,
        "[[family]]\nworkload = \"noop\"\nstrategy = \"pool\"\n\
         load = { closed = { callers = 1 } }",
        "9:1: family `noop-0B-rust-closed1` is there twice; \
         give all its strategies to one [[family]]",
    ),
];

#[test]
fn every_mistake_in_a_file_has_a_place_and_a_hint() {
    let mut wrong = Vec::new();
    for &(line, text, expected) in WRONG {
        let dir = TempDir::new().unwrap();
        let mut lines = RIGHT.to_vec();
        lines.resize(lines.len().max(line), "");
        lines[line - 1] = text;
        std::fs::write(dir.path().join("bad.toml"), lines.join("\n") + "\n").unwrap();
        let found = refused(dir.path(), &["run", "bad.toml"]);
        let expected = format!("error: bad.toml:{}\n", filled(expected));
        if found != expected {
            wrong.push(format!("expected {expected}   found {found}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Each case stands on this: it is its one wrong line that is refused.
#[test]
fn the_right_file_is_right() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("good.toml"), RIGHT.join("\n")).unwrap();
    Command::cargo_bin("forkbench")
        .unwrap()
        .args(["list", "good.toml"])
        .current_dir(dir.path())
        .assert()
        .success();
}

#[test]
fn whole_files_that_are_no_experiments_are_refused() {
    let head = "name = \"x\"\nquestion = \"?\"\n";
    for (text, expected) in [
        ("", "1:1: missing key `name`"),
        (&format!("{head}family = []"), "3:10: expected at least one [[family]]"),
        (
            &format!("{head}family = [1]"),
            "3:11: expected a table that begins with [[family]], found integer `1`",
        ),
        ("\n\nwhat?", "3:6: key with no value"),
        ("\u{feff}name = 1", "1:8: expected a string, found integer `1`"),
    ] {
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("bad.toml"), text).unwrap();
        let found = refused(dir.path(), &["run", "bad.toml"]);
        let expected = format!("error: bad.toml:{expected}");
        assert!(found.starts_with(&expected), "{text:?}: {found}");
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let dir = TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join("folder.toml")).unwrap();
    std::fs::write(dir.path().join("latin.toml"), b"name = \"\xe9\"").unwrap();
    std::fs::write(dir.path().join("huge.toml"), vec![b'#'; 2 << 20]).unwrap();
    for (name, expected) in [
        ("none.toml", "error: read experiment `none.toml`\n  because: No such file"),
        ("folder.toml", "error: read experiment `folder.toml`\n  because: it is not a file"),
        ("latin.toml", "error: read experiment `latin.toml`\n  because: it is not UTF-8"),
        (
            "huge.toml",
            "error: read experiment `huge.toml`\n  because: it has 2097152 bytes; expected at most 1048576",
        ),
        ("mian", "error: unknown experiment `mian`; did you mean `main`? valid: {experiments}"),
    ] {
        let found = refused(dir.path(), &["run", name]);
        assert!(found.starts_with(&filled(expected)), "{found}");
    }
    refused(dir.path(), &["list", "latin.toml", "--trials"]);
}

#[test]
fn arguments_are_checked_with_hints() {
    let dir = TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join("taken")).unwrap();
    for (args, expected) in [
        (vec!["--preset", "quik"], "a similar value exists: 'quick'"),
        (vec!["--preset", "thorough"], "[possible values: smoke, quick, standard]"),
        (vec!["--blocks", "0"], "0 is not in 1..="),
        (vec!["--budget", "soon"], "expected a time above zero such as 90s"),
        (vec!["--slo", "p99<50"], "`p99<50` is no objective; expected a quantile (p50,"),
        (vec!["--sead", "1"], "a similar argument exists: '--seed'"),
        (vec!["--filter", "stratgy=pool"], "did you mean `strategy`?"),
        (vec!["--filter", "strategy=poool"], "did you mean `pool`?"),
        (
            vec!["--filter", "strategy=pool", "--filter", "role=reference"],
            "the filters leave nothing to run: no arm matches strategy=pool and role=reference",
        ),
        (vec!["main", "main"], "experiment `main` is given twice"),
        (vec!["--out", "taken"], "--out `taken` exists; a run is never overwritten"),
    ] {
        let mut all = vec!["run"];
        all.extend(args);
        let found = refused(dir.path(), &all);
        assert!(found.contains(expected), "{all:?}: {found}");
    }
    let found = refused(dir.path(), &["report", "nowhere"]);
    assert!(found.contains("`nowhere` is not a directory"), "{found}");
}

#[test]
fn a_missing_subject_says_how_to_build_it() {
    // A link, not a copy: a file that is open for writing in any thread at the moment another
    // thread forks cannot be executed ("text file busy"). Links stay on one file system.
    let dir = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let alone = dir.path().join("forkbench");
    std::fs::hard_link(env!("CARGO_BIN_EXE_forkbench"), &alone).unwrap();
    let output = std::process::Command::new(&alone)
        .args(["run", "--preset", "smoke"])
        .env_remove("FORKBENCH_SUBJECT")
        .current_dir(dir.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("`cargo build --release`"), "{stderr}");
    assert_eq!(entries(dir.path()), ["forkbench"]);

    let output = std::process::Command::new(&alone)
        .args(["list"])
        .env("FORKBENCH_SUBJECT", "/nowhere/subject")
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let missing = "FORKBENCH_SUBJECT is `/nowhere/subject`, which is not an executable file";
    assert!(stdout.contains(missing), "{stdout}");
}

#[test]
fn a_picture_that_cannot_be_used_is_refused_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes, said) in [
        ("text.jpg", b"hello".to_vec(), "is no JPEG"),
        ("cut.jpg", vec![0xff, 0xd8, 0xff, 0xe0, 0, 4], "is cut off"),
    ] {
        std::fs::write(dir.path().join(name), bytes).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_forkbench"))
            .args(["run", "--preset", "smoke", "--filter", "workload=image", "--out", "out"])
            .args(["--image", name])
            .current_dir(dir.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{name}: {text}");
        assert!(text.replace(' ', "").contains(&said.replace(' ', "")), "{name}: {text}");
        assert!(text.contains(name), "{text}");
        assert!(!dir.path().join("out").exists());
    }
}

#[test]
fn a_place_that_cannot_be_written_is_named_before_any_time_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    for out in ["/proc/forkbench/run", "file/run"] {
        let args = ["run", "--preset", "smoke", "--out", out];
        let said = refused(dir.path(), &args);
        let expected = format!("make the run's directory in `{out}`");
        assert!(said.contains(&expected), "{said}");
    }
    std::fs::write(dir.path().join("results"), "").unwrap();
    let said = refused(dir.path(), &["run", "--preset", "smoke"]);
    assert!(said.contains("`results`") && said.contains("--out DIR"), "{said}");
}
