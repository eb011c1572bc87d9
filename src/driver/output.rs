//! The output of a program that is run to its end: kept within bounds, its process group ended at a
//! deadline.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, poll};

use super::{interrupted, watcher};
use crate::subject::watch;
use crate::sys::clock::{now_ns, timespec};
use crate::sys::process::{self, Block, ExitStatus};

/// Standard output may have this many bytes.
pub const OUT_MAX_BYTES: usize = 256 << 10;

/// This much of the end of standard error is kept, for its last lines.
const ERR_KEPT_BYTES: usize = 4096;

const READ_BYTES: usize = 16 << 10;

/// Reads of a pipe at once: as much as a pipe holds, and no more, since another process may go on
/// filling it.
const READS_MAX: usize = (1 << 20) / READ_BYTES;

/// How often a wait looks whether the user wants the run to end.
const LOOK_NS: u64 = 50_000_000;

/// A program that has ended, or was ended.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub how: How,
    /// Standard output.
    pub out: Vec<u8>,
    /// The end of standard error.
    pub err: Vec<u8>,
}

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub enum How {
    /// By itself.
    Exited(ExitStatus),
    /// It was ended at its deadline.
    Late,
    /// It was ended because it wrote too much.
    Flooded,
}

/// Runs a program with the command's arguments, environment and directory; `None` if the user
/// wants the run to end. Processes that it started may outlive it, unless it was ended at the
/// deadline with its whole group.
///
/// # Errors
/// It could not be started or waited for; it is gone then.
pub fn run(command: Command, until_ns: u64) -> Result<Option<Output>> {
    let parts = std::iter::once(command.get_program()).chain(command.get_args());
    let shown: Vec<String> = parts.map(|part| part.display().to_string()).collect();
    to_end(command, until_ns).with_context(|| format!("run `{}`", shown.join(" ")))
}

fn to_end(mut command: Command, until_ns: u64) -> Result<Option<Output>> {
    command.env(watch::VARIABLE, watcher::run_name()).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut running = Running { pid: child.id(), is_reaped: false };
    process::dump_no_core(running.pid);
    let pidfd = process::pidfd(running.pid)?;
    let mut out = Pipe::new(child.stdout.take().map(OwnedFd::from))?;
    let mut err = Pipe::new(child.stderr.take().map(OwnedFd::from))?;
    let how = loop {
        if interrupted() {
            return Ok(None);
        }
        let now = now_ns();
        if now >= until_ns {
            break How::Late;
        }
        wait([Some(&pidfd), out.fd.as_ref(), err.fd.as_ref()], (until_ns - now).min(LOOK_NS))?;
        // First its end, then the pipes, so that its last words are read. The end of a pipe need not
        // come: a process that it left may hold it.
        let exit = process::wait(running.pid, Block::No)?;
        running.is_reaped = exit.is_some();
        out.read()?;
        err.read()?;
        err.kept.drain(..err.kept.len().saturating_sub(ERR_KEPT_BYTES));
        if out.kept.len() > OUT_MAX_BYTES {
            break How::Flooded;
        }
        if let Some(exit) = exit {
            break How::Exited(exit.status);
        }
    };
    Ok(Some(Output { how, out: out.kept, err: err.kept }))
}

/// Waits until one of them is ready, at most this long.
fn wait(fds: [Option<&OwnedFd>; 3], ns: u64) -> io::Result<()> {
    let open = fds.into_iter().flatten();
    let mut open: Vec<PollFd<'_>> = open.map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    match poll(&mut open, Some(&timespec(ns))) {
        // The caller looks whether that was for it.
        Err(rustix::io::Errno::INTR) | Ok(_) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Dropping it ends the program with its group.
struct Running {
    pid: u32,
    is_reaped: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_reaped {
            process::kill_tree(self.pid);
            // It is gone in any case; how it ended does not matter.
            let _ = process::wait(self.pid, Block::Yes);
        }
    }
}

/// Standard output or error.
struct Pipe {
    /// `None` once it has ended.
    fd: Option<OwnedFd>,
    kept: Vec<u8>,
}

impl Pipe {
    fn new(fd: Option<OwnedFd>) -> io::Result<Pipe> {
        if let Some(fd) = &fd {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        Ok(Pipe { fd, kept: Vec::new() })
    }

    /// Reads what is there.
    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; READ_BYTES];
        for _ in 0..READS_MAX {
            let Some(fd) = &self.fd else {
                return Ok(());
            };
            match rustix::io::retry_on_intr(|| rustix::io::read(fd, &mut buffer)) {
                Ok(0) => self.fd = None,
                Ok(n) => self.kept.extend_from_slice(&buffer[..n]),
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
