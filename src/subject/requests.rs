//! Requests in flight: joins tasks into requests, keeps deadlines. Pure bookkeeping that returns
//! the messages to be sent.

use std::collections::{HashMap, VecDeque};
use std::ops::RangeInclusive;

use crate::protocol::{Outcome, Reply, Stamps};
use crate::strategy::{Done, TaskId};

/// All requests that are not both answered and reaped.
#[derive(Debug, Default)]
pub struct Requests {
    pending: HashMap<u64, Pending>,
    /// In order of acceptance, and so of deadline, since all requests have the same time.
    deadlines: VecDeque<(u64, u64)>,
    deadline_ns: u64,
}

#[derive(Debug)]
struct Pending {
    accepted: u64,
    /// The others follow it.
    first_task: u16,
    checksums: Vec<u64>,
    tasks_left: usize,
    /// Reapings announced by tasks that are done, less those that have happened.
    reaps_left: i64,
    reaped_any: bool,
    last_reaped_ns: u64,
    reply: Reply,
    outcome: Outcome,
    body: Vec<u8>,
    answered: bool,
}

/// A message to be sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// A REPLY; `stamps.replied` is still to be set.
    Reply {
        id: u64,
        outcome: Outcome,
        /// A `Reaped` for this id follows.
        reaps: bool,
        reply: Reply,
        body: Vec<u8>,
    },
    /// A REAPED.
    Reaped { id: u64, at_ns: u64 },
}

impl Requests {
    /// None, each with this long to be answered in.
    pub fn new(deadline_ns: u64) -> Requests {
        Requests { deadline_ns, ..Requests::default() }
    }

    /// A request of these tasks has arrived.
    ///
    /// # Errors
    /// There is one of this id already.
    pub fn accept(
        &mut self,
        id: u64,
        tasks: RangeInclusive<u16>,
        accepted: u64,
    ) -> Result<(), String> {
        let pending = Pending {
            accepted,
            first_task: *tasks.start(),
            checksums: vec![0; tasks.len()],
            tasks_left: tasks.len(),
            reaps_left: 0,
            reaped_any: false,
            last_reaped_ns: 0,
            reply: Reply::default(),
            outcome: Outcome::Ok,
            body: Vec::new(),
            answered: false,
        };
        if self.pending.insert(id, pending).is_some() {
            return Err(format!("request {id} was sent twice"));
        }
        self.deadlines.push_back((accepted.saturating_add(self.deadline_ns), id));
        Ok(())
    }

    /// A task is done. `join` makes the request's checksum out of its tasks'.
    pub fn done(
        &mut self,
        done: Done,
        now_ns: u64,
        join: impl FnOnce(&[u64]) -> u64,
        send: &mut Vec<Message>,
    ) {
        let id = done.id.request;
        let Some(pending) = self.pending.get_mut(&id) else {
            return;
        };
        pending.reaps_left += i64::from(done.reaps);
        pending.reaped_any |= done.reaps;
        if pending.answered {
            return self.forget_if_over(id, send);
        }
        pending.take(done);
        if pending.tasks_left == 0 {
            // A loop that was too busy to notice the deadline notices it here.
            if now_ns > pending.accepted.saturating_add(self.deadline_ns) {
                pending.outcome = Outcome::Timeout;
                pending.body = b"answered after its deadline".to_vec();
            }
            pending.answer(id, join, send);
        }
        self.forget_if_over(id, send);
    }

    /// A task's child is reaped.
    pub fn reaped(&mut self, id: TaskId, at_ns: u64, send: &mut Vec<Message>) {
        let Some(pending) = self.pending.get_mut(&id.request) else {
            return;
        };
        pending.reaps_left -= 1;
        pending.reaped_any = true;
        pending.last_reaped_ns = pending.last_reaped_ns.max(at_ns);
        self.forget_if_over(id.request, send);
    }

    /// When to call [`Requests::expire`] next.
    pub fn next_deadline_ns(&mut self) -> Option<u64> {
        while let Some(&(at_ns, id)) = self.deadlines.front() {
            if self.pending.contains_key(&id) {
                return Some(at_ns);
            }
            self.deadlines.pop_front();
        }
        None
    }

    /// The tasks of requests whose time is over, whose children are to be killed. Those not yet
    /// answered are answered as `timeout`. `reaps` says whether reapings of killed children will
    /// follow.
    pub fn expire(&mut self, now_ns: u64, reaps: bool, send: &mut Vec<Message>) -> Vec<TaskId> {
        let mut expired = Vec::new();
        while let Some(at_ns) = self.next_deadline_ns() {
            if at_ns > now_ns {
                break;
            }
            let Some((_, id)) = self.deadlines.pop_front() else {
                break;
            };
            let Some(pending) = self.pending.get_mut(&id) else {
                continue;
            };
            let first = pending.first_task;
            expired.extend(
                (0..pending.checksums.len() as u16)
                    .map(|i| TaskId { request: id, task: first + i }),
            );
            if !pending.answered {
                // Tasks without an answer have a child each whose reaping will be told.
                pending.reaps_left += if reaps { pending.tasks_left as i64 } else { 0 };
                pending.reaped_any |= reaps;
                pending.outcome = Outcome::Timeout;
                let limit_ms = self.deadline_ns / 1_000_000;
                pending.body = format!("no answer within {limit_ms} ms").into_bytes();
                pending.answer(id, |_| 0, send);
            }
            self.forget_if_over(id, send);
        }
        expired
    }

    /// Whether none is under way.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    fn forget_if_over(&mut self, id: u64, send: &mut Vec<Message>) {
        let Some(pending) = self.pending.get(&id) else {
            return;
        };
        if pending.answered && pending.reaps_left <= 0 {
            if pending.reaped_any {
                send.push(Message::Reaped { id, at_ns: pending.last_reaped_ns });
            }
            self.pending.remove(&id);
        }
    }
}

impl Pending {
    fn take(&mut self, done: Done) {
        self.tasks_left -= 1;
        let index = usize::from(done.id.task).checked_sub(usize::from(self.first_task));
        if let Some(checksum) = index.and_then(|i| self.checksums.get_mut(i)) {
            *checksum = done.checksum;
        }
        let s = done.stamps;
        // The caller waits for the task that ends last: its stamps are the request's.
        if s.work_end >= self.reply.stamps.work_end {
            self.reply.child_pid = done.child_pid;
            self.reply.stamps = Stamps {
                accepted: self.accepted,
                dispatched: s.dispatched,
                child_start: s.child_start,
                work_start: s.work_start,
                work_end: s.work_end,
                replied: 0,
            };
        }
        match (self.outcome, done.outcome) {
            // The first failure is the request's; its reason is kept.
            (Outcome::Ok, Outcome::Ok) => self.body.extend_from_slice(&done.body),
            (Outcome::Ok, failure) => {
                self.outcome = failure;
                self.body = done.body;
            }
            _ => {}
        }
    }

    fn answer(&mut self, id: u64, join: impl FnOnce(&[u64]) -> u64, send: &mut Vec<Message>) {
        self.answered = true;
        self.reply.stamps.accepted = self.accepted;
        if self.outcome == Outcome::Ok {
            self.reply.checksum = join(&self.checksums);
        }
        let body = std::mem::take(&mut self.body);
        let reaps = self.reaped_any || self.reaps_left > 0;
        send.push(Message::Reply { id, outcome: self.outcome, reaps, reply: self.reply, body });
    }
}
