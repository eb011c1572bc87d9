//! The fork server's own process: waits for orders and for the ends of its children.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::message::{Notice, Order};
use super::{ChildRole, Ended, Loaded};
use crate::protocol::conn::{Buffers, Conn};
use crate::strategy::channel::{self, Served};
use crate::strategy::launch::Owned;
use crate::subject::worker;
use crate::sys::clock::now_ns;
use crate::sys::poller::{Poller, Ready};
use crate::sys::process::{self, Fork, SingleThreaded};
use crate::sys::socket;

const ORDERS: u64 = u64::MAX;

/// Serves orders until the subject hangs up, then kills and reaps what is left.
pub(super) fn serve(
    orders: &OwnedFd,
    role: ChildRole,
    loaded: Result<(Loaded, SingleThreaded), String>,
) {
    let (loaded, proof) = match loaded {
        Ok(loaded) => loaded,
        Err(reason) => return tell(orders, &Notice::Failed { reason }),
    };
    if let Err(error) = Server::run(orders, role, &loaded, &proof) {
        tell(
            orders,
            &Notice::Failed {
                reason: format!("the fork server failed: {error}"),
            },
        );
    }
}

struct Server<'a> {
    orders: &'a OwnedFd,
    role: ChildRole,
    loaded: &'a Loaded,
    proof: &'a SingleThreaded,
    poller: Poller,
    children: HashMap<u64, Owned>,
    /// For the next child, which takes its copy of them.
    buffers: Buffers,
}

impl Server<'_> {
    fn run(
        orders: &OwnedFd,
        role: ChildRole,
        loaded: &Loaded,
        proof: &SingleThreaded,
    ) -> io::Result<()> {
        let poller = Poller::new()?;
        poller.add(orders, ORDERS)?;
        let mut server = Server {
            orders,
            role,
            loaded,
            proof,
            poller,
            children: HashMap::new(),
            buffers: Buffers::small(),
        };
        tell(
            orders,
            &Notice::Ready {
                usage: process::usage_self(),
            },
        );
        let mut ready: Vec<Ready> = Vec::new();
        loop {
            server.poller.wait(&mut ready, None)?;
            for event in &ready {
                if event.key != ORDERS {
                    server.reap(event.key);
                } else if !server.obey()? {
                    // Dropping the children kills and reaps each.
                    return Ok(());
                }
            }
        }
    }

    /// Takes one order; `false` when the subject has hung up.
    fn obey(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 64];
        let (len, fd) = socket::recv_message(self.orders, &mut buffer)?;
        match (Order::decode(&buffer[..len]), fd) {
            _ if len == 0 => return Ok(false),
            (Some(Order::Fork { slot }), Some(socket)) => self.fork(slot, socket),
            (Some(Order::Kill { slot }), _) => {
                if let Some(child) = self.children.get(&slot) {
                    child.kill();
                }
            }
            _ => return Err(io::Error::other("an order that is none")),
        }
        Ok(true)
    }

    fn fork(&mut self, slot: u64, socket: OwnedFd) {
        match process::fork(self.proof) {
            Ok(Fork::Child) => {
                let child_start = now_ns();
                process::close_all_but(socket.as_fd());
                process::die_with_parent();
                process::lead_group();
                let buffers = std::mem::replace(&mut self.buffers, Buffers::none());
                let conn = match self.role {
                    ChildRole::Task => Conn::blocking_in(socket, buffers),
                    ChildRole::Worker => Conn::blocking(socket),
                };
                let code = child(conn, self.role, self.loaded, child_start);
                process::exit_now(code)
            }
            Ok(Fork::Parent(pid)) => {
                let owned = Owned::from_pid(pid).and_then(|child| {
                    self.poller.add(&child, slot)?;
                    Ok(child)
                });
                match owned {
                    Ok(child) => drop(self.children.insert(slot, child)),
                    Err(error) => self.refuse(slot, &error),
                }
            }
            Err(error) => self.refuse(slot, &error),
        }
    }

    fn refuse(&self, slot: u64, error: &io::Error) {
        let errno = error.raw_os_error().unwrap_or(0);
        tell(self.orders, &Notice::Refused { slot, errno });
    }

    fn reap(&mut self, slot: u64) {
        let Some(exit) = self.children.get_mut(&slot).and_then(Owned::try_reap) else {
            return;
        };
        let at_ns = now_ns();
        // Dropping closes the pidfd, and with it its place in the poller.
        self.children.remove(&slot);
        let ended = Ended {
            status: exit.status,
            at_ns,
        };
        tell(self.orders, &Notice::Reaped { slot, ended });
    }
}

/// The forked copy: its exit code.
fn child(mut conn: Conn, role: ChildRole, loaded: &Loaded, child_start: u64) -> i32 {
    let input = &*loaded.input;
    let served = match role {
        ChildRole::Task => channel::serve_one(&mut conn, input, || child_start),
        ChildRole::Worker => worker::serve(&mut conn, input).map(|()| Served::Closed),
    };
    // The kernel frees all of it at once; freeing it piece by piece would first make a copy of
    // every page on which there is something to note.
    std::mem::forget(conn);
    i32::from(served.is_err())
}

/// Blocks while the subject's queue is full: it empties it whenever it comes round its loop.
fn tell(orders: &OwnedFd, notice: &Notice) {
    // A subject that is gone is noticed by the next order.
    let _ = socket::send_message(orders, &notice.encode(), None);
}
