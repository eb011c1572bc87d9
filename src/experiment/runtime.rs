//! The runtimes that can serve as a subject: pure facts, one stanza each in [`ALL`]. Whether one
//! is available here is a question to the machine, which the command line asks.

/// A language and its idiomatic way of each strategy.
#[derive(Debug, Clone, Copy)]
pub struct Runtime {
    /// As written in experiments, rows and on the command line.
    pub name: &'static str,
    /// One line for `forkbench list`.
    pub summary: &'static str,
    /// What serves as its subject.
    pub program: Program,
    /// Strategies that it cannot run, by name, each with the reason. Their trials become rows
    /// with status `skipped` instead of gaps.
    pub unsupported: &'static [(&'static str, &'static str)],
}

/// What is started as a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// A program of this name, installed beside the driver.
    Beside(&'static str),
}

/// Every runtime, the default one first.
pub const ALL: &[Runtime] = &[Runtime {
    name: "rust",
    summary: "static binary, no async runtime; threads by std and rayon",
    program: Program::Beside("forkbench-subject"),
    unsupported: &[],
}];

/// The runtime of this name.
pub fn by_name(name: &str) -> Option<&'static Runtime> {
    ALL.iter().find(|runtime| runtime.name == name)
}

impl Runtime {
    /// Whether it can run the strategy at all.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn supports(&self, strategy: &str) -> Result<(), &'static str> {
        match self.unsupported.iter().find(|(name, _)| *name == strategy) {
            Some((_, reason)) => Err(reason),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy;

    #[test]
    fn names_are_unique_and_unsupported_strategies_exist() {
        for (index, runtime) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.name != runtime.name));
            for (name, reason) in runtime.unsupported {
                assert!(strategy::by_name(name).is_some(), "{name}");
                assert_eq!(runtime.supports(name), Err(*reason));
            }
        }
        assert_eq!(ALL[0].supports("fork"), Ok(()));
    }
}
