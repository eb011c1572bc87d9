//! The memory of one process, from `smaps_rollup` and `status`. A process that ends or becomes
//! another program between being listed and being read is an [`Unread`] with its reason.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, openat};

use crate::driver::processes::{self, field, field_bytes, has_ended, is_gone};
use crate::sys::process;

/// A process as it was found in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub pid: u32,
    /// Its parent, which created or adopted it.
    pub ppid: u32,
    /// The name of its program, at most 15 bytes.
    pub name: String,
}

/// The memory of a process at one moment. A number that this kernel lacks is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holding {
    /// Every resident page once.
    pub rss_bytes: u64,
    /// Every resident page by the share of this process in it.
    pub pss_bytes: u64,
    /// The part of `pss_bytes` without a file; since Linux 5.2.
    pub pss_anon_bytes: Option<u64>,
    /// The part of files.
    pub pss_file_bytes: Option<u64>,
    /// The part of shared memory.
    pub pss_shmem_bytes: Option<u64>,
    /// Pages of this process alone: `Private_Clean` and `Private_Dirty`.
    pub uss_bytes: u64,
    /// Huge pages set aside by the administrator, in none of the others.
    pub hugetlb_bytes: Option<u64>,
    /// Swapped-out pages, by share.
    pub swap_pss_bytes: Option<u64>,
    /// The most that was ever resident, since the last exec.
    pub vmhwm_bytes: Option<u64>,
    /// The kernel's tables of its pages.
    pub page_tables_bytes: Option<u64>,
    /// Number of threads.
    pub threads: u64,
}

/// Why a process could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It has ended.
    #[error("it ended between being listed and being read")]
    Gone,
    /// It is another program now: its numbers would be of neither.
    #[error("it became `{now}` between being listed as `{was}` and being read")]
    Changed {
        /// Its name when it was listed.
        was: String,
        /// Its name after it was read.
        now: String,
    },
    /// It exists and is not visible.
    #[error(
        "/proc/{0} is hidden: /proc is mounted with hidepid; run as the user of that process or \
         as root"
    )]
    Hidden(u32),
    /// It is visible and may not be read.
    #[error(
        "read {path}: {error}; it belongs to another user or may not be traced: run as that user \
         or as root"
    )]
    Forbidden {
        /// The file or folder.
        path: String,
        /// The system's error.
        error: String,
    },
    /// Anything else.
    #[error("read {path}: {error}")]
    Failed {
        /// The file or folder.
        path: String,
        /// The system's error.
        error: String,
    },
}

/// More than any file that is read here has; they are seq files, which give it in one read.
const ROOM_BYTES: usize = 16 << 10;

/// The memory of a listed process.
///
/// # Errors
/// Why it could not be read.
pub fn read(listed: &Listed) -> Result<Holding, Unread> {
    let pid = listed.pid;
    // One descriptor for both files: should the number be given to a new process meanwhile,
    // they still belong to the old one, and say that it is gone.
    let dir = open_dir(pid)?;
    let rollup = parsed(&dir, pid, "smaps_rollup", rollup)?;
    // Read last: its name is that of the program whose pages have been counted, or of the one
    // that came after it.
    let (name, holding) = parsed(&dir, pid, "status", |text| with_status(rollup, text))?;
    if name != listed.name {
        return Err(Unread::Changed { was: listed.name.clone(), now: name });
    }
    Ok(holding)
}

/// The process of this id as it is now.
///
/// # Errors
/// Why it could not be read.
pub fn look_up(pid: u32) -> Result<Listed, Unread> {
    let dir = open_dir(pid)?;
    let (ppid, name) = parsed(&dir, pid, "stat", processes::stat)?;
    Ok(Listed { pid, ppid, name })
}

/// The part of `smaps_rollup`. `None` also for a process without memory.
fn rollup(text: &str) -> Option<Holding> {
    let bytes = |name| field_bytes(text, name);
    let huge = bytes("Shared_Hugetlb").zip(bytes("Private_Hugetlb"));
    Some(Holding {
        rss_bytes: bytes("Rss")?,
        pss_bytes: bytes("Pss")?,
        pss_anon_bytes: bytes("Pss_Anon"),
        pss_file_bytes: bytes("Pss_File"),
        pss_shmem_bytes: bytes("Pss_Shmem"),
        uss_bytes: bytes("Private_Clean")?.checked_add(bytes("Private_Dirty")?)?,
        hugetlb_bytes: huge.and_then(|(shared, own)| shared.checked_add(own)),
        swap_pss_bytes: bytes("SwapPss"),
        ..Holding::default()
    })
}

/// The name in a `status`, and the holding with its part. `None` also for a process without
/// memory.
fn with_status(holding: Holding, text: &str) -> Option<(String, Holding)> {
    field_bytes(text, "VmRSS")?;
    let holding = Holding {
        vmhwm_bytes: field_bytes(text, "VmHWM"),
        page_tables_bytes: field_bytes(text, "VmPTE"),
        threads: field(text, "Threads")?.parse().ok()?,
        ..holding
    };
    Some((field(text, "Name")?.to_owned(), holding))
}

fn parsed<T>(
    dir: &OwnedFd,
    pid: u32,
    file: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Unread> {
    let text = text(dir, file).map_err(|error| unread(pid, file, &error))?;
    match parse(&text) {
        Some(parsed) => Ok(parsed),
        // A process without memory has an empty roll-up, and no sizes in its status.
        None if text.trim().is_empty() || has_ended(&text) => Err(Unread::Gone),
        None => {
            let first: String = text.lines().next().unwrap_or("").chars().take(80).collect();
            let path = format!("/proc/{pid}/{file}");
            Err(Unread::Failed { path, error: format!("cannot make sense of `{first}`") })
        }
    }
}

fn text(dir: &OwnedFd, file: &str) -> io::Result<String> {
    let file = openat(dir, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut bytes = Vec::with_capacity(ROOM_BYTES);
    File::from(file).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn open_dir(pid: u32) -> Result<OwnedFd, Unread> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(format!("/proc/{pid}"), flags, Mode::empty());
    opened.map_err(io::Error::from).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if process::exists(pid) => Unread::Hidden(pid),
        _ => unread(pid, "", &error),
    })
}

fn unread(pid: u32, file: &str, error: &io::Error) -> Unread {
    let path = format!("/proc/{pid}/{file}").trim_end_matches('/').to_owned();
    let said = error.to_string();
    match error.kind() {
        _ if is_gone(error) => Unread::Gone,
        io::ErrorKind::PermissionDenied => Unread::Forbidden { path, error: said },
        _ => Unread::Failed { path, error: said },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn this_process_can_be_read_and_knows_its_parent() {
        let own = look_up(std::process::id()).unwrap();
        assert_eq!(own.ppid, std::os::unix::process::parent_id());
        let holding = read(&own).unwrap();
        assert!(holding.rss_bytes >= holding.pss_bytes);
        assert!(holding.pss_bytes >= holding.uss_bytes);
        assert!(holding.vmhwm_bytes >= Some(holding.rss_bytes / 2));
        assert!(holding.threads >= 1 && holding.page_tables_bytes > Some(0));
    }

    #[test]
    fn a_process_that_ended_or_changed_is_a_reason() {
        let mut own = look_up(std::process::id()).unwrap();
        own.name = "another".to_owned();
        let changed = read(&own).unwrap_err();
        assert!(changed.to_string().contains("listed as `another`"), "{changed}");
        // A child that has ended and is not reaped, and then is.
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pidfd = crate::sys::process::pidfd(child.id()).unwrap();
        let poller = crate::sys::poller::Poller::new().unwrap();
        poller.add(&pidfd, 0).unwrap();
        poller.wait(&mut Vec::new(), None).unwrap();
        let listed = look_up(child.id()).unwrap();
        assert_eq!(read(&listed), Err(Unread::Gone));
        child.wait().unwrap();
        assert_eq!(read(&listed), Err(Unread::Gone));
        assert_eq!(look_up(child.id()), Err(Unread::Gone));
    }

    #[test]
    fn what_may_not_be_read_says_what_to_do() {
        let forbidden = unread(7, "smaps_rollup", &Errno::ACCESS.into()).to_string();
        assert!(forbidden.contains("/proc/7/smaps_rollup") && forbidden.contains("as root"));
        assert!(Unread::Hidden(7).to_string().contains("hidepid"));
    }

    const ROLLUP: &str = "\
55d4a2a00000-7ffd3b5fe000 ---p 00000000 00:00 0                          [rollup]
Rss:                 884 kB
Pss:                 200 kB
Pss_Dirty:            92 kB
Pss_Anon:             88 kB
Pss_File:            112 kB
Pss_Shmem:             0 kB
Shared_Clean:        780 kB
Shared_Dirty:         10 kB
Private_Clean:         4 kB
Private_Dirty:        90 kB
Shared_Hugetlb:        0 kB
Private_Hugetlb:    2048 kB
SwapPss:               3 kB
";

    #[test]
    fn a_roll_up_is_bytes() {
        let found = rollup(ROLLUP).unwrap();
        assert_eq!((found.rss_bytes, found.pss_bytes), (884 << 10, 200 << 10));
        assert_eq!(found.pss_anon_bytes, Some(88 << 10));
        assert_eq!(found.pss_file_bytes, Some(112 << 10));
        assert_eq!(found.uss_bytes, 94 << 10);
        assert_eq!(found.hugetlb_bytes, Some(2 << 20));
        assert_eq!(found.swap_pss_bytes, Some(3 << 10));
        let old = ROLLUP.replace("Pss_Anon", "Pss_Other");
        assert_eq!(rollup(&old).unwrap().pss_anon_bytes, None);
        assert_eq!(rollup(""), None);
        assert_eq!(rollup(&ROLLUP.replace("Rss:                 884", "Rss: x")), None);
    }

    #[test]
    fn a_status_has_a_name_and_a_zombie_has_no_memory() {
        let text = "Name:\ta (b) c\nState:\tS (sleeping)\nVmHWM:\t 1000 kB\nVmRSS:\t 900 kB\n\
                    VmPTE:\t  44 kB\nThreads:\t3\n";
        let none = Holding::default();
        let (name, found) = with_status(none, text).unwrap();
        assert_eq!(name, "a (b) c");
        let expected = Holding {
            vmhwm_bytes: Some(1000 << 10),
            page_tables_bytes: Some(44 << 10),
            threads: 3,
            ..none
        };
        assert_eq!(found, expected);
        let zombie = "Name:\tx\nState:\tZ (zombie)\nThreads:\t1\n";
        assert_eq!(with_status(none, zombie), None);
        assert!(has_ended(zombie) && !has_ended(text));
    }
}
