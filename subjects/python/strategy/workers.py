"""What `pool` and `prefork-pool` have in common: the bound of the queue and what an answer is.

Neither of the standard library's pools can end one task: when a task's time is over, the pool is
replaced, and what else it was doing is answered as `crash`."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

from clock import now_ns
from protocol import Stamps
from requests import Done, TaskId
from run import Ran
from spec import count
from strategy import Census, Setup


class Counting:
    """A context of multiprocessing that counts the workers which a pool starts in it. The pools
    replace a recycled worker by themselves, and tell nobody."""

    def __init__(self, context: BaseContext, census: Census, workers: int) -> None:
        self._context = context
        self._census = census
        self._workers = workers

    def Process(self, *args: Any, **kwargs: Any) -> BaseProcess:
        # A pool starts one worker too many only in the place of one that has left.
        if self._census.alive == self._workers:
            self._census.gone()
        self._census.born()
        return self._context.Process(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


class Workers:
    def __init__(self, setup: Setup) -> None:
        self.census = Census()
        self._setup = setup
        self._workers = count(setup.options, "workers")
        self._queue = count(setup.options, "queue")
        self._recycle_after = count(setup.options, "recycle_after")
        if count(setup.options, "recycle_jitter") != 0:
            raise ValueError("Python's pools recycle all workers alike; leave `recycle_jitter` at 0")
        # Tasks that are not answered, and when they were handed to the pool.
        self._waiting: dict[TaskId, int] = {}
        self._used: list = []
        # Semaphores are named after the run: those of a killed subject are removed by their name.
        if name := os.environ.get("FORKBENCH_RUN"):
            multiprocessing.current_process()._config["semprefix"] = f"/{name}"

    def submit(self, id_: TaskId, payload: bytes) -> None:
        raise NotImplementedError

    def replace(self) -> None:
        raise NotImplementedError

    def why_replaced(self) -> str:
        """Why the pool is about to be replaced."""
        return "another task did not end in time"

    def count_in(self, context: BaseContext) -> Counting:
        return Counting(context, self.census, self._workers)

    def all_gone(self) -> None:
        for _ in range(self.census.alive):
            self.census.gone()

    def begin(self, id_: TaskId, payload: bytes) -> None:
        waiting = len(self._waiting) - self._workers
        if waiting >= self._queue:
            reason = f"{waiting} tasks wait already".encode()
            return self._setup.done(Done(id_, "rejected", 0, reason, Stamps(), 0))
        self._waiting[id_] = now_ns()
        return self.submit(id_, payload)

    def finished(self, id_: TaskId, answer: tuple[Ran, int]) -> None:
        if self._waiting.pop(id_, None) is None:
            return
        ran, pid = answer
        # The pool's queue is its own: the first that can be seen of a task is its worker. So
        # waiting for a worker counts as `queue`, and `creation` is nothing.
        stamps = Stamps(ran.work_start, ran.work_start, ran.work_start, ran.work_end)
        self._setup.done(Done(id_, ran.outcome, ran.checksum, ran.body, stamps, pid))

    def failed(self, id_: TaskId, reason: str) -> None:
        if (dispatched := self._waiting.pop(id_, None)) is not None:
            stamps = Stamps(dispatched)
            self._setup.done(Done(id_, "crash", 0, reason.encode(), stamps, 0))

    def expire(self, id_: TaskId) -> None:
        if self._waiting.pop(id_, None) is None:
            return
        reason = f"its pool was replaced, because {self.why_replaced()}"
        self.replace()
        for other in list(self._waiting):
            self.failed(other, reason)

    def usage_at_ready(self) -> list:
        return self._used
