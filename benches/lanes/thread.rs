//! Floors of the strategies within one process.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use forkbench::sys::clock::now_ns;
use forkbench::sys::{process, socket};
use rustix::event::{EventfdFlags, eventfd};

use super::ping_pong::Child;
use crate::lane::{Lane, Result, Site};

/// Creates a thread that sends one word, until the word arrives. The join is not timed: the strategy
/// joins its threads after the answer.
pub(crate) fn spawn_and_hear(site: &Site) -> Result<Box<dyn Lane>> {
    when_asked(site, || {
        let word = Word::new()?;
        Ok(move || {
            let theirs = word.clone();
            let start = now_ns();
            let thread = std::thread::Builder::new().spawn(move || theirs.say())?;
            word.hear()?;
            let ns = now_ns() - start;
            thread.join().map_err(|_| "a thread panicked")?;
            Ok(ns)
        })
    })
}

/// Gives a rayon pool of one thread a closure that sends one word, until the word arrives.
pub(crate) fn rayon_and_hear(site: &Site) -> Result<Box<dyn Lane>> {
    when_asked(site, || {
        let pool = one_thread()?;
        let word = Word::new()?;
        Ok(move || {
            let theirs = word.clone();
            let start = now_ns();
            pool.spawn(move || theirs.say());
            word.hear()?;
            Ok(now_ns() - start)
        })
    })
}

/// Creates and joins threads that do nothing, one after the other.
pub(crate) fn spawn_and_join(_: &Site) -> Result<Box<dyn Lane>> {
    Ok(Box::new(|| {
        let start = now_ns();
        let thread = std::thread::Builder::new().spawn(|| ())?;
        thread.join().map_err(|_| "an empty thread panicked")?;
        Ok(now_ns() - start)
    }))
}

/// Round trips into a rayon pool of one thread, one after the other.
pub(crate) fn rayon_dispatch(_: &Site) -> Result<Box<dyn Lane>> {
    let pool = one_thread()?;
    Ok(Box::new(move || {
        let start = now_ns();
        pool.install(|| std::hint::black_box(()));
        Ok(now_ns() - start)
    }))
}

fn one_thread() -> Result<rayon::ThreadPool> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(1).build()?)
}

/// From a thread to the one that waits for it.
#[derive(Debug, Clone)]
struct Word(Arc<OwnedFd>);

impl Word {
    fn new() -> Result<Word> {
        Ok(Word(Arc::new(eventfd(0, EventfdFlags::CLOEXEC)?)))
    }

    fn say(&self) {
        // If it fails, the lap does not end: nothing is measured wrongly.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }

    fn hear(&self) -> Result<()> {
        rustix::io::read(&*self.0, &mut [0_u8; 8])?;
        Ok(())
    }
}

/// Work that times itself, in a process of its own that sleeps until a request arrives on a socket.
/// A subject comes to its requests in the same way, with the same cold threads and caches; work
/// that is repeated without a pause finds them warm.
fn when_asked<W: FnMut() -> Result<u64>>(
    site: &Site,
    make: impl FnOnce() -> Result<W>,
) -> Result<Box<dyn Lane>> {
    let (ours, theirs) = socket::stream_pair()?;
    let child = Child::fork(site, || {
        process::close_all_but(theirs.as_fd());
        if let Err(error) = make().and_then(|work| answer(&theirs, work)) {
            eprintln!("a floor of threads: {error}");
        }
    })?;
    drop(theirs);
    Ok(Box::new(move || {
        let _owned = &child;
        rustix::io::write(&ours, &[1])?;
        let mut ns = [0; 8];
        match rustix::io::read(&ours, &mut ns)? {
            8 => Ok(u64::from_le_bytes(ns)),
            _ => Err("the floor's process has ended; it has said why".into()),
        }
    }))
}

fn answer(socket: &OwnedFd, mut work: impl FnMut() -> Result<u64>) -> Result<()> {
    while rustix::io::read(socket, &mut [0])? == 1 {
        rustix::io::write(socket, &work()?.to_le_bytes())?;
    }
    Ok(())
}
