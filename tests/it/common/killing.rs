//! Ending drivers at moments of a seed, and looking for what they have left.

use std::path::{Path, PathBuf};
use std::process::Child;

use forkbench::subject::watch;
use forkbench::sys::clock::now_ns;

/// A generator of its own, so that the points are the same in every run of the test.
pub fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 20
}

/// Kills the program after this time; `true` if it had not ended by itself.
pub fn kill_after(child: &mut Child, time_ns: u64) -> bool {
    let until_ns = now_ns() + time_ns;
    while now_ns() < until_ns {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

/// Whether this has come true before the deadline.
pub fn until(deadline_ns: u64, mut is_so: impl FnMut() -> bool) -> bool {
    let until_ns = now_ns() + deadline_ns;
    loop {
        if is_so() {
            return true;
        }
        if now_ns() >= until_ns {
            return false;
        }
        std::thread::yield_now();
    }
}

/// How all names of runs of the driver `pid` begin.
fn prefix(pid: u32) -> String {
    let name = watch::name_of(pid, 0);
    name[..=name.rfind('-').unwrap()].to_owned()
}

/// Processes of the runs of the driver `pid`, by their command line.
pub fn processes(pid: u32) -> Vec<String> {
    let variable = format!("{}={}", watch::VARIABLE, prefix(pid));
    having(|path| {
        let environment = std::fs::read(path.join("environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|line| line.starts_with(variable.as_bytes()))
    })
}

/// The watchers of the driver `pid`.
pub fn watchers(pid: u32) -> Vec<String> {
    let mode = format!(" {} {}", watch::MODE, prefix(pid));
    having(|path| command_line(path).contains(&mode))
}

fn having(test: impl Fn(&Path) -> bool) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let paths = entries.map(|entry| entry.path()).filter(|path| test(path));
    paths.map(|path| command_line(&path)).collect()
}

fn command_line(process: &Path) -> String {
    let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// Semaphores, shared memory and control groups of the runs of the driver `pid`.
pub fn objects(pid: u32) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from(watch::SHARED_MEMORY), PathBuf::from("/sys/fs/cgroup")];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().contains(&prefix(pid)) {
                found.push(entry.path());
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            }
        }
    }
    found
}

/// Waits until nothing of the driver `pid`, which has ended, is there any more.
pub fn check_nothing_left(pid: u32, what: &str) {
    let left = || [processes(pid), watchers(pid)].concat();
    let gone = until(60_000_000_000, || left().is_empty() && objects(pid).is_empty());
    assert!(gone, "{what}: left are {:?} and {:?}", left(), objects(pid));
}
