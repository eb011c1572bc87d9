"""How a request is executed. Each strategy is one file and one line here.

A strategy has `REAPS` (whether processes are created per task, so that a REAPED follows an
answer) and `async start(setup)`, which gives, once it can take tasks, something with
`begin(id, payload)`, `expire(id)`, `async close()`, `usage_at_ready()` and `census`. Whatever
becomes of a task is told through `setup.done` and `setup.reaped`, in the event loop.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType

import ballast
from requests import Done, TaskId
from spec import Spec
from workload import Workload

NAMES = (
    "blocking",
    "thread",
    "thread-pool",
    "spawn",
    "exec",
    "exec-file",
    "fork-ipc",
    "fork",
    "pool",
    "prefork-pool",
)


@dataclass
class Setup:
    spec: Spec
    workload: Workload
    options: dict[str, str]
    ballast_bytes: int
    child_program: str | None
    # What a forked child must not keep open.
    driver_fd: int
    loop: asyncio.AbstractEventLoop
    done: Callable[[Done], None]
    reaped: Callable[[TaskId, int], None]
    broken: Callable[[BaseException], None]

    def carry_ballast(self) -> None:
        """In the process that creates children."""
        ballast.carry(self.ballast_bytes)


@dataclass
class Census:
    """A count of children, kept by whoever creates and reaps them."""

    started: int = 0
    alive: int = 0
    peak: int = 0

    def born(self) -> None:
        self.started += 1
        self.alive += 1
        self.peak = max(self.peak, self.alive)

    def gone(self) -> None:
        self.alive -= 1


@dataclass
class Jobs:
    """Tasks under way, and a way to wait until there are none."""

    by_id: dict[TaskId, object] = field(default_factory=dict)
    _empty: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, id_: TaskId, job: object) -> None:
        self.by_id[id_] = job
        self._empty.clear()

    def remove(self, id_: TaskId) -> None:
        self.by_id.pop(id_, None)
        if not self.by_id:
            self._empty.set()

    async def until_empty(self) -> None:
        if self.by_id:
            await self._empty.wait()


def by_name(name: str) -> ModuleType:
    """The strategy of this name; only its own file is loaded."""
    if name not in NAMES:
        raise ValueError(f"unknown strategy `{name}`")
    return importlib.import_module(f"strategy.{name.replace('-', '_')}")
