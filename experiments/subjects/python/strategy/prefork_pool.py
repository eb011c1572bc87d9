"""`prefork-pool`: a `multiprocessing.Pool` whose workers are forked from the warm subject before it
has threads.

This pool loses the task of a worker that dies: it replaces the worker and never answers, so such
a request ends at its deadline."""

from __future__ import annotations

import asyncio
import multiprocessing.pool

from children import worker
from requests import TaskId
from run import run
from strategy import Setup
from strategy.workers import Workers

REAPS = False


class PreforkPool(Workers):
    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        setup.carry_ballast()
        self._context = self.count_in(multiprocessing.get_context("fork"))
        input_ = setup.workload.prepare(setup.spec)
        worker.load(input_)
        # A workload that fails on purpose would take the subject with it, and one that waits to be
        # let go would keep it from ever being ready.
        if setup.options["warm"] == "yes" and setup.spec.workload not in ("fault", "hold"):
            for task in range(setup.workload.tasks(setup.spec)):
                run(input_, task, bytes(setup.spec.payload_bytes))
        self._pool = self._create()

    def _create(self) -> multiprocessing.pool.Pool:
        together = self._context.Barrier(self._workers)
        return multiprocessing.pool.Pool(
            self._workers,
            worker.inherit,
            (self._setup.driver_fd, together),
            maxtasksperchild=self._recycle_after or None,
            context=self._context,
        )

    async def start_workers(self) -> None:
        calls = [self._pool.apply_async(worker.ready) for _ in range(self._workers)]
        self._used = await asyncio.gather(*(asyncio.to_thread(call.get) for call in calls))

    def submit(self, id_: TaskId, payload: bytes) -> None:
        # Both are called in a thread of the pool's.
        later = self._setup.loop.call_soon_threadsafe
        self._pool.apply_async(
            worker.work,
            (id_.task, payload),
            callback=lambda answer: later(self.finished, id_, answer),
            error_callback=lambda error: later(self.failed, id_, str(error)),
        )

    def replace(self) -> None:
        self._terminate()
        self._pool = self._create()

    def _terminate(self) -> None:
        self._pool.terminate()
        self._pool.join()
        self.all_gone()

    async def close(self) -> None:
        await asyncio.to_thread(self._terminate)


async def start(setup: Setup) -> PreforkPool:
    pool = PreforkPool(setup)
    await pool.start_workers()
    return pool
