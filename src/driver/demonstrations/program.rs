//! A program that is run to its end: its output kept within bounds, its process group ended at a
//! deadline.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::driver::{interrupted, watcher};
use crate::subject::watch;
use crate::sys::clock::now_ns;
use crate::sys::poller::{Poller, Ready};
use crate::sys::process::{self, Block, ExitStatus};

/// So much of standard output is kept; more is no list of facts.
pub(in crate::driver) const OUT_MAX_BYTES: usize = 256 << 10;

/// So much of the end of standard error is kept, for its last line.
const ERR_KEPT_BYTES: usize = 4096;

const READ_BYTES: usize = 16 << 10;

/// So often it is read once more when the program has ended: what a pipe holds, and no more, since
/// somebody whom it left may go on filling it.
const LAST_READS: usize = (1 << 20) / READ_BYTES;

/// How often it is looked whether the user wants the run to end.
const LOOK_NS: u64 = 50_000_000;

const EXIT: u64 = 2;

/// What became of a program.
#[derive(Debug)]
pub(in crate::driver) struct Ended {
    pub(in crate::driver) how: How,
    /// Standard output, as far as it was kept.
    pub(in crate::driver) out: Vec<u8>,
    /// The end of standard error.
    pub(in crate::driver) err: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub(in crate::driver) enum How {
    /// By itself.
    Exited(ExitStatus),
    /// It was ended at its deadline.
    Late,
    /// It was ended because it wrote too much.
    Flooded,
}

/// Runs a program in `dir` and with this whole environment; `None` if the user wants the run to
/// end. Whatever it started and did not end may still be there afterwards, unless it was ended at
/// the deadline with its whole group.
///
/// # Errors
/// It could not be started or waited for; it is gone then.
pub(in crate::driver) fn run(
    command: &[PathBuf],
    environment: &[(String, String)],
    dir: &Path,
    until_ns: u64,
) -> io::Result<Option<Ended>> {
    let shown = command.iter().map(|part| part.display().to_string());
    let shown = shown.collect::<Vec<_>>().join(" ");
    let attempt =
        |error: io::Error| io::Error::new(error.kind(), format!("run `{shown}`: {error}"));
    let mut running = Running::start(command, environment, dir).map_err(attempt)?;
    let mut events = Vec::new();
    let how = loop {
        if interrupted() {
            return Ok(None);
        }
        let now = now_ns();
        if now >= until_ns {
            break How::Late;
        }
        let wait_ns = (until_ns - now).min(LOOK_NS);
        running.poller.wait(&mut events, Some(wait_ns)).map_err(attempt)?;
        running.take(&events).map_err(attempt)?;
        if running.streams[0].kept.len() > OUT_MAX_BYTES {
            break How::Flooded;
        }
        if let Some(status) = running.exit {
            break How::Exited(status);
        }
    };
    let [out, err] = &mut running.streams;
    Ok(Some(Ended { how, out: std::mem::take(&mut out.kept), err: std::mem::take(&mut err.kept) }))
}

/// Dropping it ends it with its group.
struct Running {
    pid: u32,
    /// Watched for as long as the process is.
    _pidfd: OwnedFd,
    poller: Poller,
    streams: [Stream; 2],
    exit: Option<ExitStatus>,
}

/// Standard output or error.
struct Stream {
    /// `None` once it has ended.
    fd: Option<OwnedFd>,
    kept: Vec<u8>,
}

impl Running {
    fn start(
        command: &[PathBuf],
        environment: &[(String, String)],
        dir: &Path,
    ) -> io::Result<Running> {
        let Some((program, args)) = command.split_first() else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let poller = Poller::new()?;
        let mut child = Command::new(program)
            .args(args)
            .env_clear()
            .envs(environment.iter().map(|(k, v)| (k, v)))
            .env(watch::VARIABLE, watcher::run_name())
            .current_dir(dir)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let pid = child.id();
        let out = child.stdout.take().map(OwnedFd::from);
        let err = child.stderr.take().map(OwnedFd::from);
        // From here on it is owned: an error below ends it.
        let owned = Unwatched(pid);
        process::dump_no_core(pid);
        let pidfd = process::pidfd(pid)?;
        poller.add(&pidfd, EXIT)?;
        let mut streams = [out, err].map(|fd| Stream { fd, kept: Vec::new() });
        for (key, stream) in (0..).zip(&mut streams) {
            if let Some(fd) = &stream.fd {
                rustix::io::ioctl_fionbio(fd, true)?;
                poller.add(fd, key)?;
            }
        }
        std::mem::forget(owned);
        Ok(Running { pid, _pidfd: pidfd, poller, streams, exit: None })
    }

    fn take(&mut self, events: &[Ready]) -> io::Result<()> {
        for event in events {
            if event.key == EXIT {
                let exit = process::wait(self.pid, Block::No)?;
                self.exit = exit.map(|exit| exit.status);
            } else {
                self.read(event.key as usize)?;
            }
        }
        if self.exit.is_some() {
            // What it said last is in the pipes. Their ends need not come: somebody whom it left
            // may hold them.
            for which in 0..self.streams.len() {
                for _ in 0..LAST_READS {
                    if !self.read(which)? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads once; whether anything was there.
    fn read(&mut self, which: usize) -> io::Result<bool> {
        let stream = &mut self.streams[which];
        let Some(fd) = &stream.fd else {
            return Ok(false);
        };
        let mut buffer = [0; READ_BYTES];
        match rustix::io::retry_on_intr(|| rustix::io::read(fd, &mut buffer)) {
            Ok(0) => {
                self.poller.remove(fd)?;
                stream.fd = None;
                Ok(false)
            }
            Ok(n) => {
                stream.kept.extend_from_slice(&buffer[..n]);
                if which == 1 {
                    let dropped = stream.kept.len().saturating_sub(ERR_KEPT_BYTES);
                    stream.kept.drain(..dropped);
                }
                Ok(true)
            }
            Err(rustix::io::Errno::AGAIN) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.exit.is_none() {
            end(self.pid);
        }
    }
}

/// A child of which nothing is known yet but its number.
struct Unwatched(u32);

impl Drop for Unwatched {
    fn drop(&mut self) {
        end(self.0);
    }
}

fn end(pid: u32) {
    process::kill_tree(pid);
    // It is gone in any case; what it ended with is of no interest.
    let _ = process::wait(pid, Block::Yes);
}
