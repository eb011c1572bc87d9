//! Output for people: its width, its errors, its durations.

use std::io::{self, Write};
use std::iter::repeat;

use crate::record::shown;
use crate::sys;

const NARROWEST: u16 = 40;
/// Of text that goes to a file or another program.
const WITHOUT_TERMINAL: u16 = 120;

/// Columns to fill: `COLUMNS` if it is set, else the terminal's.
pub fn width() -> u16 {
    let set = std::env::var("COLUMNS").ok();
    set.and_then(|columns| columns.parse().ok())
        .or_else(sys::terminal::stdout_columns)
        .unwrap_or(WITHOUT_TERMINAL)
        .max(NARROWEST)
}

/// Of an error and of each of its causes: a subject may have said megabytes.
const ERROR_CHARACTERS: usize = 4000;

/// Writes to standard output; a reader that went away (`| head`) is no error. Control characters
/// are escaped, because most texts quote files.
///
/// # Errors
/// Standard output does not take the text for any other reason.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(shown::escaped(text).as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes the error and its causes to standard error, one per line.
pub fn print_error(error: &anyhow::Error) {
    let mut text = String::new();
    for (before, cause) in ["error: "].into_iter().chain(repeat("  because: ")).zip(error.chain()) {
        let cause = cause.to_string();
        let cause = shown::bounded_to(&cause, ERROR_CHARACTERS);
        text.push_str(&format!("{before}{}\n", shown::escaped(&cause)));
    }
    // If standard error is closed, there is no other place for it.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Writes a line for people to standard error. A failure to write it changes nothing: a run does
/// not depend on its reader.
pub fn note(text: &str) {
    let line = format!("forkbench: {}\n", shown::on_a_line(text));
    let _ = io::stderr().write_all(line.as_bytes());
}

/// `1 block`, `2 blocks`.
pub fn plural(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// `0.4 s`, `45 s`, `2 min 30 s`, `1 h 05 min`.
pub fn duration(ns: u64) -> String {
    let seconds = (ns + 500_000_000) / 1_000_000_000;
    match seconds {
        0..10 => format!("{}.{} s", ns / 1_000_000_000, ns / 100_000_000 % 10),
        10..60 => format!("{seconds} s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let s = 1_000_000_000;
        assert_eq!(
            [0, s / 2, 45 * s, 60 * s, 150 * s, 3_900 * s].map(duration),
            ["0.0 s", "0.5 s", "45 s", "1 min", "2 min 30 s", "1 h 05 min"]
        );
    }
}
