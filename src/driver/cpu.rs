//! CPU time of a subject's whole process tree, read at the two ends of a window.
//!
//! A control group of its own tells it best: the kernel charges all descendants to it, also
//! those that are gone, in nanoseconds. The tree joins it after READY, when nothing is timed. A
//! group that also divides the processors is not used, for the subject would be scheduled
//! otherwise than without it: under version 1 the controller must be mounted apart from `cpu`,
//! under version 2 `cpu` must not be handed on. Where there can be no group, each process is asked:
//! exact for living processes, and in ticks for those that they have reaped.

use std::fs;
use std::io;
use std::sync::Arc;

use super::cgroup::{self, TrialGroup, Version};
use super::processes;
use crate::sys::process;

/// The kernel's unit for the CPU time of reaped children, in ns.
const TICK_NS: u64 = super::noise::text::TICK_NS;

/// Fewer ticks than this are no measurement: each reading may be off by two.
const TICKS_MIN: u64 = 50;

/// Where CPU time is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// From a control group that the tree is in.
    Group,
    /// From each process of the tree.
    Processes,
}

/// A control group that counts the CPU time of one trial's tree, as near to this process's own as
/// possible. `None` where there can be none.
pub fn group(trial_id: &str) -> Option<Arc<TrialGroup>> {
    let made = cgroup::above("cpuacct").into_iter().find_map(|group| {
        let group = group.create_below(trial_id).ok()?;
        only_counts(&group).then_some(group)
    });
    made.map(Arc::new)
}

/// Whether it counts CPU time, and does not divide it.
fn only_counts(group: &TrialGroup) -> bool {
    let has = |name: &str| group.dir.join(name).exists();
    match group.version {
        Version::V1 => has("cpuacct.usage") && !has("cpu.shares"),
        Version::V2 => has("cpu.stat") && !has("cpu.weight"),
    }
}

/// Moves the process `root` and all its descendants into a group; their later children follow.
fn adopt(group: &TrialGroup, root: u32) -> io::Result<()> {
    // A process may be created while the others are moved: again until there is none.
    for _ in 0..10 {
        let inside = group.members();
        let mut outside = pids(root);
        outside.retain(|pid| !inside.contains(pid));
        if outside.is_empty() {
            return Ok(());
        }
        for pid in outside {
            match fs::write(group.dir.join("cgroup.procs"), pid.to_string()) {
                Err(_) if !process::exists(pid) => {}
                moved => moved?,
            }
        }
    }
    Err(io::Error::other("processes are created faster than they can be moved"))
}

fn pids(root: u32) -> Vec<u32> {
    processes::tree(root).into_iter().map(|(pid, _)| pid).collect()
}

fn group_ns(group: &TrialGroup) -> Option<u64> {
    // A running process is charged at its next tick, or when it is asked for its time.
    for pid in group.members() {
        let _ = process::cpu_ns(pid);
    }
    match group.version {
        Version::V1 => group.number("cpuacct.usage"),
        Version::V2 => group.field("cpu.stat", "usage_usec")?.checked_mul(1_000),
    }
}

/// Reads the CPU time of one tree.
#[derive(Debug)]
pub enum Meter {
    /// From a group that the tree is in.
    Group(Arc<TrialGroup>),
    /// By asking the process of this id and its descendants.
    Processes(u32),
}

/// CPU time used until now, from some moment on that is the same for all readings of a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    used_ns: u64,
    source: Source,
}

impl Meter {
    /// A meter of the tree of `root`, which joins the group if there is one.
    pub fn new(group: Option<&Arc<TrialGroup>>, root: u32) -> Meter {
        match group.filter(|group| adopt(group, root).is_ok()) {
            Some(group) => Meter::Group(Arc::clone(group)),
            None => Meter::Processes(root),
        }
    }

    /// CPU time used until now; `None` if it cannot be read.
    pub fn read(&self) -> Option<Reading> {
        let (used_ns, source) = match self {
            Meter::Group(group) => (group_ns(group)?, Source::Group),
            Meter::Processes(root) => (tree_ns(*root)?, Source::Processes),
        };
        Some(Reading { used_ns, source })
    }
}

/// CPU time of a process, its descendants and those that they have reaped.
fn tree_ns(root: u32) -> Option<u64> {
    let own = process::cpu_ns(root).ok()?;
    let reaped = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        processes::reaped_ticks(&text)?.checked_mul(TICK_NS)
    };
    let mut sum = own + reaped(root)?;
    // A process may end while the others are asked; its parent has its time then.
    for pid in pids(root).into_iter().filter(|&pid| pid != root) {
        sum += process::cpu_ns(pid).unwrap_or(0) + reaped(pid).unwrap_or(0);
    }
    Some(sum)
}

/// The CPU time of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WindowCpu {
    /// At its first moment.
    pub first: Option<Reading>,
    /// At its last.
    pub last: Option<Reading>,
}

impl WindowCpu {
    /// CPU time used in it, in ns, and its source, as in `trials.csv`. Without a number the second
    /// says why.
    pub fn used(&self) -> (Option<u64>, &'static str) {
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return (None, "unread");
        };
        let used_ns = last.used_ns.saturating_sub(first.used_ns);
        match last.source {
            Source::Group => (Some(used_ns), "group"),
            Source::Processes if used_ns < TICKS_MIN * TICK_NS => (None, "too_short"),
            Source::Processes => (Some(used_ns), "processes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(from_ns: u64, until_ns: u64, source: Source) -> (Option<u64>, &'static str) {
        let reading = |used_ns| Some(Reading { used_ns, source });
        WindowCpu { first: reading(from_ns), last: reading(until_ns) }.used()
    }

    #[test]
    fn ticks_are_no_measurement_of_a_short_window() {
        assert_eq!(used(7, 19, Source::Group), (Some(12), "group"));
        assert_eq!(used(0, 499_999_999, Source::Processes), (None, "too_short"));
        assert_eq!(used(1, 500_000_001, Source::Processes), (Some(500_000_000), "processes"));
        assert_eq!(WindowCpu::default().used(), (None, "unread"));
    }

    /// Both sources see the work of a child that lives and of one that was reaped.
    #[test]
    fn a_tree_used_what_its_processes_used() {
        let spin = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
        let script = format!("read x; sh -c '{spin}; exit 0'; {spin}; echo done; read x");
        let mut child = std::process::Command::new("sh")
            .args(["-c", &script])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let group = super::group("test");
        let meters = [Meter::new(group.as_ref(), child.id()), Meter::new(None, child.id())];
        let before: Vec<_> = meters.iter().map(|m| m.read().unwrap()).collect();
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        std::io::Write::write_all(&mut stdin, b"\n").unwrap();
        std::io::Read::read_exact(&mut stdout, &mut [0; 5]).unwrap();
        let used_ns: Vec<u64> = meters
            .iter()
            .zip(&before)
            .map(|(meter, before)| meter.read().unwrap().used_ns - before.used_ns)
            .collect();
        drop(stdin);
        child.wait().unwrap();
        let by_ticks = used_ns[1];
        assert!(by_ticks > 2 * TICK_NS, "{used_ns:?}");
        assert!(used_ns[0].abs_diff(by_ticks) <= 3 * TICK_NS, "{used_ns:?}");
        if let Some(group) = group {
            assert_eq!(before[0].source, Source::Group);
            let dir = group.dir.clone();
            drop((meters, group));
            assert!(!dir.exists());
        }
    }
}
