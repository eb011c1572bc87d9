//! Laws that every measurement obeys. A row that breaks one is wrong, by a defect of forkbench, of a
//! subject or of an editor, and counts for nothing. Pure.
//!
//! The driver checks a trial's rows before they are written, and the reader those of a file.

use std::collections::BTreeSet;

use super::words::words;
use super::{
    Environment, KEPT, MemoryRow, ProcessRole, RequestRow, Status, TrialRow, Validity, environment,
};
use crate::experiment::DEADLINE_MS;

/// Begins the flag of a broken law in the column `flags`.
const FLAG: &str = "law:";

/// CPU time is counted from before READY is written until the last process is reaped; its span
/// begins when READY arrives. The counters of the kernel may be a tick ahead.
const CPU_SLACK_NS: f64 = 20e6;
/// Workers report what they used when each of them was ready, which may be a little before READY.
const CPU_SLACK_RATIO: f64 = 1.05;

/// Of a long window, quantiles come from a histogram of three significant digits; the maximum does
/// not.
const HISTOGRAM_RATIO: f64 = 1.002;

/// Requests under way may differ from the number of callers by this share: a window is short.
const LITTLE_CLOSED: f64 = 1.0 / 3.0;
/// From this many rounds of callers on.
const LITTLE_ROUNDS: f64 = 2.0;
/// In open loops both sides are counted from the same books.
const LITTLE_OPEN: f64 = 0.02;

/// The kernel rounds its reports down to whole KiB.
const MEMORY_SLACK_BYTES: u64 = 1 << 10;

words! {
    /// A law.
    pub enum Law {
        /// CPU time ≤ cores × time
        Cpu = "cpu",
        /// requests in flight = rate × mean response
        Little = "little",
        /// quantiles ascend
        Quantiles = "quantiles",
        /// response ≥ service ≥ work
        Nesting = "nesting",
        /// the stamps of a request ascend
        Stamps = "stamps",
        /// phases add up to the response
        Phases = "phases",
        /// nothing lasts longer than window and deadline
        Duration = "duration",
        /// USS ≤ PSS ≤ RSS
        Memory = "memory",
        /// a tree's PSS ≥ its largest process's USS
        Tree = "tree",
    }
}

/// Whether a trial's own figures break a law.
type Breaks = fn(&TrialRow, &Bounds) -> bool;

/// The laws about a trial's own figures.
const OF_TRIALS: [(Law, Breaks); 6] = [
    (Law::Cpu, exceeds_cores),
    (Law::Little, |row, _| breaks_little(row)),
    (Law::Quantiles, |row, _| !quantiles_ascend(row)),
    (Law::Nesting, |row, _| !times_nest(row)),
    (Law::Phases, |row, _| exceeds_round_trip(row)),
    (Law::Duration, lasts_too_long),
];

/// The laws that the flags of a row name.
pub fn named_in(flags: &str) -> impl Iterator<Item = Law> {
    let names = flags.split(';').filter_map(|flag| flag.trim().strip_prefix(FLAG));
    names.filter_map(|name| Law::ALL.iter().copied().find(|law| law.name() == name))
}

/// The limits of a run that are not in its rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Cores that the run may use, if known.
    pub cores: Option<f64>,
    /// Per-request deadline of rows that name none.
    pub deadline_ns: u64,
}

impl Bounds {
    /// Those of this process.
    pub fn here() -> Bounds {
        Bounds::with(environment::cpus_available().ok().map(f64::from))
    }

    /// Those of a run on this machine.
    pub fn of(environment: &Environment) -> Bounds {
        let cores = environment.facts.get("cpus_available").and_then(serde_json::Value::as_f64);
        Bounds::with(cores)
    }

    fn with(cores: Option<f64>) -> Bounds {
        Bounds { cores, deadline_ns: DEADLINE_MS * 1_000_000 }
    }
}

/// Flags the row with every law that it, its requests or its processes' memory breaks, and makes it
/// invalid then. A trial that is not ok counts for nothing anyway.
pub fn hold(row: &mut TrialRow, requests: &[RequestRow], memory: &[&MemoryRow], bounds: &Bounds) {
    if row.status != Status::Ok {
        return;
    }
    let mut broken = by_trial(row, bounds);
    broken.extend(requests.iter().filter_map(by_request));
    broken.extend(by_memory(memory));
    let known: BTreeSet<Law> = named_in(&row.flags).collect();
    for law in broken.difference(&known) {
        for (text, word) in [
            (&mut row.flags, format!("{FLAG}{}", law.name())),
            (&mut row.reason, format!("breaks a law: {}", law.meaning())),
        ] {
            let separator = if text.is_empty() { "" } else { ";" };
            *text = format!("{text}{separator}{word}");
        }
    }
    if !broken.is_empty() || !known.is_empty() {
        row.validity = Validity::Invalid;
    }
}

/// The laws that a trial's own figures break.
pub fn by_trial(row: &TrialRow, bounds: &Bounds) -> BTreeSet<Law> {
    let broken = OF_TRIALS.into_iter().filter(|(_, breaks)| breaks(row, bounds));
    broken.map(|(law, _)| law).collect()
}

fn exceeds_cores(row: &TrialRow, bounds: &Bounds) -> bool {
    let tree_ns = || row.cpu_user_ns?.checked_add(row.cpu_system_ns?);
    // Each with the time in which it was used.
    let used = [(tree_ns(), row.alive_ns), (row.window_cpu_ns, row.window_ns)];
    let Some(cores) = bounds.cores else {
        return false;
    };
    used.into_iter().filter_map(|(cpu_ns, span_ns)| cpu_ns.zip(span_ns)).any(|(cpu_ns, span_ns)| {
        cpu_ns as f64 > cores * (span_ns as f64 * CPU_SLACK_RATIO + CPU_SLACK_NS)
    })
}

fn breaks_little(row: &TrialRow) -> bool {
    if let Some(ratio) = row.littles_law_ratio {
        return (ratio - 1.0).abs() > LITTLE_OPEN;
    }
    let known = || Some((row.callers?, row.throughput_per_s?, row.response_mean_ns?));
    let (Some((callers, rate, mean_ns)), Some(window_ns)) = (known(), row.window_ns) else {
        return false;
    };
    let callers = f64::from(callers);
    // Failed requests, those that hang among them, keep callers busy and are in neither figure.
    let failed = row.n_not_ok() + row.n_not_ok_outside.unwrap_or(0);
    if failed > 0 || (row.n_ok as f64) < LITTLE_ROUNDS * callers {
        return false;
    }
    let in_flight = rate * mean_ns as f64 / 1e9;
    // A request that began before the window counts in it whole: each caller has at most one.
    let edge = row.response_max_ns.unwrap_or(0) as f64 / window_ns.max(1) as f64;
    (in_flight / callers - 1.0).abs() > LITTLE_CLOSED.max(edge)
}

/// A duration of a row.
type Time = fn(&TrialRow) -> Option<u64>;

/// The durations that ascend, in order.
const QUANTILES: [&[Time]; 8] = [
    &[|r| r.response_p50_ns, |r| r.response_p90_ns, |r| r.response_p99_ns, |r| r.response_max_ns],
    &[|r| r.response_mean_ns, |r| r.response_max_ns],
    &[|r| r.service_p50_ns, |r| r.service_p90_ns, |r| r.service_p99_ns],
    &[|r| r.acknowledged_p50_ns, |r| r.acknowledged_p90_ns],
    &[|r| r.lateness_p50_ns, |r| r.lateness_p99_ns, |r| r.lateness_max_ns],
    &[|r| r.probe_p50_ns, |r| r.probe_p95_ns, |r| r.probe_p99_ns, |r| r.probe_max_ns],
    &[
        |r| r.probe_unloaded_p50_ns,
        |r| r.probe_unloaded_p95_ns,
        |r| r.probe_unloaded_p99_ns,
        |r| r.probe_unloaded_max_ns,
    ],
    &[|r| r.event_loop_delay_p50_ns, |r| r.event_loop_delay_p99_ns, |r| r.event_loop_delay_max_ns],
];

fn quantiles_ascend(row: &TrialRow) -> bool {
    QUANTILES.iter().all(|of| {
        let known: Vec<f64> = of.iter().filter_map(|get| get(row)).map(|ns| ns as f64).collect();
        known.windows(2).all(|pair| pair[0] <= pair[1] * HISTOGRAM_RATIO)
    })
}

fn times_nest(row: &TrialRow) -> bool {
    let holds = |longer: Option<u64>, shorter: Option<u64>| match (longer, shorter) {
        (Some(longer), Some(shorter)) => shorter as f64 <= longer as f64 * HISTOGRAM_RATIO,
        _ => true,
    };
    // Of a long window, phases are of a sample and service times of all requests.
    let work_p50_ns = row.work_p50_ns.filter(|_| row.n_ok <= KEPT as u64);
    holds(row.response_p50_ns, row.service_p50_ns)
        && holds(row.response_p90_ns, row.service_p90_ns)
        && holds(row.response_p99_ns, row.service_p99_ns)
        && holds(row.service_p50_ns, work_p50_ns)
}

/// No request travels longer than an idle round trip; the rest is waiting.
fn exceeds_round_trip(row: &TrialRow) -> bool {
    let idle = row.idle_outbound_ns.zip(row.idle_inbound_ns);
    let idle_ns = idle.map(|(outbound, inbound)| outbound.saturating_add(inbound));
    row.transport_p50_ns.zip(idle_ns).is_some_and(|(transport, idle)| transport > idle)
}

fn lasts_too_long(row: &TrialRow, bounds: &Bounds) -> bool {
    let deadline_ns = row.deadline_ns.unwrap_or(bounds.deadline_ns);
    let limit_ns = row.window_ns.unwrap_or(0).saturating_add(deadline_ns);
    [
        row.first_response_ns,
        row.response_max_ns,
        row.response_mean_ns,
        row.service_p99_ns,
        row.queue_p50_ns,
        row.creation_p50_ns,
        row.load_p50_ns,
        row.work_p50_ns,
        row.return_p50_ns,
        row.delivery_p50_ns,
        row.reap_p50_ns,
        row.lateness_max_ns,
        row.probe_max_ns,
    ]
    .into_iter()
    .flatten()
    .any(|ns| ns > limit_ns)
}

/// The first law that a request breaks.
pub fn by_request(row: &RequestRow) -> Option<Law> {
    if stamps(row).is_some() {
        return Some(Law::Stamps);
    }
    if !phases_add_up(row) {
        return Some(Law::Phases);
    }
    let work_ns = row.work_start_ns.zip(row.work_end_ns).map(|(start, end)| end - start);
    let service_ns = row.service_ns();
    let is_nested = service_ns.is_none_or(|service| {
        service <= row.response_ns() && work_ns.is_none_or(|work| work <= service)
    });
    (!is_nested).then_some(Law::Nesting)
}

/// Whether the phases of a request, lateness included, add up to its response without remainder. The
/// stamps ascend, so they do if the two halves of the transport fit between their stamps.
fn phases_add_up(row: &RequestRow) -> bool {
    let (Some(out_ns), Some(in_ns)) = (row.transport_out_ns, row.transport_in_ns) else {
        return true;
    };
    let outbound = row.accepted_ns.is_some_and(|accepted| out_ns <= accepted - row.sent_ns);
    outbound && row.replied_ns.is_some_and(|replied| in_ns <= row.done_ns - replied)
}

/// Which of a request's stamps is before an earlier one, in a sentence; `None` if none is.
///
/// All processes read one clock, `CLOCK_MONOTONIC`, which never goes back, on any core; Node.js and
/// Python read it in whole nanoseconds too. So there is no tolerance.
pub fn stamps(row: &RequestRow) -> Option<String> {
    order_of(&[
        ("intended_ns", Some(row.intended_ns)),
        ("sent_ns", Some(row.sent_ns)),
        ("accepted_ns", row.accepted_ns),
        ("dispatched_ns", row.dispatched_ns),
        ("child_start_ns", row.child_start_ns),
        ("work_start_ns", row.work_start_ns),
        ("work_end_ns", row.work_end_ns),
        ("replied_ns", row.replied_ns),
        ("done_ns", Some(row.done_ns)),
    ])
}

/// Which of these stamps, in the order in which they must come, is before an earlier one:
/// "impossibly: accepted_ns (30) is 12 ns before sent_ns (42)".
pub fn order_of(stamps: &[(&str, Option<u64>)]) -> Option<String> {
    let mut before = ("", 0);
    for &(later, later_ns) in stamps {
        let Some(later_ns) = later_ns else { continue };
        let (earlier, earlier_ns) = before;
        if later_ns < earlier_ns {
            let by_ns = earlier_ns - later_ns;
            return Some(format!(
                "impossibly: {later} ({later_ns}) is {by_ns} ns before {earlier} ({earlier_ns})"
            ));
        }
        before = (later, later_ns);
    }
    None
}

/// The laws that the memory of a trial's processes breaks.
pub fn by_memory(rows: &[&MemoryRow]) -> BTreeSet<Law> {
    let mut broken = BTreeSet::new();
    for row in rows {
        let holds = |less: Option<u64>, more: Option<u64>| {
            less.zip(more)
                .is_none_or(|(less, more)| less <= more.saturating_add(MEMORY_SLACK_BYTES))
        };
        if !is_tree(row) {
            // The sums of a tree may be of several looks.
            if !holds(row.uss_bytes, row.pss_bytes) || !holds(row.pss_bytes, row.rss_bytes) {
                broken.insert(Law::Memory);
            }
            continue;
        }
        let of_look = rows.iter().filter(|r| r.snapshot == row.snapshot && !is_tree(r));
        let largest = of_look.filter_map(|r| r.uss_bytes).max();
        if !holds(largest, row.pss_bytes) {
            broken.insert(Law::Tree);
        }
    }
    broken
}

fn is_tree(row: &MemoryRow) -> bool {
    row.role == ProcessRole::Tree
}

#[cfg(test)]
mod tests;
