//! Which lanes are compared with which floor, and how close they must be.

use crate::lane::{Cores, Lane, Result, Site};
use crate::lanes::subject::{Noop, Span};
use crate::lanes::{floor_fork, instrument, kernel, memory, ping_pong, program, thread};

/// Lanes that are comparable, and the floor that all of them are divided by.
#[derive(Debug)]
pub(crate) struct Race {
    pub(crate) name: &'static str,
    pub(crate) cores: Cores,
    /// Laps of one lane before the other's turn: more where the switch itself would show.
    pub(crate) batch: u64,
    pub(crate) floor: Entry,
    pub(crate) lanes: &'static [Entry],
}

/// A lane by name.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) start: Start,
    pub(crate) bar: Bar,
}

/// The bar of a lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bar {
    /// None: it is shown only.
    None,
    /// At most this many times the floor.
    Times(f64),
    /// At most this many nanoseconds.
    Ns(u64),
}

/// How a lane is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start {
    /// By a function.
    With(fn(&Site) -> Result<Box<dyn Lane>>),
    /// A program that had to be compiled, by a function.
    Compiled(fn(&Site) -> Result<Box<dyn Lane>>),
    /// A strategy through a subject.
    Noop(Noop),
    /// A workload's kernel.
    Kernel(&'static str),
}

impl Start {
    pub(crate) fn start(&self, site: &Site) -> Result<Box<dyn Lane>> {
        match self {
            Start::With(start) | Start::Compiled(start) => start(site),
            Start::Noop(noop) => noop.start(site),
            Start::Kernel(name) => kernel::start(name, site),
        }
    }
}

impl Race {
    /// The floor and the lanes.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        std::iter::once(&self.floor).chain(self.lanes)
    }

    /// Why it cannot be run here.
    pub(crate) fn obstacle(&self, cores: usize) -> Option<&'static str> {
        (self.cores == Cores::Two && cores < 2).then_some("there is one core only")
    }
}

const fn plain(name: &'static str, start: fn(&Site) -> Result<Box<dyn Lane>>) -> Entry {
    Entry { name, start: Start::With(start), bar: Bar::None }
}

const fn compiled(name: &'static str, start: fn(&Site) -> Result<Box<dyn Lane>>) -> Entry {
    Entry { name, start: Start::Compiled(start), bar: Bar::None }
}

const fn noop(
    name: &'static str,
    strategy: &'static str,
    payload_bytes: u64,
    span: Span,
    bar: Bar,
) -> Entry {
    Entry { name, start: Start::Noop(Noop { strategy, payload_bytes, span }), bar }
}

const fn kernel(name: &'static str, bar: Bar) -> Entry {
    Entry { name, start: Start::Kernel(name), bar }
}

/// Strategies that end with a reaped program, from acceptance to reaping: the work of the floor, and
/// in addition argument, answer, pipes and loop.
const PROGRAMS: &[Entry] = &[
    noop("spawn", "spawn", 0, Span::AcceptedToReaped, Bar::Times(1.15)),
    noop("exec-file", "exec-file", 0, Span::AcceptedToReaped, Bar::Times(1.15)),
    noop("spawn, to the answer", "spawn", 0, Span::Service, Bar::None),
    noop("spawn, 64 B", "spawn", 64, Span::AcceptedToReaped, Bar::None),
    noop("fork-ipc", "fork-ipc", 0, Span::AcceptedToReaped, Bar::None),
    compiled("posix_spawn, smallest program", program::exec_smallest),
    compiled("Command, static C", program::command_static),
    compiled("Command, smallest program", program::command_smallest),
    plain("Command, true", program::command_true),
];

const POOLS: &[Entry] = &[
    noop("pool", "pool", 0, Span::Service, Bar::Times(1.3)),
    noop("pool, 64 B", "pool", 64, Span::Service, Bar::None),
    noop("prefork-pool", "prefork-pool", 0, Span::Service, Bar::None),
    noop("pool, response", "pool", 0, Span::Response, Bar::None),
    plain("pipes", ping_pong::over_pipes),
    plain("futex", ping_pong::over_futex),
];

/// Every race, in the order of the table.
pub(crate) const ALL: &[Race] = &[
    Race {
        name: "program",
        cores: Cores::Any,
        batch: 4,
        floor: compiled("posix_spawn, static C", program::exec_static),
        lanes: PROGRAMS,
    },
    Race {
        name: "program, one core",
        cores: Cores::One,
        batch: 4,
        floor: compiled("posix_spawn, static C", program::exec_static),
        lanes: PROGRAMS,
    },
    Race {
        name: "shell",
        cores: Cores::Any,
        batch: 4,
        floor: compiled("sh -c, static C", program::shell_static),
        lanes: &[
            noop("exec", "exec", 0, Span::AcceptedToReaped, Bar::Times(1.15)),
            plain("sh -c, true", program::shell_true),
            plain("sh -c, a builtin", program::shell_builtin),
        ],
    },
    Race {
        name: "fork, one core",
        cores: Cores::One,
        batch: 8,
        floor: plain("fork, _exit, wait", floor_fork::start),
        lanes: &[
            noop("fork", "fork", 0, Span::SentToReaped, Bar::Times(1.5)),
            noop("fork, to the answer", "fork", 0, Span::Service, Bar::None),
            noop("fork, 64 B", "fork", 64, Span::SentToReaped, Bar::None),
        ],
    },
    Race {
        name: "fork",
        cores: Cores::Any,
        batch: 8,
        floor: plain("fork, _exit, wait", floor_fork::start),
        lanes: &[noop("fork", "fork", 0, Span::SentToReaped, Bar::None)],
    },
    Race {
        name: "pool, one core",
        cores: Cores::One,
        batch: 64,
        floor: plain("socket pair", ping_pong::over_sockets),
        lanes: POOLS,
    },
    Race {
        name: "pool, two cores",
        cores: Cores::Two,
        batch: 32,
        floor: plain("socket pair", ping_pong::over_sockets),
        lanes: POOLS,
    },
    Race {
        name: "thread",
        cores: Cores::Any,
        batch: 16,
        floor: plain("std spawn, a word back", thread::spawn_and_hear),
        lanes: &[
            noop("thread", "thread", 0, Span::Service, Bar::Times(1.2)),
            plain("std spawn, join", thread::spawn_and_join),
        ],
    },
    Race {
        name: "thread-pool",
        cores: Cores::Any,
        batch: 32,
        floor: plain("rayon spawn, a word back", thread::rayon_and_hear),
        lanes: &[
            noop("thread-pool", "thread-pool", 0, Span::Service, Bar::Times(1.2)),
            plain("rayon install", thread::rayon_dispatch),
        ],
    },
    Race {
        name: "100 children",
        cores: Cores::Any,
        batch: 1,
        floor: compiled("100 static C programs, all there", memory::hundred_static),
        lanes: &[Entry {
            name: "pool of 100, ready",
            start: Start::With(memory::pool_of_hundred),
            bar: Bar::Ns(100_000_000),
        }],
    },
    Race {
        name: "1000 children",
        cores: Cores::Any,
        batch: 1,
        floor: Entry {
            name: "one look at 1000 static C programs",
            start: Start::Compiled(memory::sweep_of_thousand),
            bar: Bar::Ns(150_000_000),
        },
        lanes: &[],
    },
    Race {
        name: "random-sum",
        cores: Cores::Any,
        batch: 1,
        floor: plain("bare loop", kernel::bare_random_sum),
        lanes: &[kernel("random-sum", Bar::Times(1.05))],
    },
    Race {
        name: "image",
        cores: Cores::Any,
        batch: 1,
        floor: plain("bare sequence", kernel::bare_image),
        lanes: &[kernel("image", Bar::Times(1.1))],
    },
    Race {
        name: "kernels",
        cores: Cores::Any,
        batch: 1,
        floor: kernel("primes", Bar::None),
        lanes: &[kernel("analytics", Bar::None), kernel("orders", Bar::None)],
    },
    Race {
        name: "instrument",
        cores: Cores::One,
        batch: 16,
        floor: plain("socket pair", ping_pong::over_sockets),
        lanes: &[
            noop("empty dispatch", "blocking", 0, Span::Response, Bar::None),
            plain("1000 clock reads", instrument::clock_reads),
            plain("1000 recorded samples", instrument::recorded_samples),
        ],
    },
    Race {
        name: "closed loop",
        cores: Cores::Two,
        batch: 1,
        // 10 000 requests in a tenth of a second are 100 000 a second.
        floor: Entry {
            name: "10000 requests by 16 callers",
            start: Start::With(instrument::closed_loop),
            bar: Bar::Ns(instrument::LOOP_REQUESTS * 10_000),
        },
        lanes: &[],
    },
];
