//! However a driver is ended, and at whatever moment: nothing of its run is left.
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::common::killing::{check_nothing_left, next, objects, processes, until, watchers};
use crate::common::runtimes::installed;
use crate::common::{FORKBENCH, SUBJECT, configure, spec};
use forkbench::driver::programs::SubjectProgram;
use forkbench::driver::target::subject_environment;
use forkbench::driver::watcher::run_name;
use forkbench::experiment::runtime;
use forkbench::protocol::conn::Conn;
use forkbench::protocol::{Header, Kind};
use forkbench::strategy;
use forkbench::sys::clock::now_ns;
use forkbench::sys::poller::Poller;
use forkbench::sys::socket;

/// How many drivers are ended; more by hand.
const KILLS: &str = "FORKBENCH_KILLS";

/// What an ended driver was in the middle of.
struct Case {
    what: String,
    /// Without one it is the demonstration `crash` of this runtime.
    toml: Result<String, &'static str>,
}

/// Every strategy of every runtime, each with work that ends, work that hangs and children that
/// are held; and the demonstrations in which processes crash.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for runtime in runtime::ALL {
        let name = runtime.name;
        for strategy in strategy::ALL.iter().filter(|kind| runtime.supports(kind.name).is_ok()) {
            let strategy = strategy.name;
            for (work, of) in [
                ("spin", "workload = 'spin'\nload = { closed = { callers = 2 } }"),
                (
                    "hang",
                    "workload = 'fault'\noptions = { kind = 'hang' }\n\
                     load = { closed = { callers = 2 } }",
                ),
                ("hold", "workload = 'hold'\nload = { memory = { children = [2] } }"),
            ] {
                let toml = format!(
                    "name = 'killed'\nquestion = 'What is left?'\n\
                     reference = '{strategy}'\n[[family]]\nruntime = ['{name}']\nstrategy = ['{strategy}']\n{of}\n"
                );
                // Its server has no children to hold.
                if (strategy, work) != ("blocking", "hold") {
                    cases.push(Case { what: format!("{name} {strategy} {work}"), toml: Ok(toml) });
                }
            }
        }
        cases.push(Case { what: format!("{name} crash"), toml: Err(name) });
    }
    cases
}

/// A driver, which a test that fails ends as well.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(case: &Case, dir: &Path, number: usize) -> Driver {
    let (file, out) = (dir.join(format!("{number}.toml")), dir.join(format!("{number}")));
    let experiment = match &case.toml {
        Ok(toml) => {
            std::fs::write(&file, toml).unwrap();
            vec![file.display().to_string()]
        }
        Err(runtime) => {
            let filters = ["demonstration=crash".to_owned(), format!("runtime={runtime}")];
            let filters = filters.into_iter().flat_map(|filter| ["--filter".to_owned(), filter]);
            std::iter::once("notes".to_owned()).chain(filters).collect()
        }
    };
    // What starts the tests may have them ignore these signals, as `nohup` does.
    let started = Command::new("env")
        .args(["--default-signal=HUP,QUIT", FORKBENCH])
        .args(["run", "--quiet", "--preset", "smoke", "--blocks", "30", "--out"])
        .arg(&out)
        .args(experiment)
        .current_dir(dir)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Driver(started.unwrap())
}

fn end(child: &mut Child, signal: Signal, what: &str) {
    let pid = Pid::from_child(child);
    // It may have ended by itself.
    let _ = kill_process(pid, signal);
    let ended = until(60_000_000_000, || child.try_wait().unwrap().is_some());
    if !ended {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(ended, "{what}: {signal:?} did not end it");
}

/// Whether this process only asks an interpreter for its versions, before the first trial.
fn is_probe(line: &str) -> bool {
    line.trim_end().ends_with(" versions")
}

#[test]
fn drivers_ended_at_any_moment_leave_no_process_and_no_object() {
    let kills = std::env::var(KILLS).ok().map_or(24, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let cases = cases();
    let signals = [Signal::KILL, Signal::KILL, Signal::HUP, Signal::KILL, Signal::QUIT];
    let (mut state, mut waited, mut found) = (13, 0, 0);
    for number in 0..kills {
        // A step that has no factor in common with their number: all in turn, mixed.
        let case = &cases[(number * 37 + 5) % cases.len()];
        let signal = signals[number % signals.len()];
        let what = format!("{number}: {} {signal:?}", case.what);
        let mut driver = start(case, dir.path(), number);
        let child = &mut driver.0;
        if number % 4 != 0 {
            // From when its first subject is there; else from its own start.
            let pid = child.id();
            let has_subject = || processes(pid).iter().any(|line| !is_probe(line));
            until(60_000_000_000, || child.try_wait().unwrap().is_some() || has_subject());
            waited += 1;
            found += usize::from(has_subject());
        }
        let moment_ns = next(&mut state) % 600_000_000;
        let until_ns = now_ns() + moment_ns;
        while now_ns() < until_ns && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        end(child, signal, &what);
        check_nothing_left(child.id(), &what);
    }
    eprintln!("{kills} drivers ended, {found} of them after a subject was seen");
    assert!(2 * found > waited, "of {waited} drivers only {found} had a subject");
}

#[test]
fn a_watcher_outlives_what_ends_its_driver_and_leaves_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let toml = "name = 'killed'\nquestion = 'What is left?'\nreference = 'exec'\n[[family]]\n\
                workload = 'fault'\noptions = { kind = 'hang' }\nstrategy = ['exec']\n\
                load = { closed = { callers = 1 } }\n";
    let case = Case { what: "exec".to_owned(), toml: Ok(toml.to_owned()) };
    let mut driver = start(&case, dir.path(), 0);
    let child = &mut driver.0;
    // The shell and its task, which nothing but the watcher ends.
    let has_both = || {
        let lines = processes(child.id());
        ["/bin/sh -c", " task 1 "].iter().all(|of| lines.iter().any(|line| line.contains(of)))
    };
    assert!(until(60_000_000_000, has_both), "nothing was started");
    assert_eq!(watchers(child.id()).len(), 1);
    // As a terminal does that is closed, or a user who is in a hurry: all of the driver's group.
    let group = Pid::from_child(child);
    for signal in [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::KILL] {
        let _ = rustix::process::kill_process_group(group, signal);
    }
    child.wait().unwrap();
    check_nothing_left(child.id(), "a group that was killed");
}

#[test]
fn semaphores_of_python_pools_are_named_after_the_run() {
    let Some(python) = installed().into_iter().find(|one| one.runtime.name == "python") else {
        return eprintln!("passed over: there is no Python");
    };
    let own = || {
        let objects = objects(std::process::id()).into_iter();
        objects.filter(|path| path.to_string_lossy().contains(run_name())).count()
    };
    let mut subject = python.start(&configure("pool", &spec("noop", 0, &[])));
    subject.ask(1, &[]).unwrap();
    assert!(own() > 0, "none has the run's name");
    subject.stop();
    assert_eq!(own(), 0);
}

/// A subject that is spoken to without a target, which would kill it.
fn begin(program: &SubjectProgram, strategy: &str) -> (Child, Conn) {
    let (ours, theirs) = socket::stream_pair().unwrap();
    let child = Command::new(&program.command[0])
        .args(&program.command[1..])
        .env_clear()
        .envs(subject_environment())
        .envs(program.environment.iter().map(|(k, v)| (k, v)))
        .process_group(0)
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut conn = Conn::blocking(ours);
    let body = serde_json::to_vec(&configure(strategy, &spec("noop", 8, &[]))).unwrap();
    conn.push(Header::new(Kind::Configure, 0), &[&body]);
    conn.flush().unwrap();
    (child, conn)
}

/// Whether any process is in this group.
fn has_members(group: u32) -> bool {
    let group = Pid::from_raw(group as i32).unwrap();
    rustix::process::test_kill_process_group(group).is_ok()
}

#[test]
fn a_subject_whose_driver_hangs_up_ends_whatever_is_unread() {
    let rust = ("rust", SubjectProgram::compiled(SUBJECT.into()));
    let others = installed().into_iter().map(|one| (one.runtime.name, one.program));
    for (runtime, program) in [rust].into_iter().chain(others) {
        for strategy in ["blocking", "pool"] {
            for when in ["while it starts", "with an answer unread"] {
                let (mut child, mut conn) = begin(&program, strategy);
                if when == "with an answer unread" {
                    while conn.next_frame().unwrap().is_none() {
                        conn.fill().unwrap();
                    }
                    conn.push(Header::new(Kind::Run, 1), &[&[0; 8]]);
                    conn.flush().unwrap();
                    let poller = Poller::new().unwrap();
                    poller.add(&conn, 0).unwrap();
                    poller.wait(&mut Vec::new(), None).unwrap();
                }
                drop(conn);
                let what = format!("{runtime} {strategy} {when}");
                let ended = until(60_000_000_000, || child.try_wait().unwrap().is_some());
                if !ended {
                    child.kill().unwrap();
                }
                assert!(ended, "{what}: it stays");
                let alone = until(60_000_000_000, || !has_members(child.id()));
                assert!(alone, "{what}: its children stay");
            }
        }
    }
}
