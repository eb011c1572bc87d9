//! A subject's process tree: its members and the role of each.

use crate::record::ProcessRole;
use std::fs;

use super::holding::{self, Listed, Unread};
use crate::driver::processes;
use crate::experiment::runtime;
use crate::strategy::{Children, Span};

/// A process of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The process. One that could not be looked up has no name.
    pub listed: Listed,
    /// Its role.
    pub role: ProcessRole,
    /// Why it could not be looked up.
    pub unread: Option<Unread>,
}

/// The children of a strategy, and what creates them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Creation {
    /// Their kind.
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

    /// The role of the children that were asked for, if they are processes.
    pub fn counted(self) -> Option<ProcessRole> {
        match self.children {
            Children::Programs(span) | Children::Copies(span) => Some(of_span(span)),
            Children::None | Children::Threads(_) => None,
        }
    }
}

/// The process `root` and its descendants, each once, parents before their children.
pub fn members(root: u32, creation: Creation) -> Vec<Member> {
    let member = |(pid, ppid)| {
        let (listed, unread) = match holding::look_up(pid) {
            Ok(listed) => (listed, None),
            Err(unread) => (Listed { pid, ppid, name: String::new() }, Some(unread)),
        };
        let role = role(&listed, root, creation);
        Member { listed, role, unread }
    };
    processes::tree(root).into_iter().map(member).collect()
}

/// The shell that `exec` goes through, by the name of its program.
const SHELL: &str = "sh";

/// Helper processes of CPython's multiprocessing, by their command line.
const PYTHON_HELPERS: [&str; 2] =
    ["multiprocessing.resource_tracker", "multiprocessing.forkserver"];

fn role(listed: &Listed, root: u32, creation: Creation) -> ProcessRole {
    if listed.pid == root {
        return ProcessRole::Parent;
    }
    let below_root = listed.ppid == root;
    match creation.children {
        Children::Programs(_) if listed.name == SHELL => ProcessRole::Shell,
        // Its copies share its command line, so only the first of them is asked.
        Children::Programs(_) | Children::Copies(_) if below_root && is_python_helper(listed) => {
            ProcessRole::Helper
        }
        // The subject itself creates the fork server only.
        Children::Copies(_) if below_root && creation.by_fork_server => ProcessRole::Helper,
        Children::Programs(span) | Children::Copies(span) => of_span(span),
        // The strategy creates no process: it belongs to the runtime.
        Children::None | Children::Threads(_) => ProcessRole::Helper,
    }
}

fn of_span(span: Span) -> ProcessRole {
    match span {
        Span::Request => ProcessRole::Child,
        Span::Pool => ProcessRole::Worker,
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
}
