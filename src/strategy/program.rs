//! The common part of `spawn`, `exec-file` and `exec`: a new program per task, parameters as
//! arguments, the payload on standard input, the answer on standard output.
//!
//! Standard output and error are both read as they become ready, so that neither fills up while
//! the other is waited for. A task is done when its answer is complete (`spawn`) or when the
//! program has ended and both streams are closed (the buffered two). A program that ends or
//! closes without an answer is a crash; any other output is an `app_error`.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};

use rustix::io::Errno;

use super::jobs::Jobs;
use super::launch::{ChildProgram, Owned};
use super::{Census, Context, Done, Event, Ready, Setup, Strategy, Task, TaskId, TaskStamps};
use crate::protocol::text::{AnswerLine, Progress, read_answer};
use crate::protocol::{MAX_BODY_BYTES, Outcome};
use crate::sys::clock::now_ns;
use crate::sys::process::ExitStatus;

/// How the output is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As it comes: the answer counts once it is complete.
    Stream,
    /// As a whole: the answer counts once the program has ended and closed its streams.
    Buffered,
}

/// Which descriptor of a job; the low bits of its keys.
const STDOUT: u64 = 0;
const STDERR: u64 = 1;
const STDIN: u64 = 2;
const EXIT: u64 = 3;

const READ_BYTES: usize = 64 << 10;

/// Only the end of standard error is kept: its last line goes into the reason.
const STDERR_KEPT_BYTES: usize = 4 << 10;

/// Builds the command for one task; the arguments after the program are `task ID TASK SPEC…`.
pub type BuildCommand = fn(&ChildProgram, &[OsString; 3]) -> Command;

/// The strategy itself; the three differ in `reading` and `build`.
struct Programs {
    program: ChildProgram,
    reading: Reading,
    build: BuildCommand,
    jobs: Jobs<Job>,
    buffer: Vec<u8>,
}

/// One program that has been started and not yet been reaped.
struct Job {
    id: TaskId,
    child: Owned,
    /// This and the next are read once each time they are ready, and so never block.
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    stdin: Option<(OwnedFd, Vec<u8>, usize)>,
    out: Vec<u8>,
    err: Vec<u8>,
    dispatched: u64,
    /// Has ended, and may still be there to be reaped.
    ended: bool,
    exit: Option<ExitStatus>,
    answered: bool,
}

/// Starts one of the three strategies.
pub fn start(
    setup: Setup<'_>,
    reading: Reading,
    build: BuildCommand,
) -> Result<Box<dyn Strategy>, String> {
    Ok(Box::new(Programs {
        program: ChildProgram::new(setup),
        reading,
        build,
        jobs: Jobs::default(),
        buffer: vec![0; READ_BYTES],
    }))
}

impl Strategy for Programs {
    fn begin(&mut self, task: Task, cx: &mut Context<'_>) {
        let id = task.id;
        let dispatched = now_ns();
        match self.launch(task, dispatched, cx) {
            Ok(job) => self.jobs.insert(id, job),
            Err(error) => cx.reject(id, self.program.start_error(&error)),
        }
    }

    fn ready(&mut self, ready: Ready, cx: &mut Context<'_>) {
        let slot = ready.key >> 2;
        // A descriptor of a job that ended earlier in the same round of events.
        let Some(job) = self.jobs.get(slot) else {
            return;
        };
        match ready.key & 3 {
            STDOUT => job.read_stdout(&mut self.buffer, self.reading, cx),
            STDERR => job.read_stderr(&mut self.buffer, cx),
            STDIN => job.write_stdin(cx),
            _ => job.has_ended(cx),
        }
        job.settle(cx);
        job.conclude(cx);
        if job.is_over() {
            self.jobs.remove(slot, |job| job.id);
        }
    }

    fn expire(&mut self, id: TaskId, cx: &mut Context<'_>) {
        let Some(slot) = self.jobs.slot_of(id) else {
            return;
        };
        if let Some(job) = self.jobs.get(slot) {
            job.abandon(cx);
            if job.is_over() {
                self.jobs.remove(slot, |job| job.id);
            }
        }
    }

    fn close(&mut self, cx: &mut Context<'_>) {
        self.jobs.iter_mut().for_each(|job| job.abandon(cx));
        self.jobs.remove_over(Job::is_over);
    }

    fn is_closed(&self) -> bool {
        self.jobs.is_empty()
    }

    fn census(&self) -> Census {
        self.jobs.census()
    }
}

impl Programs {
    fn launch(&self, task: Task, dispatched: u64, cx: &mut Context<'_>) -> io::Result<Job> {
        let args = [
            OsString::from("task"),
            OsString::from(task.id.request.to_string()),
            OsString::from(task.id.task.to_string()),
        ];
        let mut command = (self.build)(&self.program, &args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if !task.payload.is_empty() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn()?;
        let owned = Owned::new(child.id())?;
        let key = self.jobs.next_slot() << 2;
        let register = |fd: OwnedFd, which: u64| -> io::Result<OwnedFd> {
            if which == STDIN {
                rustix::io::ioctl_fionbio(&fd, true)?;
                cx.poller.add_writable(&fd, key | which)?;
            } else {
                cx.poller.add(&fd, key | which)?;
            }
            Ok(fd)
        };
        let stdout = child.stdout.take().map(|out| register(out.into(), STDOUT)).transpose()?;
        let stderr = child.stderr.take().map(|err| register(err.into(), STDERR)).transpose()?;
        let stdin = child.stdin.take().map(|input| register(input.into(), STDIN)).transpose()?;
        cx.poller.add(&owned, key | EXIT)?;
        Ok(Job {
            id: task.id,
            child: owned,
            stdout,
            stderr,
            stdin: stdin.map(|fd| (fd, task.payload, 0)),
            out: Vec::new(),
            err: Vec::new(),
            dispatched,
            ended: false,
            exit: None,
            answered: false,
        })
    }
}

impl Job {
    fn read_stdout(&mut self, buffer: &mut [u8], reading: Reading, cx: &mut Context<'_>) {
        let Some(n) = read(&mut self.stdout, buffer, cx) else { return };
        self.out.extend_from_slice(&buffer[..n]);
        if reading == Reading::Stream {
            self.answer_if_complete(cx);
        }
        // Whatever it is, it is longer than any answer.
        if !self.answered && self.out.len() > MAX_BODY_BYTES + READ_BYTES {
            let error = match read_answer(&self.out) {
                Err(error) => error.to_string(),
                Ok(_) => "more output than any answer may have".to_owned(),
            };
            self.fail_on_output(&error, cx);
        }
    }

    fn read_stderr(&mut self, buffer: &mut [u8], cx: &mut Context<'_>) {
        let Some(n) = read(&mut self.stderr, buffer, cx) else { return };
        self.err.extend_from_slice(&buffer[..n]);
        let excess = self.err.len().saturating_sub(STDERR_KEPT_BYTES);
        self.err.drain(..excess);
    }

    fn write_stdin(&mut self, cx: &mut Context<'_>) {
        let Some((fd, payload, written)) = &mut self.stdin else {
            return;
        };
        match rustix::io::write(&*fd, &payload[*written..]) {
            Ok(n) => *written += n,
            Err(Errno::AGAIN | Errno::INTR) => return,
            // A program that does not read its input may still answer.
            Err(_) => *written = payload.len(),
        }
        if *written == payload.len() {
            let _ = cx.poller.remove(&*fd);
            self.stdin = None;
        }
    }

    fn has_ended(&mut self, cx: &mut Context<'_>) {
        let _ = cx.poller.remove(&self.child);
        self.ended = true;
    }

    /// Reaps a program that has ended once nothing more is to come from its streams. As long as
    /// it is not reaped its process group can be killed, and with it a process that it has left
    /// behind with an open stream.
    fn settle(&mut self, cx: &mut Context<'_>) {
        let open = self.stdout.is_some() || self.stderr.is_some();
        if !self.ended || (open && !self.answered) {
            return;
        }
        if open {
            self.child.kill();
            self.close_streams(cx);
        }
        if let Some(exit) = self.child.try_reap() {
            self.exit = Some(exit.status);
            let at_ns = now_ns();
            cx.events.push(Event::Reaped { id: self.id, at_ns });
        }
    }

    /// No answer is wanted any more: ends the program and all that it has started.
    fn abandon(&mut self, cx: &mut Context<'_>) {
        self.answered = true;
        self.child.kill();
        self.close_streams(cx);
        self.settle(cx);
    }

    /// Ends the task if all that could still come has come.
    fn conclude(&mut self, cx: &mut Context<'_>) {
        if self.answered || self.stdout.is_some() || self.stderr.is_some() {
            return;
        }
        let Some(status) = self.exit else { return };
        match read_answer(&self.out) {
            Ok(Progress::Complete(line, start)) if status.success() => self.answer(line, start, cx),
            Ok(Progress::Complete(..)) => {
                self.fail(Outcome::AppError, &format!("answered and then {status}"), cx);
            }
            Ok(Progress::Incomplete) => {
                self.fail(Outcome::Crash, &format!("{status} before it had answered"), cx);
            }
            Err(error) => self.fail_on_output(&error.to_string(), cx),
        }
    }

    fn answer_if_complete(&mut self, cx: &mut Context<'_>) {
        if self.answered {
            return;
        }
        match read_answer(&self.out) {
            Ok(Progress::Incomplete) => {}
            Ok(Progress::Complete(line, start)) => self.answer(line, start, cx),
            Err(error) => self.fail_on_output(&error.to_string(), cx),
        }
    }

    fn answer(&mut self, line: AnswerLine, start: usize, cx: &mut Context<'_>) {
        if line.id != self.id.request {
            let reason = format!("answered request {} when asked {}", line.id, self.id.request);
            return self.finish(Done::failed(self.id, Outcome::AppError, reason), cx);
        }
        let mut body = std::mem::take(&mut self.out);
        body.drain(..start);
        let AnswerLine { outcome, checksum, child_start, work_start, work_end, .. } = line;
        let stamps = TaskStamps { dispatched: 0, child_start, work_start, work_end };
        self.finish(Done { checksum, stamps, body, ..Done::failed(self.id, outcome, "") }, cx);
    }

    /// The output is no answer: nothing that follows can make it one.
    fn fail_on_output(&mut self, error: &str, cx: &mut Context<'_>) {
        self.fail(Outcome::AppError, error, cx);
        self.child.kill();
        self.close_streams(cx);
    }

    fn fail(&mut self, outcome: Outcome, what: &str, cx: &mut Context<'_>) {
        let last_words = last_line(&self.err).map(|line| format!("; it said: {line}"));
        let reason = format!("{what}{}", last_words.unwrap_or_default());
        self.finish(Done::failed(self.id, outcome, reason), cx);
    }

    fn finish(&mut self, done: Done, cx: &mut Context<'_>) {
        self.answered = true;
        let stamps = TaskStamps { dispatched: self.dispatched, ..done.stamps };
        let child_pid = self.child.pid();
        cx.events.push(Event::Done(Done { stamps, child_pid, reaps: true, ..done }));
    }

    fn close_streams(&mut self, cx: &mut Context<'_>) {
        forget(&mut self.stdout, cx);
        forget(&mut self.stderr, cx);
        if let Some((fd, ..)) = self.stdin.take() {
            let _ = cx.poller.remove(&fd);
        }
    }

    /// Streams that are still open after the answer belong to a process that the program started;
    /// they are closed with the job.
    fn is_over(&self) -> bool {
        self.answered && self.exit.is_some()
    }
}

/// The last line that is not blank.
fn last_line(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

/// Reads once; a stream that has ended is closed.
fn read(fd: &mut Option<OwnedFd>, buffer: &mut [u8], cx: &mut Context<'_>) -> Option<usize> {
    match rustix::io::read(fd.as_ref()?, &mut *buffer) {
        Ok(n @ 1..) => return Some(n),
        Err(Errno::AGAIN | Errno::INTR) => {}
        Ok(0) | Err(_) => forget(fd, cx),
    }
    None
}

/// Closing alone is not enough. A child that is being started holds copies of all descriptors
/// until its exec is through, and epoll watches the open file, not the descriptor: the end of an
/// earlier child's pipe would be reported over and over, and this loop would keep the core from
/// the very child whose exec would end that.
fn forget(fd: &mut Option<OwnedFd>, cx: &mut Context<'_>) {
    if let Some(fd) = fd.take() {
        let _ = cx.poller.remove(fd.as_fd());
    }
}
