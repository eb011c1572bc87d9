//! `fork-ipc`: what Node calls `fork()`: a new program per task with a two-way message channel.
//! Request and answer are frames; the child is killed after the answer, as the study notes do.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;

use super::channel::Talk;
use super::launch::{self, Owned};
use super::{
    Ballast, Census, Children, Context, Done, Event, Kind, Ready, Setup, Span, Strategy, Task,
    TaskId,
};
use crate::protocol::Outcome;
use crate::sys::clock::now_ns;
use crate::workload::options::{OptionDef, Used, Values};

pub(super) const KIND: Kind = Kind {
    name: "fork-ipc",
    summary: "a new program per task with a message channel (Node's fork())",
    options: &[SERIALIZATION, START_METHOD],
    reaps: true,
    children: Children::Programs(Span::Request),
    start,
};

/// How the channel writes messages down, where it offers a choice. Frames here have none.
pub(super) const SERIALIZATION: OptionDef = OptionDef {
    name: "serialization",
    default: "json",
    values: Values::Word(&["json", "advanced"]),
    help: "how Node.js writes messages: JSON, or the structured clone of `advanced`",
    used: Used::Always,
};

const START_METHOD: OptionDef = OptionDef {
    name: "start_method",
    default: "spawn",
    values: Values::Word(&["spawn", "forkserver"]),
    help: "how Python's multiprocessing creates the process",
    used: Used::Always,
};

/// The low bit of a job's keys.
const SOCKET: u64 = 0;
const EXIT: u64 = 1;

struct ForkIpc {
    program: OsString,
    spec_args: Vec<OsString>,
    jobs: HashMap<u64, (Talk, Owned)>,
    slots: HashMap<TaskId, u64>,
    next_slot: u64,
    census: Census,
    _ballast: Ballast,
}

fn start(setup: Setup<'_>) -> Result<Box<dyn Strategy>, String> {
    Ok(Box::new(ForkIpc {
        program: setup.program.into_os_string(),
        spec_args: setup.spec.to_args().into_iter().map(OsString::from).collect(),
        jobs: HashMap::new(),
        slots: HashMap::new(),
        next_slot: 0,
        census: Census::default(),
        _ballast: Ballast::touch(setup.ballast_bytes),
    }))
}

impl Strategy for ForkIpc {
    fn begin(&mut self, task: Task, cx: &mut Context<'_>) {
        let dispatched = now_ns();
        match self.launch(&task, dispatched, cx) {
            Ok(job) => {
                self.census.born();
                self.slots.insert(task.id, self.next_slot);
                self.jobs.insert(self.next_slot, job);
                self.next_slot += 1;
            }
            Err(error) => {
                let reason = launch::start_error(&self.program, &error);
                cx.events.push(Event::Done(Done::failed(task.id, Outcome::Rejected, reason)));
            }
        }
    }

    fn ready(&mut self, ready: Ready, cx: &mut Context<'_>) {
        let slot = ready.key >> 1;
        // A descriptor of a job that ended earlier in the same round of events.
        let Some((talk, child)) = self.jobs.get_mut(&slot) else {
            return;
        };
        if ready.key & 1 == SOCKET {
            talk.ready(ready, cx);
            if talk.is_answered() {
                child.kill();
            }
        } else if let Some(exit) = child.try_reap() {
            let _ = cx.poller.remove(&*child);
            talk.reaped(exit.status, now_ns(), cx);
            self.slots.remove(&talk.id());
            self.jobs.remove(&slot);
            self.census.gone();
        }
    }

    fn expire(&mut self, id: TaskId, cx: &mut Context<'_>) {
        if let Some((talk, child)) = self.slots.get(&id).and_then(|slot| self.jobs.get_mut(slot)) {
            talk.abandon(cx);
            child.kill();
        }
    }

    fn close(&mut self, cx: &mut Context<'_>) {
        for (talk, child) in self.jobs.values_mut() {
            talk.abandon(cx);
            child.kill();
        }
    }

    fn is_closed(&self) -> bool {
        self.jobs.is_empty()
    }

    fn census(&self) -> Census {
        self.census
    }
}

impl ForkIpc {
    fn launch(
        &self,
        task: &Task,
        dispatched: u64,
        cx: &mut Context<'_>,
    ) -> io::Result<(Talk, Owned)> {
        let mut command = launch::command(&self.program);
        command.arg("ipc").args(&self.spec_args);
        let (child, socket) = launch::with_socket(command)?;
        let key = self.next_slot << 1;
        let talk = Talk::open(task, socket, key | SOCKET, dispatched, cx)?.with_pid(child.pid());
        cx.poller.add(&child, key | EXIT)?;
        Ok((talk, child))
    }
}
