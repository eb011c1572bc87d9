//! Every strategy against a real subject: right answers, a free main loop, deadlines, crashes.
use crate::common::{Heard, Subject, configure, configure_with, spec};
use forkbench::driver::target::TargetError;
use forkbench::protocol::{FLAG_MORE, FLAG_REAPS, Outcome};
use forkbench::strategy;
use forkbench::sys::process;

/// Strategies whose children are processes, so that a child's death is not the subject's.
const ISOLATED: [&str; 7] =
    ["spawn", "exec", "exec-file", "fork-ipc", "fork", "pool", "prefork-pool"];

#[test]
fn every_strategy_echoes_every_payload() {
    for kind in strategy::ALL {
        // Around 4 KiB, `fork` goes from messages to a socket, and its answers to two messages.
        for len in [0_usize, 1, 64, 4_064, 4_065, 65_536, 3_000_001] {
            let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let mut subject =
                Subject::start(&configure(kind.name, &spec("noop", len as u64, &[]))).unwrap();
            for id in 1..=2 {
                let answer = subject.ask(id, &payload).unwrap();
                assert_eq!(answer.outcome, Outcome::Ok, "{} {len}: {}", kind.name, answer.reason());
                assert_eq!(answer.id, id);
                assert!(answer.body == payload, "{} {len}: another payload", kind.name);
                assert_eq!(answer.reply.checksum, len as u64);
            }
            subject.stop();
        }
    }
}

#[test]
fn every_strategy_gives_the_same_checksums_and_orders_its_stamps() {
    for (workload, options) in [
        ("random-sum", vec![]),
        ("primes", vec![]),
        ("primes", vec![("chunks", "3"), ("split", "contiguous")]),
        ("primes", vec![("chunks", "3"), ("split", "interleaved")]),
    ] {
        let spec = spec(workload, 0, &options);
        let mut checksums = Vec::new();
        for kind in strategy::ALL {
            let mut subject = Subject::start(&configure(kind.name, &spec)).unwrap();
            let answer = subject.ask(7, &[]).unwrap();
            assert_eq!(answer.outcome, Outcome::Ok, "{}: {}", kind.name, answer.reason());
            let s = answer.reply.stamps;
            let order =
                [s.accepted, s.dispatched, s.child_start, s.work_start, s.work_end, s.replied];
            assert!(order.is_sorted() && order[0] > 0, "{} {workload}: {order:?}", kind.name);
            assert_eq!(answer.flags & FLAG_REAPS != 0, kind.reaps, "{}", kind.name);
            if kind.reaps {
                assert!(matches!(subject.hear().unwrap(), Heard::Reaped(7)), "{}", kind.name);
            }
            checksums.push(answer.reply.checksum);
            subject.stop();
        }
        checksums.dedup();
        assert_eq!(checksums.len(), 1, "{workload} {options:?}");
        if workload == "primes" {
            assert_eq!(checksums[0], 1_229);
        }
    }
}

#[test]
fn many_requests_at_once_are_each_answered_once() {
    for kind in strategy::ALL {
        let mut subject = Subject::start(&configure(kind.name, &spec("noop", 8, &[]))).unwrap();
        for id in 1..=40_u64 {
            subject.target.push_run(id, &[&id.to_le_bytes()]);
        }
        subject.target.flush().unwrap();
        let mut answered = Vec::new();
        while answered.len() < 40 {
            let answer = subject.answer().unwrap();
            assert_eq!(answer.body, answer.id.to_le_bytes(), "{}", kind.name);
            answered.push(answer.id);
        }
        answered.sort_unstable();
        assert!(answered.into_iter().eq(1..=40), "{}", kind.name);
        subject.stop();
    }
}

#[test]
fn the_main_loop_stays_free_and_the_deadline_ends_what_hangs() {
    let hang = spec("fault", 0, &[("kind", "hang")]);
    for name in ISOLATED {
        let mut subject = Subject::start(&forkbench::protocol::Configure {
            deadline_ms: 400,
            ..configure(name, &hang)
        })
        .unwrap();
        subject.run(1, &[]);
        subject.run(2, &[]);
        subject.run(3, &[]);
        subject.light(77);
        // Nothing is heard before the probe is answered: the loop did not wait for the heavy ones.
        assert!(matches!(subject.hear().unwrap(), Heard::Light(77)), "{name}");
        for _ in 0..3 {
            let answer = subject.answer().unwrap();
            assert_eq!(answer.outcome, Outcome::Timeout, "{name}: {}", answer.reason());
        }
        subject.stop();
    }
}

#[test]
fn threads_leave_the_main_loop_free_and_blocking_does_not() {
    let work = spec("primes", 0, &[]);
    for (name, free) in [("thread", true), ("thread-pool", true), ("blocking", false)] {
        let mut subject = Subject::start(&configure(name, &work)).unwrap();
        // Enough work that a probe behind it cannot be answered first by luck.
        for id in 1..=200 {
            subject.target.push_run(id, &[]);
        }
        subject.target.push_light(77);
        subject.target.flush().unwrap();
        let mut before = 0;
        while let Heard::Answer(_) = subject.hear().unwrap() {
            before += 1;
        }
        assert_eq!(before < 200, free, "{name}: {before} answers before the probe's");
        for _ in before..200 {
            subject.answer().unwrap();
        }
        subject.stop();
    }
}

#[test]
fn a_child_that_fails_is_an_outcome_and_the_next_request_is_served() {
    for name in ISOLATED {
        for (kind, outcome) in [
            ("error", Outcome::AppError),
            ("panic", Outcome::Crash),
            ("exit", Outcome::Crash),
            ("abort", Outcome::Crash),
            ("segfault", Outcome::Crash),
        ] {
            let fault = spec("fault", 0, &[("kind", kind)]);
            let mut subject = Subject::start(&configure(name, &fault)).unwrap();
            for id in 1..=3 {
                let answer = subject.ask(id, &[]).unwrap();
                assert_eq!(answer.outcome, outcome, "{name} {kind}: {}", answer.reason());
                assert!(!answer.body.is_empty(), "{name} {kind}: no reason");
            }
            subject.stop();
        }
    }
}

#[test]
fn what_threads_survive_and_what_takes_the_subject_with_it() {
    for name in ["blocking", "thread", "thread-pool"] {
        for (kind, outcome) in [("error", Outcome::AppError), ("panic", Outcome::Crash)] {
            let fault = spec("fault", 0, &[("kind", kind)]);
            let mut subject = Subject::start(&configure(name, &fault)).unwrap();
            for id in 1..=2 {
                assert_eq!(subject.ask(id, &[]).unwrap().outcome, outcome, "{name} {kind}");
            }
            subject.stop();
        }
        for (kind, how) in [
            ("exit", "exited with 3"),
            ("abort", "was ended by signal 6"),
            ("segfault", "was ended by signal 11"),
        ] {
            let fault = spec("fault", 0, &[("kind", kind)]);
            let mut subject = Subject::start(&configure(name, &fault)).unwrap();
            match subject.ask(1, &[]) {
                Err(TargetError::Gone { how: said, .. }) => assert_eq!(said, how, "{name} {kind}"),
                other => panic!("{name} {kind}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_thread_that_hangs_is_answered_for() {
    let hang = spec("fault", 0, &[("kind", "hang")]);
    for name in ["thread", "thread-pool"] {
        let configure =
            forkbench::protocol::Configure { deadline_ms: 200, ..configure(name, &hang) };
        let mut subject = Subject::start(&configure).unwrap();
        assert_eq!(subject.ask(1, &[]).unwrap().outcome, Outcome::Timeout, "{name}");
        // It cannot be killed alone: the subject is, with it.
    }
}

#[test]
fn a_full_queue_rejects() {
    let hang = spec("fault", 0, &[("kind", "hang")]);
    for name in ["pool", "prefork-pool"] {
        let options = [("workers", "1"), ("queue", "2")];
        let configure = forkbench::protocol::Configure {
            deadline_ms: 500,
            ..configure_with(name, &hang, &options)
        };
        let mut subject = Subject::start(&configure).unwrap();
        (1..=4).for_each(|id| subject.target.push_run(id, &[]));
        subject.target.flush().unwrap();
        let answer = subject.answer().unwrap();
        assert_eq!((answer.id, answer.outcome), (4, Outcome::Rejected), "{name}");
        for _ in 0..3 {
            assert_eq!(subject.answer().unwrap().outcome, Outcome::Timeout, "{name}");
        }
        subject.stop();
    }
}

#[test]
fn workers_are_recycled_when_asked() {
    for name in ["pool", "prefork-pool"] {
        let options = [("workers", "1"), ("recycle_after", "3")];
        let noop = spec("noop", 0, &[]);
        let mut subject = Subject::start(&configure_with(name, &noop, &options)).unwrap();
        let pids: Vec<u32> =
            (1..=9).map(|id| subject.ask(id, &[]).unwrap().reply.child_pid).collect();
        for three in pids.chunks(3) {
            assert!(three.iter().all(|pid| pid == &three[0]), "{name}: {pids:?}");
        }
        assert!(pids[0] != pids[3] && pids[3] != pids[6], "{name}: {pids:?}");
        assert_eq!(subject.stop().stats.children_started, 4, "{name}");
    }
}

#[test]
fn a_pool_spreads_over_its_workers_and_lives_as_long_as_the_subject() {
    for name in ["pool", "prefork-pool"] {
        let noop = spec("random-sum", 0, &[]);
        let options = [("workers", "3")];
        let mut subject = Subject::start(&configure_with(name, &noop, &options)).unwrap();
        (1..=30).for_each(|id| subject.target.push_run(id, &[]));
        subject.target.flush().unwrap();
        let mut pids: Vec<u32> =
            (0..30).map(|_| subject.answer().unwrap().reply.child_pid).collect();
        pids.sort_unstable();
        pids.dedup();
        assert!(pids.len() <= 3, "{name}: {pids:?}");
        let stats = subject.stop().stats;
        assert_eq!((stats.children_started, stats.children_peak), (3, 3), "{name}");
    }
}

#[test]
fn an_order_is_accepted_at_once_and_completed_when_its_last_task_is() {
    for kind in strategy::ALL {
        let orders = spec("orders", 0, &[]);
        let mut subject = Subject::start(&configure(kind.name, &orders)).unwrap();
        subject.run(1, &[]);
        let first = subject.answer().unwrap();
        assert_eq!(first.flags, FLAG_MORE, "{}", kind.name);
        let last = subject.answer().unwrap();
        assert_eq!((last.id, last.flags & FLAG_MORE), (1, 0), "{}", kind.name);
        assert_eq!(last.outcome, Outcome::Ok, "{}: {}", kind.name, last.reason());
        let (accepted, completed) = (first.reply.stamps, last.reply.stamps);
        assert_eq!(accepted.accepted, completed.accepted);
        assert!(accepted.replied <= completed.work_start, "{}", kind.name);
        subject.stop();
    }
}

/// Signals that come together show as one: whoever reaps once for each reaps too few.
#[test]
fn children_that_end_together_are_all_reaped() {
    const CHILDREN: u64 = 8;
    let hang = spec("fault", 0, &[("kind", "hang")]);
    let mut subject = Subject::start(&configure("fork", &hang)).unwrap();
    for id in 1..=CHILDREN {
        subject.run(id, b"");
    }
    let [server] = children_of(subject.target.pid())[..] else {
        panic!("a subject of `fork` has one child");
    };
    wait_until(|| children_of(server).len() == CHILDREN as usize);
    process::stop(server).unwrap();
    wait_until(|| state_of(server) == 'T');
    for child in children_of(server) {
        process::kill(child);
        wait_until(|| state_of(child) == 'Z');
    }
    process::go_on(server).unwrap();
    let mut reaped = 0;
    while reaped < CHILDREN {
        match subject.hear().unwrap() {
            Heard::Reaped(_) => reaped += 1,
            // Later than the deadline of all of them would be too late.
            Heard::Answer(answer) => assert_eq!(answer.outcome, Outcome::Crash),
            Heard::Light(id) => panic!("nobody asked for {id}"),
        }
    }
    subject.stop();
}

fn children_of(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let pids = children.split_whitespace().map(str::parse);
    pids.collect::<Result<_, _>>().unwrap()
}

/// `T` is stopped, `Z` ended and not reaped.
fn state_of(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.chars().next().unwrap()
}

/// The kernel tells of neither of the two states of other processes' children: it is asked.
fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        std::thread::yield_now();
    }
}
