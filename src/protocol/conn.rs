//! A non-blocking Unix stream that speaks frames: bytes in, frames out, and the other way round.
//!
//! Both sides may have megabytes under way at once, so neither may block on a write while the
//! other waits to be read; what the kernel does not take is queued here.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};

use super::{Frame, FrameError, HEADER_BYTES, Header, hex};

/// Read at most this much at a time, so that small frames come many to a system call and a large
/// one does not grow the buffer step by step.
const READ_BYTES: usize = 64 << 10;

/// From this on a body is read and written without a copy in between.
const LARGE_BYTES: usize = 64 << 10;

/// What one [`Conn::fill`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// This many bytes arrived.
    Bytes(usize),
    /// Nothing is there now.
    WouldBlock,
    /// The other side has closed.
    Closed,
}

/// A stream of frames in both directions.
#[derive(Debug)]
pub struct Conn {
    fd: OwnedFd,
    incoming: Vec<u8>,
    consumed: usize,
    /// A large frame whose body is read into its own place, so that it is never copied.
    large: Option<Large>,
    outgoing: Vec<u8>,
    written: usize,
    behind: bool,
    read_bytes: usize,
    short: bool,
}

#[derive(Debug)]
struct Large {
    header: Header,
    /// As long as it will be; what has not arrived is zero.
    body: Vec<u8>,
    arrived: usize,
}

/// Memory for a [`Conn`] that must not ask for any: enough for small frames both ways. A fork
/// server touches it, and a forked child then writes to one page of it instead of growing a heap
/// of its own (six page faults, two system calls).
#[derive(Debug)]
pub struct Buffers {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Buffers {
    /// No memory at all.
    pub fn none() -> Buffers {
        Buffers { incoming: Vec::new(), outgoing: Vec::new() }
    }

    /// Room for frames of some hundred bytes; larger ones grow it.
    pub fn small() -> Buffers {
        Buffers {
            incoming: Vec::with_capacity(SMALL_BYTES),
            outgoing: Vec::with_capacity(SMALL_BYTES),
        }
    }
}

const SMALL_BYTES: usize = 1 << 10;

impl AsFd for Conn {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Conn {
    /// Takes over a stream socket and makes it non-blocking.
    ///
    /// # Errors
    /// The descriptor's flags could not be changed.
    pub fn new(fd: OwnedFd) -> io::Result<Conn> {
        rustix::io::ioctl_fionbio(&fd, true)?;
        Ok(Conn::blocking(fd))
    }

    /// Takes over a stream socket as it is, blocking: for a child that has nothing else to do.
    /// [`Conn::fill`] then waits, and [`Conn::flush`] sends everything.
    pub fn blocking(fd: OwnedFd) -> Conn {
        Conn {
            fd,
            incoming: Vec::new(),
            consumed: 0,
            large: None,
            outgoing: Vec::new(),
            written: 0,
            behind: false,
            read_bytes: READ_BYTES,
            short: false,
        }
    }

    /// As [`Conn::blocking`], in memory that is there already.
    pub fn blocking_in(fd: OwnedFd, buffers: Buffers) -> Conn {
        let Buffers { incoming, outgoing } = buffers;
        Conn { read_bytes: incoming.capacity(), incoming, outgoing, ..Conn::blocking(fd) }
    }

    /// Makes a blocking connection non-blocking.
    ///
    /// # Errors
    /// The descriptor's flags could not be changed.
    pub fn set_nonblocking(&self) -> io::Result<()> {
        Ok(rustix::io::ioctl_fionbio(&self.fd, true)?)
    }

    /// Makes it blocking: for last words.
    ///
    /// # Errors
    /// The descriptor's flags could not be changed.
    pub fn set_blocking(&self) -> io::Result<()> {
        Ok(rustix::io::ioctl_fionbio(&self.fd, false)?)
    }

    /// Queues a frame whose body is the parts one after the other. [`Conn::flush`] sends it. A
    /// large one is sent at once as far as the kernel takes it, to spare it a copy; an error shows
    /// at the flush.
    pub fn push(&mut self, header: Header, parts: &[&[u8]]) {
        let len = parts.iter().map(|part| part.len()).sum();
        let head = header.encode(len);
        let mut sent = 0;
        if len >= LARGE_BYTES && self.outgoing.is_empty() {
            sent = self.send_parts(&head, parts);
        }
        for part in std::iter::once(&head[..]).chain(parts.iter().copied()) {
            let skipped = sent.min(part.len());
            sent -= skipped;
            self.outgoing.extend_from_slice(&part[skipped..]);
        }
    }

    /// Sends what the kernel takes of these, and says how much that was.
    fn send_parts(&self, head: &[u8], parts: &[&[u8]]) -> usize {
        let total = head.len() + parts.iter().map(|part| part.len()).sum::<usize>();
        let mut sent = 0;
        while sent < total {
            let mut skip = sent;
            let mut slices = Vec::with_capacity(parts.len() + 1);
            for part in std::iter::once(&head).chain(parts) {
                let skipped = skip.min(part.len());
                skip -= skipped;
                slices.push(IoSlice::new(&part[skipped..]));
            }
            let control = &mut SendAncillaryBuffer::default();
            match sendmsg(&self.fd, &slices, control, SendFlags::NOSIGNAL) {
                Ok(n) => sent += n,
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        sent
    }

    /// Sends as much of the queue as the kernel takes; `true` when nothing is left.
    ///
    /// # Errors
    /// The write failed; a peer that is gone is `BrokenPipe`.
    pub fn flush(&mut self) -> io::Result<bool> {
        while self.written < self.outgoing.len() {
            let rest = &self.outgoing[self.written..];
            match rustix::net::send(&self.fd, rest, SendFlags::NOSIGNAL) {
                Ok(n) => self.written += n,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.behind = true;
                    return Ok(false);
                }
                Err(errno) => return Err(errno.into()),
            }
        }
        self.behind = false;
        self.outgoing.clear();
        self.written = 0;
        // One large payload must not keep its memory for the rest of a long run.
        self.outgoing.shrink_to(READ_BYTES);
        Ok(true)
    }

    /// Whether [`Conn::flush`] still has something to send.
    pub fn wants_write(&self) -> bool {
        self.written < self.outgoing.len()
    }

    /// Whether a flush has been unable to send everything, so that the rest waits for room.
    pub fn is_behind(&self) -> bool {
        self.behind
    }

    /// Reads once.
    ///
    /// # Errors
    /// The read failed; a peer that was killed may be `ConnectionReset`.
    pub fn fill(&mut self) -> io::Result<Fill> {
        if let Some(Large { body, arrived, .. }) = &mut self.large
            && *arrived < body.len()
        {
            // No byte of a next frame can get in.
            let fill = loop {
                let read = rustix::io::read(&self.fd, &mut body[*arrived..]);
                if let Some(fill) = what_came(read)? {
                    break fill;
                }
            };
            if let Fill::Bytes(n) = fill {
                *arrived += n;
            }
            self.short = false;
            return Ok(fill);
        }
        if self.consumed == self.incoming.len() {
            self.incoming.clear();
            self.consumed = 0;
        } else if self.consumed >= READ_BYTES {
            self.incoming.drain(..self.consumed);
            self.consumed = 0;
        }
        self.incoming.reserve(self.read_bytes);
        let room = self.incoming.capacity() - self.incoming.len();
        let fill = loop {
            let spare = rustix::buffer::spare_capacity(&mut self.incoming);
            if let Some(fill) = what_came(rustix::io::read(&self.fd, spare))? {
                break fill;
            }
        };
        if let Fill::Bytes(n) = fill {
            self.short = n < room;
        }
        Ok(fill)
    }

    /// Sleeps until there is something to read, for a side that blocks. Sleeping in the read itself
    /// would end twice: a Unix socket also wakes a reader when the peer has taken its data,
    /// and on a busy core each such wake-up takes the core from the peer. `poll` sleeps through it.
    ///
    /// # Errors
    /// The wait failed.
    pub fn wait_readable(&self) -> io::Result<()> {
        if self.holds_bytes() {
            return Ok(());
        }
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        rustix::io::retry_on_intr(|| poll(&mut fds, None))?;
        Ok(())
    }

    /// Whether there are bytes here that have been read and not handed out: no readiness of the
    /// socket will tell of them.
    fn holds_bytes(&self) -> bool {
        self.large.is_some() || self.consumed < self.incoming.len()
    }

    /// Whether the last read took all that was there, and all of that has been handed out:
    /// reading on would find nothing, and readiness reports what comes later.
    pub fn is_drained(&self) -> bool {
        self.short && !self.holds_bytes()
    }

    /// The next whole frame that has arrived.
    ///
    /// # Errors
    /// What arrived is no frame. The stream cannot be read further.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(large) = self.large.take_if(|large| large.arrived == large.body.len()) {
            return Ok(Some(Frame { header: large.header, body: large.body }));
        }
        if self.large.is_some() {
            return Ok(None);
        }
        let Some((header, len)) = self.peek_header()? else {
            return Ok(None);
        };
        let start = self.consumed + HEADER_BYTES;
        if let Some(body) = self.incoming.get(start..start + len) {
            let frame = Frame { header, body: body.to_vec() };
            self.consumed = start + len;
            return Ok(Some(frame));
        }
        if len >= LARGE_BYTES {
            let mut body = vec![0; len];
            let there = &self.incoming[start..];
            body[..there.len()].copy_from_slice(there);
            self.large = Some(Large { header, body, arrived: there.len() });
            self.consumed = self.incoming.len();
        }
        Ok(None)
    }

    /// The next frame of a connection that blocks; `None` when the other side has closed.
    ///
    /// # Errors
    /// The read failed, or what arrived is no frame.
    pub fn wait_frame(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = self.next_frame().map_err(io::Error::other)? {
                return Ok(Some(frame));
            }
            match self.fill()? {
                Fill::Bytes(_) => {}
                Fill::Closed => return Ok(None),
                Fill::WouldBlock => return Err(io::ErrorKind::WouldBlock.into()),
            }
        }
    }

    /// What a stream that has been closed leaves behind: nothing, or part of a frame.
    ///
    /// # Errors
    /// Part of a frame.
    pub fn at_end(&self) -> Result<(), FrameError> {
        let (have, start) = match &self.large {
            Some(Large { header, body, arrived }) => {
                (HEADER_BYTES + arrived, header.encode(body.len()).to_vec())
            }
            None => {
                let rest = &self.incoming[self.consumed..];
                (rest.len(), rest[..rest.len().min(HEADER_BYTES)].to_vec())
            }
        };
        if have == 0 {
            return Ok(());
        }
        let start = hex(&start);
        Err(FrameError(format!("the stream ended inside a frame, after {have} bytes ({start})")))
    }

    fn peek_header(&self) -> Result<Option<(Header, usize)>, FrameError> {
        match self.incoming[self.consumed..].first_chunk::<HEADER_BYTES>() {
            Some(bytes) => Header::decode(bytes).map(Some),
            None => Ok(None),
        }
    }
}

/// What one read came to; `None` if a signal interrupted it.
fn what_came(read: Result<usize, Errno>) -> io::Result<Option<Fill>> {
    match read {
        Ok(0) => Ok(Some(Fill::Closed)),
        Ok(n) => Ok(Some(Fill::Bytes(n))),
        Err(Errno::INTR) => Ok(None),
        Err(Errno::AGAIN) => Ok(Some(Fill::WouldBlock)),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests;
