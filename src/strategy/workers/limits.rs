//! The options of pools of workers: how many, how much may wait, when one is replaced. Pure.

use crate::strategy::WORKERS;
use crate::workload::options::{self, OptionDef, Options, Used, Values};

pub const OPTIONS: [OptionDef; 4] = {
    let [queue, recycle_after, recycle_jitter] = crate::options! {
        /// tasks that may wait; one more is rejected
        queue = "10000", Values::Count { min: 1, max: 1_000_000 };
        /// tasks after which a worker is replaced; 0 is never
        recycle_after = "0", Values::Count { min: 0, max: 1_000_000_000 };
        /// up to this many tasks more, different for each worker
        recycle_jitter = "0", Values::Count { min: 0, max: 1_000_000_000 },
            Used::Unless("recycle_after", "0");
    };
    [WORKERS, queue, recycle_after, recycle_jitter]
};

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub workers: usize,
    pub queue: usize,
    recycle_after: u64,
    recycle_jitter: u64,
}

impl Limits {
    pub fn read(options: &Options) -> Result<Limits, String> {
        Ok(Limits {
            workers: options::count(options, "workers")? as usize,
            queue: options::count(options, "queue")? as usize,
            recycle_after: options::count(options, "recycle_after")?,
            recycle_jitter: options::count(options, "recycle_jitter")?,
        })
    }

    /// Tasks until the worker of this slot is replaced.
    pub fn tasks_of(&self, slot: u64) -> u64 {
        if self.recycle_after == 0 {
            return u64::MAX;
        }
        // Any spread will do, as long as the same run spreads the same way.
        let spread = crate::workload::fold(&[slot, self.recycle_after]);
        self.recycle_after + spread % (self.recycle_jitter + 1)
    }
}
