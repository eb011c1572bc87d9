//! Memory trials, of real processes: known amounts in, the same amounts out.
//!
//! Each runs the built program, since a trial ends by killing whatever child its driver has.

use std::path::Path;
use std::process::Command;

use crate::common::runtimes::installed;
use crate::common::{FORKBENCH, Subject, configure, spec};
use forkbench::driver::cgroup::TrialGroup;
use forkbench::protocol::{Configure, Outcome};
use forkbench::record::{self, MemoryRow, Phase, ProcessRole, Status, TrialRow};

const MIB: u64 = 1 << 20;

/// What a run of these families recorded. `limits` is what a shell sets before.
fn run(families: &str, limits: &str) -> (Vec<MemoryRow>, Vec<TrialRow>) {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("memory.toml"), dir.path().join("out"));
    let head = "name = \"memory-test\"\nquestion = \"How much?\"\n";
    std::fs::write(&file, format!("{head}{families}")).unwrap();
    let said = Command::new("/bin/sh")
        .arg("-c")
        .arg(format!("{limits} exec \"$0\" run \"$1\" --preset smoke --quiet --out \"$2\""))
        .args([Path::new(FORKBENCH), &file, &out])
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let run = record::read(&out).unwrap();
    assert_eq!(run.remarks, [""; 0]);
    (run.memory, run.trials)
}

fn family(options: &str, strategies: &str, ballast_mib: &str, children: &str) -> String {
    format!(
        "[[family]]\nworkload = \"hold\"\noptions = {{ {options} }}\nstrategy = [{strategies}]\n\
         ballast_mib = {ballast_mib}\nload = {{ memory = {{ children = {children} }} }}\n"
    )
}

/// The rows of these roles at this phase.
fn at<'a>(rows: &'a [MemoryRow], phase: &str, strategy: &str, role: &str) -> Vec<&'a MemoryRow> {
    let wanted = |row: &&MemoryRow| {
        row.phase.name() == phase
            && row.strategy == strategy
            && row.role.name() == role
            && row.status == Status::Ok
    };
    rows.iter().filter(wanted).collect()
}

/// Of one row each for the options in the order of the file.
fn by_option(rows: &[&MemoryRow], option: &str, of: fn(&MemoryRow) -> Option<u64>) -> Vec<u64> {
    let found = rows.iter().filter(|row| row.workload_options.contains(option));
    found.map(|row| of(row).unwrap()).collect()
}

fn near(found: u64, expected: u64, tolerance: u64) -> bool {
    found.abs_diff(expected) <= tolerance
}

#[test]
fn a_child_that_touches_n_mib_has_n_mib_of_its_own() {
    let families = family("touch_mib = [0, 8, 64, 512]", "\"spawn\", \"fork\"", "0", "1");
    let (rows, _) = run(&families, "");
    for strategy in ["spawn", "fork"] {
        let held = at(&rows, "held", strategy, "child");
        let uss = |mib: u64| by_option(&held, &format!("touch_mib={mib};"), |row| row.uss_bytes);
        let bare = uss(0)[0];
        for mib in [8, 64, 512] {
            let (found, expected) = (uss(mib)[0] - bare, mib * MIB);
            let tolerance = (expected / 100).max(256 << 10);
            assert!(near(found, expected, tolerance), "{strategy} {mib} MiB: {found}");
        }
    }
}

#[test]
fn copies_share_until_they_write_and_resident_sizes_count_what_they_share_each_time() {
    let (rows, _) = run(&family("write_mib = [0, 64]", "\"fork\"", "256", "4"), "");
    let trees = at(&rows, "held", "fork", "tree");
    let pss = |option: &str| by_option(&trees, option, |row| row.pss_bytes)[0];
    let (shared, written) = (pss("write_mib=0"), pss("write_mib=64"));
    assert!(near(shared, 256 * MIB, 256 * MIB / 50), "{shared}");
    assert!(near(written, 512 * MIB, 512 * MIB / 50), "{written}");
    let naive = by_option(&trees, "write_mib=0", |row| row.rss_bytes)[0];
    assert!(near(naive, 1280 * MIB, 1280 * MIB / 50), "{naive}");
    let children = at(&rows, "held", "fork", "child");
    let own = by_option(&children, "write_mib=64", |row| row.uss_bytes);
    assert_eq!(own.len(), 4);
    assert!(own.iter().all(|&uss| near(uss, 64 * MIB, MIB)), "{own:?}");
    assert_eq!(at(&rows, "held", "fork", "helper").len(), 2, "a fork server per trial");
}

/// Where a child's peak is asked of `wait4`, it is that of the largest process before it.
#[test]
fn a_child_s_peak_is_its_own_and_neither_its_predecessor_s_nor_its_parent_s() {
    let families = [
        family("touch_mib = [128, 8, 0]", "\"spawn\"", "0", "1"),
        family("touch_mib = 4", "\"spawn\"", "[0, 1024]", "1"),
    ];
    let (rows, _) = run(&families.concat(), "");
    let held = at(&rows, "held", "spawn", "child");
    let peak = |mib: u64, ballast_mib: u64| {
        let option = format!("touch_mib={mib};");
        let mut rows = held.iter();
        let row = rows.find(|row| {
            row.workload_options.contains(&option) && row.ballast_bytes == ballast_mib * MIB
        });
        row.unwrap().vmhwm_bytes.unwrap()
    };
    // What the program is without touching anything depends on how it was built, and varies a
    // little with how the kernel maps its file.
    let bare = peak(0, 0);
    for (mib, ballast_mib) in [(128, 0), (8, 0), (4, 0), (4, 1024)] {
        let found = peak(mib, ballast_mib).saturating_sub(bare);
        assert!(near(found, mib * MIB, MIB), "{mib} under {ballast_mib} MiB: {found} over {bare}");
    }
}

#[test]
fn every_strategy_holds_as_many_as_were_asked_for() {
    let (rows, trials) = run(&family("touch_mib = 0", "\"*\"", "0", "[0, 3]"), "");
    for trial in &trials {
        let said = (&trial.strategy, &trial.family_id, &trial.reason, &trial.flags);
        let blocking = trial.strategy == "blocking" && trial.family_id.contains("memory3");
        assert_eq!(trial.status.name(), if blocking { "skipped" } else { "ok" }, "{said:?}");
        assert_eq!(trial.flags, "", "{said:?}");
    }
    for (strategy, phase, role) in [
        ("spawn", "held", "child"),
        ("exec", "held", "child"),
        ("exec-file", "held", "child"),
        ("fork-ipc", "held", "child"),
        ("fork", "held", "child"),
        ("pool", "idle", "worker"),
        ("pool", "first", "worker"),
        ("pool", "hundred", "worker"),
        ("prefork-pool", "idle", "worker"),
    ] {
        let found = at(&rows, phase, strategy, role);
        assert_eq!(found.len(), 3, "{strategy}");
        assert!(found.iter().all(|row| row.k == 3 && row.uss_bytes > Some(0)));
    }
    for (strategy, phase) in [("thread", "held"), ("thread-pool", "idle")] {
        let parents = at(&rows, phase, strategy, "parent");
        let threads: Vec<_> = parents.iter().map(|row| (row.k, row.threads)).collect();
        assert!(threads.contains(&(3, Some(4))), "{strategy}: {threads:?}");
    }
    assert_eq!(at(&rows, "held", "exec", "shell").len(), 3);
    let trees = rows.iter().filter(|row| row.role == ProcessRole::Tree && row.status == Status::Ok);
    for tree in trees {
        let own = rows.iter().filter(|row| {
            (&row.trial_id, row.snapshot) == (&tree.trial_id, tree.snapshot)
                && row.role != ProcessRole::Tree
        });
        let pss: u64 = own.map(|row| row.pss_bytes.unwrap()).sum();
        // Of a tree without high-water mark the row of the peak is the highest look.
        assert!(tree.flags == "peak_sampled" || tree.pss_bytes == Some(pss), "{tree:?}");
        assert!(tree.cgroup_usage_bytes.is_some() || !tree.cgroup_reason.is_empty());
        let first = tree.k == 0 || tree.phase == Phase::Idle && tree.ready_all_ns.is_none();
        assert!(first || tree.ready_all_ns.is_some_and(|ns| ns > 0) || tree.strategy == "blocking");
    }
}

/// The children of a strategy that can be seen as processes: at which phase all are there, and
/// what they are called.
fn processes_of(strategy: &str) -> Option<(&'static str, &'static str)> {
    match strategy {
        "spawn" | "exec" | "exec-file" | "fork-ipc" | "fork" => Some(("held", "child")),
        "pool" | "prefork-pool" => Some(("idle", "worker")),
        _ => None,
    }
}

#[test]
fn every_strategy_of_node_holds_two_children_that_have_what_they_touched() {
    check_runtime("node");
}

#[test]
fn every_strategy_of_python_holds_two_children_that_have_what_they_touched() {
    check_runtime("python");
}

fn check_runtime(runtime: &str) {
    const TOUCHED: u64 = 64 * MIB;
    let installed = installed();
    let Some(one) = installed.iter().find(|one| one.runtime.name == runtime) else {
        return;
    };
    let kinds = one.strategies().into_iter();
    let names: Vec<_> = kinds.map(|kind| kind.name).collect();
    let listed: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
    let families = family("touch_mib = [0, 64]", &listed.join(", "), "0", "2");
    let (rows, trials) = run(&format!("{families}runtime = \"{runtime}\"\n"), "");
    for trial in trials.iter().filter(|trial| trial.strategy != "blocking") {
        let said = (&trial.strategy, &trial.reason);
        assert_eq!(trial.status, Status::Ok, "{said:?}");
    }
    for row in rows.iter().filter(|row| row.strategy != "blocking") {
        assert_eq!(row.status, Status::Ok, "{row:?}");
    }
    for strategy in names {
        let Some((phase, role)) = processes_of(strategy) else {
            continue;
        };
        let found = at(&rows, phase, strategy, role);
        let uss = |mib: u64| {
            let mut own = by_option(&found, &format!("touch_mib={mib};"), |row| row.uss_bytes);
            assert_eq!(own.len(), 2, "{strategy}");
            own.sort_unstable();
            own
        };
        let (bare, touched) = (uss(0), uss(64));
        // Workers are looked at while they hold nothing.
        assert!(
            role == "worker" || near(touched[0] - bare[0], TOUCHED, TOUCHED / 100),
            "{strategy}: {bare:?}, {touched:?}"
        );
    }
}

/// What a worker costs is what makes pools of a hundred possible.
#[test]
fn a_worker_among_a_hundred_has_little_of_its_own() {
    let families = family("touch_mib = 0", "\"pool\"", "0", "100");
    let (rows, _) = run(&families, "");
    let workers = at(&rows, "idle", "pool", "worker");
    let mut own: Vec<u64> = workers.iter().map(|row| row.uss_bytes.unwrap()).collect();
    own.sort_unstable();
    assert_eq!(own.len(), 100);
    assert!(own[50] <= 150_000, "{own:?}");
}

#[test]
fn what_is_beyond_a_limit_is_refused_with_its_name_and_value_before_the_first_child() {
    let families = family("touch_mib = 0", "\"spawn\", \"pool\"", "0", "[2, 100]");
    let (rows, trials) = run(&families, "ulimit -n 400;");
    for trial in trials.iter().filter(|trial| trial.strategy != "blocking") {
        let beyond = trial.family_id.contains("memory100");
        assert_eq!(trial.status.name(), if beyond { "skipped" } else { "ok" }, "{}", trial.reason);
        let named = trial.reason.contains("RLIMIT_NOFILE (ulimit -Hn) allows 400");
        assert_eq!(named, beyond, "{}", trial.reason);
    }
    let refused: Vec<_> = rows.iter().filter(|row| row.status == Status::Skipped).collect();
    assert!(refused.iter().any(|row| row.reason.contains("before the first child")));
    assert!(refused.iter().all(|row| row.pid == 0 && row.rss_bytes.is_none()));
}

#[test]
fn a_peak_of_five_milliseconds_in_a_grandchild_is_seen() {
    let python = Command::new("python3").arg("--version").output();
    let groups: Vec<_> = ["warm", "bare", "peak"].map(TrialGroup::create).into();
    if let (true, _) | (_, Some(Err(_))) = (python.is_err(), groups.first()) {
        eprintln!("passed over: {python:?}, {:?}", groups.first());
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/short_peak.py");
    // Files are charged to whoever reads them first: that is what the first group is there for.
    let peaks = groups.into_iter().zip(["warm-0", "bare-0", "peak-200"]);
    let peaks = peaks.map(|(group, name)| {
        let group = group.unwrap();
        let program = dir.path().join(name);
        std::os::unix::fs::symlink(&script, &program).unwrap();
        let configure = Configure {
            child_program: Some(program.to_string_lossy().into_owned()),
            ..configure("spawn", &spec("noop", 0, &[]))
        };
        let command = group.joined(&[crate::common::SUBJECT.into()]);
        let mut subject = Subject::start_program(&command, &configure).unwrap();
        let answer = subject.ask(1, &[]).unwrap();
        assert_eq!(answer.outcome, Outcome::Ok, "{}", answer.reason());
        subject.stop();
        let peak = group.charge().peak_bytes.unwrap();
        let path = group.dir.clone();
        assert!(path.is_dir());
        group.remove().unwrap();
        assert!(!path.exists());
        peak
    });
    let peaks: Vec<u64> = peaks.collect();
    let found = peaks[2] - peaks[1];
    assert!(near(found, 200 * MIB, 4 * MIB), "{peaks:?}");
}
