//! Strategies, through a real subject over its socket, with one caller.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use forkbench::driver::target::{self, Launch, Target};
use forkbench::protocol::{Configure, FLAG_REAPS, Kind, Outcome, Reply};
use forkbench::strategy;
use forkbench::sys::clock::now_ns;
use forkbench::workload::options;
use forkbench::workload::{self, Size, Spec};

use crate::lane::{Lane, Result, Scale, Site};

const NAME: &str = "forkbench-subject";

/// Copies the built subject into `dir` in one write, as the linker of the C programs writes them.
///
/// The linker writes its output through a mapping, page by page, and so the page cache holds it:
/// an exec from there takes some 80 us longer than from a file that was written in large pieces,
/// which the cache holds in large pieces too.
pub(crate) fn install(dir: &Path, scale: Scale) -> Result<()> {
    let built = env!("CARGO_BIN_EXE_forkbench-subject");
    let copy = dir.join(NAME);
    if scale == Scale::Test {
        return Ok(symlink(built, copy)?);
    }
    fs::write(&copy, fs::read(built)?)?;
    Ok(fs::set_permissions(&copy, Permissions::from_mode(0o755))?)
}

const DEADLINE_MS: u64 = 30_000;

/// The beginning and the end of a lap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// From acceptance to reply, as the subject stamps them.
    Service,
    /// From sending the request to having its answer.
    Response,
    /// From acceptance until the child is reaped: the span of the floors of processes.
    AcceptedToReaped,
    /// From sending the request until the child is reaped.
    SentToReaped,
}

/// A strategy on `noop`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noop {
    pub(crate) strategy: &'static str,
    pub(crate) payload_bytes: u64,
    pub(crate) span: Span,
}

impl Noop {
    /// Starts the subject and sends one request.
    pub(crate) fn start(&self, site: &Site) -> Result<Box<dyn Lane>> {
        let mut caller = Caller {
            target: start(self.strategy, self.payload_bytes, site)?,
            next_id: 1,
            payload: vec![0x5a; usize::try_from(self.payload_bytes)?],
            span: self.span,
        };
        caller.ask()?;
        Ok(Box::new(caller))
    }
}

/// A subject that answers `noop` under `strategy`, with one worker where it has workers.
pub(crate) fn start(strategy: &str, payload_bytes: u64, site: &Site) -> Result<Target> {
    start_with(strategy, payload_bytes, 1, site)
}

/// The same with this many workers.
pub(crate) fn start_with(
    strategy: &str,
    payload_bytes: u64,
    workers: usize,
    site: &Site,
) -> Result<Target> {
    let workload = workload::by_name("noop").ok_or("no workload noop")?;
    let kind = strategy::by_name(strategy).ok_or("no such strategy")?;
    let workers = [("workers".to_owned(), workers.to_string())];
    let given = workers
        .into_iter()
        .filter(|(name, _)| kind.options.iter().any(|option| option.name == name))
        .collect();
    let configure = Configure {
        spec: Spec {
            workload: workload.name().to_owned(),
            size: Size::S,
            seed: 1,
            payload_bytes,
            options: options::resolve(workload.options(), &options::Options::new(), 1)?,
        },
        strategy: strategy.to_owned(),
        strategy_options: options::resolve(kind.options, &given, 1)?,
        ballast_bytes: 0,
        deadline_ms: DEADLINE_MS,
        child_program: None,
    };
    let mut environment = target::subject_environment();
    environment.extend(site.cores.environment()?);
    let launch = Launch {
        command: vec![site.dir.join(NAME)],
        environment,
        stderr: site.dir.join(format!("stderr-{}", std::process::id())),
    };
    Ok(Target::start(&launch, &configure)?)
}

struct Caller {
    target: Target,
    next_id: u64,
    payload: Vec<u8>,
    span: Span,
}

/// When the driver saw each event, in ns.
struct Seen {
    sent: u64,
    done: u64,
    reaped: u64,
}

impl Lane for Caller {
    fn lap(&mut self) -> Result<u64> {
        let (reply, seen) = self.ask()?;
        let (from, to) = match self.span {
            Span::Service => (reply.stamps.accepted, reply.stamps.replied),
            Span::Response => (seen.sent, seen.done),
            Span::AcceptedToReaped => (reply.stamps.accepted, seen.reaped),
            Span::SentToReaped => (seen.sent, seen.reaped),
        };
        Ok(to.checked_sub(from).ok_or("no stamp where one was due")?)
    }
}

impl Caller {
    /// One request, until its child is reaped if it has one.
    fn ask(&mut self) -> Result<(Reply, Seen)> {
        let id = self.next_id;
        self.next_id += 1;
        let mut seen = Seen { sent: now_ns(), done: 0, reaped: 0 };
        let until_ns = seen.sent + 2 * DEADLINE_MS * 1_000_000;
        self.target.push_run(id, &[&self.payload]);
        self.target.flush()?;
        let mut answer = None;
        loop {
            let read_ns = self.target.wait(Some(until_ns))?;
            if read_ns == 0 && now_ns() >= until_ns {
                return Err("the subject is silent".into());
            }
            while let Some(frame) = self.target.next_frame()? {
                match frame.header.kind {
                    Kind::Reply if frame.header.outcome == Outcome::Ok => {
                        let (reply, body) = Reply::decode(&frame.body)?;
                        if body != self.payload {
                            return Err("the payload did not come back".into());
                        }
                        seen.done = read_ns;
                        answer = Some((reply, frame.header.flags & FLAG_REAPS != 0));
                    }
                    Kind::Reaped => {
                        seen.reaped = u64::from_le_bytes(frame.body.as_slice().try_into()?);
                    }
                    kind => return Err(format!("{kind:?} {:?}", frame.header.outcome).into()),
                }
            }
            match answer {
                Some((reply, reaps)) if !reaps || seen.reaped != 0 => return Ok((reply, seen)),
                _ => {}
            }
        }
    }
}
