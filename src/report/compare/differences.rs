//! Differences of two runs besides their numbers: presets, machines, kernels, versions, noise. To be
//! read before any number.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::analysis::cells::{is_disturbed, is_judged};
use crate::experiment::runtime;
use crate::record::{PlanRow, Run};

use super::super::provenance::{program, shown, when_idle};
use super::super::{format, sentences};

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it is, in words or as the fact is called in `env.json`.
    pub what: String,
    pub a: String,
    pub b: String,
}

/// Facts that move numbers, the most usual reasons first. Those of the runtimes follow.
const FIRST: &str = "hostname cpu_model arch cpus_available cpus_online cpu_affinity_list \
    cpu_smt_active cpu_isolated_list cgroup_cpu_quota_cores virtualization cpu_governor cpu_boost \
    cpu_frequency_max_hz cpu_idle_driver cpu_idle_governor cpu_microcode cpu_mitigations \
    memory_total_bytes cgroup_memory_limit_bytes cgroup_version kernel_release kernel_version os \
    clocksource thp_enabled overcommit_memory sched_autogroup nice user_is_root sh_target \
    forkbench_hash subject_hash subject_is_static subject_is_copied build_rustc build_profile";

/// Facts that no two runs share and that say nothing of the machine; noise is said of the run.
const PASSING: &str = "uptime_s boot_hash memory_available_bytes swap_free_bytes cpu_frequency_hz \
    noise_thresholds noise_canary_ns noise_when_idle";

fn names(list: &str) -> impl Iterator<Item = String> {
    list.split_whitespace().map(str::to_owned)
}

const UNKNOWN: &str = "unknown";

/// What is said above the tables.
pub fn first(runs: [&Run; 2]) -> Vec<Difference> {
    let of_runs = of_runs(runs).into_iter().map(|(what, values)| difference(what, values));
    let facts = names(FIRST).chain(of_runtimes(runs)).map(|name| fact(runs, &name));
    of_runs.chain(facts).flatten().collect()
}

/// All other facts that differ and could matter, by name.
pub fn others(runs: [&Run; 2]) -> Vec<Difference> {
    let known: Vec<String> = names(FIRST).chain(names(PASSING)).chain(of_runtimes(runs)).collect();
    let others = all_names(runs).into_iter().filter(|name| !known.contains(name));
    others.filter_map(|name| fact(runs, &name)).collect()
}

fn of_runs(runs: [&Run; 2]) -> [(&'static str, [String; 2]); 10] {
    let of = |get: fn(&Run) -> String| runs.map(get);
    [
        ("started", of(|run| run.manifest.started_utc.clone())),
        ("noise while idle", of(when_idle)),
        ("trials disturbed", of(disturbed)),
        ("preset", of(|run| run.manifest.preset.clone())),
        ("blocks planned", of(|run| run.manifest.blocks.to_string())),
        ("trials run", of(trials)),
        ("windows", of(windows)),
        ("seed (inputs and orders)", of(|run| run.manifest.seed.to_string())),
        ("forkbench", of(program)),
        ("arguments", of(|run| run.manifest.arguments.join(" "))),
    ]
}

fn difference(what: &str, [a, b]: [String; 2]) -> Option<Difference> {
    let what = what.to_owned();
    (a != b).then_some(Difference { what, a, b })
}

fn fact(runs: [&Run; 2], name: &str) -> Option<Difference> {
    let values = runs.map(|run| {
        let value = run.environment.facts.get(name);
        value.map_or_else(|| UNKNOWN.to_owned(), |value| shown(name, value))
    });
    difference(name, values)
}

/// Names of facts of either run, in order.
fn all_names(runs: [&Run; 2]) -> BTreeSet<String> {
    runs.iter().flat_map(|run| run.environment.facts.keys()).cloned().collect()
}

fn of_runtimes(runs: [&Run; 2]) -> BTreeSet<String> {
    let mut names = all_names(runs);
    names.retain(|name| {
        runtime::ALL.iter().any(|runtime| name.starts_with(&format!("{}_", runtime.name)))
    });
    names
}

/// Of those that could be judged and count.
fn disturbed(run: &Run) -> String {
    let families = crate::analysis::families::families(run);
    let rows = || families.iter().flat_map(|family| &family.rows);
    let judged = rows().filter(|row| is_judged(row));
    match judged.count() {
        0 => UNKNOWN.to_owned(),
        judged => {
            let disturbed = rows().filter(|row| is_disturbed(row)).count();
            format::percent(disturbed as f64 / judged as f64)
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
    format!("{ran} of {planned}, {}", sentences::ended(run))
}

fn windows(run: &Run) -> String {
    match run.manifest.windows {
        None => UNKNOWN.to_owned(),
        Some(windows) => {
            let time = |ns: u64| format::duration(ns as f64);
            format!("{} to {}", time(windows.min_window_ns), time(windows.max_window_ns))
        }
    }
}
