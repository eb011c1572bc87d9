//! A good machine, and each obstacle to one alone.

use serde_json::json;

use super::*;

pub fn facts() -> Environment {
    let mut env = Environment::default();
    for (name, value) in [
        ("subject_is_static", json!(true)),
        ("build_profile", json!("release")),
        ("cpus_online", json!(2)),
        ("cpus_available", json!(2)),
        ("cpu_model", json!("AMD EPYC")),
        ("cgroup_cpu_quota_cores", json!("unlimited")),
        ("cgroup_version", json!("hybrid")),
        ("virtualization", json!("unnamed hypervisor")),
        ("clocksource", json!("tsc")),
        ("pressure_is_counted", json!(true)),
        ("memory_available_bytes", json!(22_u64 << 30)),
        ("memory_total_bytes", json!(24_u64 << 30)),
        ("overcommit_memory", json!(0)),
        ("swap_total_bytes", json!(0)),
        ("swap_free_bytes", json!(0)),
        ("thp_enabled", json!("madvise")),
        ("ulimit_nofile_soft", json!(20_000)),
        ("ulimit_nproc_soft", json!("unlimited")),
        ("pid_max", json!(32_768)),
        ("sched_autogroup", json!(1)),
        ("nice", json!(0)),
        ("may_be_real_time", json!(true)),
    ] {
        env.record(name, Ok(value));
    }
    env.record::<u64>("cpu_governor", Err("/sys/…: not here".to_owned()));
    env
}

pub fn probe() -> Probe {
    Probe {
        subject_ready_ns: Ok(1_234_567),
        child_pss_bytes: Ok(600 << 10),
        memory_peak_file: Ok("memory.peak (v2)"),
        runtimes: vec![("Node.js", Ok("20.11.0".to_owned())), ("CPython", Ok("3.12.1".to_owned()))],
    }
}

#[test]
fn scheduling_finding_reports_a_generator_without_real_time() {
    let mut env = facts();
    env.facts.remove("may_be_real_time");
    env.record::<bool>("may_be_real_time", Err("not permitted".to_owned()));
    let finding = found(&env, &probe(), "scheduling");
    assert_eq!(finding.state, State::Partly);
    assert!(finding.detail.contains("no real-time thread"), "{}", finding.detail);
    assert!(finding.advice.unwrap_or_default().contains("ulimit -r 1"));
}

fn found(env: &Environment, probe: &Probe, name: &str) -> Finding {
    let all = all(env, probe);
    let finding = all.into_iter().find(|finding| finding.name == name);
    finding.unwrap_or_else(|| panic!("nothing about {name}"))
}

#[test]
fn good_machine_gets_no_advice() {
    let advice: Vec<_> =
        all(&facts(), &probe()).into_iter().filter_map(|finding| finding.advice).collect();
    assert_eq!(advice, [""; 0]);
}

/// Changes one fact and expects advice about it, and about nothing else.
#[test]
fn every_obstacle_has_advice_of_its_own() {
    for (fact, value, name, advice) in [
        ("subject_is_static", json!(false), "the Rust subject", "link the subject"),
        ("build_profile", json!("debug"), "the Rust subject", "--release"),
        ("cpus_available", json!(1), "cores", "two cores"),
        ("cgroup_cpu_quota_cores", json!(1.5), "cores", "quota"),
        ("clocksource", json!("hpet"), "clock", "clock source"),
        ("cpu_governor", json!("powersave"), "CPU frequency", "scaling_governor"),
        ("pressure_is_counted", json!(false), "pressure (PSI)", "psi=1"),
        ("overcommit_memory", json!(2), "memory", "overcommit"),
        ("swap_total_bytes", json!(5), "memory", "free some memory"),
        ("ulimit_nofile_soft", json!(256), "open files", "ulimit -n 1024"),
        ("ulimit_nproc_soft", json!(100), "processes", "ulimit -u 1024"),
        ("cgroup_pids_limit", json!(100), "process ids", "pids.max"),
        ("nice", json!(10), "scheduling", "nice"),
    ] {
        let mut env = facts();
        env.record(fact, Ok(value));
        let finding = found(&env, &probe(), name);
        assert_ne!(finding.state, State::Yes, "{fact}");
        let said = finding.advice.unwrap_or_default();
        assert!(said.contains(advice), "{fact}: {said}");
        let all = all(&env, &probe());
        assert_eq!(all.iter().filter(|f| f.advice.is_some()).count(), 1, "{fact}");
    }
}

#[test]
fn failed_probe_gives_its_reason() {
    let why = || "because".to_owned();
    let probe = Probe {
        subject_ready_ns: Err(why()),
        child_pss_bytes: Err(why()),
        memory_peak_file: Err(why()),
        runtimes: vec![("Node.js", Err(why()))],
    };
    for name in ["the Rust subject", "memory per child", "memory of groups", "Node.js"] {
        let finding = found(&facts(), &probe, name);
        assert_eq!(finding.state, State::No, "{name}");
        assert!(finding.detail.starts_with("because"), "{name}");
    }
}

#[test]
fn unknown_facts_still_give_findings() {
    let all = all(&Environment::default(), &probe());
    assert!(all.iter().all(|finding| !finding.detail.is_empty()));
}
