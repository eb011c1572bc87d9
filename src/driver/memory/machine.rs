//! The machine's memory, and the floor below which no trial may press it.

use std::fs;
use std::sync::OnceLock;

use crate::driver::cgroup::{self, Group, Version};
use crate::driver::processes::field_bytes;
use crate::driver::target::TargetError;

/// A trial that holds children ends before less than this share of the memory is available.
const FLOOR_PERCENT: u64 = 15;

/// `/proc/meminfo` in bytes, `None` where it lacks a field, and the tightest control group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Machine {
    /// `MemTotal`.
    pub total_bytes: Option<u64>,
    /// `MemAvailable`.
    pub available_bytes: Option<u64>,
    /// Of the control groups of this process the one that has the least left.
    pub group: Option<Room>,
}

/// A control group's limit and the rest of it, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// The most that it may be charged for.
    pub limit_bytes: u64,
    /// Memory that it is not yet charged for, and files that the kernel would drop.
    pub available_bytes: u64,
}

impl Machine {
    /// As it is now.
    pub fn read() -> Machine {
        let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let total_bytes = field_bytes(&text, "MemTotal");
        // Where they are does not change; what they allow may.
        static ABOVE: OnceLock<Vec<Group>> = OnceLock::new();
        let rooms = ABOVE.get_or_init(|| cgroup::above("memory")).iter().filter_map(room);
        // Version 1 says by a limit beyond the machine's memory that there is none.
        let limiting = rooms.filter(|room| total_bytes.is_none_or(|most| room.limit_bytes < most));
        Machine {
            total_bytes,
            available_bytes: field_bytes(&text, "MemAvailable"),
            group: limiting.min_by_key(|room| room.available_bytes),
        }
    }

    /// Why it cannot give `more_bytes`, if it cannot.
    pub fn lacks(self, more_bytes: u64) -> Option<String> {
        let of_machine = self.total_bytes.zip(self.available_bytes).and_then(|(total, left)| {
            let what = "MemAvailable is";
            lack(what, left, total, more_bytes)
        });
        of_machine.or_else(|| {
            let Room { limit_bytes, available_bytes } = self.group?;
            let what = "the memory control group of this process has left";
            lack(what, available_bytes, limit_bytes, more_bytes)
        })
    }
}

fn lack(what: &str, available: u64, total: u64, more_bytes: u64) -> Option<String> {
    let floor = total / 100 * FLOOR_PERCENT;
    (available.saturating_sub(more_bytes) < floor).then(|| {
        let mib = |bytes: u64| bytes >> 20;
        let wants = match more_bytes {
            0 => String::new(),
            more => format!(", of which the trial would take {} MiB", mib(more)),
        };
        format!(
            "memory: {what} {} MiB of {} MiB{wants}; a trial ends before less than \
             {FLOOR_PERCENT} % ({} MiB) are left: free memory or ask for fewer children",
            mib(available),
            mib(total),
            mib(floor)
        )
    })
}

/// Limit and rest of a group; `None` of one that has no limit.
fn room(group: &Group) -> Option<Room> {
    let (limit, usage, files) = match group.version {
        Version::V1 => (
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            ["total_inactive_file", "total_active_file"],
        ),
        Version::V2 => ("memory.max", "memory.current", ["inactive_file", "active_file"]),
    };
    let (limit_bytes, usage_bytes) = (group.number(limit)?, group.number(usage)?);
    let dropped = files.map(|name| group.field("memory.stat", name).unwrap_or(0));
    let kept_bytes = usage_bytes.saturating_sub(dropped.iter().sum());
    Some(Room { limit_bytes, available_bytes: limit_bytes.saturating_sub(kept_bytes) })
}

/// Asked repeatedly while children are created.
///
/// # Errors
/// The machine is about to run out of memory.
pub fn still_has_memory() -> Result<(), TargetError> {
    match Machine::read().lacks(0) {
        None => Ok(()),
        Some(reason) => Err(TargetError::Failed(reason)),
    }
}

/// Processes that the kernel has ended for lack of memory, as counted by this process's own groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OomKills(Option<u64>);

impl OomKills {
    /// Up to now.
    pub fn so_far() -> OomKills {
        // The nearest group that counts: those above it count others' processes as well.
        OomKills(cgroup::above("memory").iter().find_map(oom_kills))
    }

    /// Adds the kills since then to a reason: a signal 9 does not say why it was sent.
    pub fn explain(self, reason: &mut String) {
        let now = OomKills::so_far();
        let since = now.0.zip(self.0).map_or(0, |(now, then)| now.saturating_sub(then));
        if since == 0 || reason.is_empty() {
            return;
        }
        let processes = if since == 1 { "process" } else { "processes" };
        reason.push_str(&format!(
            "; out of memory: the kernel ended {since} {processes} of this control group"
        ));
    }
}

fn oom_kills(group: &Group) -> Option<u64> {
    let file = match group.version {
        Version::V1 => "memory.oom_control",
        Version::V2 => "memory.events",
    };
    group.field(file, "oom_kill")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_not_pressed_under_its_floor() {
        let machine = Machine {
            total_bytes: Some(1_000 << 20),
            available_bytes: Some(200 << 20),
            group: None,
        };
        assert_eq!(machine.lacks(0), None);
        assert_eq!(machine.lacks(50 << 20), None, "exactly 15 % are left");
        let reason = machine.lacks(51 << 20).unwrap();
        assert!(reason.contains("200 MiB of 1000 MiB") && reason.contains("51 MiB"), "{reason}");
        assert_eq!(Machine::default().lacks(u64::MAX), None);
        assert!(Machine::read().available_bytes > Some(0));
    }

    #[test]
    fn a_control_group_has_a_floor_of_its_own() {
        let room = |available_bytes| Room { limit_bytes: 1_000 << 20, available_bytes };
        let machine = |available_bytes| Machine {
            total_bytes: Some(100_000 << 20),
            available_bytes: Some(90_000 << 20),
            group: Some(room(available_bytes)),
        };
        assert_eq!(machine(200 << 20).lacks(50 << 20), None);
        let reason = machine(200 << 20).lacks(51 << 20).unwrap();
        assert!(
            reason.contains("control group") && reason.contains("200 MiB of 1000 MiB"),
            "{reason}"
        );
        assert!(machine(149 << 20).lacks(0).is_some());
    }

    /// Files that the kernel would drop are not taken, in either version's words.
    #[test]
    fn what_a_group_has_left_is_read_of_either_version() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        let read = |version| room(&Group { dir: dir.path().to_owned(), version });
        write("memory.stat", "inactive_file 5\nactive_file 7\ntotal_inactive_file 11\n");
        write("memory.max", "max\n");
        write("memory.current", "600\n");
        assert_eq!(read(Version::V2), None, "no limit");
        write("memory.max", "1000\n");
        let left = |available_bytes| Some(Room { limit_bytes: 1000, available_bytes });
        assert_eq!(read(Version::V2), left(412));
        write("memory.limit_in_bytes", "1000\n");
        write("memory.usage_in_bytes", "600\n");
        assert_eq!(read(Version::V1), left(411));
    }

    #[test]
    fn the_kernels_own_count_explains_a_reason() {
        let group = |dir: &std::path::Path, version| Group { dir: dir.to_owned(), version };
        let dir = tempfile::tempdir().unwrap();
        let v1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
        fs::write(dir.path().join("memory.oom_control"), v1).unwrap();
        let v2 = "low 0\nhigh 0\nmax 9\noom 2\noom_kill 2\noom_group_kill 0\n";
        fs::write(dir.path().join("memory.events"), v2).unwrap();
        assert_eq!(oom_kills(&group(dir.path(), Version::V1)), Some(3));
        assert_eq!(oom_kills(&group(dir.path(), Version::V2)), Some(2));
        assert_eq!(oom_kills(&group("/nonexistent".as_ref(), Version::V2)), None);
        let mut reason = "the subject was ended by signal 9".to_owned();
        OomKills(None).explain(&mut reason);
        OomKills::so_far().explain(&mut reason);
        assert_eq!(reason, "the subject was ended by signal 9", "nothing was counted since");
        if OomKills::so_far().0.is_some_and(|count| count > 0) {
            OomKills(Some(0)).explain(&mut reason);
            assert!(reason.contains("; out of memory: the kernel ended"), "{reason}");
        }
    }
}
