//! The `memory` regime: trials of their own, in which children are held while the memory
//! of the whole tree is read. Nothing is timed in them, because reading stops the read process.
//!
//! A [`Session`] surrounds one such trial: its control group and its snapshots. It outlives the
//! subject, so that the group is removed when it is empty.

use std::path::{Path, PathBuf};

use super::cgroup::TrialGroup;
use super::load::Measured;
use super::oracle::Prepared;
use super::setting::Setting;
use super::target::{Guard, Target, TargetError};
use crate::experiment::runtime::RUST_NAME;
use crate::experiment::{Arm, Family, Trial};
use crate::record::{MemoryRow, Phase};
use crate::strategy::{self, Children, Span};
use crate::sys::clock::now_ns;

pub mod barrier;
pub mod holding;
pub mod limits;
pub mod machine;
mod requests;
mod rows;
pub mod sweep;
pub mod tree;

use barrier::Barrier;
use limits::{Need, Raised};
use machine::Machine;
use requests::HeldRequests;
pub use rows::skipped as skipped_row;
use sweep::Snapshot;
use tree::Creation;

/// Per-request deadline: a request is held while a thousand children are created and read.
pub const DEADLINE_MS: u64 = 600_000;

/// Asked while a pool of a thousand workers is started.
pub const GUARD: Guard = machine::still_has_memory;

/// Requests to each worker until the last snapshot of a pool.
const REQUESTS_PER_WORKER: usize = 100;

/// Maximum of these in all: they are released beforehand, by a byte each, and a pipe holds no more.
const REQUESTS_MAX: usize = 10_000;

/// The share of the time that sampling may take where it must stand in for a high-water mark.
const SAMPLING_SHARE: u64 = 10;

/// Whether a trial has a control group of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// If the system allows it.
    WherePossible,
    /// Not even then: peaks are sampled.
    Never,
}

/// From this number of children on a timed trial is checked against the system's limits beforehand.
const MANY: u32 = 100;

/// The children that a trial has at a time, where limits may matter.
#[derive(Debug, Clone, Copy)]
pub struct Crowd<'a> {
    family: &'a Family,
    arm: &'a Arm,
    kind: Children,
    children: u32,
}

impl<'a> Crowd<'a> {
    /// All children of a memory trial; of a closed loop those that are many. The number of an open
    /// loop is not known beforehand.
    pub fn of(family: &'a Family, arm: &'a Arm) -> Option<Crowd<'a>> {
        let kind = strategy::by_name(&arm.strategy)?.children;
        let crowd = |children| Crowd { family, arm, kind, children };
        if let Some(children) = family.load.children() {
            return Some(crowd(children));
        }
        let callers = family.load.callers()?;
        let children = match kind.span()? {
            Span::Pool => arm.options.get("workers")?.parse().ok()?,
            Span::Request => {
                let tasks = family.spec.workload().and_then(|w| w.tasks(&family.spec)).ok()?;
                callers.saturating_mul(tasks)
            }
        };
        (children >= MANY).then(|| crowd(children))
    }

    /// Why the system does not allow them, or cannot hold them.
    pub fn refusal(&self) -> Option<String> {
        self.not_held().or_else(|| limits::refusal(self.need())).or_else(|| {
            let bytes = self.bytes_each().saturating_mul(u64::from(self.children));
            Machine::read().lacks(bytes.saturating_add(self.family.ballast_bytes))
        })
    }

    /// Soft limits raised to what they need, until it is dropped.
    pub fn raise_limits(&self) -> Raised {
        Raised::raise(self.need())
    }

    fn need(&self) -> Need {
        Need::of(self.kind, self.children, &self.family.runtime)
    }

    /// Why the children of a memory trial cannot be held.
    fn not_held(&self) -> Option<String> {
        let (family, strategy) = (self.family, &self.arm.strategy);
        let children = family.load.children()?;
        let holds = family.spec.workload().is_ok_and(|workload| workload.holds());
        match self.kind.span() {
            None if children > 0 => {
                Some(format!("`{strategy}` has no children that could be held"))
            }
            Some(Span::Request) if !holds => Some(format!(
                "children of `{strategy}` are gone when their request is answered; workload \
                 `hold` holds them"
            )),
            Some(Span::Pool) if children == 0 && family.runtime != RUST_NAME => {
                Some("a pool of this runtime has at least one worker".to_owned())
            }
            _ => None,
        }
    }

    /// The memory that a child touches and what it has of its own.
    fn bytes_each(&self) -> u64 {
        let option_mib = |name: &str| -> u64 {
            let mib = self.family.spec.options.get(name);
            mib.and_then(|mib| mib.parse().ok()).unwrap_or(0)
        };
        let written_mib = match self.kind {
            Children::Copies(_) => option_mib("write_mib"),
            _ => 0,
        };
        let touched_mib = option_mib("touch_mib").saturating_add(written_mib);
        (touched_mib << 20).saturating_add(own_bytes(self.kind, &self.family.runtime))
    }
}

/// About the memory of an idle child: an interpreter's own heap, or next to nothing.
fn own_bytes(kind: Children, runtime: &str) -> u64 {
    const MIB: u64 = 1 << 20;
    match (kind, runtime) {
        (Children::None, _) => 0,
        (_, RUST_NAME) => MIB / 4,
        (Children::Programs(_), "python") => 8 * MIB,
        (Children::Programs(_), _) => 10 * MIB,
        (Children::Threads(_), "python") => MIB / 4,
        (Children::Threads(_) | Children::Copies(_), _) => 5 * MIB,
    }
}

/// The surroundings of one memory trial.
#[derive(Debug)]
pub struct Session<'a> {
    setting: &'a Setting<'a>,
    trial: &'a Trial,
    children: u32,
    kind: Children,
    creation: Creation,
    group: Result<TrialGroup, String>,
    start: Machine,
    snapshots: Vec<Snapshot>,
    ready_all_ns: Option<u64>,
    /// How many of the children were there, if not all were.
    short: Option<usize>,
    sampled_pss_bytes: Option<u64>,
}

impl<'a> Session<'a> {
    /// Makes the group; `None` of a trial of another regime.
    pub fn begin(setting: &'a Setting<'a>, trial: &'a Trial, grouping: Grouping) -> Option<Self> {
        let (family, arm) = setting.of(trial);
        let children = family.load.children()?;
        let kind = strategy::by_name(&arm.strategy).map_or(Children::None, |kind| kind.children);
        Some(Session {
            setting,
            trial,
            children,
            kind,
            creation: Creation::of(kind, &family.runtime),
            group: match grouping {
                Grouping::WherePossible => TrialGroup::create(&trial.id),
                Grouping::Never => Err("none was asked for".to_owned()),
            },
            start: Machine::read(),
            snapshots: Vec::new(),
            ready_all_ns: None,
            short: None,
            sampled_pss_bytes: None,
        })
    }

    /// The command of a subject that is in the trial's group from its first instruction on.
    pub fn command(&self, command: &[PathBuf]) -> Vec<PathBuf> {
        match &self.group {
            Ok(group) => group.joined(command),
            Err(_) => command.to_vec(),
        }
    }

    /// Holds the children of this subject and takes snapshots.
    ///
    /// # Errors
    /// The subject is gone, does not answer or breaks the protocol; the machine runs out of memory;
    /// or the user interrupted.
    pub fn observe(
        &mut self,
        target: &mut Target,
        prepared: &Prepared,
    ) -> Result<Measured, TargetError> {
        let root = target.pid();
        let span = self.kind.span();
        if span == Some(Span::Pool) {
            self.ready_all_ns = Some(target.ready_ns - target.started_ns);
        }
        self.snapshot(Phase::Idle, root);
        let barrier = open_barrier(prepared)?;
        let tasks = self.children as usize;
        // Version 2 has had a high-water mark only since Linux 5.19.
        let group = self.group.as_ref().ok();
        let unmarked = group.and_then(|group| group.charge().peak_bytes).is_none();
        let sampler = unmarked.then(|| Sampler::new(self.creation));
        let holds = barrier.is_some();
        let (exchange, seed) = (&prepared.exchange, self.trial.seed);
        let mut requests = HeldRequests::new(target, exchange, barrier, seed, sampler)?;
        // At the barrier no worker can get two tasks while another has none.
        if tasks > 0 && (span == Some(Span::Request) || (span.is_some() && holds)) {
            let held = requests.hold(tasks)?;
            self.short = Some(held.arrived).filter(|&arrived| arrived != tasks);
            if span == Some(Span::Request) {
                self.ready_all_ns = self.short.is_none().then_some(held.took_ns);
                self.snapshot(Phase::Held, root);
            }
            requests.release()?;
        } else if tasks > 0 && span.is_some() {
            requests.pass(tasks, tasks)?;
        }
        if tasks > 0 && span == Some(Span::Pool) {
            self.snapshot(Phase::First, root);
            let total = (tasks * REQUESTS_PER_WORKER).min(REQUESTS_MAX);
            requests.pass(total, tasks)?;
            self.snapshot(Phase::Hundred, root);
        }
        let (measured, sampled_pss_bytes) = requests.close();
        self.snapshot(Phase::Peak, root);
        self.sampled_pss_bytes = sampled_pss_bytes;
        Ok(measured)
    }

    /// Removes the group, which must be empty. Gives the rows, those of a failed trial with a last
    /// one that says so, and a flag if the group could not be removed.
    pub fn finish(self, failure: Option<&str>) -> (Vec<MemoryRow>, Option<String>) {
        let rows = rows::rows(&self, failure);
        let removed = self.group.map(TrialGroup::remove);
        let left = matches!(removed, Ok(Err(_)));
        (rows, left.then(|| "cgroup_left".to_owned()))
    }

    fn snapshot(&mut self, phase: Phase, root: u32) {
        let group = self.group.as_ref().ok();
        self.snapshots.push(Snapshot::take(phase, root, self.creation, group));
    }
}

/// The barrier of a workload that has one.
fn open_barrier(prepared: &Prepared) -> Result<Option<Barrier>, TargetError> {
    if !prepared.spec.workload().is_ok_and(|workload| workload.holds()) {
        return Ok(None);
    }
    let dir = prepared.spec.options.get("input").map_or("", String::as_str);
    let opened = Barrier::open(Path::new(dir)).map(Some);
    opened.map_err(TargetError::io(format!("open the barrier in {dir}")))
}

/// Takes snapshots where the kernel keeps no high-water mark, so seldom that it stops the tree for
/// no more than its share of the time.
#[derive(Debug)]
struct Sampler {
    creation: Creation,
    next_ns: u64,
    highest_bytes: Option<u64>,
}

impl Sampler {
    fn new(creation: Creation) -> Sampler {
        Sampler { creation, next_ns: 0, highest_bytes: None }
    }

    fn sample(&mut self, root: u32) {
        if now_ns() < self.next_ns {
            return;
        }
        let snapshot = Snapshot::take(Phase::Peak, root, self.creation, None);
        self.highest_bytes = self.highest_bytes.max(snapshot.pss_bytes());
        self.next_ns = now_ns() + snapshot.sweep_ns * SAMPLING_SHARE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Experiment, Load, wire};

    fn experiment(lines: &str) -> Experiment {
        let text =
            format!("name = \"t\"\nquestion = \"q?\"\n[[family]]\nruntime = \"node\"\n{lines}\n");
        wire::parse(&text, "t.toml", 2, 1).unwrap()
    }

    #[test]
    fn a_crowd_is_as_many_children_as_callers_or_workers() {
        let text = |workload: &str, callers: u32| {
            format!(
                "workload = \"{workload}\"\nsize = \"s\"\n\
                 strategy = [\"fork-ipc\", {{ name = \"pool\", workers = [10, 200] }}]\n\
                 load = {{ closed = {{ callers = {callers} }} }}"
            )
        };
        let children = |workload: &str, callers: u32| -> Vec<Option<u32>> {
            let experiment = experiment(&text(workload, callers));
            let family = &experiment.families[0];
            let arms = family.arms.iter().filter(|arm| arm.strategy != "blocking");
            arms.map(|arm| Crowd::of(family, arm).map(|crowd| crowd.children)).collect()
        };
        assert_eq!(children("random-sum", 1_000), [Some(1_000), None, Some(200)]);
        assert_eq!(children("random-sum", 99), [None, None, Some(200)]);
        // An order is three tasks, a child each.
        assert_eq!(children("orders", 50), [Some(150), None, Some(200)]);
    }

    #[test]
    fn a_crowd_beyond_the_memory_is_refused_with_its_name() {
        let mut experiment = experiment(
            "workload = \"random-sum\"\nsize = \"s\"\nstrategy = \"fork-ipc\"\n\
             load = { closed = { callers = 100 } }",
        );
        let family = &mut experiment.families[0];
        let arm = family.arms.last().unwrap().clone();
        let kind = Crowd::of(family, &arm).unwrap().kind;
        family.ballast_bytes = 1 << 60;
        let reason = Crowd::of(family, &arm).unwrap().refusal().unwrap();
        assert!(reason.contains("MemAvailable is"), "{reason}");
        // A child of an interpreter is counted, although it touches nothing.
        assert!(own_bytes(kind, "node") > own_bytes(kind, RUST_NAME));
        family.load = Load::Memory { children: 1 };
        assert_eq!(Crowd::of(family, &arm).unwrap().children, 1);
    }
}
