//! The ends of children as readiness of one descriptor, however many children there are.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

/// Becomes readable when a child of this process has ended. Ends that come together show as one:
/// the reader has to reap until there is nothing more to reap.
#[derive(Debug)]
pub struct ChildEnds {
    signalfd: OwnedFd,
}

impl AsFd for ChildEnds {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.signalfd.as_fd()
    }
}

impl ChildEnds {
    /// From now on SIGCHLD waits to be read here. For a process with one thread, before its
    /// first child.
    ///
    /// # Errors
    /// The process has too many descriptors.
    pub fn new() -> io::Result<ChildEnds> {
        let set = just_child();
        // SAFETY: `set` is initialised and outlives the calls. The default action installs no
        // handler; it is set because a program may be started with the signal ignored, and the
        // kernel then reaps by itself.
        let fd = unsafe {
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
            libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
            libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if fd == -1 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just made this descriptor, and nothing else knows its number.
        let signalfd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(ChildEnds { signalfd })
    }

    /// Takes note: not readable any more until the next end.
    pub fn clear(&self) {
        let mut info = [0; size_of::<libc::signalfd_siginfo>()];
        // An empty descriptor is as good.
        let _ = rustix::io::read(&self.signalfd, &mut info);
    }

    /// For a forked child: what it starts must find the signal in its usual state.
    pub fn undo_in_child() {
        let set = just_child();
        // SAFETY: `set` is initialised and outlives the call.
        unsafe { libc::sigprocmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut()) };
    }
}

fn just_child() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` initialises what it is given, and SIGCHLD is a valid signal.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD);
        set.assume_init()
    }
}
