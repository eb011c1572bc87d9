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
    env.record("cgroup_cpu_quota_cores", cpu_quota_cores(host, &mounts));
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
    let own = own.strip_prefix(mount.shows.trim_end_matches('/')).unwrap_or(own);
    let file = if mount.v2 { v2 } else { v1 };
    let own = format!("{}/{}", mount.path, own.trim_matches('/'));
    // A reason names the mount, not the group, whose name may say whose it is.
    host.text(&format!("{}/{file}", own.trim_end_matches('/')))
        .or_else(|_| host.text(&format!("{}/{file}", mount.path)))
}

/// How many cores' worth of time the group may use; `unlimited` where it may use all.
fn cpu_quota_cores(host: &Host, mounts: &[Mount]) -> Result<Value, String> {
    let quota = group_file(host, mounts, "cpu", "cpu.cfs_quota_us", "cpu.max")?;
    let (quota, period) = match quota.split_once(' ') {
        Some((quota, period)) => (quota.to_owned(), period.to_owned()),
        None => {
            let period = group_file(host, mounts, "cpu", "cpu.cfs_period_us", "cpu.max")?;
            (quota, period)
        }
    };
    if quota == "max" || quota == "-1" {
        return Ok("unlimited".into());
    }
    match (quota.parse::<f64>(), period.parse::<f64>()) {
        (Ok(quota), Ok(period)) if period > 0.0 => Ok((quota / period).into()),
        _ => Err(format!("the quota is `{quota}` in `{period}`, not numbers")),
    }
}
