//! What one process holds, from `smaps_rollup` and `status`. A process that ends or becomes
//! another program between being listed and being read is an [`Unread`] with its reason.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::text::{self, Rollup, Status};
use crate::driver::processes;
use crate::sys::process;

/// A process as it was found in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub pid: u32,
    /// Who created it, or adopted it.
    pub ppid: u32,
    /// The name of its program, at most 15 bytes.
    pub name: String,
}

/// What a process holds at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holding {
    /// Resident pages and their shares.
    pub rollup: Rollup,
    /// High-water mark, page tables and threads.
    pub status: Status,
}

/// Why a process could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It is no more.
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
    /// It is there, and nobody may see it.
    #[error(
        "/proc/{0} is hidden: /proc is mounted with hidepid; run as the user of that process or \
         as root"
    )]
    Hidden(u32),
    /// It may be seen and not read.
    #[error(
        "read {path}: {error}; it belongs to another user or may not be traced: run as that user \
         or as root"
    )]
    Forbidden {
        /// What was to be read.
        path: String,
        /// What the system said.
        error: String,
    },
    /// Anything else.
    #[error("read {path}: {error}")]
    Failed {
        /// What was to be read.
        path: String,
        /// What the system said.
        error: String,
    },
}

/// Reads files of `/proc` into one buffer, which is kept between processes: a sweep of a thousand
/// of them allocates once.
#[derive(Debug, Default)]
pub struct Reader {
    buffer: Vec<u8>,
}

/// More than any file that is read here has; they are seq files, which give it in one read.
const ROOM_BYTES: usize = 16 << 10;

impl Reader {
    /// What `listed` holds.
    ///
    /// # Errors
    /// Why it could not be read.
    pub fn read(&mut self, listed: &Listed) -> Result<Holding, Unread> {
        let pid = listed.pid;
        // One descriptor for both files: should the number be given to a new process meanwhile,
        // they still belong to the old one, and say that it is gone.
        let dir = open_dir(pid)?;
        let rollup = self.parsed(&dir, pid, "smaps_rollup", text::rollup)?;
        // Read last: its name is that of the program whose pages have been counted, or of the one
        // that came after it.
        let (name, status) = self.parsed(&dir, pid, "status", text::status)?;
        if name != listed.name {
            return Err(Unread::Changed { was: listed.name.clone(), now: name });
        }
        Ok(Holding { rollup, status })
    }

    /// The process of this id as it is now.
    ///
    /// # Errors
    /// Why it could not be read.
    pub fn look_up(&mut self, pid: u32) -> Result<Listed, Unread> {
        let dir = open_dir(pid)?;
        let (ppid, name) = self.parsed(&dir, pid, "stat", processes::stat)?;
        Ok(Listed { pid, ppid, name })
    }

    fn parsed<T>(
        &mut self,
        dir: &OwnedFd,
        pid: u32,
        file: &str,
        parse: fn(&str) -> Option<T>,
    ) -> Result<T, Unread> {
        let text = self.text(dir, file);
        let text = text.map_err(|errno| unread(pid, file, errno))?;
        match parse(&text) {
            Some(parsed) => Ok(parsed),
            // What has no memory any more has an empty roll-up, and no sizes in its status.
            None if text.trim().is_empty() || text::has_ended(&text) => Err(Unread::Gone),
            None => Err(Unread::Failed {
                path: format!("/proc/{pid}/{file}"),
                error: format!("cannot make sense of `{}`", first_line(&text)),
            }),
        }
    }

    fn text(&mut self, dir: &OwnedFd, file: &str) -> Result<String, Errno> {
        let file = openat(dir, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        self.buffer.resize(ROOM_BYTES, 0);
        let mut length = 0;
        while length < self.buffer.len() {
            match rustix::io::read(&file, &mut self.buffer[length..]) {
                Ok(0) => break,
                Ok(n) => length += n,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(String::from_utf8_lossy(&self.buffer[..length]).into_owned())
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or("").chars().take(80).collect()
}

fn open_dir(pid: u32) -> Result<OwnedFd, Unread> {
    let path = format!("/proc/{pid}");
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| match errno {
        Errno::NOENT if process::exists(pid) => Unread::Hidden(pid),
        errno => unread(pid, "", errno),
    })
}

fn unread(pid: u32, file: &str, errno: Errno) -> Unread {
    let path = match file {
        "" => format!("/proc/{pid}"),
        file => format!("/proc/{pid}/{file}"),
    };
    let error = io::Error::from(errno).to_string();
    match errno {
        Errno::NOENT | Errno::SRCH => Unread::Gone,
        Errno::ACCESS | Errno::PERM => Unread::Forbidden { path, error },
        _ => Unread::Failed { path, error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_can_be_read_and_knows_its_parent() {
        let mut reader = Reader::default();
        let own = reader.look_up(std::process::id()).unwrap();
        assert_eq!(own.ppid, std::os::unix::process::parent_id());
        let holding = reader.read(&own).unwrap();
        assert!(holding.rollup.rss_bytes >= holding.rollup.pss_bytes);
        assert!(holding.rollup.pss_bytes >= holding.rollup.uss_bytes);
        assert!(holding.status.vmhwm_bytes >= Some(holding.rollup.rss_bytes / 2));
        assert!(holding.status.threads >= 1 && holding.status.page_tables_bytes > Some(0));
    }

    #[test]
    fn who_is_gone_or_has_become_another_program_is_a_reason() {
        let mut reader = Reader::default();
        let mut own = reader.look_up(std::process::id()).unwrap();
        own.name = "another".to_owned();
        let changed = reader.read(&own).unwrap_err();
        assert!(changed.to_string().contains("listed as `another`"), "{changed}");
        // A child that has ended and is not reaped, and then is.
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pidfd = crate::sys::process::pidfd(child.id()).unwrap();
        let poller = crate::sys::poller::Poller::new().unwrap();
        poller.add(&pidfd, 0).unwrap();
        poller.wait(&mut Vec::new(), None).unwrap();
        let listed = reader.look_up(child.id()).unwrap();
        assert_eq!(reader.read(&listed), Err(Unread::Gone));
        child.wait().unwrap();
        assert_eq!(reader.read(&listed), Err(Unread::Gone));
        assert_eq!(reader.look_up(child.id()), Err(Unread::Gone));
    }

    #[test]
    fn what_may_not_be_read_says_what_to_do() {
        let forbidden = unread(7, "smaps_rollup", Errno::ACCESS).to_string();
        assert!(forbidden.contains("/proc/7/smaps_rollup") && forbidden.contains("as root"));
        assert!(Unread::Hidden(7).to_string().contains("hidepid"));
    }
}
