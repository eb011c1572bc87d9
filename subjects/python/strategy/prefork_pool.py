"""`prefork-pool`: a `multiprocessing.Pool` whose workers are forked from the warm subject before it
has threads.

This pool loses the task of a worker that dies: it replaces the worker and never answers, so such
a request ends at its deadline. A worker may also die with a lock of the pool's in its hands, and
then no other ever gets a task: so the whole pool is replaced at that deadline."""

from __future__ import annotations

import asyncio
import multiprocessing.pool
import threading
import time
from multiprocessing.process import BaseProcess
from typing import Any

from children import worker
from requests import TaskId
from run import run
from strategy import Setup
from strategy.workers import Workers

REAPS = False

# How long workers may take to leave, and then each step of ending them.
LEAVING_S = 0.2
ENDING_S = 0.5


class Pool(multiprocessing.pool.Pool):
    """Knows its workers also when they have died, and ends whatever has become of them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._created: list[BaseProcess] = []
        self.Process = self._create_process
        super().__init__(*args, **options)

    def _create_process(self, context: Any, *args: Any, **options: Any) -> BaseProcess:
        # Those that have left in peace, after so many tasks, are forgotten.
        self._created = [process for process in self._created if process.exitcode != 0]
        process = context.Process(*args, **options)
        self._created.append(process)
        return process

    def dead(self) -> list[str]:
        """The workers that were killed or gave up, and how."""
        codes = [(process.pid, process.exitcode) for process in self._created]
        return [
            f"worker {pid} " + (f"exited with {code}" if code > 0 else f"was ended by signal {-code}")
            for pid, code in codes
            if code
        ]

    def end(self) -> None:
        """Ends it within some seconds. `terminate` alone waits for ever for a lock that a dead
        worker holds, or for the rest of an answer that it has begun."""
        # First the thread that would start new workers. Those that wait are told to leave.
        self._worker_handler._state = multiprocessing.pool.TERMINATE
        self._change_notifier.put(None)
        self._worker_handler.join(ENDING_S)
        until = time.monotonic() + LEAVING_S
        for process in self._pool:
            process.join(max(0.0, until - time.monotonic()))
        for process in self._pool:
            process.kill()
        for process in self._pool:
            process.join(ENDING_S)
        for lock in (self._inqueue._rlock, self._outqueue._wlock):
            # Who holds it for so long is dead.
            lock.acquire(timeout=ENDING_S)
            lock.release()
        ending = threading.Thread(target=self.terminate, daemon=True)
        ending.start()
        ending.join(ENDING_S)


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
        self._replacing: asyncio.Task[None] | None = None
        # Tasks that came while the pool was being replaced.
        self._held: list[tuple[TaskId, bytes]] = []

    def _create(self) -> Pool:
        together = self._context.Barrier(self._workers)
        return Pool(
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
        if self._replacing is not None:
            return self._held.append((id_, payload))
        # Both are called in a thread of the pool's.
        later = self._setup.loop.call_soon_threadsafe
        self._pool.apply_async(
            worker.work,
            (id_.task, payload),
            callback=lambda answer: later(self.finished, id_, answer),
            error_callback=lambda error: later(self.failed, id_, str(error)),
        )
        return None

    def expire(self, id_: TaskId) -> None:
        if self._replacing is None:
            super().expire(id_)
        else:
            # It has waited for the new pool, as all others do.
            self._waiting.pop(id_, None)

    def why_replaced(self) -> str:
        return ", ".join(self._pool.dead()) or super().why_replaced()

    def replace(self) -> None:
        self._replacing = self._setup.loop.create_task(self._replace())
        self._replacing.add_done_callback(self._replaced)

    async def _replace(self) -> None:
        # Not in the loop: the others' deadlines and the driver are to be heard meanwhile.
        await asyncio.to_thread(self._pool.end)
        self.all_gone()
        self._pool = await asyncio.to_thread(self._create)

    def _replaced(self, replacing: asyncio.Task[None]) -> None:
        self._replacing = None
        if replacing.cancelled():
            return
        if (error := replacing.exception()) is not None:
            return self._setup.broken(error)
        held, self._held = self._held, []
        for id_, payload in held:
            # Whose time is not over yet.
            if id_ in self._waiting:
                self.submit(id_, payload)

    async def close(self) -> None:
        if self._replacing is not None:
            await asyncio.wait([self._replacing])
        await asyncio.to_thread(self._pool.end)

    def end(self) -> None:
        self._pool.end()


async def start(setup: Setup) -> PreforkPool:
    pool = PreforkPool(setup)
    try:
        await pool.start_workers()
    except BaseException:
        # Not ready, and not to be: the driver may be gone.
        pool.end()
        raise
    return pool
