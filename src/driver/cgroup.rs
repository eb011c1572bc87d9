//! Control groups of either version: those that limit this process, and those made for one trial.
//!
//! A trial's own group has the kernel's high-water mark of memory, which no short peak escapes. The
//! subject joins it by itself, before it becomes the subject: a process that is moved later leaves
//! its charge behind, and a driver that joined in its place would be charged itself.

use std::fs;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::watcher;
use crate::subject::watch;
use crate::sys::process;

/// Which kernel interface a group is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// One hierarchy per controller.
    V1,
    /// One hierarchy for all.
    V2,
}

/// A control group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its directory.
    pub dir: PathBuf,
    /// Its interface.
    pub version: Version,
}

/// A group made for one trial. Dropping it removes it; it must be empty by then.
#[derive(Debug)]
pub struct TrialGroup(Group);

/// Memory charged to a group, in bytes; `None` where this kernel does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Charge {
    /// Now.
    pub usage_bytes: Option<u64>,
    /// The most it ever was.
    pub peak_bytes: Option<u64>,
    /// The kernel's part of `usage_bytes`.
    pub kernel_bytes: Option<u64>,
    /// The part without a file.
    pub anon_bytes: Option<u64>,
}

impl Group {
    /// The number that a file holds.
    pub fn number(&self, file: &str) -> Option<u64> {
        fs::read_to_string(self.dir.join(file)).ok()?.trim().parse().ok()
    }

    /// The number in the line `name number` of a file.
    pub fn field(&self, file: &str, name: &str) -> Option<u64> {
        let text = fs::read_to_string(self.dir.join(file)).ok()?;
        let of_name = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
        text.lines().find_map(of_name)
    }

    /// Makes a trial's group below this one, and removes those of drivers that are gone.
    ///
    /// # Errors
    /// The group cannot be made.
    pub fn create_below(&self, trial_id: &str) -> io::Result<TrialGroup> {
        remove_stale(&self.dir);
        let dir = self.dir.join(format!("{}-{trial_id}", watcher::run_name()));
        fs::create_dir(&dir)?;
        Ok(TrialGroup(Group { dir, version: self.version }))
    }

    /// Whether groups made below this one have a memory controller.
    fn hands_memory_on(&self) -> bool {
        let path = self.dir.join("cgroup.subtree_control");
        let text = fs::read_to_string(path).unwrap_or_default();
        self.version == Version::V1 || text.split_ascii_whitespace().any(|name| name == "memory")
    }
}

impl TrialGroup {
    /// Makes a group with a memory controller below this process's own, or as near to it as
    /// possible, so that limits on this process also limit the trial.
    ///
    /// # Errors
    /// Why there can be none here, for people.
    pub fn create(trial_id: &str) -> Result<TrialGroup, String> {
        let mut refused = Vec::new();
        for group in above("memory") {
            let dir = group.dir.display();
            if !group.hands_memory_on() {
                refused.push(format!("{dir} hands no memory controller on"));
                continue;
            }
            match group.create_below(trial_id) {
                Ok(made) => return Ok(made),
                Err(error) => refused.push(format!("create a group in {dir}: {error}")),
            }
        }
        Err(refused.into_iter().next().unwrap_or("no memory controller is mounted".to_owned()))
    }

    /// The command of a program that joins the group and then becomes `command`.
    pub fn joined(&self, command: &[PathBuf]) -> Vec<PathBuf> {
        let join = "echo 0 > \"$0\" && exec \"$@\"";
        let procs = self.dir.join("cgroup.procs");
        let head = [PathBuf::from("/bin/sh"), "-c".into(), join.into(), procs];
        head.into_iter().chain(command.iter().cloned()).collect()
    }

    /// `cgroup_v1` or `cgroup_v2`.
    pub fn source(&self) -> &'static str {
        match self.version {
            Version::V1 => "cgroup_v1",
            Version::V2 => "cgroup_v2",
        }
    }

    /// The memory charged to it.
    pub fn charge(&self) -> Charge {
        match self.version {
            Version::V1 => Charge {
                usage_bytes: self.number("memory.usage_in_bytes"),
                peak_bytes: self.number("memory.max_usage_in_bytes"),
                kernel_bytes: self.number("memory.kmem.usage_in_bytes"),
                anon_bytes: self.field("memory.stat", "rss"),
            },
            Version::V2 => Charge {
                usage_bytes: self.number("memory.current"),
                peak_bytes: self.number("memory.peak"),
                kernel_bytes: self.field("memory.stat", "kernel"),
                anon_bytes: self.field("memory.stat", "anon"),
            },
        }
    }

    /// The processes in it.
    pub fn members(&self) -> Vec<u32> {
        // Opened anew each time: version 1 keeps the list of an open file for a while.
        let text = fs::read_to_string(self.dir.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Removes it.
    ///
    /// # Errors
    /// A process is still in it.
    pub fn remove(self) -> io::Result<()> {
        // Dropping it tries again.
        match fs::remove_dir(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Deref for TrialGroup {
    type Target = Group;

    fn deref(&self) -> &Group {
        &self.0
    }
}

impl Drop for TrialGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.dir);
    }
}

/// The directories in which the groups of trials may be made.
pub fn parents_of_trial_groups() -> Vec<PathBuf> {
    ["memory", "cpuacct"].into_iter().flat_map(above).map(|group| group.dir).collect()
}

/// Removes groups of drivers that were killed before they could remove them.
fn remove_stale(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(watch::pid_in);
        if pid.is_some_and(|pid| !process::exists(pid)) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// The groups of a controller that limit this process, as far as they are mounted here: its own,
/// then those that contain it.
pub fn above(controller: &str) -> Vec<Group> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let mounts = read("/proc/self/mounts");
    let groups = groups(&mounts, &read("/proc/self/cgroup"), controller);
    groups.into_iter().filter(|group| group.dir.is_dir()).collect()
}

/// Groups of a controller, the nearest to this process first, and last the root of the mount: in a
/// container that may be all that exists of the path.
fn groups(mounts: &str, own: &str, controller: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    for line in mounts.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let &[_, mount, kind, options, ..] = fields.as_slice() else {
            continue;
        };
        let has_it = options.split(',').any(|option| option == controller);
        let (version, path) = match kind {
            "cgroup" if has_it => (Version::V1, own_path(own, controller)),
            "cgroup2" => (Version::V2, own_path(own, "")),
            _ => continue,
        };
        let root = PathBuf::from(mount);
        let own = root.join(path.unwrap_or("/").trim_start_matches('/'));
        let dirs = own.ancestors().take_while(|dir| dir.starts_with(&root));
        let mut dirs: Vec<&Path> = dirs.collect();
        if !dirs.contains(&root.as_path()) {
            dirs.push(&root);
        }
        groups.extend(dirs.into_iter().map(|dir| Group { dir: dir.to_owned(), version }));
    }
    // Version 1 first: where both are mounted, the controller is in one of them only, and in
    // version 2 that shows.
    groups.sort_by_key(|group| group.version == Version::V2);
    groups
}

/// The path of `/proc/self/cgroup` of this controller; version 2 has no name there.
fn own_path<'a>(own: &'a str, controller: &str) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (names, path) = (fields.next()?, fields.next()?);
        names.split(',').any(|name| name == controller).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs(mounts: &str, own: &str) -> Vec<(String, Version)> {
        let groups = groups(mounts, own, "memory").into_iter();
        groups.map(|p| (p.dir.display().to_string(), p.version)).collect()
    }

    #[test]
    fn groups_are_made_below_ones_own_or_what_is_mounted() {
        let own = "9:name=systemd:/\n4:cpu,memory:/a/b\n0::/u\n";
        let v1 = "cgroup /c/memory cgroup rw,relatime,memory 0 0\n";
        let v2 = "cgroup2 /c/unified cgroup2 rw 0 0\n";
        let both = format!("tmpfs /c tmpfs rw 0 0\n{v2}{v1}");
        assert_eq!(
            dirs(&both, own),
            [
                ("/c/memory/a/b".to_owned(), Version::V1),
                ("/c/memory/a".to_owned(), Version::V1),
                ("/c/memory".to_owned(), Version::V1),
                ("/c/unified/u".to_owned(), Version::V2),
                ("/c/unified".to_owned(), Version::V2),
            ]
        );
        let deep = dirs("none /c cgroup2 rw 0 0\n", "0::/user/session\n");
        let deep: Vec<_> = deep.iter().map(|(dir, _)| dir.as_str()).collect();
        assert_eq!(deep, ["/c/user/session", "/c/user", "/c"]);
        assert_eq!(dirs("tmpfs /c tmpfs rw 0 0\n", own), []);
        assert_eq!(dirs("cgroup", ""), []);
    }

    #[test]
    fn a_field_is_a_whole_word() {
        let dir = tempfile::tempdir().unwrap();
        let stat = "cache 5\nrss_huge 7\nrss 11\nanon 13\n";
        fs::write(dir.path().join("memory.stat"), stat).unwrap();
        let group = Group { dir: dir.path().to_owned(), version: Version::V1 };
        assert_eq!(group.field("memory.stat", "rss"), Some(11));
        assert_eq!(group.field("memory.stat", "kernel"), None);
    }

    /// The command that joins fails where it cannot, instead of measuring outside the group.
    #[test]
    fn a_process_that_cannot_join_does_not_start() {
        let dir = PathBuf::from("/proc/nonexistent/forkbench-0");
        let group = TrialGroup(Group { dir, version: Version::V1 });
        let command = group.joined(&["/bin/echo".into(), "started".into()]);
        let output = std::process::Command::new(&command[0]).args(&command[1..]).output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(String::from_utf8_lossy(&output.stderr).contains("/proc/nonexistent/forkbench-0"));
    }
}
