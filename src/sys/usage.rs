//! Resources that a process has used.

use serde::{Deserialize, Serialize};

/// Resources of a process, as `getrusage(2)` and `wait4(2)` count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time in user mode, in nanoseconds (the kernel counts in microseconds).
    pub cpu_user_ns: u64,
    /// CPU time in the kernel, in nanoseconds.
    pub cpu_system_ns: u64,
    /// Page faults without input or output.
    pub faults_minor: u64,
    /// Page faults that read from a file or swap.
    pub faults_major: u64,
    /// Times it gave up the processor to wait.
    pub ctx_voluntary: u64,
    /// Times the processor was taken away.
    pub ctx_involuntary: u64,
}

impl Usage {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Usage) -> Usage {
        self.zip(other, u64::saturating_add)
    }

    /// What came after `earlier`; never negative.
    #[must_use]
    pub fn since(self, earlier: Usage) -> Usage {
        self.zip(earlier, u64::saturating_sub)
    }

    /// The numbers in the order of the fields.
    pub fn to_words(self) -> [u64; 6] {
        let Usage { cpu_user_ns, cpu_system_ns, faults_minor, faults_major, .. } = self;
        let times = [self.ctx_voluntary, self.ctx_involuntary];
        [cpu_user_ns, cpu_system_ns, faults_minor, faults_major, times[0], times[1]]
    }

    /// The inverse of [`Usage::to_words`].
    pub fn from_words(words: [u64; 6]) -> Usage {
        let [cpu_user_ns, cpu_system_ns, faults_minor, faults_major, ctx_voluntary, last] = words;
        Usage {
            cpu_user_ns,
            cpu_system_ns,
            faults_minor,
            faults_major,
            ctx_voluntary,
            ctx_involuntary: last,
        }
    }

    fn zip(self, other: Usage, f: fn(u64, u64) -> u64) -> Usage {
        let (mut words, others) = (self.to_words(), other.to_words());
        words.iter_mut().zip(others).for_each(|(word, other)| *word = f(*word, other));
        Usage::from_words(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usages_are_added_and_subtracted_field_by_field() {
        let usage = Usage::from_words([1, 2, 3, 4, 5, 6]);
        assert_eq!((usage.cpu_user_ns, usage.ctx_involuntary), (1, 6));
        assert_eq!(usage.plus(usage).to_words(), [2, 4, 6, 8, 10, 12]);
        assert_eq!(usage.plus(usage).since(usage), usage);
        assert_eq!(Usage::default().since(usage), Usage::default());
    }
}
