//! A non-blocking Unix stream that speaks frames: bytes in, frames out, and the other way round.
//!
//! Both sides may have megabytes under way at once, so neither may block on a write while the
//! other waits to be read; what the kernel does not take is queued here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use super::{Frame, FrameError, HEADER_BYTES, Header};

/// Read at most this much at a time, so that small frames come many to a system call and a large
/// one does not grow the buffer step by step.
const READ_BYTES: usize = 64 << 10;

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
    outgoing: Vec<u8>,
    written: usize,
    behind: bool,
}

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
            outgoing: Vec::new(),
            written: 0,
            behind: false,
        }
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

    /// Queues a frame whose body is the parts one after the other. [`Conn::flush`] sends it.
    pub fn push(&mut self, header: Header, parts: &[&[u8]]) {
        let len = parts.iter().map(|part| part.len()).sum();
        self.outgoing.reserve(HEADER_BYTES + len);
        self.outgoing.extend_from_slice(&header.encode(len));
        for part in parts {
            self.outgoing.extend_from_slice(part);
        }
    }

    /// Sends as much of the queue as the kernel takes; `true` when nothing is left.
    ///
    /// # Errors
    /// The write failed; a peer that is gone is `BrokenPipe`.
    pub fn flush(&mut self) -> io::Result<bool> {
        while self.written < self.outgoing.len() {
            let rest = &self.outgoing[self.written..];
            match rustix::net::send(&self.fd, rest, rustix::net::SendFlags::NOSIGNAL) {
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
        if self.consumed == self.incoming.len() {
            self.incoming.clear();
            self.consumed = 0;
        } else if self.consumed >= READ_BYTES {
            self.incoming.drain(..self.consumed);
            self.consumed = 0;
        }
        let want = self.missing_bytes().max(READ_BYTES);
        self.incoming.reserve(want);
        loop {
            match rustix::io::read(&self.fd, rustix::buffer::spare_capacity(&mut self.incoming)) {
                Ok(0) => return Ok(Fill::Closed),
                Ok(n) => return Ok(Fill::Bytes(n)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(Fill::WouldBlock),
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// The next whole frame that has arrived.
    ///
    /// # Errors
    /// What arrived is no frame. The stream cannot be read further.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some((header, len)) = self.peek_header()? else {
            return Ok(None);
        };
        let start = self.consumed + HEADER_BYTES;
        let Some(body) = self.incoming.get(start..start + len) else {
            return Ok(None);
        };
        let frame = Frame {
            header,
            body: body.to_vec(),
        };
        self.consumed = start + len;
        Ok(Some(frame))
    }

    /// What a stream that has been closed leaves behind: nothing, or part of a frame.
    ///
    /// # Errors
    /// Part of a frame.
    pub fn at_end(&self) -> Result<(), FrameError> {
        let rest = &self.incoming[self.consumed..];
        if rest.is_empty() {
            return Ok(());
        }
        let start = rest[..rest.len().min(HEADER_BYTES)].to_vec();
        Err(FrameError::Truncated {
            have: rest.len(),
            start,
        })
    }

    fn peek_header(&self) -> Result<Option<(Header, usize)>, FrameError> {
        match self.incoming[self.consumed..].first_chunk::<HEADER_BYTES>() {
            Some(bytes) => Header::decode(bytes).map(Some),
            None => Ok(None),
        }
    }

    /// How much of the frame that has begun is still to come.
    fn missing_bytes(&self) -> usize {
        match self.peek_header() {
            Ok(Some((_, len))) => {
                (HEADER_BYTES + len).saturating_sub(self.incoming.len() - self.consumed)
            }
            _ => 0,
        }
    }
}
