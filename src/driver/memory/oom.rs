//! Whether the kernel ended something because memory was used up: what a control group counts, and
//! what a signal 9 does not say.

use std::fs;
use std::path::Path;

use super::cgroup::{self, Version, stat_field};

/// Processes that were ended so, as far as this process's own groups have counted them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::driver) struct Kills(Option<u64>);

/// Up to now.
pub(in crate::driver) fn kills() -> Kills {
    let places = cgroup::above("memory");
    // The nearest group that counts: those above it count others' processes as well.
    Kills(places.iter().find_map(|place| counted(&place.dir, place.version)))
}

fn counted(dir: &Path, version: Version) -> Option<u64> {
    let file = match version {
        Version::V1 => "memory.oom_control",
        Version::V2 => "memory.events",
    };
    stat_field(&fs::read_to_string(dir.join(file)).ok()?, "oom_kill")
}

impl Kills {
    /// The reason with what the group has counted since, if it has.
    pub(in crate::driver) fn explain(self, reason: &mut String) {
        let since = kills().0.zip(self.0).map(|(now, then)| now.saturating_sub(then));
        if let Some(count @ 1..) = since
            && !reason.is_empty()
        {
            let processes = if count == 1 { "1 process" } else { "processes" };
            let number = if count == 1 { String::new() } else { format!("{count} ") };
            reason.push_str(&format!(
                "; out of memory: the kernel ended {number}{processes} of this control group"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_own_count_explains_a_reason() {
        let dir = tempfile::tempdir().unwrap();
        let v1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
        fs::write(dir.path().join("memory.oom_control"), v1).unwrap();
        let v2 = "low 0\nhigh 0\nmax 9\noom 2\noom_kill 2\noom_group_kill 0\n";
        fs::write(dir.path().join("memory.events"), v2).unwrap();
        assert_eq!(counted(dir.path(), Version::V1), Some(3));
        assert_eq!(counted(dir.path(), Version::V2), Some(2));
        assert_eq!(counted(Path::new("/nonexistent"), Version::V2), None);
        let mut reason = "the subject was ended by signal 9".to_owned();
        Kills(None).explain(&mut reason);
        kills().explain(&mut reason);
        assert_eq!(reason, "the subject was ended by signal 9", "nothing was counted since");
        if kills().0.is_some_and(|count| count > 0) {
            Kills(Some(0)).explain(&mut reason);
            assert!(reason.contains("; out of memory: the kernel ended"), "{reason}");
        }
    }
}
