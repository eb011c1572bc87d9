//! Disturbances of this machine while a trial ran: signals, thresholds, flags.
//!
//! Counters of the kernel are read at both edges of a trial, a fixed piece of work is timed before
//! and after it, and one thread ([`ticker`]) watches for pauses meanwhile. Counters that a machine
//! lacks are `None`, with the reason in [`Monitor::unavailable`].
//!
//! The CPU time of the subject's tree needs no look at `/proc/PID/stat`: when a trial is over, all
//! that it started has been reaped by the driver or its descendants, and the kernel has
//! added it up to the microsecond.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde_json::{Map, Value, json};

pub mod canary;
pub mod counters;
pub mod idle;
pub mod judge;
pub mod signal;
pub mod sources;
pub mod text;
pub mod ticker;

use canary::Canary;
use counters::{Counters, Span};
use idle::{Idle, Moment};
use judge::{Adapted, Block, Flag, Group, Thresholds};
use signal::{Readings, Signal};
use sources::Sources;
use ticker::{Sample, Ticker};

use crate::record::{Environment, NoiseLabel, NoiseRow, TrialRow};
use crate::stats::quantile::median;
use crate::sys::clock::{now_ns, sleep_until_ns};

/// Number of canaries at the start, which tell how long one takes.
const BASELINE_RUNS: usize = 9;

/// While the machine is idle, a canary runs at every second moment.
const CANARY_EVERY: usize = 2;

/// Watches the machine for the length of a run. Owned by the thread that measures.
#[derive(Debug)]
pub struct Monitor {
    sources: Arc<Sources>,
    ticker: Ticker,
    canary: Canary,
    /// The time of a canary on this machine, in ns.
    canary_ns: f64,
    /// The frequency at the start.
    frequency_hz: Option<f64>,
    thresholds: Thresholds,
    /// How the idle machine changed the thresholds; `None` if it was not watched.
    adapted: Option<Adapted>,
    block: Block,
    begun: Option<Begun>,
    /// From when to when the last trial was watched.
    watched_ns: (u64, u64),
}

/// A trial that is going on.
#[derive(Debug)]
struct Begun {
    group: Group,
    counters: Counters,
    canary_ns: u64,
}

/// The noise of one trial, from before its subject was started until all of it was reaped.
/// Longer than the trial's window.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialNoise {
    /// The counters.
    pub span: Span,
    /// The signals of the trial alone.
    pub readings: Readings,
    /// The longest pause.
    pub vm_pause_ns: Option<u64>,
    /// The frequency after the trial over that at the run's start.
    pub freq_ratio: Option<f64>,
    /// Every signal above a limit.
    pub flags: Vec<Flag>,
    /// All of them in a word.
    pub label: NoiseLabel,
}

impl Monitor {
    /// Opens the sources, times the canary, starts the thread. Takes about 0.1 s.
    ///
    /// # Errors
    /// The system has no thread to give. A source that cannot be read is no error.
    pub fn start() -> io::Result<Monitor> {
        let sources = Arc::new(Sources::open());
        let canary = Canary::calibrated();
        let mut runs = Vec::new();
        let mut frequencies = Vec::new();
        for _ in 0..BASELINE_RUNS {
            runs.push(canary.run_ns() as f64);
            frequencies.extend(sources.frequency_hz());
        }
        Ok(Monitor {
            ticker: Ticker::start(Arc::clone(&sources))?,
            canary_ns: median(&runs).unwrap_or(0.0),
            frequency_hz: median(&frequencies),
            thresholds: Thresholds::new(sources.cpus),
            sources,
            canary,
            adapted: None,
            block: Block::default(),
            begun: None,
            watched_ns: (0, 0),
        })
    }

    /// Processors of this machine.
    pub fn cpus(&self) -> u32 {
        self.sources.cpus
    }

    /// Why signals cannot be read here, by name.
    pub fn unavailable(&self) -> BTreeMap<&'static str, String> {
        let mut reasons = self.sources.unavailable();
        if let Some(reason) = reasons.get("runq_delay").cloned() {
            reasons.insert(Signal::VmPause.name(), reason);
        }
        reasons
    }

    /// Watches the idle machine for `wall_ns` or until the user interrupts, and calls `each` ten
    /// times a second with the share that is over.
    pub fn watch_idle(&mut self, wall_ns: u64, mut each: impl FnMut(f64)) -> Idle {
        self.ticker.take_pause_ns();
        let first = self.moment(0);
        let started_ns = first.counters.t_ns;
        let mut moments = vec![first];
        let mut due_ns = started_ns;
        while due_ns < started_ns + wall_ns && !super::interrupted() {
            due_ns = (due_ns + ticker::SAMPLE_NS).max(now_ns());
            if sleep_until_ns(due_ns).is_err() {
                break;
            }
            moments.push(self.moment(moments.len()));
            each(((due_ns - started_ns) as f64 / wall_ns as f64).min(1.0));
        }
        Idle::of(&moments, self.cpus())
    }

    fn moment(&self, number: usize) -> Moment {
        let canary_ns = number.is_multiple_of(CANARY_EVERY).then(|| self.canary.run_ns());
        let frequency_hz = canary_ns.and_then(|_| self.sources.frequency_hz().ok());
        let counters = self.sources.all();
        Moment { counters, vm_pause_ns: self.ticker.take_pause_ns(), canary_ns, frequency_hz }
    }

    /// Raises the thresholds that this machine breaks when it is idle, and compares canaries with
    /// those of the idle time, as the thresholds are: the few at the start are all of one moment,
    /// which on a machine whose speed wanders may be a fast one. Before the first trial.
    pub fn adapt_to(&mut self, idle: &Idle) {
        let adapted = Thresholds::new(self.cpus()).raised_to(&idle.p95(), self.cpus());
        self.canary_ns = idle.canary_ns.unwrap_or(self.canary_ns);
        self.thresholds = adapted.thresholds;
        self.adapted = Some(adapted);
    }

    /// Signals whose thresholds the idle machine broke; none if it was not watched.
    pub fn raised(&self) -> Vec<Signal> {
        self.adapted.as_ref().map(|adapted| adapted.raised.clone()).unwrap_or_default()
    }

    /// Takes the thresholds with which a run began, so that all its trials are judged alike.
    pub fn keep_thresholds(&mut self, began: &Environment) {
        if let Some(thresholds) = began.facts.get("noise_thresholds") {
            self.thresholds = Thresholds::new(self.cpus()).with_json(thresholds);
        }
        let canary_ns = began.facts.get("noise_canary_ns").and_then(Value::as_f64);
        self.canary_ns = canary_ns.unwrap_or(self.canary_ns);
    }

    /// Records the thresholds, whether the idle machine broke any, and what cannot be watched: a
    /// signal that the idle machine keeps at its cap as a fact, one that cannot be read with the
    /// reason.
    pub fn describe(&self, environment: &mut Environment) {
        environment.record("noise_thresholds", Ok(self.thresholds.json()));
        environment.record("noise_canary_ns", Ok(self.canary_ns));
        let found = || {
            let reason = "the machine was not watched before so short a run";
            self.adapted.as_ref().ok_or_else(|| reason.to_owned())
        };
        let names = |adapted: &Adapted| {
            json!(adapted.raised.iter().map(|signal| signal.name()).collect::<Vec<_>>())
        };
        environment.record("noise_raised_thresholds", found().map(names));
        let label = |adapted: &Adapted| if adapted.raised.is_empty() { "quiet" } else { "noisy" };
        environment.record("noise_when_idle", found().map(label));
        let unwatched = |adapted: &Adapted| {
            let one = |(signal, p95): &(Signal, f64)| {
                let level = signal.shown(*p95, self.cpus());
                (signal.name().to_owned(), json!(format!("the idle machine itself is at {level}")))
            };
            json!(adapted.unwatched.iter().map(one).collect::<Map<_, _>>())
        };
        environment.record("noise_not_watched", found().map(unwatched));
        for (name, reason) in self.unavailable() {
            environment.record::<u64>(&format!("noise_{name}"), Err(reason));
        }
    }

    /// Just before a trial of this group.
    pub fn before_trial(&mut self, group: Group) {
        let canary_ns = self.canary.run_ns();
        self.ticker.take_pause_ns();
        self.begun = Some(Begun { group, counters: self.sources.all(), canary_ns });
    }

    /// Just after a trial, when all that it started has been reaped; `None` if none was begun.
    pub fn after_trial(&mut self) -> Option<TrialNoise> {
        let begun = self.begun.take()?;
        let counters = self.sources.all();
        let span = counters.since(&begun.counters);
        self.watched_ns = (begun.counters.t_ns, counters.t_ns);
        let vm_pause_ns = self.ticker.take_pause_ns();
        let canary_ns = self.canary.run_ns().max(begun.canary_ns);
        let frequency_hz = self.sources.frequency_hz().ok();
        // The worse one of before and after.
        let canary_ratio = (self.canary_ns > 0.0).then(|| canary_ns as f64 / self.canary_ns);
        let freq_ratio = frequency_hz.zip(self.frequency_hz).map(|(now, then)| now / then);
        let readings = Readings::of(&span, self.cpus())
            .with(Signal::VmPause, vm_pause_ns.map(|ns| ns as f64))
            .with(Signal::Canary, canary_ratio)
            .with(Signal::FrequencyDrop, freq_ratio.map(|ratio| (1.0 - ratio).max(0.0)));
        let cpus = self.cpus();
        let (label, flags) =
            self.block.judge(begun.group, &span, &readings, &self.thresholds, cpus);
        Some(TrialNoise { span, readings, vm_pause_ns, freq_ratio, flags, label })
    }

    /// The thread's samples since the last call, oldest first; intervals that ended
    /// during the last trial carry its id.
    pub fn take_rows(&self, run_id: &str, trial_id: &str) -> Vec<NoiseRow> {
        let (from_ns, to_ns) = self.watched_ns;
        let row = |sample: &Sample| {
            let during = (from_ns..=to_ns).contains(&sample.t_ns);
            let trial_id = if during { trial_id } else { "" };
            noise_row(sample, run_id, trial_id, self.cpus())
        };
        self.ticker.take_samples().iter().map(row).collect()
    }
}

impl TrialNoise {
    /// Fills in a row's columns.
    pub fn fill_in(&self, row: &mut TrialRow) {
        // Six places: beyond them there is nothing but the length of the number.
        let rounded = |ratio: Option<f64>| Some((ratio? * 1e6).round() / 1e6);
        let ratio = |signal| rounded(self.readings.get(signal));
        let counts = &self.span.counts;
        row.noise_span_ns = Some(self.span.wall_ns);
        row.noise_steal_ratio = ratio(Signal::Steal);
        row.noise_foreign_cpu_ratio = ratio(Signal::ForeignCpu);
        row.noise_canary_ratio = ratio(Signal::Canary);
        row.noise_vm_pause_ns = self.vm_pause_ns;
        row.noise_mem_pressure_ratio = ratio(Signal::MemPressure);
        row.noise_io_pressure_ratio = ratio(Signal::IoPressure);
        row.noise_freq_ratio = rounded(self.freq_ratio);
        // Recorded only, because the load itself causes it.
        row.noise_runq_delay_ns = counts.run_queue_delay_ns;
        row.throttled_periods = counts.throttled_periods;
        row.throttled_ns = counts.throttled_ns;
        row.noise_label = Some(self.label);
        let flags: Vec<String> = self.flags.iter().map(Flag::to_string).collect();
        row.noise_flags = flags.join(";");
    }
}

fn noise_row(sample: &Sample, run_id: &str, trial_id: &str, cpus: u32) -> NoiseRow {
    let counts = &sample.span.counts;
    NoiseRow {
        run_id: run_id.to_owned(),
        t_ns: sample.t_ns,
        interval_ns: sample.span.wall_ns,
        trial_id: trial_id.to_owned(),
        cpus,
        busy_ns: counts.cpu.map(|cpu| cpu.busy_ns),
        idle_ns: counts.cpu.map(|cpu| cpu.idle_ns),
        steal_ns: counts.cpu.map(|cpu| cpu.steal_ns),
        own_cpu_ns: counts.own_cpu_ns,
        cpu_stall_ns: counts.cpu_stall_ns,
        mem_stall_ns: counts.mem_stall_ns,
        io_stall_ns: counts.io_stall_ns,
        swap_in_pages: counts.swap_in_pages,
        vm_pause_ns: sample.vm_pause_ns,
        runq_delay_ns: counts.run_queue_delay_ns,
        sampler_cpu_ns: sample.sampler_cpu_ns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_watched_from_before_to_after() {
        let mut monitor = Monitor::start().unwrap();
        assert_eq!(monitor.after_trial(), None);
        monitor.before_trial(Group::Block(0, 1));
        let until_ns = now_ns() + 3 * ticker::SAMPLE_NS;
        sleep_until_ns(until_ns).unwrap();
        let noise = monitor.after_trial().unwrap();
        assert!(noise.span.wall_ns >= 3 * ticker::SAMPLE_NS);
        let missing = monitor.unavailable();
        let has = [
            ("steal", noise.readings.get(Signal::Steal).is_some()),
            ("foreign_cpu", noise.readings.get(Signal::ForeignCpu).is_some()),
            ("vm_pause", noise.vm_pause_ns.is_some()),
            ("freq", noise.freq_ratio.is_some()),
            ("mem_pressure", noise.readings.get(Signal::MemPressure).is_some()),
            ("io_pressure", noise.readings.get(Signal::IoPressure).is_some()),
            ("runq_delay", noise.span.counts.run_queue_delay_ns.is_some()),
            ("quota_throttled", noise.span.counts.throttled_periods.is_some()),
        ];
        for (name, available) in has {
            assert_ne!(available, missing.contains_key(name), "{name}");
        }
        assert!(noise.readings.get(Signal::Canary).is_some_and(|ratio| ratio > 0.0));
        let (from_ns, to_ns) = monitor.watched_ns;
        for row in monitor.take_rows("run", "t0001") {
            let during = row.t_ns >= from_ns && row.t_ns <= to_ns;
            assert_eq!(row.trial_id, if during { "t0001" } else { "" });
        }
        assert!(monitor.take_rows("run", "t0001").len() <= 1);
        let mut row = TrialRow::default();
        noise.fill_in(&mut row);
        assert_eq!(row.noise_label, Some(noise.label));
        assert_eq!(row.noise_span_ns, Some(noise.span.wall_ns));
    }

    #[test]
    fn what_the_run_is_told_of_the_machine() {
        let mut monitor = Monitor::start().unwrap();
        let mut environment = Environment::default();
        monitor.describe(&mut environment);
        assert!(environment.unavailable.contains_key("noise_when_idle"));
        let mut shares = Vec::new();
        let idle = monitor.watch_idle(300_000_000, |share| shares.push(share));
        assert!(idle.wall_ns >= 300_000_000);
        assert!(shares.is_sorted() && shares.last() == Some(&1.0), "{shares:?}");
        assert!(idle.spread(Signal::Canary).is_some());
        monitor.adapt_to(&idle);
        assert_eq!(Some(monitor.canary_ns), idle.canary_ns);
        let mut environment = Environment::default();
        monitor.describe(&mut environment);
        let noisy = environment.facts["noise_when_idle"] == "noisy";
        let raised = environment.facts["noise_raised_thresholds"].as_array().unwrap();
        assert_eq!(noisy, !raised.is_empty());
        for (name, _) in monitor.unavailable() {
            let fact = format!("noise_{name}");
            assert!(environment.unavailable.contains_key(&fact), "{fact}");
        }
    }
}
