//! Demonstrations: small real programs that show what no latency can. Who survives a crash, what a
//! `;` in an argument does, whether memory is shared. One stanza each in [`ALL`].
//!
//! The programs are in `subjects/<runtime>/demonstrations/`; those of Rust are modes of the
//! subject's own program, in `src/subject/demonstrations/`. Each prints facts: rows of `facts.csv`.

/// A demonstration of an experiment, in one runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demonstration {
    /// As in [`ALL`].
    pub name: String,
    /// Name of the runtime; one that has it.
    pub runtime: String,
}

/// A demonstration, in all of its runtimes.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// As in experiments, rows and names of files.
    pub name: &'static str,
    /// One line for `forkbench list`.
    pub summary: &'static str,
    /// The runtimes that have it, each with about how long it takes there, in ms.
    pub runtimes: &'static [(&'static str, u64)],
}

macro_rules! kinds {
    ($($(#[doc = $summary:literal])+ $name:literal in $($runtime:ident $ms:literal),+;)+) => {
        &[$(Kind {
            name: $name,
            summary: concat!($($summary),+).trim_ascii_start(),
            runtimes: &[$((stringify!($runtime), $ms)),+],
        }),+]
    };
}

/// Every demonstration, with its runtimes and the milliseconds that it takes there.
pub const ALL: &[Kind] = kinds! {
    /// process ids, parents, memory and cores of a forked child and of a thread
    "separate-processes" in node 400;
    /// whether one side sees what the other does to its data
    "memory-isolation" in node 150, rust 5, python 50;
    /// whether a child has its creator's open files, and what closing one does
    "independent-resources" in node 120;
    /// how many of two workers' increments of one counter are lost
    "synchronization" in node 300;
    /// who survives a worker's crash, what others lose, how long until the next answer
    "crash" in node 1_700, rust 25, python 300;
    /// what becomes of 10 MiB of a child's output
    "max-buffer" in node 350;
    /// what becomes of an argument that a shell would run
    "shell-characters" in node 300;
    /// what of an object arrives on the other side
    "object-transfer" in node 160;
    /// whether a system's program and a script can be run
    "run-command" in node 250;
    /// processes that the study notes' order example leaves behind
    "order-leak" in node 1_300;
    /// a prime counted twice where the study notes' chunks meet
    "prime-boundary" in node 150;
    /// whether a timeout that kills a worker leaves anything behind
    "timeout-cleanup" in node 650;
};

/// The demonstration of this name.
pub fn by_name(name: &str) -> Option<&'static Kind> {
    ALL.iter().find(|kind| kind.name == name)
}

impl Kind {
    /// Whether a runtime has it.
    pub fn is_in(&self, runtime: &str) -> bool {
        self.runtimes.iter().any(|(name, _)| *name == runtime)
    }
}

impl Demonstration {
    /// About how long it takes, in ns.
    pub fn estimated_ns(&self) -> u64 {
        let runtimes = by_name(&self.name).map_or(&[][..], |kind| kind.runtimes);
        let of_own = runtimes.iter().find(|(name, _)| *name == self.runtime);
        of_own.map_or(0, |(_, ms)| ms * 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::runtime::{self, Program, RUST_NAME};

    #[test]
    fn every_demonstration_is_a_file_in_every_runtime_that_has_it_and_in_no_other() {
        for kind in ALL {
            for runtime in runtime::ALL {
                let Program::Script(script) = runtime.program else {
                    continue;
                };
                // The same sources may serve a runtime that has no demonstrations of its own.
                if runtime.name == "node-compile-cache" {
                    continue;
                }
                let begins = format!("demonstrations/{}.", kind.name);
                let mut files = script.sources.files.iter();
                let found = files.any(|(path, _)| path.starts_with(&begins));
                assert_eq!(found, kind.is_in(runtime.name), "{begins}");
            }
            let rust = crate::subject::DEMONSTRATIONS.contains(&kind.name);
            assert_eq!(rust, kind.is_in(RUST_NAME), "{}", kind.name);
        }
    }

    #[test]
    fn names_are_unique_and_runtimes_exist() {
        for (index, kind) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.name != kind.name));
            for (name, ms) in kind.runtimes {
                assert!(runtime::by_name(name).is_some() && *ms > 0, "{}", kind.name);
            }
        }
    }
}
