"""`pool`: long-lived worker programs, a `ProcessPoolExecutor`. Its workers are started by `spawn`,
because the forked ones are `prefork-pool`, and because a fork among threads is not sane."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from children import worker
from requests import TaskId
from strategy import Census, Setup
from strategy.fork_ipc import stop_helpers
from strategy.workers import Workers

REAPS = False

# How long a worker that was killed may take to be gone.
KILLED_S = 1.0


class Pool(Workers):
    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        setup.carry_ballast()
        self._context = self.count_in(multiprocessing.get_context("spawn"))
        self._executor = self._create()

    def _create(self) -> ProcessPoolExecutor:
        together = self._context.Barrier(self._workers)
        return ProcessPoolExecutor(
            self._workers,
            self._context,
            worker.prepare,
            (self._setup.spec, together),
            max_tasks_per_child=self._recycle_after or None,
        )

    async def start_workers(self) -> None:
        """The executor starts a worker when a task finds none idle: all are kept busy at once."""
        calls = [self._executor.submit(worker.ready) for _ in range(self._workers)]
        self._used = await asyncio.gather(*map(asyncio.wrap_future, calls))

    def submit(self, id_: TaskId, payload: bytes) -> None:
        try:
            future = self._executor.submit(worker.work, id_.task, payload)
        except BrokenProcessPool:
            self.replace()
            future = self._executor.submit(worker.work, id_.task, payload)
        # Called in a thread of the executor's.
        future.add_done_callback(
            lambda future: self._setup.loop.call_soon_threadsafe(self._finished, id_, future)
        )

    def _finished(self, id_: TaskId, future: Future) -> None:
        if future.cancelled():
            return self.failed(id_, "the pool was closed")
        if (error := future.exception()) is not None:
            return self.failed(id_, str(error))
        return self.finished(id_, future.result())

    def replace(self) -> None:
        self._kill()
        self._executor = self._create()

    def _kill(self) -> None:
        # `kill_workers` is public from 3.14 on.
        processes = list((self._executor._processes or {}).values())
        for process in processes:
            process.kill()
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.join(KILLED_S)
        self.all_gone()

    async def close(self) -> None:
        if self._waiting:
            self._kill()
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)
        await asyncio.to_thread(stop_helpers)


async def start(setup: Setup) -> Pool:
    pool = Pool(setup)
    try:
        await pool.start_workers()
    except BaseException:
        # Not ready, and not to be: the driver may be gone.
        pool._kill()
        stop_helpers()
        raise
    return pool
