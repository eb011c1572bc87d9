//! When noise is too much: thresholds, fixed before the run and the same for all arms, and what
//! they say about a trial.
//!
//! Only what comes from outside may disturb a trial. Run-queue delay and pressure on the
//! processors are made by the load itself; they are recorded and never judged.

use serde_json::{Map, Value, json};

use super::counters::Span;
use super::signal::{Readings, Signal};

/// Rates are judged over at least this long: the kernel counts in 10 ms, and of 0.2 s on two
/// processors one tick is 2.5 %.
pub const JUDGED_NS: u64 = 2_000_000_000;

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Above the first threshold.
    Warn,
    /// Above the second: the trial does not count where it can be run again.
    Disturbed,
}

impl Level {
    /// As in flags and rows.
    pub fn name(self) -> &'static str {
        match self {
            Level::Warn => "warn",
            Level::Disturbed => "disturbed",
        }
    }
}

/// Two limits; a value is bad if it is above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Above: [`Level::Warn`].
    pub warn: f64,
    /// Above: [`Level::Disturbed`].
    pub disturbed: f64,
}

impl Limits {
    /// How bad this value is; `None` if it is not.
    pub fn level(self, value: f64) -> Option<Level> {
        if value > self.disturbed {
            Some(Level::Disturbed)
        } else if value > self.warn {
            Some(Level::Warn)
        } else {
            None
        }
    }
}

/// The limits of every signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    limits: [Limits; Signal::ALL.len()],
}

impl Default for Thresholds {
    /// Those of a machine that is quiet when it is idle.
    fn default() -> Thresholds {
        let limits = |warn: f64, disturbed: f64| Limits { warn, disturbed };
        Thresholds {
            limits: Signal::ALL.map(|signal| match signal {
                Signal::Steal => limits(0.005, 0.01),
                Signal::ForeignCpu => limits(0.01, 0.02),
                Signal::Canary => limits(1.02, 1.05),
                Signal::VmPause => limits(10e6, 20e6),
                Signal::FrequencyDrop => limits(0.02, 0.03),
                Signal::Throttle | Signal::SwapIn => limits(0.0, 0.0),
                Signal::MemPressure => limits(0.0005, 0.002),
                Signal::IoPressure => limits(0.005, 0.02),
            }),
        }
    }
}

impl Thresholds {
    /// Those of this signal.
    pub fn of(&self, signal: Signal) -> Limits {
        self.limits[signal as usize]
    }

    /// For a machine that is like `idle_p95` when nothing runs: where that breaks a threshold,
    /// both become at least 1.5 times as far from calm. Also says which signals were raised; if
    /// any was, the run is *noisy*.
    pub fn raised_to(&self, idle_p95: &Readings) -> (Thresholds, Vec<Signal>) {
        let mut thresholds = *self;
        let mut raised = Vec::new();
        for signal in Signal::ALL.into_iter().filter(|s| s.may_be_raised()) {
            let limits = &mut thresholds.limits[signal as usize];
            let Some(p95) = idle_p95.get(signal).filter(|p95| *p95 > limits.warn) else {
                continue;
            };
            let limit = signal.calm() + 1.5 * (p95 - signal.calm());
            limits.warn = limits.warn.max(limit);
            limits.disturbed = limits.disturbed.max(limit);
            raised.push(signal);
        }
        (thresholds, raised)
    }

    /// Every signal that is above a limit.
    pub fn flags(&self, readings: &Readings) -> Vec<Flag> {
        let flag = |signal: Signal| {
            let level = self.of(signal).level(readings.get(signal)?)?;
            Some(Flag { signal, level })
        };
        Signal::ALL.into_iter().filter_map(flag).collect()
    }

    /// These, but for what [`Thresholds::json`] once wrote.
    #[must_use]
    pub fn with_json(mut self, written: &Value) -> Thresholds {
        for signal in Signal::ALL {
            let limits = &mut self.limits[signal as usize];
            let written = &written[signal.name()];
            limits.warn = written["warn"].as_f64().unwrap_or(limits.warn);
            limits.disturbed = written["disturbed"].as_f64().unwrap_or(limits.disturbed);
        }
        self
    }

    /// `{"steal": {"warn": 0.005, "disturbed": 0.01}, …}`.
    pub fn json(&self) -> Value {
        let one = |signal: Signal| {
            let Limits { warn, disturbed } = self.of(signal);
            let limits = json!({"warn": warn, "disturbed": disturbed});
            (signal.name().to_owned(), limits)
        };
        Value::Object(Signal::ALL.into_iter().map(one).collect::<Map<_, _>>())
    }
}

/// A signal that is above a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// Which.
    pub signal: Signal,
    /// How bad.
    pub level: Level,
}

impl std::fmt::Display for Flag {
    /// `steal:disturbed`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.signal.name(), self.level.name())
    }
}

/// What all signals together say about a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// No flag.
    Quiet,
    /// The worst flag is a warning.
    Warn,
    /// A flag says so.
    Disturbed,
    /// No flag, but what was watched is too short to judge the rates by.
    Unjudged,
}

impl Label {
    /// All, as the words of a column.
    pub const ALL: [Label; 4] = [Label::Quiet, Label::Warn, Label::Disturbed, Label::Unjudged];

    /// As in rows.
    pub fn name(self) -> &'static str {
        match self {
            Label::Quiet => "quiet",
            Label::Warn => Level::Warn.name(),
            Label::Disturbed => Level::Disturbed.name(),
            Label::Unjudged => "unjudged",
        }
    }
}

/// Trials of one family's block so far, so that rates of short ones can be judged together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Block {
    key: Option<(usize, u32)>,
    so_far: Span,
}

impl Block {
    /// Takes the next trial: its own counters and events, and which family's which block it is
    /// in. Rates are judged over the trial alone if it is long enough, else over the block up to
    /// and with it; the last trial of a block so tells about all of it.
    pub fn judge(
        &mut self,
        key: (usize, u32),
        span: &Span,
        own: &Readings,
        thresholds: &Thresholds,
        cpus: u32,
    ) -> (Label, Vec<Flag>) {
        self.so_far = if self.key == Some(key) { self.so_far.plus(span) } else { *span };
        self.key = Some(key);
        let judged = [span, &self.so_far].into_iter().find(|span| span.wall_ns >= JUDGED_NS);
        let rates = judged.map(|span| Readings::of(span, cpus));
        let flags = thresholds.flags(&own.with_rates_of(rates.as_ref()));
        let label = match flags.iter().map(|flag| flag.level).max() {
            Some(Level::Disturbed) => Label::Disturbed,
            Some(Level::Warn) => Label::Warn,
            None if judged.is_some() => Label::Quiet,
            None => Label::Unjudged,
        };
        (label, flags)
    }
}

#[cfg(test)]
mod tests {
    use super::super::counters::Counts;
    use super::super::text::CpuTimes;
    use super::*;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    /// A span on two processors of which somebody else used this share.
    fn foreign(wall_ms: u64, ratio: f64) -> Span {
        let all_ns = 2 * wall_ms * MS;
        let busy_ns = (all_ns as f64 * ratio) as u64;
        let cpu = CpuTimes { busy_ns, idle_ns: all_ns - busy_ns, steal_ns: 0 };
        Span { wall_ns: wall_ms * MS, counts: Counts { cpu: Some(cpu), ..Counts::default() } }
    }

    fn judge(block: &mut Block, key: (usize, u32), span: &Span) -> (Label, String) {
        let own = Readings::of(span, 2);
        let (label, flags) = block.judge(key, span, &own, &Thresholds::default(), 2);
        let flags: Vec<_> = flags.iter().map(Flag::to_string).collect();
        (label, flags.join(";"))
    }

    #[test]
    fn a_long_trial_is_judged_by_itself() {
        let mut block = Block::default();
        let mut check = |ratio, label, flags: &str| {
            let judged = judge(&mut block, (0, 1), &foreign(2_000, ratio));
            assert_eq!(judged, (label, flags.to_owned()), "{ratio}");
        };
        check(0.009, Label::Quiet, "");
        check(0.015, Label::Warn, "foreign_cpu:warn");
        check(0.25, Label::Disturbed, "foreign_cpu:disturbed");
        check(0.0, Label::Quiet, "");
    }

    #[test]
    fn short_trials_are_judged_with_those_before_them_in_their_block() {
        let mut block = Block::default();
        let short = foreign(800, 0.05);
        let calm = foreign(800, 0.0);
        // One tick of 10 ms more in a short trial says nothing yet.
        assert_eq!(judge(&mut block, (0, 1), &short).0, Label::Unjudged);
        assert_eq!(judge(&mut block, (0, 1), &calm).0, Label::Unjudged);
        // 5 % of a third of the time is 1.7 %.
        assert_eq!(judge(&mut block, (0, 1), &calm).0, Label::Warn);
        assert_eq!(judge(&mut block, (0, 1), &short).0, Label::Disturbed);
        // Another block begins anew, and so does another family.
        for key in [(0, 2), (1, 2)] {
            for _ in 0..2 {
                assert_eq!(judge(&mut block, key, &calm).0, Label::Unjudged);
            }
            assert_eq!(judge(&mut block, key, &calm).0, Label::Quiet);
        }
    }

    #[test]
    fn events_count_however_short_the_trial_and_never_for_the_next() {
        let mut block = Block::default();
        let mut judge = |own: Readings| {
            let span = foreign(100, 0.0);
            let (label, _) = block.judge((0, 1), &span, &own, &Thresholds::default(), 2);
            label
        };
        let own = Readings::of(&foreign(100, 0.0), 2);
        assert_eq!(judge(own.with(Signal::VmPause, Some(15e6))), Label::Warn);
        assert_eq!(judge(own), Label::Unjudged);
        assert_eq!(judge(own.with(Signal::Canary, Some(1.06))), Label::Disturbed);
        assert_eq!(judge(own.with(Signal::Throttle, Some(1.0))), Label::Disturbed);
        assert_eq!(judge(own.with(Signal::SwapIn, Some(1.0))), Label::Disturbed);
        assert_eq!(judge(own.with(Signal::FrequencyDrop, Some(0.02))), Label::Unjudged);
    }

    #[test]
    fn thresholds_rise_with_an_idle_machine_that_breaks_them() {
        let idle = Readings::default()
            .with(Signal::Steal, Some(0.004))
            .with(Signal::ForeignCpu, Some(0.10))
            .with(Signal::Canary, Some(1.03))
            .with(Signal::SwapIn, Some(9.0));
        let default = Thresholds::default();
        let (thresholds, raised) = default.raised_to(&idle);
        assert_eq!(raised, [Signal::ForeignCpu, Signal::Canary]);
        let close = |limits: Limits, warn: f64, disturbed: f64| {
            assert!((limits.warn - warn).abs() < 1e-12, "{limits:?}");
            assert!((limits.disturbed - disturbed).abs() < 1e-12, "{limits:?}");
        };
        assert_eq!(default.with_json(&thresholds.json()), thresholds);
        close(thresholds.of(Signal::ForeignCpu), 0.15, 0.15);
        close(thresholds.of(Signal::Canary), 1.045, 1.05);
        for signal in [Signal::Steal, Signal::SwapIn] {
            assert_eq!(thresholds.of(signal), default.of(signal));
        }
    }

    proptest! {
        /// Raising is for machines that are worse; it must never make a threshold stricter.
        #[test]
        fn raising_never_lowers(values in proptest::collection::vec(0.0..1e9_f64, 9)) {
            let idle = Signal::ALL.into_iter().fold(Readings::default(), |readings, signal| {
                readings.with(signal, Some(values[signal as usize]))
            });
            let default = Thresholds::default();
            let (raised, _) = default.raised_to(&idle);
            for signal in Signal::ALL {
                let (old, new) = (default.of(signal), raised.of(signal));
                prop_assert!(new.warn >= old.warn && new.disturbed >= old.disturbed);
                prop_assert!(new.warn <= new.disturbed);
                let level = new.level(values[signal as usize]);
                prop_assert!(level.is_none() || !signal.may_be_raised(), "{signal:?}");
            }
        }
    }
}
