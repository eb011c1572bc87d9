//! `exec-file`: a new program per task without a shell, its whole output buffered.

use super::{Children, Kind, Span, program, spawn};

pub const KIND: Kind = Kind {
    name: "exec-file",
    summary: "a new program per task, whole output buffered until it has ended",
    options: &[],
    reaps: true,
    children: Children::Programs(Span::Request),
    start: |setup| program::start(setup, program::Reading::Buffered, spawn::direct),
};
