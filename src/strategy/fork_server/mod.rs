//! A fork server: a copy of the subject made before any thread existed, with the input loaded,
//! that forks a child per order. The subject talks to it in messages over a socket. A child of a
//! small task has it from the order and answers in messages over the same socket; others talk to
//! the subject over sockets of their own, which travel with the orders.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use super::launch::Owned;
use super::{Ballast, Context, Setup};
use crate::sys::poller::Ready;
use crate::sys::process::{self, ExitStatus, Fork, SingleThreaded};
use crate::sys::usage::Usage;
use crate::sys::{affinity, socket};
use crate::workload::options::{OptionDef, Values};

mod children;
mod message;
mod serve;

pub use message::{MAX_PAYLOAD_BYTES, Notice, Order};

/// The option that says whether the server has run a request before it forks.
pub const WARM: OptionDef = crate::options! {
    /// whether the fork server has run one request before the first fork
    warm = "yes", Values::Word(&["yes", "no"]);
}[0];

/// What children of the server do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildRole {
    /// One task, then exit.
    Task,
    /// Tasks until the socket closes.
    Worker,
}

/// The subject's side of a fork server.
#[derive(Debug)]
pub struct ForkServer {
    socket: Option<OwnedFd>,
    process: Owned,
    key: u64,
    ready: Option<Usage>,
    /// Orders, encoded, with their descriptors.
    waiting: VecDeque<(Vec<u8>, Option<OwnedFd>)>,
    /// The socket was full, and is watched for room.
    behind: bool,
    exited: bool,
}

impl ForkServer {
    /// Forks the server off this process. `key` and `key + 1` are for its two descriptors.
    ///
    /// # Errors
    /// This process has threads already, or the system refused.
    pub fn start(setup: &Setup<'_>, role: ChildRole, key: u64) -> Result<ForkServer, String> {
        let proof = SingleThreaded::assert().map_err(|e| format!("start a fork server: {e}"))?;
        let fail = |error: io::Error| format!("start a fork server: {error}");
        let (ours, theirs) = socket::message_pair().map_err(fail)?;
        match process::fork(&proof).map_err(fail)? {
            Fork::Parent(pid) => {
                let process = Owned::new(pid).map_err(fail)?;
                drop(theirs);
                rustix::io::ioctl_fionbio(&ours, true).map_err(|e| fail(e.into()))?;
                setup.poller.add(&ours, key).map_err(fail)?;
                setup.poller.add(&process, key + 1).map_err(fail)?;
                Ok(ForkServer {
                    socket: Some(ours),
                    process,
                    key,
                    ready: None,
                    waiting: VecDeque::new(),
                    behind: false,
                    exited: false,
                })
            }
            Fork::Child => {
                process::close_all_but(theirs.as_fd());
                process::die_with_parent();
                // Its children start on its core.
                affinity::move_child();
                // Asserted again, of this process: loading or warming up may have started a thread.
                let loaded = Loaded::prepare(setup).and_then(|loaded| {
                    let proof = SingleThreaded::assert().map_err(|error| error.to_string())?;
                    Ok((loaded, proof))
                });
                serve::serve(&theirs, role, loaded);
                process::exit_now(0)
            }
        }
    }

    pub fn is_ready(&self) -> bool {
        self.ready.is_some()
    }

    pub fn usage_at_ready(&self) -> Usage {
        self.ready.unwrap_or_default()
    }

    pub fn is_closed(&self) -> bool {
        self.exited
    }

    /// Has an order obeyed; a [`Order::Fork`] comes with the child's socket.
    pub fn send(&mut self, order: Order<'_>, fd: Option<OwnedFd>, cx: &mut Context<'_>) {
        self.waiting.push_back((order.encode(), fd));
        self.flush(cx);
    }

    /// Tells the server to kill its children, reap them and exit.
    pub fn close(&mut self, cx: &mut Context<'_>) {
        self.waiting.clear();
        if let Some(socket) = self.socket.take() {
            let _ = cx.poller.remove(&socket);
        }
    }

    /// One of its two descriptors is ready: what the server said.
    ///
    /// # Errors
    /// The server has ended or failed although it was not told to.
    pub fn ready(&mut self, ready: Ready, cx: &mut Context<'_>) -> Result<Vec<Notice>, String> {
        let mut notices = Vec::new();
        if ready.key == self.key {
            if ready.writable {
                self.flush(cx);
            }
            self.read(&mut notices, cx)?;
        } else if let Some(exit) = self.process.try_reap() {
            let _ = cx.poller.remove(&self.process);
            self.exited = true;
            if self.socket.is_some() {
                self.read(&mut notices, cx)?;
                return Err(format!("the fork server {}", exit.status));
            }
        }
        Ok(notices)
    }

    fn read(&mut self, notices: &mut Vec<Notice>, cx: &mut Context<'_>) -> Result<(), String> {
        let mut buffer = [0; message::MAX_BYTES];
        while let Some(socket) = &self.socket {
            match socket::recv_message(socket, &mut buffer) {
                Ok((0, _)) => {
                    // Its exit, which is about to show, says more.
                    let _ = cx.poller.remove(socket);
                    return Ok(());
                }
                Ok((n, _)) => match Notice::decode(&buffer[..n])? {
                    Notice::Ready { usage } => self.ready = Some(usage),
                    Notice::Failed { reason } => return Err(reason),
                    notice => notices.push(notice),
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(format!("read from the fork server: {error}")),
            }
        }
        Ok(())
    }

    /// Sends what the socket takes; the rest waits for it to be writable.
    fn flush(&mut self, cx: &mut Context<'_>) {
        let Some(socket) = &self.socket else { return };
        while let Some((order, fd)) = self.waiting.front() {
            let fd: Option<BorrowedFd<'_>> = fd.as_ref().map(AsFd::as_fd);
            match socket::send_message(socket, [order, &[]], fd) {
                Ok(()) => drop(self.waiting.pop_front()),
                Err(error) if is_full(&error) => {
                    self.behind = true;
                    let _ = cx.poller.want_write(socket, self.key, true);
                    return;
                }
                // The server is gone; its exit is about to show.
                Err(_) => return,
            }
        }
        if std::mem::take(&mut self.behind) {
            let _ = cx.poller.want_write(socket, self.key, false);
        }
    }
}

/// The queue is full, or too many descriptors are under way in it.
fn is_full(error: &io::Error) -> bool {
    let full = [Errno::AGAIN, Errno::TOOMANYREFS].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| full.contains(&code))
}

/// What the server has in its memory when it forks.
pub struct Loaded {
    input: std::sync::Arc<dyn crate::workload::Input>,
    _ballast: Ballast,
}

impl Loaded {
    fn prepare(setup: &Setup<'_>) -> Result<Loaded, String> {
        let workload = setup.spec.workload()?;
        let input = setup.prepare()?;
        let loaded = Loaded { input, _ballast: Ballast::touch(setup.ballast_bytes) };
        // A workload that fails on purpose would take the server with it, one that stays until it
        // is let go would stay here.
        let is_warm = setup.options.get(WARM.name).is_some_and(|value| value == "yes");
        if is_warm && !workload.is_fault() && !workload.holds() {
            for task in 0..workload.tasks(setup.spec)? {
                let payload = vec![0; setup.spec.payload_bytes as usize];
                let _ = super::run::run(&*loaded.input, task as u16, payload);
            }
        }
        Ok(loaded)
    }
}

/// A child's end as the server saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// When it was reaped, in ns.
    pub at_ns: u64,
}
