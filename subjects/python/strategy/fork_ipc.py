"""`fork-ipc`: a `multiprocessing.Process` per task with a `Pipe`: objects in, objects out. The
start method is an option; plain fork is the strategy `fork`."""

from __future__ import annotations

import asyncio
import multiprocessing
from multiprocessing import forkserver, resource_tracker

from children.fork_ipc import work
from clock import now_ns
from protocol import Stamps
from requests import Done, TaskId
from strategy import Census, Jobs, Setup

REAPS = True

# What a pipe takes without a reader, so that sending it cannot keep the loop.
PIPE_BYTES = 32_768


class Job:
    def __init__(self, id_: TaskId, dispatched: int) -> None:
        self.id = id_
        self.dispatched = dispatched
        self.answered = False


class ForkIpc:
    def __init__(self, setup: Setup) -> None:
        self.census = Census()
        setup.carry_ballast()
        self._setup = setup
        self._loop = setup.loop
        self._context = multiprocessing.get_context(setup.options["start_method"])
        self._jobs = Jobs()

    def begin(self, id_: TaskId, payload: bytes) -> None:
        job = Job(id_, now_ns())
        try:
            job.conn, theirs = self._context.Pipe()
            with theirs:
                args = (theirs, self._setup.spec)
                job.process = self._context.Process(target=work, args=args, daemon=True)
                job.process.start()
        except OSError as error:
            reason = f"start a process: {error}".encode()
            return self._setup.done(Done(id_, "rejected", 0, reason, Stamps(), 0))
        self.census.born()
        self._jobs.add(id_, job)
        self._loop.add_reader(job.conn.fileno(), self._readable, job)
        self._loop.add_reader(job.process.sentinel, self._ended, job)
        return self._send(job, (id_.task, payload))

    def _send(self, job: Job, message: tuple[int, bytes]) -> None:
        if len(message[1]) <= PIPE_BYTES:
            self._send_now(job, message)
        else:
            self._loop.run_in_executor(None, self._send_now, job, message)

    @staticmethod
    def _send_now(job: Job, message: tuple[int, bytes]) -> None:
        try:
            job.conn.send(message)
        except OSError:
            # A child that is gone shows in how it ended.
            pass

    def _readable(self, job: Job) -> None:
        try:
            ran, child_start, pid = job.conn.recv()
        except (EOFError, OSError):
            # Why it closed is told by how it ended.
            return self._hang_up(job)
        stamps = Stamps(job.dispatched, child_start, ran.work_start, ran.work_end)
        self._done(job, Done(job.id, ran.outcome, ran.checksum, ran.body, stamps, pid, True))
        return self._hang_up(job)

    def _ended(self, job: Job) -> None:
        self._loop.remove_reader(job.process.sentinel)
        job.process.join()
        if not job.conn.closed and job.conn.poll():
            self._readable(job)
        code = job.process.exitcode
        how = f"exited with {code}" if code >= 0 else f"was ended by signal {-code}"
        reason = f"the child {how} before it had answered".encode()
        pid = job.process.pid
        self._done(job, Done(job.id, "crash", 0, reason, Stamps(job.dispatched), pid, True))
        self._hang_up(job)
        self._setup.reaped(job.id, now_ns())
        self.census.gone()
        job.process.close()
        self._jobs.remove(job.id)

    def _done(self, job: Job, done: Done) -> None:
        if not job.answered:
            job.answered = True
            self._setup.done(done)

    def _hang_up(self, job: Job) -> None:
        if not job.conn.closed:
            self._loop.remove_reader(job.conn.fileno())
            job.conn.close()

    def expire(self, id_: TaskId) -> None:
        if (job := self._jobs.by_id.get(id_)) is not None:
            job.answered = True
            job.process.kill()

    async def close(self) -> None:
        for job in self._jobs.by_id.values():
            job.answered = True
            job.process.kill()
        await self._jobs.until_empty()
        await asyncio.to_thread(stop_helpers)

    def usage_at_ready(self) -> list:
        return []


def stop_helpers() -> None:
    """Ends the processes that multiprocessing starts for itself and leaves to the end of this one.
    There is no public way; the standard library's own tests do the same."""
    forkserver._forkserver._stop()
    resource_tracker._resource_tracker._stop()


async def start(setup: Setup) -> ForkIpc:
    return ForkIpc(setup)
