//! Where the driver sends requests: a subject, started fresh, spoken to over a socket pair whose
//! other end is the subject's standard input. A descriptor that is inherited needs no name in the
//! file system, so no socket file can be left behind, and nobody else can connect.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cpu::{Meter, Reading};
use super::load::Measured;
use super::watcher;
use crate::protocol::conn::{Conn, Fill};
use crate::protocol::{Configure, FLAG_LIGHT, FinalStats, Frame, FrameError, Header, Kind, Ready};
use crate::record::shown;
use crate::subject::watch;
use crate::sys::clock::now_ns;
use crate::sys::limits;
use crate::sys::poller::{self, Poller};
use crate::sys::process::{self, Block, Exit};
use crate::sys::socket;

/// How long a subject may take from its start to READY: a gibibyte of ballast at first touch, on
/// a slow machine, several times over.
pub const READY_NS: u64 = 60_000_000_000;

/// How long a subject may take from STOP to its exit, its own children included.
const STOP_NS: u64 = 5_000_000_000;

/// So many frames and pieces of them are looked at for a reason when the socket has closed: more
/// than it holds.
const LAST_READS: usize = 10_000;

const SOCKET: u64 = 0;
const EXIT: u64 = 1;
const WATCHED: u64 = 2;

/// How to start a subject.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program and its arguments.
    pub command: Vec<PathBuf>,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// Where its standard error goes.
    pub stderr: PathBuf,
}

/// The environment that subjects get. An inherited variable can double a runtime's start
/// (`NODE_EXTRA_CA_CERTS` costs every Node process 32 ms), so none is.
pub fn subject_environment() -> Vec<(String, String)> {
    let fixed = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("TZ", "UTC")];
    fixed.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec()
}

/// Why a subject could not be used any further.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It could not be started or asked.
    #[error("{attempt}: {error}{}", limit(error))]
    Io {
        /// What was attempted, on what.
        attempt: String,
        /// What the system said.
        error: io::Error,
    },
    /// It sent what is no frame.
    #[error("the subject sent {0}")]
    Frame(#[from] FrameError),
    /// It said why itself.
    #[error("{0}")]
    Failed(String),
    /// It is gone.
    #[error("the subject {how}{said}")]
    Gone {
        /// "exited with 1"
        how: String,
        /// "; last line of stderr: …" or nothing.
        said: String,
    },
    /// It lives and does not answer.
    #[error("the subject {0}")]
    Silent(String),
    /// It answers, and too little to be measured.
    #[error("{0}")]
    TooSlow(String),
    /// The run's budget ended before the subject did what was due.
    #[error("the run's budget ended when the subject had {0}")]
    OutOfBudget(String),
    /// One of the others, under load.
    #[error("{error}")]
    UnderLoad {
        /// What went wrong.
        error: Box<TargetError>,
        /// What had been answered until then. Its times are of no window.
        measured: Box<Measured>,
    },
    /// One of the others that does not say by itself what the subject said last.
    #[error("{error}{said}")]
    Told {
        /// What went wrong.
        error: Box<TargetError>,
        /// "; last line of stderr: …"
        said: String,
    },
    /// The user wants the run to end.
    #[error("interrupted")]
    Interrupted,
}

impl TargetError {
    /// The error with the last line of the subject's standard error, if that is not in it yet.
    #[must_use]
    pub fn with_last_words(self, stderr: &Path) -> TargetError {
        let said = last_words(stderr);
        match self {
            TargetError::UnderLoad { error, measured } => {
                let error = Box::new(error.with_last_words(stderr));
                TargetError::UnderLoad { error, measured }
            }
            TargetError::Frame(_) | TargetError::Silent(_) | TargetError::OutOfBudget(_)
                if !said.is_empty() =>
            {
                let error = Box::new(self);
                TargetError::Told { error, said }
            }
            error => error,
        }
    }
}

impl TargetError {
    /// The error with what had been answered until then.
    #[must_use]
    pub fn under_load(self, measured: Measured) -> TargetError {
        match self {
            TargetError::Interrupted => self,
            error => {
                TargetError::UnderLoad { error: Box::new(error), measured: Box::new(measured) }
            }
        }
    }

    /// Whether it is the end of the budget, and says nothing of the subject.
    pub fn is_out_of_budget(&self) -> bool {
        match self {
            TargetError::OutOfBudget(_) => true,
            TargetError::UnderLoad { error, .. } | TargetError::Told { error, .. } => {
                error.is_out_of_budget()
            }
            _ => false,
        }
    }

    /// What had been answered before it, if it came under load.
    pub fn measured(&self) -> Option<&Measured> {
        match self {
            TargetError::UnderLoad { measured, .. } => Some(measured),
            _ => None,
        }
    }
}

/// What is asked again and again while READY is waited for, and ends the wait by an error.
pub type Guard = fn() -> Result<(), TargetError>;

/// How often a guard is asked.
const GUARD_NS: u64 = 20_000_000;

/// A running subject. Dropping it kills it with its process group and reaps it.
#[derive(Debug)]
pub struct Target {
    conn: Conn,
    poller: Poller,
    events: Vec<poller::Ready>,
    pid: u32,
    _pidfd: OwnedFd,
    exit: Option<Exit>,
    stderr: PathBuf,
    guard: Option<Guard>,
    meter: Option<Meter>,
    /// When it was started, in ns.
    pub started_ns: u64,
    /// When READY had arrived, in ns.
    pub ready_ns: u64,
    /// What it said about itself.
    pub ready: Ready,
}

/// How a subject ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farewell {
    /// What it said last.
    pub stats: FinalStats,
    /// How it exited, with what it and all its children used.
    pub exit: Exit,
}

impl Target {
    /// Starts a subject, configures it and waits for READY.
    ///
    /// # Errors
    /// It could not be started, ended, failed or was silent; or the user interrupted.
    pub fn start(launch: &Launch, configure: &Configure) -> Result<Target, TargetError> {
        Target::start_within(launch, configure, None, READY_NS)
    }

    /// The same under a guard, and with another time to READY.
    ///
    /// # Errors
    /// As [`Target::start`], and what the guard says.
    pub fn start_within(
        launch: &Launch,
        configure: &Configure,
        guard: Option<Guard>,
        ready_within_ns: u64,
    ) -> Result<Target, TargetError> {
        let started_ns = now_ns();
        let name = launch.command.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let attempt = |error: io::Error| TargetError::Io {
            attempt: format!("start subject `{name}`"),
            error,
        };
        let (ours, theirs) = socket::stream_pair().map_err(attempt)?;
        let stderr = File::create(&launch.stderr).map_err(attempt)?;
        let Some((program, args)) = launch.command.split_first() else {
            return Err(attempt(io::ErrorKind::InvalidInput.into()));
        };
        let child = Command::new(program)
            .args(args)
            .env_clear()
            .envs(launch.environment.iter().map(|(k, v)| (k, v)))
            .env(watch::VARIABLE, watcher::run_name())
            .process_group(0)
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .map_err(attempt)?;
        process::prefer_in_shortage(child.id());
        process::dump_no_core(child.id());
        let mut target = Target::adopt(child.id(), ours, launch, started_ns).map_err(attempt)?;
        target.guard = guard;
        target.configure(configure, ready_within_ns)?;
        Ok(target)
    }

    fn adopt(pid: u32, ours: OwnedFd, launch: &Launch, started_ns: u64) -> io::Result<Target> {
        let pidfd = process::pidfd(pid)?;
        let conn = Conn::new(ours)?;
        let poller = Poller::new()?;
        poller.add(&conn, SOCKET)?;
        Ok(Target {
            conn,
            poller,
            events: Vec::new(),
            pid,
            _pidfd: pidfd,
            exit: None,
            stderr: launch.stderr.clone(),
            guard: None,
            meter: None,
            started_ns,
            ready_ns: 0,
            ready: Ready::default(),
        })
    }

    fn configure(&mut self, configure: &Configure, within_ns: u64) -> Result<(), TargetError> {
        let body = serde_json::to_vec(configure).map_err(|error| TargetError::Io {
            attempt: "write CONFIGURE".to_owned(),
            error: error.into(),
        })?;
        self.conn.push(Header::new(Kind::Configure, 0), &[&body]);
        self.flush()?;
        let deadline = self.started_ns + within_ns;
        let frame = self.wait_for(Kind::Ready, deadline, "did not become ready in time")?;
        self.ready_ns = now_ns();
        self.ready = serde_json::from_slice(&frame.body).map_err(|error| {
            TargetError::Silent(format!("sent a READY that cannot be read: {error}"))
        })?;
        if !(self.started_ns..=self.ready_ns).contains(&self.ready.now_ns) {
            return Err(TargetError::Silent(format!(
                "reads another clock: its READY says {} ns, between {} and {} was due",
                self.ready.now_ns, self.started_ns, self.ready_ns
            )));
        }
        Ok(())
    }

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

    /// Has [`Target::wait`] return, with nothing read, when `fd` is readable, too.
    ///
    /// # Errors
    /// The descriptor cannot be waited for.
    pub fn watch(&self, fd: BorrowedFd<'_>) -> Result<(), TargetError> {
        self.poller.add(fd, WATCHED).map_err(|error| TargetError::Io {
            attempt: "wait for something beside the subject".to_owned(),
            error,
        })
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
            wanted.map_err(|error| TargetError::Io { attempt: "wait to write".into(), error })?;
        }
        Ok(())
    }

    /// Waits until frames are there or `until_ns` has come (`None`: something must come), and
    /// reads once. The stamp is of the moment after the read; 0 if nothing was read.
    ///
    /// # Errors
    /// The subject is gone.
    pub fn wait(&mut self, until_ns: Option<u64>) -> Result<u64, TargetError> {
        let timeout = until_ns.map(|until| until.saturating_sub(now_ns()));
        let waited = self.poller.wait(&mut self.events, timeout);
        waited
            .map_err(|error| TargetError::Io { attempt: "wait for the subject".into(), error })?;
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
    /// It is none, or says that the subject has failed.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, TargetError> {
        match self.conn.next_frame()? {
            Some(frame) if frame.header.kind == Kind::Failed => {
                let reason = String::from_utf8_lossy(&frame.body);
                Err(TargetError::Failed(shown::bounded(&reason).into_owned()))
            }
            frame => Ok(frame),
        }
    }

    /// Waits for one frame of this kind. Answers and reapings that nobody waits for any more are
    /// passed over; any other kind is an error.
    fn wait_for(&mut self, kind: Kind, until_ns: u64, late: &str) -> Result<Frame, TargetError> {
        loop {
            // Bytes that are not this frame buy no time.
            if now_ns() >= until_ns {
                return Err(TargetError::Silent(late.to_owned()));
            }
            if let Some(frame) = self.next_frame()? {
                match frame.header.kind {
                    found if found == kind => return Ok(frame),
                    Kind::Reply | Kind::Reaped | Kind::Light if kind == Kind::Stats => continue,
                    _ => {}
                }
                let what = format!("sent {:?} when {kind:?} was due", frame.header.kind);
                return Err(TargetError::Silent(what));
            }
            if super::interrupted() {
                return Err(TargetError::Interrupted);
            }
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

    /// Has the CPU time of its tree read by this meter from now on.
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
    /// It did not do so in time, or not orderly. It is gone in any case.
    pub fn stop(mut self) -> Result<Farewell, TargetError> {
        self.conn.push(Header::new(Kind::Stop, 0), &[]);
        self.flush()?;
        let until_ns = now_ns() + STOP_NS;
        let frame = self.wait_for(Kind::Stats, until_ns, "did not stop in time")?;
        let stats = serde_json::from_slice(&frame.body).map_err(|error| {
            TargetError::Silent(format!("sent STATS that cannot be read: {error}"))
        })?;
        let exit = self.wait_exit(until_ns)?;
        if !exit.status.success() {
            return Err(TargetError::Gone {
                how: exit.status.to_string(),
                said: last_words(&self.stderr),
            });
        }
        Ok(Farewell { stats, exit })
    }

    /// The subject's process: for whoever stops it to see what that does.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    fn wait_exit(&mut self, until_ns: u64) -> Result<Exit, TargetError> {
        let io_error =
            |error| TargetError::Io { attempt: "wait for the subject's end".into(), error };
        // Its socket closes before it can be reaped, and would be ready all the while.
        let _ = self.poller.remove(&self.conn);
        self.poller.add(&self._pidfd, EXIT).map_err(io_error)?;
        loop {
            if let Some(exit) = process::wait(self.pid, Block::No).map_err(io_error)? {
                self.exit = Some(exit);
                return Ok(exit);
            }
            let now = now_ns();
            if now >= until_ns {
                return Err(TargetError::Silent("said its last word and did not exit".to_owned()));
            }
            self.poller.wait(&mut self.events, Some(until_ns - now)).map_err(io_error)?;
        }
    }

    /// What became of a subject whose socket has closed. What it gave as its own reason says more
    /// than how it ended, and may still be unread where writing to it has failed.
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
            Ok(exit) => {
                TargetError::Gone { how: exit.status.to_string(), said: last_words(&self.stderr) }
            }
            Err(_) => TargetError::Silent("closed its socket and lives".to_owned()),
        }
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

/// "; the limit on processes is reached; …" or nothing.
fn limit(error: &io::Error) -> String {
    limits::behind(error).map_or_else(String::new, |limit| format!("; {limit}"))
}

/// The last line of standard error as the end of a message; nothing if nothing was said.
fn last_words(stderr: &Path) -> String {
    end_of(stderr)
        .ok()
        .and_then(|said| last_line(&said))
        .map(|l| format!("; last line of stderr: {l}"))
        .unwrap_or_default()
}

/// Its last bytes: a subject may have written gigabytes.
fn end_of(stderr: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(stderr)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_BYTES as u64)))?;
    let mut end = Vec::new();
    file.take(LAST_BYTES as u64).read_to_end(&mut end)?;
    Ok(end)
}

/// So much of the end of a text holds its last line.
const LAST_BYTES: usize = 4096;

/// The last line that is not blank, cut to a readable length.
pub(super) fn last_line(text: &[u8]) -> Option<String> {
    let end = &text[text.len().saturating_sub(LAST_BYTES)..];
    let line =
        String::from_utf8_lossy(end).lines().map(str::trim).rfind(|l| !l.is_empty())?.to_owned();
    Some(line.chars().take(300).collect())
}
