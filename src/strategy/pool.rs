//! `pool`: long-lived worker programs behind one central bounded queue.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;

use super::launch::{self, ChildProgram, Owned};
use super::workers::{self, Launcher, WorkerEnd};
use super::{Children, Context, Kind, Ready, Setup, Span, Strategy, fork_ipc};
use crate::workload::options::OptionDef;

pub const KIND: Kind = Kind {
    name: "pool",
    summary: "long-lived worker programs behind one central bounded queue",
    options: &OPTIONS,
    reaps: false,
    children: Children::Programs(Span::Pool),
    start,
};

const OPTIONS: [OptionDef; 5] = {
    let [workers, queue, recycle_after, recycle_jitter] = workers::OPTIONS;
    [workers, queue, recycle_after, recycle_jitter, fork_ipc::SERIALIZATION]
};

/// Starts workers as programs.
struct Programs {
    program: ChildProgram,
    children: HashMap<u64, Owned>,
}

fn start(setup: Setup<'_>) -> Result<Box<dyn Strategy>, String> {
    let (options, poller) = (setup.options, setup.poller);
    let launcher = Programs { program: ChildProgram::new(setup), children: HashMap::new() };
    Ok(Box::new(workers::Workers::start(launcher, options, poller)?))
}

impl Launcher for Programs {
    fn launch(&mut self, slot: u64, cx: &mut Context<'_>) -> io::Result<OwnedFd> {
        let (child, socket) = launch::with_socket(self.program.command(&["worker"]))?;
        cx.poller.add(&child, workers::launcher_key(slot))?;
        self.children.insert(slot, child);
        Ok(socket)
    }

    fn kill(&mut self, slot: u64, _: &mut Context<'_>) {
        if let Some(child) = self.children.get(&slot) {
            child.kill();
        }
    }

    fn ready(&mut self, ready: Ready, cx: &mut Context<'_>) -> Result<Vec<WorkerEnd>, String> {
        let slot = workers::slot_of(ready.key);
        let Some(exit) = self.children.get_mut(&slot).and_then(Owned::try_reap) else {
            return Ok(Vec::new());
        };
        if let Some(child) = self.children.remove(&slot) {
            let _ = cx.poller.remove(&child);
        }
        Ok(vec![WorkerEnd { slot, how: exit.status.to_string() }])
    }

    fn is_closed(&self) -> bool {
        self.children.is_empty()
    }
}
