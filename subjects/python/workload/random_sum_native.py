"""`random-sum-native`: the study notes' own loop, with the generator that the language comes with.
No two runs draw the same, so the checksum is the count where the mean is that of draws from
[0, 1): 0.05 is seventeen standard errors of the smallest size."""

from __future__ import annotations

from random import random

from run import TaskError
from spec import Spec


class Draws:
    def __init__(self, count: int) -> None:
        self._count = count

    def run(self, task: int, payload: bytes) -> tuple[int, bytes]:
        total = 0.0
        for _ in range(self._count):
            total += random()
        mean = total / self._count
        if abs(mean - 0.5) < 0.05:
            return self._count, b""
        raise TaskError(f"the mean of {self._count} draws is {mean}")


def prepare(spec: Spec) -> Draws:
    return Draws(spec.pick(10_000, 1_000_000, 10_000_000))
