//! The children that the fork server has not reaped yet.

use crate::sys::process::{self, Block};

/// Children by process id and slot. Dropping it kills and reaps each.
///
/// Unlike other owners of a process they share one descriptor for all ends: a descriptor for each
/// (`launch::Owned`) costs three system calls and a file per fork. A process id in here cannot be
/// reused, because only this reaps.
#[derive(Debug, Default)]
pub struct Children {
    /// As many as there are callers at most, so that looking through them is cheap; and a vector
    /// writes to one page per fork, which a child that lives makes the server copy.
    alive: Vec<Child>,
}

#[derive(Debug, Clone, Copy)]
struct Child {
    pid: u32,
    slot: u64,
}

impl Children {
    pub fn adopt(&mut self, pid: u32, slot: u64) {
        self.alive.push(Child { pid, slot });
    }

    /// The child has been reaped: its slot.
    pub fn forget(&mut self, pid: u32) -> Option<u64> {
        let index = self.alive.iter().position(|child| child.pid == pid)?;
        Some(self.alive.swap_remove(index).slot)
    }

    /// Kills the child of this slot with its process group; it stays to be reaped.
    pub fn kill(&self, slot: u64) {
        if let Some(child) = self.alive.iter().find(|child| child.slot == slot) {
            process::kill_tree(child.pid);
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for child in &self.alive {
            process::kill_tree(child.pid);
        }
        for child in &self.alive {
            let _ = process::wait(child.pid, Block::Yes);
        }
    }
}
