//! `prefork-pool`: the same pool, its workers forked from the warm fork server.

use std::io;
use std::os::fd::OwnedFd;

use super::fork_server::{ChildRole, ForkServer, Notice, Order, WARM};
use super::workers::{self, Launcher, WorkerEnd};
use super::{Children, Context, Kind, Ready, Setup, Span, Strategy};
use crate::sys::socket;
use crate::sys::usage::Usage;
use crate::workload::options::OptionDef;

pub const KIND: Kind = Kind {
    name: "prefork-pool",
    summary: "the same pool, its workers forked from the warm fork server",
    options: &OPTIONS,
    reaps: false,
    children: Children::Copies(Span::Pool),
    start,
};

const OPTIONS: [OptionDef; 5] = {
    let [workers, queue, recycle_after, recycle_jitter] = workers::OPTIONS;
    [workers, queue, recycle_after, recycle_jitter, WARM]
};

struct Server(ForkServer);

fn start(setup: Setup<'_>) -> Result<Box<dyn Strategy>, String> {
    let server = ForkServer::start(&setup, ChildRole::Worker, workers::launcher_key(1 << 60))?;
    Ok(Box::new(workers::Workers::start(Server(server), setup.options, setup.poller)?))
}

impl Launcher for Server {
    fn launch(&mut self, slot: u64, cx: &mut Context<'_>) -> io::Result<OwnedFd> {
        let (ours, theirs) = socket::stream_pair()?;
        self.0.send(Order::Fork { slot }, Some(theirs), cx);
        Ok(ours)
    }

    fn kill(&mut self, slot: u64, cx: &mut Context<'_>) {
        self.0.send(Order::Kill { slot }, None, cx);
    }

    fn ready(&mut self, ready: Ready, cx: &mut Context<'_>) -> Result<Vec<WorkerEnd>, String> {
        let ends = self.0.ready(ready, cx)?.into_iter().filter_map(|notice| match notice {
            Notice::Reaped { slot, ended } => {
                Some(WorkerEnd { slot, how: ended.status.to_string() })
            }
            Notice::Refused { slot, errno } => {
                let error = io::Error::from_raw_os_error(errno);
                Some(WorkerEnd { slot, how: format!("could not be forked: {error}") })
            }
            Notice::Ready { .. } | Notice::Failed { .. } | Notice::Piece { .. } => None,
        });
        Ok(ends.collect())
    }

    fn is_ready(&self) -> bool {
        self.0.is_ready()
    }

    fn usage_at_ready(&self) -> Usage {
        self.0.usage_at_ready()
    }

    fn close(&mut self, cx: &mut Context<'_>) {
        self.0.close(cx);
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}
