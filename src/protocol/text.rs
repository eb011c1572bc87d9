//! The answer of a program that is started per request: one line on standard output,
//! `fb1 <id> <outcome> <checksum> <child_start> <work_start> <work_end> <bytes>`, then that many
//! bytes (the payload of an `ok`, the reason of every other outcome).

use super::{MAX_BODY_BYTES, Outcome};

/// No valid line is longer: a tag, a name and six 20-digit numbers.
pub const MAX_LINE_BYTES: usize = 192;

/// The line, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerLine {
    /// The task that this answers, as given in the arguments.
    pub id: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Of the answer.
    pub checksum: u64,
    /// `CLOCK_MONOTONIC` at the first instruction of `main`, in ns.
    pub child_start: u64,
    /// When the input was loaded, in ns.
    pub work_start: u64,
    /// When the work was done, in ns.
    pub work_end: u64,
    /// How many bytes follow the line.
    pub bytes: usize,
}

/// What has been read of an answer so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It may still become one.
    Incomplete,
    /// The whole answer: its line, and where its payload begins. `bytes` of them follow; more
    /// than that were not announced.
    Complete(AnswerLine, usize),
}

/// Text that is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; the output begins `{start}`")]
pub struct NoAnswer {
    what: &'static str,
    start: String,
}

impl AnswerLine {
    /// The line with its line break.
    pub fn render(&self) -> String {
        format!(
            "fb1 {} {} {} {} {} {} {}\n",
            self.id,
            self.outcome.name(),
            self.checksum,
            self.child_start,
            self.work_start,
            self.work_end,
            self.bytes
        )
    }

    fn parse(line: &str) -> Option<AnswerLine> {
        let mut words = line.split(' ');
        if words.next()? != "fb1" {
            return None;
        }
        let id = number(words.next()?)?;
        let outcome = Outcome::by_name(words.next()?)?;
        let checksum = number(words.next()?)?;
        let child_start = number(words.next()?)?;
        let work_start = number(words.next()?)?;
        let work_end = number(words.next()?)?;
        let bytes = usize::try_from(number(words.next()?)?).ok()?;
        let line = AnswerLine { id, outcome, checksum, child_start, work_start, work_end, bytes };
        words.next().is_none().then_some(line)
    }
}

/// Digits only: `u64::from_str` would also take a leading plus.
fn number(word: &str) -> Option<u64> {
    word.bytes().all(|b| b.is_ascii_digit()).then(|| word.parse().ok())?
}

/// Looks for an answer at the start of `output`.
///
/// # Errors
/// The output cannot become an answer, or more follows than was announced.
pub fn read_answer(output: &[u8]) -> Result<Progress, NoAnswer> {
    let fail = |what| Err(NoAnswer { what, start: excerpt(output) });
    let Some(end) = output.iter().take(MAX_LINE_BYTES).position(|&b| b == b'\n') else {
        return match output.len() {
            0..MAX_LINE_BYTES => Ok(Progress::Incomplete),
            _ => fail("no answer line within the first bytes"),
        };
    };
    let Some(line) = std::str::from_utf8(&output[..end]).ok().and_then(AnswerLine::parse) else {
        return fail("the first line is no answer");
    };
    if line.bytes > MAX_BODY_BYTES {
        return fail("the answer announces more bytes than are allowed");
    }
    let start = end + 1;
    match output.len() - start {
        have if have < line.bytes => Ok(Progress::Incomplete),
        have if have == line.bytes => Ok(Progress::Complete(line, start)),
        _ => fail("more output than the answer announced"),
    }
}

fn excerpt(output: &[u8]) -> String {
    String::from_utf8_lossy(&output[..output.len().min(60)]).escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_round_trip_and_no_prefix_is_complete(
            id: u64, checksum: u64, stamps: [u64; 3], outcome in 0..6usize,
            payload in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let [child_start, work_start, work_end] = stamps;
            let line = AnswerLine {
                id, outcome: Outcome::ALL[outcome], checksum, child_start, work_start, work_end,
                bytes: payload.len(),
            };
            let text = line.render();
            prop_assert!(text.len() <= MAX_LINE_BYTES);
            let mut output = text.clone().into_bytes();
            output.extend_from_slice(&payload);
            prop_assert_eq!(read_answer(&output).unwrap(), Progress::Complete(line, text.len()));
            for end in 0..output.len() {
                prop_assert_eq!(read_answer(&output[..end]).unwrap(), Progress::Incomplete);
            }
            output.push(0);
            prop_assert!(read_answer(&output).is_err());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read_answer(&bytes);
        }
    }

    #[test]
    fn garbage_is_told_from_what_may_still_come() {
        assert_eq!(read_answer(b"fb1 1 ok"), Ok(Progress::Incomplete));
        for bad in
            ["hello\n", "fb1 1 ok 2 3 4 5\n", "fb1 1 ok 2 3 4 5 +0\n", "fb1 1 fine 2 3 4 5 0\n"]
        {
            assert!(read_answer(bad.as_bytes()).is_err(), "{bad:?}");
        }
        let flood = vec![b'y'; MAX_LINE_BYTES];
        assert!(read_answer(&flood).is_err());
        assert!(read_answer(b"fb1 1 ok 2 3 4 5 99999999999\n").is_err());
    }
}
