"""The one frame format between driver, subject and forked child.

A frame is a header of 16 little-endian bytes { len: u32, kind: u8, outcome: u8, flags: u16,
id: u64 } and a body of `len` bytes.
"""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

HEADER = struct.Struct("<IBBHQ")
REPLY = struct.Struct("<7QI")
LIGHT = struct.Struct("<2Q")
MAX_BODY_BYTES = 64 << 20

# Flags of a REPLY: another one for this id follows; a REAPED for this id follows.
FLAG_MORE = 1
FLAG_REAPS = 2

OUTCOMES = ("ok", "app_error", "crash", "timeout", "rejected", "wrong_answer")


class Kind(enum.IntEnum):
    CONFIGURE = 1
    READY = 2
    RUN = 3
    REPLY = 4
    REAPED = 5
    LIGHT = 6
    STOP = 9
    STATS = 10
    FAILED = 11


class Frame(NamedTuple):
    kind: int
    outcome: str
    flags: int
    id: int
    body: bytes


class Stamps(NamedTuple):
    """Of one task, in ns; 0 for what did not happen."""

    dispatched: int = 0
    child_start: int = 0
    work_start: int = 0
    work_end: int = 0


class FrameError(Exception):
    """Bytes that are no frame of this protocol."""


class FrameReader:
    """Frames out of a stream that arrives in pieces of any length."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def push(self, piece: bytes) -> list[Frame]:
        """Takes a piece and gives the frames that are complete with it."""
        self._bytes += piece
        frames = []
        at = 0
        while len(self._bytes) - at >= HEADER.size:
            length, kind, outcome, flags, id_ = HEADER.unpack_from(self._bytes, at)
            if not Kind.CONFIGURE <= kind <= Kind.FAILED:
                raise FrameError(f"a frame of unknown kind {kind}")
            if outcome >= len(OUTCOMES):
                raise FrameError(f"a frame of unknown outcome {outcome}")
            if length > MAX_BODY_BYTES:
                limit = MAX_BODY_BYTES
                raise FrameError(f"a frame announces {length} bytes, over the limit of {limit}")
            start = at + HEADER.size
            end = start + length
            if len(self._bytes) < end:
                break
            with memoryview(self._bytes) as view:
                body = bytes(view[start:end])
            frames.append(Frame(kind, OUTCOMES[outcome], flags, id_, body))
            at = end
        del self._bytes[:at]
        return frames


def encode(kind: Kind, id_: int = 0, *parts: bytes, outcome: str = "ok", flags: int = 0) -> bytes:
    """A whole frame."""
    length = sum(map(len, parts))
    header = HEADER.pack(length, kind, OUTCOMES.index(outcome), flags, id_)
    return b"".join((header, *parts))


def encode_reply(
    checksum: int, accepted: int, stamps: Stamps, replied: int, child_pid: int
) -> bytes:
    """The fixed part of a REPLY's body."""
    return REPLY.pack(checksum, accepted, *stamps, replied, child_pid)


def encode_light(accepted: int, replied: int) -> bytes:
    """The body of a LIGHT on its way back: when it was read, and when it is answered."""
    return LIGHT.pack(accepted, replied)
