//! Running one task on the calling thread, for every child that has the input loaded.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Done, TaskId, TaskStamps};
use crate::protocol::{LIGHT_TASK, Outcome};
use crate::sys::clock::now_ns;
use crate::workload::{Answer, Input};

/// The result of a task, and when it ran.
#[derive(Debug)]
pub struct Ran {
    /// `Ok`, `AppError` or `Crash`.
    pub outcome: Outcome,
    /// Of the answer.
    pub checksum: u64,
    /// The payload of an `ok`, the reason of every other outcome.
    pub body: Vec<u8>,
    /// When the work began, in ns.
    pub work_start: u64,
    /// When the work was done, in ns.
    pub work_end: u64,
}

impl Ran {
    /// The outcome of a task that a thread of this process ran.
    pub fn done(self, id: TaskId, dispatched: u64, child_start: u64) -> Done {
        let Ran { outcome, checksum, body, work_start, work_end } = self;
        Done {
            id,
            outcome,
            checksum,
            body,
            stamps: TaskStamps { dispatched, child_start, work_start, work_end },
            child_pid: std::process::id(),
            reaps: false,
        }
    }
}

/// Runs one task to its end; a panic is a crash, as it is for a child of its own.
pub fn run(input: &dyn Input, task: u16, payload: Vec<u8>) -> Ran {
    let work_start = now_ns();
    let result = match task {
        // A probe: all that the strategy does, and nothing else.
        LIGHT_TASK => Ok(Ok(Answer::default())),
        task => catch_unwind(AssertUnwindSafe(|| input.run(u32::from(task), payload))),
    };
    let work_end = now_ns();
    let (outcome, Answer { checksum, payload: body }) = match result {
        Ok(Ok(answer)) => (Outcome::Ok, answer),
        Ok(Err(reason)) => (Outcome::AppError, failure(reason)),
        Err(_) => (Outcome::Crash, failure("the task panicked".to_owned())),
    };
    Ran { outcome, checksum, body, work_start, work_end }
}

fn failure(reason: String) -> Answer {
    Answer { checksum: 0, payload: reason.into_bytes() }
}
