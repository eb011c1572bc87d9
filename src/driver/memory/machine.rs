//! The machine's memory, and the floor under which no memory trial may press it.

use std::fs;

use super::text;
use crate::driver::target::TargetError;

/// A trial ends before less than this share of the memory is available.
const FLOOR_PERCENT: u64 = 15;

/// What `/proc/meminfo` says, in bytes; `None` where it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Machine {
    /// `MemTotal`.
    pub total_bytes: Option<u64>,
    /// `MemAvailable`.
    pub available_bytes: Option<u64>,
}

impl Machine {
    /// As it is now.
    pub fn read() -> Machine {
        let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Machine {
            total_bytes: text::meminfo(&text, "MemTotal"),
            available_bytes: text::meminfo(&text, "MemAvailable"),
        }
    }

    /// Why it has not got so many bytes more to give, if it has not.
    pub fn lacks(self, more_bytes: u64) -> Option<String> {
        let (total, available) = self.total_bytes.zip(self.available_bytes)?;
        let floor = total / 100 * FLOOR_PERCENT;
        (available.saturating_sub(more_bytes) < floor).then(|| {
            let mib = |bytes: u64| bytes >> 20;
            let wants = match more_bytes {
                0 => String::new(),
                more => format!(", of which the trial would take {} MiB", mib(more)),
            };
            format!(
                "memory: MemAvailable is {} MiB of {} MiB{wants}; a memory trial ends before less \
                 than {FLOOR_PERCENT} % ({} MiB) are left: free memory or ask for fewer children",
                mib(available),
                mib(total),
                mib(floor)
            )
        })
    }
}

/// What is asked again and again while children are created.
///
/// # Errors
/// The machine is about to run out of memory.
pub fn still_has_memory() -> Result<(), TargetError> {
    match Machine::read().lacks(0) {
        None => Ok(()),
        Some(reason) => Err(TargetError::Failed(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_not_pressed_under_its_floor() {
        let machine = Machine {
            total_bytes: Some(1_000 << 20),
            available_bytes: Some(200 << 20),
        };
        assert_eq!(machine.lacks(0), None);
        assert_eq!(machine.lacks(50 << 20), None, "exactly 15 % are left");
        let reason = machine.lacks(51 << 20).unwrap();
        assert!(
            reason.contains("200 MiB of 1000 MiB") && reason.contains("51 MiB"),
            "{reason}"
        );
        assert_eq!(Machine::default().lacks(u64::MAX), None);
        assert!(Machine::read().available_bytes > Some(0));
    }
}
