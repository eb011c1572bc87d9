//! CPU time of a subject's whole process tree, read at the two ends of a window.
//!
//! A control group of its own tells it best: the kernel charges all descendants to it, those that
//! are gone too, in nanoseconds. The tree joins it after READY, when nothing is timed. A group
//! that also divides the processors is not used, for the subject would be scheduled otherwise than
//! without it: under version 1 the controller must be mounted apart from `cpu`, under version 2
//! `cpu` must not be handed on. Where there can be no group, each process is asked: exact for what
//! lives, and in ticks for what it has reaped.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::memory::cgroup::{self, Version};
use super::memory::tree;
use super::processes;
use crate::sys::process;

/// The kernel's unit for the CPU time of reaped children, in ns.
const TICK_NS: u64 = super::noise::text::TICK_NS;

/// Fewer ticks than this are no measurement: each reading may be off by two.
const TICKS_MIN: u64 = 50;

/// Where CPU time is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From a control group that the tree is in.
    Group,
    /// From each process of the tree.
    Processes,
}

/// A control group that counts the CPU time of one trial's tree. Dropping it removes it; it must
/// be empty by then.
#[derive(Debug)]
pub struct CpuGroup {
    dir: PathBuf,
    version: Version,
}

impl CpuGroup {
    /// Makes one as near to this process's own as may be. `None` where there can be none.
    pub fn create(trial_id: &str) -> Option<CpuGroup> {
        cgroup::above("cpuacct").into_iter().find_map(|place| {
            let dir = cgroup::create_below(&place.dir, trial_id).ok()?;
            let group = CpuGroup { dir, version: place.version };
            group.only_counts().then_some(group)
        })
    }

    /// Whether it counts CPU time, and does not divide it.
    fn only_counts(&self) -> bool {
        let file = |name: &str| self.dir.join(name);
        match self.version {
            Version::V1 => file("cpuacct.usage").exists() && !file("cpu.shares").exists(),
            Version::V2 => file("cpu.stat").exists() && !file("cpu.weight").exists(),
        }
    }

    /// Takes in the process `root` and all its descendants; what they create follows them.
    ///
    /// # Errors
    /// They may not be moved.
    fn adopt(&self, root: u32) -> io::Result<()> {
        // A process may be created while the others are moved: again until there is none.
        for _ in 0..10 {
            let inside = self.members();
            let mut outside = tree::pids(root);
            outside.retain(|pid| !inside.contains(pid));
            if outside.is_empty() {
                return Ok(());
            }
            for pid in outside {
                match fs::write(self.dir.join("cgroup.procs"), pid.to_string()) {
                    Err(_) if !process::exists(pid) => {}
                    moved => moved?,
                }
            }
        }
        Err(io::Error::other("processes are created faster than they can be moved"))
    }

    fn members(&self) -> Vec<u32> {
        // Opened anew each time: version 1 keeps the list of an open file for a while.
        let text = fs::read_to_string(self.dir.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|pid| pid.parse().ok()).collect()
    }

    fn used_ns(&self) -> Option<u64> {
        // What runs is charged at its next tick, or when it is asked for its time.
        for pid in self.members() {
            let _ = process::cpu_ns(pid);
        }
        let read = |name: &str| fs::read_to_string(self.dir.join(name)).ok();
        match self.version {
            Version::V1 => read("cpuacct.usage")?.trim().parse().ok(),
            Version::V2 => cgroup::stat_field(&read("cpu.stat")?, "usage_usec")?.checked_mul(1_000),
        }
    }
}

impl Drop for CpuGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.dir);
    }
}

/// Reads the CPU time of one tree.
#[derive(Debug)]
pub enum Meter {
    /// Out of a group that the tree is in.
    Group(std::sync::Arc<CpuGroup>),
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
    pub fn new(group: Option<&std::sync::Arc<CpuGroup>>, root: u32) -> Meter {
        match group.filter(|group| group.adopt(root).is_ok()) {
            Some(group) => Meter::Group(std::sync::Arc::clone(group)),
            None => Meter::Processes(root),
        }
    }

    /// What was used until now; `None` if it cannot be read.
    pub fn read(&self) -> Option<Reading> {
        let (used_ns, source) = match self {
            Meter::Group(group) => (group.used_ns()?, Source::Group),
            Meter::Processes(root) => (tree_ns(*root)?, Source::Processes),
        };
        Some(Reading { used_ns, source })
    }
}

/// What a process, its descendants and those that they have reaped used.
fn tree_ns(root: u32) -> Option<u64> {
    let own = process::cpu_ns(root).ok()?;
    let reaped = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        processes::reaped_ticks(&text)?.checked_mul(TICK_NS)
    };
    let mut sum = own + reaped(root)?;
    // A process may end while the others are asked; its parent has its time then.
    for pid in tree::pids(root).into_iter().filter(|&pid| pid != root) {
        sum += process::cpu_ns(pid).unwrap_or(0) + reaped(pid).unwrap_or(0);
    }
    Some(sum)
}

/// The CPU time of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WindowCpu {
    first: Option<Reading>,
    last: Option<Reading>,
}

impl WindowCpu {
    /// The window begins.
    pub fn open(&mut self, reading: Option<Reading>) {
        self.first = reading;
    }

    /// The window ends.
    pub fn close(&mut self, reading: Option<Reading>) {
        self.last = reading;
    }

    /// What was used in it, in ns, and where from, as in `trials.csv`. Without a number the second
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
        let mut cpu = WindowCpu::default();
        cpu.open(Some(Reading { used_ns: from_ns, source }));
        cpu.close(Some(Reading { used_ns: until_ns, source }));
        cpu.used()
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
        let group = CpuGroup::create("test").map(std::sync::Arc::new);
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
