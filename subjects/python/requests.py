"""Requests under way: joins tasks into requests, keeps deadlines. Pure bookkeeping; what is to be
sent is handed to `send`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from protocol import Stamps


class TaskId(NamedTuple):
    request: int
    task: int


class Done(NamedTuple):
    """A task's outcome."""

    id: TaskId
    outcome: str
    checksum: int
    body: bytes
    stamps: Stamps
    child_pid: int
    reaps: bool = False


@dataclass(slots=True)
class Pending:
    accepted: int
    checksums: list[int]
    tasks_left: int
    reaps_left: int = 0
    reaped_any: bool = False
    last_reaped: int = 0
    outcome: str = "ok"
    bodies: list[bytes] = field(default_factory=list)
    stamps: Stamps = Stamps()
    child_pid: int = 0
    answered: bool = False

    def take(self, done: Done) -> None:
        self.tasks_left -= 1
        self.checksums[done.id.task] = done.checksum
        # The caller waits for the task that ends last: its stamps are the request's.
        if done.stamps.work_end >= self.stamps.work_end:
            self.child_pid = done.child_pid
            self.stamps = done.stamps
        if self.outcome != "ok":
            return
        if done.outcome == "ok":
            self.bodies.append(done.body)
        else:
            # The first failure is the request's; its reason is kept.
            self.outcome = done.outcome
            self.bodies = [done.body]


class Send(Protocol):
    def reply(self, id_: int, pending: Pending, checksum: int, reaps: bool) -> None: ...

    def reaped(self, id_: int, at: int) -> None: ...


class Requests:
    def __init__(self, deadline_ms: int, join: Callable[[list[int]], int], send: Send) -> None:
        self._pending: dict[int, Pending] = {}
        # In order of acceptance, and so of deadline, since all requests have the same time.
        self._deadlines: deque[tuple[int, int]] = deque()
        self._deadline_ns = deadline_ms * 1_000_000
        self._join = join
        self._send = send

    def accept(self, id_: int, tasks: int, accepted: int) -> None:
        """A request of `tasks` tasks has arrived."""
        if id_ in self._pending:
            raise ValueError(f"request {id_} was sent twice")
        self._pending[id_] = Pending(accepted, [0] * tasks, tasks)
        self._deadlines.append((accepted + self._deadline_ns, id_))

    def done(self, done: Done, now: int) -> None:
        """A task is done."""
        pending = self._pending.get(done.id.request)
        if pending is None:
            return
        if done.reaps:
            pending.reaps_left += 1
            pending.reaped_any = True
        if not pending.answered:
            pending.take(done)
            if pending.tasks_left == 0:
                # A loop that was too busy to notice the deadline notices it here.
                if now > pending.accepted + self._deadline_ns:
                    pending.outcome = "timeout"
                    pending.bodies = [b"answered after its deadline"]
                self._answer(done.id.request, pending)
        self._forget_if_over(done.id.request, pending)

    def reaped(self, id_: TaskId, at: int) -> None:
        """A task's child is reaped."""
        pending = self._pending.get(id_.request)
        if pending is None:
            return
        pending.reaps_left -= 1
        pending.reaped_any = True
        pending.last_reaped = max(pending.last_reaped, at)
        self._forget_if_over(id_.request, pending)

    def next_deadline(self) -> int | None:
        """When to call `expire` next, if at all."""
        while self._deadlines:
            at, id_ = self._deadlines[0]
            if id_ in self._pending:
                return at
            self._deadlines.popleft()
        return None

    def expire(self, now: int, reaps: bool) -> list[TaskId]:
        """The tasks of requests whose time is over, whose children are to be killed. Those not yet
        answered are answered as `timeout`. `reaps` says whether reapings of killed children
        follow."""
        expired = []
        while (at := self.next_deadline()) is not None and at <= now:
            _, request = self._deadlines.popleft()
            pending = self._pending[request]
            expired += [TaskId(request, task) for task in range(len(pending.checksums))]
            if not pending.answered:
                # Tasks without an answer have a child each whose reaping will be told.
                if reaps:
                    pending.reaps_left += pending.tasks_left
                    pending.reaped_any = True
                pending.outcome = "timeout"
                limit_ms = self._deadline_ns // 1_000_000
                pending.bodies = [f"no answer within {limit_ms} ms".encode()]
                self._answer(request, pending)
            self._forget_if_over(request, pending)
        return expired

    def _answer(self, id_: int, pending: Pending) -> None:
        pending.answered = True
        checksum = self._join(pending.checksums) if pending.outcome == "ok" else 0
        self._send.reply(id_, pending, checksum, pending.reaped_any or pending.reaps_left > 0)
        pending.bodies = []

    def _forget_if_over(self, id_: int, pending: Pending) -> None:
        if not pending.answered or pending.reaps_left > 0:
            return
        if pending.reaped_any:
            self._send.reaped(id_, pending.last_reaped)
        del self._pending[id_]
