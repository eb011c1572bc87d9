//! What is recorded before the first trial: the run and the machine.

use std::io;

use super::Order;
use crate::driver::noise::Monitor;
use crate::driver::private;
use crate::driver::target::subject_environment;
use crate::experiment::Preset;
use crate::record::{self, Manifest, SCHEMA_VERSION, Windows};

/// How long the idle machine is watched: a shorter time may miss a speed that the machine also has.
const IDLE_NS: std::ops::RangeInclusive<u64> = 3_000_000_000..=10_000_000_000;

/// Watches the machine from now on: first while nothing of ours runs, for as long as ten windows,
/// within [`IDLE_NS`]. A run of a single block, which compares nothing, takes no time for it.
pub fn monitor(preset: &Preset) -> io::Result<Monitor> {
    let mut monitor = Monitor::start()?;
    if preset.blocks > 1 {
        let ten_windows_ns = preset.min_window_ns.saturating_mul(10);
        let idle_ns = ten_windows_ns.clamp(*IDLE_NS.start(), *IDLE_NS.end());
        let idle = monitor.watch_idle(idle_ns, |_| ());
        monitor.adapt_to(&idle);
    }
    Ok(monitor)
}

pub fn manifest(order: &Order<'_>) -> Manifest {
    let experiment = order.experiment;
    let run_id = match order.out.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => record::run_id(&experiment.name),
    };
    Manifest {
        schema_version: SCHEMA_VERSION,
        run_id,
        forkbench_version: env!("CARGO_PKG_VERSION").to_owned(),
        git_revision: record::environment::GIT_REVISION.to_owned(),
        arguments: order.arguments.to_vec(),
        experiment: experiment.name.clone(),
        question: experiment.question.clone(),
        reference: experiment.reference.clone(),
        preset: order.preset.name.to_owned(),
        blocks: order.preset.blocks,
        budget_ns: order.preset.budget_ns,
        seed: order.seed,
        started_utc: record::utc_now(),
        memory_budget_bytes: order.memory_budget_bytes,
        claims: experiment.claims.clone(),
        delta_ratio: order.delta_ratio,
        windows: Some(windows(&order.preset)),
    }
}

/// The preset's windows, as they are recorded.
fn windows(preset: &Preset) -> Windows {
    Windows {
        min_window_ns: preset.min_window_ns,
        min_requests: preset.min_requests,
        max_window_ns: preset.max_window_ns,
        warm_up_ns: preset.warm_up_ns,
        open_window_ns: preset.open_window_ns,
        shortened: preset.is_shortened(),
    }
}

pub fn environment(order: &Order<'_>) -> record::Environment {
    let mut environment = record::environment::collect(order.subject);
    let variables = subject_environment().into_iter().map(|(k, v)| format!("{k}={v}"));
    let variables: Vec<String> = variables.collect();
    environment.record("subject_environment", Ok(variables));
    environment.record("subject_is_copied", Ok(private::may_run_below(&order.out)));
    for (runtime, program) in order.programs {
        for (name, version) in &program.versions {
            let name = match name == runtime {
                true => format!("{runtime}_version"),
                false => format!("{runtime}_{name}"),
            }
            .replace('-', "_");
            let found = Some(version.as_str()).filter(|version| !version.is_empty());
            environment.record(&name, found.ok_or_else(|| "none".to_owned()));
        }
    }
    environment
}
