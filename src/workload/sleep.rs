//! `sleep`: takes a given time without using a core. A service whose time is known and whose load
//! is nothing, so that queueing can be checked against theory on two cores.

use std::sync::Arc;

use super::{Answer, Input, Spec, Workload};
use crate::options::{self, OptionDef, Values};
use crate::sys::clock;

pub(super) struct Sleep;

const OPTIONS: &[OptionDef] = &[OptionDef {
    name: "us",
    default: "1000",
    values: Values::Count {
        min: 0,
        max: 60_000_000,
    },
    help: "how long a task sleeps, in microseconds",
}];

impl Workload for Sleep {
    fn name(&self) -> &'static str {
        "sleep"
    }

    fn summary(&self) -> &'static str {
        "sleeps for the microseconds given, whatever the size: a known service without load"
    }

    fn options(&self) -> &'static [OptionDef] {
        OPTIONS
    }

    fn prepare(&self, spec: &Spec) -> Result<Arc<dyn Input>, String> {
        Ok(Arc::new(Nap {
            us: options::count(&spec.options, "us")?,
        }))
    }
}

struct Nap {
    us: u64,
}

impl Input for Nap {
    fn run(&self, _: u32, _: Vec<u8>) -> Result<Answer, String> {
        clock::sleep_until_ns(clock::now_ns() + self.us * 1_000)
            .map_err(|e| format!("sleep for {} us: {e}", self.us))?;
        Ok(Answer {
            checksum: self.us,
            payload: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_after_the_time_given_and_not_before() {
        let start_ns = clock::now_ns();
        let answer = Nap { us: 300 }.run(0, Vec::new()).unwrap();
        assert!(clock::now_ns() >= start_ns + 300_000);
        assert_eq!(answer.checksum, 300);
    }
}
