//! A control group for one trial: its charge and, above all, the kernel's own high-water mark of
//! it, which no short peak escapes.
//!
//! Version 1's memory controller and version 2. The subject joins by itself, before it becomes the
//! subject: whoever is moved later leaves what it has been charged for behind, and a driver that
//! joined in its place would be charged itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::driver::watcher;
use crate::subject::watch;
use crate::sys::process;

/// Which kernel interface a group is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `memory.usage_in_bytes`, `memory.max_usage_in_bytes`.
    V1,
    /// `memory.current`, `memory.peak`.
    V2,
}

/// A group made for one trial. Dropping it removes it; it must be empty by then.
#[derive(Debug)]
pub struct TrialGroup {
    dir: PathBuf,
    version: Version,
}

/// What a group is charged for, in bytes; `None` for what this kernel does not tell.
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

/// A group of this controller that limits this process, and below which others may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::driver) struct Place {
    pub(in crate::driver) dir: PathBuf,
    pub(in crate::driver) version: Version,
}

impl TrialGroup {
    /// Makes a group below this process's own, or as near to it as may be, so that whatever limits
    /// this process also limits the trial.
    ///
    /// # Errors
    /// Why there can be none here, for people.
    pub fn create(trial_id: &str) -> Result<TrialGroup, String> {
        let read = |path: &str| fs::read_to_string(path).map_err(|e| format!("read {path}: {e}"));
        let own = read("/proc/self/cgroup")?;
        let places = places(&read("/proc/self/mounts")?, &own, "memory");
        let mut refused = Vec::new();
        for place in places {
            let Place { dir, version } = place;
            if version == Version::V2 && !hands_memory_on(&dir) {
                refused.push(format!("{} hands no memory controller on", dir.display()));
                continue;
            }
            match create_below(&dir, trial_id) {
                Ok(dir) => return Ok(TrialGroup { dir, version }),
                Err(error) => refused.push(format!("create a group in {}: {error}", dir.display())),
            }
        }
        match refused.first() {
            None => Err("no memory controller is mounted".to_owned()),
            Some(first) => Err(first.clone()),
        }
    }

    /// The command of a program that joins the group and then becomes `command`.
    pub fn joined(&self, command: &[PathBuf]) -> Vec<PathBuf> {
        let join = "echo 0 > \"$0\" && exec \"$@\"";
        let procs = self.dir.join("cgroup.procs");
        let head = [PathBuf::from("/bin/sh"), "-c".into(), join.into(), procs];
        head.into_iter().chain(command.iter().cloned()).collect()
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `cgroup_v1` or `cgroup_v2`.
    pub fn source(&self) -> &'static str {
        match self.version {
            Version::V1 => "cgroup_v1",
            Version::V2 => "cgroup_v2",
        }
    }

    /// What it is charged for.
    pub fn charge(&self) -> Charge {
        let number = |file: &str| -> Option<u64> {
            let text = fs::read_to_string(self.dir.join(file)).ok()?;
            text.trim().parse().ok()
        };
        let stat = fs::read_to_string(self.dir.join("memory.stat")).unwrap_or_default();
        match self.version {
            Version::V1 => Charge {
                usage_bytes: number("memory.usage_in_bytes"),
                peak_bytes: number("memory.max_usage_in_bytes"),
                kernel_bytes: number("memory.kmem.usage_in_bytes"),
                anon_bytes: stat_field(&stat, "rss"),
            },
            Version::V2 => Charge {
                usage_bytes: number("memory.current"),
                peak_bytes: number("memory.peak"),
                kernel_bytes: stat_field(&stat, "kernel"),
                anon_bytes: stat_field(&stat, "anon"),
            },
        }
    }

    /// Removes it.
    ///
    /// # Errors
    /// A process is still in it.
    pub fn remove(self) -> io::Result<()> {
        // Whether or not it can be removed now, dropping it tries again.
        match fs::remove_dir(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for TrialGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.dir);
    }
}

/// Where the groups of trials may be made.
pub(in crate::driver) fn places_of_groups() -> Vec<PathBuf> {
    ["memory", "cpuacct"].into_iter().flat_map(above).map(|place| place.dir).collect()
}

/// Makes a group for a trial of this driver, and removes those of drivers that are gone.
pub(in crate::driver) fn create_below(parent: &Path, trial_id: &str) -> io::Result<PathBuf> {
    remove_stale(parent);
    let dir = parent.join(format!("{}-{trial_id}", watcher::run_name()));
    fs::create_dir(&dir)?;
    Ok(dir)
}

/// Groups of drivers that were killed before they could remove them.
fn remove_stale(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(watch::pid_in);
        if pid.is_some_and(|pid| !process::exists(pid)) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Whether groups made below this one have a memory controller.
fn hands_memory_on(dir: &Path) -> bool {
    let text = fs::read_to_string(dir.join("cgroup.subtree_control")).unwrap_or_default();
    text.split_ascii_whitespace().any(|name| name == "memory")
}

/// Every group of a controller that limits this process, as far as it is mounted here.
pub(in crate::driver) fn above(controller: &str) -> Vec<Place> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let mounts = read("/proc/self/mounts");
    let places = places(&mounts, &read("/proc/self/cgroup"), controller);
    places.into_iter().filter(|p| p.dir.is_dir()).collect()
}

/// Groups of a controller, the nearest to this process first: its own, then those that contain it,
/// then the root of what is mounted here, which in a container may be all that there is of the
/// path.
fn places(mounts: &str, own: &str, controller: &str) -> Vec<Place> {
    let mut places = Vec::new();
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
        places.extend(dirs.into_iter().map(|dir| Place { dir: dir.to_owned(), version }));
    }
    // Version 1 first: where both are mounted, the controller is in one of them only, and in
    // version 2 that shows.
    places.sort_by_key(|place| place.version == Version::V2);
    places
}

/// The path of `/proc/self/cgroup` of this controller; version 2 has no name there.
fn own_path<'a>(own: &'a str, controller: &str) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (names, path) = (fields.next()?, fields.next()?);
        names.split(',').any(|name| name == controller).then_some(path)
    })
}

/// A line `name number` of `memory.stat` or `cpu.stat`.
pub(in crate::driver) fn stat_field(stat: &str, name: &str) -> Option<u64> {
    let of_name = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    stat.lines().find_map(of_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs(mounts: &str, own: &str) -> Vec<(String, Version)> {
        let places = places(mounts, own, "memory").into_iter();
        places.map(|p| (p.dir.display().to_string(), p.version)).collect()
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
        let stat = "cache 5\nrss_huge 7\nrss 11\nanon 13\n";
        assert_eq!(stat_field(stat, "rss"), Some(11));
        assert_eq!(stat_field(stat, "kernel"), None);
    }

    /// The command that joins fails where it cannot, instead of measuring outside the group.
    #[test]
    fn who_cannot_join_does_not_start() {
        let group = TrialGroup {
            dir: PathBuf::from("/proc/nonexistent/forkbench-0"),
            version: Version::V1,
        };
        let command = group.joined(&["/bin/echo".into(), "started".into()]);
        let output = std::process::Command::new(&command[0]).args(&command[1..]).output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(String::from_utf8_lossy(&output.stderr).contains("/proc/nonexistent/forkbench-0"));
    }
}
