//! Starting programs: the one place that calls `Command`, kept bare so that it goes through
//! posix_spawn. No `pre_exec`, no user or group, no changed PATH, an absolute program: each of
//! these would silently turn it into fork + exec.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::{Ballast, Setup};
use crate::sys::process::{self, Block, Exit};

/// A command for a program that leads a process group of its own, so that it can be killed with
/// all that it starts. Standard input is the subject's, which is the null device.
pub fn command(program: &OsStr) -> Command {
    let mut command = Command::new(program);
    command.process_group(0);
    command
}

/// The program that is started per task or worker.
pub struct ChildProgram {
    program: OsString,
    /// Arguments that are the same every time.
    spec_args: Vec<OsString>,
    _ballast: Ballast,
}

impl ChildProgram {
    /// Touches the ballast, too: it belongs to the process that creates the children.
    pub fn new(setup: Setup<'_>) -> ChildProgram {
        ChildProgram {
            program: setup.program.into_os_string(),
            spec_args: setup.spec.to_args().into_iter().map(OsString::from).collect(),
            _ballast: Ballast::touch(setup.ballast_bytes),
        }
    }

    /// The command of a mode of the program: these arguments, then the spec.
    pub fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = command(&self.program);
        command.args(args).args(&self.spec_args);
        command
    }

    /// The words of the same command, for a shell.
    pub fn words<'a>(&'a self, args: &'a [OsString]) -> impl Iterator<Item = &'a OsString> {
        std::iter::once(&self.program).chain(args).chain(&self.spec_args)
    }

    /// The reason of a task whose program could not be started.
    pub fn start_error(&self, error: &io::Error) -> String {
        format!("start `{}`: {error}", self.program.to_string_lossy())
    }
}

/// A process that this one started and has not reaped yet. Dropping it kills and reaps it.
#[derive(Debug)]
pub struct Owned {
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
    /// Takes over this process's own, not yet reaped child.
    pub fn new(pid: u32) -> io::Result<Owned> {
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

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Kills it with its process group; it stays to be reaped.
    pub fn kill(&self) {
        if !self.reaped {
            process::kill_tree(self.pid);
        }
    }

    /// Reaps it if it has ended.
    pub fn try_reap(&mut self) -> Option<Exit> {
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
pub fn with_socket(mut command: Command) -> io::Result<(Owned, OwnedFd)> {
    let (ours, theirs) = crate::sys::socket::stream_pair()?;
    let child = command.stdin(Stdio::from(theirs)).spawn()?;
    Ok((Owned::new(child.id())?, ours))
}
