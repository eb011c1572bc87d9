//! The options of pools of workers: how many, how much may wait, when one is replaced. Pure.

use crate::strategy::WORKERS;
use crate::workload::options::{self, OptionDef, Options, Used, Values};

pub(in crate::strategy) const OPTIONS: &[OptionDef; 4] = &[
    WORKERS,
    OptionDef {
        name: "queue",
        default: "10000",
        values: Values::Count { min: 1, max: 1_000_000 },
        help: "tasks that may wait; one more is rejected",
        used: Used::Always,
    },
    OptionDef {
        name: "recycle_after",
        default: "0",
        values: Values::Count { min: 0, max: 1_000_000_000 },
        help: "tasks after which a worker is replaced; 0 is never",
        used: Used::Always,
    },
    OptionDef {
        name: "recycle_jitter",
        default: "0",
        values: Values::Count { min: 0, max: 1_000_000_000 },
        help: "up to this many tasks more, different for each worker",
        used: Used::Unless("recycle_after", "0"),
    },
];

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) workers: usize,
    pub(super) queue: usize,
    recycle_after: u64,
    recycle_jitter: u64,
}

impl Limits {
    pub(super) fn read(options: &Options) -> Result<Limits, String> {
        Ok(Limits {
            workers: options::count(options, "workers")? as usize,
            queue: options::count(options, "queue")? as usize,
            recycle_after: options::count(options, "recycle_after")?,
            recycle_jitter: options::count(options, "recycle_jitter")?,
        })
    }

    /// Tasks until the worker of this slot is replaced.
    pub(super) fn tasks_of(&self, slot: u64) -> u64 {
        if self.recycle_after == 0 {
            return u64::MAX;
        }
        // Any spread will do, as long as the same run spreads the same way.
        let spread = crate::workload::fold(&[slot, self.recycle_after]);
        self.recycle_after + spread % (self.recycle_jitter + 1)
    }
}
