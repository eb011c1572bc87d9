//! Rules that the sources keep and no compiler checks: what may be called where.

use std::path::Path;

use crate::common::files::{files, read};
use forkbench::sys::process::SingleThreaded;

/// A source file without its tests and comments: what the program consists of.
fn program(path: &Path) -> String {
    let text = read(path);
    let (text, _tests) = text.split_once("\n#[cfg(test)]\nmod ").unwrap_or((&text, ""));
    let code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(code).collect::<Vec<_>>().join("\n")
}

/// Files that are compiled for tests only.
fn is_test(path: &Path) -> bool {
    let part = |name: &str| path.components().any(|part| part.as_os_str() == name);
    ["tests", "tests.rs", "simulation", "sample.rs"].iter().any(|name| part(name))
}

/// The places below `src` that mention any of these, as `file: word`.
fn mentions(below: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(below, ".rs").iter().filter(|path| !is_test(path)) {
        let text = program(path);
        let here = words.iter().filter(|word| text.contains(**word));
        found.extend(here.map(|word| format!("{}: {word}", path.display())));
    }
    found
}

#[test]
fn unsafe_code_is_in_sys_only() {
    let elsewhere = |place: &String| !place.starts_with("src/sys/");
    let found = mentions("src", &["unsafe {", "unsafe fn", "unsafe impl", "allow(unsafe_code)"]);
    assert!(found.iter().any(|place| !elsewhere(place)), "nothing is found any more");
    let found: Vec<_> = found.into_iter().filter(elsewhere).collect();
    assert_eq!(found, [""; 0]);
    assert!(read("Cargo.toml").contains("unsafe_code = \"deny\""));
}

#[test]
fn pure_modules_touch_neither_files_nor_clocks() {
    let impure = [
        "std::fs",
        "std::io",
        "std::net",
        "std::process",
        "std::env::",
        "std::time",
        "File::",
        "now_ns()",
        "utc_now",
        "println!",
        "eprintln!",
        "rustix",
        "libc",
        "crate::sys",
    ];
    // That the words are the right ones shows where I/O belongs.
    assert!(!mentions("src/record", &impure).is_empty());
    for module in ["src/experiment", "src/stats", "src/report"] {
        assert_eq!(mentions(module, &impure), [""; 0]);
    }
}

/// A macro that writes to a closed standard error ends the program by a panic.
#[test]
fn notes_go_through_one_helper() {
    let writing = ["println!", "print!(", "eprint"];
    assert!(!mentions("src/subject", &writing).is_empty());
    for module in ["src/cli", "src/driver", "src/record"] {
        assert_eq!(mentions(module, &writing), [""; 0]);
    }
}

#[test]
fn the_driver_runs_no_workload() {
    // Running one takes an input, and an input is got by preparing it.
    let running = [
        "dyn Input",
        "workload::Input",
        "strategy::run",
        "materialise(",
        ".prepare(spec)",
        ".prepare(&spec)",
        ".workload()?.prepare",
    ];
    assert!(!mentions("src/strategy", &running).is_empty());
    assert_eq!(mentions("src/driver", &running), [""; 0]);
}

#[test]
fn subjects_start_programs_in_one_place() {
    let starting = ["Command::new", "posix_spawn", "pre_exec", "libc::exec"];
    let found: Vec<_> = ["src/strategy", "src/subject", "src/workload", "src/sys"]
        .into_iter()
        .flat_map(|module| mentions(module, &starting))
        // What benches hold strategies against; no subject calls it.
        .filter(|place| !place.starts_with("src/sys/floor.rs"))
        .collect();
    assert_eq!(mentions("src/strategy", &["sys::floor", "floor::"]), [""; 0]);
    assert_eq!(found, ["src/strategy/launch.rs: Command::new"]);
    assert!(read("clippy.toml").contains("CommandExt::pre_exec"));
}

#[test]
fn fork_is_refused_where_there_are_threads() {
    // A test runs on a thread beside the one that waits for it; a second one makes it certain.
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let refused = std::thread::scope(|scope| {
        scope.spawn(move || held.recv());
        let asserted = SingleThreaded::assert();
        drop(hold);
        asserted.unwrap_err().to_string()
    });
    assert!(refused.contains("one thread"), "{refused}");
}
