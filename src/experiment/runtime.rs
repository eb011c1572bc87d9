//! The runtimes that can serve as a subject: pure facts, one stanza each in [`ALL`]. Whether one
//! is available here is a question to the machine, which the command line asks.

use super::subjects::{self, Sources};

/// A language and its idiomatic way of each strategy.
#[derive(Debug, Clone, Copy)]
pub struct Runtime {
    /// As written in experiments, rows and on the command line.
    pub name: &'static str,
    /// One line for `forkbench list`.
    pub summary: &'static str,
    /// What serves as its subject.
    pub program: Program,
    /// Strategies that it cannot run, by name, each with the reason. Their trials become rows
    /// with status `skipped` instead of gaps.
    pub unsupported: &'static [(&'static str, &'static str)],
    /// Workloads that it cannot run, in the same form.
    pub unsupported_workloads: &'static [(&'static str, &'static str)],
    /// Strategies that need a package beside the standard library, with the package's name among
    /// the versions that the subject tells.
    pub packages: &'static [(&'static str, &'static str)],
    /// Workloads that need one, in the same form.
    pub workload_packages: &'static [(&'static str, &'static str)],
    /// Whether its children can move themselves to a core of their own.
    pub places_children: bool,
}

/// What is started as a subject.
#[derive(Debug, Clone, Copy)]
pub enum Program {
    /// A program of this name, installed beside the driver.
    Beside(&'static str),
    /// A script that comes with the driver, run by an interpreter of the machine.
    Script(&'static Script),
}

/// A subject that is not compiled, and who can run it.
#[derive(Debug)]
pub struct Script {
    /// The interpreter's name in PATH.
    pub command: &'static str,
    /// Names another interpreter.
    pub variable: &'static str,
    /// The interpreter that `scripts/setup-runtimes` makes, below the sources; empty if none.
    pub own: &'static str,
    /// Arguments with which the interpreter prints the path of its real program and its version,
    /// a line each: what is in PATH may be a shim that costs every start a shell.
    pub probe: &'static [&'static str],
    /// The oldest version that is measured, major and minor.
    pub oldest: (u32, u32),
    /// What to install where there is none, or an older one.
    pub install: &'static str,
    /// The files; the first is the one to run.
    pub sources: Sources,
    /// Variables that it gets beside those of every subject.
    pub environment: &'static [(&'static str, &'static str)],
    /// The variable that says where it may keep what it has compiled, and the folder's name below
    /// the user's cache.
    pub cache: Option<(&'static str, &'static str)>,
}

/// Every runtime, the default one first.
pub const ALL: &[Runtime] = &[RUST, NODE, NODE_COMPILE_CACHE, PYTHON];

/// The runtime that is compiled into the program.
pub const RUST_NAME: &str = "rust";

const RUST: Runtime = Runtime {
    name: RUST_NAME,
    summary: "static binary, no async runtime; threads by std and rayon",
    program: Program::Beside("forkbench-subject"),
    unsupported: &[],
    unsupported_workloads: &[],
    packages: &[],
    workload_packages: &[],
    places_children: true,
};

const NODE: Runtime = Runtime {
    name: "node",
    summary: "Node.js 20 or later; child_process, worker_threads, piscina, workerpool",
    program: Program::Script(&NODE_SCRIPT),
    unsupported: NODE_UNSUPPORTED,
    unsupported_workloads: &[],
    packages: &[("thread-pool", "piscina"), ("pool", "workerpool")],
    workload_packages: &[("image", "sharp")],
    places_children: false,
};

/// The same where a module that was compiled once is not compiled again. It is a runtime of its
/// own because the choice is made when the process starts, before it knows of any strategy.
const NODE_COMPILE_CACHE: Runtime = Runtime {
    name: "node-compile-cache",
    summary: "Node.js 22.1 or later with its compile cache, children included",
    program: Program::Script(&Script {
        oldest: (22, 1),
        install: "Node.js 22.1 or later, the first with a compile cache",
        cache: Some(("NODE_COMPILE_CACHE", "node-compile-cache")),
        ..NODE_SCRIPT
    }),
    ..NODE
};

const NODE_SCRIPT: Script = Script {
    command: "node",
    variable: "FORKBENCH_NODE",
    own: "",
    probe: &["-p", "process.execPath + '\\n' + process.version.replace('v', '')"],
    oldest: (20, 0),
    install: "Node.js 20 or later",
    sources: subjects::NODE,
    environment: &[("NODE_ENV", "production")],
    cache: None,
};

const NODE_UNSUPPORTED: &[(&str, &str)] = &[
    ("fork", "V8 runs threads of its own, which a forked copy would not have: Node.js cannot fork"),
    (
        "prefork-pool",
        "V8 runs threads of its own, which a forked copy would not have: Node.js cannot fork",
    ),
];

const PYTHON: Runtime = Runtime {
    name: "python",
    summary: "CPython 3.11 or later; asyncio, subprocess, multiprocessing, concurrent.futures",
    program: Program::Script(&Script {
        command: "python3",
        variable: "FORKBENCH_PYTHON",
        own: ".venv/bin/python",
        probe: &[
            "-c",
            "import sys, platform; print(sys.executable); print(platform.python_version())",
        ],
        oldest: (3, 11),
        install: "CPython 3.11 or later",
        sources: subjects::PYTHON,
        environment: &[],
        // Compiled modules are kept, as they are in any installation, but not in the repository.
        cache: Some(("PYTHONPYCACHEPREFIX", "pycache")),
    }),
    unsupported: &[],
    unsupported_workloads: &[],
    packages: &[],
    workload_packages: &[("image", "pillow")],
    places_children: true,
};

/// The runtime of this name.
pub fn by_name(name: &str) -> Option<&'static Runtime> {
    ALL.iter().find(|runtime| runtime.name == name)
}

const NODES: &[&str] = &[NODE.name, NODE_COMPILE_CACHE.name];

/// Options of a strategy that some runtimes only have. Any other option is every runtime's.
const OPTIONS: &[(&str, &str, &[&str])] = &[
    ("fork-ipc", "serialization", NODES),
    ("fork-ipc", "start_method", &["python"]),
    ("pool", "serialization", NODES),
];

impl Runtime {
    /// Whether it can run the strategy at all.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn supports(&self, strategy: &str) -> Result<(), &'static str> {
        reason(self.unsupported, strategy)
    }

    /// Whether it can run the workload at all.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn supports_workload(&self, workload: &str) -> Result<(), &'static str> {
        reason(self.unsupported_workloads, workload)
    }

    /// Whether the strategy has this option in this runtime.
    pub fn takes(&self, strategy: &str, option: &str) -> bool {
        let of_some = OPTIONS.iter().find(|(owner, name, _)| (*owner, *name) == (strategy, option));
        of_some.is_none_or(|(_, _, runtimes)| runtimes.contains(&self.name))
    }

    /// The packages that the strategy and the workload need.
    pub fn packages(&self, strategy: &str, workload: &str) -> impl Iterator<Item = &'static str> {
        let needed = |list: &'static [(&'static str, &'static str)], name: &str| {
            let found = list.iter().find(|(owner, _)| *owner == name);
            found.map(|(_, package)| *package)
        };
        let of_strategy = needed(self.packages, strategy);
        let of_workload = needed(self.workload_packages, workload);
        of_strategy.into_iter().chain(of_workload)
    }
}

fn reason(list: &[(&str, &'static str)], name: &str) -> Result<(), &'static str> {
    match list.iter().find(|(found, _)| *found == name) {
        Some((_, reason)) => Err(reason),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{strategy, workload};

    #[test]
    fn names_are_unique_and_what_is_unsupported_exists() {
        for (index, runtime) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.name != runtime.name));
            for (name, reason) in runtime.unsupported {
                assert!(strategy::by_name(name).is_some(), "{name}");
                assert_eq!(runtime.supports(name), Err(*reason));
            }
            for (name, reason) in runtime.unsupported_workloads {
                assert!(workload::by_name(name).is_some(), "{name}");
                assert_eq!(runtime.supports_workload(name), Err(*reason));
            }
            for (name, package) in runtime.packages {
                assert!(strategy::by_name(name).is_some(), "{name}");
                assert!(runtime.packages(name, "noop").eq([*package]), "{name}");
            }
            for (name, package) in runtime.workload_packages {
                assert!(workload::by_name(name).is_some(), "{name}");
                let packages = runtime.packages("blocking", name);
                assert!(packages.eq([*package]), "{name}");
            }
        }
        assert_eq!(ALL[0].supports("fork"), Ok(()));
    }

    #[test]
    fn options_of_some_runtimes_exist_and_are_theirs_alone() {
        for (strategy, option, runtimes) in OPTIONS {
            let kind = strategy::by_name(strategy).unwrap();
            assert!(kind.options.iter().any(|def| def.name == *option));
            for runtime in ALL {
                let theirs = runtimes.contains(&runtime.name);
                assert_eq!(runtime.takes(strategy, option), theirs);
            }
        }
        assert!(ALL.iter().all(|runtime| runtime.takes("pool", "workers")));
    }
}
