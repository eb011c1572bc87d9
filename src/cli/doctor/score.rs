//! The noise of the idle machine: every signal with its thresholds and what to change.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::cli::columns::Columns;
use crate::driver::noise::idle::{Idle, Spread};
use crate::driver::noise::judge::{Level, Thresholds};
use crate::driver::noise::signal::{Readings, Signal};

/// From this many columns on, every signal is also said in words.
const ROOM_FOR_SUMMARIES: u16 = 104;

/// Another program, and how many cores it used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Busy {
    pub name: String,
    pub cores: f64,
}

/// What watching the idle machine showed.
#[derive(Debug, Clone)]
pub struct Score {
    watched_ns: u64,
    cpus: u32,
    signals: Vec<(Signal, Result<Spread, String>)>,
    busiest: Vec<Busy>,
}

impl Score {
    /// From what was seen, what cannot be seen, and the busiest programs.
    pub fn of(
        idle: &Idle,
        cpus: u32,
        unavailable: &BTreeMap<&'static str, String>,
        busiest: Vec<Busy>,
    ) -> Score {
        let one = |signal: Signal| {
            let reason = unavailable.get(signal.name()).cloned();
            let reason = || reason.unwrap_or_else(|| "nothing was seen".to_owned());
            (signal, idle.spread(signal).ok_or_else(reason))
        };
        let signals = Signal::ALL.into_iter().map(one).collect();
        Score { watched_ns: idle.wall_ns, cpus, signals, busiest }
    }

    /// The signals that could be watched. Each is judged by its 95 % quantile, as a run does.
    fn seen(&self) -> impl Iterator<Item = (Signal, Spread, Option<Level>)> + '_ {
        self.signals.iter().filter_map(|(signal, found)| {
            let spread = *found.as_ref().ok()?;
            Some((*signal, spread, signal.limits(self.cpus).level(spread.p95)))
        })
    }

    /// Of the worst signal; `None` is quiet.
    fn level(&self) -> Option<Level> {
        self.seen().filter_map(|(.., level)| level).max()
    }

    /// Signals that a run could not watch here, and the idle machine's own level.
    fn unwatched(&self) -> Vec<(Signal, f64)> {
        let p95 = self.seen().fold(Readings::default(), |readings, (signal, spread, _)| {
            readings.with(signal, Some(spread.p95))
        });
        Thresholds::new(self.cpus).raised_to(&p95, self.cpus).unwatched
    }

    pub fn json(&self) -> Value {
        let signals: Map<String, Value> = self
            .signals
            .iter()
            .map(|(signal, found)| {
                let limits = signal.limits(self.cpus);
                let value = match found {
                    Ok(Spread { median, p95, max }) => json!({
                        "median": median, "p95": p95, "max": max, "warn": limits.warn,
                        "disturbed": limits.disturbed, "verdict": word(limits.level(*p95)),
                    }),
                    Err(reason) => json!({"unavailable": reason}),
                };
                (signal.name().to_owned(), value)
            })
            .collect();
        json!({
            "watched_ns": self.watched_ns,
            "verdict": word(self.level()),
            "signals": signals,
            "busiest": self.busiest,
        })
    }

    pub fn text(&self, width: u16) -> String {
        let mut columns = Columns::labelled(width, 2);
        let mut row = |cells: [&str; 6], summary: &str| {
            let [name, median, p95, worst, warn, verdict] = cells;
            // Without room it would be a column of single words.
            if width < ROOM_FOR_SUMMARIES {
                columns.row(cells);
            } else {
                columns.row([name, median, p95, worst, warn, verdict, summary]);
            }
        };
        row(["", "median", "95 %", "worst", "warn above", "verdict"], "");
        for (signal, Spread { median, p95, max }, level) in self.seen() {
            let warn = signal.limits(self.cpus).warn;
            let [median, p95, max, warn] = [median, p95, max, warn].map(|v| human(signal, v));
            row([signal.name(), &median, &p95, &max, &warn, word(level)], signal.summary());
        }
        let mut notes = Columns::labelled(width, 2);
        for (signal, found) in &self.signals {
            if let Err(reason) = found {
                notes.row([signal.name(), &format!("unavailable: {reason}")]);
            }
        }
        for (signal, p95) in self.unwatched() {
            let level = signal.shown(p95, self.cpus);
            let note = format!("a run does not watch it: the idle machine itself is at {level}");
            notes.row([signal.name(), &note]);
        }
        format!(
            "Noise of the idle machine, watched for {:.0} s: {}\n{}{}",
            self.watched_ns as f64 / 1e9,
            word(self.level()),
            columns.text(),
            notes.text()
        )
    }

    /// What to change about the noise, a sentence per signal that is too high.
    pub fn advice(&self) -> Vec<String> {
        let bad = self.seen().filter(|(.., level)| level.is_some());
        bad.map(|(signal, ..)| format!("{}: {}", signal.name(), self.remedy(signal))).collect()
    }

    fn remedy(&self, signal: Signal) -> String {
        let remedy = match signal {
            Signal::ForeignCpu if self.busiest.is_empty() => {
                "stop other programs; those that were busy ended too soon to be named"
            }
            Signal::ForeignCpu => {
                let one = |b: &Busy| format!("{} ({:.0} % of a core)", b.name, b.cores * 100.0);
                let names: Vec<String> = self.busiest.iter().map(one).collect();
                return format!("stop other programs, the busiest first: {}", names.join(", "));
            }
            Signal::Steal => {
                "ask for dedicated cores, since other guests use this machine's; or measure at \
                 another hour"
            }
            Signal::Canary => {
                "find out why the same work sometimes takes longer: a frequency that follows load \
                 or heat, or a neighbour on the same core or cache"
            }
            Signal::VmPause => {
                "measure on another host: this machine stands still now and then (snapshots, \
                 migration, an overcommitted host)"
            }
            Signal::FrequencyDrop => "fix the frequency (governor `performance`, no turbo)",
            Signal::Throttle => "cool the machine: heat slows it down",
            Signal::MemPressure | Signal::SwapIn => "free some memory: programs wait for it",
            Signal::IoPressure => "stop what keeps the disks busy",
            Signal::QuotaThrottled => {
                "lift the CPU quota of the control group: it is spent even while nothing is \
                 measured"
            }
        };
        remedy.to_owned()
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
pub mod tests;
