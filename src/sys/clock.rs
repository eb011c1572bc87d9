//! The one clock: `CLOCK_MONOTONIC`, the same for all processes of a machine.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds since an arbitrary point that all processes of this machine share.
#[inline]
pub fn now_ns() -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Monotonic);
    // Neither is negative: the clock starts at boot.
    tv_sec as u64 * 1_000_000_000 + tv_nsec as u64
}

/// A duration in nanoseconds as the type that waiting calls take.
pub fn timespec(ns: u64) -> Timespec {
    Timespec {
        tv_sec: (ns / 1_000_000_000) as i64,
        tv_nsec: (ns % 1_000_000_000) as i64,
    }
}
