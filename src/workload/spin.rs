//! `spin`: keeps a core busy for a given time. What it blocks, it blocks exactly that long, on
//! every machine alike: load for the responsiveness experiments and for the self-tests. The
//! deadline is one of the wall clock: two that share a core both end on time, so this is no work
//! to measure capacity with.

use std::sync::Arc;

use super::{Answer, Input, Spec, Workload};
use crate::options::{self, OptionDef, Used, Values};
use crate::sys::clock;

pub(super) struct Spin;

const OPTIONS: &[OptionDef] = &[OptionDef {
    name: "us",
    default: "1000",
    values: Values::Count { min: 0, max: 60_000_000 },
    help: "how long a task is busy, in microseconds",
    used: Used::Always,
}];

impl Workload for Spin {
    fn name(&self) -> &'static str {
        "spin"
    }

    fn summary(&self) -> &'static str {
        "busy for the microseconds given, whatever the size: a known load for probes and self-tests"
    }

    fn options(&self) -> &'static [OptionDef] {
        OPTIONS
    }

    fn prepare(&self, spec: &Spec) -> Result<Arc<dyn Input>, String> {
        Ok(Arc::new(Busy { us: options::count(&spec.options, "us")? }))
    }
}

struct Busy {
    us: u64,
}

impl Input for Busy {
    fn run(&self, _: u32, _: Vec<u8>) -> Result<Answer, String> {
        let deadline_ns = clock::now_ns() + self.us * 1_000;
        // The clock is the work: it is what every runtime can read at about the same cost.
        while clock::now_ns() < deadline_ns {
            std::hint::spin_loop();
        }
        Ok(Answer { checksum: self.us, payload: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_busy_until_the_time_given_and_not_before() {
        let start_ns = clock::now_ns();
        let answer = Busy { us: 300 }.run(0, Vec::new()).unwrap();
        assert!(clock::now_ns() >= start_ns + 300_000);
        assert_eq!(answer.checksum, 300);
    }
}
