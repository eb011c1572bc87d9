//! The tasks under way of a strategy that creates a child for each.

use std::collections::HashMap;

use super::{Census, TaskId};

/// Jobs by slot, found by their task as well. No slot is used twice.
#[derive(Debug)]
pub struct Jobs<J> {
    by_slot: HashMap<u64, J>,
    slots: HashMap<TaskId, u64>,
    next_slot: u64,
    census: Census,
}

impl<J> Default for Jobs<J> {
    fn default() -> Jobs<J> {
        Jobs {
            by_slot: HashMap::new(),
            slots: HashMap::new(),
            next_slot: 0,
            census: Census::default(),
        }
    }
}

impl<J> Jobs<J> {
    /// The slot of the next job.
    pub fn next_slot(&self) -> u64 {
        self.next_slot
    }

    /// Takes the job of a task, whose child was created, into the next slot.
    pub fn insert(&mut self, id: TaskId, job: J) {
        self.census.born();
        self.slots.insert(id, self.next_slot);
        self.by_slot.insert(self.next_slot, job);
        self.next_slot += 1;
    }

    /// The job in a slot.
    pub fn get(&mut self, slot: u64) -> Option<&mut J> {
        self.by_slot.get_mut(&slot)
    }

    /// The slot of a task's job.
    pub fn slot_of(&self, id: TaskId) -> Option<u64> {
        self.slots.get(&id).copied()
    }

    /// Removes a job whose child is gone.
    pub fn remove(&mut self, slot: u64, id: impl FnOnce(&J) -> TaskId) -> Option<J> {
        let job = self.by_slot.remove(&slot)?;
        self.slots.remove(&id(&job));
        self.census.gone();
        Some(job)
    }

    /// Every job.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut J> {
        self.by_slot.values_mut()
    }

    /// Removes the jobs that are over.
    pub fn remove_over(&mut self, is_over: impl Fn(&J) -> bool) {
        let before = self.by_slot.len();
        let by_slot = &mut self.by_slot;
        by_slot.retain(|_, job| !is_over(job));
        self.slots.retain(|_, slot| by_slot.contains_key(slot));
        (self.by_slot.len()..before).for_each(|_| self.census.gone());
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_slot.is_empty()
    }

    /// How many children there were.
    pub fn census(&self) -> Census {
        self.census
    }
}
