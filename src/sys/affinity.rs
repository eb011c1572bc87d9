//! On which cores a process may run.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The variable that tells a subject's children the core they are to run on. A variable and not
/// an argument, because all that a child starts inherits it, and because setting it per child would
/// cost each start a copy of the environment.
pub const CHILD_CPU: &str = "FORKBENCH_CHILD_CPU";

/// The cores that the calling thread may run on, ascending.
///
/// # Errors
/// The kernel refused to say.
pub fn allowed() -> io::Result<Vec<u32>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).map(|cpu| cpu as u32).collect())
}

/// Restricts the calling thread, and all that it starts from now on, to these cores.
///
/// # Errors
/// None of them exists or may be used.
pub fn restrict(cpus: &[u32]) -> io::Result<()> {
    let mut set = CpuSet::new();
    cpus.iter().for_each(|&cpu| set.set(cpu as usize));
    Ok(sched_setaffinity(None, &set)?)
}

/// Moves the calling thread to the core that children are told to run on, if they are told any.
/// A process cannot be created on another core than its parent's without the parent moving too,
/// so each child moves itself, first thing.
pub fn move_child() {
    let Some(cpu) = std::env::var_os(CHILD_CPU) else {
        return;
    };
    if let Some(cpu) = cpu.to_str().and_then(|text| text.parse().ok()) {
        // The driver has checked that the core exists; one that has gone since shows in the
        // figures, not here.
        let _ = restrict(&[cpu]);
    }
}
