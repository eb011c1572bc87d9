//! `exec`: a new program per task through `sh -c`, its whole output buffered.
//!
//! What a shell costs depends on which one it is, and on whether it replaces itself with a lone
//! command (bash does, dash of Debian 12 does not): `env.json` names it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;

use super::{Children, Kind, Span, launch, program};

pub(super) const KIND: Kind = Kind {
    name: "exec",
    summary: "a new program per task through `sh -c`, whole output buffered",
    options: &[],
    reaps: true,
    children: Children::Programs(Span::Request),
    start: |setup| program::start(setup, program::Reading::Buffered, through_shell),
};

const SHELL: &str = "/bin/sh";

fn through_shell(programs: &program::Programs, args: &[OsString; 3]) -> Command {
    let words = std::iter::once(&programs.program).chain(args).chain(&programs.spec_args);
    let mut line = Vec::new();
    for word in words {
        if !line.is_empty() {
            line.push(b' ');
        }
        quote(word, &mut line);
    }
    let mut command = launch::command(OsStr::new(SHELL));
    command.arg("-c").arg(OsString::from_vec(line));
    command
}

/// Appends `word` so that a POSIX shell reads it as exactly that one word: in single quotes,
/// within which only the single quote itself is special.
fn quote(word: &OsStr, line: &mut Vec<u8>) {
    line.push(b'\'');
    for &byte in word.as_bytes() {
        match byte {
            b'\'' => line.extend_from_slice(b"'\\''"),
            _ => line.push(byte),
        }
    }
    line.push(b'\'');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// The shell itself is the judge: it must print back exactly the word that was quoted.
        #[test]
        fn any_word_survives_the_shell(bytes in proptest::collection::vec(1_u8.., 0..40)) {
            let mut line = b"printf %s ".to_vec();
            quote(OsStr::from_bytes(&bytes), &mut line);
            let script = OsString::from_vec(line);
            let output = Command::new(SHELL).arg("-c").arg(script).output().unwrap();
            prop_assert_eq!(output.stdout, bytes);
        }
    }
}
