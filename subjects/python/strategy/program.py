"""What `spawn`, `exec-file` and `exec` have in common: the program of a task, and what its end
means."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path

from clock import now_ns
from protocol import MAX_BODY_BYTES, Stamps
from requests import Done, TaskId
from strategy import Census, Jobs, Setup
from text import NoAnswer, read_answer

SUBJECT = str(Path(__file__).resolve().parents[1] / "subject.py")

REAPS = True


@dataclass
class Job:
    id: TaskId
    payload: bytes
    dispatched: int
    task: asyncio.Task[None] | None = None
    process: Process | None = None
    answered: bool = False
    stderr: bytes = b""


class Programs:
    """A new program per task; how it is started and read is the subclass's."""

    def __init__(self, setup: Setup) -> None:
        self.census = Census()
        setup.carry_ballast()
        self._setup = setup
        self._jobs = Jobs()
        self._spec_args = setup.spec.to_args()

    def command(self, id_: TaskId) -> list[str]:
        """Program and arguments for one task."""
        program = self._setup.child_program
        own = [sys.executable, SUBJECT] if program is None else [program]
        return [*own, "task", str(id_.request), str(id_.task), *self._spec_args]

    async def create(self, command: list[str], streams: dict) -> Process:
        raise NotImplementedError

    async def talk(self, job: Job, process: Process) -> bytes:
        """Hands over the payload and gives the whole output; may answer before that."""
        raise NotImplementedError

    def begin(self, id_: TaskId, payload: bytes) -> None:
        job = Job(id_, payload, now_ns())
        self._jobs.add(id_, job)
        job.task = self._setup.loop.create_task(self._run(job))

    async def _run(self, job: Job) -> None:
        command = self.command(job.id)
        streams = {
            # The null device without a payload.
            "stdin": PIPE if job.payload else None,
            "stdout": PIPE,
            "stderr": PIPE,
            # So that it can be killed with whatever it starts.
            "process_group": 0,
        }
        try:
            job.process = await self.create(command, streams)
        except OSError as error:
            reason = f"start `{command[0]}`: {error}".encode()
            self._setup.done(Done(job.id, "rejected", 0, reason, Stamps(), 0))
            return self._jobs.remove(job.id)
        self.census.born()
        if job.answered:
            self.kill(job)
        reaping = self._setup.loop.create_task(self._reap(job))
        output = await self.talk(job, job.process)
        await reaping
        self._conclude(job, output)
        return self._jobs.remove(job.id)

    async def _reap(self, job: Job) -> None:
        await job.process.wait()
        self._setup.reaped(job.id, now_ns())
        self.census.gone()

    def answer_if_complete(self, job: Job, output: bytes) -> bool:
        """Answers with what is a whole answer; `False` while it may still become one."""
        if job.answered:
            return True
        try:
            answer = read_answer(output)
            if answer is None:
                return False
            if answer.id != job.id.request:
                raise NoAnswer(f"answered request {answer.id} when asked {job.id.request}")
        except NoAnswer as error:
            self.fail(job, "app_error", str(error))
            self.kill(job)
            return True
        stamps = Stamps(job.dispatched, answer.child_start, answer.work_start, answer.work_end)
        self._done(job, answer.outcome, answer.checksum, answer.body, stamps)
        return True

    def _conclude(self, job: Job, output: bytes) -> None:
        """The program has ended and closed its streams."""
        if job.answered:
            return
        code = job.process.returncode
        how = f"exited with {code}" if code >= 0 else f"was ended by signal {-code}"
        if code != 0 and is_answer(output):
            self.fail(job, "app_error", f"answered and then {how}")
        elif not self.answer_if_complete(job, output):
            self.fail(job, "crash", f"{how} before it had answered")

    def fail(self, job: Job, outcome: str, reason: str) -> None:
        lines = [line.strip() for line in job.stderr.decode(errors="replace").splitlines()]
        last = next((line for line in reversed(lines) if line), None)
        said = "" if last is None else f"; it said: {last}"
        self._done(job, outcome, 0, f"{reason}{said}".encode(), Stamps(job.dispatched))

    def _done(self, job: Job, outcome: str, checksum: int, body: bytes, stamps: Stamps) -> None:
        if not job.answered:
            job.answered = True
            pid = job.process.pid
            self._setup.done(Done(job.id, outcome, checksum, body, stamps, pid, reaps=True))

    def kill(self, job: Job) -> None:
        if job.process is not None:
            try:
                os.killpg(job.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def expire(self, id_: TaskId) -> None:
        if (job := self._jobs.by_id.get(id_)) is not None:
            job.answered = True
            self.kill(job)

    async def close(self) -> None:
        for job in self._jobs.by_id.values():
            job.answered = True
            self.kill(job)
        await self._jobs.until_empty()

    def usage_at_ready(self) -> list:
        return []


class Buffered(Programs):
    """The answer counts once the program has ended and closed its streams."""

    async def talk(self, job: Job, process: Process) -> bytes:
        output, job.stderr = await process.communicate(job.payload or None)
        return output


def is_answer(output: bytes) -> bool:
    try:
        return read_answer(output) is not None
    except NoAnswer:
        return False


def watch_children() -> None:
    """Before 3.12 asyncio waits for each child in a thread of its own, unless told otherwise."""
    if sys.version_info < (3, 12):
        asyncio.set_child_watcher(watcher := asyncio.PidfdChildWatcher())
        watcher.attach_loop(asyncio.get_running_loop())


# No output is longer than an answer: the streams hold no more.
LIMIT_BYTES = MAX_BODY_BYTES + 65_536
