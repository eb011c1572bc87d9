//! The switches of the mutation guard: what keeps a conclusion right, each of which a test can turn
//! off to see that a figure goes wrong.
//!
//! A safeguard whose absence no test notices may have been lost long ago. Outside tests [`holds`]
//! is constant: no option of the program can turn a safeguard off. In a test the switch belongs to
//! the thread, so that tests do not disturb each other.

/// One thing that keeps a conclusion right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Safeguard {
    /// An arm's block is compared with the reference's value of the same block. Off: of another.
    Pairing,
    /// The arms of a family take turns within a block. Off: one arm after the other. The plan of
    /// a run does this, which simulations imitate.
    #[cfg(test)]
    Interleaving,
    /// The interval of a median grows with the autocorrelation of its blocks. Off: the blocks
    /// count as independent.
    AutocorrelationInflation,
    /// p values are adjusted for the number of arms. Off: they are taken as they are.
    Holm,
    /// A response is timed from its request's intended start. Off: from when it was sent. The
    /// driver's ledger does this.
    IntendedTime,
    /// An answer is compared with the right one. Off: it is believed. The driver's ledger does
    /// this.
    Checksum,
    /// Of a disturbed trial the undisturbed attempt counts. Off: the first attempt does. The
    /// analysis of attempts does this.
    Reruns,
}

/// Whether this safeguard is on: always, outside tests.
#[cfg(not(test))]
pub const fn holds(_: Safeguard) -> bool {
    true
}

#[cfg(test)]
pub use super::simulation::switch::{holds, without};
