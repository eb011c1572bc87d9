//! What the tests of real processes share: a subject to talk to, and the requests to send.

pub mod files;
pub mod killing;
pub mod runtimes;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use forkbench::driver::programs::SubjectProgram;
use forkbench::driver::target::{Farewell, Launch, Target, TargetError};
use forkbench::driver::watcher::run_name;
use forkbench::protocol::{Configure, Kind, Outcome, Reply};
use forkbench::strategy;
use forkbench::subject::watch;
use forkbench::sys::clock::now_ns;
use forkbench::sys::{poller::Poller, process};
use forkbench::workload::options;
use forkbench::workload::{self, Size, Spec};

/// The built subject.
pub const SUBJECT: &str = env!("CARGO_BIN_EXE_forkbench-subject");

/// The built driver.
pub const FORKBENCH: &str = env!("CARGO_BIN_EXE_forkbench");

/// A spec of this workload with these options, the rest at their defaults.
pub fn spec(workload: &str, payload_bytes: u64, given: &[(&str, &str)]) -> Spec {
    let defs = workload::by_name(workload).unwrap().options();
    Spec {
        workload: workload.to_owned(),
        size: Size::S,
        seed: 42,
        payload_bytes,
        options: resolve(defs, given),
    }
}

fn resolve(defs: &[options::OptionDef], given: &[(&str, &str)]) -> options::Options {
    let given = given.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
    options::resolve(defs, &given, 2).unwrap()
}

/// A request to configure `strategy` with two workers where it has workers.
pub fn configure(strategy: &str, spec: &Spec) -> Configure {
    configure_with(strategy, spec, &[])
}

/// The same with options of the strategy.
pub fn configure_with(strategy: &str, spec: &Spec, given: &[(&str, &str)]) -> Configure {
    Configure {
        spec: spec.clone(),
        strategy: strategy.to_owned(),
        strategy_options: resolve(strategy::by_name(strategy).unwrap().options, given),
        ballast_bytes: 0,
        deadline_ms: 30_000,
        child_program: None,
    }
}

/// A subject under test, and the directory that its files are in.
pub struct Subject {
    pub target: Target,
    _dir: tempfile::TempDir,
    /// Dropped last, when the subject has ended.
    _objects: Objects,
}

/// Semaphores of Python pools that were killed. In a run the watcher removes them.
struct Objects;

/// How many subjects there are in this process. The names of their objects do not tell them apart.
static SUBJECTS: AtomicUsize = AtomicUsize::new(0);

impl Objects {
    fn new() -> Objects {
        SUBJECTS.fetch_add(1, Ordering::SeqCst);
        Objects
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        if SUBJECTS.fetch_sub(1, Ordering::SeqCst) == 1 {
            watch::remove_named(run_name(), Path::new(watch::SHARED_MEMORY));
        }
    }
}

/// An answer to a request.
#[derive(Debug)]
pub struct Answer {
    pub id: u64,
    pub outcome: Outcome,
    pub reply: Reply,
    pub body: Vec<u8>,
    pub flags: u16,
}

impl Answer {
    /// The reason of an outcome that is not ok.
    pub fn reason(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What came next from a subject.
#[derive(Debug)]
pub enum Heard {
    Answer(Answer),
    Reaped(u64),
    Light(u64),
}

impl Subject {
    pub fn start(configure: &Configure) -> Result<Subject, TargetError> {
        Subject::start_program(&[PathBuf::from(SUBJECT)], configure)
    }

    pub fn start_program(
        command: &[PathBuf],
        configure: &Configure,
    ) -> Result<Subject, TargetError> {
        let program = SubjectProgram { command: command.to_vec(), ..SubjectProgram::default() };
        Subject::start_runtime(&program, configure)
    }

    pub fn start_runtime(
        program: &SubjectProgram,
        configure: &Configure,
    ) -> Result<Subject, TargetError> {
        let dir = tempfile::tempdir().unwrap();
        let launch = Launch {
            command: program.command.clone(),
            environment: [
                forkbench::driver::target::subject_environment(),
                program.environment.clone(),
            ]
            .concat(),
            stderr: dir.path().join("stderr"),
        };
        let objects = Objects::new();
        Ok(Subject { target: Target::start(&launch, configure)?, _dir: dir, _objects: objects })
    }

    pub fn run(&mut self, id: u64, payload: &[u8]) {
        self.target.push_run(id, &[payload]);
        self.target.flush().unwrap();
    }

    pub fn light(&mut self, id: u64) {
        self.target.push_light(id);
        self.target.flush().unwrap();
    }

    pub fn hear(&mut self) -> Result<Heard, TargetError> {
        loop {
            if let Some(frame) = self.target.next_frame()? {
                let id = frame.header.id;
                return Ok(match frame.header.kind {
                    Kind::Reply => {
                        let (reply, body) = Reply::decode(&frame.body).unwrap();
                        let body = body.to_vec();
                        let outcome = frame.header.outcome;
                        Heard::Answer(Answer {
                            id,
                            outcome,
                            reply,
                            body,
                            flags: frame.header.flags,
                        })
                    }
                    Kind::Reaped => Heard::Reaped(id),
                    Kind::Light => Heard::Light(id),
                    kind => panic!("heard {kind:?}"),
                });
            }
            // Every request has a deadline of its own, so this ends.
            self.target.wait(None)?;
        }
    }

    /// The next answer, whatever else is heard before it.
    pub fn answer(&mut self) -> Result<Answer, TargetError> {
        loop {
            if let Heard::Answer(answer) = self.hear()? {
                return Ok(answer);
            }
        }
    }

    /// Sends a request and waits for its answer.
    pub fn ask(&mut self, id: u64, payload: &[u8]) -> Result<Answer, TargetError> {
        self.run(id, payload);
        self.answer()
    }

    /// Stops it; nothing of it may be left in its process group or among this process's children.
    pub fn stop(self) -> Farewell {
        self.target.stop().unwrap()
    }
}

/// The way to misbehave, as a program: a link of this name to the one script that knows all.
pub fn misbehaving(dir: &Path, how: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/misbehave");
    let link = dir.join(how);
    std::os::unix::fs::symlink(script, &link).unwrap();
    link.to_string_lossy().into_owned()
}

/// The command lines of processes that contain the text and do not end: what was killed is to be
/// seen until the kernel has come to it, which a busy machine delays.
pub fn processes_with(text: &str) -> Vec<String> {
    const PATIENCE_NS: u64 = 20_000_000_000;
    let until_ns = now_ns() + PATIENCE_NS;
    loop {
        let found = now_with(text);
        let left_ns = until_ns.saturating_sub(now_ns());
        let Some((pid, _)) = found.first().filter(|_| left_ns > 0) else {
            return found.into_iter().map(|(_, line)| line).collect();
        };
        // One that has ended meanwhile has no descriptor.
        let Ok(pidfd) = process::pidfd(*pid) else { continue };
        let poller = Poller::new().unwrap();
        poller.add(&pidfd, 0).unwrap();
        poller.wait(&mut Vec::new(), Some(left_ns)).unwrap();
    }
}

fn now_with(text: &str) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let (Some(pid), Ok(line)) = (pid, std::fs::read(entry.path().join("cmdline"))) else {
            continue;
        };
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(text) {
            found.push((pid, line));
        }
    }
    found
}
