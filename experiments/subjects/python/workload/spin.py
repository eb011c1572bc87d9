"""`spin`: keeps a core busy for a given time."""

from __future__ import annotations

from clock import now_ns
from spec import Spec, count


class Busy:
    def __init__(self, us: int) -> None:
        self._us = us

    def run(self, task: int, payload: bytes) -> tuple[int, bytes]:
        deadline = now_ns() + self._us * 1_000
        while now_ns() < deadline:
            pass
        return self._us, b""


def prepare(spec: Spec) -> Busy:
    return Busy(count(spec.options, "us"))
