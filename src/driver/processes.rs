//! The one reader of `/proc/PID`: parents and children, and the fields of its files.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::fs;
use std::io;

use rustix::io::Errno;

use crate::sys::process;

/// The parent's id and the name in a `/proc/PID/stat`. The name may itself have spaces and
/// parentheses.
pub fn stat(text: &str) -> Option<(u32, String)> {
    let (head, rest) = text.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let ppid = rest.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some((ppid, name.to_owned()))
}

/// CPU time of the reaped descendants of a process, in ticks: `cutime` and `cstime` of its
/// `/proc/PID/stat`.
pub fn reaped_ticks(text: &str) -> Option<u64> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(13);
    let mut next = || fields.next()?.parse::<u64>().ok();
    next()?.checked_add(next()?)
}

/// The value of a line `Name:  value`, as in `status`, `smaps_rollup` and `meminfo`.
pub fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let of_name = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':');
    text.lines().find_map(of_name).map(str::trim)
}

/// The value of a line `Name:  12 kB`, in bytes.
pub fn field_bytes(text: &str, name: &str) -> Option<u64> {
    let number = field(text, name)?.strip_suffix("kB")?.trim_end();
    number.parse::<u64>().ok()?.checked_mul(1024)
}

/// Whether a `status` is of a process that has ended and waits to be reaped.
pub fn has_ended(status: &str) -> bool {
    field(status, "State").is_some_and(|state| state.starts_with(['Z', 'X']))
}

/// Every visible process: its id, and its parent's.
///
/// # Errors
/// `/proc` cannot be read.
pub fn parents() -> io::Result<Vec<(u32, u32)>> {
    // A process may end while the list is read.
    let parent = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some((pid, stat(&text)?.0))
    };
    Ok(process::all()?.into_iter().filter_map(parent).collect())
}

/// Those of which `parent` is the parent.
pub fn children_in(parents: &[(u32, u32)], parent: u32) -> Vec<u32> {
    let of_parent = |&(pid, found): &(u32, u32)| (found == parent).then_some(pid);
    parents.iter().filter_map(of_parent).collect()
}

/// The process `root` and its descendants with their parents, each once, parents before their
/// children.
pub fn tree(root: u32) -> Vec<(u32, u32)> {
    let mut tree = vec![(root, 0)];
    // Children of a thread that ends become another thread's, and may be listed under both.
    let mut seen = HashSet::from([root]);
    let parents_of_all = OnceCell::new();
    let mut next = 0;
    while let Some(&(pid, _)) = tree.get(next) {
        next += 1;
        let children = listed_children(pid).unwrap_or_else(|_| {
            // Where that cannot be read either, rows lack children and say how many.
            children_in(parents_of_all.get_or_init(|| parents().unwrap_or_default()), pid)
        });
        let new = children.into_iter().filter(|child| seen.insert(*child));
        tree.extend(new.map(|child| (child, pid)));
    }
    tree
}

/// The children of all threads of a process, where the kernel lists them; none of a process that
/// is gone.
fn listed_children(pid: u32) -> io::Result<Vec<u32>> {
    let threads = match fs::read_dir(format!("/proc/{pid}/task")) {
        Ok(threads) => threads,
        Err(error) if is_gone(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut pids = Vec::new();
    for thread in threads {
        let thread = match thread {
            Ok(thread) => thread.path(),
            Err(error) if is_gone(&error) => break,
            Err(error) => return Err(error),
        };
        match fs::read_to_string(thread.join("children")) {
            Ok(list) => {
                let listed = list.split_ascii_whitespace();
                pids.extend(listed.filter_map(|pid| pid.parse::<u32>().ok()));
            }
            // A kernel may have been built without these files.
            Err(error) if is_gone(&error) && !thread.exists() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(pids)
}

/// Whether an error says that the process has ended.
pub fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_with_parentheses_does_not_hide_the_parent() {
        assert_eq!(stat("12 (a) S 7) R 34 12"), Some((34, "a) S 7".to_owned())));
        assert_eq!(stat("garbage"), None);
    }

    #[test]
    fn reaped_ticks_are_the_sixteenth_and_seventeenth_field() {
        let text = "5 (a) b) S 3 4 5 6 7 8 9 10 11 12 13 14 15 1600 17 18 19";
        assert_eq!(reaped_ticks(text), Some(15 + 1_600));
        assert_eq!(reaped_ticks("5 (a) S 3 4"), None);
    }

    #[test]
    fn this_process_is_its_parent_s_child() {
        let own = (std::process::id(), std::os::unix::process::parent_id());
        assert!(parents().unwrap().contains(&own));
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "(\\(|\\)| |\n|[0-9]{1,30}){0,40}") {
            let _ = (stat(&text), reaped_ticks(&text));
        }

        #[test]
        fn no_list_of_fields_is_a_panic(text in "(Rss|State|:| |kB|\n|[0-9]{1,30}){0,40}") {
            let _ = (field_bytes(&text, "Rss"), has_ended(&text));
        }
    }

    #[test]
    fn sizes_are_in_bytes() {
        let text = "MemTotal:  8 kB\nMemAvailable: 4 kB\n";
        assert_eq!(field_bytes(text, "MemAvailable"), Some(4096));
        assert_eq!(field_bytes(text, "Mem"), None);
    }

    #[test]
    fn both_ways_to_find_children_find_the_same() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn();
        let own = std::process::id();
        let listed = listed_children(own);
        let scanned = children_in(&parents().unwrap(), own);
        let pid = child.as_ref().map(std::process::Child::id).unwrap();
        let _ = child.as_mut().unwrap().kill();
        child.unwrap().wait().unwrap();
        assert!(listed.unwrap().contains(&pid) && scanned.contains(&pid));
        assert_eq!(listed_children(pid).unwrap(), [0; 0], "it is gone");
    }
}
