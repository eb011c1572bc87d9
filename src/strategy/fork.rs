//! `fork`: POSIX fork without exec. A warm, single-threaded fork server copies itself per task;
//! the copy answers and leaves through `_exit`.
//!
//! A small task travels in the order to fork, so that the copy has it in its memory, and the
//! answer comes back over the server's socket, which the copy has, too. A task that does not fit
//! gets a socket of its own, which travels with the order.

use std::io;

use super::channel::Talk;
use super::fork_server::{ChildRole, ForkServer, MAX_PAYLOAD_BYTES, Notice, Order, WARM};
use super::jobs::Jobs;
use super::{Census, Children, Context, Event, Kind, Ready, Setup, Span, Strategy, Task, TaskId};
use crate::sys::clock::now_ns;
use crate::sys::socket;
use crate::sys::usage::Usage;

pub const KIND: Kind = Kind {
    name: "fork",
    summary: "a copy-on-write child per task, forked (without exec) by a warm fork server",
    options: &[WARM],
    reaps: true,
    children: Children::Copies(Span::Request),
    start,
};

/// Two keys for the server, above all slots.
const SERVER: u64 = 1 << 62;

struct Forked {
    server: ForkServer,
    talks: Jobs<Talk>,
}

fn start(setup: Setup<'_>) -> Result<Box<dyn Strategy>, String> {
    let server = ForkServer::start(&setup, ChildRole::Task, SERVER)?;
    Ok(Box::new(Forked { server, talks: Jobs::default() }))
}

impl Strategy for Forked {
    fn is_ready(&self) -> bool {
        self.server.is_ready()
    }

    fn usage_at_ready(&self) -> Usage {
        self.server.usage_at_ready()
    }

    fn begin(&mut self, task: Task, cx: &mut Context<'_>) {
        match self.launch(&task, cx) {
            Ok(talk) => self.talks.insert(task.id, talk),
            Err(error) => cx.reject(task.id, format!("make a socket for a forked child: {error}")),
        }
    }

    fn ready(&mut self, ready: Ready, cx: &mut Context<'_>) {
        if ready.key < SERVER {
            if let Some(talk) = self.talks.get(ready.key) {
                talk.ready(ready, cx);
            }
            return;
        }
        match self.server.ready(ready, cx) {
            Ok(notices) => notices.into_iter().for_each(|notice| self.hear(notice, cx)),
            Err(reason) => cx.events.push(Event::Broken(reason)),
        }
    }

    fn expire(&mut self, id: TaskId, cx: &mut Context<'_>) {
        if let Some(slot) = self.talks.slot_of(id)
            && let Some(talk) = self.talks.get(slot)
        {
            talk.abandon(cx);
            self.server.send(Order::Kill { slot }, None, cx);
        }
    }

    fn close(&mut self, cx: &mut Context<'_>) {
        self.talks.iter_mut().for_each(|talk| talk.abandon(cx));
        self.server.close(cx);
    }

    /// The server has reaped its children when it exits.
    fn is_closed(&self) -> bool {
        self.server.is_closed()
    }

    fn census(&self) -> Census {
        self.talks.census()
    }
}

impl Forked {
    fn launch(&mut self, task: &Task, cx: &mut Context<'_>) -> io::Result<Talk> {
        let slot = self.talks.next_slot();
        let dispatched = now_ns();
        if task.payload.len() <= MAX_PAYLOAD_BYTES {
            let (id, payload) = (task.id, &*task.payload);
            self.server.send(Order::Task { slot, id, payload }, None, cx);
            return Ok(Talk::without_socket(id, slot, dispatched));
        }
        let (ours, theirs) = socket::stream_pair()?;
        // The task is in the socket before the child exists, so that it need not wait for it.
        let talk = Talk::open(task, ours, slot, dispatched, cx)?;
        self.server.send(Order::Fork { slot }, Some(theirs), cx);
        Ok(talk)
    }

    fn hear(&mut self, notice: Notice, cx: &mut Context<'_>) {
        let (slot, result) = match notice {
            Notice::Reaped { slot, ended } => (slot, Ok(ended)),
            Notice::Refused { slot, errno } => (slot, Err(io::Error::from_raw_os_error(errno))),
            Notice::Piece { slot, bytes } => {
                if let Some(talk) = self.talks.get(slot) {
                    talk.piece(&bytes, cx);
                }
                return;
            }
            Notice::Ready { .. } | Notice::Failed { .. } => return,
        };
        let Some(mut talk) = self.talks.remove(slot, Talk::id) else {
            return;
        };
        match result {
            Ok(ended) => talk.reaped(ended.status, ended.at_ns, cx),
            Err(error) => talk.refused(&format!("fork: {error}"), cx),
        }
    }
}
