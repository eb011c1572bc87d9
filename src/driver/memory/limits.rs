//! The system's limits on processes, threads, descriptors and mappings. A trial that would exceed
//! one is refused before its first child, with the limit's name and value; soft limits are raised
//! for the trial where that is allowed.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::driver::cgroup::{self, Group};
use crate::driver::processes::field;
use crate::experiment::runtime;
use crate::strategy::{Children, Span};
use crate::sys::process;

/// The needs of a trial, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Need {
    /// Processes and threads, which the kernel counts alike.
    pub tasks: u64,
    /// Descriptors of the process that has the most.
    pub descriptors: u64,
    /// Mappings of the process that has the most.
    pub mappings: u64,
}

/// The subject, its helpers, a shell: in addition to the children.
const TASKS_BESIDE: u64 = 16;
/// Descriptors of a runtime itself.
const DESCRIPTORS_BESIDE: u64 = 64;
/// Socket or pipes and a descriptor of the process, at most, while it is being created: both ends.
const DESCRIPTORS_PER_CHILD: u64 = 8;
/// Libraries, heaps, arenas.
const MAPPINGS_BESIDE: u64 = 1_000;
/// Stack and guard page.
const MAPPINGS_PER_THREAD: u64 = 2;

impl Need {
    /// The need of `k` children of a strategy in this runtime.
    pub fn of(children: Children, k: u32, runtime: &str) -> Need {
        let k = u64::from(k);
        let per_process = runtime::by_name(runtime).map_or(1, |runtime| runtime.costs.threads);
        let (tasks, descriptors, mappings) = match children {
            Children::None => (0, 0, 0),
            Children::Threads(_) => (k, 0, k * MAPPINGS_PER_THREAD),
            // A shell each, at most.
            Children::Programs(Span::Request) => {
                (k * (per_process + 1), k * DESCRIPTORS_PER_CHILD, 0)
            }
            Children::Programs(Span::Pool) | Children::Copies(_) => {
                (k * per_process, k * DESCRIPTORS_PER_CHILD, 0)
            }
        };
        Need {
            tasks: tasks + TASKS_BESIDE,
            descriptors: descriptors + DESCRIPTORS_BESIDE,
            mappings: mappings + MAPPINGS_BESIDE,
        }
    }
}

/// Why the system does not allow it, if it does not.
pub fn refusal(need: Need) -> Option<String> {
    let running = tasks_running();
    let sysctl = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    // Root may exceed it; for others all of their processes and threads count.
    let is_root = rustix::process::geteuid().is_root();
    let own_tasks = getrlimit(Resource::Nproc).maximum.filter(|_| !is_root);
    let (pids, pids_used) = pids_of_groups().unzip();
    let descriptors = getrlimit(Resource::Nofile).maximum;
    let limits = [
        (need.tasks, "RLIMIT_NPROC (ulimit -u)", own_tasks, tasks_of_user()),
        (need.tasks, "kernel.pid_max", sysctl("/proc/sys/kernel/pid_max"), running),
        (need.tasks, "kernel.threads-max", sysctl("/proc/sys/kernel/threads-max"), running),
        (need.tasks, PIDS_MAX, pids, pids_used.unwrap_or(0)),
        (need.descriptors, "RLIMIT_NOFILE (ulimit -Hn)", descriptors, 0),
        (need.mappings, "vm.max_map_count", sysctl("/proc/sys/vm/max_map_count"), 0),
    ];
    limits.into_iter().find_map(|(wanted, name, most, used)| {
        let most = most?;
        (used.saturating_add(wanted) > most).then(|| {
            format!(
                "refused before the first child: {name} allows {most}, of which {used} are taken, \
                 and the trial may need {wanted}; raise it or ask for fewer children"
            )
        })
    })
}

const PIDS_MAX: &str = "pids.max of this control group or one above it";

/// Processes and threads of the whole machine: the fourth field of `/proc/loadavg` ends with it.
fn tasks_running() -> u64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let field = text.split_ascii_whitespace().nth(3);
    field.and_then(|field| field.split_once('/')?.1.parse().ok()).unwrap_or(0)
}

/// Visible processes and threads of this process's user, which `RLIMIT_NPROC` counts.
fn tasks_of_user() -> u64 {
    let user = rustix::process::getuid().as_raw();
    let pids = process::all().unwrap_or_default().into_iter();
    let tasks = pids.filter_map(|pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let (owner, threads) = owner_and_threads(&status)?;
        (owner == user).then_some(threads)
    });
    tasks.sum()
}

/// The user of a process of this `status`, and its number of threads.
fn owner_and_threads(status: &str) -> Option<(u32, u64)> {
    let user = field(status, "Uid")?.split_ascii_whitespace().next()?;
    Some((user.parse().ok()?, field(status, "Threads")?.parse().ok()?))
}

/// Limit and use of the tightest pids controller above this process.
fn pids_of_groups() -> Option<(u64, u64)> {
    tightest(&cgroup::above("pids"))
}

/// Limit and use of the group that has the fewest left, of groups that contain each other.
fn tightest(groups: &[Group]) -> Option<(u64, u64)> {
    let limit = |group: &Group| Some((group.number("pids.max")?, group.number("pids.current")?));
    let limits = groups.iter().filter_map(limit);
    limits.min_by_key(|(most, used)| most.saturating_sub(*used))
}

/// Soft limits raised to their hard ones, which children inherit. Dropping it lowers them again: a
/// timed trial with few children runs under the limits that the user has.
#[derive(Debug)]
pub struct Raised {
    before: Vec<(Resource, Rlimit)>,
}

impl Raised {
    /// Raises the limits that are tight for this need.
    pub fn raise(need: Need) -> Raised {
        let wanted = [(Resource::Nofile, need.descriptors), (Resource::Nproc, need.tasks)];
        let before = wanted.into_iter().filter_map(|(resource, wanted)| {
            let before = getrlimit(resource);
            let short = before.current.is_some_and(|soft| soft < wanted.saturating_mul(2));
            let raised = Rlimit { current: before.maximum, maximum: before.maximum };
            (short && setrlimit(resource, raised).is_ok()).then_some((resource, before))
        });
        Raised { before: before.collect() }
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        for (resource, before) in self.before.drain(..) {
            // It was allowed before.
            let _ = setrlimit(resource, before);
        }
    }
}

/// The name of the system's refusal behind an answer's reason, which may be in any runtime's words.
pub fn classified(reason: &str) -> &'static str {
    const AGAIN: &str = "EAGAIN: no more processes or threads may be created";
    const SIGNS: [(&str, &[&str]); 4] = [
        (
            "ENFILE: too many descriptors in the whole system",
            &["ENFILE", "os error 23)", "Errno 23]"],
        ),
        (
            "EMFILE: too many descriptors in one process",
            &["EMFILE", "os error 24)", "Errno 24]", "Too many open files"],
        ),
        (
            "ENOMEM: the system has no memory for it",
            &["ENOMEM", "os error 12)", "Errno 12]", "Cannot allocate", "MemoryError"],
        ),
        (AGAIN, &["EAGAIN", "os error 11)", "Errno 11]", "can't start new thread"]),
    ];
    let found = SIGNS.iter().find(|(_, signs)| signs.iter().any(|sign| reason.contains(sign)));
    // A fork in a control group whose pids are used up says EAGAIN, too.
    let pids_are_used_up = || pids_of_groups().is_some_and(|(most, used)| used >= most);
    match found.map(|(name, _)| *name) {
        Some(AGAIN) if pids_are_used_up() => "EAGAIN: pids.max of this control group is reached",
        Some(name) => name,
        None => "no limit that is known here",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::cgroup::Version;

    #[test]
    fn what_is_beyond_a_limit_is_refused_with_its_name_and_value() {
        assert_eq!(refusal(Need::of(Children::Programs(Span::Pool), 1, "rust")), None);
        let mappings = Need { mappings: u64::MAX, ..Need::default() };
        let reason = refusal(mappings).unwrap();
        let most = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
        let said = format!("vm.max_map_count allows {}", most.trim());
        assert!(reason.contains(&said), "{reason}");
        let tasks = Need { tasks: u64::MAX, ..Need::default() };
        assert!(refusal(tasks).unwrap().contains("before the first child"));
    }

    #[test]
    fn a_group_above_may_be_the_one_that_is_full() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("own");
        fs::create_dir(&own).unwrap();
        let write = |dir: &std::path::Path, most: &str, used: &str| {
            fs::write(dir.join("pids.max"), most).unwrap();
            fs::write(dir.join("pids.current"), used).unwrap();
        };
        write(&own, "max\n", "3\n");
        write(root.path(), "100\n", "90\n");
        let group = |dir: &std::path::Path| Group { dir: dir.to_owned(), version: Version::V2 };
        let found = || tightest(&[group(&own), group(root.path())]).unwrap();
        assert_eq!(found(), (100, 90));
        write(&own, "8\n", "3\n");
        assert_eq!(found(), (8, 3));
    }

    #[test]
    fn a_user_s_tasks_are_counted_by_threads() {
        let status = "Name:\tx\nUid:\t7\t8\t8\t8\nThreads:\t3\n";
        assert_eq!(owner_and_threads(status), Some((7, 3)));
        assert!(tasks_of_user() >= 1);
    }

    #[test]
    fn errors_of_every_runtime_have_one_name() {
        for (reason, name) in [
            ("rejected: start `/bin/x`: Resource temporarily unavailable (os error 11)", "EAGAIN"),
            ("spawn ENOMEM", "ENOMEM"),
            ("[Errno 24] Too many open files", "EMFILE"),
            ("fork: Too many open files in system (os error 23)", "ENFILE"),
            ("crash: the child was ended by signal 9", "no limit"),
        ] {
            assert!(classified(reason).starts_with(name), "{reason}: {}", classified(reason));
        }
    }

    #[test]
    fn raised_limits_are_lowered_again() {
        let before = getrlimit(Resource::Nofile);
        let need = Need { descriptors: u64::MAX, ..Need::default() };
        let raised = Raised::raise(need);
        assert_eq!(getrlimit(Resource::Nofile).current, before.maximum);
        drop(raised);
        assert_eq!(getrlimit(Resource::Nofile), before);
    }
}
