//! How late this machine itself wakes what sleeps or waits, found without the instrument. Other
//! checks add it to what they know of their servers, since no driver can be earlier than the
//! machine; it has bars of its own, so that it cannot excuse an instrument that is late.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use anyhow::{Context, Result, anyhow};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::bench::{Bench, SEED};
use super::{Check, Findings, Line, MS, ms};
use crate::driver::samples::nearest_rank;
use crate::sys::clock::{now_ns, sleep_until_ns};

pub(super) const CHECK: Check = Check {
    name: "wake-ups",
    asked: |extent| {
        format!(
            "{} sleeps until an absolute time, each followed by a byte to a thread that waits for \
             it; how late sleeper and thread wake, without driver and subject",
            extent.wakeups
        )
    },
    run,
};

/// Between two sleeps, in turn: so far apart that processors fall idle, as they do at the rates of
/// the other checks, and of no one rhythm.
const GAPS_NS: [u64; 5] = [4 * MS, 9 * MS, 5 * MS, 8 * MS, 6 * MS];

/// How late wake-ups came, in ns, ascending; of each kind at least one.
#[derive(Debug, Clone)]
pub(super) struct Lateness {
    sleeps_ns: Vec<u64>,
    hand_overs_ns: Vec<u64>,
}

/// What a request waits for on its way, beside its service: so many sleeps that end and so many
/// times that one thread wakes another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    pub(super) sleeps: usize,
    pub(super) hand_overs: usize,
}

impl Lateness {
    pub(super) fn of(mut sleeps_ns: Vec<u64>, mut hand_overs_ns: Vec<u64>) -> Lateness {
        sleeps_ns.sort_unstable();
        hand_overs_ns.sort_unstable();
        Lateness { sleeps_ns, hand_overs_ns }
    }

    /// Takes about 6 ms for each of `count` wake-ups of either kind.
    pub(super) fn measure(count: u32) -> Result<Lateness> {
        let (mut writing, reading) = UnixStream::pair().context("make a pair of sockets")?;
        let reader = thread::Builder::new()
            .name("wake-ups".to_owned())
            .spawn(move || arrivals_ns(reading))
            .context("start a thread")?;
        let mut sleeps_ns = Vec::new();
        let mut due_ns = now_ns();
        for gap_ns in GAPS_NS.into_iter().cycle().take(count as usize) {
            due_ns = (due_ns + gap_ns).max(now_ns());
            sleep_until_ns(due_ns).context("sleep")?;
            sleeps_ns.push(now_ns() - due_ns);
            writing.write_all(&now_ns().to_le_bytes()).context("wake a thread")?;
        }
        drop(writing);
        let heard = reader.join().map_err(|_| anyhow!("the thread that was woken has died"))?;
        Ok(Lateness::of(sleeps_ns, heard.context("wait to be woken")?))
    }

    /// Both together: what was found before something and after it.
    pub(super) fn and(&self, other: &Lateness) -> Lateness {
        Lateness::of(
            [self.sleeps_ns.as_slice(), &other.sleeps_ns].concat(),
            [self.hand_overs_ns.as_slice(), &other.hand_overs_ns].concat(),
        )
    }

    pub(super) fn sleep_ns(&self, p: f64) -> u64 {
        nearest_rank(&self.sleeps_ns, p).unwrap_or(0)
    }

    fn hand_over_ns(&self, p: f64) -> u64 {
        nearest_rank(&self.hand_overs_ns, p).unwrap_or(0)
    }

    /// How long after its due time a sleep ends on average.
    pub(super) fn mean_sleep_ns(&self) -> f64 {
        self.sleeps_ns.iter().sum::<u64>() as f64 / self.sleeps_ns.len().max(1) as f64
    }

    /// What a path typically adds.
    pub(super) fn typical_ns(&self, path: Path) -> u64 {
        self.sleep_ns(0.5) * path.sleeps as u64 + self.hand_over_ns(0.5) * path.hand_overs as u64
    }

    /// The same values, each later by what was drawn for a path of its own.
    pub(super) fn added_to(&self, values_ns: &[u64], path: Path) -> Vec<u64> {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(SEED);
        let mut draw = |from: &[u64]| {
            let place = (u128::from(generator.next_u64()) * from.len() as u128) >> 64;
            from.get(place as usize).copied().unwrap_or(0)
        };
        let mut later = |ns: &u64| {
            let sleeps: u64 = (0..path.sleeps).map(|_| draw(&self.sleeps_ns)).sum();
            let hand_overs: u64 = (0..path.hand_overs).map(|_| draw(&self.hand_overs_ns)).sum();
            ns + sleeps + hand_overs
        };
        values_ns.iter().map(&mut later).collect()
    }
}

/// How long after each was sent a stamp arrived, until the other end is closed.
fn arrivals_ns(mut reading: UnixStream) -> io::Result<Vec<u64>> {
    let mut late_ns = Vec::new();
    let mut stamp = [0; 8];
    loop {
        match reading.read_exact(&mut stamp) {
            Ok(()) => late_ns.push(now_ns().saturating_sub(u64::from_le_bytes(stamp))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(late_ns),
            Err(error) => return Err(error),
        }
    }
}

/// Later than this, the machine could hide an instrument that is late itself.
fn judge(late: &Lateness) -> Findings {
    let mut findings = Findings::default();
    let kinds = [
        ("a sleep ends late by", "sleep", &late.sleeps_ns, MS / 2, "p50 ≤ 0.5 ms, p99 ≤ 5 ms"),
        (
            "a thread wakes late by",
            "hand_over",
            &late.hand_overs_ns,
            MS / 4,
            "p50 ≤ 0.25 ms, p99 ≤ 5 ms",
        ),
    ];
    for (what, key, sorted_ns, median_bar_ns, bar) in kinds {
        let quantile = |p| nearest_rank(sorted_ns, p).unwrap_or(u64::MAX);
        let (p50, p99) = (quantile(0.5), quantile(0.99));
        let found = format!("p50 {}, p99 {}", ms(p50 as f64), ms(p99 as f64));
        let holds = p50 <= median_bar_ns && p99 <= 5 * MS;
        findings.lines.push(Line::new(what, found, bar, holds));
        findings.figures.push((format!("{key}_late_p50_ns"), p50 as f64));
        findings.figures.push((format!("{key}_late_p99_ns"), p99 as f64));
    }
    findings
}

fn run(bench: &mut Bench<'_>) -> Result<Findings> {
    Ok(judge(&bench.lateness()?))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::driver::selftest::State;

    /// A virtual machine whose sleeps end late by 0.3 ms and whose threads wake late by 0.05.
    pub(in crate::driver::selftest) fn late() -> Lateness {
        let about = |ns: u64| (0..100).map(|i| ns * (90 + i % 21) / 100).collect();
        Lateness::of(about(3 * MS / 10), about(MS / 20))
    }

    /// One that is never late.
    pub(in crate::driver::selftest) fn punctual() -> Lateness {
        Lateness::of(vec![0; 10], vec![0; 10])
    }

    #[test]
    fn a_machine_that_wakes_too_late_to_judge_anything_fails() {
        let states = |sleep_ns: u64, hand_over_ns: u64| {
            let late = Lateness::of(vec![sleep_ns; 10], vec![hand_over_ns; 10]);
            judge(&late).lines.iter().map(|line| line.state).collect::<Vec<_>>()
        };
        assert_eq!(states(MS / 2, MS / 4), [State::Pass, State::Pass]);
        assert_eq!(states(MS / 2 + 1, MS / 4), [State::Fail, State::Pass]);
        assert_eq!(states(MS / 2, MS / 4 + 1), [State::Pass, State::Fail]);
        let mut sleeps = vec![0; 98];
        sleeps.extend([6 * MS; 2]);
        assert_eq!(judge(&Lateness::of(sleeps, vec![0])).lines[0].state, State::Fail);
    }

    #[test]
    fn a_path_adds_its_own_draw_of_every_wake_up() {
        let late = Lateness::of(vec![10, 20], vec![1]);
        let path = Path { sleeps: 2, hand_overs: 3 };
        let later = late.added_to(&[100; 1_000], path);
        assert_eq!(later.len(), 1_000);
        let mut seen: Vec<u64> = later.clone();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [123, 133, 143]);
        assert_eq!(late.typical_ns(path), 23);
        assert!((late.mean_sleep_ns() - 15.0).abs() < 1e-9);
        assert_eq!(punctual().added_to(&[5], path), [5]);
    }

    #[test]
    fn every_wake_up_is_counted() {
        let late = Lateness::measure(12).unwrap();
        assert_eq!((late.sleeps_ns.len(), late.hand_overs_ns.len()), (12, 12));
        assert!(late.hand_overs_ns[0] > 0);
        let both = late.and(&punctual());
        assert_eq!((both.sleeps_ns.len(), both.hand_overs_ns.len()), (22, 22));
        assert!(both.sleeps_ns.is_sorted());
    }
}
