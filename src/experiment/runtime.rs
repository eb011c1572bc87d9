//! The runtimes that can serve as a subject: a stanza each, and a line in [`ALL`]. Whether one is
//! available here is a question to the machine, which the command line asks.

use super::subjects::{self, Sources};
use crate::strategy::{Children, Span};

/// A language and its idiomatic way of each strategy.
#[derive(Debug, Clone, Copy)]
pub struct Runtime {
    /// As written in experiments, rows and on the command line.
    pub name: &'static str,
    /// As people know it: `Node.js`.
    pub title: &'static str,
    /// One line for `forkbench list`.
    pub summary: &'static str,
    /// The name of its own version among those that its subject tells.
    pub versions_key: &'static str,
    /// The fact of a run that holds its version.
    pub version_fact: &'static str,
    /// What serves as its subject.
    pub program: Program,
    /// Strategies and workloads that it cannot run, each with the reason. Their trials become rows
    /// with status `skipped` instead of gaps.
    pub unsupported: &'static [(&'static str, &'static str)],
    /// Strategies and workloads that need a package, with the package's name among the versions
    /// that the subject tells.
    pub packages: &'static [(&'static str, &'static str)],
    /// Options of strategies that only some runtimes have, this one among them.
    pub own_options: &'static [(&'static str, &'static str)],
    /// Whether its children can move themselves to a core of their own.
    pub places_children: bool,
    /// Whether a pool may have no workers.
    pub has_empty_pools: bool,
    /// Whether a fork server also creates the workers of a pool.
    pub preforks_by_server: bool,
    /// What its processes and threads cost.
    pub costs: Costs,
}

/// What a runtime's children cost, roughly: for estimates and for limits that are checked
/// beforehand.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    /// Until a program that was started can work, in ns.
    pub program_start_ns: u64,
    /// Until a thread that was started can work, in ns.
    pub thread_start_ns: u64,
    /// Until a child that is to be held is held and read, in ns.
    pub held_child_ns: u64,
    /// Memory of an idle program, in bytes.
    pub program_bytes: u64,
    /// Memory of an idle thread, in bytes.
    pub thread_bytes: u64,
    /// Memory of an idle forked copy, in bytes.
    pub copy_bytes: u64,
    /// Threads that each process starts with.
    pub threads: u64,
}

impl Costs {
    /// Memory of an idle child, in bytes.
    pub fn child_bytes(&self, children: Children) -> u64 {
        match children {
            Children::None => 0,
            Children::Threads(_) => self.thread_bytes,
            Children::Programs(_) => self.program_bytes,
            Children::Copies(_) => self.copy_bytes,
        }
    }

    /// Until a child can work, in ns.
    pub fn start_ns(&self, children: Children) -> u64 {
        match children {
            Children::Programs(_) => self.program_start_ns,
            Children::Threads(_) => self.thread_start_ns,
            Children::Copies(_) | Children::None => 0,
        }
    }
}

/// What is started as a subject.
#[derive(Debug, Clone, Copy)]
pub enum Program {
    /// A program of this name, installed next to the driver.
    Beside(&'static str),
    /// A script that comes with the driver, run by an interpreter of the machine.
    Script(&'static Script),
}

/// A subject that is not compiled, and its interpreter.
#[derive(Debug)]
pub struct Script {
    /// The interpreter's name in PATH.
    pub command: &'static str,
    /// The variable that names another interpreter.
    pub variable: &'static str,
    /// The interpreter that `scripts/setup-runtimes` makes, below the sources; empty if none.
    pub own: &'static str,
    /// Arguments with which the interpreter prints the path of its real program and its version,
    /// a line each: the name in PATH may be a shim, whose shell every start would pay for.
    pub probe: &'static [&'static str],
    /// The oldest version that is measured, major and minor.
    pub oldest: (u32, u32),
    /// What to install where there is none, or an older one.
    pub install: &'static str,
    /// The files; the first is the one to run.
    pub sources: Sources,
    /// Variables that it gets in addition to those of every subject.
    pub environment: &'static [(&'static str, &'static str)],
    /// The variable that names its folder for compiled code, and the folder's name below the
    /// user's cache.
    pub cache: Option<(&'static str, &'static str)>,
}

/// Every runtime, the default one first.
pub const ALL: &[Runtime] = &[RUST, NODE, NODE_COMPILE_CACHE, PYTHON];

/// The runtime that is compiled into the program.
pub const RUST_NAME: &str = "rust";

const MS: u64 = 1_000_000;
const MIB: u64 = 1 << 20;

const RUST: Runtime = Runtime {
    name: RUST_NAME,
    title: "Rust",
    summary: "static binary, no async runtime; threads by std and rayon",
    versions_key: "forkbench",
    version_fact: "build_rustc",
    program: Program::Beside("forkbench-subject"),
    unsupported: &[],
    packages: &[],
    own_options: &[],
    places_children: true,
    has_empty_pools: true,
    preforks_by_server: true,
    costs: Costs {
        program_start_ns: 0,
        thread_start_ns: 0,
        held_child_ns: MS,
        program_bytes: MIB / 4,
        thread_bytes: MIB / 4,
        copy_bytes: MIB / 4,
        threads: 1,
    },
};

const NODE: Runtime = Runtime {
    name: "node",
    title: "Node.js",
    summary: "Node.js 20 or later; child_process, worker_threads, piscina, workerpool",
    versions_key: "node",
    version_fact: "node_version",
    program: Program::Script(&NODE_SCRIPT),
    unsupported: &[("fork", NODE_CANNOT_FORK), ("prefork-pool", NODE_CANNOT_FORK)],
    packages: &[("thread-pool", "piscina"), ("pool", "workerpool"), ("image", "sharp")],
    own_options: &[("fork-ipc", "serialization"), ("pool", "serialization")],
    places_children: false,
    has_empty_pools: false,
    preforks_by_server: false,
    costs: Costs {
        program_start_ns: 40 * MS,
        thread_start_ns: 20 * MS,
        held_child_ns: 40 * MS,
        program_bytes: 10 * MIB,
        thread_bytes: 5 * MIB,
        copy_bytes: 5 * MIB,
        threads: 12,
    },
};

const NODE_CANNOT_FORK: &str =
    "V8 runs threads of its own, which a forked copy would not have: Node.js cannot fork";

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

/// Node.js with its compile cache. It is a runtime of its own because the choice is made when the
/// process starts, before it knows of any strategy.
const NODE_COMPILE_CACHE: Runtime = Runtime {
    name: "node-compile-cache",
    title: "Node.js, cached",
    summary: "Node.js 22.1 or later with its compile cache, children included",
    version_fact: "node_compile_cache_node",
    program: Program::Script(&Script {
        oldest: (22, 1),
        install: "Node.js 22.1 or later, the first with a compile cache",
        cache: Some(("NODE_COMPILE_CACHE", "node-compile-cache")),
        ..NODE_SCRIPT
    }),
    ..NODE
};

const PYTHON: Runtime = Runtime {
    name: "python",
    title: "CPython",
    summary: "CPython 3.11 or later; asyncio, subprocess, multiprocessing, concurrent.futures",
    versions_key: "python",
    version_fact: "python_version",
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
    packages: &[("image", "pillow")],
    own_options: &[("fork-ipc", "start_method")],
    places_children: true,
    has_empty_pools: false,
    // multiprocessing's pool forks in the process that made it.
    preforks_by_server: false,
    costs: Costs {
        program_start_ns: 40 * MS,
        // Threads share the interpreter.
        thread_start_ns: 0,
        held_child_ns: 40 * MS,
        program_bytes: 8 * MIB,
        thread_bytes: MIB / 4,
        copy_bytes: 5 * MIB,
        threads: 12,
    },
};

/// The runtime of this name.
pub fn by_name(name: &str) -> Option<&'static Runtime> {
    ALL.iter().find(|runtime| runtime.name == name)
}

/// Every name, in the order of the registry.
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|runtime| runtime.name).collect()
}

impl Runtime {
    /// The script that serves as its subject, if it is one.
    pub fn script(&self) -> Option<&'static Script> {
        match self.program {
            Program::Script(script) => Some(script),
            Program::Beside(_) => None,
        }
    }

    /// Whether it can run the strategy or workload of this name at all.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn supports(&self, name: &str) -> Result<(), &'static str> {
        match self.unsupported.iter().find(|(found, _)| *found == name) {
            Some((_, reason)) => Err(reason),
            None => Ok(()),
        }
    }

    /// Whether the strategy has this option in this runtime.
    pub fn takes(&self, strategy: &str, option: &str) -> bool {
        let has = |runtime: &Runtime| runtime.own_options.contains(&(strategy, option));
        has(self) || !ALL.iter().any(has)
    }

    /// The packages that the strategy and the workload need.
    pub fn packages(&self, strategy: &str, workload: &str) -> impl Iterator<Item = &'static str> {
        let needed = |name: &str| {
            let found = self.packages.iter().find(|(owner, _)| *owner == name);
            found.map(|(_, package)| *package)
        };
        needed(strategy).into_iter().chain(needed(workload))
    }

    /// Whether a fork server creates these children, and not the subject itself.
    pub fn creates_by_server(&self, children: Children) -> bool {
        self.preforks_by_server || children != Children::Copies(Span::Pool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{strategy, workload};

    #[test]
    fn every_name_in_a_stanza_exists_and_names_are_unique() {
        let exists =
            |name: &str| strategy::by_name(name).is_some() || workload::by_name(name).is_some();
        for (index, runtime) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.name != runtime.name));
            for (name, reason) in runtime.unsupported {
                assert!(exists(name), "{name}");
                assert_eq!(runtime.supports(name), Err(*reason));
            }
            for (name, package) in runtime.packages {
                assert!(exists(name), "{name}");
                assert!(runtime.packages(name, "noop").eq([*package]), "{name}");
                assert!(runtime.packages("blocking", name).eq([*package]), "{name}");
            }
            for (owner, option) in runtime.own_options {
                let kind = strategy::by_name(owner).unwrap();
                assert!(kind.options.iter().any(|def| def.name == *option), "{owner} {option}");
            }
        }
        assert_eq!(ALL[0].supports("fork"), Ok(()));
    }

    #[test]
    fn options_of_some_runtimes_are_theirs_alone() {
        let takers = |strategy, option| -> Vec<_> {
            let all = ALL.iter().filter(|runtime| runtime.takes(strategy, option));
            all.map(|runtime| runtime.name).collect()
        };
        assert_eq!(takers("pool", "workers").len(), ALL.len());
        assert_eq!(takers("pool", "serialization"), ["node", "node-compile-cache"]);
        assert_eq!(takers("fork-ipc", "start_method"), ["python"]);
    }

    /// Each workload and strategy has a twin of its name in every scripted runtime that does not
    /// say why it has none.
    #[test]
    fn workloads_and_strategies_have_twins_in_every_runtime() {
        for runtime in ALL {
            let Some(script) = runtime.script() else { continue };
            let is_there = |folder: &str, name: &str| {
                let paths = [name.to_owned(), name.replace('-', "_")]
                    .map(|name| format!("{folder}/{name}."));
                let mut files = script.sources.files.iter();
                files.any(|(path, _)| paths.iter().any(|begin| path.starts_with(begin)))
            };
            for workload in workload::ALL {
                let name = workload.name();
                let is_supported = runtime.supports(name).is_ok();
                assert_eq!(is_there("workload", name), is_supported, "{name} in {}", runtime.name);
            }
            for kind in strategy::ALL {
                let is_supported = runtime.supports(kind.name).is_ok();
                let is_there = is_there("strategy", kind.name);
                assert_eq!(is_there, is_supported, "{} in {}", kind.name, runtime.name);
            }
        }
    }
}
