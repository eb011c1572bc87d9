//! What two runs differ in besides their numbers: presets, machines, kernels, versions, noise. To
//! be read before any number is.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::experiment::runtime;
use crate::record::{PlanRow, Run};

use super::super::page::shown;
use super::super::{ended, human};
use crate::analysis::families::families;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Differing {
    /// What it is, in words or as the fact is called in `env.json`.
    pub(super) what: String,
    pub(super) a: String,
    pub(super) b: String,
}

/// Facts that move numbers, from the most to the least usual reason. Those of the runtimes follow.
const FIRST: [&str; 36] = [
    "hostname",
    "cpu_model",
    "arch",
    "cpus_available",
    "cpus_online",
    "cpu_affinity_list",
    "cpu_smt_active",
    "cpu_isolated_list",
    "cgroup_cpu_quota_cores",
    "virtualization",
    "cpu_governor",
    "cpu_boost",
    "cpu_frequency_max_hz",
    "cpu_idle_driver",
    "cpu_idle_governor",
    "cpu_microcode",
    "cpu_mitigations",
    "memory_total_bytes",
    "cgroup_memory_limit_bytes",
    "cgroup_version",
    "kernel_release",
    "kernel_version",
    "os",
    "clocksource",
    "thp_enabled",
    "overcommit_memory",
    "sched_autogroup",
    "nice",
    "user_is_root",
    "sh_target",
    "forkbench_hash",
    "subject_hash",
    "subject_is_static",
    "subject_is_copied",
    "build_rustc",
    "build_profile",
];

/// Facts that no two runs share, and that say nothing of the machine.
const PASSING: [&str; 8] = [
    "uptime_s",
    "boot_hash",
    "memory_available_bytes",
    "swap_free_bytes",
    "cpu_frequency_hz",
    "noise_thresholds",
    "noise_canary_ns",
    // Said of the run itself.
    "noise_when_idle",
];

const UNKNOWN: &str = "unknown";

/// What is said above the tables.
pub(super) fn first(runs: [&Run; 2]) -> Vec<Differing> {
    let of_runs = of_runs(runs);
    let of_runs = of_runs.into_iter().map(|(what, values)| differing(what, values));
    let names = FIRST.iter().map(|name| (*name).to_owned());
    let names: Vec<String> = names.chain(of_runtimes(runs)).collect();
    let facts = names.iter().map(|name| fact(runs, name));
    of_runs.chain(facts).flatten().collect()
}

/// All other facts that differ and could matter to somebody, by name.
pub(super) fn others(runs: [&Run; 2]) -> Vec<Differing> {
    let runtimes = of_runtimes(runs);
    let is_said = |name: &str| {
        FIRST.contains(&name) || PASSING.contains(&name) || runtimes.iter().any(|n| n == name)
    };
    let names = all_names(runs).into_iter().filter(|name| !is_said(name));
    names.filter_map(|name| fact(runs, &name)).collect()
}

fn of_runs(runs: [&Run; 2]) -> [(&'static str, [String; 2]); 10] {
    let of = |get: fn(&Run) -> String| runs.map(get);
    [
        ("started", of(|run| run.manifest.started_utc.clone())),
        ("noise while idle", of(noise)),
        ("trials disturbed", of(disturbed)),
        ("preset", of(|run| run.manifest.preset.clone())),
        ("blocks planned", of(|run| run.manifest.blocks.to_string())),
        ("trials run", of(trials)),
        ("windows", of(windows)),
        ("seed (inputs and orders)", of(|run| run.manifest.seed.to_string())),
        ("forkbench", of(version)),
        ("arguments", of(|run| run.manifest.arguments.join(" "))),
    ]
}

fn differing(what: &str, [a, b]: [String; 2]) -> Option<Differing> {
    let what = what.to_owned();
    (a != b).then_some(Differing { what, a, b })
}

fn fact(runs: [&Run; 2], name: &str) -> Option<Differing> {
    let values = runs.map(|run| {
        let value = run.environment.facts.get(name);
        value.map_or_else(|| UNKNOWN.to_owned(), |value| shown(name, value))
    });
    differing(name, values)
}

/// Names of facts of either run, in order.
fn all_names(runs: [&Run; 2]) -> Vec<String> {
    let names = runs.iter().flat_map(|run| run.environment.facts.keys());
    let mut names: Vec<String> = names.cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn of_runtimes(runs: [&Run; 2]) -> Vec<String> {
    let mut names = all_names(runs);
    names.retain(|name| {
        let mut runtimes = runtime::ALL.iter();
        runtimes.any(|runtime| name.starts_with(&format!("{}_", runtime.name)))
    });
    names
}

fn noise(run: &Run) -> String {
    let label = run.environment.facts.get("noise_when_idle");
    label.map_or_else(|| UNKNOWN.to_owned(), |label| shown("", label))
}

/// Of those that could be judged and count.
fn disturbed(run: &Run) -> String {
    let families = families(run);
    let rows = || families.iter().flat_map(|family| &family.rows);
    let judged = rows().filter(|row| !matches!(row.noise_label.as_str(), "" | "unjudged"));
    match judged.count() {
        0 => UNKNOWN.to_owned(),
        judged => {
            let disturbed = rows().filter(|row| row.noise_label == "disturbed").count();
            human::percent(disturbed as f64 / judged as f64)
        }
    }
}

fn trials(run: &Run) -> String {
    let rows: BTreeSet<&str> = run.trials.iter().map(|row| row.trial_id.as_str()).collect();
    let has_row = |planned: &&PlanRow| rows.contains(planned.trial_id.as_str());
    let (ran, planned) = (run.plan.iter().filter(has_row).count(), run.plan.len());
    if ran == planned {
        return format!("all {ran}");
    }
    format!("{ran} of {planned}, {}", ended::early(run))
}

fn windows(run: &Run) -> String {
    match run.manifest.windows {
        None => UNKNOWN.to_owned(),
        Some(windows) => {
            let time = |ns: u64| human::duration(ns as f64);
            format!("{} to {}", time(windows.min_window_ns), time(windows.max_window_ns))
        }
    }
}

fn version(run: &Run) -> String {
    match run.manifest.git_revision.as_str() {
        "" => run.manifest.forkbench_version.clone(),
        revision => format!("{} ({revision})", run.manifest.forkbench_version),
    }
}
