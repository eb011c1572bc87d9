"""`orders`: one order fans out to e-mail, inventory and payment, and is answered twice. Each task
is a fixed count of steps of an integer loop: work, not time."""

from __future__ import annotations

from run import TaskError
from spec import Spec
from workload.mix import mix

# E-mail, inventory, payment.
TASKS = 3
ACCEPTS_EARLY = True

MASK32 = (1 << 32) - 1


def tasks(spec: Spec) -> int:
    return TASKS


class Order:
    def __init__(self, steps: int, seed: int) -> None:
        self._steps = steps
        self._seed = seed

    def run(self, task: int, payload: bytes) -> tuple[int, bytes]:
        if task >= TASKS:
            raise TaskError(f"an order has {TASKS} tasks, not one numbered {task}")
        start = self._seed ^ ((task + 1) * 0x9E3779B9 & MASK32)
        return mix(start, self._steps), b""


def prepare(spec: Spec) -> Order:
    steps = spec.pick(625_000, 3_125_000, 12_500_000)
    return Order(steps, (spec.seed ^ (spec.seed >> 32)) & MASK32)
