//! Figures, bounds and verdicts as people read them.

use super::claims::{Bounds, Claims, Family, Figure, Selector};
use super::judge::{Condition, Judged, Outcome, Verdict};
use super::measure::Measured;
use crate::report::format;
use crate::workload::options;

/// Bytes of an MB, as the notes and the tables of memory count it.
const MB_BYTES: f64 = 1e6;

impl Measured {
    /// A value in the figure's unit: `37.6 ms`, `7.86 MB`, `1.12×`, `yes`.
    pub fn shown(&self, value: f64) -> String {
        match self.unit.as_str() {
            _ if self.is_yes_no && value == 1.0 => "yes".to_owned(),
            _ if self.is_yes_no && value == 0.0 => "no".to_owned(),
            "ns" => format::duration(value),
            "ms" => format::duration(value * 1e6),
            "1/s" => format!("{}/s", format::rate(value)),
            "bytes" => format!("{} MB", format::megabytes(value)),
            "MB" => format!("{} MB", format::megabytes(value * MB_BYTES)),
            "1" if self.source.pairing.is_some() => format::ratio(value),
            "1" => format::percent(value),
            "" => count(value),
            unit => format!("{} {unit}", count(value)),
        }
    }
}

/// A number of things, with every digit.
fn count(value: f64) -> String {
    if value.fract() == 0.0 && (0.0..1e15).contains(&value) {
        format::count(value as u64)
    } else {
        format::number(value)
    }
}

/// `1.12× [1.10×, 1.14×]`; without the interval where all of it is shown alike.
pub fn with_interval(measured: &Measured) -> String {
    let estimate = measured.shown(measured.estimate);
    let ends = measured.interval.map(|interval| [interval.low, interval.high]);
    match ends.map(|ends| ends.map(|end| measured.shown(end))) {
        Some([low, high]) if low != estimate || high != estimate => {
            format!("{estimate} [{low}, {high}]")
        }
        _ => estimate,
    }
}

/// `at least 1.10×`, `20.0 MB to 30.0 MB`, `yes`; `from` stands before two bounds.
pub fn bounds(bounds: Bounds, shown: impl Fn(f64) -> String, from: &str) -> String {
    match (bounds.low, bounds.high) {
        (Some(low), Some(high)) if low == high => shown(low),
        (Some(low), Some(high)) => format!("{from}{} to {}", shown(low), shown(high)),
        (Some(low), None) => format!("at least {}", shown(low)),
        (None, Some(high)) => format!("at most {}", shown(high)),
        (None, None) => "any".to_owned(),
    }
}

/// A figure in words: `response p50 · fork-ipc over spawn · noop 64 B, 1 caller · node`. Where its
/// two sides differ both are named.
pub fn describe(figure: &Figure, claims: &Claims) -> String {
    let Some(over) = &figure.over else {
        return of(&figure.of, claims);
    };
    let both = parts(&figure.of, claims).into_iter().zip(parts(over, claims));
    joined(both.map(|(of, over)| if of == over { of } else { format!("{of} over {over}") }))
}

/// One side of a figure in words.
pub fn of(selector: &Selector, claims: &Claims) -> String {
    joined(parts(selector, claims).into_iter())
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// What tells a number from others; as many parts in every figure of a kind.
fn parts(selector: &Selector, claims: &Claims) -> Vec<String> {
    match selector {
        Selector::Arm(of) => {
            let set = options::render(&of.options).replace(';', " ");
            vec![
                metric(&of.metric),
                format!("{} {set}", of.strategy).trim().to_owned(),
                family(claims.families[&of.family].get_ref()),
                of.runtime.clone(),
            ]
        }
        Selector::Slope(of) => {
            let what = match of.children {
                None => "memory of each further child".to_owned(),
                Some(k) => format!("memory of a further child, times {}", format::count(k.into())),
            };
            vec![what, of.strategy.clone(), of.runtime.clone()]
        }
        Selector::Memory(of) => {
            let whose = match of.of.as_str() {
                "tree" => "server and children",
                "parent" => "the server",
                "child" => "a child",
                _ => "all children",
            };
            let how = match of.memory.as_str() {
                "rss_bytes" => "RSS",
                "pss_bytes" => "PSS",
                "uss_bytes" => "USS",
                _ => "PSS and page tables",
            };
            vec![
                format!("{how} of {whose}"),
                format::children(of.children),
                of.strategy.clone(),
                of.runtime.clone(),
            ]
        }
        Selector::Fact(of) => {
            vec![fact(&of.fact), format!("{} {}", of.demonstration, of.case), of.runtime.clone()]
        }
    }
}

/// `main_rss_bytes` as `main RSS`: the number carries its unit.
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
fn family(of: &Family) -> String {
    let mut parts = vec![of.workload.clone()];
    parts.extend(of.size.clone());
    parts.extend(of.payload_bytes.map(format::bytes));
    let options = of.options.iter();
    parts.extend(options.map(|(name, value)| format!("{} {value}", name.replace('_', " "))));
    let load = match (of.share, of.callers.as_deref().unwrap_or_default()) {
        (Some(share), _) => format!("open loop at {share} of the blocking capacity"),
        (None, "1") => "1 caller".to_owned(),
        (None, callers) => match callers.strip_suffix('x') {
            Some(times) => format!("{times} callers per core"),
            None => format!("{callers} callers"),
        },
    };
    format!("{}, {load}", parts.join(" "))
}

/// The figures that decided, or why nothing is decided: of each condition where there are several.
pub fn said(conditions: &[Condition<'_>]) -> String {
    let told = conditions.iter().map(|condition| match (condition.outcome(), condition.on) {
        (Outcome::Confirmed | Outcome::Refuted, "") => figures(condition),
        (Outcome::Undecided | Outcome::Missing, "") => reasons(condition),
        (Outcome::Confirmed, on) => format!("confirmed for {on}: {}", figures(condition)),
        (Outcome::Refuted, on) => format!("refuted for {on}: {}", figures(condition)),
        (_, on) => format!("not decided for {on}: {}", reasons(condition)),
    });
    told.collect::<Vec<_>>().join(". ")
}

/// `response p50 · …: 1.12× [1.10×, 1.14×]`. Of a refuted condition, only the tests that refute it.
fn figures(condition: &Condition<'_>) -> String {
    let outcome = condition.outcome();
    let deciding = condition.tests.iter().filter(|test| test.outcome == outcome);
    let figures = deciding.map(|test| format!("{}: {}", test.describes, test.shown));
    figures.collect::<Vec<_>>().join(", ")
}

/// `response p50 · …: 1.02× [0.9×, 1.2×], but its interval decides nothing: …`, or why the figure
/// is missing.
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

/// A verdict for a table: `confirmed`, `refuted (indication)`.
pub fn verdict(judged: &Judged) -> String {
    let word = judged.verdict.name().replace('_', " ");
    match judged.is_indication {
        true => format!("{word} (indication)"),
        false => word,
    }
}

/// How many claims have which verdict, a sentence.
pub fn tally(document: &str, judged: &[Judged]) -> String {
    let n_of = |is: &dyn Fn(&Judged) -> bool| judged.iter().filter(|one| is(one)).count();
    let counts = Verdict::ALL.into_iter().filter_map(|verdict| {
        let n = n_of(&|one| one.verdict == verdict);
        let word = match (verdict, n) {
            (Verdict::Depends, 1) => "depends on conditions".to_owned(),
            (Verdict::Depends, _) => "depend on conditions".to_owned(),
            _ => verdict.name().replace('_', " "),
        };
        (n > 0).then(|| format!("{n} {word}"))
    });
    let counts: Vec<String> = counts.collect();
    let n_decided = n_of(&|one| one.verdict.is_decided());
    let weight = match n_of(&|one| one.is_indication) {
        0 => String::new(),
        n if n == n_decided => {
            " Every verdict here is an indication: it rests on fewer than 10 blocks.".to_owned()
        }
        1 => " 1 verdict is an indication: it rests on fewer than 10 blocks.".to_owned(),
        n => format!(" {n} verdicts are indications: they rest on fewer than 10 blocks."),
    };
    let claims = format::plural(judged.len() as u64, "claim");
    match counts.is_empty() {
        true => format!("{claims} of «{document}»."),
        false => format!("{claims} of «{document}»: {}.{weight}", counts.join(", ")),
    }
}
