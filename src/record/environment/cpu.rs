//! Processors: model, number, and what slows them down.

use serde_json::{Map, Value};
use sysinfo::System;

use super::super::Environment;
use super::Host;

const CPUS: &str = "sys/devices/system/cpu";

pub fn facts(host: &Host, env: &mut Environment) {
    let info = "proc/cpuinfo";
    env.record("arch", Ok(System::cpu_arch()));
    env.record("cpu_model", host.field(info, "model name"));
    env.record("cpu_vendor", host.field(info, "vendor_id"));
    env.record("cpu_microcode", host.field(info, "microcode"));
    env.record("cpu_frequency_hz", frequency_hz(host));
    env.record("cpu_frequency_max_hz", frequency_max_hz(host));
    env.record("cpu_governor", host.text(&format!("{CPUS}/cpu0/cpufreq/scaling_governor")));
    env.record("cpu_boost", host.number(&format!("{CPUS}/cpufreq/boost")));
    env.record("cpu_idle_driver", host.text(&format!("{CPUS}/cpuidle/current_driver")));
    env.record("cpu_idle_governor", host.text(&format!("{CPUS}/cpuidle/current_governor")));
    env.record("cpu_smt_active", host.number(&format!("{CPUS}/smt/active")));
    env.record("cpu_online_list", host.text(&format!("{CPUS}/online")));
    env.record("cpu_isolated_list", host.text(&format!("{CPUS}/isolated")));
    env.record("cpus_online", cpus_online(host));
    env.record("cpus_available", cpus_available());
    env.record("cpu_affinity_list", host.field("proc/self/status", "Cpus_allowed_list"));
    env.record("cpu_mitigations", mitigations(host));
    env.record("numa_nodes", numa_nodes(host));
    for (name, level, kind) in [
        ("cpu_cache_l1d_bytes", "1", "Data"),
        ("cpu_cache_l1i_bytes", "1", "Instruction"),
        ("cpu_cache_l2_bytes", "2", "Unified"),
        ("cpu_cache_l3_bytes", "3", "Unified"),
    ] {
        env.record(name, cache_bytes(host, level, kind));
    }
}

fn frequency_hz(host: &Host) -> Result<u64, String> {
    let mhz = host.field("proc/cpuinfo", "cpu MHz")?;
    match mhz.parse::<f64>() {
        Ok(mhz) if mhz.is_finite() && mhz > 0.0 => Ok((mhz * 1e6) as u64),
        _ => Err(format!("/proc/cpuinfo: `cpu MHz` is `{mhz}`, not a number")),
    }
}

fn frequency_max_hz(host: &Host) -> Result<i64, String> {
    let khz = host.number(&format!("{CPUS}/cpu0/cpufreq/cpuinfo_max_freq"))?;
    Ok(khz.saturating_mul(1_000))
}

/// Counted from ranges such as `0-3,8`.
fn cpus_online(host: &Host) -> Result<u64, String> {
    let list = host.text(&format!("{CPUS}/online"))?;
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        last.checked_sub(first)?.checked_add(1)
    };
    list.split(',')
        .try_fold(0_u64, |sum, range| sum.checked_add(count(range)?))
        .ok_or_else(|| format!("/{CPUS}/online: holds `{list}`, not a list"))
}

/// Processors that the affinity allows; a quota of a control group is a fact of its own.
pub fn cpus_available() -> Result<u32, String> {
    rustix::thread::sched_getaffinity(None)
        .map(|set| set.count())
        .map_err(|error| error.to_string())
}

fn mitigations(host: &Host) -> Result<Value, String> {
    let dir = format!("{CPUS}/vulnerabilities");
    let mut found = Map::new();
    for name in host.names(&dir)? {
        if let Ok(text) = host.text(&format!("{dir}/{name}")) {
            found.insert(name, Value::String(text));
        }
    }
    Ok(Value::Object(found))
}

fn numa_nodes(host: &Host) -> Result<usize, String> {
    let is_node = |name: &String| {
        name.strip_prefix("node").is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let names = host.names("sys/devices/system/node")?;
    Ok(names.iter().filter(|name| is_node(name)).count())
}

fn cache_bytes(host: &Host, level: &str, kind: &str) -> Result<u64, String> {
    let dir = format!("{CPUS}/cpu0/cache");
    for name in host.names(&dir)? {
        let is = |file: &str, value: &str| {
            host.text(&format!("{dir}/{name}/{file}")).is_ok_and(|text| text == value)
        };
        if is("level", level) && is("type", kind) {
            let size = host.text(&format!("{dir}/{name}/size"))?;
            let kib = size.strip_suffix('K').and_then(|kib| kib.parse::<u64>().ok());
            return kib
                .and_then(|kib| kib.checked_mul(1024))
                .ok_or_else(|| format!("/{dir}/{name}/size: holds `{size}`"));
        }
    }
    Err(format!("/{dir}: has no such cache"))
}
