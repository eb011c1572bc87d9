//! A subject's whole process tree: who is in it, and what each is there for.

use std::collections::HashSet;
use std::fs;
use std::io;

use super::process::{Listed, Reader, Unread};
use crate::driver::processes;
use crate::experiment::runtime;
use crate::strategy::{Children, Span};
use rustix::io::Errno;

/// What a process is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The subject.
    Parent,
    /// A program or copy that was created for one task.
    Child,
    /// A pool's.
    Worker,
    /// Creates the others: a fork server, or what a runtime starts beside its children.
    Helper,
    /// Stands between the subject and a program.
    Shell,
}

impl Role {
    /// As in rows.
    pub fn name(self) -> &'static str {
        match self {
            Role::Parent => "parent",
            Role::Child => "child",
            Role::Worker => "worker",
            Role::Helper => "helper",
            Role::Shell => "shell",
        }
    }
}

/// A process of the tree, or why it is not known what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The process. One that could not be looked up has no name.
    pub listed: Listed,
    /// What it is there for.
    pub role: Role,
    /// Why it could not be looked up.
    pub unread: Option<Unread>,
}

/// The kind of children that a strategy has, and who creates them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Creation {
    /// What they are.
    pub children: Children,
    /// Whether copies are made by a fork server, or by the subject itself.
    pub by_fork_server: bool,
}

impl Creation {
    /// As the runtime of this name does it: multiprocessing's pool forks where it was made.
    pub fn of(children: Children, runtime: &str) -> Creation {
        Creation {
            children,
            by_fork_server: runtime::by_name(runtime)
                .is_none_or(|runtime| runtime.creates_by_server(children)),
        }
    }

    /// What a process is there for that stands for one of the children that were asked for.
    pub fn counted(self) -> Option<Role> {
        match self.children {
            Children::Programs(span) | Children::Copies(span) => Some(of_span(span)),
            Children::None | Children::Threads(_) => None,
        }
    }
}

/// The process `root` and everybody that descends from it, each once, parents before their
/// children.
pub fn members(reader: &mut Reader, root: u32, creation: Creation) -> Vec<Member> {
    let mut members = Vec::new();
    let mut open = vec![(root, 0)];
    // Children of a thread that ends become another thread's, and may be listed under both.
    let mut seen = HashSet::from([root]);
    let mut families = Families::default();
    let mut next = 0;
    while let Some(&(pid, ppid)) = open.get(next) {
        next += 1;
        let (listed, unread) = match reader.look_up(pid) {
            Ok(listed) => (listed, None),
            Err(unread) => (unnamed(pid, ppid), Some(unread)),
        };
        let role = role(&listed, root, creation);
        members.push(Member { listed, role, unread });
        let children = families.children_of(pid).into_iter();
        open.extend(children.filter(|child| seen.insert(*child)).map(|child| (child, pid)));
    }
    members
}

/// The ids of the same processes.
pub(in crate::driver) fn pids(root: u32) -> Vec<u32> {
    let mut pids = vec![root];
    let mut seen = HashSet::from([root]);
    let mut families = Families::default();
    let mut next = 0;
    while let Some(&pid) = pids.get(next) {
        next += 1;
        pids.extend(families.children_of(pid).into_iter().filter(|child| seen.insert(*child)));
    }
    pids
}

fn unnamed(pid: u32, ppid: u32) -> Listed {
    Listed { pid, ppid, name: String::new() }
}

/// Who is whose child, by the kernel's own lists or, where it keeps none, by everybody's parent.
#[derive(Debug, Default)]
struct Families {
    /// Processes and their parents, read once it is needed.
    parents: Option<Vec<(u32, u32)>>,
}

impl Families {
    /// The children of a process; none of one that is gone.
    fn children_of(&mut self, pid: u32) -> Vec<u32> {
        match listed_children(pid) {
            Ok(pids) => pids,
            Err(_) => self.scanned_children(pid),
        }
    }

    fn scanned_children(&mut self, pid: u32) -> Vec<u32> {
        // Where that cannot be read either, the rows lack children, and say how many.
        let read = || processes::parents().unwrap_or_default();
        let parents = self.parents.get_or_insert_with(read).iter();
        let of_pid = |&(child, parent): &(u32, u32)| (parent == pid).then_some(child);
        parents.filter_map(of_pid).collect()
    }
}

/// The children of all threads of a process; none of one that is gone.
fn listed_children(pid: u32) -> io::Result<Vec<u32>> {
    let threads = match fs::read_dir(format!("/proc/{pid}/task")) {
        Ok(threads) => threads,
        Err(error) if is_gone(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut pids = Vec::new();
    for thread in threads {
        let thread = match thread {
            Ok(thread) => thread.path(),
            Err(error) if is_gone(&error) => break,
            Err(error) => return Err(error),
        };
        match fs::read_to_string(thread.join("children")) {
            Ok(list) => {
                let listed = list.split_ascii_whitespace();
                pids.extend(listed.filter_map(|pid| pid.parse::<u32>().ok()));
            }
            // A kernel may have been built without these files.
            Err(error) if is_gone(&error) && !thread.exists() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(pids)
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

/// The shell that `exec` goes through, by the name of its program.
const SHELL: &str = "sh";

/// Processes that CPython's multiprocessing starts beside its children, by their command line.
const PYTHON_HELPERS: [&str; 2] =
    ["multiprocessing.resource_tracker", "multiprocessing.forkserver"];

fn role(listed: &Listed, root: u32, creation: Creation) -> Role {
    if listed.pid == root {
        return Role::Parent;
    }
    let below_root = listed.ppid == root;
    match creation.children {
        Children::Programs(_) if listed.name == SHELL => Role::Shell,
        // Its copies share its command line, so only the first of them is asked.
        Children::Programs(_) | Children::Copies(_) if below_root && is_python_helper(listed) => {
            Role::Helper
        }
        // Nobody but the fork server is created by the subject itself.
        Children::Copies(_) if below_root && creation.by_fork_server => Role::Helper,
        Children::Programs(span) | Children::Copies(span) => of_span(span),
        // Nothing of their own: what is there belongs to the runtime.
        Children::None | Children::Threads(_) => Role::Helper,
    }
}

fn of_span(span: Span) -> Role {
    match span {
        Span::Request => Role::Child,
        Span::Pool => Role::Worker,
    }
}

fn is_python_helper(listed: &Listed) -> bool {
    if !listed.name.starts_with("python") {
        return false;
    }
    let line = fs::read(format!("/proc/{}/cmdline", listed.pid)).unwrap_or_default();
    let line = String::from_utf8_lossy(&line);
    PYTHON_HELPERS.iter().any(|helper| line.contains(helper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_follow_from_place_and_strategy() {
        let listed = |pid, ppid, name: &str| Listed { pid, ppid, name: name.to_owned() };
        let role = |listed: Listed, children, runtime| {
            role(&listed, 1, Creation::of(children, runtime)).name()
        };
        let of = |listed, children| role(listed, children, "rust");
        let programs = Children::Programs(Span::Request);
        assert_eq!(of(listed(1, 0, "s"), programs), "parent");
        assert_eq!(of(listed(2, 1, "sh"), programs), "shell");
        assert_eq!(of(listed(3, 2, "s"), programs), "child");
        assert_eq!(of(listed(3, 1, "s"), Children::Programs(Span::Pool)), "worker");
        assert_eq!(of(listed(2, 1, "s"), Children::Copies(Span::Pool)), "helper");
        assert_eq!(of(listed(3, 2, "s"), Children::Copies(Span::Pool)), "worker");
        assert_eq!(of(listed(3, 2, "s"), Children::Copies(Span::Request)), "child");
        // multiprocessing's pool has no fork server; its `fork` has one.
        let copies = Children::Copies;
        let python = |listed, span| role(listed, copies(span), "python");
        assert_eq!(python(listed(2, 1, "python3"), Span::Pool), "worker");
        assert_eq!(python(listed(2, 1, "python3"), Span::Request), "helper");
        assert_eq!(python(listed(3, 2, "python3"), Span::Request), "child");
    }

    #[test]
    fn both_ways_to_find_children_find_the_same() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn();
        let own = std::process::id();
        let listed = listed_children(own);
        let scanned = Families::default().scanned_children(own);
        let pid = child.as_ref().map(std::process::Child::id).unwrap();
        let _ = child.as_mut().unwrap().kill();
        child.unwrap().wait().unwrap();
        assert!(listed.unwrap().contains(&pid) && scanned.contains(&pid));
        assert_eq!(listed_children(pid).unwrap(), [0; 0], "it is gone");
    }
}
