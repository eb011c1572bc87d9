//! Figures, bounds and verdicts as people read them.

use super::judge::{Condition, Judged, Outcome, Verdict};
use super::measured::{Measured, Unit};
use super::{Bounds, FamilyOf, Figure, LoadOf, Selector};
use crate::report::human;
use crate::report::memory::MemoryRole;
use crate::workload::options;

/// Bytes of an `MB` as the notes and the tables of memory count it, and of the unit of a fact.
const MB_BYTES: f64 = 1e6;

/// A value in its unit: `37.6 ms`, `7.86 MB`, `1.12×`, `yes`.
pub(in crate::report) fn shown(value: f64, unit: &Unit, is_yes_no: bool) -> String {
    match unit {
        _ if is_yes_no && value == 1.0 => "yes".to_owned(),
        _ if is_yes_no && value == 0.0 => "no".to_owned(),
        Unit::Ns => human::duration(value),
        Unit::PerSecond => format!("{}/s", human::rate(value)),
        Unit::Bytes => format!("{} MB", human::megabytes(value)),
        Unit::Share => human::percent(value),
        Unit::Times => human::ratio(value),
        Unit::OfFact(unit) => match unit.as_str() {
            "ms" => human::duration(value * 1e6),
            "bytes" => format!("{} MB", human::megabytes(value)),
            "MB" => format!("{} MB", human::megabytes(value * MB_BYTES)),
            "" => count(value),
            unit => format!("{} {unit}", count(value)),
        },
    }
}

/// Of what is counted in ones, every digit.
fn count(value: f64) -> String {
    if value.fract() == 0.0 && (0.0..1e15).contains(&value) {
        human::count(value as u64)
    } else {
        human::number(value)
    }
}

/// `1.12× [1.10, 1.14×]` in its unit; without the interval where all of it is shown alike.
pub(super) fn with_interval(measured: &Measured, is_yes_no: bool) -> String {
    let of = |value| shown(value, &measured.unit, is_yes_no);
    let estimate = of(measured.estimate);
    match measured.interval {
        None => estimate,
        Some(interval) => {
            let (low, high) = (of(interval.low), of(interval.high));
            if low == estimate && high == estimate {
                return estimate;
            }
            format!("{estimate} [{low}, {high}]")
        }
    }
}

/// `at least 1.10×`, `20.0 MB to 30.0 MB`, `yes`.
pub(super) fn bounds(bounds: Bounds, unit: &Unit, is_yes_no: bool) -> String {
    let of = |value| shown(value, unit, is_yes_no);
    match (bounds.low, bounds.high) {
        (Some(low), Some(high)) if low == high => of(low),
        (Some(low), Some(high)) => format!("{} to {}", of(low), of(high)),
        (Some(low), None) => format!("at least {}", of(low)),
        (None, Some(high)) => format!("at most {}", of(high)),
        (None, None) => "anything".to_owned(),
    }
}

/// What a figure is: `response p50 · fork-ipc over spawn · noop 64 B, 1 caller · node`. Where its
/// two sides differ both are named.
pub(super) fn describe(figure: &Figure) -> String {
    let Some(over) = &figure.over else {
        return of(&figure.of);
    };
    let both = parts(&figure.of).into_iter().zip(parts(over));
    let told = both.map(|(of, over)| match of == over {
        true => of,
        false => format!("{of} over {over}"),
    });
    joined(told)
}

/// One side of it.
pub(super) fn of(selector: &Selector) -> String {
    joined(parts(selector).into_iter())
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    let there = parts.filter(|part| !part.is_empty());
    there.collect::<Vec<_>>().join(" · ")
}

/// What tells a number from others, as many parts as its kind has.
fn parts(selector: &Selector) -> Vec<String> {
    match selector {
        Selector::Arm(of) => {
            let set = options::render(&of.options).replace(';', " ");
            vec![
                metric(of.metric.name),
                format!("{} {set}", of.strategy).trim().to_owned(),
                family(&of.family),
                of.runtime.clone(),
            ]
        }
        Selector::Slope(of) => {
            let what = match of.children {
                1 => "memory of each further child".to_owned(),
                k => format!("memory of a further child, times {}", human::count(k.into())),
            };
            vec![what, of.strategy.clone(), of.runtime.clone()]
        }
        Selector::Memory(of) => {
            let whose = match of.of {
                MemoryRole::Tree => "server and children",
                MemoryRole::Parent => "the server",
                MemoryRole::Child => "a child",
                MemoryRole::Children => "all children",
            };
            let how = match of.quantity.name {
                "rss_bytes" => "RSS",
                "pss_bytes" => "PSS",
                "uss_bytes" => "USS",
                _ => "PSS and page tables",
            };
            vec![
                format!("{how} of {whose}"),
                human::children(of.children),
                of.strategy.clone(),
                of.runtime.clone(),
            ]
        }
        Selector::Fact(of) => {
            vec![fact(&of.fact), format!("{} {}", of.demonstration, of.case), of.runtime.clone()]
        }
    }
}

/// `main_rss_bytes` as `main RSS`: its unit stands with the number.
fn fact(name: &str) -> String {
    let name = name.strip_suffix("_ms").or_else(|| name.strip_suffix("_bytes")).unwrap_or(name);
    let words = name.split('_').map(|word| match word {
        "mb" => "MB",
        "pid" => "PID",
        "rss" => "RSS",
        word => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

fn metric(name: &str) -> String {
    match name {
        "throughput_per_s" => "throughput".to_owned(),
        "probe_over_100ms_ratio" => "share of probes over 100 ms".to_owned(),
        _ => name.trim_end_matches("_ns").replace('_', " "),
    }
}

/// `noop 64 B, 1 caller`, `primes m chunks 1x, 1 caller`, `random-sum l, 0.8 of capacity`.
fn family(of: &FamilyOf) -> String {
    let mut parts = vec![of.workload.clone()];
    parts.extend(of.size.clone());
    parts.extend(of.payload_bytes.map(human::bytes));
    let options = of.options.iter();
    parts.extend(options.map(|(name, value)| format!("{} {value}", name.replace('_', " "))));
    let load = match &of.load {
        LoadOf::Callers(callers) if callers == "1" => "1 caller".to_owned(),
        LoadOf::Callers(callers) => match callers.strip_suffix('x') {
            Some(times) => format!("{times} callers per core"),
            None => format!("{callers} callers"),
        },
        LoadOf::Open { share, .. } => format!("open loop at {share} of the blocking capacity"),
    };
    format!("{}, {load}", parts.join(" "))
}

/// What decided, or why nothing is decided.
pub(super) fn said(verdict: Verdict, conditions: &[Condition<'_>]) -> String {
    // Of a claim with conditions a reader has to see what became of each.
    let is_open = match verdict {
        Verdict::NotDecided => conditions.len() == 1,
        verdict => verdict == Verdict::NotYetMeasured,
    };
    if is_open {
        let first = conditions.first();
        return first.map_or_else(String::new, |first| reasons(first));
    }
    let mut told = Vec::new();
    for (outcome, word) in [(Outcome::Confirmed, "confirmed"), (Outcome::Refuted, "refuted")] {
        let own = conditions.iter().filter(|condition| condition.outcome == outcome);
        let own: Vec<String> = own.map(figures).collect();
        if own.is_empty() {
            continue;
        }
        told.push(match verdict {
            Verdict::Depends | Verdict::NotDecided => format!("{word}: {}", own.join("; ")),
            _ => own.join("; "),
        });
    }
    let open = conditions
        .iter()
        .filter(|condition| matches!(condition.outcome, Outcome::Undecided | Outcome::Missing));
    told.extend(open.map(|open| format!("not decided for {}: {}", open.on, reasons(open))));
    told.join(". ")
}

/// `on Linux: response p50 · …: 1.12× [1.10×, 1.14×]`. Of a condition that is refuted, what does.
fn figures(condition: &Condition<'_>) -> String {
    let deciding = condition
        .tests
        .iter()
        .filter(|test| test.outcome == condition.outcome)
        .map(|test| format!("{}: {}", test.describes, test.shown));
    let deciding = deciding.collect::<Vec<_>>().join(", ");
    match condition.on {
        "" => deciding,
        on => format!("{on} ({deciding})"),
    }
}

/// `response p50 · …: 1.02× [0.9×, 1.2×], but its interval decides nothing: …`, or why there is
/// no figure.
fn reasons(condition: &Condition<'_>) -> String {
    let mut told: Vec<String> = Vec::new();
    for test in condition.tests.iter().filter(|test| !test.reason.is_empty()) {
        let reason = match test.outcome {
            Outcome::Undecided => {
                format!("{}: {}, but {}", test.describes, test.shown, test.reason)
            }
            _ => test.reason.clone(),
        };
        if !told.contains(&reason) {
            told.push(reason);
        }
    }
    told.join("; ")
}

/// A verdict as the text of a chip: `confirmed`, `refuted (indication)`.
pub(in crate::report) fn chip(judged: &Judged) -> String {
    let word = word(judged.verdict);
    match judged.is_indication {
        true => format!("{word} (indication)"),
        false => word.to_owned(),
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "confirmed",
        Verdict::Refuted => "refuted",
        Verdict::Depends => "depends",
        Verdict::NotDecided => "not decided",
        Verdict::NotAMatterOfMeasurement => "not a matter of measurement",
        Verdict::NotYetMeasured => "not yet measured",
    }
}

/// How many claims have which verdict, a sentence.
pub(in crate::report) fn tally(document: &str, judged: &[Judged]) -> String {
    let counts = Verdict::ALL.into_iter().filter_map(|verdict| {
        let n = judged.iter().filter(|judged| judged.verdict == verdict).count();
        let word = match verdict {
            Verdict::Depends => "depend on something",
            verdict => word(verdict),
        };
        (n > 0).then(|| format!("{n} {word}"))
    });
    let counts: Vec<String> = counts.collect();
    let indications = judged.iter().filter(|judged| judged.is_indication).count();
    let weight = match indications {
        0 => "",
        n if n == judged.iter().filter(|judged| judged.is_decided()).count() => {
            "; from fewer than 10 blocks, so that all of these are indications and no verdicts"
        }
        _ => "; some are indications, from fewer than 10 blocks",
    };
    format!(
        "Of {} of «{document}»: {}{weight}.",
        human::plural(judged.len() as u64, "claim"),
        counts.join(", ")
    )
}

impl Selector {
    /// The runtime that it is of.
    pub(super) fn runtime(&self) -> &str {
        match self {
            Selector::Arm(of) => &of.runtime,
            Selector::Slope(of) => &of.runtime,
            Selector::Memory(of) => &of.runtime,
            Selector::Fact(of) => &of.runtime,
        }
    }
}
