//! The operating system: which, how it schedules, counts and limits, and on what it runs.

use sysinfo::System;

use super::super::Environment;
use super::{Host, binary, hostname};

pub(super) fn facts(host: &Host, env: &mut Environment) {
    env.record("hostname", hostname());
    env.record("os", System::long_os_version().map_err(|error| error.to_string()));
    env.record("kernel_release", host.text("proc/sys/kernel/osrelease"));
    env.record("kernel_version", host.text("proc/sys/kernel/version"));
    env.record("virtualization", virtualization(host));
    // Tells whether two runs were made on one boot, without naming it.
    let boot = host.text("proc/sys/kernel/random/boot_id");
    env.record("boot_hash", boot.map(|id| binary::hash_hex(id.as_bytes())));
    env.record("uptime_s", System::uptime().map_err(|error| error.to_string()));
    load(host, env);

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
    // A handler of core dumps makes crashes slow, and is a path of the user's.
    let handler = host.text("proc/sys/kernel/core_pattern");
    env.record("core_dumps_are_piped", handler.map(|pattern| pattern.starts_with('|')));
    env.record("sh_target", sh_target(host));
}

fn load(host: &Host, env: &mut Environment) {
    let text = host.text("proc/loadavg");
    for (i, name) in
        ["load_average_1m", "load_average_5m", "load_average_15m"].into_iter().enumerate()
    {
        let value = text.clone().and_then(|text| {
            text.split_whitespace()
                .nth(i)
                .and_then(|number| number.parse::<f64>().ok())
                .ok_or_else(|| format!("/proc/loadavg: holds `{text}`"))
        });
        env.record(name, value);
    }
}

/// `none`, or what is known of the hypervisor below.
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
