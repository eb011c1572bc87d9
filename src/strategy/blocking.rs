//! `blocking`: the task runs in the subject's event loop, and nothing else does meanwhile. The
//! study notes' bad example, and the reference of every comparison.

use std::sync::Arc;

use super::{
    Ballast, Census, Children, Context, Done, Event, Kind, Setup, Strategy, Task, TaskId,
    TaskStamps,
};
use crate::workload::Input;

pub(super) const KIND: Kind = Kind {
    name: "blocking",
    summary: "runs in the subject's event loop; nothing else is answered meanwhile",
    options: &[],
    reaps: false,
    children: Children::None,
    start,
};

struct Blocking {
    input: Arc<dyn Input>,
    _ballast: Ballast,
}

fn start(setup: Setup<'_>) -> Result<Box<dyn Strategy>, String> {
    let _ballast = Ballast::touch(setup.ballast_bytes);
    Ok(Box::new(Blocking { input: setup.prepare()?, _ballast }))
}

impl Strategy for Blocking {
    fn begin(&mut self, task: Task, cx: &mut Context<'_>) {
        let ran = super::run::run(&*self.input, task.id.task, task.payload);
        // Nothing lies between deciding to run and running: one stamp serves for three.
        let stamps = TaskStamps {
            dispatched: ran.work_start,
            child_start: ran.work_start,
            work_start: ran.work_start,
            work_end: ran.work_end,
        };
        cx.events.push(Event::Done(Done {
            id: task.id,
            outcome: ran.outcome,
            checksum: ran.checksum,
            body: ran.body,
            stamps,
            child_pid: std::process::id(),
            reaps: false,
        }));
    }

    /// Never in time: the loop that would notice the deadline is the one that is busy.
    fn expire(&mut self, _: TaskId, _: &mut Context<'_>) {}

    fn census(&self) -> Census {
        Census::default()
    }
}
