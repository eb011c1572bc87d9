//! Why a run directory could not be written or read.

use std::io;
use std::path::{Path, PathBuf};

use super::SCHEMA_VERSION;

/// Why a run directory could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A run is never written over an existing path.
    #[error(
        "run directory {}: exists already and is never overwritten; name another with --out, or \
         move it away", .path.display()
    )]
    Exists {
        /// The path of the new run.
        path: PathBuf,
    },
    /// Only one process may append to a run.
    #[error("{}: another process is writing this run; wait for it, or end it with Ctrl-C",
        .path.display())]
    InUse {
        /// The file that is locked.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{operation} {}: {source}", .path.display())]
    Io {
        /// What was attempted: `create`, `write`, `sync`, …
        operation: &'static str,
        /// The path that it was attempted on.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no manifest.
    #[error("{}: not a run directory: it has no manifest.json", .path.display())]
    NotARun {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A later forkbench wrote it, in a layout that this one does not know.
    #[error(
        "{}: has schema version {found}, this forkbench knows {SCHEMA_VERSION}; read it with the \
         forkbench that wrote it, or a newer one", .path.display()
    )]
    NewerSchema {
        /// The run directory.
        path: PathBuf,
        /// The version that its manifest names.
        found: u64,
    },
    /// A file that the run cannot do without is damaged.
    #[error("{}: {reason}", .path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with the line if there is one.
        reason: String,
    },
}

impl RecordError {
    /// For `map_err`: the operation and the path that it was attempted on.
    pub fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RecordError {
        let path = path.to_owned();
        move |source| RecordError::Io { operation, path, source }
    }

    /// What is wrong with a file.
    pub fn malformed(path: &Path, reason: impl Into<String>) -> RecordError {
        RecordError::Malformed { path: path.to_owned(), reason: reason.into() }
    }
}
