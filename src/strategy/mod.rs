//! How a request is EXECUTED. Each strategy is one file and one line in [`ALL`].
//!
//! A strategy begins a task without waiting (unless waiting *is* the strategy), is told when one
//! of its descriptors is ready, and reports what has finished. It knows no workload: it hands
//! tasks to an [`Input`], to a program's arguments or to a child's socket.

use std::path::PathBuf;
use std::sync::Arc;

use crate::protocol::Outcome;
use crate::sys::ballast::Ballast;
use crate::sys::poller::{Poller, Ready};
use crate::sys::usage::Usage;
use crate::workload::options::{OptionDef, Options, Values};
use crate::workload::{Input, Spec};

mod blocking;
mod census;
pub mod channel;
mod completion;
mod exec;
mod exec_file;
mod fork;
mod fork_ipc;
mod fork_server;
mod jobs;
mod launch;
mod pool;
mod prefork_pool;
mod program;
pub mod run;
mod spawn;
mod thread;
mod thread_pool;
mod workers;

pub use census::Census;

/// Every strategy, in the order in which tables show them.
pub const ALL: &[Kind] = &[
    blocking::KIND,
    thread::KIND,
    thread_pool::KIND,
    spawn::KIND,
    exec::KIND,
    exec_file::KIND,
    fork_ipc::KIND,
    fork::KIND,
    pool::KIND,
    prefork_pool::KIND,
];

/// The strategy of this name.
pub fn by_name(name: &str) -> Option<&'static Kind> {
    ALL.iter().find(|kind| kind.name == name)
}

/// Every name, in the order of the registry.
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|kind| kind.name).collect()
}

/// The facts of a strategy, known without starting it.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// As written in experiments, rows and on the command line.
    pub name: &'static str,
    /// One line for `forkbench list`.
    pub summary: &'static str,
    /// What an experiment may set, with defaults.
    pub options: &'static [OptionDef],
    /// Whether it creates processes per task that are reaped, so that a REAPED follows an answer.
    pub reaps: bool,
    /// What it creates.
    pub children: Children,
    /// Brings it up; it may still have children to wait for (see [`Strategy::is_ready`]).
    pub start: fn(Setup<'_>) -> Result<Box<dyn Strategy>, String>,
}

/// What a strategy creates to execute tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Children {
    /// Nothing: the subject's own loop executes them.
    None,
    /// Threads of the subject.
    Threads(Span),
    /// Programs, some of them behind a shell.
    Programs(Span),
    /// Copies of the fork server.
    Copies(Span),
}

/// How long a child lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// For one task.
    Request,
    /// From the start on, in a pool.
    Pool,
}

impl Children {
    /// How long they live; nothing of a strategy that creates none.
    pub fn span(self) -> Option<Span> {
        match self {
            Children::None => None,
            Children::Threads(span) | Children::Programs(span) | Children::Copies(span) => {
                Some(span)
            }
        }
    }
}

/// What a strategy is started with.
#[derive(Debug)]
pub struct Setup<'a> {
    /// What each request does.
    pub spec: &'a Spec,
    /// The strategy's options, resolved.
    pub options: &'a Options,
    /// Memory to touch in the process that creates children, in bytes.
    pub ballast_bytes: u64,
    /// The program to start per task or worker.
    pub program: PathBuf,
    /// Where it registers its descriptors.
    pub poller: &'a Poller,
}

impl Setup<'_> {
    /// The input, loaded into this process.
    ///
    /// # Errors
    /// The workload could not make it.
    pub fn prepare(&self) -> Result<Arc<dyn Input>, String> {
        self.spec.workload()?.prepare(self.spec)
    }
}

/// One way of executing tasks.
///
/// Keys under which it registers descriptors are its own, below [`FIRST_HOST_KEY`].
pub trait Strategy {
    /// Whether it can take tasks. Until then the subject is not READY.
    fn is_ready(&self) -> bool {
        true
    }

    /// Resources used so far by children that live and count as part of being ready.
    fn usage_at_ready(&self) -> Usage {
        Usage::default()
    }

    /// Begins a task. Its result arrives in [`Context::events`], now or later.
    fn begin(&mut self, task: Task, cx: &mut Context<'_>);

    /// One of its descriptors is ready.
    fn ready(&mut self, ready: Ready, cx: &mut Context<'_>) {
        let _ = (ready, cx);
    }

    /// The task's request has been given up: ends its children, with their process groups. The
    /// answer has been sent already; one that still comes is ignored, a reaping is not. A thread
    /// cannot be killed: it runs on, and its late answer is ignored.
    fn expire(&mut self, id: TaskId, cx: &mut Context<'_>) {
        let _ = (id, cx);
    }

    /// Work that no answer waits for. Called after the answers were sent.
    fn tidy(&mut self) {}

    /// Tells every child to end. Their ends arrive through [`Strategy::ready`].
    fn close(&mut self, cx: &mut Context<'_>) {
        let _ = cx;
    }

    /// Whether every child has ended and is accounted for.
    fn is_closed(&self) -> bool {
        true
    }

    /// How many children there were.
    fn census(&self) -> Census {
        Census::default()
    }
}

/// The lowest key that the host keeps for itself.
pub const FIRST_HOST_KEY: u64 = u64::MAX - 15;

/// What a strategy may use while it is called.
#[derive(Debug)]
pub struct Context<'a> {
    /// Where descriptors are registered.
    pub poller: &'a Poller,
    /// What happened, for the host.
    pub events: &'a mut Vec<Event>,
}

impl Context<'_> {
    /// A task was never executed.
    fn reject(&mut self, id: TaskId, reason: impl Into<String>) {
        self.events.push(Event::Done(Done::failed(id, Outcome::Rejected, reason)));
    }
}

/// One task of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    /// The request's id.
    pub request: u64,
    /// The task's index in the request.
    pub task: u16,
}

/// A task to run.
#[derive(Debug)]
pub struct Task {
    /// Which.
    pub id: TaskId,
    /// What the request carried.
    pub payload: Vec<u8>,
}

/// What happened to a task, or to the strategy.
#[derive(Debug)]
pub enum Event {
    /// The task has an outcome.
    Done(Done),
    /// The task's child is reaped. May come before its `Done`.
    Reaped {
        /// Which task.
        id: TaskId,
        /// When, in ns.
        at_ns: u64,
    },
    /// The strategy cannot go on.
    Broken(String),
}

/// A task's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Which task.
    pub id: TaskId,
    /// How it ended.
    pub outcome: Outcome,
    /// Of the answer.
    pub checksum: u64,
    /// The payload of an `ok`, the reason (UTF-8) of every other outcome.
    pub body: Vec<u8>,
    /// When things happened, in ns; 0 for what did not.
    pub stamps: TaskStamps,
    /// The process that did the work.
    pub child_pid: u32,
    /// Whether an [`Event::Reaped`] belongs to it.
    pub reaps: bool,
}

/// The middle of [`Stamps`](crate::protocol::Stamps): what strategy and child see of one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the same names and meanings as in protocol::Stamps")]
pub struct TaskStamps {
    pub dispatched: u64,
    pub child_start: u64,
    pub work_start: u64,
    pub work_end: u64,
}

impl Done {
    /// A task that did not end well.
    pub fn failed(id: TaskId, outcome: Outcome, reason: impl Into<String>) -> Done {
        Done {
            id,
            outcome,
            checksum: 0,
            body: reason.into().into_bytes(),
            stamps: TaskStamps::default(),
            child_pid: 0,
            reaps: false,
        }
    }
}

/// No pool has more workers.
pub const WORKERS_MAX: u64 = 4096;

/// The option that all pools share.
const WORKERS: OptionDef = crate::options! {
    /// how many workers live at a time
    workers = "1x", Values::Cores { min: 1, max: WORKERS_MAX };
}[0];
