//! Open loop: requests arrive when they arrive, whether or not those before were answered.
//!
//! The schedule is absolute and drawn beforehand. A response is timed from when its request was
//! *meant* to be sent, so that whatever kept it from being sent, in the driver as in the subject,
//! is charged to it; how late the generator was is recorded beside it. Arrivals go on until every
//! request of the window has been answered: the last ones must not find a quieter server than the
//! others.

use std::iter::Peekable;
use std::num::NonZeroU64;

use super::before;
use super::ledger::{Ledger, is_announcement};
use super::probe::{self, Probes};
use super::schedule::Schedule;
use super::traffic::{Traffic, Window};
use super::{Counted, Exchange, GRACE_NS, Measured};
use crate::driver::cpu::WindowCpu;
use crate::driver::interrupted;
use crate::driver::target::{Target, TargetError};
use crate::experiment::preset::OPEN_REQUESTS;
use crate::experiment::{Arrivals, Preset, Probe, WindowLength};
use crate::protocol::{Frame, Kind, Outcome};
use crate::sys::clock::now_ns;
use crate::sys::scheduling::RealTime;

/// So many requests may be under way; what arrives beyond is rejected by the driver, unsent.
pub const IN_FLIGHT_MAX: usize = 10_000;

/// Time to get ready for the first arrival.
const LEAD_NS: u64 = 2_000_000;

const MS: u64 = 1_000_000;

/// What is offered, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offer {
    /// Requests per second, above 0.
    pub rate_per_s: f64,
    /// How they are spread.
    pub arrivals: Arrivals,
    /// What probes go through, if there are any.
    pub probe: Option<Probe>,
    /// Probes alone, before any load, in ns; 0 without probes.
    pub unloaded_ns: u64,
    /// Load before the window begins, in ns.
    pub warm_up_ns: u64,
    /// Length of the window, in ns.
    pub window_ns: u64,
    /// How long after the window to wait for the answers of its requests, in ns.
    pub patience_ns: u64,
    /// A request's time to be answered in, as the subject was told.
    pub deadline_ns: u64,
    /// How long after its deadline the driver still waits for the first answer.
    pub grace_ns: u64,
    /// When the run's budget ends, if it has one. The load itself lasts as long as was planned.
    pub budget_end_ns: Option<u64>,
    /// A response under this is in time, in ns.
    pub limit_ns: u64,
}

impl Offer {
    /// This preset's, at this rate: long enough for a p99 within the preset's bounds, and as long
    /// for every arm, since it follows from the rate alone.
    pub fn new(
        preset: &Preset,
        open: &crate::experiment::Open,
        rate_per_s: f64,
        deadline_ns: u64,
    ) -> Offer {
        let [min_ns, max_ns] = preset.open_window_ns;
        let wanted_ns = (OPEN_REQUESTS * 1e9 / rate_per_s) as u64;
        let window_ns = match (open.window, open.probe) {
            (WindowLength::Shortest, _) => min_ns,
            // Probes come at their own rate, of which nothing needs to be guessed.
            (WindowLength::AsNeeded, Some(_)) => max_ns,
            (WindowLength::AsNeeded, None) => wanted_ns.clamp(min_ns, max_ns),
        };
        Offer {
            rate_per_s,
            arrivals: open.arrivals,
            probe: open.probe,
            unloaded_ns: open.probe.map_or(0, |_| window_ns / 2),
            // A queue takes its time to reach its length; a fifth of the window is not much, but
            // the same for all.
            warm_up_ns: preset.warm_up_ns.max(window_ns / 5),
            window_ns,
            patience_ns: window_ns.clamp(500 * MS, 3_000 * MS),
            deadline_ns,
            grace_ns: GRACE_NS,
            budget_end_ns: None,
            limit_ns: u64::MAX,
        }
    }
}

/// Runs the open loop to its end: first request, probes alone, warm-up, window, answers. If not
/// all answers have come when patience is over, the caller must not expect the subject to stop
/// in an orderly way: it has work left.
///
/// # Errors
/// The subject is gone, silent or speaks something else; or the user interrupted.
pub fn open(
    target: &mut Target,
    exchange: &Exchange,
    offer: &Offer,
    seed: u64,
) -> Result<Measured, TargetError> {
    let mut ledger = Ledger::new(exchange, seed).with_limit(offer.limit_ns);
    let Offer { deadline_ns, grace_ns, budget_end_ns, .. } = *offer;
    let first = before::first(target, &mut ledger, deadline_ns, grace_ns, budget_end_ns);
    if let Err(error) = first {
        return Err(error.under_load(ledger.close(0)));
    }
    let _punctual = Punctual::begin();
    // By a driver that wakes as it does under load.
    ledger.travels(before::idle(target)?);
    let mut main = Loop::main(target, ledger, offer, seed);
    match main.run() {
        Ok(()) => Ok(main.finish()),
        Err(error) => Err(error.under_load(main.finish())),
    }
}

/// A generator that is woken when it should: its timers end at once instead of up to 50 µs later,
/// and it goes before the work that it asks for, as a caller on another machine would. While every
/// core works, it would otherwise wait for the end of somebody's time slice.
///
/// An ordinary thread of the highest priority waits for it all the same: the kernel lets whoever
/// runs finish his slice, some milliseconds. So it is a real-time thread where it may be. That is
/// not unfair to the subject: what it takes from it is what the generator needs anyway, only at once
/// instead of later. It sleeps until a request is due or an answer is there, and does a bounded
/// amount of work per wake: what was due when it looked, and what one read brought. What it costs is
/// in `driver_cpu_ns`. A rate beyond what the generator can send would keep it from sleeping; even
/// then it ends when patience does, and the kernel's limit on real-time threads leaves the others
/// their share. Not for longer than needed: subjects inherit timers and niceness.
struct Punctual {
    real_time: Option<RealTime>,
    nice: Option<i32>,
}

/// The highest of an ordinary thread.
const NICE: i32 = -20;

impl Punctual {
    fn begin() -> Punctual {
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

struct Loop<'t, 'e> {
    target: &'t mut Target,
    ledger: Ledger<'e>,
    course: Course,
    traffic: Traffic,
    probes: Option<(Probe, Probes)>,
    unloaded: Window,
    cpu: WindowCpu,
}

impl<'t, 'e> Loop<'t, 'e> {
    fn main(target: &'t mut Target, ledger: Ledger<'e>, offer: &Offer, seed: u64) -> Self {
        let start_ns = now_ns() + LEAD_NS;
        let course = Course::new(offer, start_ns, seed);
        let window = course.window;
        Loop {
            target,
            ledger,
            traffic: Traffic::new(window),
            probes: offer.probe.map(|probe| (probe, Probes::new(start_ns, window.until_ns, seed))),
            unloaded: Window { from_ns: start_ns, until_ns: start_ns + offer.unloaded_ns },
            cpu: WindowCpu::default(),
            course,
        }
    }

    /// Until all is answered, or patience is over.
    fn run(&mut self) -> Result<(), TargetError> {
        let until_ns = self.course.give_up_ns;
        let mut frames = Vec::new();
        loop {
            // Before sending: what is due later than this may not have been sent.
            let now = now_ns();
            self.send_due()?;
            self.read_cpu(now);
            self.course.consider(now, &self.traffic);
            if now >= until_ns || (!self.course.offering && self.open() == 0) {
                return Ok(());
            }
            if interrupted() {
                return Err(TargetError::Interrupted);
            }
            let wake_ns = self.wake_ns().map_or(until_ns, |at_ns| at_ns.min(until_ns));
            let read_ns = self.target.wait(Some(wake_ns))?;
            if read_ns == 0 {
                continue;
            }
            while let Some(frame) = self.target.next_frame()? {
                self.note(&frame, read_ns);
                frames.push(frame);
            }
            // What is due goes out before the answers are verified: that must not make the
            // generator late.
            self.send_due()?;
            for frame in frames.drain(..) {
                self.enter(&frame, read_ns)?;
            }
        }
    }

    /// Reads the CPU time of the subject once the window has begun, and once it has ended.
    fn read_cpu(&mut self, now: u64) {
        match self.course.edge(now) {
            Some(Edge::Opens) => self.cpu.open(self.target.cpu()),
            Some(Edge::Closes) => self.cpu.close(self.target.cpu()),
            None => {}
        }
    }

    fn open(&self) -> usize {
        let probes = self.probes.as_ref().map_or(0, |(_, probes)| probes.open());
        self.ledger.open() + probes
    }

    fn wake_ns(&mut self) -> Option<u64> {
        let probe = self.probes.as_mut().and_then(|(_, p)| p.next_ns());
        let turn = self.course.next_turn_ns();
        [probe, self.course.next_ns(), turn].into_iter().flatten().min()
    }

    /// Sends everything whose time has come by now. What comes due while sending waits for the next
    /// time: at a rate that cannot be sent there would be no end to it, and nobody to read answers,
    /// to hear an interruption or to end the window.
    fn send_due(&mut self) -> Result<(), TargetError> {
        let due_ns = now_ns();
        let mut any = false;
        if let Some((probe, probes)) = &mut self.probes {
            while let Some(id) = probes.take_due(due_ns) {
                any = true;
                match probe {
                    Probe::MainLoop => self.target.push_light(id),
                    Probe::Strategy => self.target.push_light_run(id),
                }
            }
        }
        while let Some(intended_ns) = self.course.take_due(due_ns) {
            // Within, the clock is read per request: each stamp is that of its own sending.
            let now = now_ns();
            if self.ledger.in_flight() >= IN_FLIGHT_MAX {
                let counted = self.course.window.counts(intended_ns);
                self.ledger.reject(intended_ns, now, counted);
                self.traffic.rejected(intended_ns);
                continue;
            }
            self.ledger.push(self.target, intended_ns, now);
            self.traffic.sent(intended_ns, now);
            self.target.flush()?;
        }
        if any { self.target.flush() } else { Ok(()) }
    }

    /// Takes note of an arrival, which costs next to nothing.
    fn note(&mut self, frame: &Frame, read_ns: u64) {
        let id = frame.header.id;
        if frame.header.kind != Kind::Reply || is_announcement(frame) {
            return;
        }
        if let Some(sent) = self.ledger.sent(id) {
            let is_ok = frame.header.outcome == Outcome::Ok;
            self.traffic.done(sent.sent_ns, read_ns, is_ok);
            if self.course.window.counts(sent.intended_ns) == Counted::Yes {
                self.course.answered += 1;
            }
        }
    }

    /// Enters it into the books, which verifies it.
    fn enter(&mut self, frame: &Frame, read_ns: u64) -> Result<(), TargetError> {
        let id = frame.header.id;
        if probe::is_probe(id) {
            let is_answer = matches!(frame.header.kind, Kind::Light | Kind::Reply);
            if let (Some((_, probes)), true) = (&mut self.probes, is_answer) {
                probes.done(id, read_ns, frame.header.outcome == Outcome::Ok);
            }
            return Ok(());
        }
        match frame.header.kind {
            Kind::Reply => {
                let counted = self
                    .ledger
                    .sent(id)
                    .map_or(Counted::No, |sent| self.course.window.counts(sent.intended_ns));
                self.ledger.answered(frame, read_ns, counted)
            }
            Kind::Reaped => self.ledger.reaped(frame, read_ns),
            kind => Err(TargetError::Silent(format!("sent {kind:?} under load"))),
        }
    }

    fn finish(mut self) -> Measured {
        let end_ns = now_ns();
        let open = self.ledger.abandon();
        let abandoned = open.len() as u64;
        for sent in open {
            self.traffic.unanswered(sent.intended_ns, sent.sent_ns);
        }
        self.traffic.close();
        let window = self.course.window;
        let (unloaded, end_ns) = (self.unloaded, end_ns.max(window.until_ns));
        let probes = self.probes.map(|(_, probes)| probe::Met {
            unloaded: probes.met(unloaded, end_ns),
            loaded: probes.met(window, end_ns),
        });
        Measured {
            traffic: Some(self.traffic),
            probes,
            abandoned,
            cpu: self.cpu,
            ..self.ledger.close(window.length_ns())
        }
    }
}

/// Where the loop stands in its schedule. Pure: it is told the time.
#[derive(Debug, Clone)]
struct Course {
    schedule: Peekable<Schedule>,
    /// When the schedule's time 0 is.
    load_ns: u64,
    window: Window,
    give_up_ns: u64,
    /// Whether arrivals still come.
    offering: bool,
    /// Requests of the window that are answered.
    answered: u64,
    /// What comes next of the window, until it is over.
    ahead: Option<Edge>,
}

/// An end of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Opens,
    Closes,
}

impl Course {
    fn new(offer: &Offer, start_ns: u64, seed: u64) -> Course {
        let load_ns = start_ns + offer.unloaded_ns;
        let from_ns = load_ns + offer.warm_up_ns;
        let until_ns = from_ns + offer.window_ns;
        Course {
            schedule: Schedule::new(offer.arrivals, offer.rate_per_s, seed).peekable(),
            load_ns,
            window: Window { from_ns, until_ns },
            give_up_ns: until_ns + offer.patience_ns,
            offering: true,
            answered: 0,
            ahead: Some(Edge::Opens),
        }
    }

    /// The end of the window that has just been passed, each once.
    fn edge(&mut self, now: u64) -> Option<Edge> {
        let passed = self.ahead.filter(|edge| now >= self.edge_ns(*edge))?;
        self.ahead = (passed == Edge::Opens).then_some(Edge::Closes);
        Some(passed)
    }

    fn edge_ns(&self, edge: Edge) -> u64 {
        match edge {
            Edge::Opens => self.window.from_ns,
            Edge::Closes => self.window.until_ns,
        }
    }

    /// When the next request is to be sent, while any is.
    fn next_ns(&mut self) -> Option<u64> {
        let after_ns = *self.schedule.peek()?;
        self.offering.then(|| self.load_ns.saturating_add(after_ns))
    }

    /// When the next request was to be sent, if that time has come.
    fn take_due(&mut self, now: u64) -> Option<u64> {
        let intended_ns = self.next_ns().filter(|&at_ns| at_ns <= now)?;
        self.schedule.next();
        Some(intended_ns)
    }

    /// The next end of the window: arrivals may be seconds apart.
    fn next_turn_ns(&self) -> Option<u64> {
        self.ahead.filter(|_| self.offering).map(|edge| self.edge_ns(edge))
    }

    /// Ends the arrivals once all requests of the window are answered.
    fn consider(&mut self, now: u64, traffic: &Traffic) {
        let sent = traffic.offered - traffic.rejected;
        if now >= self.window.until_ns && self.answered >= sent {
            self.offering = false;
        }
    }
}

#[cfg(test)]
mod tests;
