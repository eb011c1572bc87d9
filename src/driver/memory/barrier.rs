//! The driver's side of the barrier at which tasks of `hold` stand: which have arrived, and how
//! many may go. The rules are in [`hold`].

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::workload::hold;

/// Both pipes, open for reading and writing: so tasks can open their ends at any time, and the
/// contents of the pipes outlive their writers. Dropping it releases the tasks that stand there.
#[derive(Debug)]
pub struct Barrier {
    arrived: File,
    release: File,
    /// The beginning of a line whose end was not there yet.
    partial: Vec<u8>,
}

impl Barrier {
    /// Opens the pipes in this folder.
    ///
    /// # Errors
    /// They are not there or cannot be opened.
    pub fn open(dir: &Path) -> io::Result<Barrier> {
        let open = |name: &str| -> io::Result<File> {
            let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
            Ok(rustix::fs::open(dir.join(name), flags, Mode::empty())?.into())
        };
        let (arrived, release) = (open(hold::ARRIVED)?, open(hold::RELEASE)?);
        Ok(Barrier { arrived, release, partial: Vec::new() })
    }

    /// Readable when a task has arrived.
    pub fn arrivals_fd(&self) -> BorrowedFd<'_> {
        self.arrived.as_fd()
    }

    /// The processes of the tasks that have arrived since the last call.
    ///
    /// # Errors
    /// A line in the pipe is not a process id.
    pub fn arrivals(&mut self) -> io::Result<Vec<u32>> {
        match self.arrived.read_to_end(&mut self.partial) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        let whole = self.partial.iter().rposition(|&byte| byte == b'\n');
        let lines: Vec<u8> = self.partial.drain(..whole.map_or(0, |end| end + 1)).collect();
        let lines = String::from_utf8_lossy(&lines).into_owned();
        let pid = |line: &str| {
            let what = format!("`{line}` arrived at the barrier; expected a process id");
            line.parse().map_err(|_| io::Error::other(what))
        };
        lines.lines().map(pid).collect()
    }

    /// Releases this number of tasks: those that stand there, and then later ones.
    ///
    /// # Errors
    /// More are released at once than a pipe holds.
    pub fn release(&mut self, tasks: usize) -> io::Result<()> {
        self.release.write_all(&vec![b'.'; tasks])
    }
}
