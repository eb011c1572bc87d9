//! The proof that a trial has left nothing behind: no child, no zombie, no open descriptor.
//!
//! The driver adopts what its subjects' children leave (it is their subreaper), so whatever is
//! still there after a subject's end is a child of the driver.

use std::fs;
use std::io;

use rustix::io::Errno;

use crate::sys::process::{self, Block};

/// What a trial left, before it was cleaned up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leftovers {
    /// Processes that had ended and only waited to be reaped.
    pub zombies: u32,
    /// Processes that still ran; they are killed.
    pub running: u32,
}

/// Kills and reaps every child of this process. To be called when no subject is running.
///
/// # Errors
/// `/proc` cannot be read, or a child is left after all were killed and reaped.
pub fn clean_up() -> io::Result<Leftovers> {
    let mut found = Leftovers::default();
    // A process that is killed hands its own children over in turn: again until there are none.
    loop {
        match process::wait_any() {
            Ok(Some(_)) => found.zombies += 1,
            Ok(None) => found.running += kill_children()?,
            Err(error) if error.raw_os_error() == Some(Errno::CHILD.raw_os_error()) => {
                return Ok(found);
            }
            Err(error) => return Err(error),
        }
    }
}

fn kill_children() -> io::Result<u32> {
    let mut killed = 0;
    for pid in children()? {
        process::kill(pid);
        // Gone already, if it ended by itself between the two calls.
        if process::wait(pid, Block::Yes).is_ok() {
            killed += 1;
        }
    }
    Ok(killed)
}

/// The processes whose parent is this one.
fn children() -> io::Result<Vec<u32>> {
    let own = std::process::id();
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        // A process may end while the list is read.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
            continue;
        };
        if parent_of(&stat) == Some(own) {
            pids.push(pid);
        }
    }
    Ok(pids)
}

/// The fourth field of `/proc/PID/stat`; the second is a name in parentheses that may itself have
/// spaces and parentheses.
fn parent_of(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}

/// How many descriptors this process has open.
///
/// # Errors
/// `/proc` cannot be read.
pub fn open_descriptors() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_hide_the_parent() {
        assert_eq!(parent_of("12 (a) S 7) R 34 12 12"), Some(34));
        assert_eq!(parent_of("garbage"), None);
    }
}
