//! Processes that a subject relies on die under it: what failed says so, and what can go on does.
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::common::killing::until;
use crate::common::runtimes::installed;
use crate::common::{Subject, configure, configure_with, spec};
use forkbench::protocol::{Configure, Outcome};

const PATIENCE_NS: u64 = 60_000_000_000;

/// The children of all of its threads.
fn children(pid: u32) -> Vec<i32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let lists = threads.map(|thread| {
        // A thread may end while the list is read.
        std::fs::read_to_string(thread.path().join("children")).unwrap_or_default()
    });
    let pids = |list: String| -> Vec<i32> {
        list.split_ascii_whitespace().map(|pid| pid.parse().unwrap()).collect()
    };
    lists.flat_map(pids).collect()
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

/// Whether it has ended, reaped or not.
fn has_ended(pid: u32) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    stat.map_or(true, |stat| stat.rsplit_once(')').unwrap().1.starts_with(" Z"))
}

#[test]
fn the_signal_that_ended_a_fork_server_is_the_reason_and_not_the_subjects_exit() {
    let python = installed().into_iter().filter(|one| one.runtime.name == "python");
    let rust = ["fork", "prefork-pool"].map(|name| {
        let started = Subject::start(&configure(name, &spec("noop", 0, &[]))).unwrap();
        (format!("rust {name}"), started)
    });
    let python = python.map(|one| {
        let started = one.start(&configure("fork", &spec("noop", 0, &[])));
        ("python fork".to_owned(), started)
    });
    for (arm, mut subject) in rust.into_iter().chain(python) {
        let pid = subject.target.pid();
        let servers = children(pid);
        assert_eq!(servers.len(), 1, "{arm}");
        kill(servers[0]);
        assert!(until(PATIENCE_NS, || has_ended(pid)), "{arm} goes on without it");
        // Sending is what shows first that it is gone.
        subject.target.push_run(1, &[]);
        let error = subject.target.flush().unwrap_err().to_string();
        assert_eq!(error, "the fork server was ended by signal 9", "{arm}");
    }
}

#[test]
fn a_prefork_pool_of_python_outlives_a_worker_that_died_with_a_lock() {
    let Some(python) = installed().into_iter().find(|one| one.runtime.name == "python") else {
        return eprintln!("passed over: there is no Python");
    };
    let mut subject = python.start(&Configure {
        deadline_ms: 1_000,
        ..configure_with("prefork-pool", &spec("noop", 0, &[]), &[("workers", "2")])
    });
    let mut is_named = false;
    let mut id = 0;
    // The second request may be answered as late by itself, if the machine is busy.
    for _ in 0..10 {
        if is_named {
            break;
        }
        let workers = children(subject.target.pid());
        assert!(workers.len() >= 2, "{workers:?}");
        // One of those that wait for a task holds the lock that all need.
        workers.iter().for_each(|&pid| kill(pid));
        subject.run(id + 1, &[]);
        // Answered while the first is lost; the second is accepted later.
        subject.light(1_000_000 + id);
        while !matches!(subject.hear().unwrap(), crate::common::Heard::Light(_)) {}
        subject.run(id + 2, &[]);
        let answers = [(); 2].map(|()| subject.answer().unwrap());
        for answer in &answers {
            let reason = answer.reason();
            let dead = |pid: &i32| reason.contains(&format!("worker {pid} was ended by signal 9"));
            is_named |= answer.outcome == Outcome::Crash && workers.iter().any(dead);
        }
        id += 2;
        // As soon as there is a new pool: at most those that come before it has begun are late.
        let is_ok = until(PATIENCE_NS, || {
            id += 1;
            subject.ask(id, &[]).unwrap().outcome == Outcome::Ok
        });
        assert!(is_ok, "it does not recover");
    }
    assert!(is_named, "no reason names the worker that died");
    subject.stop();
}
