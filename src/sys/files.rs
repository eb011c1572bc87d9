//! Files in a directory that may be another user's: the one place that opens, writes and removes
//! the files of a run directory.
//!
//! Names are looked up in a directory that is held open, and never through a link, so that nothing
//! outside of it is read, overwritten or removed, even if links were planted there.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

/// Temporary names that are tried before it is an error: a name of this process that is taken was
/// left by an earlier one of the same number.
const NAMES_TRIED: u32 = 1000;

/// Temporary names are `.forkbench-PID-NUMBER.part`.
const TEMPORARY: [&str; 2] = [".forkbench-", ".part"];

/// A directory that is held open.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

impl Dir {
    /// Opens a directory that the user named. It may be a link, its files may not.
    ///
    /// # Errors
    /// There is none, or it may not be read.
    pub fn open(path: &Path) -> io::Result<Dir> {
        // A bare name's parent is the empty path, by which nothing can be opened.
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Dir { fd, path: path.to_owned() })
    }

    /// Opens a folder in this directory.
    ///
    /// # Errors
    /// There is none, or it is a link.
    pub fn folder(&self, name: &str) -> io::Result<Dir> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty());
        let fd = fd.map_err(|errno| self.explained(name, errno, "a folder"))?;
        Ok(Dir { fd, path: self.path.join(name) })
    }

    /// The same, made if it is missing.
    ///
    /// # Errors
    /// It cannot be made, or what has its name is no folder.
    pub fn made_folder(&self, name: &str) -> io::Result<Dir> {
        match rustix::fs::mkdirat(&self.fd, name, Mode::from_raw_mode(0o777)) {
            Err(errno) if errno != Errno::EXIST => Err(errno.into()),
            _ => self.folder(name),
        }
    }

    /// Whether something has this name, a dangling link included.
    pub fn has(&self, name: &str) -> bool {
        rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// The names of all that is in it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        use std::os::unix::ffi::OsStringExt;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Opens a regular file of at most `max_bytes` to read it; no link.
    ///
    /// # Errors
    /// There is none, or it is something else or larger.
    pub fn file(&self, name: &str, max_bytes: u64) -> io::Result<File> {
        let flags = READING | OFlags::NOFOLLOW;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty());
        let fd = fd.map_err(|errno| self.explained(name, errno, "a file"))?;
        regular(fd, max_bytes)
    }

    /// All bytes of such a file.
    ///
    /// # Errors
    /// As [`Dir::file`], or it cannot be read.
    pub fn read(&self, name: &str, max_bytes: u64) -> io::Result<Vec<u8>> {
        read_at_most(self.file(name, max_bytes)?, max_bytes)
    }

    /// Opens a file to read it, append to it and cut it: one that no other name leads to.
    ///
    /// # Errors
    /// As [`Dir::file`], or it has a second name.
    pub fn file_to_append(&self, name: &str, max_bytes: u64) -> io::Result<File> {
        let flags = OFlags::RDWR
            | OFlags::APPEND
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::NOCTTY
            | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty());
        let fd = fd.map_err(|errno| self.explained(name, errno, "a file"))?;
        if rustix::fs::fstat(&fd)?.st_nlink > 1 {
            return Err(io::Error::other(
                "has a second name (a hard link), which would change too",
            ));
        }
        regular(fd, max_bytes)
    }

    /// Makes a file that is not there yet, to append to it.
    ///
    /// # Errors
    /// There is one, or it cannot be made.
    pub fn new_file(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::APPEND;
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.fd, name, flags, Mode::from_raw_mode(0o666))?.into())
    }

    /// Writes a file under a temporary name of its own and gives it `name`: under that it is
    /// complete or what it was before. What had the name is replaced and not written to.
    ///
    /// # Errors
    /// It could not be written; nothing is left of it then.
    pub fn write_whole(
        &self,
        name: &str,
        write: impl FnOnce(&File) -> io::Result<()>,
    ) -> io::Result<()> {
        let (temporary, file) = self.temporary()?;
        let named = write(&file).and_then(|()| {
            let old = (&self.fd, temporary.as_str());
            rustix::fs::renameat(old.0, old.1, &self.fd, name).map_err(io::Error::from)
        });
        if named.is_err() {
            // Makes room again where the disk is full; whether that works changes nothing.
            let _ = self.remove(&temporary);
        }
        named
    }

    fn temporary(&self) -> io::Result<(String, File)> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut taken = Err(io::ErrorKind::AlreadyExists.into());
        for _ in 0..NAMES_TRIED {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let [begin, end] = TEMPORARY;
            let temporary = format!("{begin}{}-{number}{end}", std::process::id());
            match self.new_file(&temporary) {
                Ok(file) => return Ok((temporary, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => taken = Err(error),
                Err(error) => return Err(error),
            }
        }
        taken
    }

    /// Removes temporary files of processes that have ended: of those that were killed.
    ///
    /// # Errors
    /// It cannot be read, or one of them not removed.
    pub fn remove_stale(&self) -> io::Result<()> {
        let stale = |name: &str| {
            let [begin, end] = TEMPORARY;
            let numbers = name.strip_prefix(begin)?.strip_suffix(end)?;
            let (pid, number) = numbers.split_once('-')?;
            let (pid, _): (u32, u32) = (pid.parse().ok()?, number.parse().ok()?);
            (!Path::new(&format!("/proc/{pid}")).exists()).then_some(())
        };
        for name in self.names()? {
            if let Some(name) = name.to_str().filter(|name| stale(name).is_some()) {
                self.remove(name)?;
            }
        }
        Ok(())
    }

    /// Removes a file or a link, not what the link leads to. One that is not there is no error.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Err(errno) if errno != Errno::NOENT => Err(errno.into()),
            _ => Ok(()),
        }
    }

    /// Makes the names in it durable, as syncing a file makes its bytes.
    ///
    /// # Errors
    /// The disk is failing.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.fd)?)
    }

    /// What an error of opening `name` means, where the system's own words do not tell.
    fn explained(&self, name: &str, errno: Errno, expected: &str) -> io::Error {
        let is_link = || {
            let found = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW);
            found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Symlink)
        };
        match errno {
            Errno::LOOP | Errno::NOTDIR | Errno::MLINK if is_link() => {
                io::Error::other(format!("is a link, which is not followed; expected {expected}"))
            }
            // A socket, or a named pipe without a reader.
            Errno::NXIO => io::Error::other("is no regular file"),
            _ => errno.into(),
        }
    }
}

const READING: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// All bytes of a regular file that the user named, which may be a link, of at most `max_bytes`. A
/// named pipe or a device is refused instead of waited for.
///
/// # Errors
/// There is none, it is something else or larger, or it cannot be read.
pub fn read_named(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let fd = rustix::fs::open(path, READING, Mode::empty()).map_err(|errno| match errno {
        Errno::NXIO => io::Error::other("it is not a file"),
        errno => errno.into(),
    })?;
    read_at_most(regular(fd, max_bytes)?, max_bytes)
}

fn regular(fd: OwnedFd, max_bytes: u64) -> io::Result<File> {
    let found = rustix::fs::fstat(&fd)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("it is not a file"));
    }
    let bytes = u64::try_from(found.st_size).unwrap_or(u64::MAX);
    if bytes > max_bytes {
        return Err(too_large(&format!("it has {bytes} bytes"), max_bytes));
    }
    Ok(fd.into())
}

/// It may have grown since it was looked at, or its length may be no truth, as below `/proc`.
fn read_at_most(file: File, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > max_bytes {
        true => Err(too_large("it has more bytes", max_bytes)),
        false => Ok(bytes),
    }
}

fn too_large(found: &str, max_bytes: u64) -> io::Error {
    let message = format!("{found}; expected at most {max_bytes}");
    io::Error::new(io::ErrorKind::FileTooLarge, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::symlink;

    fn dir() -> (tempfile::TempDir, Dir) {
        let path = tempfile::tempdir().unwrap();
        let dir = Dir::open(path.path()).unwrap();
        (path, dir)
    }

    #[test]
    fn only_regular_files_are_read_and_none_is_waited_for() {
        let (path, dir) = dir();
        fs::write(path.path().join("file"), "text").unwrap();
        symlink("file", path.path().join("link")).unwrap();
        symlink("/dev/zero", path.path().join("zero")).unwrap();
        fs::create_dir(path.path().join("folder")).unwrap();
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(&dir.fd, "pipe", FileType::Fifo, mode, 0).unwrap();
        assert_eq!(dir.read("file", 4).unwrap(), b"text");
        for (name, expected) in [
            ("link", "is a link, which is not followed; expected a file"),
            ("zero", "is a link"),
            ("folder", "it is not a file"),
            ("pipe", "it is not a file"),
            ("none", "No such file"),
        ] {
            for opened in [dir.file(name, 9), dir.file_to_append(name, 9)] {
                let said = opened.unwrap_err().to_string();
                let own = said.starts_with("Is a directory") && name == "folder";
                assert!(own || said.starts_with(expected), "{name}: {said}");
            }
        }
        let said = dir.read("file", 3).unwrap_err().to_string();
        assert_eq!(said, "it has 4 bytes; expected at most 3");
        for (name, expected) in
            [("link", ""), ("zero", "it is not a file"), ("pipe", "it is not a file")]
        {
            let read = read_named(&path.path().join(name), 9);
            assert_eq!(read.map_or_else(|e| e.to_string(), |_| String::new()), expected, "{name}");
        }
        // Its length is said to be 0.
        let said = read_named(Path::new("/proc/self/status"), 9).unwrap_err().to_string();
        assert_eq!(said, "it has more bytes; expected at most 9");
    }

    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_stays() {
        let (path, dir) = dir();
        let victim = path.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, path.path().join("page")).unwrap();
        dir.write_whole("page", |mut file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(path.path().join("page")).unwrap(), "new");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        let failed = dir.write_whole("page", |_| Err(io::Error::other("full")));
        assert_eq!(failed.unwrap_err().to_string(), "full");
        assert_eq!(dir.names().unwrap(), ["page", "victim"]);
        symlink(path.path(), path.path().join("charts")).unwrap();
        let said = dir.made_folder("charts").unwrap_err().to_string();
        assert_eq!(said, "is a link, which is not followed; expected a folder");
        fs::hard_link(&victim, path.path().join("second")).unwrap();
        let said = dir.file_to_append("second", 99).unwrap_err().to_string();
        assert!(said.starts_with("has a second name"), "{said}");
        dir.remove("charts").unwrap();
        dir.remove("charts").unwrap();
        assert!(!dir.has("charts") && dir.has("page"));
        // No process has this number: it is above the kernel's own limit.
        fs::write(path.path().join(".forkbench-4194305-0.part"), "").unwrap();
        for kept in [".forkbench-1-0.part", ".forkbench-x-0.part", "a.part"] {
            fs::write(path.path().join(kept), "").unwrap();
        }
        dir.remove_stale().unwrap();
        let expected =
            [".forkbench-1-0.part", ".forkbench-x-0.part", "a.part", "page", "second", "victim"];
        assert_eq!(dir.names().unwrap(), expected);
    }
}
