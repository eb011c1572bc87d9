"""`spawn`: `asyncio.create_subprocess_exec`, a new program per task, arguments in, the answer read
as a text stream as it comes."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process

from strategy import Setup
from strategy.program import LIMIT_BYTES, REAPS, Job, Programs, watch_children

__all__ = ["REAPS", "start"]


class Spawn(Programs):
    async def create(self, command: list[str], streams: dict) -> Process:
        return await asyncio.create_subprocess_exec(*command, **streams)

    async def talk(self, job: Job, process: Process) -> bytes:
        output, job.stderr, _ = await asyncio.gather(
            self._read(job, process), process.stderr.read(), self._write(job, process)
        )
        return output

    async def _read(self, job: Job, process: Process) -> bytes:
        output = bytearray()
        while piece := await process.stdout.read(65_536):
            output += piece
            if not job.answered:
                self.answer_if_complete(job, bytes(output))
            if len(output) > LIMIT_BYTES:
                # Whatever it is, it is longer than any answer.
                self.kill(job)
        return bytes(output)

    async def _write(self, job: Job, process: Process) -> None:
        if process.stdin is None:
            return
        try:
            process.stdin.write(job.payload)
            await process.stdin.drain()
            process.stdin.close()
        except (BrokenPipeError, ConnectionResetError):
            # A program that does not read its input may still answer.
            pass


async def start(setup: Setup) -> Spawn:
    watch_children()
    return Spawn(setup)
