//! Every runtime that is installed here: the same answers, the same clock, the same outcomes.
//!
//! Node.js, CPython and their packages are not part of a checkout; where one is missing, what
//! needs it is passed over with the reason.
use crate::common::runtimes::{Installed, installed};
use crate::common::{Heard, Subject, configure, configure_with, spec};
use forkbench::driver::target::TargetError;
use forkbench::protocol::{Configure, FLAG_MORE, FLAG_REAPS, Outcome, Stamps};
use forkbench::record::Status;
use forkbench::strategy::Kind;
use forkbench::workload::{self, Spec};

/// Every workload, as parameters that take little time. The first few, which differ in tasks,
/// payload and input, are run under every strategy; the others in the loop and as programs.
fn specs() -> Vec<(Spec, bool)> {
    let days = [("from", "2026-02-01"), ("to", "2026-02-28")];
    let no_days = [("from", "2027-01-01"), ("to", "2027-12-31")];
    let split = |how| [("chunks", "3"), ("split", how)];
    vec![
        (spec("noop", 70_000, &[]), true),
        (spec("random-sum", 0, &[]), true),
        (spec("primes", 0, &split("interleaved")), true),
        (spec("analytics", 0, &days), true),
        (spec("orders", 0, &[]), true),
        (spec("noop", 0, &[]), false),
        (spec("random-sum-native", 0, &[]), false),
        (spec("primes", 0, &[]), false),
        (spec("primes", 0, &split("contiguous")), false),
        (spec("analytics", 0, &no_days), false),
        (spec("spin", 0, &[("us", "2500"), ("steps_per_ms", "500001")]), false),
        (spec("sleep", 9, &[("us", "200")]), false),
    ]
}

/// One request's checksum, by whoever serves it.
fn checksum(subject: &mut Subject, spec: &Spec, arm: &str) -> u64 {
    let payload = vec![7; spec.payload_bytes as usize];
    let mut answer = subject.ask(7, &payload).unwrap();
    if answer.flags & FLAG_MORE != 0 {
        answer = subject.answer().unwrap();
    }
    let what = format!("{arm} {} {:?}", spec.workload, spec.options);
    assert_eq!(answer.outcome, Outcome::Ok, "{what}: {}", answer.reason());
    assert_eq!(answer.body, payload, "{what}");
    check_order(answer.reply.stamps, &what);
    answer.reply.checksum
}

fn check_order(s: Stamps, what: &str) {
    let order = [s.accepted, s.dispatched, s.child_start, s.work_start, s.work_end, s.replied];
    assert!(order.is_sorted() && order[0] > 0, "{what}: {order:?}");
}

/// The checksums of one runtime against those of Rust.
fn check_checksums(runtime: &str) {
    let installed = installed();
    let Some(one) = installed.iter().find(|one| one.runtime.name == runtime) else {
        return;
    };
    for (spec, everywhere) in specs() {
        let mut subject = Subject::start(&configure("blocking", &spec)).unwrap();
        let right = checksum(&mut subject, &spec, "rust blocking");
        subject.stop();
        for kind in one.strategies() {
            if !everywhere && !matches!(kind.name, "blocking" | "exec-file") {
                continue;
            }
            let mut subject = one.start(&configure(kind.name, &spec));
            let found = checksum(&mut subject, &spec, &one.arm(kind));
            let what = (&spec.workload, &spec.options);
            assert_eq!(found, right, "{}: {what:?}", one.arm(kind));
            subject.stop();
        }
    }
    let known: Vec<_> = specs().into_iter().map(|(spec, _)| spec.workload).collect();
    // What differs between runtimes, and what waits to be let go, has tests of its own.
    let comparable = |workload: &&&dyn workload::Workload| {
        !workload.is_fault() && !workload.holds() && workload.same_in_every_runtime()
    };
    for workload in workload::ALL.iter().filter(comparable) {
        let supported = one.runtime.supports(workload.name()).is_ok();
        let is_known = known.iter().any(|name| name == workload.name());
        assert_eq!(supported, is_known, "{} is not checked", workload.name());
    }
}

#[test]
fn node_gives_the_checksums_of_rust_under_every_strategy() {
    check_checksums("node");
}

#[test]
fn python_gives_the_checksums_of_rust_under_every_strategy() {
    check_checksums("python");
}

#[test]
fn stamps_are_of_the_drivers_clock_and_reapings_follow_answers() {
    for one in installed() {
        for kind in one.strategies() {
            let arm = one.arm(kind);
            let mut subject = one.start(&configure(kind.name, &spec("noop", 8, &[])));
            let ready = &subject.target.ready;
            // That READY was said between start and arrival, the target has checked itself.
            assert!(one.runtime.name.starts_with(&ready.runtime), "{arm}");
            assert!(!ready.versions[&ready.runtime].is_empty(), "{arm}");
            assert_eq!(ready.reaps, kind.reaps, "{arm}");
            assert!(ready.usage.cpu_user_ns > 0, "{arm}");
            for id in 1..=3_u64 {
                let sent = forkbench::sys::clock::now_ns();
                let answer = subject.ask(id, &id.to_le_bytes()).unwrap();
                let done = forkbench::sys::clock::now_ns();
                assert_eq!(answer.outcome, Outcome::Ok, "{arm}: {}", answer.reason());
                let s = answer.reply.stamps;
                check_order(s, &arm);
                assert!(sent <= s.accepted && s.replied <= done, "{arm}");
                assert_eq!(answer.flags & FLAG_REAPS != 0, kind.reaps, "{arm}");
                if kind.reaps {
                    assert!(matches!(subject.hear().unwrap(), Heard::Reaped(n) if n == id));
                }
            }
            let farewell = subject.stop();
            assert!(farewell.exit.usage.cpu_user_ns >= ready_user_ns(&farewell, kind), "{arm}");
            let stats = farewell.stats;
            let (started, peak) = (stats.children_started, stats.children_peak);
            let expected = match kind.name {
                "blocking" => (0, 0),
                "thread-pool" | "pool" | "prefork-pool" => (2, 2),
                // The child of one request may still be leaving when the next one's starts.
                _ => (3, peak.clamp(1, 3)),
            };
            assert_eq!((started, peak), expected, "{arm}");
        }
    }
}

/// As many children as there were pids, and those that were started last and had nothing to do.
#[test]
fn python_counts_the_workers_that_take_the_place_of_recycled_ones() {
    let Some(python) = installed().into_iter().find(|one| one.runtime.name == "python") else {
        return;
    };
    for name in ["pool", "prefork-pool"] {
        let options = [("workers", "2"), ("recycle_after", "3")];
        let configure = configure_with(name, &spec("noop", 0, &[]), &options);
        // CPython's executor may lose a request to a worker that leaves: it ends at its deadline.
        let configure = Configure { deadline_ms: 2_000, ..configure };
        let mut subject = python.start(&configure);
        let mut pids = std::collections::BTreeSet::new();
        for id in 1..=16 {
            let answer = subject.ask(id, &[]).unwrap();
            if answer.outcome == Outcome::Ok {
                pids.insert(answer.reply.child_pid);
            }
        }
        let stats = subject.stop().stats;
        let seen = pids.len() as u64;
        assert!(seen >= 4, "{name}: {pids:?}");
        assert!((seen..=seen + 4).contains(&stats.children_started), "{name}: {stats:?} {pids:?}");
        assert_eq!(stats.children_peak, 2, "{name}");
    }
}

/// What children of a task use is in what the subject used, because it has reaped them.
fn ready_user_ns(farewell: &forkbench::driver::target::Farewell, kind: &Kind) -> u64 {
    if kind.reaps { farewell.stats.children_started * 100_000 } else { 0 }
}

#[test]
fn nodes_own_view_of_its_event_loop_says_whether_it_was_blocked() {
    for one in installed() {
        // 0.2 s or more in Node.js; Python takes hundreds of times as long a step, and only has to
        // say that it has no such view.
        let us = if one.runtime.name == "python" { "1000" } else { "400000" };
        let spin = spec("spin", 0, &[("us", us), ("steps_per_ms", "500000")]);
        for strategy in ["blocking", "exec-file"] {
            let mut subject = one.start(&configure(strategy, &spin));
            let mut busy_ns = Vec::new();
            for id in 1..=3 {
                let answer = subject.ask(id, &[]).unwrap();
                assert_eq!(answer.outcome, Outcome::Ok, "{}", answer.reason());
                let stamps = answer.reply.stamps;
                busy_ns.push(stamps.work_end - stamps.work_start);
            }
            let seen = subject.stop().stats.event_loop;
            if one.runtime.name == "python" {
                assert_eq!(seen, None);
                continue;
            }
            let seen = seen.unwrap();
            let arm = (one.runtime.name, strategy, seen);
            assert!(seen.delay_p50_ns <= seen.delay_p99_ns, "{arm:?}");
            assert!(seen.delay_p99_ns <= seen.delay_max_ns, "{arm:?}");
            if strategy == "blocking" {
                // A timer that came due while the loop was blocked came that much later, but for
                // its own interval.
                let shortest_ns = busy_ns.iter().min().unwrap();
                assert!(seen.delay_max_ns + 20_000_000 >= *shortest_ns, "{arm:?} {busy_ns:?}");
                assert!(seen.active_ns >= busy_ns.iter().sum(), "{arm:?} {busy_ns:?}");
            } else {
                // A third of the time that the children were busy, at the least.
                assert!(3 * seen.idle_ns >= busy_ns.iter().sum(), "{arm:?} {busy_ns:?}");
            }
        }
    }
}

#[test]
fn many_requests_at_once_are_each_answered_once() {
    for one in installed() {
        for kind in one.strategies() {
            let mut subject = one.start(&configure(kind.name, &spec("noop", 8, &[])));
            for id in 1..=12_u64 {
                subject.target.push_run(id, &[&id.to_le_bytes()]);
            }
            subject.target.flush().unwrap();
            let mut answered = Vec::new();
            while answered.len() < 12 {
                let answer = subject.answer().unwrap();
                assert_eq!(answer.body, answer.id.to_le_bytes(), "{}", one.arm(kind));
                answered.push(answer.id);
            }
            answered.sort_unstable();
            assert!(answered.into_iter().eq(1..=12), "{}", one.arm(kind));
            subject.stop();
        }
    }
}

#[test]
fn large_payloads_come_back_whole() {
    let payload: Vec<u8> = (0..3_000_001).map(|i| (i % 251) as u8).collect();
    for one in installed() {
        for kind in one.strategies() {
            for serialization in ["json", "advanced"] {
                let takes = |name| kind.options.iter().any(|def| def.name == name);
                let options: &[_] = match takes("serialization") {
                    true => &[("serialization", serialization)],
                    false if serialization == "advanced" => continue,
                    false => &[],
                };
                let spec = spec("noop", payload.len() as u64, &[]);
                let mut subject = one.start(&configure_with(kind.name, &spec, options));
                let answer = subject.ask(1, &payload).unwrap();
                let arm = one.arm(kind);
                assert_eq!(answer.outcome, Outcome::Ok, "{arm}: {}", answer.reason());
                assert!(answer.body == payload, "{arm}: another payload");
                subject.stop();
            }
        }
    }
}

#[test]
fn pythons_other_start_method_answers_too() {
    let installed = installed();
    let python = installed.iter().find(|one| one.runtime.name == "python");
    let Some(python) = python else { return };
    let noop = spec("noop", 8, &[]);
    let options = [("start_method", "forkserver")];
    let mut subject = python.start(&configure_with("fork-ipc", &noop, &options));
    let answer = subject.ask(1, b"12345678").unwrap();
    assert_eq!(answer.outcome, Outcome::Ok, "{}", answer.reason());
    subject.stop();
}

/// Children that can be killed alone: processes, and Node's threads.
fn is_isolated(one: &Installed, kind: &Kind) -> bool {
    match kind.name {
        "blocking" | "thread-pool" => false,
        "thread" => one.runtime.name != "python",
        _ => true,
    }
}

#[test]
fn the_main_loop_stays_free_and_the_deadline_ends_what_hangs() {
    let hang = spec("fault", 0, &[("kind", "hang")]);
    for one in installed() {
        for kind in one.strategies() {
            if kind.name == "blocking" {
                continue;
            }
            let arm = one.arm(kind);
            let mut subject =
                one.start(&Configure { deadline_ms: 700, ..configure(kind.name, &hang) });
            (1..=3).for_each(|id| subject.run(id, &[]));
            subject.light(77);
            // Nothing is heard before the probe is answered: the loop did not wait for the heavy
            // ones.
            assert!(matches!(subject.hear().unwrap(), Heard::Light(77)), "{arm}");
            let outcomes: Vec<_> = (0..3)
                .map(|_| {
                    let answer = subject.answer().unwrap();
                    (answer.outcome, answer.reason())
                })
                .collect();
            // Python's own pools can only be replaced as a whole.
            let replaced = one.runtime.name == "python" && kind.name.contains("pool");
            for (outcome, reason) in outcomes {
                let right = outcome == Outcome::Timeout
                    || replaced && outcome == Outcome::Crash && reason.contains("replaced");
                assert!(right, "{arm}: {outcome:?} {reason}");
            }
            if is_isolated(&one, kind) {
                subject.stop();
            }
        }
    }
}

#[test]
fn a_child_that_fails_is_an_outcome_and_the_next_request_is_served() {
    for one in installed() {
        for kind in one.strategies() {
            if !is_isolated(&one, kind) {
                continue;
            }
            for fault in ["error", "panic", "exit", "abort", "segfault"] {
                // A signal to a thread is one to its process.
                if kind.name == "thread" && matches!(fault, "abort" | "segfault") {
                    continue;
                }
                let arm = format!("{} {fault}", one.arm(kind));
                // multiprocessing.Pool loses the task of a worker that dies.
                let lost = (one.runtime.name, kind.name) == ("python", "prefork-pool")
                    && !matches!(fault, "error" | "panic");
                let outcome = match fault {
                    "error" => Outcome::AppError,
                    _ if lost => Outcome::Timeout,
                    _ => Outcome::Crash,
                };
                let mut subject = one.start(&Configure {
                    deadline_ms: if lost { 500 } else { 30_000 },
                    ..configure(kind.name, &spec("fault", 0, &[("kind", fault)]))
                });
                for id in 1..=2 {
                    let answer = subject.ask(id, &[]).unwrap();
                    assert_eq!(answer.outcome, outcome, "{arm}: {}", answer.reason());
                    assert!(!answer.body.is_empty(), "{arm}: no reason");
                }
                subject.stop();
            }
        }
    }
}

#[test]
fn what_dies_in_the_event_loop_takes_the_subject_with_it() {
    for one in installed() {
        for (fault, how) in [
            ("exit", "exited with 3"),
            ("abort", "was ended by signal 6"),
            ("segfault", "was ended by signal 11"),
        ] {
            let fault = spec("fault", 0, &[("kind", fault)]);
            let mut subject = one.start(&configure("blocking", &fault));
            match subject.ask(1, &[]) {
                Err(TargetError::Gone { how: said, .. }) => assert_eq!(said, how),
                other => panic!("{} {how}: {other:?}", one.runtime.name),
            }
        }
    }
}

#[test]
fn a_full_queue_rejects() {
    let hang = spec("fault", 0, &[("kind", "hang")]);
    for one in installed() {
        for kind in one.strategies() {
            if !matches!(kind.name, "pool" | "prefork-pool") {
                continue;
            }
            let options = [("workers", "1"), ("queue", "2")];
            let mut subject = one.start(&Configure {
                deadline_ms: 500,
                ..configure_with(kind.name, &hang, &options)
            });
            (1..=4).for_each(|id| subject.target.push_run(id, &[]));
            subject.target.flush().unwrap();
            let answer = subject.answer().unwrap();
            let found = (answer.id, answer.outcome);
            assert_eq!(found, (4, Outcome::Rejected), "{}", one.arm(kind));
        }
    }
}

#[test]
fn programs_that_misbehave_have_the_outcomes_they_have_under_rust() {
    for one in installed() {
        for kind in one.strategies() {
            if !matches!(kind.name, "spawn" | "exec-file" | "exec") {
                continue;
            }
            for (how, deadline_ms, outcome, reason) in [
                ("exit-early", 30_000, Outcome::Crash, "exited with 3"),
                ("exit-early", 30_000, Outcome::Crash, "cannot go on"),
                ("hang", 300, Outcome::Timeout, "no answer within 300 ms"),
                ("garbage", 30_000, Outcome::AppError, "this is no answer"),
                ("wrong-id", 30_000, Outcome::AppError, "answered request 999999"),
                ("half-an-answer", 30_000, Outcome::Crash, "before it had answered"),
            ] {
                let dir = tempfile::tempdir().unwrap();
                let program = crate::common::misbehaving(dir.path(), how);
                let mut subject = one.start(&Configure {
                    child_program: Some(program.clone()),
                    deadline_ms,
                    ..configure(kind.name, &spec("noop", 0, &[]))
                });
                let answer = subject.ask(5, &[]).unwrap();
                let said = answer.reason();
                subject.stop();
                let arm = format!("{} {how}", one.arm(kind));
                assert_eq!(answer.outcome, outcome, "{arm}: {said}");
                assert!(said.contains(reason), "{arm}: {said}");
                assert_eq!(crate::common::processes_with(&program), [""; 0], "{arm}");
            }
        }
    }
}

#[test]
fn a_runtime_that_is_missing_is_rows_that_say_what_to_install() {
    const EXPERIMENT: &str = "
        name = 'missing'
        question = 'And without?'
        [[family]]
        workload = 'noop'
        runtime = ['rust', 'node']
        strategy = ['blocking', 'pool', 'fork']
        load = { closed = { callers = 1 } }";
    let dir = tempfile::tempdir().unwrap();
    let (experiment, out) = (dir.path().join("missing.toml"), dir.path().join("out"));
    std::fs::write(&experiment, EXPERIMENT).unwrap();
    let status = std::process::Command::new(crate::common::FORKBENCH)
        .args(["run", "--preset", "smoke", "--budget", "10m", "--quiet", "--out"])
        .args([&out, &experiment])
        .env("FORKBENCH_NODE", "/nonexistent/node")
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let run = forkbench::record::read(&out).unwrap();
    let rows = |runtime: &str| {
        let all = run.trials.iter().filter(|row| row.runtime == runtime);
        all.cloned().collect::<Vec<_>>()
    };
    assert!(rows("rust").iter().all(|row| row.status == Status::Ok));
    let missing = rows("node");
    assert_eq!(missing.len(), 4);
    for row in missing {
        assert_eq!(row.status, Status::Skipped);
        let reason = match row.strategy.as_str() {
            "fork" => "Node.js cannot fork",
            _ => "install Node.js 20 or later, or name it in FORKBENCH_NODE",
        };
        assert!(row.reason.contains(reason), "{}", row.reason);
    }
}

/// CPU that a subject uses per request of `spin` with so many workers, all on one core.
fn cpu_per_spin_ns(
    start: impl Fn(&Configure) -> Subject,
    (strategy, workers): (&str, u64),
    steps_per_ms: &str,
) -> u64 {
    const REQUESTS: u64 = 24;
    let spin = spec("spin", 0, &[("us", "20000"), ("steps_per_ms", steps_per_ms)]);
    let options = [("workers", workers.to_string())];
    let options: Vec<(&str, &str)> = options.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let mut subject = start(&configure_with(strategy, &spin, &options));
    // Each worker has its code ready before CPU is counted.
    let ask_all = |subject: &mut Subject, ids: std::ops::Range<u64>| {
        ids.clone().for_each(|id| subject.run(id, &[]));
        let mut sums: Vec<u64> = ids.map(|_| checksum_of(subject)).collect();
        sums.dedup();
        assert_eq!(sums.len(), 1, "every request does the same work");
    };
    ask_all(&mut subject, 1..2 * workers + 1);
    let before = subject_cpu_ns(&subject);
    ask_all(&mut subject, 100..100 + REQUESTS);
    let after = subject_cpu_ns(&subject);
    subject.stop();
    (after - before) / REQUESTS
}

fn checksum_of(subject: &mut Subject) -> u64 {
    let answer = subject.answer().unwrap();
    assert_eq!(answer.outcome, Outcome::Ok, "{}", answer.reason());
    answer.reply.checksum
}

/// CPU of the subject's process and its children so far, in ns.
fn subject_cpu_ns(subject: &Subject) -> u64 {
    let pid = subject.target.ready.pid;
    let children =
        std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten().flat_map(|t| {
            let text = std::fs::read_to_string(t.path().join("children")).unwrap_or_default();
            text.split_whitespace().map(|pid| pid.parse::<u32>().unwrap()).collect::<Vec<_>>()
        });
    let threads = children.chain([pid]).flat_map(|pid| {
        std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten().map(|task| task.path())
    });
    let cpu = threads.map(|task| {
        let text = std::fs::read_to_string(task.join("schedstat")).unwrap_or_default();
        text.split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0)
    });
    cpu.sum()
}

#[test]
fn workers_that_share_a_core_do_as_much_work_as_one_alone() {
    use forkbench::sys::affinity;
    // This test's thread alone, and what it starts.
    let core = affinity::allowed().unwrap()[0];
    affinity::restrict(&[core]).unwrap();
    let rust = |configure: &Configure| Subject::start(configure).unwrap();
    let check = |what: &str, cpu: &dyn Fn(u64) -> u64| {
        let (one, eight) = (cpu(1), cpu(8));
        assert!(10 * eight >= 8 * one, "{what}: {eight} ns of CPU where one worker needs {one}");
    };
    check("rust", &|workers| cpu_per_spin_ns(rust, ("thread-pool", workers), "500000"));
    for one in installed() {
        if one.missing("pool", "spin").is_some() {
            continue;
        }
        let steps = if one.runtime.name == "python" { "5000" } else { "500000" };
        let cpu =
            |workers| cpu_per_spin_ns(|configure| one.start(configure), ("pool", workers), steps);
        check(one.runtime.name, &cpu);
    }
}
