//! The one clock: `CLOCK_MONOTONIC`, the same for all processes of a machine.

use rustix::io::Errno;
use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds since an arbitrary point that all processes of this machine share.
#[inline]
pub fn now_ns() -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Monotonic);
    // Neither is negative: the clock starts at boot.
    tv_sec as u64 * 1_000_000_000 + tv_nsec as u64
}

/// Sleeps until [`now_ns`] has reached the deadline; at once if it has. A signal does not end the
/// sleep: the deadline is absolute, so sleeping on cannot make it longer.
///
/// # Errors
/// The clock cannot be slept on; never seen on Linux.
pub fn sleep_until_ns(deadline_ns: u64) -> std::io::Result<()> {
    loop {
        match clock_nanosleep_absolute(ClockId::Monotonic, &timespec(deadline_ns)) {
            Ok(()) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A duration in nanoseconds as the type that waiting calls take.
pub fn timespec(ns: u64) -> Timespec {
    Timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as i64 }
}
