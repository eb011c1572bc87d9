//! The driver: starts subjects, offers load, takes times from the intended start, verifies
//! answers, records. It never runs a workload.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::sys::process;

mod calibrate;
pub mod cgroup;
pub mod cpu;
pub mod demonstrations;
pub mod leftovers;
pub mod load;
pub mod memory;
pub mod noise;
pub mod oracle;
mod output;
mod pinning;
mod private;
mod processes;
pub mod programs;
mod recorder;
pub mod run;
pub mod samples;
mod search;
pub mod selftest;
mod setting;
mod sources;
pub mod target;
pub mod trial;
pub mod watcher;
mod work;

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Turns Ctrl-C, SIGTERM, SIGQUIT and the end of the terminal (SIGHUP) into a flag that is checked
/// between requests, so that a run ends with its files whole and its children reaped. A second
/// one ends the program at once; the [`watcher`] then ends its processes.
///
/// # Errors
/// The handlers could not be installed.
pub fn catch_interrupts() -> std::io::Result<()> {
    let flag = INTERRUPTED.get_or_init(Arc::default);
    // Signals that `nohup` makes a program ignore stay ignored.
    let heeded = [SIGHUP, SIGQUIT].into_iter().filter(|&signal| !process::is_ignored(signal));
    for signal in [SIGINT, SIGTERM].into_iter().chain(heeded) {
        // In this order: the shutdown looks at the flag as the signal before left it.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(flag))?;
        signal_hook::flag::register(signal, Arc::clone(flag))?;
    }
    Ok(())
}

/// Makes a write beyond the limit on file sizes fail instead of ending this process. By a handler,
/// since an ignored signal would stay ignored in the subjects.
///
/// # Errors
/// The handler could not be installed.
pub fn survive_file_size_limit() -> std::io::Result<()> {
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default()).map(drop)
}

/// Whether the user wants the run to end.
pub fn interrupted() -> bool {
    INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}
