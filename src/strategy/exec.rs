//! `exec`: a new program per task through `sh -c`, its whole output buffered.
//!
//! What a shell costs depends on which one it is, and on whether it replaces itself with a lone
//! command (bash does, dash of Debian 12 does not): `env.json` names it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;

use super::launch::{self, ChildProgram};
use super::{Children, Kind, Span, program};
use crate::sys::shell;

pub const KIND: Kind = Kind {
    name: "exec",
    summary: "a new program per task through `sh -c`, whole output buffered",
    options: &[],
    reaps: true,
    children: Children::Programs(Span::Request),
    start: |setup| program::start(setup, program::Reading::Buffered, through_shell),
};

const SHELL: &str = "/bin/sh";

fn through_shell(program: &ChildProgram, args: &[OsString; 3]) -> Command {
    let mut line = Vec::new();
    for word in program.words(args) {
        if !line.is_empty() {
            line.push(b' ');
        }
        shell::quote(word.as_bytes(), &mut line);
    }
    let mut command = launch::command(OsStr::new(SHELL));
    command.arg("-c").arg(OsString::from_vec(line));
    command
}
