//! How many children a strategy has created.

/// A count of children, kept where they are created and reaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Created since the subject started.
    pub started: u64,
    /// Created and not yet reaped or joined.
    pub alive: u64,
    /// The largest `alive` has been.
    pub peak: u64,
}

impl Census {
    /// One more.
    pub fn born(&mut self) {
        self.started += 1;
        self.alive += 1;
        self.peak = self.peak.max(self.alive);
    }

    /// One less.
    pub fn gone(&mut self) {
        self.alive -= 1;
    }
}
