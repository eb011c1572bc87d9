//! Readiness: one epoll instance, keys chosen by its user.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;

/// What became ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// The key under which the descriptor was added.
    pub key: u64,
    /// There is something to read, or the other side has closed, or an error is to be fetched.
    pub readable: bool,
    /// There is room to write.
    pub writable: bool,
}

/// An epoll instance, level-triggered.
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    /// A new, empty one.
    ///
    /// # Errors
    /// The process has too many descriptors.
    pub fn new() -> io::Result<Poller> {
        Ok(Poller { epoll: epoll::create(CreateFlags::CLOEXEC)? })
    }

    /// Reports `fd` under `key` when it can be read or is closed.
    ///
    /// # Errors
    /// The descriptor is already added, or cannot be waited for.
    pub fn add(&self, fd: impl AsFd, key: u64) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(key), EventFlags::IN)?)
    }

    /// Reports `fd` under `key` when it can be written to or is closed, and not when it can be
    /// read.
    ///
    /// # Errors
    /// As [`Poller::add`].
    pub fn add_writable(&self, fd: impl AsFd, key: u64) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(key), EventFlags::OUT)?)
    }

    /// Also (or no longer) reports when `fd` can be written to.
    ///
    /// # Errors
    /// The descriptor was not added.
    pub fn want_write(&self, fd: impl AsFd, key: u64, wanted: bool) -> io::Result<()> {
        let flags = if wanted { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
        Ok(epoll::modify(&self.epoll, fd, EventData::new_u64(key), flags)?)
    }

    /// Forgets `fd`. Closing it would do the same only if no other process holds it.
    ///
    /// # Errors
    /// The descriptor was not added.
    pub fn remove(&self, fd: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, fd)?)
    }

    /// Waits until something is ready or `timeout_ns`, to the nanosecond, is over (`None`: for
    /// ever), and puts what is ready into `ready`, which is emptied first. A signal ends the wait
    /// with nothing.
    ///
    /// # Errors
    /// The wait itself failed.
    pub fn wait(&self, ready: &mut Vec<Ready>, timeout_ns: Option<u64>) -> io::Result<()> {
        ready.clear();
        let timeout = timeout_ns.map(super::clock::timespec);
        let mut events =
            [epoll::Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; 64];
        let n = match epoll::wait(&self.epoll, &mut events, timeout.as_ref()) {
            Ok(n) => n,
            Err(Errno::INTR) => 0,
            Err(errno) => return Err(errno.into()),
        };
        let broken = EventFlags::HUP | EventFlags::ERR | EventFlags::RDHUP;
        // The event is a packed struct: its fields are copied, never borrowed.
        ready.extend(events[..n].iter().map(|event| {
            let flags = event.flags;
            let data = event.data;
            Ready {
                key: data.u64(),
                readable: flags.intersects(EventFlags::IN | broken),
                writable: flags.intersects(EventFlags::OUT | broken),
            }
        }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock::now_ns;

    /// A wait that is rounded up to milliseconds never ends earlier than one; one that is not does
    /// so at least once, however busy the machine is.
    #[test]
    fn a_wait_may_end_within_a_millisecond() {
        let poller = Poller::new().unwrap();
        let mut ready = Vec::new();
        let mut wait_ns = || {
            let from_ns = now_ns();
            poller.wait(&mut ready, Some(100_000)).unwrap();
            now_ns() - from_ns
        };
        let shortest_ns = (0..1_000).map(|_| wait_ns()).find(|ns| *ns < 1_000_000);
        assert!(shortest_ns.is_some_and(|ns| ns >= 100_000), "{shortest_ns:?}");
    }
}
