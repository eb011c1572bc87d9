//! The proof that a trial has left nothing behind: no child, no zombie, no open descriptor, no
//! named semaphore.
//!
//! The driver is the subreaper of its subjects' children, so all that still runs after a subject's
//! end is a child of the driver.

use std::fs;
use std::io;

use super::{processes, watcher};
use crate::subject::watch;
use crate::sys::process::{self, Block};

/// The leftovers of a trial, before they were cleaned up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leftovers {
    /// Processes that had ended and only waited to be reaped.
    pub zombies: u32,
    /// Processes that still ran; they are killed.
    pub running: u32,
    /// Named semaphores and shared memory; they are removed.
    pub objects: u32,
}

/// Kills and reaps every child of this process but the `preexisting` ones: its watcher, and those
/// of a shell that replaced itself with this program. Then removes the named semaphores of dead
/// processes: Python's are removed by a process that is itself a child. To be called when no subject
/// is running.
///
/// # Errors
/// `/proc` cannot be read, or there is a child that can neither be reaped nor killed.
pub fn clean_up(preexisting: &[u32]) -> io::Result<Leftovers> {
    let mut found = Leftovers::default();
    // A process that is killed hands its own children over in turn: again until there are none.
    loop {
        let mut left = children()?;
        left.retain(|pid| !preexisting.contains(pid));
        if left.is_empty() {
            found.objects = watch::remove_named(watcher::run_name(), watch::SHARED_MEMORY.as_ref());
            return Ok(found);
        }
        for pid in left {
            if process::wait(pid, Block::No)?.is_some() {
                found.zombies += 1;
            } else {
                process::kill(pid);
                process::wait(pid, Block::Yes)?;
                found.running += 1;
            }
        }
    }
}

/// The children of this process.
///
/// # Errors
/// `/proc` cannot be read.
pub fn children() -> io::Result<Vec<u32>> {
    Ok(processes::children_in(&processes::parents()?, std::process::id()))
}

/// How many descriptors this process has open.
///
/// # Errors
/// `/proc` cannot be read.
pub fn open_descriptors() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}
