"""The answer of a program that is started per task: one line on standard output,
`fb1 <id> <outcome> <checksum> <child_start> <work_start> <work_end> <bytes>`, then that many
bytes."""

from __future__ import annotations

import re
from typing import NamedTuple

from protocol import MAX_BODY_BYTES, OUTCOMES
from run import Ran

MAX_LINE_BYTES = 192
LINE = re.compile(rb"fb1 (\d+) ([a-z_]+) (\d+) (\d+) (\d+) (\d+) (\d+)", re.ASCII)


class Answer(NamedTuple):
    id: int
    outcome: str
    checksum: int
    child_start: int
    work_start: int
    work_end: int
    body: bytes


class NoAnswer(Exception):
    """What is there cannot become an answer, whatever follows."""


def render_line(id_: int, ran: Ran, child_start: int) -> bytes:
    return (
        f"fb1 {id_} {ran.outcome} {ran.checksum} {child_start} {ran.work_start} {ran.work_end} "
        f"{len(ran.body)}\n"
    ).encode()


def read_answer(output: bytes) -> Answer | None:
    """Looks for an answer at the start of `output`; `None` while it is incomplete."""
    end = output.find(b"\n", 0, MAX_LINE_BYTES)
    if end < 0:
        if len(output) < MAX_LINE_BYTES:
            return None
        raise _no_answer("no answer line within the first bytes", output)
    match = LINE.fullmatch(output, 0, end)
    if match is None or match[2].decode() not in OUTCOMES:
        raise _no_answer("the first line is no answer", output)
    length = int(match[7])
    if length > MAX_BODY_BYTES:
        raise _no_answer("the answer announces more bytes than are allowed", output)
    have = len(output) - end - 1
    if have < length:
        return None
    if have > length:
        raise _no_answer("more follows than the answer announces", output)
    numbers = (int(match[i]) for i in (3, 4, 5, 6))
    return Answer(int(match[1]), match[2].decode(), *numbers, bytes(output[end + 1 :]))


def _no_answer(what: str, output: bytes) -> NoAnswer:
    start = bytes(output[:60]).decode(errors="replace").encode("unicode_escape").decode()
    return NoAnswer(f"{what}; the output begins `{start}`")
