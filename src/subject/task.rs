//! A program per task: parameters as arguments, payload on standard input, answer as text.

use std::io::{self, IoSlice, Read};

use crate::protocol::text::AnswerLine;
use crate::protocol::{LIGHT_TASK, Outcome};
use crate::strategy::run::run;
use crate::sys::affinity;
use crate::workload::{Answer, Input, Spec};

/// `task ID TASK SPEC…`
pub fn task(args: &[String], child_start: u64) -> Result<(), String> {
    affinity::move_child();
    let [id, task, spec @ ..] = args else {
        return Err(format!("expected ID TASK SPEC, got {args:?}"));
    };
    let id = id.parse().map_err(|_| format!("id is `{id}`; expected a whole number"))?;
    let task = task.parse().map_err(|_| format!("task is `{task}`; expected a whole number"))?;
    let spec = Spec::from_args(spec)?;
    let ran = if task == LIGHT_TASK {
        run(&NoInput, task, Vec::new())
    } else {
        let input = spec.workload()?.prepare(&spec)?;
        let payload = read_payload(&spec).map_err(|error| format!("read the payload: {error}"))?;
        run(&*input, task, payload)
    };
    if ran.outcome == Outcome::Crash {
        return Err("the task panicked".to_owned());
    }
    let line = AnswerLine {
        id,
        outcome: ran.outcome,
        checksum: ran.checksum,
        child_start,
        work_start: ran.work_start,
        work_end: ran.work_end,
        bytes: ran.body.len(),
    };
    write_answer(line.render().as_bytes(), &ran.body)
        .map_err(|error| format!("write the answer: {error}"))
}

/// What a probe works on.
struct NoInput;

impl Input for NoInput {
    fn run(&self, task: u32, _: Vec<u8>) -> Result<Answer, String> {
        Err(format!("task {task} has no input"))
    }
}

fn read_payload(spec: &Spec) -> io::Result<Vec<u8>> {
    let mut payload = vec![0; usize::try_from(spec.payload_bytes).map_err(io::Error::other)?];
    if !payload.is_empty() {
        io::stdin().lock().read_exact(&mut payload)?;
    }
    Ok(payload)
}

/// Line and payload in one system call where the pipe takes them, past the standard library's
/// line buffer, which would write them apart.
fn write_answer(line: &[u8], body: &[u8]) -> io::Result<()> {
    let stdout = rustix::stdio::stdout();
    let mut written = 0;
    while written < line.len() + body.len() {
        let (line, body) = match written.checked_sub(line.len()) {
            None => (&line[written..], body),
            Some(past) => (&[][..], &body[past..]),
        };
        written += rustix::io::retry_on_intr(|| {
            rustix::io::writev(stdout, &[IoSlice::new(line), IoSlice::new(body)])
        })?;
    }
    Ok(())
}
