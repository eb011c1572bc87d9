//! Who is whose child, on the whole machine.

use std::fs;
use std::io;

use crate::sys::process;

/// A line of `/proc/PID/stat`: the parent's id, and the name, which may itself have spaces and
/// parentheses.
pub(super) fn stat(text: &str) -> Option<(u32, String)> {
    let (head, rest) = text.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let ppid = rest.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some((ppid, name.to_owned()))
}

/// CPU time of the children that a process has reaped, and of theirs, in ticks, out of its
/// `/proc/PID/stat`: `cutime` and `cstime`.
pub(super) fn reaped_ticks(text: &str) -> Option<u64> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(13);
    let mut next = || fields.next()?.parse::<u64>().ok();
    next()?.checked_add(next()?)
}

/// Every process that may be seen: its id, and its parent's.
///
/// # Errors
/// `/proc` cannot be read.
pub(super) fn parents() -> io::Result<Vec<(u32, u32)>> {
    // A process may end while the list is read.
    let parent = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some((pid, stat(&text)?.0))
    };
    Ok(process::all()?.into_iter().filter_map(parent).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_with_parentheses_does_not_hide_the_parent() {
        assert_eq!(stat("12 (a) S 7) R 34 12"), Some((34, "a) S 7".to_owned())));
        assert_eq!(stat("garbage"), None);
    }

    #[test]
    fn reaped_ticks_are_the_sixteenth_and_seventeenth_field() {
        let text = "5 (a) b) S 3 4 5 6 7 8 9 10 11 12 13 14 15 1600 17 18 19";
        assert_eq!(reaped_ticks(text), Some(15 + 1_600));
        assert_eq!(reaped_ticks("5 (a) S 3 4"), None);
    }

    #[test]
    fn this_process_is_its_parent_s_child() {
        let own = (std::process::id(), std::os::unix::process::parent_id());
        assert!(parents().unwrap().contains(&own));
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "(\\(|\\)| |\n|[0-9]{1,30}){0,40}") {
            let _ = (stat(&text), reaped_ticks(&text));
        }
    }
}
