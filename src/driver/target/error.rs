//! Why a subject could not be used any further.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::driver::load::Measured;
use crate::protocol::FrameError;
use crate::sys::limits;

/// Why a subject could not be used any further.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It could not be started or asked.
    #[error("{attempt}: {error}{}", limit(error))]
    Io {
        /// The attempt, with its object.
        attempt: String,
        /// The system's error.
        error: io::Error,
    },
    /// A reason in full, the subject's own or the driver's.
    #[error("{0}")]
    Failed(String),
    /// It has ended.
    #[error("the subject {how}{said}")]
    Gone {
        /// "exited with 1"
        how: String,
        /// "; last line of stderr: …" or nothing.
        said: String,
    },
    /// It runs, and does not answer or breaks the protocol.
    #[error("the subject {0}")]
    Protocol(String),
    /// The run's budget ended before the subject's next step.
    #[error("the run's budget ended when the subject had {0}")]
    OutOfBudget(String),
    /// One of the others, under load.
    #[error("{error}")]
    UnderLoad {
        /// The cause.
        error: Box<TargetError>,
        /// The answers until then. Its times are of no window.
        measured: Box<Measured>,
    },
    /// The user wants the run to end.
    #[error("interrupted")]
    Interrupted,
}

impl From<FrameError> for TargetError {
    fn from(error: FrameError) -> TargetError {
        TargetError::Protocol(format!("sent {error}"))
    }
}

impl TargetError {
    /// The system's error at an attempt.
    pub fn io(attempt: impl Into<String>) -> impl FnOnce(io::Error) -> TargetError {
        let attempt = attempt.into();
        |error| TargetError::Io { attempt, error }
    }

    /// The error with the last line of the subject's standard error, if it is not in it yet.
    #[must_use]
    pub fn with_last_words(self, stderr: &Path) -> TargetError {
        match self {
            TargetError::UnderLoad { error, measured } => {
                let error = Box::new(error.with_last_words(stderr));
                TargetError::UnderLoad { error, measured }
            }
            TargetError::Protocol(what) => TargetError::Protocol(what + &last_words(stderr)),
            TargetError::OutOfBudget(what) => TargetError::OutOfBudget(what + &last_words(stderr)),
            error => error,
        }
    }

    /// The error with the answers until then.
    #[must_use]
    pub fn under_load(self, measured: Measured) -> TargetError {
        match self {
            TargetError::Interrupted => self,
            error => {
                TargetError::UnderLoad { error: Box::new(error), measured: Box::new(measured) }
            }
        }
    }

    /// The cause, and the answers until then if it came under load.
    pub fn into_parts(self) -> (TargetError, Option<Measured>) {
        match self {
            TargetError::UnderLoad { error, measured } => (*error, Some(*measured)),
            error => (error, None),
        }
    }
}

/// Ends the current step once the user has asked for it.
///
/// # Errors
/// [`TargetError::Interrupted`].
pub fn check_interrupt() -> Result<(), TargetError> {
    if crate::driver::interrupted() { Err(TargetError::Interrupted) } else { Ok(()) }
}

/// "; the limit on processes is reached; …" or nothing.
fn limit(error: &io::Error) -> String {
    limits::behind(error).map_or_else(String::new, |limit| format!("; {limit}"))
}

/// The last line of standard error as the end of a message; nothing if there is none.
pub fn last_words(stderr: &Path) -> String {
    let line = end_of(stderr).ok().and_then(|said| last_line(&said));
    line.map_or_else(String::new, |line| format!("; last line of stderr: {line}"))
}

/// Its last bytes: a subject may have written gigabytes.
fn end_of(stderr: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(stderr)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_BYTES as u64)))?;
    let mut end = Vec::new();
    file.take(LAST_BYTES as u64).read_to_end(&mut end)?;
    Ok(end)
}

/// The end of a text that is searched for its last line.
const LAST_BYTES: usize = 4096;

/// The last line that is not blank, cut to a readable length.
pub fn last_line(text: &[u8]) -> Option<String> {
    let end = &text[text.len().saturating_sub(LAST_BYTES)..];
    let end = String::from_utf8_lossy(end);
    let line = end.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(line.chars().take(300).collect())
}
