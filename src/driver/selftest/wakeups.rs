//! How late this machine itself wakes sleeping and waiting threads, found without the instrument.
//! Other checks add it to the known times of their servers, since no driver can be earlier than the
//! machine; it has bars of its own, so that it cannot excuse an instrument that is late.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use anyhow::{Context, Result, anyhow};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::bench::SEED;
use super::{Findings, MS, ms};
use crate::driver::samples::nearest_rank;
use crate::sys::clock::{now_ns, sleep_until_ns};

/// Between two sleeps, in turn: so far apart that processors fall idle, as they do at the rates of
/// the other checks, and of no one rhythm.
const GAPS_NS: [u64; 5] = [4 * MS, 9 * MS, 5 * MS, 8 * MS, 6 * MS];

/// How late wake-ups came, in ns, ascending; of each kind at least one.
#[derive(Debug, Clone)]
pub struct Lateness {
    sleeps_ns: Vec<u64>,
    hand_overs_ns: Vec<u64>,
}

/// The waits of a request on its way, besides its service: the number of sleeps that end and of
/// times that one thread wakes another.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    pub sleeps: usize,
    pub hand_overs: usize,
}

impl Lateness {
    pub fn of(mut sleeps_ns: Vec<u64>, mut hand_overs_ns: Vec<u64>) -> Lateness {
        sleeps_ns.sort_unstable();
        hand_overs_ns.sort_unstable();
        Lateness { sleeps_ns, hand_overs_ns }
    }

    /// Takes about 6 ms for each of `count` wake-ups of either kind.
    pub fn measure(count: u32) -> Result<Lateness> {
        let (mut writing, reading) = UnixStream::pair().context("make a pair of sockets")?;
        let reader = thread::Builder::new().name("wake-ups".to_owned());
        let reader = reader.spawn(move || arrivals_ns(reading)).context("start a thread")?;
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

    /// The values of both.
    pub fn and(&self, other: &Lateness) -> Lateness {
        Lateness::of(
            [self.sleeps_ns.as_slice(), &other.sleeps_ns].concat(),
            [self.hand_overs_ns.as_slice(), &other.hand_overs_ns].concat(),
        )
    }

    pub fn sleep_ns(&self, p: f64) -> u64 {
        nearest_rank(&self.sleeps_ns, p).unwrap_or(0)
    }

    /// How long after its due time a sleep ends on average.
    pub fn mean_sleep_ns(&self) -> f64 {
        self.sleeps_ns.iter().sum::<u64>() as f64 / self.sleeps_ns.len().max(1) as f64
    }

    /// The typical lateness of a path.
    pub fn typical_ns(&self, path: Path) -> u64 {
        let hand_over_ns = nearest_rank(&self.hand_overs_ns, 0.5).unwrap_or(0);
        self.sleep_ns(0.5) * path.sleeps as u64 + hand_over_ns * path.hand_overs as u64
    }

    /// The same values, each later by a draw for a path of its own.
    pub fn added_to(&self, values_ns: &[u64], path: Path) -> Vec<u64> {
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
pub fn judge(late: &Lateness) -> Findings {
    let mut findings = Findings::default();
    let kinds = [
        ("a sleep ends late by", "sleep", &late.sleeps_ns, MS / 2, "0.5"),
        ("a thread wakes late by", "hand_over", &late.hand_overs_ns, MS / 4, "0.25"),
    ];
    for (what, key, sorted_ns, median_bar_ns, median_bar) in kinds {
        let quantile = |p| nearest_rank(sorted_ns, p).unwrap_or(u64::MAX);
        let (p50, p99) = (quantile(0.5), quantile(0.99));
        let found = format!("p50 {}, p99 {}", ms(p50 as f64), ms(p99 as f64));
        let holds = p50 <= median_bar_ns && p99 <= 5 * MS;
        findings.line(what, found, format!("p50 ≤ {median_bar} ms, p99 ≤ 5 ms"), holds);
        findings.figure(format!("{key}_late_p50_ns"), p50 as f64);
        findings.figure(format!("{key}_late_p99_ns"), p99 as f64);
    }
    findings
}

#[cfg(test)]
pub mod tests;
