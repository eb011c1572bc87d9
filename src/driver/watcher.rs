//! The driver's side of the watcher, a process of its own that ends the processes of a run when
//! the driver is gone. The reasons are in [`watch`].

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use super::{cgroup, leftovers};
use crate::subject::watch;
use crate::sys::clock::now_ns;
use crate::sys::poller::Poller;
use crate::sys::process::{self, Block};

/// Maximum time of the watcher from its start to its first word.
const READY_NS: u64 = 10_000_000_000;

/// The name of this process's runs, which all that it starts carries.
pub fn run_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| watch::name_of(std::process::id(), now_ns()))
}

/// A running watcher. Dropping it ends what this process has started, and then the watcher, since
/// nothing is left for it to do.
#[derive(Debug)]
pub struct Watcher {
    pid: u32,
    /// Its end is what the watcher waits for. Nothing else holds it: it is closed by every exec.
    pipe: Option<OwnedFd>,
    /// Preexisting children of this process.
    preexisting: Vec<u32>,
}

impl Watcher {
    /// Starts it from the Rust subject's program. It is a child like any that was there before the
    /// run: [`leftovers`] leaves it alone.
    ///
    /// # Errors
    /// It could not be started, or did not say in time that it watches.
    pub fn start(subject: &Path) -> Result<Watcher> {
        let attempt = || format!("start a watcher, `{} {}`", subject.display(), watch::MODE);
        let preexisting = leftovers::children().with_context(attempt)?;
        let (theirs, ours) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).with_context(attempt)?;
        let mut command = Command::new(subject);
        command.arg(watch::MODE).arg(run_name()).arg(watch::SHARED_MEMORY);
        // Without this run's variable: it is not to end itself.
        command.args(cgroup::parents_of_trial_groups()).env_clear();
        command.stdin(theirs).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(attempt)?;
        // Owned from here on.
        let watcher = Watcher { pid: child.id(), pipe: Some(ours), preexisting };
        let said = child.stdout.take().map(OwnedFd::from);
        if !said.map_or(Ok(false), says_ready).with_context(attempt)? {
            bail!("{}: it did not say that it watches", attempt());
        }
        Ok(watcher)
    }
}

/// Whether a byte comes in time.
fn says_ready(said: OwnedFd) -> std::io::Result<bool> {
    let poller = Poller::new()?;
    poller.add(&said, 0)?;
    let mut ready = Vec::new();
    poller.wait(&mut ready, Some(READY_NS))?;
    Ok(!ready.is_empty() && File::from(said).read(&mut [0])? == 1)
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.preexisting.push(self.pid);
        if leftovers::clean_up(&self.preexisting).is_ok() {
            process::kill(self.pid);
            let _ = process::wait(self.pid, Block::Yes);
        }
        // Where something cannot be ended, the watcher goes on trying after this process's end.
        self.pipe = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_watch_is_refused() {
        for (program, said) in
            [("/bin/true", "did not say that it watches"), ("/nonexistent", "start a watcher")]
        {
            let error = Watcher::start(Path::new(program)).unwrap_err();
            assert!(format!("{error:#}").contains(said), "{error:#}");
        }
    }
}
