//! The runtimes that are installed here, for tests that start their subjects.

use super::Subject;
use forkbench::driver::programs::{self, SubjectProgram};
use forkbench::experiment::runtime::{self, Program, Runtime};
use forkbench::protocol::Configure;
use forkbench::strategy::{self, Kind};

/// A runtime that is installed here, and not the Rust one, which has tests of its own.
pub struct Installed {
    pub runtime: &'static Runtime,
    pub program: SubjectProgram,
}

pub fn installed() -> Vec<Installed> {
    let scripts = runtime::ALL.iter().filter_map(|runtime| match runtime.program {
        Program::Script(script) => Some((runtime, script)),
        Program::Beside(_) => None,
    });
    let found = scripts.filter_map(|(runtime, script)| match programs::find(script) {
        Ok(program) => Some(Installed { runtime, program }),
        Err(error) => {
            eprintln!("passed over: {}: {error:#}", runtime.name);
            None
        }
    });
    found.collect()
}

impl Installed {
    pub fn start(&self, configure: &Configure) -> Subject {
        Subject::start_runtime(&self.program, configure).unwrap()
    }

    /// The strategies that it has, and for which all is installed.
    pub fn strategies(&self) -> Vec<&'static Kind> {
        let usable = |kind: &&Kind| {
            let missing = self.missing(kind.name, "noop");
            if let Some(package) = missing {
                let (runtime, strategy) = (self.runtime.name, kind.name);
                eprintln!("passed over: {runtime} {strategy}: no package `{package}`");
            }
            self.runtime.supports(kind.name).is_ok() && missing.is_none()
        };
        strategy::ALL.iter().filter(usable).collect()
    }

    /// The package that would have to be installed.
    pub fn missing(&self, strategy: &str, workload: &str) -> Option<&'static str> {
        let mut packages = self.runtime.packages(strategy, workload);
        packages.find(|&package| self.program.versions[package].is_empty())
    }

    /// `node pool`
    pub fn arm(&self, kind: &Kind) -> String {
        format!("{} {}", self.runtime.name, kind.name)
    }
}
