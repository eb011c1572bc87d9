//! However the kernel cuts the stream, frames arrive whole or not at all.

use proptest::prelude::*;

use super::*;
use crate::protocol::{Kind, Outcome};
use crate::sys::socket::stream_pair;

fn pair() -> (Conn, OwnedFd) {
    let (ours, theirs) = stream_pair().unwrap();
    (Conn::new(ours).unwrap(), theirs)
}

/// Every frame that `conn` can be read for, until nothing is there.
fn read_all(conn: &mut Conn) -> Result<Vec<Frame>, FrameError> {
    let mut frames = Vec::new();
    loop {
        let fill = conn.fill().unwrap();
        while let Some(frame) = conn.next_frame()? {
            frames.push(frame);
        }
        match fill {
            Fill::Bytes(_) => {}
            Fill::WouldBlock => return Ok(frames),
            Fill::Closed => return conn.at_end().map(|()| frames),
        }
    }
}

/// A reader that trusts `is_drained` stops; one that waits must not sleep over what is
/// here already.
#[test]
fn frames_that_came_in_one_read_are_not_forgotten() {
    let (mut ours, theirs) = pair();
    let mut peer = Conn::blocking(theirs);
    for id in [1, 2] {
        peer.push(Header::new(Kind::Run, id), &[b"abc"]);
    }
    peer.flush().unwrap();
    ours.fill().unwrap();
    assert_eq!(ours.next_frame().unwrap().unwrap().header.id, 1);
    assert!(ours.holds_bytes() && !ours.is_drained());
    ours.wait_readable().unwrap();
    assert_eq!(ours.next_frame().unwrap().unwrap().header.id, 2);
    assert!(!ours.holds_bytes() && ours.is_drained());
}

/// A frame that is longer than the buffers of a forked child still gets through.
#[test]
fn small_buffers_take_large_frames() {
    let (ours, theirs) = pair();
    let mut peer = Conn::blocking(theirs);
    let mut small = Conn::blocking_in(ours.fd, Buffers::small());
    small.set_blocking().unwrap();
    let body: Vec<u8> = (0..10 * SMALL_BYTES).map(|i| i as u8).collect();
    peer.push(Header::new(Kind::Run, 7), &[&body]);
    peer.flush().unwrap();
    let frame = loop {
        match small.next_frame().unwrap() {
            Some(frame) => break frame,
            None => assert!(matches!(small.fill().unwrap(), Fill::Bytes(_))),
        }
    };
    assert_eq!((frame.header.id, frame.body), (7, body));
}

fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let len = prop_oneof![0..200_usize, LARGE_BYTES - 2..LARGE_BYTES + 2, Just(300_000)];
    let frame = (0..Kind::ALL.len(), 0..Outcome::ALL.len(), any::<u16>(), any::<u64>(), len);
    let frame = frame.prop_map(|(kind, outcome, flags, id, len)| Frame {
        header: Header { kind: Kind::ALL[kind], outcome: Outcome::ALL[outcome], flags, id },
        body: (0..len).map(|i| (i as u64 ^ id) as u8).collect(),
    });
    proptest::collection::vec(frame, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However the kernel cuts the stream, and whether bodies are large or small.
    #[test]
    fn frames_arrive_as_they_were_sent(sent in frames(), cut in 1..4_000_usize) {
        let (mut from, theirs) = pair();
        let mut to = Conn::new(theirs).unwrap();
        let mut received = Vec::new();
        for frame in &sent {
            let (first, second) = frame.body.split_at(cut.min(frame.body.len()));
            from.push(frame.header, &[first, second]);
            while !from.flush().unwrap() {
                received.extend(read_all(&mut to).unwrap());
            }
        }
        received.extend(read_all(&mut to).unwrap());
        prop_assert!(received == sent);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let (mut conn, theirs) = pair();
        rustix::io::write(&theirs, &bytes).unwrap();
        drop(theirs);
        let _ = read_all(&mut conn);
    }
}

#[test]
fn a_stream_that_ends_inside_a_frame_is_told_from_one_that_ends_after_it() {
    for (len, kept) in [(100, 50), (LARGE_BYTES + 1, LARGE_BYTES), (100, 116)] {
        let (mut conn, theirs) = pair();
        let mut bytes = Header::new(Kind::Run, 1).encode(len).to_vec();
        bytes.resize(HEADER_BYTES + len, 7);
        rustix::io::write(&theirs, &bytes[..kept.min(bytes.len())]).unwrap();
        drop(theirs);
        assert_eq!(read_all(&mut conn).is_ok(), kept == bytes.len(), "{kept} of {len}");
    }
}

#[test]
fn what_is_no_frame_says_what_was_read() {
    let long = Header::new(Kind::Run, 1);
    let mut oversized = long.encode(0);
    oversized[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut unknown = long.encode(0);
    unknown[4] = 99;
    let mut outcome = long.encode(0);
    outcome[5] = 99;
    for (bytes, said) in [
        (oversized, "announces 4294967295 bytes"),
        (unknown, "unknown kind 99"),
        (outcome, "unknown outcome 99"),
    ] {
        let (mut conn, theirs) = pair();
        rustix::io::write(&theirs, &bytes).unwrap();
        let error = read_all(&mut conn).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
