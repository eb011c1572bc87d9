//! What is measured in a family: work, runtime and surroundings, but not the load.

use serde::Serialize;

use crate::experiment::numbers;
use crate::record::{MemoryRow, Placement, TrialRow};
use crate::workload;
use crate::workload::options;

/// Equal keys mean the same work in the same runtime and surroundings. Families of several loads
/// share a key, and so do timed trials and memory trials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[allow(missing_docs, reason = "named as the columns of trials.csv and memory.csv")]
pub struct FamilyKey {
    pub runtime: String,
    pub workload: String,
    pub workload_options: String,
    pub size: String,
    pub placement: Placement,
    pub payload_bytes: u64,
    pub ballast_bytes: u64,
}

/// The key of a row of either file.
macro_rules! key_of {
    ($row:ident) => {
        FamilyKey {
            runtime: $row.runtime.clone(),
            workload: $row.workload.clone(),
            workload_options: $row.workload_options.clone(),
            size: $row.size.clone(),
            placement: $row.placement,
            payload_bytes: $row.payload_bytes,
            ballast_bytes: $row.ballast_bytes,
        }
    };
}

impl FamilyKey {
    /// Of a timed trial.
    pub fn of_trial(row: &TrialRow) -> FamilyKey {
        key_of!(row)
    }

    /// Of a memory trial.
    pub fn of_memory(row: &MemoryRow) -> FamilyKey {
        key_of!(row)
    }

    /// A whole number among the workload's options.
    pub fn option(&self, name: &str) -> Option<u64> {
        options::parse(&self.workload_options).get(name)?.parse().ok()
    }

    /// Whether the children write what they inherited, or touch memory of their own: their price is
    /// that of the work.
    pub fn writes(&self) -> bool {
        ["write_mib", "touch_mib"].iter().any(|name| self.option(name).is_some_and(|mib| mib > 0))
    }

    /// The key in words, with the load, which may be empty, before the surroundings:
    /// `primes m · chunks 4 · rust · closed loop, 2 callers · ballast 64 MiB`.
    pub fn title(&self, load: &str) -> String {
        let mut parts = vec![self.work()];
        parts.extend(self.options_set());
        parts.push(self.runtime.clone());
        parts.push(load.to_owned());
        if self.ballast_bytes > 0 {
            parts.push(format!("ballast {}", numbers::bytes(self.ballast_bytes)));
        }
        if self.placement != Placement::Unpinned {
            parts.push(self.placement.name().to_owned());
        }
        parts.retain(|part| !part.is_empty());
        parts.join(" · ")
    }

    /// `primes m`, `noop 64 B`, `hold`.
    fn work(&self) -> String {
        let workload = workload::by_name(&self.workload);
        let has_size = workload.is_none_or(|w| !w.takes_payload() && !w.holds());
        let mut work = self.workload.clone();
        if has_size && !self.size.is_empty() {
            work = format!("{work} {}", self.size);
        }
        if self.payload_bytes > 0 {
            work = format!("{work} {}", numbers::bytes(self.payload_bytes));
        }
        work
    }

    /// The workload's options that are not at their defaults: `chunks 4`.
    fn options_set(&self) -> Vec<String> {
        let defs = workload::by_name(&self.workload).map_or(&[][..], |workload| workload.options());
        let is_default = |name: &str, value: &str| {
            defs.iter().any(|def| def.name == name && def.default == value)
        };
        let words = |name: &str, value: &str| match name {
            "touch_mib" => format!("children touching {value} MiB"),
            "write_mib" => format!("children writing {value} MiB"),
            name => format!("{} {value}", name.replace('_', " ")),
        };
        options::parse(&self.workload_options)
            .iter()
            .filter(|(name, value)| !is_default(name, value))
            .map(|(name, value)| words(name, value))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_names_work_runtime_load_and_surroundings() {
        let key = FamilyKey {
            runtime: "rust".to_owned(),
            workload: "noop".to_owned(),
            payload_bytes: 64,
            ballast_bytes: 256 << 20,
            placement: Placement::SameCore,
            ..FamilyKey::default()
        };
        let title = key.title("closed loop, 1 caller");
        assert_eq!(title, "noop 64 B · rust · closed loop, 1 caller · ballast 256 MiB · same-core");
        let hold = FamilyKey {
            workload: "hold".to_owned(),
            workload_options: "touch_mib=0;write_mib=4".to_owned(),
            size: "s".to_owned(),
            payload_bytes: 0,
            ballast_bytes: 0,
            placement: Placement::Unpinned,
            ..key
        };
        assert_eq!(hold.title(""), "hold · children writing 4 MiB · rust");
        assert!(hold.writes());
    }
}
