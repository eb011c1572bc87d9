//! A subject's whole process tree: who is in it, and what each is there for.

use std::fs;

use super::process::{Listed, Reader, Unread};
use crate::strategy::{Children, Span};

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

/// The process `root` and everybody that descends from it, parents before their children.
pub fn members(reader: &mut Reader, root: u32, children: Children) -> Vec<Member> {
    let mut members = Vec::new();
    let mut open = vec![(root, 0)];
    let mut next = 0;
    while let Some(&(pid, ppid)) = open.get(next) {
        next += 1;
        let (listed, unread) = match reader.look_up(pid) {
            Ok(listed) => (listed, None),
            Err(unread) => (unnamed(pid, ppid), Some(unread)),
        };
        let role = role(&listed, root, children);
        members.push(Member {
            listed,
            role,
            unread,
        });
        open.extend(children_of(pid).into_iter().map(|child| (child, pid)));
    }
    members
}

fn unnamed(pid: u32, ppid: u32) -> Listed {
    Listed {
        pid,
        ppid,
        name: String::new(),
    }
}

/// The children of all threads of a process; none of one that is gone.
fn children_of(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let of_thread = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).ok();
    let lists: Vec<String> = threads.flatten().filter_map(of_thread).collect();
    let pids = lists.iter().flat_map(|list| list.split_ascii_whitespace());
    pids.filter_map(|pid| pid.parse().ok()).collect()
}

/// The shell that `exec` goes through, by the name of its program.
const SHELL: &str = "sh";

/// Processes that CPython's multiprocessing starts beside its children, by their command line.
const PYTHON_HELPERS: [&str; 2] = [
    "multiprocessing.resource_tracker",
    "multiprocessing.forkserver",
];

fn role(listed: &Listed, root: u32, children: Children) -> Role {
    if listed.pid == root {
        return Role::Parent;
    }
    let below_root = listed.ppid == root;
    let span = match children {
        Children::Programs(span) => {
            if listed.name == SHELL {
                return Role::Shell;
            }
            // Its copies share its command line, so only the first of them is asked.
            if below_root && is_python_helper(listed) {
                return Role::Helper;
            }
            span
        }
        // Nobody but the fork server is created by the subject itself.
        Children::Copies(_) if below_root => return Role::Helper,
        Children::Copies(span) => span,
        // Nothing of their own: what is there belongs to the runtime.
        Children::None | Children::Threads(_) => return Role::Helper,
    };
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
        let listed = |pid, ppid, name: &str| Listed {
            pid,
            ppid,
            name: name.to_owned(),
        };
        let programs = Children::Programs(Span::Request);
        let of = |listed: Listed, children| role(&listed, 1, children).name();
        assert_eq!(of(listed(1, 0, "s"), programs), "parent");
        assert_eq!(of(listed(2, 1, "sh"), programs), "shell");
        assert_eq!(of(listed(3, 2, "s"), programs), "child");
        assert_eq!(
            of(listed(3, 1, "s"), Children::Programs(Span::Pool)),
            "worker"
        );
        assert_eq!(
            of(listed(2, 1, "s"), Children::Copies(Span::Pool)),
            "helper"
        );
        assert_eq!(
            of(listed(3, 2, "s"), Children::Copies(Span::Pool)),
            "worker"
        );
        assert_eq!(
            of(listed(3, 2, "s"), Children::Copies(Span::Request)),
            "child"
        );
    }
}
