//! What this process, and so all that it starts, may use.

use serde_json::Value;

use super::super::Environment;
use super::Host;
use crate::sys::scheduling::RealTime;

pub(super) fn facts(host: &Host, env: &mut Environment) {
    let status = "proc/self/status";
    let user = rustix::process::geteuid();
    env.record("user_is_root", Ok(user.is_root()));
    env.record("no_new_privileges", host.field_number(status, "NoNewPrivs"));
    // A filter of system calls adds to the cost of each.
    env.record("seccomp_mode", host.field_number(status, "Seccomp"));
    env.record("timer_slack_ns", host.number("proc/self/timerslack_ns"));
    env.record("oom_score_adj", host.number("proc/self/oom_score_adj"));
    env.record("nice", nice());
    // Whether the generator of open loops goes before the work that it asks for.
    let first = RealTime::begin().map(|_| true);
    env.record("may_be_real_time", first.map_err(|error| error.to_string()));
    for (name, limit) in [
        ("ulimit_nofile", "Max open files"),
        ("ulimit_nproc", "Max processes"),
        ("ulimit_stack_bytes", "Max stack size"),
        ("ulimit_core_bytes", "Max core file size"),
        ("ulimit_memlock_bytes", "Max locked memory"),
        ("ulimit_address_space_bytes", "Max address space"),
    ] {
        let (soft, hard) = limits(host, limit);
        let (name, unit) = match name.strip_suffix("_bytes") {
            Some(name) => (name, "_bytes"),
            None => (name, ""),
        };
        env.record(&format!("{name}_soft{unit}"), soft);
        env.record(&format!("{name}_hard{unit}"), hard);
    }
    control_groups(host, env);
}

fn nice() -> Result<i32, String> {
    rustix::process::getpriority_process(None).map_err(|error| error.to_string())
}

/// Soft and hard.
fn limits(host: &Host, limit: &str) -> (Result<Value, String>, Result<Value, String>) {
    let path = "proc/self/limits";
    let found = host.text(path).and_then(|text| {
        text.lines()
            .find_map(|line| line.strip_prefix(limit))
            .and_then(|rest| {
                let mut words = rest.split_whitespace().map(limit_value);
                Some((words.next()?, words.next()?))
            })
            .ok_or_else(|| format!("/{path}: has no `{limit}`"))
    });
    match found {
        Ok((soft, hard)) => (Ok(soft), Ok(hard)),
        Err(reason) => (Err(reason.clone()), Err(reason)),
    }
}

/// A number, or `unlimited` in one of the ways in which the kernel says it.
fn limit_value(text: &str) -> Value {
    // The first version's way: the largest number of whole pages.
    const ALL_PAGES: u64 = i64::MAX as u64 & !0xffff;
    match text.parse::<u64>() {
        Ok(number) if number >= ALL_PAGES => "unlimited".into(),
        Ok(number) => number.into(),
        Err(_) if text == "max" => "unlimited".into(),
        Err(_) => text.into(),
    }
}

fn control_groups(host: &Host, env: &mut Environment) {
    let mounts = mounts(host);
    let version = mounts.as_ref().map(|mounts| {
        let any = |v2: bool| mounts.iter().any(|mount| mount.v2 == v2);
        match (any(false), any(true)) {
            (true, true) => "hybrid",
            (true, false) => "v1",
            (false, true) => "v2",
            (false, false) => "none",
        }
    });
    env.record("cgroup_version", version.map_err(Clone::clone));
    env.record("cgroup_controllers", controllers(host));
    let mounts = mounts.unwrap_or_default();
    cpu_quota(host, &mounts, env);
    let file = |v1: (&str, &str), v2: &str| {
        group_file(host, &mounts, v1.0, v1.1, v2).map(|text| limit_value(&text))
    };
    let limit = file(("memory", "memory.limit_in_bytes"), "memory.max");
    env.record("cgroup_memory_limit_bytes", limit);
    env.record("cgroup_pids_limit", file(("pids", "pids.max"), "pids.max"));
}

/// One mounted hierarchy of control groups.
struct Mount {
    /// Relative to the root.
    path: String,
    v2: bool,
    /// The group that the mount point shows, normally `/`.
    shows: String,
    controllers: String,
}

fn mounts(host: &Host) -> Result<Vec<Mount>, String> {
    let text = host.text("proc/self/mountinfo")?;
    let mount = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ').skip(3);
        let (shows, path) = (before.next()?, before.next()?);
        let mut after = after.split(' ');
        let kind = after.next()?;
        (kind == "cgroup" || kind == "cgroup2").then(|| Mount {
            path: path.trim_start_matches('/').to_owned(),
            v2: kind == "cgroup2",
            shows: shows.to_owned(),
            controllers: after.nth(1).unwrap_or_default().to_owned(),
        })
    };
    Ok(text.lines().filter_map(mount).collect())
}

/// Names of the controllers that the kernel has enabled.
fn controllers(host: &Host) -> Result<String, String> {
    let text = host.text("proc/cgroups")?;
    let enabled = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [name, .., "1"] if !name.starts_with('#') => Some(name.to_owned()),
            _ => None,
        }
    };
    Ok(text.lines().filter_map(enabled).collect::<Vec<_>>().join(" "))
}

/// A file of the group that this process is in: v1 where the controller is mounted so, else v2.
/// An own group that the mount does not show is looked for at the mount's root, as containers
/// need it.
fn group_file(
    host: &Host,
    mounts: &[Mount],
    controller: &str,
    v1: &str,
    v2: &str,
) -> Result<String, String> {
    let (dirs, is_v2) = group_dirs(host, mounts, controller)?;
    let file = if is_v2 { v2 } else { v1 };
    let text = |dir: &String| host.text(&format!("{dir}/{file}"));
    // A reason names the mount, not the group, whose name may say whose it is.
    match (dirs.first(), dirs.last()) {
        (Some(own), Some(root)) => text(own).or_else(|_| text(root)),
        _ => Err("no control groups are mounted".to_owned()),
    }
}

/// The directories of the group that this process is in and of all above it, up to the root of
/// what is mounted, relative to the root of the file system; and whether they are of version 2.
fn group_dirs(
    host: &Host,
    mounts: &[Mount],
    controller: &str,
) -> Result<(Vec<String>, bool), String> {
    let has = |list: &str| list.split(',').any(|name| name == controller);
    let mount = mounts
        .iter()
        .find(|mount| !mount.v2 && has(&mount.controllers))
        .or_else(|| mounts.iter().find(|mount| mount.v2))
        .ok_or("no control groups are mounted")?;
    let groups = host.text("proc/self/cgroup")?;
    let own = groups
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            Some((parts.next()?, parts.next()?))
        })
        .find(|(list, _)| if mount.v2 { list.is_empty() } else { has(list) })
        .map_or("/", |(_, group)| group);
    let mut own = own.strip_prefix(mount.shows.trim_end_matches('/')).unwrap_or(own);
    own = own.trim_matches('/');
    let mut dirs = Vec::new();
    while !own.is_empty() {
        dirs.push(format!("{}/{own}", mount.path));
        own = own.rsplit_once('/').map_or("", |(above, _)| above);
    }
    dirs.push(mount.path.clone());
    Ok((dirs, mount.v2))
}

/// A group's CPU quota: so much processor time in every period.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Quota {
    quota_ns: u64,
    period_ns: u64,
}

impl Quota {
    fn cores(self) -> f64 {
        self.quota_ns as f64 / self.period_ns as f64
    }
}

/// The tightest quota of this process's group and of those above it, in each of its numbers;
/// `unlimited` where all processors may be used all of the time.
fn cpu_quota(host: &Host, mounts: &[Mount], env: &mut Environment) {
    let found = group_dirs(host, mounts, "cpu").and_then(|(dirs, v2)| {
        let quotas = dirs.iter().map(|dir| match v2 {
            true => quota_v2(host, dir),
            false => quota_v1(host, dir),
        });
        let quotas: Vec<Option<Quota>> = quotas.collect::<Result<_, _>>()?;
        Ok(quotas.into_iter().flatten().min_by(|a, b| a.cores().total_cmp(&b.cores())))
    });
    let mut record = |name: &str, number: fn(Quota) -> Value| {
        let shown = |quota: Option<Quota>| quota.map_or_else(|| "unlimited".into(), number);
        env.record(name, found.clone().map(shown));
    };
    record("cgroup_cpu_quota_cores", |quota| quota.cores().into());
    record("cgroup_cpu_quota_ns", |quota| quota.quota_ns.into());
    record("cgroup_cpu_period_ns", |quota| quota.period_ns.into());
}

/// `None` without a quota, and where the group has no CPU controller.
fn quota_v1(host: &Host, dir: &str) -> Result<Option<Quota>, String> {
    let Ok(quota) = host.text(&format!("{dir}/cpu.cfs_quota_us")) else {
        return Ok(None);
    };
    if quota == "-1" {
        return Ok(None);
    }
    let period = host.text(&format!("{dir}/cpu.cfs_period_us"))?;
    quota_of(&quota, &period).map(Some)
}

/// As [`quota_v1`]: `cpu.max` holds `max 100000` or `50000 100000`.
fn quota_v2(host: &Host, dir: &str) -> Result<Option<Quota>, String> {
    let Ok(text) = host.text(&format!("{dir}/cpu.max")) else {
        return Ok(None);
    };
    match text.split_once(' ') {
        Some(("max", _)) => Ok(None),
        Some((quota, period)) => quota_of(quota, period).map(Some),
        None => Err(format!("cpu.max holds `{text}`, not a quota")),
    }
}

fn quota_of(quota: &str, period: &str) -> Result<Quota, String> {
    let ns = |text: &str| text.parse::<u64>().ok()?.checked_mul(1_000).filter(|ns| *ns > 0);
    match ns(quota).zip(ns(period)) {
        Some((quota_ns, period_ns)) => Ok(Quota { quota_ns, period_ns }),
        None => Err(format!("the quota is `{quota}` in `{period}`, not numbers")),
    }
}
