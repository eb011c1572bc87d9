//! The switches of the mutation guard: what the analysis does to be right, each of which tests
//! can turn off to see that a test notices.
//!
//! A safeguard whose absence no test notices may have been lost long ago. [`Safeguards`] is a
//! value that functions take, not a global or a Cargo feature, so that both ways run side by side
//! in one test; and outside tests there is only one such value, so that no option of the program
//! can ever turn one off.

/// One thing that is done to keep a conclusion right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Safeguard {
    /// An arm's block is compared with the reference's value of the same block. Off: of another.
    Pairing,
    /// The arms of a family take turns within a block. Off: one arm after the other. Belongs to
    /// whoever orders trials.
    Interleaving,
    /// The interval of a median grows with the autocorrelation of its blocks. Off: the blocks
    /// pass for independent.
    AutocorrelationInflation,
    /// p values are adjusted for the number of arms. Off: taken as they are.
    Holm,
    /// A response is timed from when its request was meant to be sent. Off: from when it was.
    /// Belongs to the driver's books.
    IntendedTime,
    /// An answer is compared with the right one. Off: it is believed. Belongs there, too.
    Checksum,
    /// Of a trial that was disturbed, the attempt that was not counts. Off: the first does,
    /// whatever happened to it.
    Reruns,
}

impl Safeguard {
    /// All of them; the mutation guard goes through this list.
    pub const ALL: [Safeguard; 7] = [
        Safeguard::Pairing,
        Safeguard::Interleaving,
        Safeguard::AutocorrelationInflation,
        Safeguard::Holm,
        Safeguard::IntendedTime,
        Safeguard::Checksum,
        Safeguard::Reruns,
    ];
}

/// Which safeguards are on: all, outside tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Safeguards {
    off: Option<Safeguard>,
}

impl Safeguards {
    /// The only value outside tests.
    pub const ALL_ON: Safeguards = Safeguards { off: None };

    /// All but one.
    #[cfg(test)]
    pub(crate) const fn without(safeguard: Safeguard) -> Safeguards {
        Safeguards { off: Some(safeguard) }
    }

    /// Whether this one is on.
    pub fn hold(self, safeguard: Safeguard) -> bool {
        self.off != Some(safeguard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_off_and_the_others_hold() {
        for off in Safeguard::ALL {
            assert!(Safeguards::ALL_ON.hold(off));
            for other in Safeguard::ALL {
                assert_eq!(Safeguards::without(off).hold(other), other != off);
            }
        }
    }
}
