//! How a thread tells the event loop that it has finished: a channel for the result, an eventfd
//! to wake the loop.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use rustix::event::{EventfdFlags, eventfd};

use super::Done;
use crate::sys::poller::Poller;

/// The event loop's side.
#[derive(Debug)]
pub struct Completions {
    eventfd: Arc<OwnedFd>,
    sender: Sender<Done>,
    receiver: Receiver<Done>,
}

/// A thread's side; clone one per thread or task.
#[derive(Debug, Clone)]
pub struct Notifier {
    eventfd: Arc<OwnedFd>,
    sender: Sender<Done>,
}

impl Completions {
    /// Registers under `key`.
    pub fn new(poller: &Poller, key: u64) -> Result<Completions, String> {
        let made = || -> io::Result<OwnedFd> {
            let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            poller.add(&eventfd, key)?;
            Ok(eventfd)
        };
        let eventfd =
            made().map_err(|error| format!("make a channel from threads to the loop: {error}"))?;
        let (sender, receiver) = channel();
        Ok(Completions { eventfd: Arc::new(eventfd), sender, receiver })
    }

    pub fn notifier(&self) -> Notifier {
        Notifier { eventfd: Arc::clone(&self.eventfd), sender: self.sender.clone() }
    }

    /// All that has finished since the last call.
    pub fn drain(&self) -> impl Iterator<Item = Done> + '_ {
        // The counter is reset first: anything sent after this read raises it again. An empty
        // one (`WouldBlock`) means that an earlier drain took what this wake-up was for.
        let _ = rustix::io::read(&*self.eventfd, &mut [0_u8; 8]);
        self.receiver.try_iter()
    }
}

impl Notifier {
    /// Hands over what has finished and wakes the loop.
    pub fn finished(&self, done: Done) {
        // Either fails only when the strategy is gone, and then the answer is not needed.
        let _ = self.sender.send(done);
        let _ = rustix::io::write(&*self.eventfd, &1_u64.to_ne_bytes());
    }
}
