"""A program per task: parameters as arguments, payload on standard input, answer as text."""

from __future__ import annotations

import os
import sys

import workload
from affinity import move_child
from run import run
from spec import Spec
from text import render_line


def run_task(args: list[str], child_start: int) -> None:
    """`ID TASK SPEC…`"""
    move_child()
    id_, task, *spec_args = args
    spec = Spec.from_args(spec_args)
    input_ = workload.by_name(spec.workload).prepare(spec)
    ran = run(input_, int(task), read_payload(spec.payload_bytes))
    if ran.outcome == "crash":
        raise SystemExit(ran.body.decode())
    write_answer(render_line(int(id_), ran, child_start), ran.body)


def answer(args: list[str]) -> int:
    """The checksum of one whole request, computed here."""
    spec = Spec.from_args(args)
    kind = workload.by_name(spec.workload)
    input_ = kind.prepare(spec)
    if (examine := getattr(input_, "examine", None)) is not None:
        examine()
    checksums = []
    for task in range(kind.tasks(spec)):
        ran = run(input_, task, bytes(spec.payload_bytes))
        if ran.outcome != "ok":
            raise SystemExit(ran.body.decode())
        checksums.append(ran.checksum)
    return kind.join(checksums)


def calibrate(args: list[str]) -> int:
    """How much of the workload a millisecond is in this runtime."""
    return workload.by_name(Spec.from_args(args).workload).calibrate()


def read_payload(length: int) -> bytes:
    payload = sys.stdin.buffer.read(length) if length else b""
    if len(payload) < length:
        raise SystemExit(f"the payload ended after {len(payload)} of {length} bytes")
    return payload


def write_answer(line: bytes, body: bytes) -> None:
    """Line and payload in one system call where the pipe takes them."""
    parts = [line, body] if body else [line]
    while parts:
        n = os.writev(1, parts)
        while parts and n >= len(parts[0]):
            n -= len(parts.pop(0))
        if parts:
            parts[0] = parts[0][n:]
