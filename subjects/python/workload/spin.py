"""`spin`: keeps a core busy for about a given time, by a fixed count of steps of an integer loop:
work, not time."""

from __future__ import annotations

from clock import now_ns
from spec import Spec, count
from workload.mix import mix

# Where the loop begins.
START = 0x9E3779B9
# So many steps at a time, as in the other runtimes.
CHUNK = 1 << 20

# From which length on a batch of steps is timed: beyond what reading the clock costs.
BATCH_NS = 2_000_000
# Of so many batches the fastest counts: whatever else the machine does only adds time.
BATCHES = 30


class Busy:
    def __init__(self, steps: int) -> None:
        self._steps = steps

    def run(self, task: int, payload: bytes) -> tuple[int, bytes]:
        return spin(self._steps), b""


def prepare(spec: Spec) -> Busy:
    per_ms = count(spec.options, "steps_per_ms")
    if per_ms == 0:
        raise ValueError("option `steps_per_ms` is 0; it is measured before a trial")
    return Busy(count(spec.options, "us") * per_ms // 1_000)


def calibrate() -> int:
    """How many steps a millisecond is in this runtime."""
    steps = 10_000
    while time_ns(steps) < BATCH_NS:
        steps *= 2
    fastest = min(time_ns(steps) for _ in range(BATCHES))
    return max(steps * 1_000_000 // max(fastest, 1), 1)


def time_ns(steps: int) -> int:
    start = now_ns()
    spin(steps)
    return now_ns() - start


def spin(steps: int) -> int:
    chunks, rest = divmod(steps, CHUNK)
    state = START
    for _ in range(chunks):
        state = mix(state, CHUNK)
    return mix(state, rest)
