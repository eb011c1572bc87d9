//! The messages between subject and fork server, one to a packet: a code, a slot, and numbers.

use super::Ended;
use crate::protocol::Usage;
use crate::sys::process::ExitStatus;

/// No message is longer; a reason is cut.
pub(super) const MAX_BYTES: usize = 512;

/// Subject to server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::strategy) enum Order {
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
}

/// Server to subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::strategy) enum Notice {
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
    /// The child is reaped.
    Reaped {
        /// Which child.
        slot: u64,
        /// How and when.
        ended: Ended,
    },
}

impl Order {
    pub(super) fn encode(self) -> [u8; 16] {
        let (code, slot) = match self {
            Order::Fork { slot } => (1, slot),
            Order::Kill { slot } => (2, slot),
        };
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&u64::to_le_bytes(code));
        bytes[8..].copy_from_slice(&slot.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Order> {
        let &[code, slot] = words(bytes)?.first_chunk()?;
        match code {
            1 => Some(Order::Fork { slot }),
            2 => Some(Order::Kill { slot }),
            _ => None,
        }
    }
}

impl Notice {
    pub(super) fn encode(&self) -> Vec<u8> {
        let numbers = match self {
            Notice::Ready { usage: u } => vec![
                1,
                u.cpu_user_ns,
                u.cpu_system_ns,
                u.faults_minor,
                u.faults_major,
                u.ctx_voluntary,
                u.ctx_involuntary,
            ],
            Notice::Failed { .. } => vec![2],
            Notice::Refused { slot, errno } => vec![3, *slot, *errno as u64],
            Notice::Reaped { slot, ended } => {
                let (how, code) = match ended.status {
                    ExitStatus::Code(code) => (0, code),
                    ExitStatus::Signal(signal) => (1, signal),
                };
                vec![4, *slot, how, code as u64, ended.at_ns]
            }
        };
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        if let Notice::Failed { reason } = self {
            let room = MAX_BYTES - bytes.len();
            bytes.extend(reason.bytes().take(room));
        }
        bytes
    }

    /// # Errors
    /// It is none: the two sides were not built from the same source.
    pub(super) fn decode(bytes: &[u8]) -> Result<Notice, String> {
        if let Some(reason) = bytes.strip_prefix(&2_u64.to_le_bytes()) {
            return Ok(Notice::Failed {
                reason: String::from_utf8_lossy(reason).into_owned(),
            });
        }
        let numbers = words(bytes).unwrap_or_default();
        match *numbers.as_slice() {
            [
                1,
                cpu_user_ns,
                cpu_system_ns,
                faults_minor,
                faults_major,
                ctx_voluntary,
                ctx_involuntary,
            ] => {
                let usage = Usage {
                    cpu_user_ns,
                    cpu_system_ns,
                    faults_minor,
                    faults_major,
                    ctx_voluntary,
                    ctx_involuntary,
                };
                Ok(Notice::Ready { usage })
            }
            [3, slot, errno] => Ok(Notice::Refused {
                slot,
                errno: errno as i32,
            }),
            [4, slot, how, code, at_ns] => {
                let code = code as i32;
                let status = if how == 0 {
                    ExitStatus::Code(code)
                } else {
                    ExitStatus::Signal(code)
                };
                Ok(Notice::Reaped {
                    slot,
                    ended: Ended { status, at_ns },
                })
            }
            _ => Err(format!(
                "the fork server sent {} bytes that are no message",
                bytes.len()
            )),
        }
    }
}

fn words(bytes: &[u8]) -> Option<Vec<u64>> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    rest.is_empty().then(|| {
        chunks
            .iter()
            .map(|chunk| u64::from_le_bytes(*chunk))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_round_trip() {
        for order in [Order::Fork { slot: 7 }, Order::Kill { slot: u64::MAX }] {
            assert_eq!(Order::decode(&order.encode()), Some(order));
        }
        let ended = |status| Ended {
            status,
            at_ns: u64::MAX,
        };
        for notice in [
            Notice::Ready {
                usage: Usage {
                    cpu_user_ns: 1,
                    ctx_involuntary: 9,
                    ..Usage::default()
                },
            },
            Notice::Failed {
                reason: "no input".into(),
            },
            Notice::Refused { slot: 3, errno: 11 },
            Notice::Reaped {
                slot: 4,
                ended: ended(ExitStatus::Code(3)),
            },
            Notice::Reaped {
                slot: 4,
                ended: ended(ExitStatus::Signal(9)),
            },
        ] {
            assert_eq!(Notice::decode(&notice.encode()), Ok(notice));
        }
        assert!(Notice::decode(b"hello").is_err());
        assert_eq!(Order::decode(b""), None);
        let long = Notice::Failed {
            reason: "x".repeat(2 * MAX_BYTES),
        };
        assert_eq!(long.encode().len(), MAX_BYTES);
    }
}
