//! The operating system: version, scheduling, counters, limits, hypervisor.

use sysinfo::{LoadAvg, System};

use super::super::Environment;
use super::{Host, binary, hostname};

pub fn facts(host: &Host, env: &mut Environment) {
    env.record("hostname", hostname());
    env.record("os", System::long_os_version().map_err(|error| error.to_string()));
    env.record("kernel_release", host.text("proc/sys/kernel/osrelease"));
    env.record("kernel_version", host.text("proc/sys/kernel/version"));
    env.record("virtualization", virtualization(host));
    // Tells whether two runs were made on one boot, without naming it.
    let boot = host.text("proc/sys/kernel/random/boot_id");
    env.record("boot_hash", boot.map(|id| binary::hash_hex(id.as_bytes())));
    env.record("uptime_s", System::uptime().map_err(|error| error.to_string()));
    load(env);

    env.record("sched_autogroup", host.number("proc/sys/kernel/sched_autogroup_enabled"));
    env.record("numa_balancing", host.number("proc/sys/kernel/numa_balancing"));
    env.record("aslr", host.number("proc/sys/kernel/randomize_va_space"));
    env.record("clock_ticks_per_s", Ok(rustix::param::clock_ticks_per_second()));
    let clock = "sys/devices/system/clocksource/clocksource0";
    env.record("clocksource", host.text(&format!("{clock}/current_clocksource")));
    env.record("pressure_is_counted", Ok(host.path("proc/pressure/cpu").exists()));

    env.record("pid_max", host.number("proc/sys/kernel/pid_max"));
    env.record("threads_max", host.number("proc/sys/kernel/threads-max"));
    env.record("file_max", host.number("proc/sys/fs/file-max"));
    env.record("pipe_max_size_bytes", host.number("proc/sys/fs/pipe-max-size"));
    env.record("pipe_user_pages_soft", host.number("proc/sys/fs/pipe-user-pages-soft"));
    // A handler of core dumps makes crashes slow; its path is the user's.
    let handler = host.text("proc/sys/kernel/core_pattern");
    env.record("core_dumps_are_piped", handler.map(|pattern| pattern.starts_with('|')));
    env.record("sh_target", sh_target(host));
}

/// The load averages.
fn load(env: &mut Environment) {
    let load = System::load_average().map_err(|error| error.to_string());
    let mut record = |name: &str, get: fn(&LoadAvg) -> f64| {
        env.record(name, load.as_ref().map(get).map_err(Clone::clone));
    };
    record("load_average_1m", |load| load.one);
    record("load_average_5m", |load| load.five);
    record("load_average_15m", |load| load.fifteen);
}

/// `none`, or the name of the hypervisor.
fn virtualization(host: &Host) -> Result<String, String> {
    let flags = host.field("proc/cpuinfo", "flags")?;
    if !flags.split_whitespace().any(|flag| flag == "hypervisor") {
        return Ok("none".to_owned());
    }
    let named =
        host.text("sys/hypervisor/type").or_else(|_| host.text("sys/class/dmi/id/sys_vendor"));
    Ok(named.map_or("unnamed hypervisor".to_owned(), |name| format!("hypervisor: {name}")))
}

/// Which shell `exec` starts.
fn sh_target(host: &Host) -> Result<String, String> {
    let path = host.path("bin/sh");
    let target = path.canonicalize().map_err(|error| format!("/bin/sh: {error}"))?;
    let name = target.file_name().unwrap_or(target.as_os_str());
    Ok(name.to_string_lossy().into_owned())
}
