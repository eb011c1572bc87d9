//! The words that cells of a run's tables hold, as enums.

use crate::experiment::Load;

/// Declares an enum of words with their meanings and its cells. After `default` stands the value of a row of which nothing is known.
macro_rules! words {
    (
        $(#[doc = $doc:literal])+
        pub enum $Name:ident $(, default $Default:ident)? {
            $($(#[doc = $meaning:literal])+ $Variant:ident = $word:literal,)+
        }
    ) => {
        $crate::words! {
            $(#[doc = $doc])+
            pub enum $Name { $($(#[doc = $meaning])+ $Variant = $word,)+ }
        }

        impl $Name {
            /// What it means.
            pub fn meaning(self) -> &'static str {
                [$(concat!($($meaning),+).trim_ascii()),+][self as usize]
            }
        }

        $(impl Default for $Name {
            fn default() -> $Name {
                $Name::$Default
            }
        })?

        impl $crate::record::columns::Cell for $Name {
            const KIND: $crate::record::columns::Kind =
                $crate::record::columns::Kind::Word(&[$($word),+]);
        }
    };
}
pub(super) use words;

words! {
    /// What became of a trial, or of a look at a process.
    pub enum Status, default Failed {
        /// It went as planned.
        Ok = "ok",
        /// Something went wrong that is not a request's outcome.
        Failed = "failed",
        /// It cannot be done here.
        Skipped = "skipped",
        /// It was cut short, or a part of it is missing.
        Partial = "partial",
    }
}

words! {
    /// What became of a demonstration.
    pub enum FactStatus, default Ok {
        /// It was shown.
        Ok = "ok",
        /// The demonstration did not do what it is for.
        Failed = "failed",
        /// It cannot be shown on this machine.
        Skipped = "skipped",
    }
}

words! {
    /// How load is offered.
    pub enum Regime, default Closed {
        /// Each caller sends its next request when its last was answered.
        Closed = "closed",
        /// Requests come on a schedule.
        Open = "open",
        /// An open loop at a rate that was chosen during the run.
        Search = "search",
        /// No load; children are held and read.
        Memory = "memory",
    }
}

words! {
    /// Whether the numbers of a trial may be used.
    pub enum Validity, default Valid {
        /// They may.
        Valid = "valid",
        /// Never.
        Invalid = "invalid",
    }
}

words! {
    /// What the noise signals of a trial say together.
    pub enum NoiseLabel, default Quiet {
        /// No flag.
        Quiet = "quiet",
        /// The worst flag is a warning.
        Warn = "warn",
        /// The worst flag is a disturbance.
        Disturbed = "disturbed",
        /// No flag, but the time that was watched is too short to judge the rates by.
        Unjudged = "unjudged",
    }
}

words! {
    /// A question that is answered by yes or no.
    pub enum YesNo, default No {
        /// It does not hold.
        No = "no",
        /// It holds.
        Yes = "yes",
    }
}

impl From<bool> for YesNo {
    fn from(yes: bool) -> YesNo {
        if yes { YesNo::Yes } else { YesNo::No }
    }
}

impl From<&Load> for Regime {
    fn from(load: &Load) -> Regime {
        match load {
            Load::Closed { .. } => Regime::Closed,
            Load::Open(_) => Regime::Open,
            Load::Memory { .. } => Regime::Memory,
        }
    }
}

words! {
    /// The moment of a look at a memory trial.
    pub enum Phase, default Idle {
        /// The subject is ready and has been asked nothing.
        Idle = "idle",
        /// After one request to each worker.
        First = "first",
        /// After a hundred requests to each worker.
        Hundred = "hundred",
        /// All children wait at a barrier.
        Held = "held",
        /// High-water marks, read at the end.
        Peak = "peak",
    }
}

words! {
    /// What a process of a memory trial is there for.
    pub enum ProcessRole, default Tree {
        /// The subject.
        Parent = "parent",
        /// A program or a copy of one request.
        Child = "child",
        /// A worker of a pool.
        Worker = "worker",
        /// A fork server, or a helper of the runtime.
        Helper = "helper",
        /// The shell of `exec`.
        Shell = "shell",
        /// The sum over all processes of the tree.
        Tree = "tree",
    }
}
