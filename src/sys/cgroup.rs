//! Where the control groups of this process are: pure functions of the kernel's own lists.

use std::path::{Path, PathBuf};

/// The two kinds of control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// A hierarchy of its own per controller.
    V1,
    /// One hierarchy for all controllers.
    V2,
}

/// A group that limits this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its directory.
    pub dir: PathBuf,
    /// Its kind.
    pub version: Version,
}

/// The kinds of control groups that are mounted, by the text of `/proc/self/mountinfo`.
pub fn versions(mountinfo: &str) -> Vec<Version> {
    mountinfo.lines().filter_map(mount).map(|mount| mount.version).collect()
}

/// The groups of a controller, the nearest to this process first: its own, those that contain it,
/// and the root of the mount, which in a container may be all that is there. Version 1 comes first:
/// where both are mounted, the controller is in one of them only, and in version 2 that shows.
///
/// `mountinfo` and `own` are the texts of `/proc/self/mountinfo` and `/proc/self/cgroup`.
pub fn places(mountinfo: &str, own: &str, controller: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for mount in mountinfo.lines().filter_map(mount) {
        let group = match mount.version {
            Version::V1 if !mount.has(controller) => continue,
            Version::V1 => own_group(own, controller),
            Version::V2 => own_group(own, ""),
        };
        let group = group.unwrap_or("/");
        let shown = group.strip_prefix(mount.shows.trim_end_matches('/')).unwrap_or(group);
        let root = Path::new(mount.path);
        let dir = root.join(shown.trim_matches('/'));
        let dirs = dir.ancestors().take_while(|dir| dir.starts_with(root));
        places.extend(dirs.map(|dir| Place { dir: dir.to_owned(), version: mount.version }));
    }
    places.sort_by_key(|place| place.version);
    places
}

/// One mounted hierarchy.
struct Mount<'a> {
    /// The group that the mount point shows, normally `/`.
    shows: &'a str,
    path: &'a str,
    version: Version,
    options: &'a str,
}

impl Mount<'_> {
    fn has(&self, controller: &str) -> bool {
        self.options.split(',').any(|option| option == controller)
    }
}

/// `31 1 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu`
fn mount(line: &str) -> Option<Mount<'_>> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let (shows, path) = (before.next()?, before.next()?);
    let mut after = after.split(' ');
    let version = match after.next()? {
        "cgroup" => Version::V1,
        "cgroup2" => Version::V2,
        _ => return None,
    };
    Some(Mount { shows, path, version, options: after.nth(1).unwrap_or_default() })
}

/// The path of this controller in `4:cpu,memory:/group`, or of version 2 in `0::/group`.
fn own_group<'a>(own: &'a str, controller: &str) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let (names, path) = line.split_once(':')?.1.split_once(':')?;
        names.split(',').any(|name| name == controller).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs(mounts: &str, own: &str) -> Vec<(String, Version)> {
        let places = places(mounts, own, "memory").into_iter();
        places.map(|p| (p.dir.display().to_string(), p.version)).collect()
    }

    #[test]
    fn groups_are_listed_from_the_own_one_to_the_root_of_the_mount() {
        let own = "9:name=systemd:/\n4:cpu,memory:/a/b\n0::/u\n";
        let v1 = "31 1 0:27 / /c/memory rw - cgroup cgroup rw,memory\n";
        let v2 = "30 1 0:26 / /c/unified rw - cgroup2 cgroup2 rw\n";
        let both = format!("29 1 0:25 / /c rw - tmpfs tmpfs rw\n{v2}{v1}");
        assert_eq!(versions(&both), [Version::V2, Version::V1]);
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
        assert_eq!(dirs("29 1 0:25 / /c rw - tmpfs tmpfs rw\n", own), []);
        assert_eq!(dirs("cgroup", ""), []);
    }

    #[test]
    fn mount_that_shows_a_part_begins_at_that_part() {
        let mount = "32 1 0:28 /ctr /c rw - cgroup cgroup rw,memory\n";
        let inner = dirs(mount, "4:memory:/ctr/inner\n");
        assert_eq!(inner, [("/c/inner".to_owned(), Version::V1), ("/c".to_owned(), Version::V1)]);
    }
}
