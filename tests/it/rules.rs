//! Rules that the sources keep and no compiler checks: what may be called where.

use std::path::Path;

use crate::common::files::{files, read, root};
use forkbench::sys::process::SingleThreaded;

/// A source file without its tests and comments: what the program consists of.
fn program(path: &Path) -> String {
    let text = with_lines(path);
    text.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The same with an empty line for every comment, so that lines keep their numbers.
fn with_lines(path: &Path) -> String {
    let text = read(path);
    let (text, _tests) = text.split_once("\n#[cfg(test)]\nmod ").unwrap_or((&text, ""));
    let is_comment = |line: &str| line.trim_start().starts_with("//");
    let code = |line| if is_comment(line) { "" } else { line };
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// Files that are compiled for tests only.
fn is_test(path: &Path) -> bool {
    let part = |name: &str| path.components().any(|part| part.as_os_str() == name);
    let test = ["tests", "tests.rs", "simulation", "sample", "sample.rs", "sample_memory.rs"];
    test.iter().any(|name| part(name))
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

/// The folders of `src`. Each uses only folders before it.
const FOLDERS: [&str; 13] = [
    "sys",
    "workload",
    "protocol",
    "strategy",
    "subject",
    "experiment",
    "record",
    "stats",
    "analysis",
    "driver",
    "report",
    "notes",
    "cli",
];

/// Uses of a later folder in a file of `folder`, as `file:line: later folder`.
fn arrows_back(folder: &str, file: &str, text: &str) -> Vec<String> {
    let place = |name: &str| FOLDERS.iter().position(|known| *known == name);
    let is_later = |name: &str| place(name) > place(folder);
    used(text)
        .into_iter()
        .filter(|(_, name)| is_later(name))
        .map(|(at, name)| format!("{file}:{}: {name}", 1 + text[..at].matches('\n').count()))
        .collect()
}

/// The first names of paths that begin at the crate, with their places in the text.
fn used(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for root in ["crate::", "forkbench::"] {
        for (at, _) in text.match_indices(root) {
            let start = at + root.len();
            match text[start..].starts_with('{') {
                false => found.push((start, name_at(text, start))),
                true => found.extend(listed(text, start)),
            }
        }
    }
    found.sort_unstable();
    found
}

/// The first names of the paths in a list `{a, b::{c, d}}` that starts here.
fn listed(text: &str, start: usize) -> Vec<(usize, &str)> {
    let (mut depth, mut is_first, mut found) = (0, false, Vec::new());
    for (at, c) in text[start..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if is_first && (c.is_alphabetic() || c == '_') {
            found.push((start + at, name_at(text, start + at)));
        }
        let separates = depth == 1 && matches!(c, '{' | ',');
        is_first = separates || (is_first && c.is_whitespace());
    }
    found
}

fn name_at(text: &str, start: usize) -> &str {
    let rest = &text[start..];
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
    &rest[..end.unwrap_or(rest.len())]
}

#[test]
fn folders_use_only_folders_before_them() {
    let planted = "use crate::{\n    sys,\n    report::{self, cli},\n};\ncrate::driver::run();\n";
    let expected = ["planted.rs:3: report", "planted.rs:5: driver"];
    assert_eq!(arrows_back("stats", "planted.rs", planted), expected);
    let mut found = Vec::new();
    for folder in FOLDERS {
        let below = format!("src/{folder}");
        if !root().join(&below).is_dir() {
            continue;
        }
        for path in files(&below, ".rs").iter().filter(|path| !is_test(path)) {
            found.extend(arrows_back(folder, &path.display().to_string(), &with_lines(path)));
        }
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn every_folder_of_src_has_a_place_in_the_order() {
    let entries = std::fs::read_dir(root().join("src")).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.path().is_dir());
    let names = folders.map(|folder| folder.file_name().into_string().unwrap());
    let is_placed = |name: &String| name == "bin" || FOLDERS.contains(&name.as_str());
    let missing: Vec<String> = names.filter(|name| !is_placed(name)).collect();
    assert_eq!(missing, [""; 0]);
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
    for module in ["src/experiment", "src/stats", "src/analysis", "src/report"] {
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
    // A test runs on another thread than the one that waits for it; a second one makes it certain.
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let refused = std::thread::scope(|scope| {
        scope.spawn(move || held.recv());
        let asserted = SingleThreaded::assert();
        drop(hold);
        asserted.unwrap_err().to_string()
    });
    assert!(refused.contains("one thread"), "{refused}");
}
