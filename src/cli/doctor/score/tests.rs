//! A quiet machine and a noisy one.

use super::*;
use crate::driver::noise::signal::Limits;

fn score(p95: impl Fn(Signal) -> Option<f64>, busiest: Vec<Busy>) -> Score {
    let one = |signal: Signal| {
        let spread = |p95| Spread { median: signal.calm(), p95, max: p95 };
        let found = p95(signal).map(spread);
        (signal, found.ok_or_else(|| "/sys/…: not here".to_owned()))
    };
    let signals = Signal::ALL.into_iter().map(one).collect();
    Score { watched_ns: 10_049_000_000, cpus: 2, signals, busiest }
}

pub fn quiet() -> Score {
    let p95 = |signal| match signal {
        Signal::FrequencyDrop | Signal::Throttle => None,
        Signal::VmPause => Some(1e6),
        Signal::Canary => Some(1.01),
        _ => Some(0.0),
    };
    score(p95, Vec::new())
}

pub fn noisy() -> Score {
    let busy = |(name, cores): (&str, f64)| Busy { name: name.to_owned(), cores };
    let p95 = |signal: Signal| {
        let Limits { warn, disturbed } = signal.limits(2);
        Some(match signal {
            Signal::ForeignCpu => 0.56,
            Signal::SwapIn => 700.0,
            Signal::Throttle | Signal::QuotaThrottled => 7.0,
            Signal::Steal => f64::midpoint(warn, disturbed),
            _ => disturbed * 1.1,
        })
    };
    score(p95, [("rustc", 0.98), ("a browser", 0.12)].map(busy).into())
}

#[test]
fn level_is_that_of_the_worst_signal() {
    assert_eq!(quiet().level(), None);
    assert_eq!(noisy().level(), Some(Level::Disturbed));
}

#[test]
fn advice_names_every_signal_that_is_too_high() {
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
fn json_has_a_value_or_a_reason_for_every_signal() {
    let value = quiet().json();
    assert_eq!(value["verdict"], "quiet");
    for signal in Signal::ALL {
        let found = &value["signals"][signal.name()];
        let available = found["p95"].is_number() && found["verdict"] == "quiet";
        assert!(available || found["unavailable"].is_string(), "{found}");
    }
}
