//! One look at a whole tree: every process of it, its control group, the machine.

use super::cgroup::{Charge, TrialGroup};
use super::machine::Machine;
use super::process::{Holding, Reader, Unread};
use super::tree::{self, Creation, Member, Role};
use crate::sys::clock::now_ns;

/// At which moment of a trial a look is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The subject is ready and was asked nothing.
    Idle,
    /// After one request to each worker.
    First,
    /// After a hundred requests to each worker.
    Hundred,
    /// All children stand at the barrier.
    Held,
    /// At the end: high-water marks.
    Peak,
}

impl Phase {
    /// As in rows.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Idle => "idle",
            Phase::First => "first",
            Phase::Hundred => "hundred",
            Phase::Held => "held",
            Phase::Peak => "peak",
        }
    }
}

/// What a look saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// When in the trial.
    pub phase: Phase,
    /// When it began, in ns.
    pub t_ns: u64,
    /// How long it took, in ns.
    pub sweep_ns: u64,
    /// Everybody in the tree, the subject first, with what each holds.
    pub processes: Vec<(Member, Result<Holding, Unread>)>,
    /// What the control group is charged for, if there is one.
    pub charge: Option<Charge>,
    /// The machine's memory after the look.
    pub machine: Machine,
}

impl Snapshot {
    /// Looks at the tree of `root`.
    pub fn take(
        phase: Phase,
        root: u32,
        creation: Creation,
        group: Option<&TrialGroup>,
        reader: &mut Reader,
    ) -> Snapshot {
        let t_ns = now_ns();
        let members = tree::members(reader, root, creation);
        let read = |member: Member| {
            let holding = match &member.unread {
                Some(unread) => Err(unread.clone()),
                None => reader.read(&member.listed),
            };
            (member, holding)
        };
        let processes = members.into_iter().map(read).collect();
        let sweep_ns = now_ns() - t_ns;
        Snapshot {
            phase,
            t_ns,
            sweep_ns,
            processes,
            charge: group.map(TrialGroup::charge),
            machine: Machine::read(),
        }
    }

    /// What the processes that could be read hold.
    pub fn holdings(&self) -> impl Iterator<Item = &Holding> {
        self.processes.iter().filter_map(|(_, holding)| holding.as_ref().ok())
    }

    /// How many could not be read.
    pub fn unread(&self) -> usize {
        self.processes.iter().filter(|(_, holding)| holding.is_err()).count()
    }

    /// How many are there for this.
    pub fn count(&self, role: Role) -> usize {
        let members = self.processes.iter().map(|(member, _)| member);
        members.filter(|member| member.role == role).count()
    }

    /// The sum over the tree of one of the numbers; `None` where a process does not tell it.
    pub fn sum(&self, of: impl Fn(&Holding) -> Option<u64>) -> Option<u64> {
        self.holdings().try_fold(0_u64, |sum, holding| sum.checked_add(of(holding)?))
    }
}
