"""A worker of the strategies `pool` and `prefork-pool`: its input is loaded when it starts."""

from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING

import workload
from affinity import move_child
from run import Ran, run
from spec import Spec

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

    from run import Input

_input: Input | None = None
_together: Barrier | None = None


def prepare(spec: Spec, together: Barrier) -> None:
    """In a worker that is a new program."""
    global _input, _together
    move_child()
    _input = workload.by_name(spec.workload).prepare(spec)
    _together = together


def inherit(driver_fd: int, together: Barrier) -> None:
    """In a worker that is a copy of the subject: the input is there already."""
    global _together
    os.close(driver_fd)
    move_child()
    _together = together


def load(input_: Input) -> None:
    """In the process that workers are to be copies of."""
    global _input
    _input = input_


def ready() -> resource.struct_rusage:
    """Returns when every worker is in this call, so that each has answered once."""
    _together.wait(30)
    return resource.getrusage(resource.RUSAGE_SELF)


def work(task: int, payload: bytes) -> tuple[Ran, int]:
    return run(_input, task, payload), os.getpid()
