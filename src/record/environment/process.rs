//! What this process, and so all that it starts, may use.

use rustix::process::{Resource, getrlimit};
use serde_json::Value;

use super::super::Environment;
use super::Host;
use crate::sys::cgroup::{self, Place, Version};
use crate::sys::scheduling::RealTime;

pub fn facts(host: &Host, env: &mut Environment) {
    let status = "proc/self/status";
    env.record("user_is_root", Ok(rustix::process::geteuid().is_root()));
    env.record("no_new_privileges", host.field_number(status, "NoNewPrivs"));
    // A filter of system calls adds to the cost of each.
    env.record("seccomp_mode", host.field_number(status, "Seccomp"));
    env.record("timer_slack_ns", host.number("proc/self/timerslack_ns"));
    env.record("oom_score_adj", host.number("proc/self/oom_score_adj"));
    let nice = rustix::process::getpriority_process(None);
    env.record("nice", nice.map_err(|error| error.to_string()));
    // Whether the generator of open loops goes before the work that it asks for.
    let first = RealTime::begin().map(|_| true);
    env.record("may_be_real_time", first.map_err(|error| error.to_string()));
    for (name, unit, resource) in [
        ("ulimit_nofile", "", Resource::Nofile),
        ("ulimit_nproc", "", Resource::Nproc),
        ("ulimit_stack", "_bytes", Resource::Stack),
        ("ulimit_core", "_bytes", Resource::Core),
        ("ulimit_memlock", "_bytes", Resource::Memlock),
        ("ulimit_address_space", "_bytes", Resource::As),
    ] {
        let limit = getrlimit(resource);
        let shown = |limit: Option<u64>| limit.map_or_else(|| "unlimited".into(), Value::from);
        env.record(&format!("{name}_soft{unit}"), Ok(shown(limit.current)));
        env.record(&format!("{name}_hard{unit}"), Ok(shown(limit.maximum)));
    }
    control_groups(host, env);
}

fn control_groups(host: &Host, env: &mut Environment) {
    let mounts = host.text("proc/self/mountinfo");
    let version = mounts.as_ref().map(|mounts| {
        let versions = cgroup::versions(mounts);
        match [Version::V1, Version::V2].map(|version| versions.contains(&version)) {
            [true, true] => "hybrid",
            [true, false] => "v1",
            [false, true] => "v2",
            [false, false] => "none",
        }
    });
    env.record("cgroup_version", version.map_err(Clone::clone));
    env.record("cgroup_controllers", controllers(host));
    cpu_quota(host, groups(host, "cpu"), env);
    let limit = |controller: &str, v1: &str, v2: &str| {
        // A group that the mount does not show is looked for at the mount's root.
        let (dirs, version) = groups(host, controller)?;
        let file = if version == Version::V1 { v1 } else { v2 };
        let read = |dir: &String| host.text(&format!("{dir}/{file}"));
        let first = dirs.first().ok_or(NO_GROUPS)?;
        // A reason names the mount, not the group, whose name may say whose it is.
        let text = read(first).or_else(|_| read(dirs.last().unwrap_or(first)));
        text.map(|text| limit_value(&text))
    };
    let memory = limit("memory", "memory.limit_in_bytes", "memory.max");
    env.record("cgroup_memory_limit_bytes", memory);
    env.record("cgroup_pids_limit", limit("pids", "pids.max", "pids.max"));
}

const NO_GROUPS: &str = "no control groups are mounted";

/// The directories of the groups that limit this process, relative to the root, and their version.
type Groups = (Vec<String>, Version);

fn groups(host: &Host, controller: &str) -> Result<Groups, String> {
    let mounts = host.text("proc/self/mountinfo")?;
    let own = host.text("proc/self/cgroup")?;
    let places = cgroup::places(&mounts, &own, controller);
    let version = places.first().ok_or(NO_GROUPS)?.version;
    let dirs = places.iter().filter(|place| place.version == version);
    let relative = |place: &Place| place.dir.to_string_lossy().trim_start_matches('/').to_owned();
    Ok((dirs.map(relative).collect(), version))
}

/// A number, or `unlimited` in one of the ways in which the kernel says it.
fn limit_value(text: &str) -> Value {
    // The way of version 1: the largest number of whole pages.
    const ALL_PAGES: u64 = i64::MAX as u64 & !0xffff;
    match text.parse::<u64>() {
        Ok(number) if number >= ALL_PAGES => "unlimited".into(),
        Ok(number) => number.into(),
        Err(_) if text == "max" => "unlimited".into(),
        Err(_) => text.into(),
    }
}

/// Names of the controllers that the kernel has enabled.
fn controllers(host: &Host) -> Result<String, String> {
    let text = host.text("proc/cgroups")?;
    let enabled = text.lines().filter(|line| !line.starts_with('#') && line.ends_with('1'));
    let names = enabled.filter_map(|line| line.split_whitespace().next());
    Ok(names.collect::<Vec<_>>().join(" "))
}

/// The tightest CPU quota of this process's group and of those above it; `unlimited` where all
/// processors may be used all of the time.
fn cpu_quota(host: &Host, groups: Result<Groups, String>, env: &mut Environment) {
    let found = groups.and_then(|(dirs, version)| {
        let quotas = dirs.iter().map(|dir| quota(host, dir, version));
        let quotas: Vec<Option<[u64; 2]>> = quotas.collect::<Result<_, _>>()?;
        Ok(quotas.into_iter().flatten().min_by(|a, b| cores(*a).total_cmp(&cores(*b))))
    });
    let mut record = |name: &str, number: fn([u64; 2]) -> Value| {
        let shown = |quota: Option<_>| quota.map_or_else(|| "unlimited".into(), number);
        env.record(name, found.clone().map(shown));
    };
    record("cgroup_cpu_quota_cores", |quota| cores(quota).into());
    record("cgroup_cpu_quota_ns", |[quota_ns, _]| quota_ns.into());
    record("cgroup_cpu_period_ns", |[_, period_ns]| period_ns.into());
}

fn cores([quota_ns, period_ns]: [u64; 2]) -> f64 {
    quota_ns as f64 / period_ns as f64
}

/// A group's CPU quota, a time in each period, in ns. `None` without a quota, and where the group
/// has no CPU controller.
fn quota(host: &Host, dir: &str, version: Version) -> Result<Option<[u64; 2]>, String> {
    let text = match version {
        // `max 100000` or `50000 100000`.
        Version::V2 => host.text(&format!("{dir}/cpu.max")),
        Version::V1 => host.text(&format!("{dir}/cpu.cfs_quota_us")).map(|quota| {
            let period = host.text(&format!("{dir}/cpu.cfs_period_us"));
            format!("{quota} {}", period.unwrap_or_default())
        }),
    };
    let Ok(text) = text else {
        return Ok(None);
    };
    if text.starts_with("max ") || text.starts_with("-1 ") {
        return Ok(None);
    }
    let ns = |text: &str| text.parse::<u64>().ok()?.checked_mul(1_000).filter(|ns| *ns > 0);
    let both = text.split_once(' ').and_then(|(quota, period)| ns(quota).zip(ns(period)));
    both.map(|(quota, period)| Some([quota, period]))
        .ok_or_else(|| format!("the CPU quota and its period are `{text}`, not numbers"))
}
