//! Processes of a trial run where its placement says, seen from outside while they run.

use forkbench::record::Status;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::FORKBENCH;

/// The cores that threads were allowed to use, by whose they were, as the kernel lists them.
#[derive(Debug, Default)]
struct Seen {
    driver: BTreeSet<String>,
    subject: BTreeSet<String>,
    children: BTreeSet<String>,
}

/// A field of a `status` file; `None` once the thread is gone.
fn field(status: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    Some(line?.trim().to_owned())
}

/// Every process that has this parent.
fn children_of(parent: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_child = |pid: &u32| {
        let status = format!("/proc/{pid}/status");
        field(Path::new(&status), "PPid").is_some_and(|found| found == parent.to_string())
    };
    pids.filter(is_child).collect()
}

fn cores(of: u32, thread: u32) -> Option<String> {
    field(Path::new(&format!("/proc/{of}/task/{thread}/status")), "Cpus_allowed_list")
}

impl Seen {
    /// What there is just now below this driver.
    fn look(&mut self, driver: u32) {
        for subject in children_of(driver) {
            // One that is its own children's, or makes an input, has an argument more.
            let command = fs::read(format!("/proc/{subject}/cmdline")).unwrap_or_default();
            let is_serving = command.iter().filter(|byte| **byte == 0).count() == 1
                && String::from_utf8_lossy(&command).contains("forkbench-subject");
            let Some(own) = cores(subject, subject).filter(|_| is_serving) else {
                continue;
            };
            self.subject.insert(own);
            self.driver.extend(cores(driver, driver));
            let threads = fs::read_dir(format!("/proc/{subject}/task")).into_iter().flatten();
            let threads = threads.flatten().filter_map(|t| t.file_name().to_str()?.parse().ok());
            for thread in threads.filter(|thread| *thread != subject) {
                self.children.extend(cores(subject, thread));
            }
            for child in children_of(subject) {
                self.children.extend(cores(child, child));
                for grandchild in children_of(child) {
                    self.children.extend(cores(grandchild, grandchild));
                }
            }
        }
    }
}

/// Looks at a run of this strategy at this placement until it is over. Its requests sleep, so that
/// whatever runs them is there long enough to be seen.
fn watch(strategy: &str, placement: &str) -> Seen {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("placed.toml"), dir.path().join("out"));
    let text = format!(
        "name = \"placed\"\nquestion = \"Where?\"\nreference = \"{strategy}\"\n[[family]]\n\
         workload = \"sleep\"\noptions = {{ us = 40_000 }}\nstrategy = [\"{strategy}\"]\n\
         placement = \"{placement}\"\nload = {{ closed = {{ callers = 1 }} }}\n"
    );
    fs::write(&file, text).unwrap();
    let mut run = Command::new(FORKBENCH)
        .arg("run")
        .arg(&file)
        .args(["--preset", "smoke", "--budget", "10m", "--quiet", "--out"])
        .arg(&out)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut seen = Seen::default();
    let status = loop {
        seen.look(run.id());
        if let Some(status) = run.try_wait().unwrap() {
            break status;
        }
    };
    assert!(status.success());
    let rows = forkbench::record::read(&out).unwrap().trials;
    assert!(
        rows.iter().all(|row| row.status == Status::Ok && row.placement.name() == placement),
        "{rows:?}"
    );
    seen
}

fn set(cores: &[&str]) -> BTreeSet<String> {
    cores.iter().map(|core| (*core).to_owned()).collect()
}

#[test]
fn driver_subject_and_children_run_where_the_placement_says() {
    let allowed = forkbench::sys::affinity::allowed().unwrap();
    let &[own, other, ..] = allowed.as_slice() else {
        eprintln!("skipped: this process may use one core only");
        return;
    };
    let everywhere = field(Path::new("/proc/self/status"), "Cpus_allowed_list").unwrap();
    let (own, other) = (own.to_string(), other.to_string());
    for strategy in ["thread", "fork", "pool"] {
        let seen = watch(strategy, "same-core");
        assert!(seen.driver.contains(&own), "{strategy}: {seen:?}");
        assert_eq!(seen.subject, set(&[&own]), "{strategy}");
        assert_eq!(seen.children, set(&[&own]), "{strategy}");

        // A child begins on its creator's core and moves first thing.
        let seen = watch(strategy, "other-core");
        assert!(seen.driver.contains(&own), "{strategy}: {seen:?}");
        assert_eq!(seen.subject, set(&[&own]), "{strategy}");
        assert!(seen.children.contains(&other), "{strategy}: {seen:?}");
        assert!(seen.children.is_subset(&set(&[&own, &other])), "{strategy}: {seen:?}");
    }
    let seen = watch("pool", "unpinned");
    for cores in [seen.driver, seen.subject, seen.children] {
        assert_eq!(cores, set(&[&everywhere]));
    }
}
