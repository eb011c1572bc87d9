//! What this machine has: cores, the subject's program, and what is missing for a strategy.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};

use crate::driver::programs::{self, SubjectProgram};
use crate::experiment::runtime::{self, Program, Runtime};
use crate::experiment::{Arm, Experiment, Family, Placement};

/// Names the Rust subject where it is not next to the driver.
pub const SUBJECT_VARIABLE: &str = "FORKBENCH_SUBJECT";

const SHELL: &str = "/bin/sh";

/// Cores that this process may use, at least 1: the meaning of `"1x"`.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX))
}

/// The program that serves as the Rust subject.
///
/// # Errors
/// The place where it was looked for, and how to get it.
pub fn subject_program() -> Result<PathBuf> {
    program("forkbench-subject")
}

/// What to start as this runtime's subject. Interpreters are asked for their versions once.
///
/// # Errors
/// Why the runtime is not available here, and how to get it.
pub fn runtime_program(runtime: &Runtime) -> Result<SubjectProgram, String> {
    static KNOWN: Mutex<BTreeMap<&str, Result<SubjectProgram, String>>> =
        Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let found = known.entry(runtime.name).or_insert_with(|| {
        let found = match runtime.program {
            Program::Beside(name) => program(name).map(SubjectProgram::compiled),
            Program::Script(script) => programs::find(script),
        };
        found.map_err(|error| format!("{error:#}"))
    });
    found.clone()
}

/// What to start as the subject of each runtime that the experiment names and that is available.
pub fn programs(experiment: &Experiment) -> BTreeMap<String, SubjectProgram> {
    let of_families = experiment.families.iter().map(|family| &family.runtime);
    let of_shown = experiment.demonstrations.iter().map(|shown| &shown.runtime);
    let named = of_families.chain(of_shown).filter_map(|name| {
        let program = runtime_program(runtime::by_name(name)?).ok()?;
        Some((name.clone(), program))
    });
    named.collect()
}

/// Why a runtime is not available on this machine, by its name.
pub fn lacking(runtime: &str) -> Option<String> {
    runtime_program(runtime::by_name(runtime)?).err()
}

/// Why an arm of a family cannot be measured on this machine.
pub fn unavailable(family: &Family, arm: &Arm) -> Option<String> {
    let (strategy, workload) = (arm.strategy.as_str(), family.spec.workload.as_str());
    let runtime = runtime::by_name(&family.runtime)?;
    if let Err(reason) = runtime.supports(strategy).and_then(|()| runtime.supports(workload)) {
        return Some(reason.to_owned());
    }
    if family.placement == Placement::OtherCore && cores() < 2 {
        return Some("other-core needs two cores, and this process may use one".to_owned());
    }
    if family.placement == Placement::OtherCore && !runtime.places_children {
        return Some(format!("{} cannot move its children to another core", runtime.title));
    }
    strategy_unavailable(strategy).or_else(|| match runtime_program(runtime) {
        Err(reason) => Some(reason),
        Ok(program) => {
            let lacks =
                |package: &&str| program.versions.get(*package).is_none_or(String::is_empty);
            let package = runtime.packages(strategy, workload).find(lacks)?;
            Some(format!("package `{package}` is not installed; run scripts/setup-runtimes"))
        }
    })
}

/// Why a strategy cannot run on this machine, in any runtime.
pub fn strategy_unavailable(strategy: &str) -> Option<String> {
    let needs_shell = strategy == "exec";
    (needs_shell && !is_program(Path::new(SHELL))).then(|| format!("there is no {SHELL}"))
}

fn program(name: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(SUBJECT_VARIABLE).map(PathBuf::from) {
        if !is_program(&path) {
            let path = path.display();
            bail!("{SUBJECT_VARIABLE} is `{path}`, which is not an executable file");
        }
        return Ok(path);
    }
    let driver = std::env::current_exe()?;
    let subject = driver.with_file_name(name);
    if !is_program(&subject) {
        let dir = driver.parent().unwrap_or(Path::new("."));
        bail!(
            "there is no `{name}` next to the driver in {}; build both with \
             `cargo build --release`, or name it in {SUBJECT_VARIABLE}",
            dir.display()
        );
    }
    Ok(subject)
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
