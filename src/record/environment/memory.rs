//! Memory: amount, page sizes, overcommit.

use sysinfo::{MemoryRefreshKind, System};

use super::super::Environment;
use super::Host;

pub fn facts(host: &Host, env: &mut Environment) {
    amounts(env);
    env.record("page_size_bytes", Ok(rustix::param::page_size()));
    let thp = "sys/kernel/mm/transparent_hugepage";
    env.record("thp_enabled", host.choice(&format!("{thp}/enabled")));
    env.record("thp_defrag", host.choice(&format!("{thp}/defrag")));
    env.record("thp_shmem_enabled", host.choice(&format!("{thp}/shmem_enabled")));
    env.record("thp_size_bytes", host.number(&format!("{thp}/hpage_pmd_size")));
    env.record("ksm_run", host.number("sys/kernel/mm/ksm/run"));
    env.record("overcommit_memory", host.number("proc/sys/vm/overcommit_memory"));
    env.record("overcommit_ratio_percent", host.number("proc/sys/vm/overcommit_ratio"));
    env.record("swappiness", host.number("proc/sys/vm/swappiness"));
    env.record("max_map_count", host.number("proc/sys/vm/max_map_count"));
    env.record("hugepages_reserved", host.field_number("proc/meminfo", "HugePages_Total"));
}

fn amounts(env: &mut Environment) {
    let system = System::new().map(|mut system| {
        system.refresh_memory_specifics(MemoryRefreshKind::everything());
        system
    });
    let mut record = |name: &str, value: fn(&System) -> u64| match &system {
        Ok(system) => env.record(name, Ok(value(system))),
        Err(error) => env.record::<u64>(name, Err(error.to_string())),
    };
    record("memory_total_bytes", System::total_memory);
    record("memory_available_bytes", System::available_memory);
    record("swap_total_bytes", System::total_swap);
    record("swap_free_bytes", System::free_swap);
}
