//! Starting programs: the one place that calls `Command`, kept bare so that it goes through
//! posix_spawn. No `pre_exec`, no user or group, no changed PATH, an absolute program: each of
//! these would silently turn it into fork + exec.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use crate::sys::process::{self, Block, Exit};

/// A command for a program that leads a process group of its own, so that it can be killed with
/// whatever it starts. Standard input is the subject's, which is the null device.
pub(super) fn command(program: &OsStr) -> Command {
    let mut command = Command::new(program);
    command.process_group(0);
    command
}

/// A process that this one started and has not reaped yet. Dropping it kills and reaps it.
#[derive(Debug)]
pub(super) struct Owned {
    pid: u32,
    pidfd: OwnedFd,
    reaped: bool,
}

impl AsFd for Owned {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Owned {
    /// Takes over a child that nobody has waited for.
    pub(super) fn new(child: &Child) -> io::Result<Owned> {
        Owned::from_pid(child.id())
    }

    /// Takes over this process's own, not yet reaped child.
    pub(super) fn from_pid(pid: u32) -> io::Result<Owned> {
        match process::pidfd(pid) {
            Ok(pidfd) => Ok(Owned { pid, pidfd, reaped: false }),
            Err(error) => {
                // Without a descriptor its end would go unnoticed: it must not go on.
                process::kill_tree(pid);
                let _ = process::wait(pid, Block::Yes);
                Err(error)
            }
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Kills it with its process group; it stays to be reaped.
    pub(super) fn kill(&self) {
        if !self.reaped {
            process::kill_tree(self.pid);
        }
    }

    /// Reaps it if it has ended.
    pub(super) fn try_reap(&mut self) -> Option<Exit> {
        if self.reaped {
            return None;
        }
        // An error is impossible while it is ours and not reaped; it would mean that it is gone.
        let exit = process::wait(self.pid, Block::No).ok().flatten()?;
        self.reaped = true;
        Some(exit)
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if !self.reaped {
            process::kill_tree(self.pid);
            let _ = process::wait(self.pid, Block::Yes);
        }
    }
}

/// Starts `command` with one end of a socket pair as its standard input, and gives the other.
///
/// # Errors
/// The system refused the sockets or the process.
pub(super) fn with_socket(mut command: Command) -> io::Result<(Owned, OwnedFd)> {
    let (ours, theirs) = crate::sys::socket::stream_pair()?;
    let child = command.stdin(Stdio::from(theirs)).spawn()?;
    Ok((Owned::new(&child)?, ours))
}

/// What a failed start is called in an outcome's reason.
pub(super) fn start_error(program: &OsStr, error: &io::Error) -> String {
    format!("start `{}`: {error}", program.to_string_lossy())
}
