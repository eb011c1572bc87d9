//! `fork-ipc`: what Node calls `fork()`: a new program per task with a two-way message channel.
//! Request and answer are frames; the child is killed after the answer, as the study notes do.

use std::io;

use super::channel::Talk;
use super::jobs::Jobs;
use super::launch::{self, ChildProgram, Owned};
use super::{Census, Children, Context, Kind, Ready, Setup, Span, Strategy, Task, TaskId};
use crate::sys::clock::now_ns;
use crate::workload::options::{OptionDef, Values};

pub const KIND: Kind = Kind {
    name: "fork-ipc",
    summary: "a new program per task with a message channel (Node's fork())",
    options: &[SERIALIZATION, START_METHOD],
    reaps: true,
    children: Children::Programs(Span::Request),
    start,
};

/// How the channel writes messages down, where it offers a choice. Frames here have none.
pub const SERIALIZATION: OptionDef = crate::options! {
    /// how Node.js writes messages: JSON, or the structured clone of `advanced`
    serialization = "json", Values::Word(&["json", "advanced"]);
}[0];

const START_METHOD: OptionDef = crate::options! {
    /// how Python's multiprocessing creates the process
    start_method = "spawn", Values::Word(&["spawn", "forkserver"]);
}[0];

/// The low bit of a job's keys.
const SOCKET: u64 = 0;
const EXIT: u64 = 1;

struct ForkIpc {
    program: ChildProgram,
    jobs: Jobs<(Talk, Owned)>,
}

fn start(setup: Setup<'_>) -> Result<Box<dyn Strategy>, String> {
    Ok(Box::new(ForkIpc { program: ChildProgram::new(setup), jobs: Jobs::default() }))
}

impl Strategy for ForkIpc {
    fn begin(&mut self, task: Task, cx: &mut Context<'_>) {
        let dispatched = now_ns();
        match self.launch(&task, dispatched, cx) {
            Ok(job) => self.jobs.insert(task.id, job),
            Err(error) => cx.reject(task.id, self.program.start_error(&error)),
        }
    }

    fn ready(&mut self, ready: Ready, cx: &mut Context<'_>) {
        let slot = ready.key >> 1;
        // A descriptor of a job that ended earlier in the same round of events.
        let Some((talk, child)) = self.jobs.get(slot) else {
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
            self.jobs.remove(slot, |(talk, _)| talk.id());
        }
    }

    fn expire(&mut self, id: TaskId, cx: &mut Context<'_>) {
        let slot = self.jobs.slot_of(id);
        if let Some((talk, child)) = slot.and_then(|slot| self.jobs.get(slot)) {
            talk.abandon(cx);
            child.kill();
        }
    }

    fn close(&mut self, cx: &mut Context<'_>) {
        for (talk, child) in self.jobs.iter_mut() {
            talk.abandon(cx);
            child.kill();
        }
    }

    fn is_closed(&self) -> bool {
        self.jobs.is_empty()
    }

    fn census(&self) -> Census {
        self.jobs.census()
    }
}

impl ForkIpc {
    fn launch(
        &self,
        task: &Task,
        dispatched: u64,
        cx: &mut Context<'_>,
    ) -> io::Result<(Talk, Owned)> {
        let (child, socket) = launch::with_socket(self.program.command(&["ipc"]))?;
        let key = self.jobs.next_slot() << 1;
        let talk = Talk::open(task, socket, key | SOCKET, dispatched, cx)?.with_pid(child.pid());
        cx.poller.add(&child, key | EXIT)?;
        Ok((talk, child))
    }
}
