//! Unix stream socket pairs, and descriptors sent over them.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

/// Two connected stream sockets that no exec'd program inherits by accident.
///
/// # Errors
/// The process or the system has too many descriptors.
pub fn stream_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
}

/// Two connected sockets that keep the borders of messages, for orders to a fork server.
///
/// # Errors
/// As [`stream_pair`].
pub fn message_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends one message, the parts one after the other, with a descriptor if there is one. Blocks
/// while the peer's queue is full, unless the socket is non-blocking.
///
/// # Errors
/// The peer is gone, or the queue is full.
pub fn send_message(
    socket: impl AsFd,
    parts: [&[u8]; 2],
    fd: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let parts = parts.map(IoSlice::new);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if fd.is_some() {
        // One descriptor always fits into the space for one.
        control.push(SendAncillaryMessage::ScmRights(fd.as_slice()));
    }
    rustix::io::retry_on_intr(|| sendmsg(&socket, &parts, &mut control, SendFlags::NOSIGNAL))?;
    Ok(())
}

/// Receives one message into `buffer`: its length (0: the peer has closed) and its descriptor.
///
/// # Errors
/// The read failed, or nothing is there and the socket is non-blocking.
pub fn recv_message(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::io::retry_on_intr(|| {
        recvmsg(&socket, &mut [IoSliceMut::new(buffer)], &mut control, RecvFlags::CMSG_CLOEXEC)
    })?;
    let fd = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    Ok((received.bytes, fd))
}

/// Takes the socket that a process was started with as its standard input, and puts the null
/// device in its place, so that nothing else can read from it.
///
/// # Errors
/// Standard input is closed, or the null device cannot be opened.
pub fn take_stdin() -> io::Result<OwnedFd> {
    let stdin = rustix::stdio::stdin();
    let socket = rustix::io::fcntl_dupfd_cloexec(stdin, 3)?;
    let null = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    Ok(socket)
}
