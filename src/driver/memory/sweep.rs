//! One snapshot of a whole tree: its processes, its control group, the machine.

use super::holding::{self, Holding, Unread};
use super::machine::Machine;
use super::tree::{self, Creation, Member};
use crate::driver::cgroup::{Charge, TrialGroup};
use crate::record::{Phase, ProcessRole};
use crate::sys::clock::now_ns;

/// The state of a tree at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// When in the trial.
    pub phase: Phase,
    /// When it began, in ns.
    pub t_ns: u64,
    /// How long it took, in ns.
    pub sweep_ns: u64,
    /// All processes of the tree with their memory, the subject first.
    pub processes: Vec<(Member, Result<Holding, Unread>)>,
    /// The charge of the control group, if there is one.
    pub charge: Option<Charge>,
    /// The machine's memory afterwards.
    pub machine: Machine,
}

impl Snapshot {
    /// Reads the tree of `root`.
    pub fn take(
        phase: Phase,
        root: u32,
        creation: Creation,
        group: Option<&TrialGroup>,
    ) -> Snapshot {
        let t_ns = now_ns();
        let read = |member: Member| {
            let holding = match &member.unread {
                Some(unread) => Err(unread.clone()),
                None => holding::read(&member.listed),
            };
            (member, holding)
        };
        let processes = tree::members(root, creation).into_iter().map(read).collect();
        let sweep_ns = now_ns() - t_ns;
        let charge = group.map(TrialGroup::charge);
        Snapshot { phase, t_ns, sweep_ns, processes, charge, machine: Machine::read() }
    }

    /// How many processes could not be read.
    pub fn unread(&self) -> usize {
        self.processes.iter().filter(|(_, holding)| holding.is_err()).count()
    }

    /// How many processes have this role.
    pub fn count(&self, role: ProcessRole) -> usize {
        self.processes.iter().filter(|(member, _)| member.role == role).count()
    }

    /// The sum of a number over the processes that could be read; `None` where one lacks it.
    pub fn sum(&self, of: impl Fn(&Holding) -> Option<u64>) -> Option<u64> {
        let mut holdings = self.processes.iter().filter_map(|(_, holding)| holding.as_ref().ok());
        holdings.try_fold(0_u64, |sum, holding| sum.checked_add(of(holding)?))
    }

    /// The sum of the proportional set sizes.
    pub fn pss_bytes(&self) -> Option<u64> {
        self.sum(|holding| Some(holding.pss_bytes))
    }
}
