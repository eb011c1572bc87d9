//! The floor of `fork`: fork + `_exit` + wait of a process of the fork server's size.

use std::fs;

use forkbench::sys::clock::now_ns;
use forkbench::sys::process::{self, Block, Fork, SingleThreaded};

use super::subject;
use crate::lane::{Lane, Result, Site};

/// Grows this process to the size of the fork server, then forks it.
///
/// A fork copies the page tables of the process's own memory, so this size must be equal; pages of
/// the program's file are mapped anew.
pub(crate) fn start(site: &Site) -> Result<Box<dyn Lane>> {
    let target = subject::start("fork", 0, site)?;
    let server = only_child(target.ready.pid)?;
    let wanted = anonymous_bytes(server)?;
    target.stop()?;
    let own = anonymous_bytes(std::process::id())?;
    let grown = vec![1_u8; wanted.saturating_sub(own)];
    eprintln!(
        "fork floor: the fork server has {} KiB of its own, the floor {} KiB",
        wanted >> 10,
        anonymous_bytes(std::process::id())? >> 10
    );
    let proof = SingleThreaded::assert()?;
    Ok(Box::new(move || {
        let start = now_ns();
        let pid = match process::fork(&proof)? {
            Fork::Child => process::exit_now(0),
            Fork::Parent(pid) => pid,
        };
        process::wait(pid, Block::Yes)?;
        let ns = now_ns() - start;
        std::hint::black_box(&grown);
        Ok(ns)
    }))
}

fn only_child(pid: u32) -> Result<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    Ok(children.trim().parse()?)
}

fn anonymous_bytes(pid: u32) -> Result<usize> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .ok_or("no RssAnon in status")?;
    let kib: usize = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib << 10)
}
