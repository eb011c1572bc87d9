//! Run directories that another has prepared: nothing outside of them is read, overwritten or
//! removed, nothing is waited for, and nothing in them reaches the terminal or the memory unbounded.
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::common::FORKBENCH;
use crate::common::files::root;
use forkbench::sys::clock::now_ns;
use tempfile::TempDir;

/// Longer than any of these commands takes, under load as well: what is not over by then hangs.
const HANG_NS: u64 = 240_000_000_000;

/// The run that is kept in the repository, as a directory of its own, and a folder of the user's
/// beside it.
struct Prepared {
    dir: TempDir,
}

impl Prepared {
    fn new() -> Prepared {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("run")).unwrap();
        for entry in fs::read_dir(root().join("results/reference")).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), dir.path().join("run").join(entry.file_name())).unwrap();
            }
        }
        fs::create_dir(dir.path().join("home")).unwrap();
        for name in ["letter.txt", "picture.svg", "t0001.csv.zst"] {
            fs::write(dir.path().join("home").join(name), "precious").unwrap();
        }
        Prepared { dir }
    }

    fn run(&self) -> PathBuf {
        self.dir.path().join("run")
    }

    fn of_the_user(&self, name: &str) -> PathBuf {
        self.dir.path().join("home").join(name)
    }

    fn plant(&self, name: &str, target: &Path) {
        let path = self.run().join(name);
        let _ = fs::remove_file(&path);
        symlink(target, path).unwrap();
    }

    fn report(&self) -> Output {
        ended(Command::new(FORKBENCH).arg("report").arg(self.run()))
    }

    /// The user's files are as they were.
    fn check_untouched(&self) {
        for name in ["letter.txt", "picture.svg", "t0001.csv.zst"] {
            let text = fs::read_to_string(self.of_the_user(name)).unwrap();
            assert_eq!(text, "precious", "{name}");
        }
        assert_eq!(fs::read_dir(self.of_the_user("")).unwrap().count(), 3);
    }
}

/// The output of a command that ends by itself.
fn ended(command: &mut Command) -> Output {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let mut streams = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let read = |stream: &mut dyn std::io::Read| {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    };
    std::thread::scope(|scope| {
        let out = scope.spawn(|| read(&mut streams.0));
        let err = scope.spawn(|| read(&mut streams.1));
        let until_ns = now_ns() + HANG_NS;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if now_ns() > until_ns {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{command:?} hangs");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        Output { status, stdout: out.join().unwrap(), stderr: err.join().unwrap() }
    })
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn report_overwrites_no_file_behind_a_link() {
    let prepared = Prepared::new();
    let letter = prepared.of_the_user("letter.txt");
    for name in ["cells.csv.part", "cells.csv", "report.html", "datapackage.json.part"] {
        prepared.plant(name, &letter);
    }
    let output = prepared.report();
    assert!(output.status.success(), "{}", said(&output));
    prepared.check_untouched();
    for name in ["cells.csv", "report.html"] {
        assert!(fs::symlink_metadata(prepared.run().join(name)).unwrap().is_file(), "{name}");
    }
    let left = fs::read_dir(prepared.run()).unwrap().flatten();
    let left: Vec<_> = left.filter(|e| e.file_name().as_encoded_bytes()[0] == b'.').collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn report_neither_fills_nor_empties_a_linked_folder() {
    let prepared = Prepared::new();
    prepared.plant("charts", &prepared.of_the_user(""));
    let output = prepared.report();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("charts\n  because: is a link"), "{}", said(&output));
    prepared.check_untouched();
    // In a folder of its own it leaves what it has not drawn.
    fs::remove_file(prepared.run().join("charts")).unwrap();
    fs::create_dir(prepared.run().join("charts")).unwrap();
    fs::write(prepared.run().join("charts/holiday.svg"), "<svg/>").unwrap();
    assert!(prepared.report().status.success());
    assert!(prepared.run().join("charts/holiday.svg").exists());
}

#[test]
fn tables_behind_links_are_not_read() {
    let prepared = Prepared::new();
    let elsewhere = prepared.dir.path().join("trials.csv");
    fs::rename(prepared.run().join("trials.csv"), &elsewhere).unwrap();
    prepared.plant("trials.csv", &elsewhere);
    prepared.plant("noise.csv", Path::new("/dev/zero"));
    let output = prepared.report();
    assert!(output.status.success(), "{}", said(&output));
    for file in ["trials.csv", "noise.csv"] {
        let expected = format!("forkbench: {file}: is a link, which is not followed");
        assert!(said(&output).contains(&expected), "{}", said(&output));
    }
    prepared.plant("manifest.json", &prepared.of_the_user("letter.txt"));
    let output = prepared.report();
    assert!(!output.status.success() && said(&output).contains("is a link"), "{}", said(&output));
}

#[test]
fn named_pipes_and_folders_are_not_waited_for() {
    let files =
        ["env.json", "plan.csv", "noise.csv", "facts.csv", "calibration.csv", "memory.csv.zst"];
    let prepared = Prepared::new();
    for file in files {
        let path = prepared.run().join(file);
        let _ = fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    }
    let output = prepared.report();
    assert!(output.status.success(), "{}", said(&output));
    for file in files {
        let expected = format!("forkbench: {}: it is not a file", file.trim_end_matches(".zst"));
        assert!(said(&output).contains(&expected), "{file}: {}", said(&output));
    }
    let page = fs::read_to_string(prepared.run().join("report.html")).unwrap();
    assert!(page.contains("noise.csv: it is not a file"), "the page says it as well");
    let experiment = prepared.run().join("plan.csv");
    let run = ended(Command::new(FORKBENCH).arg("list").arg(&experiment));
    assert_eq!(run.status.code(), Some(2));
    assert!(said(&run).contains("it is not a file"), "{}", said(&run));
}

#[test]
fn tables_that_unfold_to_gigabytes_are_refused_within_bounds() {
    let prepared = Prepared::new();
    let bomb = fs::File::create(prepared.run().join("noise.csv.zst")).unwrap();
    let mut encoder = zstd::Encoder::new(bomb, 1).unwrap();
    let lines = b"1,2,3,4\n".repeat(1 << 17);
    for _ in 0..2048 {
        encoder.write_all(&lines).unwrap();
    }
    encoder.finish().unwrap();
    let output = ended(
        Command::new("/bin/sh")
            .args(["-c", "ulimit -v 1500000; exec \"$0\" report \"$1\"", FORKBENCH])
            .arg(prepared.run()),
    );
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("noise.csv: unfolds to more than"), "{}", said(&output));
}

#[test]
fn lost_tables_are_missed_on_terminal_and_page() {
    let prepared = Prepared::new();
    fs::remove_file(prepared.run().join("memory.csv.zst")).unwrap();
    fs::write(prepared.run().join("calibration.csv"), "half a h").unwrap();
    let output = prepared.report();
    assert!(output.status.success(), "{}", said(&output));
    let page = fs::read_to_string(prepared.run().join("report.html")).unwrap();
    for expected in [
        "memory.csv: is missing; nothing is shown of memory",
        "calibration.csv: is torn: it has no line end; no row of it is used",
    ] {
        assert!(said(&output).contains(expected), "{}", said(&output));
        assert!(page.contains(expected), "{expected}");
    }
}

/// Whether a terminal would only show this.
fn is_plain(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).chars().all(|c| c == '\n' || !c.is_control())
}

#[test]
fn texts_of_files_reach_the_terminal_escaped_and_bounded() {
    let prepared = Prepared::new();
    let evil = "\u{1b}]0;owned\u{7}\u{9b}2J";
    let manifest = prepared.run().join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["question"] = format!("Which{evil}? {}", "long ".repeat(1_000_000)).into();
    fs::write(&manifest, value.to_string()).unwrap();
    let trials = prepared.run().join("trials.csv");
    let text = fs::read_to_string(&trials).unwrap();
    let reason = format!("\"{evil} {}\"", "x".repeat(900_000));
    let reasons = text.replacen(",ok,,", &format!(",failed,{reason},"), 1);
    fs::write(&trials, format!("{reasons}{evil},bad\n")).unwrap();
    for arguments in [&["report"][..], &["report", "--memory-budget", "1G"]] {
        let output = ended(Command::new(FORKBENCH).args(arguments).arg(prepared.run()));
        assert!(output.status.success(), "{}", said(&output));
        assert!(is_plain(&output.stdout) && is_plain(&output.stderr));
    }
    for file in ["tables.md", "report.html"] {
        let bytes = fs::read(prepared.run().join(file)).unwrap();
        assert!(bytes.len() <= 3_000_000, "{file}: {}", bytes.len());
    }
    assert!(is_plain(&fs::read(prepared.run().join("tables.md")).unwrap()));
}

#[test]
fn a_rate_beyond_all_measure_ends_no_report() {
    let prepared = Prepared::new();
    let trials = prepared.run().join("trials.csv");
    for rate in ["1e100", "1e19", "1e-300"] {
        let mut reader = csv::Reader::from_path(&trials).unwrap();
        let header = reader.headers().unwrap().clone();
        let at = header.iter().position(|name| name == "rate_per_s").unwrap();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&header).unwrap();
        for row in &rows {
            let cell = |(i, cell): (usize, &str)| if i == at { rate } else { cell }.to_owned();
            writer.write_record(row.iter().enumerate().map(cell).collect::<Vec<_>>()).unwrap();
        }
        fs::write(&trials, writer.into_inner().unwrap()).unwrap();
        let output = prepared.report();
        assert!(output.status.success(), "{rate}: {}", said(&output));
        assert!(!said(&output).contains("panicked"), "{rate}: {}", said(&output));
    }
}

/// A small run that has all its files.
fn small_run(dir: &Path) -> PathBuf {
    let out = dir.join("run");
    let mut command = Command::new(FORKBENCH);
    command.args([
        "run",
        "spawn-cost",
        "--preset",
        "smoke",
        "--budget",
        "10m",
        "--quiet",
        "--blocks",
        "1",
    ]);
    command.args(["--filter", "strategy=thread", "--filter", "ballast_mib=0", "--out"]);
    let output = ended(command.arg(&out).current_dir(dir));
    assert!(output.status.success(), "{}", said(&output));
    out
}

fn resume(run: &Path) -> Output {
    let mut command = Command::new(FORKBENCH);
    command.args(["run", "--quiet", "--resume"]).arg(run).current_dir(run.parent().unwrap());
    ended(&mut command)
}

#[test]
fn resume_touches_nothing_behind_links_and_nothing_that_is_the_users() {
    let dir = tempfile::tempdir().unwrap();
    let run = small_run(dir.path());
    let home = dir.path().join("home");
    fs::create_dir(&home).unwrap();
    let letter = home.join("letter.txt");
    let text = "dear Ann,\nthe end is torn";
    fs::write(&letter, text).unwrap();
    fs::write(home.join("t0099.csv.zst"), text).unwrap();
    // Something is left to be run.
    let trials = fs::read_to_string(run.join("trials.csv")).unwrap();
    let shorter: Vec<&str> = trials.split_inclusive('\n').collect();
    fs::write(run.join("trials.csv"), shorter[..shorter.len() - 1].concat()).unwrap();
    for (name, target) in [
        ("facts.csv", &letter),
        ("memory.csv", &letter),
        ("noise.csv", &letter),
        ("calibration.csv", &letter),
        ("requests", &home),
    ] {
        let path = run.join(name);
        let kept = dir.path().join("kept");
        fs::rename(&path, &kept).unwrap();
        symlink(target, &path).unwrap();
        let output = resume(&run);
        assert!(!output.status.success(), "{name}");
        assert!(said(&output).contains("is a link"), "{name}: {}", said(&output));
        fs::remove_file(&path).unwrap();
        if path.extension().is_some() {
            fs::hard_link(&kept, &path).unwrap();
            let output = resume(&run);
            assert!(said(&output).contains("has a second name"), "{name}: {}", said(&output));
            fs::remove_file(&path).unwrap();
        }
        fs::rename(&kept, &path).unwrap();
    }
    fs::write(run.join("requests/letter.txt"), text).unwrap();
    fs::write(run.join("requests/t0099.csv.zst"), "of no row").unwrap();
    let output = resume(&run);
    assert!(output.status.success(), "{}", said(&output));
    assert!(run.join("requests/letter.txt").exists(), "it is the user's");
    assert!(!run.join("requests/t0099.csv.zst").exists(), "it was of no row");
    for name in ["letter.txt", "t0099.csv.zst"] {
        assert_eq!(fs::read_to_string(home.join(name)).unwrap(), text);
    }
}
