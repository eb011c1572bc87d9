//! Starting a subject and waiting until it is ready.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{SOCKET, Target, TargetError};
use crate::driver::watcher;
use crate::protocol::conn::Conn;
use crate::protocol::{Configure, Header, Kind, Ready};
use crate::subject::watch;
use crate::sys::clock::now_ns;
use crate::sys::poller::Poller;
use crate::sys::process;
use crate::sys::socket;

/// Maximum time of a subject from its start to READY: a gibibyte of ballast at first touch, on
/// a slow machine, several times over.
pub const READY_NS: u64 = 60_000_000_000;

/// How to start a subject.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program and its arguments.
    pub command: Vec<PathBuf>,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// The file for its standard error.
    pub stderr: PathBuf,
}

/// The environment of subjects. An inherited variable can double a runtime's start
/// (`NODE_EXTRA_CA_CERTS` costs every Node process 32 ms), so none is inherited.
pub fn subject_environment() -> Vec<(String, String)> {
    let fixed = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("TZ", "UTC")];
    fixed.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec()
}

/// Asked repeatedly while READY is waited for. Its error ends the wait.
pub type Guard = fn() -> Result<(), TargetError>;

impl Target {
    /// Starts a subject, configures it and waits for READY.
    ///
    /// # Errors
    /// It could not be started, ended, failed or did not answer; or the user interrupted.
    pub fn start(launch: &Launch, configure: &Configure) -> Result<Target, TargetError> {
        Target::start_within(launch, configure, None, READY_NS)
    }

    /// The same under a guard, and with another time to READY.
    ///
    /// # Errors
    /// As [`Target::start`], and the guard's error.
    pub fn start_within(
        launch: &Launch,
        configure: &Configure,
        guard: Option<Guard>,
        ready_within_ns: u64,
    ) -> Result<Target, TargetError> {
        let started_ns = now_ns();
        let name = launch.command.iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let spawned = spawn(launch, started_ns);
        let mut target = spawned.map_err(TargetError::io(format!("start subject `{name}`")))?;
        target.guard = guard;
        target.configure(configure, ready_within_ns)?;
        Ok(target)
    }

    fn configure(&mut self, configure: &Configure, within_ns: u64) -> Result<(), TargetError> {
        let body = serde_json::to_vec(configure).map_err(io::Error::from);
        let body = body.map_err(TargetError::io("write CONFIGURE"))?;
        self.conn.push(Header::new(Kind::Configure, 0), &[&body]);
        self.flush()?;
        let deadline = self.started_ns + within_ns;
        let frame = self.wait_for(Kind::Ready, deadline, "did not become ready in time")?;
        self.ready_ns = now_ns();
        self.ready = serde_json::from_slice(&frame.body).map_err(|error| {
            TargetError::Protocol(format!("sent a READY that cannot be read: {error}"))
        })?;
        if !(self.started_ns..=self.ready_ns).contains(&self.ready.now_ns) {
            return Err(TargetError::Protocol(format!(
                "reads another clock: its READY says {} ns, between {} and {} was due",
                self.ready.now_ns, self.started_ns, self.ready_ns
            )));
        }
        Ok(())
    }
}

fn spawn(launch: &Launch, started_ns: u64) -> io::Result<Target> {
    let (ours, theirs) = socket::stream_pair()?;
    let stderr = File::create(&launch.stderr)?;
    let Some((program, args)) = launch.command.split_first() else {
        return Err(io::ErrorKind::InvalidInput.into());
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
        .spawn()?;
    process::prefer_in_shortage(child.id());
    process::dump_no_core(child.id());
    let pidfd = process::pidfd(child.id())?;
    let conn = Conn::new(ours)?;
    let poller = Poller::new()?;
    poller.add(&conn, SOCKET)?;
    Ok(Target {
        conn,
        poller,
        events: Vec::new(),
        pid: child.id(),
        pidfd,
        exit: None,
        stderr: launch.stderr.clone(),
        guard: None,
        meter: None,
        started_ns,
        ready_ns: 0,
        ready: Ready::default(),
    })
}
