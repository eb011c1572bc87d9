//! Each strategy's label, proved by the system calls it makes: the calls of a subject that has
//! served three requests, less those of one that has served none.
//!
//! Needs strace and the right to trace; without them the test says so and proves nothing.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{FORKBENCH, SUBJECT, Subject, configure, spec};
use forkbench::strategy;

/// How many calls of each sort a subject and its children made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Calls {
    /// New processes that share the parent's memory until they exec (posix_spawn, vfork).
    vforks: i64,
    /// New processes that are copies.
    forks: i64,
    /// New threads.
    threads: i64,
    execs: i64,
}

const REQUESTS: i64 = 3;

#[test]
fn every_strategy_is_what_its_label_says() {
    let dir = tempfile::tempdir().unwrap();
    if let Err(reason) = can_trace(dir.path()) {
        eprintln!("skipped: {reason}");
        assert!(std::env::var_os("CI").is_none(), "CI must be able to trace: {reason}");
        return;
    }
    let per_request = |calls: Calls| Calls {
        vforks: calls.vforks * REQUESTS,
        forks: calls.forks * REQUESTS,
        threads: calls.threads * REQUESTS,
        execs: calls.execs * REQUESTS,
    };
    let nothing = Calls::default();
    let program = per_request(Calls { vforks: 1, execs: 1, ..nothing });
    for kind in strategy::ALL {
        let none = trace(dir.path(), kind.name, 0);
        let some = trace(dir.path(), kind.name, REQUESTS as u64);
        let found = Calls {
            vforks: some.vforks - none.vforks,
            forks: some.forks - none.forks,
            threads: some.threads - none.threads,
            execs: some.execs - none.execs,
        };
        let expected = match kind.name {
            "blocking" | "thread-pool" | "pool" | "prefork-pool" => nothing,
            "thread" => per_request(Calls { threads: 1, ..nothing }),
            "spawn" | "exec-file" | "fork-ipc" => program,
            "fork" => per_request(Calls { forks: 1, ..nothing }),
            "exec" => {
                // The shell itself, as a program; whether it forks for its lone command, and how,
                // is the shell's affair, that it execs it is not.
                let shell = found.execs == 2 * REQUESTS && found.vforks >= REQUESTS;
                assert!(shell && found.threads == 0, "exec: {found:?}");
                continue;
            }
            other => panic!("no expectation for `{other}`"),
        };
        assert_eq!(found, expected, "{}", kind.name);
    }
}

/// A child that is being started holds copies of its parent's descriptors until its exec is
/// through. What was closed meanwhile and never taken out of epoll is reported over and over, to a
/// loop that then keeps the core from that child: one tick of the kernel per request was seen.
#[test]
fn no_descriptor_is_closed_while_it_is_watched() {
    let dir = tempfile::tempdir().unwrap();
    if let Err(reason) = can_trace(dir.path()) {
        eprintln!("skipped: {reason}");
        return;
    }
    // How much is closed at the end, when nothing is waited for any more, is a matter of which
    // thread ends first; what is left behind by requests grows with their number.
    let requests = 12;
    for kind in strategy::ALL {
        let none = closed_while_watched(&watch(dir.path(), kind.name, 0));
        let some = closed_while_watched(&watch(dir.path(), kind.name, requests));
        let grown = some.saturating_sub(none) as u64;
        assert!(grown < requests / 2, "{}: {none}, {some}", kind.name);
    }
}

const ONE_FAMILY: &str = r#"
name = "one"
question = "What is started?"

[[family]]
workload = "noop"
strategy = ["spawn", "pool"]
load = { closed = { callers = [1] } }
"#;

#[test]
fn trials_start_the_runs_own_copy() {
    let dir = tempfile::tempdir().unwrap();
    if let Err(reason) = can_trace(dir.path()) {
        eprintln!("skipped: {reason}");
        return;
    }
    let [log, file, out] = ["log", "one.toml", "out"].map(|name| dir.path().join(name));
    std::fs::write(&file, ONE_FAMILY).unwrap();
    let status = Command::new("strace")
        .args(["-f", "-qq", "-s", "4096", "-e", "trace=execve", "-o"])
        .args([log.as_path(), Path::new(FORKBENCH)])
        .args(["run", "--quiet", "--preset", "smoke"])
        .args([file.as_path(), Path::new("--out"), out.as_path()])
        .status()
        .unwrap();
    assert!(status.success());
    let copy = out.join("scratch/programs/rust/forkbench-subject");
    let started = |program: &Path, mode: &str| {
        let call = format!("execve(\"{0}\", [\"{0}\"{mode}", program.display());
        let log = std::fs::read_to_string(&log).unwrap();
        log.lines().filter(|line| line.contains(&call)).count()
    };
    for mode in ["]", ", \"task\"", ", \"worker\""] {
        assert!(started(&copy, mode) > 0, "{mode}");
        assert_eq!(started(Path::new(SUBJECT), mode), 0, "{mode}");
    }
    assert!(!copy.exists());
    let facts = std::fs::read_to_string(out.join("env.json")).unwrap();
    assert!(facts.contains("\"subject_is_copied\": true"), "{facts}");
}

/// The calls of a subject from its start to its end, with so many requests served.
fn trace(dir: &Path, strategy: &str, requests: u64) -> Calls {
    count(&log_of(dir, &["-f", "-e", "trace=process"], strategy, requests))
}

/// What the subject alone, without its children, does to its descriptors.
fn watch(dir: &Path, strategy: &str, requests: u64) -> String {
    log_of(dir, &["-e", "trace=epoll_ctl,close"], strategy, requests)
}

/// How many descriptors are closed that were added to epoll and not taken out again.
fn closed_while_watched(log: &str) -> usize {
    let mut watched = BTreeSet::new();
    let mut closed = 0;
    for line in log.lines() {
        let argument = |n: usize| {
            let (_, arguments) = line.split_once('(')?;
            arguments.split([',', ')']).nth(n)?.trim().parse::<u32>().ok()
        };
        if line.contains("EPOLL_CTL_ADD") {
            watched.extend(argument(2));
        } else if line.contains("EPOLL_CTL_DEL") {
            argument(2).map(|fd| watched.remove(&fd));
        } else if line.contains("close(") {
            closed += usize::from(argument(0).is_some_and(|fd| watched.remove(&fd)));
        }
    }
    closed
}

/// What strace writes about a subject that serves so many requests.
fn log_of(dir: &Path, options: &[&str], strategy: &str, requests: u64) -> String {
    let log = dir.join(format!("{strategy}-{requests}"));
    let command = [
        vec![which("strace"), PathBuf::from("-qq")],
        options.iter().map(PathBuf::from).collect(),
        vec![PathBuf::from("-o"), log.clone(), PathBuf::from(SUBJECT)],
    ]
    .concat();
    let mut subject =
        Subject::start_program(&command, &configure(strategy, &spec("noop", 8, &[]))).unwrap();
    for id in 1..=requests {
        subject.ask(id, &id.to_le_bytes()).unwrap();
    }
    subject.stop();
    std::fs::read_to_string(log).unwrap()
}

/// A call that was interrupted by another process's is split over two lines, of which the first
/// has the name and the second the flags or the result: both kinds are put together by name.
fn count(log: &str) -> Calls {
    let mut calls = Calls::default();
    for line in log.lines() {
        let Some((_, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        let begins = |name: &str| call.strip_prefix(name).is_some_and(|rest| rest.starts_with('('));
        if begins("execve") || begins("execveat") {
            calls.execs += 1;
        } else if begins("vfork") {
            calls.vforks += 1;
        } else if begins("fork") {
            calls.forks += 1;
        } else if begins("clone") || begins("clone3") {
            // Flags stand before the point at which a line is split.
            match call {
                call if call.contains("CLONE_VFORK") => calls.vforks += 1,
                call if call.contains("CLONE_THREAD") => calls.threads += 1,
                call if call.contains("CLONE_VM") => panic!("neither fork nor thread: {call}"),
                _ => calls.forks += 1,
            }
        }
    }
    calls
}

fn can_trace(dir: &Path) -> Result<(), String> {
    let log = dir.join("probe");
    let probe = Command::new("strace").arg("-o").arg(&log).arg("true").output();
    match probe {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Err(format!("start strace: {error}; install it with the package manager")),
    }
}

fn which(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file()).unwrap()
}
