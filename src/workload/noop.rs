//! `noop`: echoes the payload. The rest is the cost of the strategy itself.

use std::sync::Arc;

use super::{Answer, Input, Spec, Workload, input};

pub struct Noop;

impl Workload for Noop {
    fn name(&self) -> &'static str {
        "noop"
    }

    fn summary(&self) -> &'static str {
        "echoes its payload (0 B to 16 MiB): the cost of the strategy itself"
    }

    fn takes_payload(&self) -> bool {
        true
    }

    fn prepare(&self, _: &Spec) -> Result<Arc<dyn Input>, String> {
        input(|_, payload: Vec<u8>| Ok(Answer { checksum: checksum(&payload), payload }))
    }
}

/// The length of the payload. Hashing its bytes would put work into the clock that no-work must
/// not have; the driver compares the bytes themselves with what it sent, outside the clock.
pub fn checksum(payload: &[u8]) -> u64 {
    payload.len() as u64
}
