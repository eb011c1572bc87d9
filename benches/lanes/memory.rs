//! Many children at a time: the time until all are there, and the time to read all of them.

use std::io::{PipeWriter, Read, pipe};
use std::path::Path;
use std::process::{Child, Command};

use forkbench::driver::memory::sweep::Snapshot;
use forkbench::driver::memory::tree::Creation;
use forkbench::experiment::runtime::RUST_NAME;
use forkbench::record::Phase;
use forkbench::strategy::{Children, Span};
use forkbench::sys::clock::now_ns;

use super::subject;
use crate::lane::{Lane, Result, Scale, Site};

/// Children that do nothing. They end when this is dropped.
struct Waiting {
    children: Vec<Child>,
    held: Option<PipeWriter>,
}

impl Waiting {
    /// Starts `count` children and waits for a word from each.
    fn start(program: &Path, count: usize) -> Result<Waiting> {
        let ((stdin, held), (mut said, stdout)) = (pipe()?, pipe()?);
        let mut waiting = Waiting { children: Vec::new(), held: Some(held) };
        for _ in 0..count {
            let mut command = Command::new(program);
            let command = command.stdin(stdin.try_clone()?).stdout(stdout.try_clone()?);
            waiting.children.push(command.spawn()?);
        }
        // If one has died, the end of the file comes before the last word.
        drop(stdout);
        said.read_exact(&mut vec![0; count])?;
        Ok(waiting)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.held.take());
        for child in &mut self.children {
            let _ = child.wait();
        }
    }
}

fn many(site: &Site, count: usize) -> usize {
    match site.scale {
        Scale::Bench => count,
        Scale::Test => 3,
    }
}

/// A hundred static C programs, from the first start until the last one's word.
pub(crate) fn hundred_static(site: &Site) -> Result<Box<dyn Lane>> {
    let (program, count) = (site.dir.join("static_wait"), many(site, 100));
    Ok(Box::new(move || {
        let start = now_ns();
        let waiting = Waiting::start(&program, count)?;
        let ns = now_ns() - start;
        drop(waiting);
        Ok(ns)
    }))
}

/// A pool of a hundred workers, from starting the subject to its READY.
pub(crate) fn pool_of_hundred(site: &Site) -> Result<Box<dyn Lane>> {
    let site = site.clone();
    Ok(Box::new(move || {
        let workers = many(&site, 100);
        let target = subject::start_with("pool", 0, workers, &site)?;
        let ns = target.ready_ns - target.started_ns;
        target.stop()?;
        Ok(ns)
    }))
}

/// One reading of a thousand children.
pub(crate) fn sweep_of_thousand(site: &Site) -> Result<Box<dyn Lane>> {
    let count = many(site, 1_000);
    let waiting = Waiting::start(&site.dir.join("static_wait"), count)?;
    let creation = Creation::of(Children::Programs(Span::Pool), RUST_NAME);
    Ok(Box::new(move || {
        let own = std::process::id();
        let look = Snapshot::take(Phase::Idle, own, creation, None);
        match look.processes.len() - look.unread() > waiting.children.len() {
            true => Ok(look.sweep_ns),
            false => Err(format!("{} of {count} could not be read", look.unread()).into()),
        }
    }))
}
