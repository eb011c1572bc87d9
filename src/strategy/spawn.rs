//! `spawn`: a new program per task, arguments in, the answer read as a text stream as it comes.

use super::{Children, Kind, Span, launch, program};

pub(super) const KIND: Kind = Kind {
    name: "spawn",
    summary: "a new program per task, arguments in, text stream out",
    options: &[],
    reaps: true,
    children: Children::Programs(Span::Request),
    start: |setup| program::start(setup, program::Reading::Stream, direct),
};

/// The program itself, without a shell.
pub(super) fn direct(
    programs: &program::Programs,
    args: &[std::ffi::OsString; 3],
) -> std::process::Command {
    let mut command = launch::command(&programs.program);
    command.args(args).args(&programs.spec_args);
    command
}
