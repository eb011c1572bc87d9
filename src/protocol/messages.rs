//! The JSON bodies of CONFIGURE, READY and STATS.

use serde::{Deserialize, Serialize};

use crate::sys::usage::Usage;
use crate::workload::Spec;
use crate::workload::options::Options;

/// What a subject is to serve: everything that is untimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configure {
    /// What each request does.
    pub spec: Spec,
    /// Name of the strategy.
    pub strategy: String,
    /// The strategy's options, resolved.
    pub strategy_options: Options,
    /// Memory to touch in the process that creates children, in bytes.
    pub ballast_bytes: u64,
    /// From a request's acceptance to its `timeout`, in milliseconds.
    pub deadline_ms: u64,
    /// The program to start per request or worker; `None` is the subject's own. Tests put
    /// programs here that misbehave.
    pub child_program: Option<String>,
}

/// A subject (or worker) that has prepared all that it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ready {
    /// `rust`, `node`, `python`, …
    pub runtime: String,
    /// The runtime's versions, name to version.
    pub versions: std::collections::BTreeMap<String, String>,
    /// The process that says this.
    pub pid: u32,
    /// `CLOCK_MONOTONIC` when it said so, in nanoseconds: the driver checks that it is its own
    /// clock.
    pub now_ns: u64,
    /// Tasks per request.
    pub tasks: u32,
    /// The options in effect.
    pub strategy_options: Options,
    /// Whether a REAPED follows each answered request.
    pub reaps: bool,
    /// Resources used so far by the subject and all its children, living ones included.
    pub usage: Usage,
}

/// What a subject says last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FinalStats {
    /// Processes or threads that the strategy created since the subject started.
    pub children_started: u64,
    /// The most of them alive at one time.
    pub children_peak: u64,
    /// What the runtime itself says about its event loop, where it does.
    #[serde(default)]
    pub event_loop: Option<EventLoop>,
}

/// An event loop as its own runtime sees it, from READY to STOP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLoop {
    /// How late its timers were, in nanoseconds: the median of those that came.
    pub delay_p50_ns: u64,
    /// What 99 % of them did not exceed.
    pub delay_p99_ns: u64,
    /// The latest.
    pub delay_max_ns: u64,
    /// How long it ran anything, in nanoseconds.
    pub active_ns: u64,
    /// How long it waited for events.
    pub idle_ns: u64,
}
