//! What this machine has: cores, the subject's program, and what is missing for a strategy.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::experiment::Placement;
use crate::experiment::runtime::{self, Program, Runtime};

/// Names the Rust subject where it is not beside the driver.
pub const SUBJECT_VARIABLE: &str = "FORKBENCH_SUBJECT";

const SHELL: &str = "/bin/sh";

/// Cores that this process may use, at least 1: what `"1x"` means.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX))
}

/// The program that serves as the Rust subject.
///
/// # Errors
/// Where it was looked for, and how to get it.
pub fn subject_program() -> Result<PathBuf> {
    program("forkbench-subject")
}

/// The program that serves as this runtime's subject.
///
/// # Errors
/// Why the runtime is not available here, and how to get it.
pub fn runtime_program(runtime: &Runtime) -> Result<PathBuf> {
    match runtime.program {
        Program::Beside(name) => program(name),
    }
}

/// Why a strategy of a runtime cannot be measured on this machine with this placement.
pub fn unavailable(runtime: &str, strategy: &str, placement: Placement) -> Option<String> {
    let unsupported = runtime::by_name(runtime).and_then(|known| known.supports(strategy).err());
    if let Some(reason) = unsupported {
        return Some(reason.to_owned());
    }
    if placement == Placement::OtherCore && cores() < 2 {
        return Some("other-core needs two cores, and this process may use one".to_owned());
    }
    strategy_unavailable(strategy)
}

/// Why a strategy cannot run on this machine, whatever the runtime.
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
            "there is no `{name}` beside the driver in {}; build both with \
             `cargo build --release`, or name it in {SUBJECT_VARIABLE}",
            dir.display()
        );
    }
    Ok(subject)
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
