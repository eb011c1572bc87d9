//! A generator of open loops that wakes in time.

use std::num::NonZeroU64;

use crate::sys::scheduling::RealTime;

/// A generator that wakes in time: its timers end at once instead of up to 50 µs later, and it
/// goes before the work that it asks for, as a caller on another machine would. While every
/// core works, it would otherwise wait for the end of another thread's time slice.
///
/// An ordinary thread of the highest priority waits for it all the same: the kernel lets the
/// running thread finish its slice, some milliseconds. So it is a real-time thread where that is
/// allowed. This is not unfair to the subject: the generator needs that time anyway, only at once
/// instead of later. It sleeps until a request is due or an answer is there, and does a bounded
/// amount of work per wake-up: the requests that are due and the frames of one read. Its cost is
/// in `driver_cpu_ns`. A rate beyond what the generator can send would keep it from sleeping; even
/// then it ends when patience does, and the kernel's limit on real-time threads leaves the others
/// their share. Not for longer than needed: subjects inherit timers and niceness.
pub struct Punctual {
    real_time: Option<RealTime>,
    nice: Option<i32>,
}

/// The highest of an ordinary thread.
const NICE: i32 = -20;

impl Punctual {
    /// Until it is dropped.
    pub fn begin() -> Punctual {
        // Where they are refused, the generator is later, which is recorded.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        let real_time = RealTime::begin().ok();
        let before = rustix::process::getpriority_process(None).ok();
        let raised =
            real_time.is_none() && rustix::process::setpriority_process(None, NICE).is_ok();
        Punctual { real_time, nice: before.filter(|_| raised) }
    }
}

impl Drop for Punctual {
    fn drop(&mut self) {
        // A real-time thread has no slack that could be set.
        drop(self.real_time.take());
        let _ = rustix::thread::set_current_timer_slack(None);
        if let Some(nice) = self.nice {
            let _ = rustix::process::setpriority_process(None, nice);
        }
    }
}
