//! The driver: starts subjects, offers load, takes times from the intended start, verifies
//! answers, records. It never runs a workload.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

pub mod calibrate;
pub mod cpu;
pub mod demonstrations;
pub mod leftovers;
pub mod load;
pub mod memory;
pub mod noise;
mod open_row;
pub mod oracle;
mod placed;
mod private;
mod processes;
pub mod programs;
pub mod run;
pub mod samples;
pub mod search;
pub mod selftest;
pub mod target;
pub mod trial;

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Turns Ctrl-C and SIGTERM into a flag that is looked at between requests, so that a run ends
/// with its files whole and its children reaped. A second one ends the program at once; the
/// kernel then ends the subjects, which asked for that.
///
/// # Errors
/// The handlers could not be installed.
pub fn catch_interrupts() -> std::io::Result<()> {
    let flag = INTERRUPTED.get_or_init(Arc::default);
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // In this order: the shutdown looks at the flag as the signal before left it.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(flag))?;
        signal_hook::flag::register(signal, Arc::clone(flag))?;
    }
    Ok(())
}

/// Whether the user wants the run to end.
pub fn interrupted() -> bool {
    INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}
