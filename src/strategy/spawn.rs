//! `spawn`: a new program per task, arguments in, the answer read as a text stream as it comes.

use std::ffi::OsString;
use std::process::Command;

use super::launch::ChildProgram;
use super::{Children, Kind, Span, program};

pub const KIND: Kind = Kind {
    name: "spawn",
    summary: "a new program per task, arguments in, text stream out",
    options: &[],
    reaps: true,
    children: Children::Programs(Span::Request),
    start: |setup| program::start(setup, program::Reading::Stream, direct),
};

/// The program itself, without a shell.
pub fn direct(program: &ChildProgram, args: &[OsString; 3]) -> Command {
    program.command(args)
}
