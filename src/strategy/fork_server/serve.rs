//! The fork server's own process: waits for orders and for the ends of its children.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::children::Children;
use super::message::{MAX_BYTES, MAX_PIECE_BYTES, Notice, Order, PIECE_HEAD_BYTES, piece_head};
use super::{ChildRole, Ended, Loaded};
use crate::protocol::conn::{Buffers, Conn};
use crate::protocol::{HEADER_BYTES, REPLY_BYTES};
use crate::strategy::TaskId;
use crate::strategy::channel::{self, Answer, Served};
use crate::sys::child_ends::ChildEnds;
use crate::sys::clock::now_ns;
use crate::sys::poller::{Poller, Ready};
use crate::sys::process::{self, Fork, SingleThreaded};
use crate::sys::socket;

const ORDERS: u64 = 0;
const ENDS: u64 = 1;

/// Serves orders until the subject hangs up, then kills and reaps the remaining children.
pub fn serve(orders: &OwnedFd, role: ChildRole, loaded: Result<(Loaded, SingleThreaded), String>) {
    let (loaded, proof) = match loaded {
        Ok(loaded) => loaded,
        Err(reason) => return tell(orders, &Notice::Failed { reason }),
    };
    if let Err(error) = Server::run(orders, role, &loaded, &proof) {
        tell(orders, &Notice::Failed { reason: format!("the fork server failed: {error}") });
    }
}

struct Server<'a> {
    orders: &'a OwnedFd,
    role: ChildRole,
    loaded: &'a Loaded,
    proof: &'a SingleThreaded,
    ends: ChildEnds,
    children: Children,
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
        let ends = ChildEnds::new()?;
        poller.add(&ends, ENDS)?;
        let mut server = Server {
            orders,
            role,
            loaded,
            proof,
            ends,
            children: Children::default(),
            buffers: Buffers::small(),
        };
        tell(orders, &Notice::Ready { usage: process::usage_self() });
        let mut ready: Vec<Ready> = Vec::new();
        let mut buffer = vec![0; MAX_BYTES];
        loop {
            poller.wait(&mut ready, None)?;
            for event in &ready {
                if event.key == ENDS {
                    server.reap()?;
                } else if !server.obey(&mut buffer)? {
                    // Dropping the children kills and reaps each.
                    return Ok(());
                }
            }
        }
    }

    /// Takes one order; `false` when the subject has hung up.
    fn obey(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let (len, fd) = socket::recv_message(self.orders, buffer)?;
        match (Order::decode(&buffer[..len]), fd) {
            _ if len == 0 => return Ok(false),
            (Some(Order::Task { slot, id, payload }), _) => {
                self.fork(slot, Means::Order(id, payload))
            }
            (Some(Order::Fork { slot }), Some(socket)) => self.fork(slot, Means::Socket(socket)),
            (Some(Order::Kill { slot }), _) => {
                self.children.kill(slot);
            }
            _ => return Err(io::Error::other("an order that is none")),
        }
        Ok(true)
    }

    fn fork(&mut self, slot: u64, means: Means<'_>) {
        match process::fork(self.proof) {
            Ok(Fork::Child) => {
                let child_start = now_ns();
                let code = self.be_child(slot, means, child_start);
                process::exit_now(code)
            }
            Ok(Fork::Parent(pid)) => self.children.adopt(pid, slot),
            Err(error) => self.refuse(slot, &error),
        }
    }

    /// The forked copy: its exit code.
    fn be_child(&mut self, slot: u64, means: Means<'_>, child_start: u64) -> i32 {
        process::close_all_but(match &means {
            Means::Order(..) => self.orders.as_fd(),
            Means::Socket(socket) => socket.as_fd(),
        });
        process::die_with_parent();
        process::lead_group();
        ChildEnds::undo_in_child();
        let input = &*self.loaded.input;
        let socket = match means {
            Means::Order(id, payload) => {
                let answer = channel::run_task(id, payload.to_vec(), input, child_start);
                return i32::from(send_pieces(self.orders, slot, &answer).is_err());
            }
            Means::Socket(socket) => socket,
        };
        let buffers = std::mem::replace(&mut self.buffers, Buffers::none());
        let mut conn = match self.role {
            ChildRole::Task => Conn::blocking_in(socket, buffers),
            ChildRole::Worker => Conn::blocking(socket),
        };
        let served = match self.role {
            ChildRole::Task => channel::serve_one(&mut conn, input, || child_start),
            ChildRole::Worker => channel::serve(&mut conn, input).map(|()| Served::Closed),
        };
        // The kernel frees all of it at once; freeing it piece by piece would first make a copy
        // of every page on which there is something to note.
        std::mem::forget(conn);
        i32::from(served.is_err())
    }

    fn refuse(&self, slot: u64, error: &io::Error) {
        let errno = error.raw_os_error().unwrap_or(0);
        tell(self.orders, &Notice::Refused { slot, errno });
    }

    /// Reaps all children that have ended.
    fn reap(&mut self) -> io::Result<()> {
        // First, so that an end between the last look and the next wait shows again.
        self.ends.clear();
        while let Some((pid, exit)) = process::wait_any()? {
            let at_ns = now_ns();
            let Some(slot) = self.children.forget(pid) else {
                continue;
            };
            let ended = Ended { status: exit.status, at_ns };
            tell(self.orders, &Notice::Reaped { slot, ended });
        }
        Ok(())
    }
}

/// What a child has of its task.
enum Means<'a> {
    /// All of it, from the order: it answers over the server's socket.
    Order(TaskId, &'a [u8]),
    /// A socket to be told and to answer over.
    Socket(OwnedFd),
}

/// Sends an answer as a frame, in as many messages as it needs.
fn send_pieces(orders: &OwnedFd, slot: u64, answer: &Answer) -> io::Result<()> {
    let Answer { header, fixed, body } = answer;
    let head = piece_head(slot);
    let mut first = [0; FIRST_BYTES];
    let parts = [&head[..], &header.encode(fixed.len() + body.len()), &fixed[..]];
    let mut filled = 0;
    for part in parts {
        first[filled..][..part.len()].copy_from_slice(part);
        filled += part.len();
    }
    let (with_first, rest) = body.split_at(body.len().min(MAX_BYTES - FIRST_BYTES));
    socket::send_message(orders, [&first, with_first], None)?;
    rest.chunks(MAX_PIECE_BYTES)
        .try_for_each(|piece| socket::send_message(orders, [&head, piece], None))
}

/// What stands before the body's own bytes in the first piece of an answer.
const FIRST_BYTES: usize = PIECE_HEAD_BYTES + HEADER_BYTES + REPLY_BYTES;

/// Blocks while the subject's queue is full: it empties it whenever it comes round its loop.
fn tell(orders: &OwnedFd, notice: &Notice) {
    // A subject that is gone is noticed by the next order.
    let _ = socket::send_message(orders, [&notice.encode(), &[]], None);
}
