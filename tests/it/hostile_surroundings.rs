//! What surrounds a run may be against it: nobody reads its output, limits are reached, programs
//! flood, lists multiply. It ends with a sentence, and what was measured stays.
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::runtimes::installed;
use crate::common::{FORKBENCH, SUBJECT};
use forkbench::record;

const SMALL: &str = "question = \"?\"\n[[family]]\nworkload = \"noop\"\nstrategy = [\"thread\"]\n\
                     load = { closed = { callers = 1 } }\n";

fn experiment(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(format!("{name}.toml"));
    fs::write(&path, format!("name = \"{name}\"\n{text}")).unwrap();
    path
}

fn smoke(dir: &Path) -> Command {
    let mut command = Command::new(FORKBENCH);
    command.args(["run", "--preset", "smoke", "--budget", "10m", "--blocks", "1"]);
    command.current_dir(dir).stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn arguments_that_are_no_text_are_refused_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [&["run", "--out"][..], &["report"], &["compare", "a"]] {
        let mut command = Command::new(FORKBENCH);
        command.args(arguments).arg(OsStr::from_bytes(b"/tmp/\xff")).current_dir(dir.path());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        let number = arguments.len() + 1;
        let expected = format!("error: argument {number} is `/tmp/\u{fffd}`, which is not UTF-8");
        assert!(said(&output).starts_with(&expected), "{}", said(&output));
    }
}

#[test]
fn a_run_that_nobody_reads_measures_all_its_experiments() {
    let dir = tempfile::tempdir().unwrap();
    let first = experiment(dir.path(), "first", SMALL);
    let second = experiment(dir.path(), "second", SMALL);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = smoke(dir.path());
    command.arg(&first).arg(&second).arg("--out").arg("runs");
    let status = command.stdout(writer.try_clone().unwrap()).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(0));
    for name in ["first", "second"] {
        let run = dir.path().join("runs").join(name);
        assert_eq!(record::read(&run).unwrap().trials.len(), 3, "{name}");
        assert!(run.join("report.html").exists(), "{name}");
    }
}

#[test]
fn a_limit_on_file_sizes_is_named_with_how_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let small = experiment(dir.path(), "small", SMALL);
    // A MiB or two: more than any file of this run, less than the copy of the subject.
    let limited = "ulimit -f 2000; exec \"$0\" \"$@\"";
    let output = Command::new("/bin/sh")
        .args([
            "-c", limited, FORKBENCH, "run", "--preset", "smoke", "--blocks", "1", "--out", "run",
        ])
        .arg(&small)
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    for expected in ["ulimit -f", "forkbench run --resume run", "File too large"] {
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
    let mut resume = Command::new(FORKBENCH);
    resume.args(["run", "--quiet", "--resume", "run"]).current_dir(dir.path());
    let output = resume.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(record::read(&dir.path().join("run")).unwrap().trials.len(), 3);
}

#[test]
fn a_limit_is_not_mistaken_for_a_missing_interpreter() {
    let dir = tempfile::tempdir().unwrap();
    // Three more than the standard ones: not enough to start a program and hear it.
    let output = Command::new("/bin/sh")
        .args(["-c", "ulimit -n 6; exec \"$0\" list", FORKBENCH])
        .env("COLUMNS", "1000")
        .current_dir(dir.path())
        .output()
        .unwrap();
    let text = said(&output) + &String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("install Node.js"), "{text}");
    assert!(text.contains("the limit on open files is reached; raise it (ulimit -n)"), "{text}");
}

/// A subject that is right but for one mode.
fn subject(dir: &Path, mode: &str, does: &str) -> PathBuf {
    let path = dir.join("subject");
    let script =
        format!("#!/bin/sh\nif [ \"$1\" = {mode} ]; then\n{does}\nfi\nexec {SUBJECT} \"$@\"\n");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_subject_that_floods_instead_of_answering_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let small = experiment(dir.path(), "small", SMALL);
    for (mode, does, expected) in [
        ("answer", "exec yes", "it wrote more than 262144 bytes"),
        ("input", "exec cat /dev/zero", "it wrote more than 262144 bytes"),
        (
            "answer",
            "head -c 9000000 /dev/zero >&2; echo >&2; echo 'no idea' >&2; exit 3",
            "no idea (exited with 3)",
        ),
    ] {
        let mut command = smoke(dir.path());
        command.arg(&small).env("FORKBENCH_SUBJECT", subject(dir.path(), mode, does));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
    // One that says much beside its answer is heard.
    let talks = subject(dir.path(), "answer", "head -c 9000000 /dev/zero >&2");
    let output = smoke(dir.path()).arg(&small).env("FORKBENCH_SUBJECT", talks).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn lists_that_multiply_without_a_bound_are_refused_by_their_count() {
    let dir = tempfile::tempdir().unwrap();
    let list = |n: usize| (1..=n).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
    let family =
        |rest: &str| format!("question = \"?\"\n[[family]]\nworkload = \"noop\"\n{rest}\n");
    let closed = |callers: &str| format!("load = {{ closed = {{ callers = [{callers}] }} }}");
    let thousand = list(1000);
    for (text, expected) in [
        (
            family(&format!(
                "strategy = \"*\"\npayload_bytes = [{}]\n{}",
                list(2000),
                closed(&list(2000))
            )),
            "bad.toml:4:12: the lists multiply to 2000 families or more; expected at most 1000",
        ),
        (
            family(&format!("strategy = \"*\"\npayload_bytes = [1, 2]\n{}", closed(&thousand))),
            "bad.toml:4:12: the lists multiply to 2000 families or more; expected at most 1000",
        ),
        (
            family(&format!("strategy = \"*\"\nseed = [{}]\n{}", list(9000), closed("1"))),
            "bad.toml:6:8: a list of 9000 values; expected at most 4096",
        ),
        (
            family(&format!(
                "strategy = [{{ name = \"pool\", workers = [{}] }}]\n{}",
                list(4000),
                closed("1")
            )),
            "bad.toml:5:30: the options multiply to 4000 combinations or more; expected at most 500",
        ),
        (
            family(&format!(
                "strategy = \"thread\"\nload = {{ open = {{ rate_per_s = [{thousand}] }} }}"
            )),
            "bad.toml:6:17: the lists multiply to 1000 loads; expected at most 500",
        ),
    ] {
        experiment(dir.path(), "bad", &text);
        // A gibibyte of address space: what is refused has not been made before.
        let limited = "ulimit -v 1000000; exec \"$0\" \"$@\"";
        let output = Command::new("/bin/sh")
            .args(["-c", limited, FORKBENCH, "run", "bad.toml"])
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert_eq!(said(&output), format!("error: {expected}\n"));
    }
    let many = family(&format!("strategy = \"*\"\n{}", closed(&thousand)));
    experiment(dir.path(), "many", &many);
    let mut command = Command::new(FORKBENCH);
    command.args(["run", "many.toml", "--blocks", "10000"]).current_dir(dir.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("trials in 10000 blocks; expected at most 1000000"));
}

#[test]
fn user_settings_of_interpreters_leave_them_available() {
    let dir = tempfile::tempdir().unwrap();
    for one in installed() {
        let name = one.runtime.name;
        let text = format!(
            "question = \"?\"\n[[family]]\nworkload = \"noop\"\nruntime = \"{name}\"\n\
             strategy = [\"spawn\"]\nload = {{ closed = {{ callers = 1 }} }}\n"
        );
        let file = experiment(dir.path(), name, &text);
        // The interpreter itself: a shim in PATH would look for it in HOME.
        let path = one.program.command[0].parent().unwrap().display().to_string();
        let output = smoke(dir.path())
            .arg(&file)
            .args(["--out", name])
            .env("PATH", format!("{path}:/usr/bin:/bin"))
            .env("NODE_OPTIONS", "--require /nonexistent.js")
            .env("PYTHONHOME", "/nonexistent")
            .env("PYTHONPATH", "/nonexistent")
            .env("HOME", "/proc/nonexistent")
            .env_remove("XDG_CACHE_HOME")
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", said(&output));
        let run = record::read(&dir.path().join(name)).unwrap();
        assert_eq!(run.trials.len(), 3, "{name}");
        let reasons: Vec<&str> = run.trials.iter().map(|row| row.reason.as_str()).collect();
        assert!(run.trials.iter().all(|row| row.n_ok > 0), "{name}: {reasons:?}");
    }
}

#[test]
fn run_without_an_ok_answer_exits_with_1() {
    let dir = tempfile::tempdir().unwrap();
    let late = "question = \"?\"\n[[family]]\nworkload = \"sleep\"\nstrategy = [\"thread\"]\n\
                deadline = \"1ms\"\nload = { closed = { callers = 1 } }\n\
                options = { us = 50000 }\n";
    let file = experiment(dir.path(), "late", late);
    let output = smoke(dir.path()).arg(&file).args(["--out", "run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("no request of the run was answered ok"), "{}", said(&output));
    assert!(dir.path().join("run/report.html").exists());
}

/// An ordinary user, if the tests are run by root, whom modes do not bind.
fn as_ordinary_user(command: &mut Command) {
    if rustix::process::geteuid().is_root() {
        command.uid(65_534).gid(65_534);
    }
}

#[test]
fn report_of_a_read_only_run_is_printed_and_written_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let small = experiment(dir.path(), "small", SMALL);
    let output = smoke(dir.path()).arg(&small).args(["--out", "run"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let (run, elsewhere) = (dir.path().join("run"), dir.path().join("elsewhere"));
    fs::create_dir(&elsewhere).unwrap();
    for (path, mode) in
        [(dir.path(), 0o755), (&elsewhere, 0o777), (&run, 0o555), (&run.join("charts"), 0o555)]
    {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let report = |more: &[&str]| {
        let mut command = Command::new(FORKBENCH);
        command.args(["report", "run"]).args(more).current_dir(dir.path());
        as_ordinary_user(&mut command);
        command.output()
    };
    let Ok(output) = report(&[]) else {
        return eprintln!("passed over: an ordinary user may not start {FORKBENCH}");
    };
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(table.contains("placebo"), "{table}");
    assert!(said(&output).contains("--out DIR"), "{}", said(&output));
    let output = report(&["--out", "elsewhere"]).unwrap();
    assert!(output.status.success(), "{}", said(&output));
    for name in ["report.html", "cells.csv", "tables.md", "charts"] {
        assert!(elsewhere.join(name).exists(), "{name}");
    }
    // So that the folder can be removed.
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(run.join("charts"), fs::Permissions::from_mode(0o755)).unwrap();
}
