//! The one frame format between driver, subject and long-lived child, over Unix stream sockets.
//!
//! A frame is a 16-byte little-endian header `{ len: u32, kind: u8, outcome: u8, flags: u16,
//! id: u64 }` and `len` bytes of body, at most [`MAX_BODY_BYTES`]. Nothing here reads or writes;
//! [`conn`] does.

pub mod conn;
mod messages;
pub mod text;
pub mod words;

pub use messages::{Configure, EventLoop, FinalStats, Ready};

/// Length of a header, in bytes.
pub const HEADER_BYTES: usize = 16;

/// The longest body of a frame. A peer that announces more does not speak this protocol.
pub const MAX_BODY_BYTES: usize = 64 << 20;

/// Flag of a REPLY that says "accepted, another REPLY for this id follows".
pub const FLAG_MORE: u16 = 1;

/// Flag of a REPLY that says "a REAPED for this id follows": children were created for it.
pub const FLAG_REAPS: u16 = 2;

/// Flag of a RUN that says "no work": one task of index [`LIGHT_TASK`], executed by the strategy
/// like any other, whose answer is empty. The body of the RUN is empty too, for any workload.
pub const FLAG_LIGHT: u16 = 4;

/// The index of the one task of a RUN with [`FLAG_LIGHT`]. It needs no input and no payload, and
/// is far above the number of tasks that a request may have.
pub const LIGHT_TASK: u16 = u16::MAX;

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Driver to subject, subject to worker: what to prepare (JSON [`Configure`]).
    Configure = 1,
    /// Subject to driver, worker to subject: prepared (JSON [`Ready`]).
    Ready = 2,
    /// One request, or one task of it in `flags`; the body is its payload.
    Run = 3,
    /// The answer to a RUN: [`Reply`] and the payload.
    Reply = 4,
    /// All children of an answered request are reaped; the body is the stamp, a `u64`.
    Reaped = 5,
    /// A light probe; the subject's main loop answers it with LIGHT and its [`LightStamps`] at once.
    Light = 6,
    /// End: the subject ends its children, sends STATS and exits.
    Stop = 9,
    /// The last word of a subject (JSON [`FinalStats`]).
    Stats = 10,
    /// The sender cannot go on; the body says why, in UTF-8.
    Failed = 11,
}

impl Kind {
    /// All kinds, in order of their codes. 7 and 8 are none.
    pub const ALL: [Kind; 9] = [
        Kind::Configure,
        Kind::Ready,
        Kind::Run,
        Kind::Reply,
        Kind::Reaped,
        Kind::Light,
        Kind::Stop,
        Kind::Stats,
        Kind::Failed,
    ];
}

crate::words! {
    /// How a request or task ended. Never absent: a failure is an outcome.
    #[repr(u8)]
    pub enum Outcome {
        /// Answered; the driver checks whether rightly.
        Ok = "ok",
        /// The task said that it failed, or its child sent something that is no answer.
        AppError = "app_error",
        /// The child died, or the task panicked, before it answered.
        Crash = "crash",
        /// Not answered before the deadline; its children were killed.
        Timeout = "timeout",
        /// Never executed: a full queue, or the system refused to create the child.
        Rejected = "rejected",
        /// Answered, but not what every other strategy answers. Only the driver gives this one.
        WrongAnswer = "wrong_answer",
    }
}

/// The fixed part of a frame, without its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the frame is for.
    pub kind: Kind,
    /// How it ended, in a REPLY; `Ok` elsewhere.
    pub outcome: Outcome,
    /// The task's index between subject and child; [`FLAG_MORE`] and [`FLAG_REAPS`] in a REPLY to
    /// the driver, [`FLAG_LIGHT`] in its RUN; 0 elsewhere.
    pub flags: u16,
    /// The request that this belongs to; 0 where there is none.
    pub id: u64,
}

impl Header {
    /// A header of this kind for this request, with nothing else set.
    pub fn new(kind: Kind, id: u64) -> Header {
        Header { kind, outcome: Outcome::Ok, flags: 0, id }
    }

    /// The header as bytes, for a body of `len` bytes.
    ///
    /// # Panics
    /// `len` is over [`MAX_BODY_BYTES`]: the caller's limit on payloads is broken.
    pub fn encode(self, len: usize) -> [u8; HEADER_BYTES] {
        assert!(len <= MAX_BODY_BYTES, "a frame's body has {len} bytes, over {MAX_BODY_BYTES}");
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..4].copy_from_slice(&(len as u32).to_le_bytes());
        bytes[4] = self.kind as u8;
        bytes[5] = self.outcome as u8;
        bytes[6..8].copy_from_slice(&self.flags.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.id.to_le_bytes());
        bytes
    }

    /// The header in these bytes, and the length of the body that follows.
    ///
    /// # Errors
    /// A kind or outcome that does not exist, or a body over the limit.
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<(Header, usize), FrameError> {
        let [l0, l1, l2, l3, kind, outcome, f0, f1, id @ ..] = *bytes;
        let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let fail = |what: String| FrameError(format!("{what} (header {})", hex(bytes)));
        let known_kind = Kind::ALL.into_iter().find(|known| *known as u8 == kind);
        let known_outcome = Outcome::ALL.get(usize::from(outcome));
        let header = Header {
            kind: known_kind.ok_or_else(|| fail(format!("a frame of unknown kind {kind}")))?,
            outcome: *known_outcome
                .ok_or_else(|| fail(format!("a frame of unknown outcome {outcome}")))?,
            flags: u16::from_le_bytes([f0, f1]),
            id: u64::from_le_bytes(id),
        };
        if len > MAX_BODY_BYTES {
            let limit = format!("over the limit of {MAX_BODY_BYTES}");
            return Err(fail(format!("a frame announces {len} bytes, {limit}")));
        }
        Ok((header, len))
    }
}

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The fixed part.
    pub header: Header,
    /// What follows it.
    pub body: Vec<u8>,
}

/// Invalid frame: bytes that are no frame of this protocol, or a frame that means nothing here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FrameError(pub String);

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ")
}

/// `CLOCK_MONOTONIC` stamps of one request in nanoseconds, as subject and child set them. The
/// driver's own three (`intended`, `sent`, `done`) stay with the driver.
///
/// For a request of several tasks, the four in the middle are those of the task that finished
/// last: the path that the caller waited for, so that the phases still add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamps {
    /// The subject's loop had the whole RUN frame.
    pub accepted: u64,
    /// The strategy began to hand the task to its child (after any wait for a free one).
    pub dispatched: u64,
    /// The first instruction of the child's own code for this task.
    pub child_start: u64,
    /// The input is loaded, the work begins.
    pub work_start: u64,
    /// The work is done.
    pub work_end: u64,
    /// The subject wrote the REPLY.
    pub replied: u64,
}

/// The fixed part of a REPLY's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reply {
    /// Of the answer; 0 unless the outcome is ok.
    pub checksum: u64,
    /// When things happened; 0 for what did not.
    pub stamps: Stamps,
    /// The process that did the work (of the last task); the subject's own if none was created.
    pub child_pid: u32,
}

/// The body of a LIGHT on its way back, `CLOCK_MONOTONIC` ns: with them the driver knows what each
/// half of an idle round trip takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LightStamps {
    /// The subject's loop had the whole LIGHT frame.
    pub accepted: u64,
    /// The subject wrote the answer.
    pub replied: u64,
}

/// Length of [`LightStamps`], in bytes.
pub const LIGHT_BYTES: usize = 8 * 2;

impl LightStamps {
    /// The stamps as a body.
    pub fn encode(&self) -> [u8; LIGHT_BYTES] {
        let mut bytes = [0; LIGHT_BYTES];
        bytes[..8].copy_from_slice(&self.accepted.to_le_bytes());
        bytes[8..].copy_from_slice(&self.replied.to_le_bytes());
        bytes
    }

    /// The stamps in a body.
    ///
    /// # Errors
    /// The body does not have [`LIGHT_BYTES`].
    pub fn decode(body: &[u8]) -> Result<LightStamps, FrameError> {
        let (&[accepted, replied], []) = body.as_chunks::<8>() else {
            let found = body.len();
            return Err(FrameError(format!("a LIGHT of {found} bytes instead of {LIGHT_BYTES}")));
        };
        let [accepted, replied] = [accepted, replied].map(u64::from_le_bytes);
        Ok(LightStamps { accepted, replied })
    }
}

/// Length of [`Reply`] in a body, in bytes; what follows it is the payload of an `ok` and the
/// reason, in UTF-8, of every other outcome.
pub const REPLY_BYTES: usize = 8 * 7 + 4;

impl Reply {
    /// The reply as the first bytes of a body.
    pub fn encode(&self) -> [u8; REPLY_BYTES] {
        let s = &self.stamps;
        let words = [
            self.checksum,
            s.accepted,
            s.dispatched,
            s.child_start,
            s.work_start,
            s.work_end,
            s.replied,
        ];
        let mut bytes = [0; REPLY_BYTES];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes[56..].copy_from_slice(&self.child_pid.to_le_bytes());
        bytes
    }

    /// The reply in a body, and what follows it.
    ///
    /// # Errors
    /// The body is shorter than [`REPLY_BYTES`].
    pub fn decode(body: &[u8]) -> Result<(Reply, &[u8]), FrameError> {
        let Some((fixed, rest)) = body.split_first_chunk::<REPLY_BYTES>() else {
            return Err(FrameError(format!(
                "a REPLY of {} bytes, under the {REPLY_BYTES} of its fixed part",
                body.len()
            )));
        };
        let word = |i: usize| u64::from_le_bytes(fixed.as_chunks().0[i]);
        let stamps = Stamps {
            accepted: word(1),
            dispatched: word(2),
            child_start: word(3),
            work_start: word(4),
            work_end: word(5),
            replied: word(6),
        };
        let [.., p0, p1, p2, p3] = *fixed;
        let child_pid = u32::from_le_bytes([p0, p1, p2, p3]);
        Ok((Reply { checksum: word(0), stamps, child_pid }, rest))
    }
}
