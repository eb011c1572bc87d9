use super::*;

fn fake(files: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let root = dir.path().to_owned();
    (dir, Host { root })
}

#[test]
fn this_machine_has_enough_facts() {
    let subject = std::env::current_exe().unwrap();
    let env = collect(&subject);
    assert!(env.facts.len() >= 40, "{} facts: {env:#?}", env.facts.len());
    for name in [
        "kernel_release",
        "arch",
        "cpus_available",
        "memory_total_bytes",
        "page_size_bytes",
        "ulimit_nofile_soft",
        "build_rustc",
        "subject_size_bytes",
        "subject_hash",
    ] {
        assert!(env.facts.contains_key(name), "{name}: {:?}", env.unavailable.get(name));
    }
    assert!(env.facts.keys().all(|name| !env.unavailable.contains_key(name)));
    // The test binary is linked like both programs.
    assert_eq!(env.facts["subject_is_static"], env.facts["build_is_static"]);
    let json = serde_json::to_string(&env).unwrap();
    assert!(!json.contains(subject.to_str().unwrap()), "a path of the user's is recorded");
    assert_eq!(serde_json::from_str::<Environment>(&json).unwrap(), env);
}

#[test]
fn missing_fact_is_listed_with_its_reason() {
    let (_dir, host) = fake(&[]);
    let env = collect_from(&host);
    let reason = &env.unavailable["thp_enabled"];
    assert!(reason.starts_with("/sys/kernel/mm/transparent_hugepage/enabled: "), "{reason}");
    assert!(env.unavailable.len() >= 30, "{}", env.unavailable.len());
    let missing = collect(Path::new("/nowhere/subject"));
    assert!(missing.unavailable["subject_hash"].starts_with("subject: "));
}

#[test]
fn choices_lists_and_sizes_are_understood() {
    let cpus = "sys/devices/system/cpu";
    let (_dir, host) = fake(&[
        ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
        ("sys/devices/system/cpu/online", "0-3,8\n"),
        (&format!("{cpus}/cpu0/cache/index2/level"), "2\n"),
        (&format!("{cpus}/cpu0/cache/index2/type"), "Unified\n"),
        (&format!("{cpus}/cpu0/cache/index2/size"), "1024K\n"),
        ("proc/cpuinfo", "processor\t: 0\nmodel name\t: A: B\nflags\t: fpu hypervisor\n"),
        ("proc/sys/vm/swappiness", "a lot\n"),
    ]);
    let env = collect_from(&host);
    assert_eq!(env.facts["thp_enabled"], "madvise");
    assert_eq!(env.facts["cpus_online"], 5);
    assert_eq!(env.facts["cpu_cache_l2_bytes"], 1 << 20);
    assert_eq!(env.facts["cpu_model"], "A: B");
    assert_eq!(env.facts["virtualization"], "unnamed hypervisor");
    assert!(env.unavailable["swappiness"].contains("`a lot`"));
}

#[test]
fn quotas_of_both_kinds_of_control_groups_are_found() {
    let v2 = "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    let (_dir, host) = fake(&[
        ("proc/self/mountinfo", v2),
        ("proc/self/cgroup", "0::/mine\n"),
        ("sys/fs/cgroup/mine/cpu.max", "150000 100000\n"),
        ("sys/fs/cgroup/cpu.max", "max 100000\n"),
        ("sys/fs/cgroup/mine/memory.max", "max\n"),
    ]);
    let env = collect_from(&host);
    assert_eq!(env.facts["cgroup_version"], "v2");
    assert_eq!(env.facts["cgroup_cpu_quota_cores"], 1.5);
    assert_eq!(env.facts["cgroup_cpu_quota_ns"], 150_000_000);
    assert_eq!(env.facts["cgroup_cpu_period_ns"], 100_000_000);
    assert_eq!(env.facts["cgroup_memory_limit_bytes"], "unlimited");

    let v1 = "31 1 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
              32 1 0:28 /ctr /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
    let (_dir, host) = fake(&[
        ("proc/self/mountinfo", v1),
        ("proc/self/cgroup", "4:memory:/ctr/inner\n1:cpu:/elsewhere\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "4096\n"),
    ]);
    let env = collect_from(&host);
    assert_eq!(env.facts["cgroup_version"], "v1");
    assert_eq!(env.facts["cgroup_cpu_quota_cores"], "unlimited");
    assert_eq!(env.facts["cgroup_memory_limit_bytes"], 4096);
    assert!(env.unavailable.contains_key("cgroup_pids_limit"));
}

#[test]
fn tightest_quota_above_the_own_group_counts() {
    let quota = |groups: &[(&str, &str)], own: &str, mount: &str| {
        let mut files = vec![("proc/self/mountinfo", mount), ("proc/self/cgroup", own)];
        files.extend(groups);
        let (_dir, host) = fake(&files);
        let env = collect_from(&host);
        env.facts.get("cgroup_cpu_quota_cores").cloned().ok_or(env.unavailable)
    };
    let v2 = "30 1 0:26 / /c rw - cgroup2 cgroup2 rw\n";
    let above = [("c/a/cpu.max", "50000 100000"), ("c/a/b/cpu.max", "max 100000")];
    assert_eq!(quota(&above, "0::/a/b/leaf\n", v2).unwrap(), 0.5);
    let v1 = "31 1 0:27 / /c rw - cgroup cgroup rw,cpu\n";
    let both = [
        ("c/cpu.cfs_quota_us", "-1"),
        ("c/a/cpu.cfs_quota_us", "20000"),
        ("c/a/cpu.cfs_period_us", "100000"),
        ("c/a/b/cpu.cfs_quota_us", "300000"),
        ("c/a/b/cpu.cfs_period_us", "100000"),
    ];
    assert_eq!(quota(&both, "1:cpu:/a/b\n", v1).unwrap(), 0.2);
    assert_eq!(quota(&both[..1], "1:cpu:/\n", v1).unwrap(), "unlimited");
    let broken = [("c/cpu.max", "some 100000")];
    assert!(quota(&broken, "0::/\n", v2).is_err());
}
