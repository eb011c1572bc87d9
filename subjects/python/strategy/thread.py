"""`thread`: a new `threading.Thread` per task. The threads share the input, and the interpreter's
lock."""

from __future__ import annotations

import os
import threading

from affinity import move_child
from clock import now_ns
from protocol import Stamps
from requests import Done, TaskId
from run import run
from strategy import Census, Setup

REAPS = False


class Thread:
    def __init__(self, setup: Setup) -> None:
        self.census = Census()
        setup.carry_ballast()
        self._setup = setup
        self._input = setup.workload.prepare(setup.spec)

    def begin(self, id_: TaskId, payload: bytes) -> None:
        dispatched = now_ns()
        # A daemon, because one that hangs must not keep the process.
        thread = threading.Thread(target=self._work, args=(id_, payload, dispatched), daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            reason = f"create a thread: {error}".encode()
            return self._setup.done(Done(id_, "rejected", 0, reason, Stamps(), 0))
        self.census.born()
        return None

    def _work(self, id_: TaskId, payload: bytes, dispatched: int) -> None:
        child_start = now_ns()
        move_child()
        ran = run(self._input, id_.task, payload)
        stamps = Stamps(dispatched, child_start, ran.work_start, ran.work_end)
        done = Done(id_, ran.outcome, ran.checksum, ran.body, stamps, os.getpid())
        self._setup.loop.call_soon_threadsafe(self._finished, done, threading.current_thread())

    def _finished(self, done: Done, thread: threading.Thread) -> None:
        self._setup.done(done)
        # Waits for the last instructions of a thread that has already answered.
        thread.join()
        self.census.gone()

    def expire(self, id_: TaskId) -> None:
        """A thread cannot be killed. It goes on, and its late answer is ignored."""

    async def close(self) -> None:
        pass

    def usage_at_ready(self) -> list:
        return []


async def start(setup: Setup) -> Thread:
    return Thread(setup)
