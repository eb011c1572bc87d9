"""`exec`: `asyncio.create_subprocess_shell` and `communicate`, a new program per task through
`sh -c`, its whole output buffered."""

from __future__ import annotations

import asyncio
import shlex
from asyncio.subprocess import Process

from strategy import Setup
from strategy.program import REAPS, Buffered, watch_children

__all__ = ["REAPS", "start"]


class Exec(Buffered):
    async def create(self, command: list[str], streams: dict) -> Process:
        return await asyncio.create_subprocess_shell(shlex.join(command), **streams)


async def start(setup: Setup) -> Exec:
    watch_children()
    return Exec(setup)
