//! `blocking`: the task runs in the subject's event loop, and nothing else does meanwhile. The
//! study notes' bad example, and the reference of every comparison.

use std::sync::Arc;

use super::{Ballast, Children, Context, Event, Kind, Setup, Strategy, Task};
use crate::workload::Input;

pub const KIND: Kind = Kind {
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
        let start = ran.work_start;
        cx.events.push(Event::Done(ran.done(task.id, start, start)));
    }

    // It never expires in time: the loop that would notice the deadline is the one that is busy.
}
