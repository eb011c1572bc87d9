//! `load = { … }`: how requests are offered, in exactly one regime.

use serde::Deserialize;
use toml::Spanned;

use super::Read;
use super::factor::{Count, Factor, Number, Scalar};
use super::read::Reader;
use crate::experiment::{Arrivals, Load, Open, Probe, Rate, WindowLength};
use crate::workload::options::Values;

const FORM: &str = "load = { closed = { callers = [1, \"2x\"] } }, \
                    load = { open = { rate = 0.5, of = \"blocking-capacity\" } } or \
                    load = { memory = { children = [0, 1, 10] } }";
const CALLERS: Values = Values::Cores { min: 1, max: 4096 };

/// As many as a pool may have workers.
const CHILDREN_MAX: u64 = 4096;

/// What a share can be of.
const CAPACITY: &str = "blocking-capacity";

/// Twenty times what one core can do: beyond that a point says nothing but "saturated".
const SHARE_MAX: f64 = 20.0;

/// More than the generator can send at its times.
const RATE_MAX_PER_S: f64 = 50_000.0;

/// Points of one curve, more than any chart shows.
const POINTS_MAX: usize = 500;

/// Halving an interval twenty times leaves a millionth of it.
const SEARCH_STEPS_MAX: u32 = 20;

/// One field per regime.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table such as { closed = { callers = 1 } }")]
pub struct WireLoad {
    closed: Option<WireClosed>,
    open: Option<Spanned<WireOpen>>,
    memory: Option<Spanned<WireMemory>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table such as { children = [0, 1, 10] }")]
struct WireMemory {
    children: Factor<Count>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table such as { callers = 1 }")]
struct WireClosed {
    callers: Factor<Scalar>,
}

#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { rate = 0.5, of = \"blocking-capacity\" }"
)]
struct WireOpen {
    rate: Option<Factor<Number>>,
    of: Option<Spanned<String>>,
    rate_per_s: Option<Factor<Number>>,
    arrivals: Option<Factor<String>>,
    probe: Option<Factor<String>>,
    search: Option<Spanned<Count>>,
    window: Option<Spanned<String>>,
}

/// The loads of a family.
pub fn loads(reader: &Reader<'_>, wire: &Spanned<WireLoad>) -> Read<Vec<Load>> {
    let WireLoad { closed, open, memory } = wire.get_ref();
    match (closed, open, memory) {
        (Some(closed), None, None) => {
            let callers = reader.values(&closed.callers, "callers", &CALLERS)?;
            let callers = callers.iter().filter_map(|v| v.resolved.parse().ok());
            Ok(callers.map(|callers| Load::Closed { callers }).collect())
        }
        (None, Some(open), None) => open_loads(reader, open),
        (None, None, Some(memory)) => {
            let children = &memory.get_ref().children;
            let children = reader.counts(children, "children", CHILDREN_MAX)?;
            let children = children.into_iter().map(|n| n as u32);
            Ok(children.map(|children| Load::Memory { children }).collect())
        }
        (None, None, None) => {
            Err(reader.error(wire.span(), format!("no load is given; expected {FORM}")))
        }
        // Two of them are given, so that one is open or memory.
        (_, open, memory) => {
            let memory = memory.as_ref().map(|memory| ("memory", memory.span()));
            let open = || open.as_ref().map(|open| ("open", open.span()));
            let (name, span) = memory.or_else(open).unwrap_or(("closed", wire.span()));
            let message = format!("a family has one regime; give `{name}` a [[family]] of its own");
            Err(reader.error(span, message))
        }
    }
}

fn open_loads(reader: &Reader<'_>, wire: &Spanned<WireOpen>) -> Read<Vec<Load>> {
    let rates = rates(reader, wire)?;
    let open = wire.get_ref();
    let arrivals = reader.words(open.arrivals.as_ref(), "arrivals", Arrivals::Poisson)?;
    let probes: Vec<Option<Probe>> = match &open.probe {
        None => vec![None],
        probes => {
            let probes = reader.words(probes.as_ref(), "probe", Probe::MainLoop)?;
            probes.into_iter().map(Some).collect()
        }
    };
    let search_steps = search_steps(reader, open.search.as_ref())?;
    let window = match &open.window {
        None => WindowLength::AsNeeded,
        Some(name) => {
            reader.name(name, "window", &[WindowLength::Shortest.name()])?;
            WindowLength::Shortest
        }
    };
    let count = rates.len().saturating_mul(arrivals.len() * probes.len());
    if count > POINTS_MAX {
        let message = format!("the lists multiply to {count} loads; expected at most {POINTS_MAX}");
        return Err(reader.error(wire.span(), message));
    }
    let mut loads = Vec::new();
    for rate in rates {
        for &arrivals in &arrivals {
            loads.extend(probes.iter().map(|&probe| {
                Load::Open(Open { rate, arrivals, probe, window, search_steps, slo: None })
            }));
        }
    }
    Ok(loads)
}

fn search_steps(reader: &Reader<'_>, steps: Option<&Spanned<Count>>) -> Read<u32> {
    let Some(steps) = steps else { return Ok(0) };
    let within = u32::try_from(steps.get_ref().0).ok();
    within.filter(|&n| n <= SEARCH_STEPS_MAX).ok_or_else(|| {
        let found = steps.get_ref().0;
        let message = format!("`search` is `{found}`; expected at most {SEARCH_STEPS_MAX} trials");
        reader.error(steps.span(), message)
    })
}

fn rates(reader: &Reader<'_>, wire: &Spanned<WireOpen>) -> Read<Vec<Rate>> {
    let open = wire.get_ref();
    let (span, message) = match (&open.rate, &open.of, &open.rate_per_s) {
        (Some(shares), Some(of), None) => {
            reader.name(of, "whole", &[CAPACITY])?;
            let shares = reader.numbers(shares, "rate", SHARE_MAX)?;
            let rate = |share| Rate::OfBlocking { share, capacity_per_s: None };
            return Ok(shares.into_iter().map(rate).collect());
        }
        (None, None, Some(rates)) => {
            let rates = reader.numbers(rates, "rate_per_s", RATE_MAX_PER_S)?;
            return Ok(rates.into_iter().map(Rate::PerSecond).collect());
        }
        (Some(shares), None, None) => (
            shares.span.clone(),
            format!(
                "what is `rate` a share of? expected of = \"{CAPACITY}\" beside it, or \
                 `rate_per_s` instead"
            ),
        ),
        (_, _, Some(rates)) => (
            rates.span.clone(),
            "`rate_per_s` stands alone; leave `rate` and `of` out, or this".to_owned(),
        ),
        (None, _, None) => (
            wire.span(),
            format!(
                "no rate is given; expected rate = [0.2, 0.5], of = \"{CAPACITY}\", or \
                 rate_per_s = [100, 500]"
            ),
        ),
    };
    Err(reader.error(span, message))
}
