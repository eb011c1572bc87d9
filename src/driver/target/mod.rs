//! Where the driver sends requests: a subject, started fresh, spoken to over a socket pair whose
//! other end is the subject's standard input. An inherited descriptor needs no name in the
//! file system, so no socket file can be left behind, and no other process can connect.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;

use super::cpu::{Meter, Reading};
use crate::protocol::conn::{Conn, Fill};
use crate::protocol::{FLAG_LIGHT, FinalStats, Frame, Header, Kind, Ready};
use crate::record::shown;
use crate::sys::clock::now_ns;
use crate::sys::poller::{self, Poller};
use crate::sys::process::{self, Block, Exit};

mod error;
mod launch;

use error::last_words;
pub use error::{TargetError, check_interrupt, last_line};
pub use launch::{Guard, Launch, READY_NS, subject_environment};

/// Maximum time of a subject from STOP to its exit, its own children included.
const STOP_NS: u64 = 5_000_000_000;

/// How often the socket of a subject that has closed it is read for a reason: it holds no more.
const LAST_READS: usize = 10_000;

/// How often a guard is asked.
const GUARD_NS: u64 = 20_000_000;

const SOCKET: u64 = 0;
const EXIT: u64 = 1;
const WATCHED: u64 = 2;

/// A running subject. Dropping it kills it with its process group and reaps it.
#[derive(Debug)]
pub struct Target {
    conn: Conn,
    poller: Poller,
    events: Vec<poller::Ready>,
    pid: u32,
    pidfd: OwnedFd,
    exit: Option<Exit>,
    stderr: PathBuf,
    guard: Option<Guard>,
    meter: Option<Meter>,
    /// When it was started, in ns.
    pub started_ns: u64,
    /// When READY had arrived, in ns.
    pub ready_ns: u64,
    /// Its own words about itself.
    pub ready: Ready,
}

/// How a subject ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farewell {
    /// Its last words.
    pub stats: FinalStats,
    /// How it exited, with what it and all its children used.
    pub exit: Exit,
}

impl Target {
    /// Queues a request; [`Target::flush`] sends it.
    pub fn push_run(&mut self, id: u64, payload: &[&[u8]]) {
        self.conn.push(Header::new(Kind::Run, id), payload);
    }

    /// Queues a light probe.
    pub fn push_light(&mut self, id: u64) {
        self.conn.push(Header::new(Kind::Light, id), &[]);
    }

    /// Queues a light probe that the strategy executes.
    pub fn push_light_run(&mut self, id: u64) {
        let header = Header { flags: FLAG_LIGHT, ..Header::new(Kind::Run, id) };
        self.conn.push(header, &[]);
    }

    /// Makes [`Target::wait`] return, with nothing read, also when `fd` is readable.
    ///
    /// # Errors
    /// The descriptor cannot be waited for.
    pub fn watch(&self, fd: BorrowedFd<'_>) -> Result<(), TargetError> {
        let added = self.poller.add(fd, WATCHED);
        added.map_err(TargetError::io("wait for another descriptor"))
    }

    /// Forgets a descriptor that was watched.
    pub fn unwatch(&self, fd: BorrowedFd<'_>) {
        // It was added.
        let _ = self.poller.remove(fd);
    }

    /// Sends what the socket takes; the rest follows while waiting.
    ///
    /// # Errors
    /// The subject is gone.
    pub fn flush(&mut self) -> Result<(), TargetError> {
        let was_behind = self.conn.is_behind();
        let done = match self.conn.flush() {
            Ok(done) => done,
            Err(_) => return Err(self.gone()),
        };
        if was_behind || !done {
            let wanted = self.poller.want_write(&self.conn, SOCKET, !done);
            wanted.map_err(TargetError::io("wait to write"))?;
        }
        Ok(())
    }

    /// Waits until frames are there or `until_ns` has come (`None`: without limit), and
    /// reads once. Gives the time after the read; 0 if nothing was read.
    ///
    /// # Errors
    /// The subject is gone.
    pub fn wait(&mut self, until_ns: Option<u64>) -> Result<u64, TargetError> {
        let timeout = until_ns.map(|until| until.saturating_sub(now_ns()));
        let waited = self.poller.wait(&mut self.events, timeout);
        waited.map_err(TargetError::io("wait for the subject"))?;
        let Some(&event) = self.events.first() else {
            return Ok(0);
        };
        if event.writable && self.conn.is_behind() {
            self.flush()?;
        }
        if !event.readable {
            return Ok(0);
        }
        match self.conn.fill() {
            Ok(Fill::Bytes(_)) => Ok(now_ns()),
            Ok(Fill::WouldBlock) => Ok(0),
            Ok(Fill::Closed) | Err(_) => match self.conn.at_end() {
                Ok(()) => Err(self.gone()),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// The next frame that has been read.
    ///
    /// # Errors
    /// It is invalid, or says that the subject has failed.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, TargetError> {
        match self.conn.next_frame()? {
            Some(frame) if frame.header.kind == Kind::Failed => {
                let reason = String::from_utf8_lossy(&frame.body);
                Err(TargetError::Failed(shown::bounded(&reason).into_owned()))
            }
            frame => Ok(frame),
        }
    }

    /// Waits for one frame of this kind. Late answers and reapings are passed over; any other kind
    /// is an error.
    fn wait_for(&mut self, kind: Kind, until_ns: u64, late: &str) -> Result<Frame, TargetError> {
        loop {
            // Bytes that are not this frame buy no time.
            if now_ns() >= until_ns {
                return Err(TargetError::Protocol(late.to_owned()));
            }
            if let Some(frame) = self.next_frame()? {
                match frame.header.kind {
                    found if found == kind => return Ok(frame),
                    Kind::Reply | Kind::Reaped | Kind::Light if kind == Kind::Stats => continue,
                    _ => {}
                }
                let what = format!("sent {:?} when {kind:?} was due", frame.header.kind);
                return Err(TargetError::Protocol(what));
            }
            check_interrupt()?;
            let next_ns = match self.guard {
                Some(guard) => {
                    guard()?;
                    until_ns.min(now_ns() + GUARD_NS)
                }
                None => until_ns,
            };
            self.wait(Some(next_ns))?;
        }
    }

    /// Lets this meter read the CPU time of its tree from now on.
    pub fn attach(&mut self, meter: Meter) {
        self.meter = Some(meter);
    }

    /// CPU time of its tree until now, if it has a meter that can be read.
    pub fn cpu(&self) -> Option<Reading> {
        self.meter.as_ref()?.read()
    }

    /// Tells it to end its children and exit, and reaps it.
    ///
    /// # Errors
    /// It did not do so in time, or not in order. It is gone in any case.
    pub fn stop(mut self) -> Result<Farewell, TargetError> {
        self.conn.push(Header::new(Kind::Stop, 0), &[]);
        self.flush()?;
        let until_ns = now_ns() + STOP_NS;
        let frame = self.wait_for(Kind::Stats, until_ns, "did not stop in time")?;
        let stats = serde_json::from_slice(&frame.body).map_err(|error| {
            TargetError::Protocol(format!("sent STATS that cannot be read: {error}"))
        })?;
        let exit = self.wait_exit(until_ns)?;
        match exit.status.success() {
            true => Ok(Farewell { stats, exit }),
            false => Err(self.ended(exit)),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    fn wait_exit(&mut self, until_ns: u64) -> Result<Exit, TargetError> {
        let attempt = || TargetError::io("wait for the subject's end");
        // Its socket closes before it can be reaped, and would be ready all the while.
        let _ = self.poller.remove(&self.conn);
        self.poller.add(&self.pidfd, EXIT).map_err(attempt())?;
        loop {
            if let Some(exit) = process::wait(self.pid, Block::No).map_err(attempt())? {
                self.exit = Some(exit);
                return Ok(exit);
            }
            let now = now_ns();
            if now >= until_ns {
                let what = "said its last word and did not exit".to_owned();
                return Err(TargetError::Protocol(what));
            }
            self.poller.wait(&mut self.events, Some(until_ns - now)).map_err(attempt())?;
        }
    }

    /// Why a subject has closed its socket. Its own reason says more than how it ended, and may
    /// still be unread where writing to it has failed.
    fn gone(&mut self) -> TargetError {
        for _ in 0..LAST_READS {
            match self.next_frame() {
                Err(failed @ TargetError::Failed(_)) => return failed,
                Ok(Some(_)) => {}
                Ok(None) if matches!(self.conn.fill(), Ok(Fill::Bytes(_))) => {}
                Ok(None) | Err(_) => break,
            }
        }
        match self.wait_exit(now_ns() + STOP_NS) {
            Ok(exit) => self.ended(exit),
            Err(_) => TargetError::Protocol("closed its socket and lives".to_owned()),
        }
    }

    fn ended(&self, exit: Exit) -> TargetError {
        TargetError::Gone { how: exit.status.to_string(), said: last_words(&self.stderr) }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if self.exit.is_none() {
            process::kill_tree(self.pid);
            let _ = process::wait(self.pid, Block::Yes);
        }
    }
}
