//! `noop`: echoes the payload. What is left is what the strategy itself costs.

use std::sync::Arc;

use super::{Answer, Input, Spec, Workload};

pub(super) struct Noop;

impl Workload for Noop {
    fn name(&self) -> &'static str {
        "noop"
    }

    fn summary(&self) -> &'static str {
        "echoes its payload (0 B to 16 MiB): what the strategy itself costs"
    }

    fn takes_payload(&self) -> bool {
        true
    }

    fn prepare(&self, _: &Spec) -> Result<Arc<dyn Input>, String> {
        Ok(Arc::new(Echo))
    }
}

struct Echo;

impl Input for Echo {
    fn run(&self, _: u32, payload: Vec<u8>) -> Result<Answer, String> {
        Ok(Answer { checksum: checksum(&payload), payload })
    }
}

/// The length of the payload. Hashing its bytes would put work into the clock that no-work must
/// not have; the driver compares the bytes themselves with what it sent, outside the clock.
pub fn checksum(payload: &[u8]) -> u64 {
    payload.len() as u64
}
