//! The common part of `pool` and `prefork-pool`: N long-lived workers, one central bounded queue,
//! one task in flight per worker. The worker that became idle last is used first: its caches are
//! warm, and the others may stay asleep. The launcher starts and reaps workers.
//!
//! A worker that dies is replaced, and its task is answered as `crash`. After
//! `recycle_after` tasks a worker is told to leave and replaced; `recycle_jitter` spreads that, so
//! that workers that started together do not leave together.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::OwnedFd;

use super::channel::{read_done, run_header};
use super::{Census, Context, Done, Event, Ready, Strategy, Task, TaskId, TaskStamps};
use crate::protocol::conn::{Conn, Fill};
use crate::protocol::{self, Frame, Kind, Outcome};
use crate::sys::clock::now_ns;
use crate::sys::poller::Poller;
use crate::sys::usage::Usage;
use crate::workload::options::Options;

mod limits;

use limits::Limits;
pub use limits::OPTIONS;

/// Workers that die this often in a row before they are ready will not become ready.
const START_FAILURES_MAX: u32 = 3;

/// The key of a worker's socket; the other keys of its slot are the launcher's.
fn socket_key(slot: u64) -> u64 {
    slot << 2
}

/// The first of two keys that a launcher may use for this slot.
pub fn launcher_key(slot: u64) -> u64 {
    slot << 2 | 1
}

/// The slot that any of these keys belongs to.
pub fn slot_of(key: u64) -> u64 {
    key >> 2
}

/// Starts, kills and reaps workers.
pub trait Launcher {
    /// Starts a worker and gives this side's end of its socket.
    fn launch(&mut self, slot: u64, cx: &mut Context<'_>) -> io::Result<OwnedFd>;

    /// Kills it, with its process group; its end arrives through [`Launcher::ready`].
    fn kill(&mut self, slot: u64, cx: &mut Context<'_>);

    /// One of the launcher's descriptors is ready: the workers that have ended and are reaped.
    fn ready(&mut self, ready: Ready, cx: &mut Context<'_>) -> Result<Vec<WorkerEnd>, String>;

    /// Whether it can start workers.
    fn is_ready(&self) -> bool {
        true
    }

    /// What it has used before it could.
    fn usage_at_ready(&self) -> Usage {
        Usage::default()
    }

    /// No worker is needed any more. Their sockets are closed already, which ends them.
    fn close(&mut self, cx: &mut Context<'_>) {
        let _ = cx;
    }

    /// Every worker is reaped.
    fn is_closed(&self) -> bool;
}

/// A worker that is gone.
#[derive(Debug)]
pub struct WorkerEnd {
    pub slot: u64,
    /// "exited with 3"
    pub how: String,
}

pub struct Workers<L> {
    launcher: L,
    workers: HashMap<u64, Worker>,
    idle: Vec<u64>,
    queue: VecDeque<Task>,
    limits: Limits,
    next_slot: u64,
    start_failures: u32,
    was_ready: bool,
    usage_at_ready: Usage,
    closing: bool,
    census: Census,
}

struct Worker {
    conn: Option<Conn>,
    state: State,
    /// Has said READY: a later end is no failure to start.
    was_ready: bool,
    tasks_left: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not READY yet.
    Starting,
    /// In the idle set.
    Idle,
    /// Has one task.
    Busy { id: TaskId, dispatched: u64 },
    /// Told to leave, or killed; its task, if it had one, is answered.
    Leaving,
}

impl<L: Launcher> Workers<L> {
    pub fn start(launcher: L, options: &Options, poller: &Poller) -> Result<Workers<L>, String> {
        let mut pool = Workers {
            launcher,
            workers: HashMap::new(),
            idle: Vec::new(),
            queue: VecDeque::new(),
            limits: Limits::read(options)?,
            next_slot: 0,
            start_failures: 0,
            was_ready: false,
            usage_at_ready: Usage::default(),
            closing: false,
            census: Census::default(),
        };
        let mut events = Vec::new();
        pool.top_up(&mut Context { poller, events: &mut events });
        match events.pop() {
            Some(Event::Broken(reason)) => Err(reason),
            _ => Ok(pool),
        }
    }

    /// Starts workers until there are as many as wanted.
    fn top_up(&mut self, cx: &mut Context<'_>) {
        let staying = self.workers.values().filter(|w| w.state != State::Leaving).count();
        for _ in staying..self.limits.workers {
            let slot = self.next_slot;
            self.next_slot += 1;
            if let Err(error) = self.start_worker(slot, cx) {
                return cx.events.push(Event::Broken(format!("start a worker: {error}")));
            }
        }
    }

    fn start_worker(&mut self, slot: u64, cx: &mut Context<'_>) -> io::Result<()> {
        let conn = Conn::new(self.launcher.launch(slot, cx)?)?;
        cx.poller.add(&conn, socket_key(slot))?;
        self.census.born();
        let tasks_left = self.limits.tasks_of(slot);
        self.workers.insert(
            slot,
            Worker { conn: Some(conn), state: State::Starting, was_ready: false, tasks_left },
        );
        Ok(())
    }

    /// Hands waiting tasks to idle workers.
    fn dispatch(&mut self, cx: &mut Context<'_>) {
        while let Some(&slot) = self.idle.last() {
            let Some(task) = self.queue.pop_front() else {
                return;
            };
            self.idle.pop();
            let Some(worker) = self.workers.get_mut(&slot) else {
                continue;
            };
            worker.give(slot, &task, cx);
        }
    }

    fn hear(&mut self, slot: u64, frame: &Frame, cx: &mut Context<'_>) {
        let Some(worker) = self.workers.get_mut(&slot) else {
            return;
        };
        match (frame.header.kind, worker.state) {
            (Kind::Ready, State::Starting) => {
                if let Ok(ready) = serde_json::from_slice::<protocol::Ready>(&frame.body)
                    && !self.was_ready
                {
                    self.usage_at_ready = self.usage_at_ready.plus(ready.usage);
                }
                self.start_failures = 0;
                self.set_idle(slot);
            }
            (Kind::Failed, State::Starting) => {
                let reason = String::from_utf8_lossy(&frame.body).into_owned();
                cx.events.push(Event::Broken(format!("a worker could not start: {reason}")));
            }
            (_, State::Busy { id, dispatched }) => match read_done(frame, id, dispatched) {
                Ok(done) => {
                    cx.events.push(Event::Done(done));
                    self.after_task(slot, cx);
                }
                Err(error) => self.fail(slot, Outcome::AppError, &error, cx),
            },
            (_, State::Leaving) => {}
            (kind, State::Idle | State::Starting) => {
                self.fail(slot, Outcome::AppError, &format!("a worker sent {kind:?} unasked"), cx);
            }
        }
    }

    fn after_task(&mut self, slot: u64, cx: &mut Context<'_>) {
        let Some(worker) = self.workers.get_mut(&slot) else {
            return;
        };
        worker.tasks_left -= 1;
        if worker.tasks_left > 0 {
            return self.set_idle(slot);
        }
        // Its socket closes, so it leaves by itself; its successor need not wait for that.
        worker.leave(cx);
        self.top_up(cx);
    }

    fn set_idle(&mut self, slot: u64) {
        if let Some(worker) = self.workers.get_mut(&slot) {
            worker.state = State::Idle;
            worker.was_ready = true;
            self.idle.push(slot);
        }
    }

    /// The worker has failed: answers its task, kills it. Its end brings a successor.
    fn fail(&mut self, slot: u64, outcome: Outcome, reason: &str, cx: &mut Context<'_>) {
        let Some(worker) = self.workers.get_mut(&slot) else {
            return;
        };
        worker.answer_for(outcome, reason, cx);
        worker.leave(cx);
        self.idle.retain(|&idle| idle != slot);
        self.launcher.kill(slot, cx);
    }

    fn read(&mut self, slot: u64, cx: &mut Context<'_>) {
        while let Some(conn) = self.workers.get_mut(&slot).and_then(|w| w.conn.as_mut()) {
            let fill = conn.fill();
            match conn.next_frame() {
                Ok(Some(frame)) => {
                    let drained = conn.is_drained();
                    self.hear(slot, &frame, cx);
                    if drained {
                        return;
                    }
                    continue;
                }
                Ok(None) => {}
                Err(error) => return self.fail(slot, Outcome::AppError, &error.to_string(), cx),
            }
            match fill {
                Ok(Fill::Bytes(_)) => {}
                Ok(Fill::WouldBlock) => return,
                Ok(Fill::Closed) | Err(_) => return self.closed(slot, cx),
            }
        }
    }

    /// The worker closed its socket. How it ended is about to show, and says why; one that goes
    /// on without a socket is of no use.
    fn closed(&mut self, slot: u64, cx: &mut Context<'_>) {
        if let Some(conn) = self.workers.get_mut(&slot).and_then(|worker| worker.conn.take()) {
            let _ = cx.poller.remove(&conn);
        }
        self.idle.retain(|&idle| idle != slot);
        self.launcher.kill(slot, cx);
    }

    fn ended(&mut self, end: &WorkerEnd, cx: &mut Context<'_>) {
        self.read(end.slot, cx);
        let Some(mut worker) = self.workers.remove(&end.slot) else {
            return;
        };
        self.idle.retain(|&idle| idle != end.slot);
        self.census.gone();
        let how = &end.how;
        worker.answer_for(Outcome::Crash, &format!("the worker {how} before it had answered"), cx);
        if !worker.was_ready {
            self.start_failures += 1;
        }
        if self.start_failures >= START_FAILURES_MAX {
            let reason = format!("workers do not become ready: the last {how}");
            return cx.events.push(Event::Broken(reason));
        }
        if !self.closing {
            self.top_up(cx);
        }
    }
}

impl<L: Launcher> Strategy for Workers<L> {
    fn is_ready(&self) -> bool {
        self.launcher.is_ready() && self.idle.len() >= self.limits.workers
    }

    fn usage_at_ready(&self) -> Usage {
        self.usage_at_ready.plus(self.launcher.usage_at_ready())
    }

    fn begin(&mut self, task: Task, cx: &mut Context<'_>) {
        self.was_ready = true;
        if self.idle.is_empty() && self.queue.len() >= self.limits.queue {
            return cx.reject(task.id, format!("{} tasks wait already", self.queue.len()));
        }
        self.queue.push_back(task);
        self.dispatch(cx);
    }

    fn ready(&mut self, ready: Ready, cx: &mut Context<'_>) {
        let slot = slot_of(ready.key);
        if ready.key != socket_key(slot) {
            match self.launcher.ready(ready, cx) {
                Ok(ends) => ends.iter().for_each(|end| self.ended(end, cx)),
                Err(reason) => cx.events.push(Event::Broken(reason)),
            }
        } else {
            if let Some(worker) = self.workers.get_mut(&slot) {
                worker.flush(slot, cx);
            }
            if ready.readable {
                self.read(slot, cx);
            }
        }
        self.dispatch(cx);
    }

    fn expire(&mut self, id: TaskId, cx: &mut Context<'_>) {
        self.queue.retain(|task| task.id != id);
        let busy =
            |worker: &Worker| matches!(worker.state, State::Busy { id: its, .. } if its == id);
        let Some(slot) = self.workers.iter().find(|(_, w)| busy(w)).map(|(&slot, _)| slot) else {
            return;
        };
        if let Some(worker) = self.workers.get_mut(&slot) {
            worker.leave(cx);
        }
        self.launcher.kill(slot, cx);
    }

    fn close(&mut self, cx: &mut Context<'_>) {
        self.closing = true;
        self.queue.clear();
        self.idle.clear();
        self.workers.values_mut().for_each(|worker| worker.leave(cx));
        self.launcher.close(cx);
    }

    fn is_closed(&self) -> bool {
        self.launcher.is_closed()
    }

    fn census(&self) -> Census {
        self.census
    }
}

impl Worker {
    fn give(&mut self, slot: u64, task: &Task, cx: &mut Context<'_>) {
        let dispatched = now_ns();
        self.state = State::Busy { id: task.id, dispatched };
        if let Some(conn) = &mut self.conn {
            conn.push(run_header(task.id), &[&task.payload]);
        }
        self.flush(slot, cx);
    }

    /// Sends what the socket takes. A write that fails shows as the end of the worker.
    fn flush(&mut self, slot: u64, cx: &mut Context<'_>) {
        let Some(conn) = &mut self.conn else { return };
        let waited = conn.is_behind();
        let done = conn.flush().unwrap_or(true);
        if waited || !done {
            let _ = cx.poller.want_write(&*conn, socket_key(slot), !done);
        }
    }

    fn answer_for(&mut self, outcome: Outcome, reason: &str, cx: &mut Context<'_>) {
        let State::Busy { id, dispatched } = self.state else {
            return;
        };
        let stamps = TaskStamps { dispatched, ..TaskStamps::default() };
        cx.events.push(Event::Done(Done { stamps, ..Done::failed(id, outcome, reason) }));
    }

    fn leave(&mut self, cx: &mut Context<'_>) {
        self.state = State::Leaving;
        if let Some(conn) = self.conn.take() {
            let _ = cx.poller.remove(&conn);
        }
    }
}
