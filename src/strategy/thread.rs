//! `thread`: a new thread per task, joined. The threads share the input.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use super::completion::{Completions, Notifier};
use super::{
    Ballast, Census, Children, Context, Event, Kind, Ready, Setup, Span, Strategy, Task, TaskId,
};
use crate::sys::affinity;
use crate::sys::clock::now_ns;
use crate::workload::Input;

pub const KIND: Kind = Kind {
    name: "thread",
    summary: "a new thread per task, joined",
    options: &[],
    reaps: false,
    children: Children::Threads(Span::Request),
    start,
};

const KEY: u64 = 0;

struct Thread {
    input: Arc<dyn Input>,
    completions: Completions,
    running: HashMap<TaskId, JoinHandle<()>>,
    finished: Vec<JoinHandle<()>>,
    census: Census,
    _ballast: Ballast,
}

fn start(setup: Setup<'_>) -> Result<Box<dyn Strategy>, String> {
    let _ballast = Ballast::touch(setup.ballast_bytes);
    let completions = Completions::new(setup.poller, KEY)?;
    Ok(Box::new(Thread {
        input: setup.prepare()?,
        completions,
        running: HashMap::new(),
        finished: Vec::new(),
        census: Census::default(),
        _ballast,
    }))
}

impl Strategy for Thread {
    fn begin(&mut self, task: Task, cx: &mut Context<'_>) {
        let id = task.id;
        let input = Arc::clone(&self.input);
        let notifier = self.completions.notifier();
        let dispatched = now_ns();
        let spawned =
            std::thread::Builder::new().spawn(move || work(&*input, task, dispatched, &notifier));
        match spawned {
            Ok(handle) => {
                self.running.insert(id, handle);
                self.census.born();
            }
            Err(error) => cx.reject(id, format!("create a thread: {error}")),
        }
    }

    fn ready(&mut self, _: Ready, cx: &mut Context<'_>) {
        for done in self.completions.drain() {
            self.finished.extend(self.running.remove(&done.id));
            cx.events.push(Event::Done(done));
        }
    }

    /// Joining waits for the last instructions of a thread that has already answered.
    fn tidy(&mut self) {
        for handle in self.finished.drain(..) {
            // The closure catches panics, so a join cannot fail.
            let _ = handle.join();
            self.census.gone();
        }
    }

    fn census(&self) -> Census {
        self.census
    }
}

fn work(input: &dyn Input, task: Task, dispatched: u64, notifier: &Notifier) {
    let child_start = now_ns();
    affinity::move_child();
    let ran = super::run::run(input, task.id.task, task.payload);
    notifier.finished(ran.done(task.id, dispatched, child_start));
}
