//! The messages between subject and fork server, one to a packet: a code, a slot, numbers and
//! bytes. Forked children send theirs over the same socket.

use super::Ended;
use crate::strategy::TaskId;
use crate::sys::process::ExitStatus;
use crate::sys::usage::Usage;

/// No message is longer; a reason is cut. What a socket takes before it is full is many times
/// as much.
pub const MAX_BYTES: usize = 4 << 10;

/// What stands before a task's payload, and before the bytes of a piece.
const TASK_HEAD_BYTES: usize = 4 * 8;
pub const PIECE_HEAD_BYTES: usize = 2 * 8;

/// The longest payload that fits into an order.
pub const MAX_PAYLOAD_BYTES: usize = MAX_BYTES - TASK_HEAD_BYTES;

/// The longest piece of an answer that fits into a message.
pub const MAX_PIECE_BYTES: usize = MAX_BYTES - PIECE_HEAD_BYTES;

/// Subject to server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order<'a> {
    /// Fork a child for this slot; its socket comes with the message.
    Fork {
        /// Chosen by the subject, never used twice.
        slot: u64,
    },
    /// Kill the child of this slot.
    Kill {
        /// See [`Order::Fork`].
        slot: u64,
    },
    /// Fork a child that runs this task and answers in pieces.
    Task {
        /// See [`Order::Fork`].
        slot: u64,
        /// Which task.
        id: TaskId,
        /// Its payload, at most [`MAX_PAYLOAD_BYTES`].
        payload: &'a [u8],
    },
}

/// Server to subject, and forked child to subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Input loaded, ballast touched, warm if asked.
    Ready {
        /// What that took.
        usage: Usage,
    },
    /// The server cannot go on.
    Failed {
        /// Why.
        reason: String,
    },
    /// The system refused to fork.
    Refused {
        /// Which child.
        slot: u64,
        /// What it said, an errno.
        errno: i32,
    },
    /// The child is reaped. Comes after all of its pieces: they were in the socket before it
    /// ended.
    Reaped {
        /// Which child.
        slot: u64,
        /// How and when.
        ended: Ended,
    },
    /// The next bytes of the frame with which a child answers its [`Order::Task`].
    Piece {
        /// Which child.
        slot: u64,
        /// In order, without gaps; at most [`MAX_PIECE_BYTES`].
        bytes: Vec<u8>,
    },
}

impl Order<'_> {
    pub fn encode(self) -> Vec<u8> {
        match self {
            Order::Fork { slot } => bytes_of(&[1, slot]),
            Order::Kill { slot } => bytes_of(&[2, slot]),
            Order::Task { slot, id, payload } => {
                let mut bytes = bytes_of(&[3, slot, id.request, u64::from(id.task)]);
                bytes.extend_from_slice(payload);
                bytes
            }
        }
    }

    /// Allocates nothing: the server has to copy every page on which it writes between two forks.
    pub fn decode(bytes: &[u8]) -> Option<Order<'_>> {
        let slot = word(bytes, 1)?;
        match word(bytes, 0)? {
            1 => Some(Order::Fork { slot }),
            2 => Some(Order::Kill { slot }),
            3 => {
                let id =
                    TaskId { request: word(bytes, 2)?, task: u16::try_from(word(bytes, 3)?).ok()? };
                let payload = &bytes[TASK_HEAD_BYTES..];
                Some(Order::Task { slot, id, payload })
            }
            _ => None,
        }
    }
}

/// A [`Notice::Piece`]'s first bytes. The child sends the others from where they lie.
pub fn piece_head(slot: u64) -> [u8; PIECE_HEAD_BYTES] {
    let mut head = [0; PIECE_HEAD_BYTES];
    head[..8].copy_from_slice(&5_u64.to_le_bytes());
    head[8..].copy_from_slice(&slot.to_le_bytes());
    head
}

impl Notice {
    pub fn encode(&self) -> Vec<u8> {
        let numbers = match self {
            Notice::Ready { usage } => [&[1][..], &usage.to_words()].concat(),
            Notice::Failed { .. } => vec![2],
            Notice::Piece { slot, .. } => vec![5, *slot],
            Notice::Refused { slot, errno } => vec![3, *slot, *errno as u64],
            Notice::Reaped { slot, ended } => {
                let (how, code) = match ended.status {
                    ExitStatus::Code(code) => (0, code),
                    ExitStatus::Signal(signal) => (1, signal),
                };
                vec![4, *slot, how, code as u64, ended.at_ns]
            }
        };
        let mut bytes = bytes_of(&numbers);
        let room = MAX_BYTES - bytes.len();
        match self {
            Notice::Failed { reason } => bytes.extend(reason.bytes().take(room)),
            Notice::Piece { bytes: piece, .. } => bytes.extend(piece.iter().take(room)),
            _ => {}
        }
        bytes
    }

    /// # Errors
    /// It is none: the two sides were not built from the same source.
    pub fn decode(bytes: &[u8]) -> Result<Notice, String> {
        if let Some(reason) = bytes.strip_prefix(&2_u64.to_le_bytes()) {
            return Ok(Notice::Failed { reason: String::from_utf8_lossy(reason).into_owned() });
        }
        if let (Some(5), Some(slot)) = (word(bytes, 0), word(bytes, 1)) {
            let bytes = bytes[PIECE_HEAD_BYTES..].to_vec();
            return Ok(Notice::Piece { slot, bytes });
        }
        let numbers = words(bytes).unwrap_or_default();
        match *numbers.as_slice() {
            [1, user, system, minor, major, voluntary, involuntary] => {
                let words = [user, system, minor, major, voluntary, involuntary];
                Ok(Notice::Ready { usage: Usage::from_words(words) })
            }
            [3, slot, errno] => Ok(Notice::Refused { slot, errno: errno as i32 }),
            [4, slot, how, code, at_ns] => {
                let code = code as i32;
                let status =
                    if how == 0 { ExitStatus::Code(code) } else { ExitStatus::Signal(code) };
                Ok(Notice::Reaped { slot, ended: Ended { status, at_ns } })
            }
            _ => Err(format!("the fork server sent {} bytes that are no message", bytes.len())),
        }
    }
}

fn bytes_of(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

fn word(bytes: &[u8], index: usize) -> Option<u64> {
    let (chunks, _) = bytes.as_chunks::<8>();
    chunks.get(index).map(|chunk| u64::from_le_bytes(*chunk))
}

fn words(bytes: &[u8]) -> Option<Vec<u64>> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    rest.is_empty().then(|| chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_round_trip() {
        let task = |payload| Order::Task {
            slot: 7,
            id: TaskId { request: u64::MAX, task: u16::MAX },
            payload,
        };
        let longest = vec![0xa5; MAX_PAYLOAD_BYTES];
        for order in [
            Order::Fork { slot: 7 },
            Order::Kill { slot: u64::MAX },
            task(b""),
            task(b"not a multiple of eight"),
            task(&longest),
        ] {
            let bytes = order.encode();
            assert!(bytes.len() <= MAX_BYTES);
            assert_eq!(Order::decode(&bytes), Some(order));
        }
        let ended = |status| Ended { status, at_ns: u64::MAX };
        for notice in [
            Notice::Ready {
                usage: Usage { cpu_user_ns: 1, ctx_involuntary: 9, ..Usage::default() },
            },
            Notice::Failed { reason: "no input".into() },
            Notice::Refused { slot: 3, errno: 11 },
            Notice::Reaped { slot: 4, ended: ended(ExitStatus::Code(3)) },
            Notice::Reaped { slot: 4, ended: ended(ExitStatus::Signal(9)) },
            Notice::Piece { slot: 5, bytes: vec![0x5a; MAX_PIECE_BYTES] },
        ] {
            assert_eq!(Notice::decode(&notice.encode()), Ok(notice));
        }
        assert!(Notice::decode(b"hello").is_err());
        assert_eq!(Order::decode(b""), None);
        let piece = Notice::Piece { slot: 6, bytes: b"frame".to_vec() };
        assert_eq!(piece.encode(), [&piece_head(6), &b"frame"[..]].concat());
        let long = Notice::Failed { reason: "x".repeat(2 * MAX_BYTES) };
        assert_eq!(long.encode().len(), MAX_BYTES);
    }
}
