//! Open loop: requests arrive when they arrive, whether or not those before were answered.
//!
//! The schedule is absolute and drawn beforehand. A response is timed from when its request was
//! *meant* to be sent, so that every delay of its sending, in the driver as in the subject,
//! is charged to it; the lateness of the generator is recorded too. Arrivals go on until every
//! request of the window has been answered: the last ones must not find a quieter server than the
//! others.

use std::iter::Peekable;

use super::ledger::{Ledger, is_announcement};
use super::probe::{self, Probes};
use super::punctual::Punctual;
use super::schedule::Schedule;
use super::traffic::{Traffic, Window};
use super::{Counted, Edge, Exchange, Measured, Timeout, before};
use crate::driver::target::{Target, TargetError, check_interrupt};
use crate::experiment::preset::OPEN_REQUESTS;
use crate::experiment::{Arrivals, Open, Preset, Probe, WindowLength};
use crate::protocol::{Frame, Kind, Outcome};
use crate::sys::clock::now_ns;

/// Maximum number of requests in flight; arrivals beyond it are rejected by the driver, unsent.
pub const IN_FLIGHT_MAX: usize = 10_000;

/// Time to get ready for the first arrival.
const LEAD_NS: u64 = 2_000_000;

const MS: u64 = 1_000_000;

/// The offered load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offer {
    /// Requests per second, above 0.
    pub rate_per_s: f64,
    /// How they are spread.
    pub arrivals: Arrivals,
    /// The kind of probes, if there are any.
    pub probe: Option<Probe>,
    /// Probes alone, before any load, in ns; 0 without probes.
    pub unloaded_ns: u64,
    /// Load before the window begins, in ns.
    pub warm_up_ns: u64,
    /// Length of the window, in ns.
    pub window_ns: u64,
    /// How long after the window to wait for the answers of its requests, in ns.
    pub patience_ns: u64,
    /// How long the first request may be in flight. The load itself lasts as long as was planned.
    pub timeout: Timeout,
    /// A response under this is in time, in ns.
    pub limit_ns: u64,
}

impl Offer {
    /// This preset's, at this rate: long enough for a p99 within the preset's bounds, and as long
    /// for every arm, since it follows from the rate alone.
    pub fn new(preset: &Preset, open: &Open, rate_per_s: f64, timeout: Timeout) -> Offer {
        let [min_ns, max_ns] = preset.open_window_ns;
        let wanted_ns = (OPEN_REQUESTS * 1e9 / rate_per_s) as u64;
        let window_ns = match (open.window, open.probe) {
            (WindowLength::Shortest, _) => min_ns,
            // Probes come at their own rate, which is known.
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
            timeout,
            limit_ns: open.slo.map_or(u64::MAX, |slo| slo.limit_ns),
        }
    }
}

/// Runs the open loop to its end: first request, probes alone, warm-up, window, answers. If not
/// all answers have come when patience is over, the caller must not expect the subject to stop
/// in order: it has work left.
///
/// # Errors
/// The subject is gone, does not answer or breaks the protocol; or the user interrupted.
pub fn open(
    target: &mut Target,
    exchange: &Exchange,
    offer: &Offer,
    seed: u64,
) -> Result<Measured, TargetError> {
    let mut ledger = Ledger::new(exchange, seed).with_limit(offer.limit_ns);
    if let Err(error) = before::first(target, &mut ledger, &offer.timeout) {
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

struct Loop<'t, 'e> {
    target: &'t mut Target,
    ledger: Ledger<'e>,
    timetable: Timetable,
    traffic: Traffic,
    probes: Option<(Probe, Probes)>,
    unloaded: Window,
}

impl<'t, 'e> Loop<'t, 'e> {
    fn main(target: &'t mut Target, ledger: Ledger<'e>, offer: &Offer, seed: u64) -> Self {
        let start_ns = now_ns() + LEAD_NS;
        let timetable = Timetable::new(offer, start_ns, seed);
        let window = timetable.window;
        Loop {
            target,
            ledger,
            traffic: Traffic::new(window),
            probes: offer.probe.map(|probe| (probe, Probes::new(start_ns, window.until_ns, seed))),
            unloaded: Window { from_ns: start_ns, until_ns: start_ns + offer.unloaded_ns },
            timetable,
        }
    }

    /// Until all is answered, or patience is over.
    fn run(&mut self) -> Result<(), TargetError> {
        let until_ns = self.timetable.give_up_ns;
        let mut frames = Vec::new();
        loop {
            // Before sending: requests that are due later may not have been sent.
            let now = now_ns();
            self.send_due()?;
            self.ledger.passes(self.timetable.edge(now), self.target);
            self.timetable.consider(now, &self.traffic);
            if now >= until_ns || (!self.timetable.offering && self.open() == 0) {
                return Ok(());
            }
            check_interrupt()?;
            let wake_ns = self.wake_ns().map_or(until_ns, |at_ns| at_ns.min(until_ns));
            let read_ns = self.target.wait(Some(wake_ns))?;
            if read_ns == 0 {
                continue;
            }
            while let Some(frame) = self.target.next_frame()? {
                self.note(&frame, read_ns);
                frames.push(frame);
            }
            // Due requests are sent before the answers are verified: that must not make the
            // generator late.
            self.send_due()?;
            for frame in frames.drain(..) {
                self.enter(&frame, read_ns)?;
            }
        }
    }

    fn open(&self) -> usize {
        let probes = self.probes.as_ref().map_or(0, |(_, probes)| probes.open());
        self.ledger.open() + probes
    }

    fn wake_ns(&mut self) -> Option<u64> {
        let probe = self.probes.as_mut().and_then(|(_, probes)| probes.next_ns());
        let edge = self.timetable.next_edge_ns();
        [probe, self.timetable.next_ns(), edge].into_iter().flatten().min()
    }

    /// Sends everything that is due by now. Requests that come due while sending wait for the next
    /// time: at a rate that cannot be sent there would be no end to it, and no time to read
    /// answers, to notice an interruption or to end the window.
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
        while let Some(intended_ns) = self.timetable.take_due(due_ns) {
            // Within, the clock is read per request: each stamp is that of its own sending.
            let now = now_ns();
            if self.ledger.in_flight() >= IN_FLIGHT_MAX {
                let counted = self.timetable.window.counts(intended_ns);
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

    /// Notes an answer, which costs next to nothing.
    fn note(&mut self, frame: &Frame, read_ns: u64) {
        if frame.header.kind != Kind::Reply || is_announcement(frame) {
            return;
        }
        if let Some(sent) = self.ledger.sent(frame.header.id) {
            let is_ok = frame.header.outcome == Outcome::Ok;
            self.traffic.done(sent.sent_ns, read_ns, is_ok);
            if self.timetable.window.counts(sent.intended_ns) == Counted::Yes {
                self.timetable.answered += 1;
            }
        }
    }

    /// Enters a frame into the books, which verifies it.
    fn enter(&mut self, frame: &Frame, read_ns: u64) -> Result<(), TargetError> {
        let id = frame.header.id;
        if probe::is_probe(id) {
            let is_answer = matches!(frame.header.kind, Kind::Light | Kind::Reply);
            if let (Some((_, probes)), true) = (&mut self.probes, is_answer) {
                probes.done(id, read_ns, frame.header.outcome == Outcome::Ok);
            }
            return Ok(());
        }
        let sent = self.ledger.sent(id);
        let counted =
            sent.map_or(Counted::No, |sent| self.timetable.window.counts(sent.intended_ns));
        self.ledger.take(frame, read_ns, counted)
    }

    fn finish(mut self) -> Measured {
        let end_ns = now_ns();
        let open = self.ledger.abandon();
        let abandoned = open.len() as u64;
        for sent in open {
            self.traffic.unanswered(sent.intended_ns, sent.sent_ns);
        }
        self.traffic.close();
        let window = self.timetable.window;
        let end_ns = end_ns.max(window.until_ns);
        let unloaded = self.unloaded;
        let probes = self.probes.map(|(_, probes)| probe::Met {
            unloaded: probes.met(unloaded, end_ns),
            loaded: probes.met(window, end_ns),
        });
        Measured {
            traffic: Some(self.traffic),
            probes,
            abandoned,
            ..self.ledger.close(window.length_ns())
        }
    }
}

/// The schedule and the window of an open loop. Pure: it is told the time.
#[derive(Debug, Clone)]
struct Timetable {
    schedule: Peekable<Schedule>,
    /// When the schedule's time 0 is.
    load_ns: u64,
    window: Window,
    give_up_ns: u64,
    /// Whether arrivals still come.
    offering: bool,
    /// Requests of the window that are answered.
    answered: u64,
    /// The next end of the window, until it is over.
    ahead: Option<Edge>,
}

impl Timetable {
    fn new(offer: &Offer, start_ns: u64, seed: u64) -> Timetable {
        let load_ns = start_ns + offer.unloaded_ns;
        let from_ns = load_ns + offer.warm_up_ns;
        let until_ns = from_ns + offer.window_ns;
        Timetable {
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
    fn next_edge_ns(&self) -> Option<u64> {
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
