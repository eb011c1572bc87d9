//! Floors of pools: 64 bytes, or one word, to a forked child and back.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use forkbench::sys::clock::now_ns;
use forkbench::sys::floor::Baton;
use forkbench::sys::process::{self, Block, Fork, SingleThreaded};
use forkbench::sys::socket;
use rustix::pipe::{PipeFlags, pipe_with};

use crate::lane::{Lane, Result, Site};

const BYTES: usize = 64;

/// Over a stream socket pair.
pub(crate) fn over_sockets(site: &Site) -> Result<Box<dyn Lane>> {
    let (ours, theirs) = socket::stream_pair()?;
    let child = Child::fork(site, || {
        process::close_all_but(theirs.as_fd());
        echo(&theirs, &theirs)
    })?;
    drop(theirs);
    Ok(Box::new(move || {
        let _owned = &child;
        ping(&ours, &ours)
    }))
}

/// Over two pipes.
pub(crate) fn over_pipes(site: &Site) -> Result<Box<dyn Lane>> {
    let (their_read, our_write) = pipe_with(PipeFlags::CLOEXEC)?;
    let (our_read, their_write) = pipe_with(PipeFlags::CLOEXEC)?;
    // The child has copies of this side's ends, so closing them would not end it: it is killed.
    let child = Child::fork(site, || echo(&their_read, &their_write))?;
    Ok(Box::new(move || {
        let _owned = &child;
        ping(&our_read, &our_write)
    }))
}

/// Through a word of shared memory, by futex.
pub(crate) fn over_futex(site: &Site) -> Result<Box<dyn Lane>> {
    let baton = Baton::new()?;
    let child = Child::fork(site, || {
        loop {
            baton.wait_while(0);
            baton.pass(0);
        }
    })?;
    Ok(Box::new(move || {
        let _owned = &child;
        let start = now_ns();
        baton.pass(1);
        baton.wait_while(1);
        Ok(now_ns() - start)
    }))
}

fn ping(read: &OwnedFd, write: &OwnedFd) -> Result<u64> {
    let mut buffer = [0x5a; BYTES];
    let start = now_ns();
    rustix::io::write(write, &buffer)?;
    let n = rustix::io::read(read, &mut buffer)?;
    let ns = now_ns() - start;
    match n {
        BYTES => Ok(ns),
        n => Err(format!("{n} of {BYTES} bytes came back").into()),
    }
}

fn echo(read: &OwnedFd, write: &OwnedFd) {
    let mut buffer = [0; BYTES];
    while let Ok(n @ 1..) = rustix::io::read(read, &mut buffer) {
        if rustix::io::write(write, &buffer[..n]).is_err() {
            return;
        }
    }
}

/// The answering side; killed and reaped when it is dropped.
pub(super) struct Child(u32);

impl Child {
    pub(super) fn fork(site: &Site, work: impl FnOnce()) -> io::Result<Child> {
        let proof = SingleThreaded::assert()?;
        match process::fork(&proof)? {
            Fork::Parent(pid) => Ok(Child(pid)),
            Fork::Child => {
                process::die_with_parent();
                if site.cores.pin_answering().is_ok() {
                    work();
                }
                process::exit_now(0)
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        process::kill(self.0);
        let _ = process::wait(self.0, Block::Yes);
    }
}
