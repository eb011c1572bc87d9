//! One task, one child: the exchange of `fork-ipc` and `fork` with the child of a task, over a
//! socket of its own or, for small tasks of `fork`, in pieces over the fork server's socket. The
//! strategies start, kill and reap the child.

use std::io;
use std::os::fd::OwnedFd;

use super::{Context, Done, Event, Ready, Task, TaskId, TaskStamps};
use crate::protocol::conn::{Conn, Fill};
use crate::protocol::{
    self, Frame, HEADER_BYTES, Header, Kind, Outcome, REPLY_BYTES, Reply, Stamps,
};
use crate::sys::clock::now_ns;
use crate::sys::process::{self, ExitStatus};
use crate::workload::Input;

/// A RUN for one task.
pub fn run_header(id: TaskId) -> Header {
    Header { flags: id.task, ..Header::new(Kind::Run, id.request) }
}

/// The outcome in the answer to the RUN of `id`, which was dispatched at this time.
///
/// # Errors
/// It is another frame, or answers another task.
pub fn read_done(frame: &Frame, id: TaskId, dispatched: u64) -> Result<Done, String> {
    let header = frame.header;
    if header.kind != Kind::Reply {
        return Err(format!("the child sent {:?} when a REPLY was due", header.kind));
    }
    if (header.id, header.flags) != (id.request, id.task) {
        return Err(format!(
            "the child answered task {} of request {} when asked for task {} of {}",
            header.flags, header.id, id.task, id.request
        ));
    }
    let (reply, body) = Reply::decode(&frame.body).map_err(|error| error.to_string())?;
    let Stamps { child_start, work_start, work_end, .. } = reply.stamps;
    Ok(Done {
        id,
        outcome: header.outcome,
        checksum: reply.checksum,
        body: body.to_vec(),
        stamps: TaskStamps { dispatched, child_start, work_start, work_end },
        child_pid: reply.child_pid,
        reaps: false,
    })
}

/// A task's talk with its child, until the child is reaped.
#[derive(Debug)]
pub struct Talk {
    id: TaskId,
    key: u64,
    conn: Option<Conn>,
    /// The part of an answer in pieces that has arrived.
    pieces: Vec<u8>,
    dispatched: u64,
    answered: bool,
    child_pid: u32,
}

impl Talk {
    /// With a child that has its task already, and whose answer comes to [`Talk::piece`].
    pub fn without_socket(id: TaskId, key: u64, dispatched: u64) -> Talk {
        Talk { id, key, conn: None, pieces: Vec::new(), dispatched, answered: false, child_pid: 0 }
    }

    /// Sends the task; the part that the socket does not take at once follows when it is writable.
    ///
    /// # Errors
    /// The socket could not be registered.
    pub fn open(
        task: &Task,
        socket: OwnedFd,
        key: u64,
        dispatched: u64,
        cx: &mut Context<'_>,
    ) -> io::Result<Talk> {
        let mut conn = Conn::new(socket)?;
        conn.push(run_header(task.id), &[&task.payload]);
        cx.poller.add(&conn, key)?;
        // A child that is gone already shows when it is reaped.
        if !conn.flush().unwrap_or(true) {
            cx.poller.want_write(&conn, key, true)?;
        }
        Ok(Talk { conn: Some(conn), ..Talk::without_socket(task.id, key, dispatched) })
    }

    /// The child's process id, where the starter knows it.
    pub fn with_pid(self, child_pid: u32) -> Talk {
        Talk { child_pid, ..self }
    }

    /// The task.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Whether the child is no longer needed.
    pub fn is_answered(&self) -> bool {
        self.answered
    }

    /// The socket is ready. Afterwards, if the task is answered, the child is no longer needed.
    pub fn ready(&mut self, ready: Ready, cx: &mut Context<'_>) {
        if let Some(conn) = &mut self.conn
            && ready.writable
            && conn.wants_write()
            && conn.flush().unwrap_or(true)
        {
            let _ = cx.poller.want_write(&*conn, self.key, false);
        }
        if ready.readable {
            self.read(cx);
        }
    }

    /// The next bytes of the child's answer have arrived.
    pub fn piece(&mut self, bytes: &[u8], cx: &mut Context<'_>) {
        if self.answered {
            return;
        }
        self.pieces.extend_from_slice(bytes);
        let Some(head) = self.pieces.first_chunk() else {
            return;
        };
        match Header::decode(head) {
            Ok((_, len)) if self.pieces.len() - HEADER_BYTES < len => {}
            Ok((header, _)) => {
                let body = self.pieces.split_off(HEADER_BYTES);
                self.answer(&Frame { header, body }, cx);
            }
            Err(error) => self.fail(Outcome::AppError, &error.to_string(), cx),
        }
    }

    /// The child has been reaped: an answer may still lie in the socket, else it is a crash.
    pub fn reaped(&mut self, status: ExitStatus, at_ns: u64, cx: &mut Context<'_>) {
        self.read(cx);
        if !self.answered {
            self.fail(Outcome::Crash, &format!("the child {status} before it had answered"), cx);
        }
        self.hang_up(cx);
        cx.events.push(Event::Reaped { id: self.id, at_ns });
    }

    /// No answer is wanted any more.
    pub fn abandon(&mut self, cx: &mut Context<'_>) {
        self.answered = true;
        self.hang_up(cx);
    }

    /// The system refused to create the child: never executed, nothing to reap.
    pub fn refused(&mut self, reason: &str, cx: &mut Context<'_>) {
        if self.answered {
            // Given up before the refusal came: the reaping that was promised then will not come.
            cx.events.push(Event::Reaped { id: self.id, at_ns: now_ns() });
        } else {
            cx.events.push(Event::Done(Done::failed(self.id, Outcome::Rejected, reason)));
        }
        self.abandon(cx);
    }

    fn fail(&mut self, outcome: Outcome, reason: &str, cx: &mut Context<'_>) {
        let stamps = TaskStamps { dispatched: self.dispatched, ..TaskStamps::default() };
        self.finish(Done { stamps, ..Done::failed(self.id, outcome, reason) }, cx);
    }

    fn read(&mut self, cx: &mut Context<'_>) {
        while let Some(conn) = &mut self.conn {
            let fill = conn.fill();
            match conn.next_frame() {
                Ok(Some(frame)) => return self.answer(&frame, cx),
                Ok(None) => {}
                Err(error) => return self.fail(Outcome::AppError, &error.to_string(), cx),
            }
            match fill {
                Ok(Fill::Bytes(_)) => {}
                Ok(Fill::WouldBlock) => return,
                // Its exit status will give the reason: wait for the reaping.
                Ok(Fill::Closed) | Err(_) => return self.hang_up(cx),
            }
        }
    }

    fn answer(&mut self, frame: &Frame, cx: &mut Context<'_>) {
        let done = read_done(frame, self.id, self.dispatched)
            .unwrap_or_else(|error| Done::failed(self.id, Outcome::AppError, error));
        self.finish(done, cx);
    }

    fn finish(&mut self, done: Done, cx: &mut Context<'_>) {
        if !self.answered {
            self.answered = true;
            let child_pid = if done.child_pid == 0 { self.child_pid } else { done.child_pid };
            cx.events.push(Event::Done(Done { child_pid, reaps: true, ..done }));
        }
        self.hang_up(cx);
    }

    fn hang_up(&mut self, cx: &mut Context<'_>) {
        if let Some(conn) = self.conn.take() {
            let _ = cx.poller.remove(&conn);
        }
    }
}

/// Answers one task in a child that has the input loaded: the other end of a `Talk`.
///
/// # Errors
/// The socket closed or sent something else.
pub fn serve_one(
    conn: &mut Conn,
    input: &dyn Input,
    child_start: impl FnOnce() -> u64,
) -> io::Result<Served> {
    match conn.wait_frame()? {
        Some(Frame { header, body }) if header.kind == Kind::Run => {
            let id = TaskId { request: header.id, task: header.flags };
            let Answer { header, fixed, body } = run_task(id, body, input, child_start());
            conn.push(header, &[&fixed, &body]);
            conn.flush()?;
            Ok(Served::Task)
        }
        Some(other) => Err(io::Error::other(format!("a child was sent {:?}", other.header.kind))),
        None => Ok(Served::Closed),
    }
}

/// Says READY, then answers tasks until the socket closes.
///
/// # Errors
/// The socket broke, or sent something else.
pub fn serve(conn: &mut Conn, input: &dyn Input) -> io::Result<()> {
    let ready = protocol::Ready {
        pid: std::process::id(),
        now_ns: now_ns(),
        usage: process::usage_self(),
        ..protocol::Ready::default()
    };
    let body = serde_json::to_vec(&ready).map_err(io::Error::other)?;
    conn.push(Header::new(Kind::Ready, 0), &[&body]);
    conn.flush()?;
    loop {
        conn.wait_readable()?;
        if serve_one(conn, input, now_ns)? == Served::Closed {
            return Ok(());
        }
    }
}

/// The result of [`serve_one`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// A task was answered.
    Task,
    /// The other side has closed: there is nothing more to do.
    Closed,
}

/// The frame that answers a task: its header and the two parts of its body.
#[derive(Debug)]
pub struct Answer {
    /// Without its length.
    pub header: Header,
    /// The [`Reply`].
    pub fixed: [u8; REPLY_BYTES],
    /// The payload, or the reason.
    pub body: Vec<u8>,
}

/// Runs a task in its child.
pub fn run_task(id: TaskId, payload: Vec<u8>, input: &dyn Input, child_start: u64) -> Answer {
    let ran = super::run::run(input, id.task, payload);
    let mut reply = Reply { checksum: ran.checksum, ..Reply::default() };
    reply.stamps.child_start = child_start;
    reply.stamps.work_start = ran.work_start;
    reply.stamps.work_end = ran.work_end;
    reply.child_pid = std::process::id();
    let header = Header { kind: Kind::Reply, outcome: ran.outcome, ..run_header(id) };
    Answer { header, fixed: reply.encode(), body: ran.body }
}
