//! The subject's event loop: frames in, tasks to the strategy, replies out. It only ever waits
//! in one place, for readiness or the next deadline.

use std::io;
use std::ops::RangeInclusive;

use super::requests::{Message, Requests};
use crate::protocol::conn::{Conn, Fill};
use crate::protocol::{
    Configure, FLAG_LIGHT, FLAG_MORE, FLAG_REAPS, FinalStats, Frame, Header, Kind, LIGHT_TASK,
    LightStamps, Outcome, Ready, Reply, Stamps,
};
use crate::strategy::{self, Context, Event, FIRST_HOST_KEY, Strategy, Task, TaskId};
use crate::sys::clock::now_ns;
use crate::sys::poller::{self, Poller};
use crate::sys::process;
use crate::workload::Workload;

const DRIVER: u64 = FIRST_HOST_KEY;

/// How long children may take to leave once they are told; then they are killed.
const CLOSING_NS: u64 = 2_000_000_000;

pub struct Host<'a> {
    conn: Conn,
    poller: &'a Poller,
    strategy: Box<dyn Strategy>,
    kind: &'static strategy::Kind,
    configure: &'a Configure,
    workload: &'static dyn Workload,
    tasks: u32,
    requests: Requests,
    events: Vec<Event>,
    messages: Vec<Message>,
    phase: Phase,
    /// Why it cannot go on.
    broken: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The strategy is not ready yet.
    Starting,
    /// READY has been said.
    Serving,
    /// Children are leaving; they are killed at this time.
    Closing { until_ns: u64, farewell: bool },
}

impl<'a> Host<'a> {
    pub fn new(
        conn: Conn,
        poller: &'a Poller,
        configure: &'a Configure,
        kind: &'static strategy::Kind,
        strategy: Box<dyn Strategy>,
    ) -> Result<Host<'a>, String> {
        let workload = configure.spec.workload()?;
        poller.add(&conn, DRIVER).map_err(|error| format!("wait for the driver: {error}"))?;
        Ok(Host {
            conn,
            poller,
            strategy,
            kind,
            configure,
            workload,
            tasks: workload.tasks(&configure.spec)?,
            requests: Requests::new(configure.deadline_ms.saturating_mul(1_000_000)),
            events: Vec::new(),
            messages: Vec::new(),
            phase: Phase::Starting,
            broken: None,
        })
    }

    /// Serves until the driver says STOP or hangs up, and every child has left.
    pub fn run(mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        // Frames that came together with CONFIGURE are in the buffer already, and no readiness
        // will report them.
        self.obey_all()?;
        loop {
            if self.phase == Phase::Starting && self.strategy.is_ready() {
                self.say_ready()?;
            }
            if let Phase::Closing { until_ns, farewell } = self.phase {
                let late = now_ns() >= until_ns;
                if self.strategy.is_closed() || late {
                    return self.say_farewell(farewell);
                }
            }
            let timeout = self.next_wake_ns().map(|at_ns| at_ns.saturating_sub(now_ns()));
            self.poller.wait(&mut ready, timeout)?;
            for &event in &ready {
                self.handle(event)?;
            }
            self.expire();
            self.send()?;
            self.strategy.tidy();
        }
    }

    fn handle(&mut self, event: poller::Ready) -> io::Result<()> {
        if event.key != DRIVER {
            let mut cx = Context { poller: self.poller, events: &mut self.events };
            self.strategy.ready(event, &mut cx);
            return self.take_events();
        }
        if event.writable && self.conn.is_behind() {
            self.flush()?;
        }
        if event.readable {
            self.read_driver()?;
        }
        Ok(())
    }

    fn read_driver(&mut self) -> io::Result<()> {
        let fill = self.conn.fill()?;
        self.obey_all()?;
        if fill == Fill::Closed {
            self.close(false);
        }
        Ok(())
    }

    /// Obeys every frame that has arrived.
    fn obey_all(&mut self) -> io::Result<()> {
        // All frames of one read arrived at the same time.
        let arrived = now_ns();
        let mut frames = Vec::new();
        while let Some(frame) = self.conn.next_frame().map_err(io::Error::other)? {
            frames.push(frame);
        }
        // Accept all before any is begun: under `blocking` the second waits in the queue while
        // the first runs, and that wait must show as such.
        for Frame { header, .. } in frames.iter().filter(|frame| frame.header.kind == Kind::Run) {
            let tasks = self.tasks_of(header);
            let accepted = self.requests.accept(header.id, tasks, arrived);
            accepted.map_err(io::Error::other)?;
            if self.workload.accepts_early() && !is_light(header) {
                self.announce(header.id, arrived);
            }
        }
        if self.workload.accepts_early() {
            // Out before the first task can keep the loop busy.
            self.flush()?;
        }
        frames.into_iter().try_for_each(|frame| self.obey(frame, arrived))
    }

    /// Says that a request was accepted; the answer follows when its last task is done.
    fn announce(&mut self, id: u64, accepted: u64) {
        let stamps = Stamps { accepted, replied: now_ns(), ..Stamps::default() };
        let reply = Reply { stamps, ..Reply::default() };
        let header = Header { flags: FLAG_MORE, ..Header::new(Kind::Reply, id) };
        self.conn.push(header, &[&reply.encode()]);
    }

    fn obey(&mut self, frame: Frame, arrived: u64) -> io::Result<()> {
        match frame.header.kind {
            Kind::Run => self.begin(frame)?,
            Kind::Light => {
                let stamps = LightStamps { accepted: arrived, replied: now_ns() };
                self.conn.push(Header::new(Kind::Light, frame.header.id), &[&stamps.encode()]);
                self.flush()?;
            }
            Kind::Stop => self.close(true),
            kind => return Err(io::Error::other(format!("the driver sent {kind:?}"))),
        }
        Ok(())
    }

    /// The tasks of a RUN. A light one has a single task, which is no work.
    fn tasks_of(&self, header: &Header) -> RangeInclusive<u16> {
        if is_light(header) { LIGHT_TASK..=LIGHT_TASK } else { 0..=self.tasks as u16 - 1 }
    }

    fn begin(&mut self, Frame { header, body }: Frame) -> io::Result<()> {
        let request = header.id;
        let tasks = self.tasks_of(&header);
        let last = *tasks.end();
        let mut cx = Context { poller: self.poller, events: &mut self.events };
        for task in *tasks.start()..last {
            let payload = body.clone();
            self.strategy.begin(Task { id: TaskId { request, task }, payload }, &mut cx);
        }
        self.strategy.begin(Task { id: TaskId { request, task: last }, payload: body }, &mut cx);
        self.take_events()
    }

    /// Turns what the strategy said into messages, and sends them at once: under `blocking` the
    /// next request is about to keep the loop busy.
    fn take_events(&mut self) -> io::Result<()> {
        if self.events.is_empty() {
            return Ok(());
        }
        let workload = self.workload;
        for event in std::mem::take(&mut self.events) {
            match event {
                Event::Done(done) => {
                    let join = |checksums: &[u64]| workload.join(checksums);
                    self.requests.done(done, now_ns(), join, &mut self.messages);
                }
                Event::Reaped { id, at_ns } => {
                    self.requests.reaped(id, at_ns, &mut self.messages);
                }
                Event::Broken(reason) => {
                    self.conn.push(Header::new(Kind::Failed, 0), &[reason.as_bytes()]);
                    self.broken.get_or_insert(reason);
                    self.close(false);
                }
            }
        }
        self.send()
    }

    fn expire(&mut self) {
        if self.requests.is_empty() {
            return;
        }
        let expired = self.requests.expire(now_ns(), self.kind.reaps, &mut self.messages);
        let mut cx = Context { poller: self.poller, events: &mut self.events };
        for id in expired {
            self.strategy.expire(id, &mut cx);
        }
    }

    fn send(&mut self) -> io::Result<()> {
        if self.messages.is_empty() {
            return Ok(());
        }
        for message in self.messages.drain(..) {
            match message {
                Message::Reply { id, outcome, reaps, mut reply, body } => {
                    reply.stamps.replied = now_ns();
                    let flags = if reaps { FLAG_REAPS } else { 0 };
                    let header = Header { outcome, flags, ..Header::new(Kind::Reply, id) };
                    let body = if body.len() > MAX_REASON_BYTES && outcome != Outcome::Ok {
                        &body[..MAX_REASON_BYTES]
                    } else {
                        &body
                    };
                    self.conn.push(header, &[&reply.encode(), body]);
                }
                Message::Reaped { id, at_ns } => {
                    self.conn.push(Header::new(Kind::Reaped, id), &[&at_ns.to_le_bytes()]);
                }
            }
        }
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        let was_behind = self.conn.is_behind();
        let done = match self.conn.flush() {
            Ok(done) => done,
            // The driver is gone, and with it the reader of an error.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.close(false);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if was_behind || !done {
            // Not there any more once the subject is closing without a driver.
            let _ = self.poller.want_write(&self.conn, DRIVER, !done);
        }
        Ok(())
    }

    fn say_ready(&mut self) -> io::Result<()> {
        self.phase = Phase::Serving;
        let used = process::usage_self().plus(process::usage_children());
        let ready = Ready {
            runtime: "rust".to_owned(),
            versions: [("forkbench".to_owned(), env!("CARGO_PKG_VERSION").to_owned())].into(),
            pid: std::process::id(),
            now_ns: now_ns(),
            tasks: self.tasks,
            strategy_options: self.configure.strategy_options.clone(),
            reaps: self.kind.reaps,
            usage: used.plus(self.strategy.usage_at_ready()),
        };
        let body = serde_json::to_vec(&ready).map_err(io::Error::other)?;
        self.conn.push(Header::new(Kind::Ready, 0), &[&body]);
        self.flush()
    }

    fn close(&mut self, farewell: bool) {
        if matches!(self.phase, Phase::Closing { .. }) {
            return;
        }
        self.phase = Phase::Closing { until_ns: now_ns() + CLOSING_NS, farewell };
        let mut cx = Context { poller: self.poller, events: &mut self.events };
        self.strategy.close(&mut cx);
        if !farewell {
            // The driver's side is not read any more; an end-of-file would be ready for ever.
            let _ = self.poller.remove(&self.conn);
        }
    }

    /// Dropping the strategy kills and reaps the children that did not leave in time.
    fn say_farewell(mut self, farewell: bool) -> io::Result<()> {
        let census = self.strategy.census();
        drop(self.strategy);
        if farewell {
            let stats = FinalStats {
                children_started: census.started,
                children_peak: census.peak,
                event_loop: None,
            };
            let body = serde_json::to_vec(&stats).map_err(io::Error::other)?;
            self.conn.push(Header::new(Kind::Stats, 0), &[&body]);
        }
        // The last words must get out even through a full socket, so they may block; a driver
        // that is gone does not need them.
        let _ = self.conn.set_blocking().and_then(|()| self.conn.flush().map(drop));
        self.broken.map_or(Ok(()), |reason| Err(io::Error::other(reason)))
    }

    fn next_wake_ns(&mut self) -> Option<u64> {
        let closing = match self.phase {
            Phase::Closing { until_ns, .. } => Some(until_ns),
            _ => None,
        };
        closing.into_iter().chain(self.requests.next_deadline_ns()).min()
    }
}

fn is_light(header: &Header) -> bool {
    header.flags & FLAG_LIGHT != 0
}

/// A reason is for people to read.
const MAX_REASON_BYTES: usize = 2_000;
