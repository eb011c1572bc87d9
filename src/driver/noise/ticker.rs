//! One thread of the driver that wakes every 5 ms to see whether the machine stood still, and
//! samples the counters every 100 ms.
//!
//! Why a thread: the measuring thread cannot look at anything while it measures. Why 5 ms and not
//! 1: a pause of 10 ms or more is found by either, and each wake-up takes a core away from the
//! program under test; the cost, about linear in wake-ups, is recorded with every sample. Why one
//! thread for both: every twentieth wake-up samples anyway.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rustix::time::{ClockId, clock_gettime};

use super::counters::Span;
use super::sources::{Sources, delay_of_this_thread};
use crate::sys::clock::{now_ns, sleep_until_ns};

/// Between two wake-ups.
pub const TICK_NS: u64 = 5_000_000;

/// Between two samples.
pub const SAMPLE_NS: u64 = 100_000_000;

/// Maximum number of uncollected samples: those of nearly three hours.
const MAX_SAMPLES: usize = 100_000;

/// The counters of one interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample {
    /// The interval's end, `CLOCK_MONOTONIC`.
    pub t_ns: u64,
    /// The counters.
    pub span: Span,
    /// The longest time in it for which nothing ran and no run queue explains it.
    pub vm_pause_ns: Option<u64>,
    /// CPU time of this thread itself.
    pub sampler_cpu_ns: u64,
}

/// The running thread. Dropping it ends it within a few wake-ups.
#[derive(Debug)]
pub struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    stop: AtomicBool,
    /// Whether pauses can be told from run queues at all.
    tells_pauses: bool,
    /// The longest since it was last taken.
    pause_ns: AtomicU64,
    samples: Mutex<Vec<Sample>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Sample>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticker {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(sources: Arc<Sources>) -> io::Result<Ticker> {
        let shared = Arc::new(Shared {
            stop: AtomicBool::default(),
            tells_pauses: delay_of_this_thread().read().is_some(),
            pause_ns: AtomicU64::default(),
            samples: Mutex::default(),
        });
        let thread = std::thread::Builder::new().name("noise".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || tick(&shared, &sources)
        })?;
        Ok(Ticker { shared, thread: Some(thread) })
    }

    /// The longest pause, in ns, since this was last asked; `None` where pauses cannot be told.
    pub fn take_pause_ns(&self) -> Option<u64> {
        let pause_ns = self.shared.pause_ns.swap(0, Ordering::Relaxed);
        self.shared.tells_pauses.then_some(pause_ns)
    }

    /// The samples since this was last asked, oldest first.
    pub fn take_samples(&self) -> Vec<Sample> {
        // A panic of the other thread while it pushed leaves a vector that is whole.
        std::mem::take(&mut *self.shared.lock())
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of it was printed when it happened, and costs samples only.
            let _ = thread.join();
        }
    }
}

fn tick(shared: &Shared, sources: &Sources) {
    let delay = delay_of_this_thread();
    let mut delay_ns = delay.read();
    let (mut last, mut cpu_ns, mut longest_ns) = (sources.sample(), thread_cpu_ns(), 0);
    let mut due_ns = now_ns() + TICK_NS;
    while !shared.stop.load(Ordering::Relaxed) {
        if sleep_until_ns(due_ns).is_err() {
            return;
        }
        let woke_ns = now_ns();
        let before_ns = std::mem::replace(&mut delay_ns, delay.read());
        let pause_ns = unexplained_ns(woke_ns - due_ns, before_ns, delay_ns);
        shared.pause_ns.fetch_max(pause_ns, Ordering::Relaxed);
        longest_ns = pause_ns.max(longest_ns);
        if woke_ns >= last.t_ns + SAMPLE_NS {
            let (now, used_ns) = (sources.sample(), thread_cpu_ns());
            let sample = Sample {
                t_ns: now.t_ns,
                span: now.since(&last),
                vm_pause_ns: shared.tells_pauses.then_some(longest_ns),
                sampler_cpu_ns: used_ns.saturating_sub(cpu_ns),
            };
            (last, cpu_ns, longest_ns) = (now, used_ns, 0);
            let mut samples = shared.lock();
            if samples.len() < MAX_SAMPLES {
                samples.push(sample);
            }
        }
        // Missed ticks are not made up for: they would all be late for one reason.
        due_ns = (due_ns + TICK_NS).max(now_ns());
    }
}

/// How late a thread woke, less its wait for a processor, of which the run-queue delay so far tells
/// at this wake-up and the one before. Without it a pause cannot be told from a queue, and nothing
/// is claimed.
fn unexplained_ns(late_ns: u64, before_ns: Option<u64>, delay_ns: Option<u64>) -> u64 {
    let waited_ns = delay_ns.zip(before_ns).map(|(now, then)| now.saturating_sub(then));
    waited_ns.map_or(0, |waited_ns| late_ns.saturating_sub(waited_ns))
}

fn thread_cpu_ns() -> u64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec as u64 * 1_000_000_000 + used.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_queue_explains_is_a_pause() {
        assert_eq!(unexplained_ns(500, Some(1_000), Some(1_400)), 100);
        assert_eq!(unexplained_ns(500, Some(1_400), Some(1_400)), 500);
        assert_eq!(unexplained_ns(500, Some(1_400), Some(9_000)), 0);
        assert_eq!(unexplained_ns(500, Some(9_000), None), 0);
        assert_eq!(unexplained_ns(500, None, Some(9_000)), 0);
    }

    #[test]
    fn the_thread_samples_without_gaps_and_ends_when_it_is_dropped() {
        let sources = Arc::new(Sources::open());
        let ticker = Ticker::start(Arc::clone(&sources)).unwrap();
        let mut samples: Vec<Sample> = Vec::new();
        while samples.len() < 3 {
            std::thread::yield_now();
            samples.extend(ticker.take_samples());
        }
        for pair in samples.windows(2) {
            assert_eq!(pair[1].t_ns - pair[0].t_ns, pair[1].span.wall_ns);
        }
        assert!(samples.iter().all(|s| s.span.wall_ns >= SAMPLE_NS));
        assert!(samples.iter().all(|s| s.sampler_cpu_ns > 0));
        drop(ticker);
        assert_eq!(Arc::strong_count(&sources), 1);
    }
}
