//! What demonstrations show, in every runtime that is installed here; what is known to be true is
//! held against it. And how a run records them, ends them in time and goes on with them.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use forkbench::experiment::demonstration;
use forkbench::record::{self, FactRow, FactStatus};

/// The built driver.
const FORKBENCH: &str = env!("CARGO_BIN_EXE_forkbench");

fn forkbench(dir: &Path, args: &[&str]) -> Output {
    Command::new(FORKBENCH).args(args).current_dir(dir).stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs demonstrations and no trial.
fn show(dir: &Path, filters: &[&str], more: &[&str]) -> (Output, PathBuf) {
    let out = dir.join("run");
    let mut args = vec!["run", "notes", "--preset", "smoke"];
    args.extend(filters.iter().flat_map(|filter| ["--filter", filter]));
    args.extend(more);
    args.extend(["--out", out.to_str().unwrap()]);
    let output = forkbench(dir, &args);
    assert!(output.status.success(), "{}", said(&output));
    (output, out)
}

fn facts(out: &Path) -> Vec<FactRow> {
    let run = record::read(out).unwrap();
    assert_eq!(run.remarks, [""; 0]);
    assert_eq!(run.trials, []);
    run.facts
}

/// All that was shown, to be asked by name.
struct Shown(Vec<FactRow>);

impl Shown {
    /// The runtimes in which a demonstration was shown; those that lack are said.
    fn runtimes(&self, name: &str) -> Vec<&'static str> {
        let kind = demonstration::by_name(name).unwrap();
        let runtimes = kind.runtimes.iter().map(|(runtime, _)| *runtime);
        let is_there = |runtime: &&'static str| {
            let last = self
                .0
                .iter()
                .find(|row| row.is_last() && row.demonstration == name && row.runtime == *runtime);
            let last = last.unwrap_or_else(|| panic!("{name} in {runtime} has no last row"));
            if last.status == FactStatus::Skipped {
                eprintln!("passed over: {name} in {runtime}: {}", last.reason);
                return false;
            }
            assert_eq!(last.status, FactStatus::Ok, "{name} in {runtime}: {}", last.reason);
            true
        };
        runtimes.filter(is_there).collect()
    }

    #[track_caller]
    fn row(&self, name: &str, runtime: &str, case: &str, fact: &str) -> &FactRow {
        let found = self.0.iter().find(|row| {
            let key = [&row.demonstration, &row.runtime, &row.case, &row.fact];
            key == [name, runtime, case, fact]
        });
        found.unwrap_or_else(|| panic!("{name} in {runtime}: no `{fact}` of `{case}`"))
    }

    #[track_caller]
    fn value(&self, name: &str, runtime: &str, case: &str, fact: &str) -> f64 {
        let value = self.row(name, runtime, case, fact).value;
        value.unwrap_or_else(|| panic!("{name} in {runtime}: `{fact}` of `{case}` has no value"))
    }

    /// Each case with these facts has these values.
    #[track_caller]
    fn check<const N: usize>(
        &self,
        name: &str,
        runtime: &str,
        facts: [&str; N],
        expected: &[(&str, [f64; N])],
    ) {
        for (case, values) in expected {
            let found = facts.map(|fact| self.value(name, runtime, case, fact));
            assert_eq!(found, *values, "{name} in {runtime}, {case}: {facts:?}");
        }
    }
}

#[test]
fn every_demonstration_shows_what_is_known_to_be_true() {
    let dir = tempfile::tempdir().unwrap();
    let names = demonstration::ALL.iter().map(|kind| kind.name);
    let filter = format!("demonstration={}", names.collect::<Vec<_>>().join(","));
    let (output, out) = show(dir.path(), &[&filter], &[]);
    let shown = Shown(facts(&out));
    let keys: BTreeSet<_> = shown
        .0
        .iter()
        .map(|row| (&row.demonstration, &row.runtime, &row.case, &row.fact))
        .collect();
    assert_eq!(keys.len(), shown.0.len(), "a fact twice");
    for kind in demonstration::ALL {
        for runtime in shown.runtimes(kind.name) {
            let line = format!("demonstration {} in {runtime}: shown in 1 of 1 blocks", kind.name);
            assert!(said(&output).contains(&line), "{}", said(&output));
            match kind.name {
                "separate-processes" => separate_processes(&shown, runtime),
                "memory-isolation" => memory_isolation(&shown, runtime),
                "independent-resources" => independent_resources(&shown, runtime),
                "synchronization" => synchronization(&shown, runtime),
                "crash" => crash(&shown, runtime),
                "max-buffer" => max_buffer(&shown, runtime),
                "shell-characters" => shell_characters(&shown, runtime),
                "object-transfer" => object_transfer(&shown, runtime),
                "run-command" => run_command(&shown, runtime),
                "order-leak" => order_leak(&shown, runtime),
                "prime-boundary" => prime_boundary(&shown, runtime),
                "timeout-cleanup" => timeout_cleanup(&shown, runtime),
                name => panic!("nothing is known of {name}"),
            }
        }
    }
}

fn separate_processes(shown: &Shown, runtime: &str) {
    let name = "separate-processes";
    shown.check(
        name,
        runtime,
        ["distinct_pid", "parent_is_main", "distinct_start_time"],
        &[("fork", [1.0, 1.0, 1.0]), ("worker-thread", [0.0, 0.0, 0.0])],
    );
    for case in ["fork", "worker-thread"] {
        for fact in ["main_rss_bytes", "child_rss_bytes", "os_rss_bytes", "os_pss_bytes"] {
            let row = shown.row(name, runtime, case, fact);
            assert_eq!(row.unit, "bytes");
            // No runtime is smaller than a megabyte.
            assert!(row.value.is_some_and(|bytes| bytes > 1e6), "{row:?}");
        }
        let used = shown.value(name, runtime, case, "cores_used");
        let cores = shown.value(name, runtime, case, "cores");
        // The kernel counts a process's time more finely than the wall is read.
        assert!(used > 0.0 && used < cores * 1.1, "{case}: {used} of {cores}");
    }
}

fn memory_isolation(shown: &Shown, runtime: &str) {
    let seen = |case| match (runtime, case) {
        // A thread's argument is the object itself.
        ("python", "thread") => 999.0,
        (_, "thread-shared") => 999.0,
        _ => 100.0,
    };
    for case in ["process", "thread", "thread-shared"] {
        let facts = ["main_count", "child_count"];
        let expected = [(case, [seen(case), 999.0])];
        shown.check("memory-isolation", runtime, facts, &expected);
    }
}

fn independent_resources(shown: &Shown, runtime: &str) {
    shown.check(
        "independent-resources",
        runtime,
        ["handle_usable_in_child", "main_handle_survives"],
        &[("fork", [0.0, 1.0]), ("worker-thread", [1.0, 0.0])],
    );
}

fn synchronization(shown: &Shown, runtime: &str) {
    let name = "synchronization";
    let all = shown.value(name, runtime, "process", "increments");
    shown.check(
        name,
        runtime,
        ["counted", "lost"],
        &[("process", [all, 0.0]), ("thread-atomic", [all, 0.0])],
    );
    // How many are lost without is chance; on one core it may be none.
    let counted = shown.value(name, runtime, "thread-plain", "counted");
    let lost = shown.value(name, runtime, "thread-plain", "lost");
    assert!(lost >= 0.0 && counted + lost == all, "{counted} and {lost}");
}

fn crash(shown: &Shown, runtime: &str) {
    // A process's crash is its own, whatever it is.
    let hows = ["abort", "segfault", "panic", "exit", "out-of-memory"];
    let survives_in_a_thread: &[&str] = match runtime {
        "node" | "python" => &["panic", "exit", "out-of-memory"],
        _ => &["panic"],
    };
    for (place, how) in ["process", "thread"].iter().flat_map(|p| hows.map(|h| (p, h))) {
        let case = format!("{place}/{how}");
        let survives = *place == "process" || survives_in_a_thread.contains(&how);
        let lost = if survives { 0.0 } else { 3.0 };
        shown.check(
            "crash",
            runtime,
            ["main_survives", "others_in_flight", "others_lost"],
            &[(&case, [f64::from(u8::from(survives)), 3.0, lost])],
        );
        let recovery = shown.row("crash", runtime, &case, "recovery_ms");
        assert!(recovery.unit == "ms" && recovery.value > Some(0.0), "{recovery:?}");
    }
    if runtime == "node" {
        // Without a listener the server ends by what a thread throws, as by any of its own.
        shown.check(
            "crash",
            runtime,
            ["main_survives", "main_exit_code", "others_lost"],
            &[
                ("thread-no-listener/panic", [0.0, 1.0, 3.0]),
                ("thread-no-listener/out-of-memory", [0.0, 1.0, 3.0]),
            ],
        );
        let (case, fact) = ("thread-no-listener/exit", "main_survives");
        assert_eq!(shown.value("crash", runtime, case, fact), 1.0);
        let refused = shown.row("crash", runtime, "thread/abort", "abort_refused");
        assert_eq!(refused.text, "ERR_WORKER_UNSUPPORTED_OPERATION");
    }
}

fn max_buffer(shown: &Shown, runtime: &str) {
    let name = "max-buffer";
    let (all, default) = (10.0 * 1024.0 * 1024.0, 1024.0 * 1024.0);
    shown.check(
        name,
        runtime,
        ["received_bytes", "error", "child_killed"],
        &[
            ("exec/default", [default, 1.0, 1.0]),
            ("exec/raised", [all, 0.0, 0.0]),
            ("exec-file/default", [default, 1.0, 1.0]),
            ("spawn", [all, 0.0, 0.0]),
            ("fork-silent", [all, 0.0, 0.0]),
        ],
    );
    for case in ["exec/default", "exec-file/default"] {
        let error = shown.row(name, runtime, case, "error");
        assert_eq!(error.text, "ERR_CHILD_PROCESS_STDIO_MAXBUFFER");
    }
    for case in ["exec/default", "exec/raised", "exec-file/default", "spawn", "fork-silent"] {
        let first = shown.value(name, runtime, case, "first_byte_ms");
        let complete = shown.value(name, runtime, case, "complete_ms");
        let at_once = case.starts_with("exec");
        assert!(first > 0.0 && first <= complete, "{case}: {first} of {complete}");
        assert_eq!(first == complete, at_once, "{case}: {first} of {complete}");
    }
}

fn shell_characters(shown: &Shown, runtime: &str) {
    shown.check(
        "shell-characters",
        runtime,
        ["argument_intact", "injected"],
        &[
            ("exec", [0.0, 1.0]),
            ("exec-quoted", [1.0, 0.0]),
            ("exec-file", [1.0, 0.0]),
            ("spawn", [1.0, 0.0]),
            ("spawn-shell", [0.0, 1.0]),
            ("fork", [1.0, 0.0]),
        ],
    );
}

fn object_transfer(shown: &Shown, runtime: &str) {
    shown.check(
        "object-transfer",
        runtime,
        ["structure_kept", "date_kept", "map_kept"],
        &[
            ("spawn-stdout", [0.0, 0.0, 0.0]),
            ("fork-json", [1.0, 0.0, 0.0]),
            ("fork-advanced", [1.0, 1.0, 1.0]),
            ("worker-thread", [1.0, 1.0, 1.0]),
        ],
    );
}

fn run_command(shown: &Shown, runtime: &str) {
    shown.check(
        "run-command",
        runtime,
        ["ran_command", "ran_script"],
        &[
            ("spawn", [1.0, 1.0]),
            ("exec", [1.0, 1.0]),
            ("exec-file", [1.0, 1.0]),
            ("fork", [0.0, 1.0]),
        ],
    );
    let other = [("fork-exec-path", [1.0])];
    shown.check("run-command", runtime, ["ran_command"], &other);
}

fn order_leak(shown: &Shown, runtime: &str) {
    let name = "order-leak";
    shown.check(
        name,
        runtime,
        ["orders", "children_left", "children_left_per_100_orders"],
        &[("as-in-the-notes", [10.0, 30.0, 300.0]), ("corrected", [10.0, 0.0, 0.0])],
    );
    let memory = ["left_pss_bytes", "left_mb_per_100_orders"];
    shown.check(name, runtime, memory, &[("corrected", [0.0, 0.0])]);
    let [bytes, mb] = memory.map(|fact| shown.value(name, runtime, "as-in-the-notes", fact));
    // Thirty runtimes, and ten times as many for a hundred orders.
    assert!(bytes > 30e6, "{bytes}");
    assert!((mb - bytes / 1e5).abs() < 1e-6, "{bytes} and {mb}");
}

fn prime_boundary(shown: &Shown, runtime: &str) {
    // The primes up to 20014, from a table.
    let right = 2263.0;
    shown.check(
        "prime-boundary",
        runtime,
        ["primes_counted", "primes_right"],
        &[("as-in-the-notes", [right + 1.0, right]), ("corrected", [right, right])],
    );
}

fn timeout_cleanup(shown: &Shown, runtime: &str) {
    shown.check(
        "timeout-cleanup",
        runtime,
        ["killed", "left"],
        &[
            ("as-in-the-notes", [1.0, 0.0]),
            ("busy", [1.0, 0.0]),
            ("ignores-sigterm", [0.0, 1.0]),
            ("has-a-child", [1.0, 1.0]),
        ],
    );
}

/// What needs nothing but the program itself, and takes no time.
const QUICK: [&str; 2] = ["demonstration=memory-isolation,crash", "runtime=rust"];

#[test]
fn a_run_that_was_cut_short_shows_what_is_left_and_repeats_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (_, out) = show(dir.path(), &QUICK, &["--quiet", "--blocks", "3"]);
    let whole = facts(&out);
    let lasts = |rows: &[FactRow]| -> Vec<(String, u32)> {
        let lasts = rows.iter().filter(|row| row.is_last());
        lasts.map(|row| (row.demonstration.clone(), row.block)).collect()
    };
    assert_eq!(lasts(&whole).len(), 6, "{:?}", lasts(&whole));
    let path = out.join("facts.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    // In the middle of a row of the second block's crash, some rows of which are whole.
    let second = whole.iter().rposition(|row| row.block == 2).unwrap();
    let cut: usize = text.lines().take(second - 1).map(|line| line.len() + 1).sum();
    std::fs::write(&path, &text[..cut + 20]).unwrap();
    let kept: usize = {
        let over = whole.iter().position(|row| row.block == 2 && row.is_last()).unwrap();
        text.lines().take(over + 2).map(|line| line.len() + 1).sum()
    };
    let resume = |dir: &Path| {
        let output = forkbench(dir, &["run", "--resume", out.to_str().unwrap()]);
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    resume(dir.path());
    let now = std::fs::read_to_string(&path).unwrap();
    assert_eq!(now[..kept], text[..kept], "what was there has changed");
    assert_eq!(lasts(&facts(&out)), lasts(&whole));
    let shapes = |rows: &[FactRow]| -> Vec<(u32, String, String)> {
        let shape = |row: &FactRow| (row.block, row.case.clone(), row.fact.clone());
        rows.iter().map(shape).collect()
    };
    assert_eq!(shapes(&facts(&out)), shapes(&whole));
    assert!(resume(dir.path()).contains("nothing was left to run"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), now);
}

#[test]
fn ctrl_c_ends_demonstrations_and_keeps_those_that_are_over() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let child = Command::new(FORKBENCH)
        .args(["run", "notes", "--preset", "smoke", "--blocks", "10000"])
        .args(QUICK.iter().flat_map(|filter| ["--filter", filter]))
        .args(["--budget", "10h", "--quiet", "--out"])
        .arg(&out)
        // Tells this run's processes from all others'.
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let path = out.join("facts.csv");
    while !std::fs::read_to_string(&path).is_ok_and(|text| text.contains("took_ms")) {
        std::thread::yield_now();
    }
    let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("interrupted"), "{}", said(&output));
    assert!(facts(&out).last().unwrap().is_last());
    let own = std::fs::read_dir("/proc").unwrap().flatten();
    let left = own.filter(|entry| {
        std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(dir.path()))
    });
    assert_eq!(left.count(), 0, "somebody is left");
}

#[test]
fn a_budget_ends_demonstrations_after_a_whole_block() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["--blocks", "10000", "--budget", "1s"];
    let (output, out) = show(dir.path(), &QUICK, &more);
    let expected = "the demonstrations of the last blocks did not run";
    assert!(said(&output).contains(expected), "{}", said(&output));
    let facts = facts(&out);
    let last = facts.last().unwrap();
    assert!(last.is_last() && last.block < 10_000, "{last:?}");
    let of_last = facts.iter().filter(|row| row.block == last.block && row.is_last());
    assert_eq!(of_last.count(), 2);
}

#[test]
fn a_runtime_that_is_not_there_is_skipped_with_what_to_install() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let output = Command::new(FORKBENCH)
        .args(["run", "notes", "--preset", "smoke", "--filter", "demonstration=crash"])
        .args(["--filter", "runtime=node,rust", "--out"])
        .arg(&out)
        .env("FORKBENCH_NODE", "/nonexistent/node")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let facts = facts(&out);
    let of_node: Vec<_> = facts.iter().filter(|row| row.runtime == "node").collect();
    assert_eq!(of_node.len(), 1);
    assert_eq!((of_node[0].status, of_node[0].value), (FactStatus::Skipped, None));
    assert!(of_node[0].reason.contains("install Node.js 20"), "{:?}", of_node[0]);
    let line = "demonstration crash in node: skipped in 1 of 1 blocks: ";
    assert!(said(&output).contains(line), "{}", said(&output));
    assert!(facts.iter().any(|row| row.runtime == "rust" && row.fact == "main_survives"));
}
