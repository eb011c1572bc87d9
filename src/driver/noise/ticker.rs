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

use super::counters::{Counters, Span};
use super::sources::{OwnDelay, Sources};
use crate::sys::clock::{now_ns, sleep_until_ns};

/// Between two wake-ups.
pub const TICK_NS: u64 = 5_000_000;

/// Between two samples.
pub const SAMPLE_NS: u64 = 100_000_000;

/// More samples than anybody leaves uncollected: of nearly three hours.
const MAX_SAMPLES: usize = 100_000;

/// What happened in one interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample {
    /// The interval's end, `CLOCK_MONOTONIC`.
    pub t_ns: u64,
    /// What was counted.
    pub span: Span,
    /// The longest time in it for which nothing ran and no run queue explains it.
    pub vm_pause_ns: Option<u64>,
    /// What this thread itself used.
    pub sampler_cpu_ns: u64,
}

/// The running thread. Dropping it ends it within a few wake-ups.
#[derive(Debug)]
pub struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// Whether pauses can be told from run queues at all.
    tells_pauses: AtomicBool,
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
            tells_pauses: AtomicBool::new(OwnDelay::of_this_thread().read_ns().is_some()),
            ..Shared::default()
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
        let tells = self.shared.tells_pauses.load(Ordering::Relaxed);
        tells.then_some(pause_ns)
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
    let delay = OwnDelay::of_this_thread();
    let mut lateness = Lateness::new(delay.read_ns());
    let mut sampler = Sampler::new(sources);
    let mut due_ns = now_ns() + TICK_NS;
    while !shared.stop.load(Ordering::Relaxed) {
        if sleep_until_ns(due_ns).is_err() {
            return;
        }
        let woke_ns = now_ns();
        let pause_ns = lateness.unexplained_ns(woke_ns - due_ns, delay.read_ns());
        shared.pause_ns.fetch_max(pause_ns, Ordering::Relaxed);
        sampler.pause_ns = sampler.pause_ns.max(pause_ns);
        if woke_ns >= sampler.last.t_ns + SAMPLE_NS {
            let mut sample = sampler.take(sources);
            if !shared.tells_pauses.load(Ordering::Relaxed) {
                sample.vm_pause_ns = None;
            }
            let mut samples = shared.lock();
            if samples.len() < MAX_SAMPLES {
                samples.push(sample);
            }
        }
        // Ticks that were missed are not made up for: they would all be late for one reason.
        due_ns = (due_ns + TICK_NS).max(now_ns());
    }
}

/// How late a thread woke, less what waiting for its turn explains.
#[derive(Debug, Clone, Copy)]
struct Lateness {
    delay_ns: Option<u64>,
}

impl Lateness {
    /// `delay_ns` is the thread's run-queue delay so far.
    fn new(delay_ns: Option<u64>) -> Lateness {
        Lateness { delay_ns }
    }

    fn unexplained_ns(&mut self, late_ns: u64, delay_ns: Option<u64>) -> u64 {
        let waited_ns = match (delay_ns, self.delay_ns) {
            (Some(now), Some(then)) => now.saturating_sub(then),
            // Then nothing tells a pause from a queue, and nothing is claimed.
            _ => late_ns,
        };
        self.delay_ns = delay_ns;
        late_ns.saturating_sub(waited_ns)
    }
}

struct Sampler {
    last: Counters,
    cpu_ns: u64,
    pause_ns: u64,
}

impl Sampler {
    fn new(sources: &Sources) -> Sampler {
        Sampler { last: sources.sample(), cpu_ns: thread_cpu_ns(), pause_ns: 0 }
    }

    fn take(&mut self, sources: &Sources) -> Sample {
        let now = sources.sample();
        let cpu_ns = thread_cpu_ns();
        let sample = Sample {
            t_ns: now.t_ns,
            span: now.since(&self.last),
            vm_pause_ns: Some(self.pause_ns),
            sampler_cpu_ns: cpu_ns.saturating_sub(self.cpu_ns),
        };
        *self = Sampler { last: now, cpu_ns, pause_ns: 0 };
        sample
    }
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
        let mut lateness = Lateness::new(Some(1_000));
        assert_eq!(lateness.unexplained_ns(500, Some(1_400)), 100);
        // The delay so far was accounted for; none of it explains this one.
        assert_eq!(lateness.unexplained_ns(500, Some(1_400)), 500);
        assert_eq!(lateness.unexplained_ns(500, Some(9_000)), 0);
        assert_eq!(lateness.unexplained_ns(500, None), 0);
        assert_eq!(lateness.unexplained_ns(500, Some(9_000)), 0);
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
