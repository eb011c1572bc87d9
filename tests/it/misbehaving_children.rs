//! Children that do not keep to the rules: each gives its outcome, none outlives its subject.
use crate::common::{Subject, configure, misbehaving, processes_with, spec};
use forkbench::driver::target::TargetError;
use forkbench::protocol::{Configure, Outcome};

/// The outcome of one request whose child is this program, and its reason.
fn outcome_of(strategy: &str, how: &str, deadline_ms: u64) -> (Outcome, String) {
    let dir = tempfile::tempdir().unwrap();
    let program = misbehaving(dir.path(), how);
    let configure = Configure {
        child_program: Some(program.clone()),
        deadline_ms,
        ..configure(strategy, &spec("noop", 0, &[]))
    };
    let mut subject = Subject::start(&configure).unwrap();
    let answer = subject.ask(5, &[]).unwrap();
    subject.stop();
    assert_eq!(processes_with(&program), [""; 0], "{strategy} {how}: somebody is left");
    (answer.outcome, answer.reason())
}

#[test]
fn programs_that_answer_as_text() {
    const LONG_MS: u64 = 30_000;
    const SHORT_MS: u64 = 300;
    for strategy in ["spawn", "exec-file", "exec"] {
        for (how, deadline_ms, outcome, reason) in [
            ("exit-early", LONG_MS, Outcome::Crash, "exited with 3"),
            ("exit-early", LONG_MS, Outcome::Crash, "cannot go on"),
            ("hang", SHORT_MS, Outcome::Timeout, "no answer within 300 ms"),
            ("garbage", LONG_MS, Outcome::AppError, "this is no answer"),
            ("flood", LONG_MS, Outcome::AppError, "there is no end to this"),
            ("wrong-id", LONG_MS, Outcome::AppError, "answered request 999999 when asked 5"),
            ("close-and-hang", SHORT_MS, Outcome::Timeout, "no answer"),
            ("half-an-answer", LONG_MS, Outcome::Crash, "before it had answered"),
        ] {
            let (found, said) = outcome_of(strategy, how, deadline_ms);
            assert_eq!(found, outcome, "{strategy} {how}: {said}");
            assert!(said.contains(reason), "{strategy} {how}: {said}");
        }
    }
    let (outcome, reason) = outcome_of("exec-file", "answer-and-fail", LONG_MS);
    assert_eq!(outcome, Outcome::AppError, "{reason}");
    assert!(reason.contains("exited with 4"), "{reason}");
    let (outcome, reason) = outcome_of("spawn", "answer-and-fail", LONG_MS);
    assert_eq!(outcome, Outcome::Ok, "a stream counts once it is complete: {reason}");
}

#[test]
fn a_grandchild_that_keeps_the_pipe_open_is_killed_at_the_deadline() {
    for strategy in ["spawn", "exec-file", "exec"] {
        let (outcome, _) = outcome_of(strategy, "leave-a-grandchild", 300);
        assert_eq!(outcome, Outcome::Timeout, "{strategy}");
    }
}

#[test]
fn programs_that_answer_in_frames() {
    for (how, deadline_ms, outcome, reason) in [
        ("exit-early", 30_000, Outcome::Crash, "exited with 3"),
        ("hang", 300, Outcome::Timeout, "no answer within 300 ms"),
        ("garbage", 30_000, Outcome::AppError, "a frame"),
        ("flood-frames", 30_000, Outcome::AppError, "unknown kind 0"),
        ("oversized", 30_000, Outcome::AppError, "announces 4294967295 bytes"),
        ("truncated", 30_000, Outcome::Crash, "before it had answered"),
    ] {
        let (found, said) = outcome_of("fork-ipc", how, deadline_ms);
        assert_eq!(found, outcome, "fork-ipc {how}: {said}");
        assert!(said.contains(reason), "fork-ipc {how}: {said}");
    }
}

#[test]
fn a_pool_whose_workers_cannot_start_says_so_instead_of_trying_for_ever() {
    for how in ["exit-early", "garbage"] {
        let dir = tempfile::tempdir().unwrap();
        let program = misbehaving(dir.path(), how);
        let configure =
            Configure { child_program: Some(program), ..configure("pool", &spec("noop", 0, &[])) };
        match Subject::start(&configure).map(|_| ()) {
            Err(TargetError::Failed(reason)) => {
                assert!(reason.contains("do not become ready"), "{how}: {reason}");
            }
            other => panic!("{how}: {other:?}"),
        }
    }
}

#[test]
fn a_program_that_does_not_exist_is_a_rejection() {
    for strategy in ["spawn", "exec-file", "fork-ipc"] {
        let configure = Configure {
            child_program: Some("/nonexistent/program".to_owned()),
            ..configure(strategy, &spec("noop", 0, &[]))
        };
        let mut subject = Subject::start(&configure).unwrap();
        let answer = subject.ask(1, &[]).unwrap();
        assert_eq!(answer.outcome, Outcome::Rejected, "{strategy}");
        assert!(answer.reason().contains("/nonexistent/program"), "{}", answer.reason());
        subject.stop();
    }
}
