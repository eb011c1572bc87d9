"""`exec-file`: `asyncio.create_subprocess_exec` and `communicate`, a new program per task without a
shell, its whole output buffered."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process

from strategy import Setup
from strategy.program import REAPS, Buffered, watch_children

__all__ = ["REAPS", "start"]


class ExecFile(Buffered):
    async def create(self, command: list[str], streams: dict) -> Process:
        return await asyncio.create_subprocess_exec(*command, **streams)


async def start(setup: Setup) -> ExecFile:
    watch_children()
    return ExecFile(setup)
