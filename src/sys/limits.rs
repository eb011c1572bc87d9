//! Limits of the system behind an error, by the name that they are raised by.

use std::io;

use rustix::io::Errno;

/// Which limit an error means, and how it is raised or kept; nothing for all other errors.
pub fn behind(error: &io::Error) -> Option<&'static str> {
    Some(match Errno::from_io_error(error)? {
        Errno::NOSPC => "the disk is full; make room on it",
        Errno::DQUOT => "your quota on this disk is used up; make room on it",
        Errno::FBIG => "the limit on the size of a file is reached; raise it (ulimit -f)",
        Errno::AGAIN => {
            "the limit on processes is reached; raise it (ulimit -u, or pids.max of the control \
             group)"
        }
        Errno::MFILE => "the limit on open files is reached; raise it (ulimit -n)",
        Errno::NFILE => "the system's limit on open files is reached; raise it (fs.file-max)",
        Errno::NOMEM => {
            "the limit on memory is reached; raise it (ulimit -v, or the control group's)"
        }
        _ => return None,
    })
}

/// The same of the first cause that is such an error.
pub fn behind_any(error: &anyhow::Error) -> Option<&'static str> {
    error.chain().find_map(|cause| behind(cause.downcast_ref::<io::Error>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn limits_are_named_wherever_they_are_in_a_chain() {
        let error =
            |errno: Errno| Err::<(), _>(io::Error::from(errno)).context("start").unwrap_err();
        for (errno, name) in [
            (Errno::NOSPC, "disk is full"),
            (Errno::FBIG, "ulimit -f"),
            (Errno::AGAIN, "ulimit -u"),
            (Errno::MFILE, "ulimit -n"),
            (Errno::NOMEM, "ulimit -v"),
        ] {
            assert!(behind_any(&error(errno)).unwrap().contains(name));
        }
        assert_eq!(behind_any(&error(Errno::NOENT)), None);
        assert_eq!(behind(&io::Error::other("no number")), None);
    }
}
