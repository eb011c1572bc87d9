"""`random-sum`: the study notes' `heavyComputation`, draws summed. The draws are those of
xoshiro128++, so that every runtime adds the same numbers in the same order."""

from __future__ import annotations

import struct
from itertools import islice

from spec import Spec
from workload.draws import draws


class Draws:
    def __init__(self, count: int, seed: int) -> None:
        self._count = count
        self._seed = seed

    def run(self, task: int, payload: bytes) -> tuple[int, bytes]:
        total = 0.0
        # Not `sum`, which since 3.12 compensates for rounding and so gives another number.
        for draw in islice(draws(self._seed), self._count):
            total += draw * (1 / 4_294_967_296)
        (bits,) = struct.unpack("<Q", struct.pack("<d", total))
        return bits, b""


def prepare(spec: Spec) -> Draws:
    return Draws(spec.pick(10_000, 1_000_000, 10_000_000), spec.seed)
