//! The `memory` regime: trials of their own, in which so many children are held while the memory
//! of the whole tree is read. Nothing is timed in them, because reading stops who is read.
//!
//! A [`Session`] is what is around one such trial: a control group, raised limits, the looks that
//! were taken. It outlives the subject, so that the group is removed when nobody is in it.

use std::path::{Path, PathBuf};

use super::load::{Exchange, Measured};
use super::oracle::Prepared;
use super::target::{Guard, Target, TargetError};
use super::trial::Setting;
use crate::experiment::runtime;
use crate::experiment::{Arm, Family, Trial};
use crate::record::MemoryRow;
use crate::strategy::{self, Children, Span};
use crate::sys::clock::now_ns;

pub mod barrier;
pub mod cgroup;
mod course;
pub mod limits;
pub mod machine;
pub(super) mod oom;
pub mod process;
mod rows;
pub mod sweep;
mod text;
pub mod tree;

use barrier::Barrier;
use cgroup::TrialGroup;
use course::Course;
use limits::{Need, Raised};
use machine::Machine;
use process::Reader;
use sweep::{Phase, Snapshot};
use tree::Creation;

/// A request's time to be answered in: it is held while a thousand children are created and read.
pub const DEADLINE_MS: u64 = 600_000;

/// Asked while a pool of a thousand workers is started.
pub const GUARD: Guard = machine::still_has_memory;

/// Requests to each worker until the last look at a pool.
const REQUESTS_PER_WORKER: usize = 100;

/// As many in all: they are let go beforehand, by a byte each, and so many fit into a pipe.
const REQUESTS_MAX: usize = 10_000;

/// The share of the time that sampling may take where it must stand in for a high-water mark.
const SAMPLING_SHARE: u64 = 10;

/// Whether a trial has a control group of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// If the system lets it.
    WherePossible,
    /// Not even then: peaks are sampled.
    Never,
}

/// What is around one memory trial.
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
    _raised: Raised,
}

/// Why the arm has nothing to be held, or may not be.
pub fn refusal(family: &Family, arm: &Arm) -> Option<String> {
    let children = family.load.children()?;
    let kind = strategy::by_name(&arm.strategy)?.children;
    let strategy = &arm.strategy;
    let holds = family.spec.workload().is_ok_and(|workload| workload.holds());
    match kind.span() {
        None if children > 0 => {
            return Some(format!("`{strategy}` has no children that could be held"));
        }
        Some(Span::Request) if !holds => {
            return Some(format!(
                "children of `{strategy}` are gone when their request is answered; workload \
                 `hold` holds them"
            ));
        }
        Some(Span::Pool) if children == 0 && !has_empty_pools(&family.runtime) => {
            return Some("a pool of this runtime has at least one worker".to_owned());
        }
        _ => {}
    }
    lacking(family, kind, children)
}

/// So many children strain a system: below that, what a timed trial needs is not asked beforehand.
const MANY: u32 = 100;

/// The children that a timed trial has at a time, if they are so many that the system may not
/// allow them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowd {
    kind: Children,
    children: u32,
}

impl Crowd {
    /// Those of a closed loop; what an open one has under way nobody knows beforehand.
    pub fn of(family: &Family, arm: &Arm) -> Option<Crowd> {
        let callers = family.load.callers()?;
        let kind = strategy::by_name(&arm.strategy)?.children;
        let children = match kind.span()? {
            Span::Pool => arm.options.get("workers")?.parse().ok()?,
            Span::Request => {
                let tasks = family.spec.workload().and_then(|w| w.tasks(&family.spec)).ok()?;
                callers.saturating_mul(tasks)
            }
        };
        (children >= MANY).then_some(Crowd { kind, children })
    }

    /// Why the system does not allow them, if it does not.
    pub fn refusal(self, family: &Family) -> Option<String> {
        lacking(family, self.kind, self.children)
    }

    /// Soft limits raised to what they need, until it is dropped.
    pub fn raise_limits(self, family: &Family) -> Raised {
        Raised::raise(Need::of(self.kind, self.children, &family.runtime))
    }
}

/// The limit or the memory that so many children of this kind would go beyond.
fn lacking(family: &Family, kind: Children, children: u32) -> Option<String> {
    let option_mib = |name: &str| -> u64 {
        let mib = family.spec.options.get(name);
        mib.and_then(|mib| mib.parse().ok()).unwrap_or(0)
    };
    let touched_mib = option_mib("touch_mib").saturating_add(match kind {
        Children::Copies(_) => option_mib("write_mib"),
        _ => 0,
    });
    let per_child = (touched_mib << 20).saturating_add(own_bytes(kind, &family.runtime));
    let wanted_bytes = per_child.saturating_mul(u64::from(children));
    limits::refusal(Need::of(kind, children, &family.runtime))
        .or_else(|| Machine::read().lacks(wanted_bytes.saturating_add(family.ballast_bytes)))
}

/// The memory of an idle child: an interpreter's own heap, or next to nothing.
fn own_bytes(kind: Children, runtime: &str) -> u64 {
    runtime::by_name(runtime).map_or(0, |runtime| runtime.costs.child_bytes(kind))
}

fn has_empty_pools(runtime: &str) -> bool {
    runtime::by_name(runtime).is_some_and(|runtime| runtime.has_empty_pools)
}

impl<'a> Session<'a> {
    /// Makes the group and raises limits; `None` of a trial that is not about memory.
    pub fn begin(setting: &'a Setting<'a>, trial: &'a Trial, grouping: Grouping) -> Option<Self> {
        let family = &setting.experiment.families[trial.family];
        let arm = &family.arms[trial.arm];
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
            _raised: Raised::raise(Need::of(kind, children, &family.runtime)),
        })
    }

    /// The command of a subject that is in the trial's group from its first instruction on.
    pub fn command(&self, command: &[PathBuf]) -> Vec<PathBuf> {
        match &self.group {
            Ok(group) => group.joined(command),
            Err(_) => command.to_vec(),
        }
    }

    /// Has the children of this subject held, and looks at them.
    ///
    /// # Errors
    /// The subject is gone, silent or speaks something else; the machine runs out of memory; or
    /// the user interrupted.
    pub fn observe(
        &mut self,
        target: &mut Target,
        prepared: &Prepared,
    ) -> Result<Measured, TargetError> {
        let root = target.pid();
        let mut reader = Reader::default();
        if self.kind.span() == Some(Span::Pool) {
            self.ready_all_ns = Some(target.ready_ns - target.started_ns);
        }
        self.look(Phase::Idle, root, &mut reader);
        let barrier = open_barrier(prepared)?;
        let tasks = self.children as usize;
        // Version 2 has had a high-water mark only since Linux 5.19.
        let group = self.group.as_ref().ok();
        let unmarked = group.and_then(|group| group.charge().peak_bytes).is_none();
        let mut sampler = Sampler::new(self.creation, unmarked);
        let mut between = |root| sampler.between(root);
        let exchange: &Exchange = &prepared.exchange;
        let seed = self.trial.seed;
        let holds = barrier.is_some();
        let mut course = Course::new(target, exchange, barrier, seed, &mut between)?;
        match self.kind.span() {
            Some(Span::Request) if tasks > 0 => {
                let held = course.hold(tasks)?;
                match held.arrived == tasks {
                    true => self.ready_all_ns = Some(held.took_ns),
                    false => self.short = Some(held.arrived),
                }
                self.look(Phase::Held, root, &mut reader);
                course.let_go()?;
            }
            Some(Span::Pool) if tasks > 0 => {
                if holds {
                    // The barrier sees to it that no worker gets two and another none.
                    let held = course.hold(tasks)?;
                    if held.arrived != tasks {
                        self.short = Some(held.arrived);
                    }
                    course.let_go()?;
                } else {
                    course.pass(tasks, tasks)?;
                }
                self.look(Phase::First, root, &mut reader);
                let total = (tasks * REQUESTS_PER_WORKER).min(REQUESTS_MAX);
                course.pass(total, tasks)?;
                self.look(Phase::Hundred, root, &mut reader);
            }
            _ => {}
        }
        let measured = course.close();
        self.look(Phase::Peak, root, &mut reader);
        self.sampled_pss_bytes = sampler.highest();
        Ok(measured)
    }

    /// Removes the group. To be called when nobody is in it any more.
    ///
    /// Gives the rows, of a trial that ended with `failure` a last one that says so, and a flag if
    /// the group could not be removed.
    pub fn finish(self, failure: Option<&str>) -> (Vec<MemoryRow>, Option<String>) {
        let rows = rows::rows(&self, failure);
        let removed = self.group.map(TrialGroup::remove);
        let left = matches!(removed, Ok(Err(_)));
        (rows, left.then(|| "cgroup_left".to_owned()))
    }

    fn look(&mut self, phase: Phase, root: u32, reader: &mut Reader) {
        let group = self.group.as_ref().ok();
        let snapshot = Snapshot::take(phase, root, self.creation, group, reader);
        self.snapshots.push(snapshot);
    }
}

/// The row of a memory trial that was not run.
pub fn skipped_row(setting: &Setting<'_>, trial: &Trial, reason: &str) -> Option<MemoryRow> {
    rows::skipped(setting, trial, reason)
}

/// The barrier of a workload that has one.
fn open_barrier(prepared: &Prepared) -> Result<Option<Barrier>, TargetError> {
    if !prepared.spec.workload().is_ok_and(|workload| workload.holds()) {
        return Ok(None);
    }
    let dir = prepared.spec.options.get("input").map_or("", String::as_str);
    let opened = Barrier::open(Path::new(dir));
    opened
        .map(Some)
        .map_err(|error| TargetError::Io { attempt: format!("open the barrier in {dir}"), error })
}

/// Looks again and again where the kernel keeps no high-water mark, as seldom as not to stop the
/// tree for more than its share of the time.
#[derive(Debug)]
struct Sampler {
    creation: Creation,
    wanted: bool,
    reader: Reader,
    next_ns: u64,
    highest_bytes: Option<u64>,
}

impl Sampler {
    fn new(creation: Creation, wanted: bool) -> Sampler {
        Sampler { creation, wanted, reader: Reader::default(), next_ns: 0, highest_bytes: None }
    }

    fn between(&mut self, root: u32) {
        if !self.wanted || now_ns() < self.next_ns {
            return;
        }
        let look = Snapshot::take(Phase::Peak, root, self.creation, None, &mut self.reader);
        let pss_bytes = look.sum(|holding| Some(holding.rollup.pss_bytes));
        self.highest_bytes = self.highest_bytes.max(pss_bytes);
        self.next_ns = now_ns() + look.sweep_ns * SAMPLING_SHARE;
    }

    fn highest(&self) -> Option<u64> {
        self.highest_bytes
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
        let crowd = Crowd::of(family, &arm).unwrap();
        family.ballast_bytes = 1 << 60;
        let reason = crowd.refusal(family).unwrap();
        assert!(reason.contains("MemAvailable is"), "{reason}");
        // A child of an interpreter is counted, although it touches nothing.
        assert!(own_bytes(crowd.kind, "node") > own_bytes(crowd.kind, runtime::RUST_NAME));
        family.load = Load::Memory { children: 1 };
        assert_eq!(Crowd::of(family, &arm), None);
    }
}
