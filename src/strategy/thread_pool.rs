//! `thread-pool`: a fixed pool of threads, rayon's, that share the input.

use std::sync::Arc;

use super::completion::Completions;
use super::{
    Ballast, Census, Children, Context, Event, Kind, Ready, Setup, Span, Strategy, Task, WORKERS,
};
use crate::sys::affinity;
use crate::workload::Input;
use crate::workload::options;

pub const KIND: Kind = Kind {
    name: "thread-pool",
    summary: "a fixed pool of threads (rayon)",
    options: &[WORKERS],
    reaps: false,
    children: Children::Threads(Span::Pool),
    start,
};

const KEY: u64 = 0;

struct ThreadPool {
    input: Arc<dyn Input>,
    completions: Completions,
    pool: Option<rayon::ThreadPool>,
    census: Census,
    _ballast: Ballast,
}

fn start(setup: Setup<'_>) -> Result<Box<dyn Strategy>, String> {
    let _ballast = Ballast::touch(setup.ballast_bytes);
    let workers = options::count(setup.options, WORKERS.name)?;
    let completions = Completions::new(setup.poller, KEY)?;
    // None only in memory trials, which compare with it; of rayon 0 would ask for the default.
    let pool = (workers > 0).then(|| threads(workers)).transpose()?;
    let census = Census { started: workers, alive: workers, peak: workers };
    Ok(Box::new(ThreadPool { input: setup.prepare()?, completions, pool, census, _ballast }))
}

fn threads(workers: u64) -> Result<rayon::ThreadPool, String> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(workers as usize)
        .start_handler(|_| affinity::move_child())
        .build()
        .map_err(|error| format!("create a pool of {workers} threads: {error}"))
}

impl Strategy for ThreadPool {
    fn begin(&mut self, task: Task, cx: &mut Context<'_>) {
        let Some(pool) = &self.pool else {
            return cx.reject(task.id, "the pool has no threads");
        };
        let input = Arc::clone(&self.input);
        let notifier = self.completions.notifier();
        pool.spawn(move || {
            let ran = super::run::run(&*input, task.id.task, task.payload);
            // rayon's queue is its own: the first that can be seen of a task is its thread. So
            // waiting for a thread, wake-up included, counts as `queue`, and `creation` is nothing.
            let start = ran.work_start;
            notifier.finished(ran.done(task.id, start, start));
        });
    }

    fn ready(&mut self, _: Ready, cx: &mut Context<'_>) {
        cx.events.extend(self.completions.drain().map(Event::Done));
    }

    fn census(&self) -> Census {
        self.census
    }
}
