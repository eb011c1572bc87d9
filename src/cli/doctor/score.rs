//! The noise of the idle machine: every signal with its thresholds and what it means, and all of
//! them as one number.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::busiest::Busy;
use crate::cli::columns::Columns;
use crate::driver::noise::idle::{Idle, Spread};
use crate::driver::noise::judge::{Level, Thresholds};
use crate::driver::noise::signal::{Limits, Readings, Signal};
use crate::record::NoiseRow;

/// From this many columns on, every signal is also said in words.
const ROOM_FOR_SUMMARIES: u16 = 104;

/// What watching the idle machine came to.
#[derive(Debug, Clone)]
pub(super) struct Score {
    watched_ns: u64,
    cpus: u32,
    signals: Vec<(Signal, Result<Spread, String>)>,
    busiest: Vec<Busy>,
    /// What the watching thread used, as a share of one core.
    sampler_ratio: Option<f64>,
}

impl Score {
    /// From what was seen, what cannot be, who was busy, and the rows that were taken meanwhile.
    pub(super) fn of(
        idle: &Idle,
        cpus: u32,
        unavailable: &BTreeMap<&'static str, String>,
        busiest: &[Busy],
        watched: &[NoiseRow],
    ) -> Score {
        let one = |signal: Signal| {
            let reason = || match unavailable.get(signal.name()) {
                Some(reason) => reason.clone(),
                None => "nothing was seen".to_owned(),
            };
            (signal, idle.spread(signal).ok_or_else(reason))
        };
        let wall_ns: u64 = watched.iter().map(|row| row.interval_ns).sum();
        let used_ns: u64 = watched.iter().map(|row| row.sampler_cpu_ns).sum();
        Score {
            watched_ns: idle.wall_ns,
            cpus,
            signals: Signal::ALL.into_iter().map(one).collect(),
            busiest: busiest.to_vec(),
            sampler_ratio: (wall_ns > 0).then(|| used_ns as f64 / wall_ns as f64),
        }
    }

    /// `None`: quiet. Judged by the 95 % quantile, as the thresholds of a run are.
    fn level(&self) -> Option<Level> {
        let levels = self.signals.iter().filter_map(|(signal, found)| {
            let spread = found.as_ref().ok()?;
            signal.limits(self.cpus).level(spread.p95)
        });
        levels.max()
    }

    /// How far the worst signal is on its way from calm to its first threshold, which is 1; and
    /// which signal that is. Signals that are wrong in any amount are not on a way.
    fn number(&self) -> Option<(f64, Signal)> {
        let distance = |(signal, found): &(Signal, Result<Spread, String>)| {
            let way = signal.limits(self.cpus).warn - signal.calm();
            let gone = (found.as_ref().ok()?.p95 - signal.calm()).max(0.0);
            (way > 0.0).then(|| (gone / way, *signal))
        };
        let distances = self.signals.iter().filter_map(distance);
        distances.max_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// Signals that a run could not watch here, and the idle machine's own level.
    fn unwatched(&self) -> Vec<(Signal, f64)> {
        let p95 = self.signals.iter().fold(Readings::default(), |readings, (signal, found)| {
            readings.with(*signal, found.as_ref().ok().map(|spread| spread.p95))
        });
        Thresholds::new(self.cpus).raised_to(&p95, self.cpus).unwatched
    }

    pub(super) fn json(&self) -> Value {
        let number = self.number();
        let signals: Map<String, Value> = self
            .signals
            .iter()
            .map(|(signal, found)| {
                let Limits { warn, disturbed } = signal.limits(self.cpus);
                let value = match found {
                    Ok(Spread { median, p95, max }) => json!({
                        "median": median, "p95": p95, "max": max, "warn": warn,
                        "disturbed": disturbed, "verdict": self.verdict(*signal, *p95),
                    }),
                    Err(reason) => json!({"unavailable": reason}),
                };
                (signal.name().to_owned(), value)
            })
            .collect();
        let busiest: Vec<Value> = self
            .busiest
            .iter()
            .map(|(name, cores)| json!({"name": name, "cores": cores}))
            .collect();
        json!({
            "watched_ns": self.watched_ns,
            "verdict": word(self.level()),
            "score": number.map(|(score, _)| score),
            "score_signal": number.map(|(_, signal)| signal.name()),
            "signals": signals,
            "busiest": busiest,
            "sampler_ratio": self.sampler_ratio,
        })
    }

    pub(super) fn text(&self, width: u16) -> String {
        let mut columns = Columns::labelled(width, 2);
        let mut row = |cells: [&str; 6], summary: &str| {
            let [name, median, p95, worst, warn, verdict] = cells;
            // Where there is no room for it, it would be a column of single words.
            if width < ROOM_FOR_SUMMARIES {
                columns.row(cells);
            } else {
                columns.row([name, median, p95, worst, warn, verdict, summary]);
            }
        };
        row(["", "median", "95 %", "worst", "warn above", "verdict"], "");
        for (signal, found) in &self.signals {
            if let Ok(spread) = found {
                let show = |value| human(*signal, value);
                let Spread { median, p95, max } = *spread;
                let (name, warn) = (signal.name(), signal.limits(self.cpus).warn);
                let verdict = self.verdict(*signal, p95);
                let cells = [&show(median), &show(p95), &show(max), &show(warn)];
                let [median, p95, worst, warn] = cells.map(String::as_str);
                row([name, median, p95, worst, warn, verdict], signal.summary());
            }
        }
        let mut text = format!(
            "Noise of the idle machine, watched for {:.0} s: {}\n{}",
            self.watched_ns as f64 / 1e9,
            word(self.level()),
            columns.text()
        );
        let mut notes = Columns::labelled(width, 2);
        for (signal, found) in &self.signals {
            if let Err(reason) = found {
                notes.row([signal.name(), &format!("unavailable: {reason}")]);
            }
        }
        for (signal, p95) in self.unwatched() {
            let level = signal.shown(p95, self.cpus);
            let note = format!("not watched by a run, since the idle machine itself is at {level}");
            notes.row([signal.name(), &note]);
        }
        if let Some((number, signal)) = self.number() {
            let name = signal.name();
            let score = format!("{number:.1}, by {name}; a run warns above 1");
            notes.row(["score", &score]);
        }
        if let Some(ratio) = self.sampler_ratio {
            let cost = format!("{:.2} % of one core, while a run goes on", ratio * 100.0);
            notes.row(["watching costs", &cost]);
        }
        text += &notes.text();
        text
    }

    fn verdict(&self, signal: Signal, value: f64) -> &'static str {
        word(signal.limits(self.cpus).level(value))
    }

    /// What to change about the machine's noise.
    pub(super) fn advice(&self) -> Vec<String> {
        let one = |(signal, found): &(Signal, Result<Spread, String>)| {
            let spread = found.as_ref().ok()?;
            signal.limits(self.cpus).level(spread.p95)?;
            Some(self.against(*signal))
        };
        self.signals.iter().filter_map(one).collect()
    }

    fn against(&self, signal: Signal) -> String {
        let advice = match signal {
            Signal::ForeignCpu => {
                let names: Vec<String> = self
                    .busiest
                    .iter()
                    .map(|(name, cores)| format!("{name} ({:.0} % of a core)", cores * 100.0))
                    .collect();
                if names.is_empty() {
                    "stop other programs; those that were busy came and went too fast to be named"
                        .to_owned()
                } else {
                    format!("stop other programs, the busiest first: {}", names.join(", "))
                }
            }
            Signal::Steal => "ask for cores of your own: other guests use those that this machine \
                              was given; or measure at another hour"
                .to_owned(),
            Signal::Canary => "find out why the same work takes longer now and then: a clock that \
                               follows load or heat, or a neighbour on the same core or cache"
                .to_owned(),
            Signal::VmPause => "measure on another host: this machine stands still as a whole now \
                                and then (snapshots, migration, an overcommitted host)"
                .to_owned(),
            Signal::FrequencyDrop => {
                "fix the clock's frequency (governor `performance`, no turbo)".to_owned()
            }
            Signal::Throttle => "cool the machine: it slows down for its heat".to_owned(),
            Signal::MemPressure | Signal::SwapIn => {
                "free some memory: programs wait for it".to_owned()
            }
            Signal::IoPressure => "stop what keeps the disks busy".to_owned(),
            Signal::QuotaThrottled => "lift the CPU quota of the control group: it is spent even \
                                       while nothing is measured"
                .to_owned(),
        };
        format!("{}: {advice}", signal.name())
    }
}

fn word(level: Option<Level>) -> &'static str {
    match level {
        None => "quiet",
        Some(Level::Warn) => "warn",
        Some(Level::Disturbed) => "noisy",
    }
}

/// With its unit, in as many digits as a decision needs.
fn human(signal: Signal, value: f64) -> String {
    match signal {
        Signal::Canary => format!("{value:.3}"),
        Signal::VmPause => format!("{:.1} ms", value / 1e6),
        Signal::Throttle | Signal::SwapIn | Signal::QuotaThrottled => format!("{value:.0}"),
        Signal::MemPressure => format!("{:.2} %", value * 100.0),
        _ => format!("{:.1} %", value * 100.0),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn score(p95: impl Fn(Signal) -> Option<f64>, busiest: &[Busy]) -> Score {
        let one = |signal: Signal| {
            let spread = |p95| Spread { median: signal.calm(), p95, max: p95 };
            let found = p95(signal).map(spread);
            (signal, found.ok_or_else(|| "/sys/…: not here".to_owned()))
        };
        Score {
            watched_ns: 10_049_000_000,
            cpus: 2,
            signals: Signal::ALL.into_iter().map(one).collect(),
            busiest: busiest.to_vec(),
            sampler_ratio: Some(0.002_345),
        }
    }

    pub(in crate::cli::doctor) fn quiet() -> Score {
        score(
            |signal| match signal {
                Signal::FrequencyDrop | Signal::Throttle => None,
                Signal::VmPause => Some(1e6),
                Signal::Canary => Some(1.01),
                _ => Some(0.0),
            },
            &[],
        )
    }

    pub(in crate::cli::doctor) fn noisy() -> Score {
        let busiest = [("rustc".to_owned(), 0.98), ("a browser".to_owned(), 0.12)];
        score(
            |signal| {
                let Limits { warn, disturbed } = signal.limits(2);
                Some(match signal {
                    Signal::ForeignCpu => 0.56,
                    Signal::SwapIn => 700.0,
                    Signal::Throttle | Signal::QuotaThrottled => 7.0,
                    Signal::Steal => f64::midpoint(warn, disturbed),
                    _ => disturbed * 1.1,
                })
            },
            &busiest,
        )
    }

    #[test]
    fn the_worst_signal_is_the_score() {
        let (number, signal) = quiet().number().unwrap();
        assert!((number - 0.2).abs() < 1e-9, "{number}");
        assert_eq!((signal, quiet().level()), (Signal::Canary, None));
        let (number, signal) = noisy().number().unwrap();
        assert_eq!((number.round(), signal), (11.0, Signal::ForeignCpu));
        assert_eq!(noisy().level(), Some(Level::Disturbed));
    }

    #[test]
    fn what_disturbs_is_advised_against() {
        assert_eq!(quiet().advice(), [""; 0]);
        let advice = noisy().advice();
        for signal in Signal::ALL {
            let begins = format!("{}: ", signal.name());
            assert!(advice.iter().any(|text| text.starts_with(&begins)), "{begins}");
        }
        let stop = "foreign_cpu: stop other programs, the busiest first: rustc (98 % of a core), \
                    a browser (12 % of a core)";
        assert!(advice.iter().any(|text| text == stop), "{advice:#?}");
    }

    #[test]
    fn every_signal_is_in_the_json_with_a_value_or_a_reason() {
        let value = quiet().json();
        assert_eq!(value["verdict"], "quiet");
        assert_eq!(value["score_signal"], "canary");
        for signal in Signal::ALL {
            let found = &value["signals"][signal.name()];
            let available = found["p95"].is_number() && found["verdict"] == "quiet";
            assert!(available || found["unavailable"].is_string(), "{found}");
        }
    }
}
