//! The least that the system charges for what strategies do: a program started and reaped, a word
//! of memory handed to and fro. The benches compare the strategies with these; nothing else uses
//! them.

use std::ffi::CStr;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::futex;

use super::process::{self, Block, Exit};

/// Starts the program `arguments[0]` (an absolute path) with an empty environment and reaps it:
/// vfork + exec + wait, as the C library does it in `posix_spawn` when nothing else is asked of it.
///
/// # Errors
/// It could not be started.
pub fn run_program(arguments: &[&CStr]) -> io::Result<Exit> {
    let Some(program) = arguments.first() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut argv: Vec<*mut libc::c_char> =
        arguments.iter().map(|a| a.as_ptr().cast_mut()).collect();
    argv.push(ptr::null_mut());
    let envp = [ptr::null_mut()];
    let mut pid = 0;
    // SAFETY: the path and every argument are C strings that outlive the call, both arrays end in
    // a null pointer, `pid` is a local, and null is valid for "no file actions, no attributes".
    // The strings are not written to: the child copies them into its new image.
    let error = unsafe {
        libc::posix_spawn(
            &raw mut pid,
            program.as_ptr(),
            ptr::null(),
            ptr::null(),
            argv.as_ptr(),
            envp.as_ptr(),
        )
    };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    // Waiting for one's own child without WNOHANG either finds it or fails.
    process::wait(pid as u32, Block::Yes)?.ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// A word in memory that this process shares with the children it forks, passed to and fro by
/// futex: the fastest way to wake another process that is no busy wait.
#[derive(Debug)]
pub struct Baton {
    word: NonNull<AtomicU32>,
}

// SAFETY: what is pointed to is an atomic, and stays mapped as long as the owner lives.
unsafe impl Send for Baton {}
// SAFETY: as above; through a shared reference only atomics are done.
unsafe impl Sync for Baton {}

impl Baton {
    /// A new one, held by the parent.
    ///
    /// # Errors
    /// No memory.
    pub fn new() -> io::Result<Baton> {
        // SAFETY: a new anonymous mapping at an address of the kernel's choice overlaps nothing.
        let page = unsafe {
            libc::mmap(
                ptr::null_mut(),
                size_of::<AtomicU32>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        match NonNull::new(page.cast()) {
            Some(word) => Ok(Baton { word }),
            None => Err(io::ErrorKind::OutOfMemory.into()),
        }
    }

    fn word(&self) -> &AtomicU32 {
        // SAFETY: the mapping is readable, writable, aligned to a page, zeroed (a valid value),
        // and unmapped only when `self` is dropped. Other processes change it by atomics only.
        unsafe { self.word.as_ref() }
    }

    /// Leaves `turn` in the word and wakes the other side.
    pub fn pass(&self, turn: u32) {
        self.word().store(turn, Ordering::Release);
        // Fails for no address that is mapped; no waiting thread is no failure.
        let _ = futex::wake(self.word(), futex::Flags::empty(), 1);
    }

    /// Sleeps while the word is `turn`; what it has become.
    pub fn wait_while(&self, turn: u32) -> u32 {
        loop {
            let now = self.word().load(Ordering::Acquire);
            if now != turn {
                return now;
            }
            // A wake-up, an earlier change or a signal ends the sleep: the word is read again.
            let _ = futex::wait(self.word(), futex::Flags::empty(), turn, None);
        }
    }
}

impl Drop for Baton {
    fn drop(&mut self) {
        // SAFETY: this is the mapping of `new`, of the same length, and no reference into it can
        // outlive `self`. A forked child has a mapping of its own, which stays.
        unsafe { libc::munmap(self.word.as_ptr().cast(), size_of::<AtomicU32>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Threads stand for processes: a test must not fork.
    #[test]
    fn the_baton_goes_to_and_fro() {
        let baton = Baton::new().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..1_000 {
                    assert_eq!(baton.wait_while(2 * round), 2 * round + 1);
                    baton.pass(2 * round + 2);
                }
            });
            for round in 0..1_000 {
                baton.pass(2 * round + 1);
                assert_eq!(baton.wait_while(2 * round + 1), 2 * round + 2);
            }
        });
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        assert!(run_program(&[]).is_err());
        assert!(run_program(&[c"/nowhere/at-all"]).is_err());
        assert!(run_program(&[c"/bin/sh", c"-c", c"exit 3"]).is_ok());
    }
}
