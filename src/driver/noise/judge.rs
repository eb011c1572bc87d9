//! When noise is too much: thresholds, fixed before the run and the same for all arms, and the
//! judgement of a trial.
//!
//! Only disturbances from outside count. Run-queue delay and pressure on the processors are
//! made by the load itself; they are recorded and never judged.

use crate::record::NoiseLabel;
use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

use super::counters::Span;
use super::signal::{Limits, PerSignal, Readings, Signal};

/// Rates are judged over at least this long. The kernel counts in 10 ms: a quarter of a core is 12
/// ticks of half a second, and 2 of a trial of 90 ms, which cannot be told from none.
pub const JUDGED_NS: u64 = 500_000_000;

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

impl Limits {
    /// How bad this value is; `None` if it is not.
    pub fn level(self, value: f64) -> Option<Level> {
        if value > self.disturbed {
            Some(Level::Disturbed)
        } else {
            (value > self.warn).then_some(Level::Warn)
        }
    }
}

/// The limits of every signal; `None` of one that is not watched.
pub type Thresholds = PerSignal<Limits>;

/// Thresholds that fit the idle machine, and how they differ from those of a quiet one.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapted {
    /// The thresholds from here on.
    pub thresholds: Thresholds,
    /// Signals whose limits the idle machine broke; if there is any, it is *noisy*.
    pub raised: Vec<Signal>,
    /// Those of them that cannot be watched, and the idle machine's own level.
    pub unwatched: Vec<(Signal, f64)>,
}

impl Thresholds {
    /// Those of a machine with `cpus` processors that is quiet when it is idle.
    pub fn new(cpus: u32) -> Thresholds {
        Thresholds::from_fn(|signal| Some(signal.limits(cpus)))
    }

    /// For a machine that is like `idle_p95` when nothing runs: where that breaks a threshold,
    /// both become at least 1.5 times as far from calm. A signal whose limit would have to be
    /// raised to its cap is not watched: at the cap the idle machine would break it.
    pub fn raised_to(&self, idle_p95: &Readings, cpus: u32) -> Adapted {
        let (mut raised, mut unwatched) = (Vec::new(), Vec::new());
        let thresholds = Thresholds::from_fn(|signal| {
            let limits = self.get(signal)?;
            let (Some(cap), Some(p95)) = (signal.cap(cpus), idle_p95.get(signal)) else {
                return Some(limits);
            };
            if p95 <= limits.warn {
                return Some(limits);
            }
            raised.push(signal);
            let limit = signal.calm() + 1.5 * (p95 - signal.calm());
            if limit >= cap {
                unwatched.push((signal, p95));
                return None;
            }
            let Limits { warn, disturbed } = limits;
            Some(Limits { warn: warn.max(limit), disturbed: disturbed.max(limit) })
        });
        Adapted { thresholds, raised, unwatched }
    }

    /// Every signal that is above a limit.
    pub fn flags(&self, readings: &Readings) -> Vec<Flag> {
        let flag = |signal: Signal| {
            let level = self.get(signal)?.level(readings.get(signal)?)?;
            Some(Flag { signal, level })
        };
        Signal::ALL.into_iter().filter_map(flag).collect()
    }

    /// These, changed to what [`Thresholds::json`] once wrote.
    #[must_use]
    pub fn with_json(self, written: &Value) -> Thresholds {
        Thresholds::from_fn(|signal| {
            let found = written.get(signal.name()).map(Option::<Limits>::deserialize);
            found.and_then(Result::ok).unwrap_or(self.get(signal))
        })
    }

    /// `{"steal": {"warn": 0.005, "disturbed": 0.01}, …}`, `null` for a signal that is not watched.
    pub fn json(&self) -> Value {
        let one = |signal: Signal| (signal.name().to_owned(), json!(self.get(signal)));
        Value::Object(Signal::ALL.into_iter().map(one).collect())
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

impl fmt::Display for Flag {
    /// `steal:disturbed`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.signal.name(), self.level.name())
    }
}

/// Trials that are judged together where they are short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Those of a family's block: the family's index, and the block.
    Block(usize, u32),
    /// One trial of calibration.
    Calibration(u32),
    /// Those of a round of the search.
    Search(u32),
    /// One trial or check of the self-test.
    Check(u32),
}

/// The trials of one group so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Block {
    group: Option<Group>,
    so_far: Span,
}

impl Block {
    /// Takes the next trial with its own counters and readings. Rates are judged over the trial
    /// alone if it is long enough, else over the group up to and with it; so the last trial of a
    /// block tells about all of it.
    pub fn judge(
        &mut self,
        group: Group,
        span: &Span,
        own: &Readings,
        thresholds: &Thresholds,
        cpus: u32,
    ) -> (NoiseLabel, Vec<Flag>) {
        self.so_far = if self.group == Some(group) { self.so_far.plus(span) } else { *span };
        self.group = Some(group);
        let judged = [span, &self.so_far].into_iter().find(|span| span.wall_ns >= JUDGED_NS);
        let rates = judged.map(|span| Readings::of(span, cpus));
        let flags = thresholds.flags(&own.with_rates_of(rates.as_ref()));
        let label = match flags.iter().map(|flag| flag.level).max() {
            Some(Level::Disturbed) => NoiseLabel::Disturbed,
            Some(Level::Warn) => NoiseLabel::Warn,
            None if judged.is_some() => NoiseLabel::Quiet,
            None => NoiseLabel::Unjudged,
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

    fn judge(block: &mut Block, key: Group, span: &Span) -> (NoiseLabel, String) {
        let own = Readings::of(span, 2);
        let (label, flags) = block.judge(key, span, &own, &Thresholds::new(2), 2);
        let flags: Vec<_> = flags.iter().map(Flag::to_string).collect();
        (label, flags.join(";"))
    }

    #[test]
    fn a_long_trial_is_judged_by_itself() {
        let mut block = Block::default();
        let mut check = |ratio, label, flags: &str| {
            let judged = judge(&mut block, Group::Block(0, 1), &foreign(500, ratio));
            assert_eq!(judged, (label, flags.to_owned()), "{ratio}");
        };
        // Of one core: 8 %, 12 %, 26 %.
        check(0.04, NoiseLabel::Quiet, "");
        check(0.06, NoiseLabel::Warn, "foreign_cpu:warn");
        check(0.13, NoiseLabel::Disturbed, "foreign_cpu:disturbed");
        check(0.0, NoiseLabel::Quiet, "");
    }

    #[test]
    fn short_trials_are_judged_with_those_before_them_in_their_block() {
        let mut block = Block::default();
        let (short, calm) = (foreign(200, 0.25), foreign(200, 0.0));
        // Too little of the block is over to judge it.
        assert_eq!(judge(&mut block, Group::Block(0, 1), &short).0, NoiseLabel::Unjudged);
        assert_eq!(judge(&mut block, Group::Block(0, 1), &calm).0, NoiseLabel::Unjudged);
        // Half a core for a third of the time is a sixth of a core.
        assert_eq!(judge(&mut block, Group::Block(0, 1), &calm).0, NoiseLabel::Warn);
        // And for half of the time a quarter.
        assert_eq!(
            judge(&mut block, Group::Block(0, 1), &foreign(200, 0.26)).0,
            NoiseLabel::Disturbed
        );
        // Another block begins anew, and so does another family.
        for key in [Group::Block(0, 2), Group::Block(1, 2)] {
            for _ in 0..2 {
                assert_eq!(judge(&mut block, key, &calm).0, NoiseLabel::Unjudged);
            }
            assert_eq!(judge(&mut block, key, &calm).0, NoiseLabel::Quiet);
        }
    }

    #[test]
    fn events_count_however_short_the_trial_and_never_for_the_next() {
        let mut block = Block::default();
        let mut judge = |own: Readings| {
            let span = foreign(100, 0.0);
            let (label, _) = block.judge(Group::Block(0, 1), &span, &own, &Thresholds::new(2), 2);
            label
        };
        let own = Readings::of(&foreign(100, 0.0), 2);
        assert_eq!(judge(own.with(Signal::VmPause, Some(15e6))), NoiseLabel::Warn);
        assert_eq!(judge(own), NoiseLabel::Unjudged);
        assert_eq!(judge(own.with(Signal::Canary, Some(1.11))), NoiseLabel::Disturbed);
        assert_eq!(judge(own.with(Signal::Throttle, Some(1.0))), NoiseLabel::Disturbed);
        assert_eq!(judge(own.with(Signal::SwapIn, Some(101.0))), NoiseLabel::Disturbed);
        assert_eq!(judge(own.with(Signal::FrequencyDrop, Some(0.05))), NoiseLabel::Quiet);
    }

    /// 31 of 51 periods were spent by a run below a quota of half a core; each froze a trial for
    /// 50 ms. One is enough.
    #[test]
    fn one_period_in_which_a_quota_was_spent_disturbs_a_trial() {
        let mut span = foreign(90, 0.0);
        span.counts.throttled_periods = Some(0);
        assert_eq!(judge(&mut Block::default(), Group::Block(0, 1), &span).1, "");
        span.counts.throttled_periods = Some(1);
        let judged = judge(&mut Block::default(), Group::Block(0, 1), &span);
        assert_eq!(judged, (NoiseLabel::Disturbed, "quota_throttled:disturbed".to_owned()));
    }

    #[test]
    fn thresholds_rise_with_an_idle_machine_that_breaks_them() {
        let idle = Readings::default()
            .with(Signal::Steal, Some(0.02))
            .with(Signal::ForeignCpu, Some(0.10))
            .with(Signal::Canary, Some(1.06))
            .with(Signal::SwapIn, Some(9.0));
        let quiet = Thresholds::new(2);
        let Adapted { thresholds, raised, unwatched } = quiet.raised_to(&idle, 2);
        assert_eq!((raised, unwatched), (vec![Signal::ForeignCpu, Signal::Canary], vec![]));
        let close = |signal: Signal, warn: f64, disturbed: f64| {
            let limits = thresholds.get(signal).unwrap();
            assert!((limits.warn - warn).abs() < 1e-12, "{limits:?}");
            assert!((limits.disturbed - disturbed).abs() < 1e-12, "{limits:?}");
        };
        assert_eq!(quiet.with_json(&thresholds.json()), thresholds);
        close(Signal::ForeignCpu, 0.15, 0.15);
        close(Signal::Canary, 1.09, 1.1);
        for signal in [Signal::Steal, Signal::SwapIn] {
            assert_eq!(thresholds.get(signal), quiet.get(signal));
        }
    }

    /// A limit of 145 % of the machine would watch nothing.
    #[test]
    fn a_signal_that_the_idle_machine_keeps_at_its_cap_is_not_watched() {
        let idle =
            Readings::default().with(Signal::ForeignCpu, Some(0.3)).with(Signal::Canary, Some(1.2));
        let quiet = Thresholds::new(2);
        let Adapted { thresholds, raised, unwatched } = quiet.raised_to(&idle, 2);
        assert_eq!(raised, [Signal::ForeignCpu, Signal::Canary]);
        assert_eq!(unwatched, [(Signal::ForeignCpu, 0.3), (Signal::Canary, 1.2)]);
        assert_eq!(Signal::ForeignCpu.shown(0.3, 2), "60 % of a core");
        assert_eq!(thresholds.get(Signal::ForeignCpu), None);
        assert_eq!(thresholds.flags(&idle), []);
        assert!(thresholds.json()["foreign_cpu"].is_null());
        // A run that is resumed does not watch it again.
        assert_eq!(quiet.with_json(&thresholds.json()), thresholds);
    }

    /// Of a quiet default run on a virtual machine with two processors, 672 trials in 84 blocks.
    /// Limits of 1.05 for the canary and of 2 % of the machine for other programs would flag every
    /// fourth trial, 171 by the canary alone.
    #[test]
    fn a_quiet_run_is_not_called_disturbed() {
        // Every fifth percentile of the canary's ratio over the trials, up to the 95th.
        const CANARIES: [f64; 20] = [
            0.840, 0.841, 0.845, 0.861, 0.870, 0.875, 0.880, 0.886, 0.894, 0.901, 0.914, 0.927,
            0.954, 0.991, 1.026, 1.053, 1.078, 1.105, 1.128, 1.178,
        ];
        // Shares of the machine that other programs used, of the ten worst blocks.
        const BLOCKS: [f64; 10] =
            [0.0945, 0.066, 0.0245, 0.023, 0.0175, 0.0135, 0.0135, 0.012, 0.0115, 0.011];
        let idle = Readings::default().with(Signal::Canary, Some(1.1244));
        let thresholds = Thresholds::new(2).raised_to(&idle, 2).thresholds;
        let flagged = |signal: Signal, value: f64| {
            let flags = thresholds.flags(&Readings::default().with(signal, Some(value)));
            flags.iter().any(|flag| flag.level == Level::Disturbed)
        };
        assert!(!CANARIES.iter().any(|ratio| flagged(Signal::Canary, *ratio)));
        assert!(!BLOCKS.iter().any(|share| flagged(Signal::ForeignCpu, *share)));
        // What is visibly off is still seen: a clock a quarter slower, a neighbour of 0.3 cores.
        assert!(flagged(Signal::Canary, 1.25));
        assert!(flagged(Signal::ForeignCpu, 0.15));
    }

    proptest! {
        /// Raising is for machines that are worse; it must never make a threshold stricter, nor
        /// raise one beyond what can happen.
        #[test]
        fn raising_never_lowers_and_ends_at_the_cap(
            values in proptest::collection::vec(0.0..1e9_f64, Signal::ALL.len()),
            scale in 0..9_i32,
            cpus in 1..200_u32,
        ) {
            let idle = Signal::ALL.into_iter().fold(Readings::default(), |readings, signal| {
                readings.with(signal, Some(values[signal as usize] / 10_f64.powi(scale)))
            });
            let quiet = Thresholds::new(cpus);
            let Adapted { thresholds, raised, unwatched } = quiet.raised_to(&idle, cpus);
            for signal in Signal::ALL {
                let Some(new) = thresholds.get(signal) else {
                    prop_assert!(unwatched.iter().any(|(one, _)| *one == signal));
                    prop_assert!(raised.contains(&signal));
                    continue;
                };
                let old = signal.limits(cpus);
                prop_assert!(new.warn >= old.warn && new.disturbed >= old.disturbed);
                prop_assert!(new.warn <= new.disturbed);
                prop_assert!(signal.cap(cpus).is_none_or(|cap| new.disturbed < cap));
                let level = new.level(idle.get(signal).unwrap_or(0.0));
                prop_assert!(level.is_none() || signal.cap(cpus).is_none(), "{signal:?}");
            }
        }
    }
}
