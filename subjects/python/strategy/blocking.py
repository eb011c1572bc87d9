"""`blocking`: the task runs in the event loop, and nothing else does meanwhile. The study notes'
bad example, and the reference of every comparison."""

from __future__ import annotations

import os

from protocol import Stamps
from requests import Done, TaskId
from run import run
from strategy import Census, Setup

REAPS = False


class Blocking:
    def __init__(self, setup: Setup) -> None:
        self.census = Census()
        setup.carry_ballast()
        self._done = setup.done
        self._input = setup.workload.prepare(setup.spec)

    def begin(self, id_: TaskId, payload: bytes) -> None:
        ran = run(self._input, id_.task, payload)
        # Nothing lies between deciding to run and running: one stamp serves for three.
        stamps = Stamps(ran.work_start, ran.work_start, ran.work_start, ran.work_end)
        self._done(Done(id_, ran.outcome, ran.checksum, ran.body, stamps, os.getpid()))

    def expire(self, id_: TaskId) -> None:
        """Never in time: the loop that would notice the deadline is the one that is busy."""

    async def close(self) -> None:
        pass

    def usage_at_ready(self) -> list:
        return []


async def start(setup: Setup) -> Blocking:
    return Blocking(setup)
