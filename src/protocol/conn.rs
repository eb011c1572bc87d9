//! A non-blocking Unix stream that speaks frames: bytes in, frames out, and the other way round.
//!
//! Both sides may have megabytes under way at once, so neither may block on a write while the
//! other waits to be read; what the kernel does not take is queued here.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};

use super::{Frame, FrameError, HEADER_BYTES, Header};

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
    body: Vec<u8>,
    len: usize,
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
        Buffers {
            incoming: Vec::new(),
            outgoing: Vec::new(),
        }
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
        Conn {
            read_bytes: incoming.capacity(),
            incoming,
            outgoing,
            ..Conn::blocking(fd)
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
        let buffer = match &mut self.large {
            // The capacity is that of the body, so that no byte of a next frame can get in.
            Some(large) if large.body.len() < large.len => &mut large.body,
            _ => {
                if self.consumed == self.incoming.len() {
                    self.incoming.clear();
                    self.consumed = 0;
                } else if self.consumed >= READ_BYTES {
                    self.incoming.drain(..self.consumed);
                    self.consumed = 0;
                }
                self.incoming.reserve(self.read_bytes);
                &mut self.incoming
            }
        };
        let room = buffer.capacity() - buffer.len();
        loop {
            match rustix::io::read(&self.fd, rustix::buffer::spare_capacity(buffer)) {
                Ok(0) => return Ok(Fill::Closed),
                Ok(n) => {
                    self.short = n < room;
                    return Ok(Fill::Bytes(n));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(Fill::WouldBlock),
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Sleeps until there is something to read, for a side that blocks. Sleeping in the read itself
    /// would end twice: a Unix socket wakes a reader also when the peer has taken what was sent,
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
    /// reading on would find nothing, and readiness tells of whatever comes later.
    pub fn is_drained(&self) -> bool {
        self.short && !self.holds_bytes()
    }

    /// The next whole frame that has arrived.
    ///
    /// # Errors
    /// What arrived is no frame. The stream cannot be read further.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(large) = self.large.take_if(|large| large.body.len() == large.len) {
            return Ok(Some(Frame {
                header: large.header,
                body: large.body,
            }));
        }
        if self.large.is_some() {
            return Ok(None);
        }
        let Some((header, len)) = self.peek_header()? else {
            return Ok(None);
        };
        let start = self.consumed + HEADER_BYTES;
        if let Some(body) = self.incoming.get(start..start + len) {
            let frame = Frame {
                header,
                body: body.to_vec(),
            };
            self.consumed = start + len;
            return Ok(Some(frame));
        }
        if len >= LARGE_BYTES {
            let mut body = Vec::new();
            body.reserve_exact(len);
            body.extend_from_slice(&self.incoming[start..]);
            self.consumed = self.incoming.len();
            self.large = Some(Large { header, body, len });
        }
        Ok(None)
    }

    /// What a stream that has been closed leaves behind: nothing, or part of a frame.
    ///
    /// # Errors
    /// Part of a frame.
    pub fn at_end(&self) -> Result<(), FrameError> {
        if let Some(Large { header, body, len }) = &self.large {
            let start = header.encode(*len).to_vec();
            return Err(FrameError::Truncated {
                have: HEADER_BYTES + body.len(),
                start,
            });
        }
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
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::{Kind, Outcome};
    use crate::sys::socket::stream_pair;

    fn pair() -> (Conn, OwnedFd) {
        let (ours, theirs) = stream_pair().unwrap();
        (Conn::new(ours).unwrap(), theirs)
    }

    /// Every frame that `conn` can be read for, until nothing is there.
    fn read_all(conn: &mut Conn) -> Result<Vec<Frame>, FrameError> {
        let mut frames = Vec::new();
        loop {
            let fill = conn.fill().unwrap();
            while let Some(frame) = conn.next_frame()? {
                frames.push(frame);
            }
            match fill {
                Fill::Bytes(_) => {}
                Fill::WouldBlock => return Ok(frames),
                Fill::Closed => return conn.at_end().map(|()| frames),
            }
        }
    }

    /// Whoever trusts `is_drained` reads no further; whoever waits must not sleep over what is
    /// here already.
    #[test]
    fn frames_that_came_in_one_read_are_not_forgotten() {
        let (mut ours, theirs) = pair();
        let mut peer = Conn::blocking(theirs);
        for id in [1, 2] {
            peer.push(Header::new(Kind::Run, id), &[b"abc"]);
        }
        peer.flush().unwrap();
        ours.fill().unwrap();
        assert_eq!(ours.next_frame().unwrap().unwrap().header.id, 1);
        assert!(ours.holds_bytes() && !ours.is_drained());
        ours.wait_readable().unwrap();
        assert_eq!(ours.next_frame().unwrap().unwrap().header.id, 2);
        assert!(!ours.holds_bytes() && ours.is_drained());
    }

    /// A frame that is longer than the buffers of a forked child still gets through.
    #[test]
    fn small_buffers_take_large_frames() {
        let (ours, theirs) = pair();
        let mut peer = Conn::blocking(theirs);
        let mut small = Conn::blocking_in(ours.fd, Buffers::small());
        small.set_blocking().unwrap();
        let body: Vec<u8> = (0..10 * SMALL_BYTES).map(|i| i as u8).collect();
        peer.push(Header::new(Kind::Run, 7), &[&body]);
        peer.flush().unwrap();
        let frame = loop {
            match small.next_frame().unwrap() {
                Some(frame) => break frame,
                None => assert!(matches!(small.fill().unwrap(), Fill::Bytes(_))),
            }
        };
        assert_eq!((frame.header.id, frame.body), (7, body));
    }

    fn frames() -> impl Strategy<Value = Vec<Frame>> {
        let len = prop_oneof![
            0..200_usize,
            LARGE_BYTES - 2..LARGE_BYTES + 2,
            Just(300_000)
        ];
        let frame = (
            0..Kind::ALL.len(),
            0..Outcome::ALL.len(),
            any::<u16>(),
            any::<u64>(),
            len,
        );
        let frame = frame.prop_map(|(kind, outcome, flags, id, len)| Frame {
            header: Header {
                kind: Kind::ALL[kind],
                outcome: Outcome::ALL[outcome],
                flags,
                id,
            },
            body: (0..len).map(|i| (i as u64 ^ id) as u8).collect(),
        });
        proptest::collection::vec(frame, 1..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// However the kernel cuts the stream, and whether bodies are large or small.
        #[test]
        fn frames_arrive_as_they_were_sent(sent in frames(), cut in 1..4_000_usize) {
            let (mut from, theirs) = pair();
            let mut to = Conn::new(theirs).unwrap();
            let mut received = Vec::new();
            for frame in &sent {
                let (first, second) = frame.body.split_at(cut.min(frame.body.len()));
                from.push(frame.header, &[first, second]);
                while !from.flush().unwrap() {
                    received.extend(read_all(&mut to).unwrap());
                }
            }
            received.extend(read_all(&mut to).unwrap());
            prop_assert!(received == sent);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let (mut conn, theirs) = pair();
            rustix::io::write(&theirs, &bytes).unwrap();
            drop(theirs);
            let _ = read_all(&mut conn);
        }
    }

    #[test]
    fn a_stream_that_ends_inside_a_frame_is_told_from_one_that_ends_after_it() {
        for (len, kept) in [(100, 50), (LARGE_BYTES + 1, LARGE_BYTES), (100, 116)] {
            let (mut conn, theirs) = pair();
            let mut bytes = Header::new(Kind::Run, 1).encode(len).to_vec();
            bytes.resize(HEADER_BYTES + len, 7);
            rustix::io::write(&theirs, &bytes[..kept.min(bytes.len())]).unwrap();
            drop(theirs);
            assert_eq!(
                read_all(&mut conn).is_ok(),
                kept == bytes.len(),
                "{kept} of {len}"
            );
        }
    }

    #[test]
    fn what_is_no_frame_says_what_was_read() {
        let long = Header::new(Kind::Run, 1);
        let mut oversized = long.encode(0);
        oversized[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut unknown = long.encode(0);
        unknown[4] = 99;
        let mut outcome = long.encode(0);
        outcome[5] = 99;
        for (bytes, said) in [
            (oversized, "announces 4294967295 bytes"),
            (unknown, "unknown kind 99"),
            (outcome, "unknown outcome 99"),
        ] {
            let (mut conn, theirs) = pair();
            rustix::io::write(&theirs, &bytes).unwrap();
            let error = read_all(&mut conn).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
