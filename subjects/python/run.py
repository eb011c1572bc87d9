"""Running one task in this thread, for every child that has the input loaded."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from clock import now_ns


class TaskError(Exception):
    """A failure that the workload foresees: the outcome is `app_error`, not `crash`."""


class Input(Protocol):
    def run(self, task: int, payload: bytes) -> tuple[int, bytes]:
        """Runs one task to its end: checksum and payload."""


class Ran(NamedTuple):
    """What became of a task, and when it ran."""

    outcome: str
    checksum: int
    body: bytes
    work_start: int
    work_end: int


def run(input_: Input, task: int, payload: bytes) -> Ran:
    """Runs one task to its end; an exception is a crash, as it is for a child of its own."""
    work_start = now_ns()
    try:
        checksum, body = input_.run(task, payload)
        outcome = "ok"
    except TaskError as error:
        outcome, checksum, body = "app_error", 0, str(error).encode()
    except Exception as error:
        outcome, checksum, body = "crash", 0, (str(error) or repr(error)).encode()
    return Ran(outcome, checksum, body, work_start, now_ns())
