"""`thread-pool`: a fixed `ThreadPoolExecutor`. The threads share the input, and the interpreter's
lock."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from affinity import move_child
from clock import now_ns
from protocol import Stamps
from requests import Done, TaskId
from run import Ran, run
from spec import count
from strategy import Census, Setup

REAPS = False


class ThreadPool:
    def __init__(self, setup: Setup, workers: int) -> None:
        self.census = Census(workers, workers, workers)
        setup.carry_ballast()
        self._setup = setup
        self._input = setup.workload.prepare(setup.spec)
        self._pool = ThreadPoolExecutor(workers, initializer=move_child)

    async def start_threads(self) -> None:
        """The executor starts a thread when a task finds none idle: all are kept busy at once."""
        together = threading.Barrier(self.census.started)
        await asyncio.gather(
            *(
                self._setup.loop.run_in_executor(self._pool, together.wait)
                for _ in range(self.census.started)
            )
        )

    def begin(self, id_: TaskId, payload: bytes) -> None:
        future = self._setup.loop.run_in_executor(
            self._pool, run, self._input, id_.task, payload
        )
        future.add_done_callback(lambda future: self._finished(id_, future))

    def _finished(self, id_: TaskId, future: asyncio.Future[Ran]) -> None:
        ran = future.result()
        # The executor's queue is its own: the first that can be seen of a task is its thread. So
        # waiting for a thread, wake-up included, counts as `queue`, and `creation` is nothing.
        stamps = Stamps(ran.work_start, ran.work_start, ran.work_start, ran.work_end)
        self._setup.done(Done(id_, ran.outcome, ran.checksum, ran.body, stamps, os.getpid()))

    def expire(self, id_: TaskId) -> None:
        """A thread cannot be killed. It goes on, and its late answer is ignored."""

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def usage_at_ready(self) -> list:
        return []


async def start(setup: Setup) -> ThreadPool:
    pool = ThreadPool(setup, count(setup.options, "workers"))
    await pool.start_threads()
    return pool
