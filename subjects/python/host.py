"""The subject's event loop: frames in, tasks to the strategy, replies out."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from typing import Any

import strategy
import workload
from clock import now_ns
from protocol import (
    FLAG_MORE,
    FLAG_REAPS,
    Frame,
    FrameError,
    FrameReader,
    Kind,
    Stamps,
    encode,
    encode_light,
    encode_reply,
)
from requests import Done, Pending, Requests, TaskId
from spec import Spec
from versions import package_version, usage, versions

# How long children may take to leave once they are told.
CLOSING_S = 2.0
# A reason is for people to read.
MAX_REASON_BYTES = 2_000


def serve() -> int:
    """Serves the socket on standard input; gives the exit code."""
    driver = socket.socket(fileno=os.dup(0))
    # Children are not to find the driver's socket as their standard input.
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    return asyncio.run(_serve(driver))


async def _serve(driver: socket.socket) -> int:
    loop = asyncio.get_running_loop()
    host = Host(loop, driver)
    loop.set_exception_handler(host.on_exception)
    await loop.create_unix_connection(lambda: host, sock=driver)
    code = await host.ended
    # What hangs in a thread must not keep the process; everybody else has been waited for.
    sys.stderr.flush()
    os._exit(code)


class Host(asyncio.Protocol):
    def __init__(self, loop: asyncio.AbstractEventLoop, driver: socket.socket) -> None:
        self.ended: asyncio.Future[int] = loop.create_future()
        self._loop = loop
        self._driver = driver
        self._reader = FrameReader()
        # Frames that came before the strategy was ready.
        self._early: list[Frame] = []
        self._configured = False
        self._strategy: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._starting: asyncio.Task[Any] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._connected = False
        self._exit_code = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._connected = True

    def data_received(self, data: bytes) -> None:
        try:
            frames = self._reader.push(data)
        except FrameError as error:
            return self.fail(error)
        if not self._configured and frames:
            first = frames.pop(0)
            if first.kind != Kind.CONFIGURE:
                return self.fail(ValueError(f"the first frame is of kind {first.kind}"))
            self._configured = True
            self._starting = self._loop.create_task(self._start(json.loads(first.body)))
            self._starting.add_done_callback(self._started)
        if self._strategy is None:
            self._early += frames
        else:
            self._obey_all(frames)
        return None

    def eof_received(self) -> bool:
        self._close(farewell=False)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._connected = False
        if self._exit_code != 0 or (self._closing is not None and self._closing.done()):
            self._end()
        else:
            self._close(farewell=False)

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(self._exit_code)

    async def _start(self, configure: dict[str, Any]) -> Any:
        self._configure = configure
        self._kind = strategy.by_name(configure["strategy"])
        spec = Spec(**configure["spec"])
        self._workload = workload.by_name(spec.workload)
        self._tasks = self._workload.tasks(spec)
        self._requests = Requests(configure["deadline_ms"], self._workload.join, self)
        return await self._kind.start(
            strategy.Setup(
                spec=spec,
                workload=self._workload,
                options=configure["strategy_options"],
                ballast_bytes=configure["ballast_bytes"],
                child_program=configure["child_program"],
                driver_fd=self._driver.fileno(),
                loop=self._loop,
                done=lambda done: self._requests.done(done, now_ns()),
                reaped=lambda id_, at: self._requests.reaped(id_, at),
                broken=self.fail,
            )
        )

    def _started(self, starting: asyncio.Task[Any]) -> None:
        if starting.cancelled():
            return None
        if (error := starting.exception()) is not None:
            return self.fail(error)
        self._strategy = starting.result()
        self._say_ready()
        early, self._early = self._early, []
        return self._obey_all(early)

    def _obey_all(self, frames: list[Frame]) -> None:
        """Obeys every frame that has arrived."""
        # All frames of one read were there at the same time, whatever is done between them.
        arrived = now_ns()
        # Accept all before any is begun: under `blocking` the second waits in the queue while the
        # first runs, and that wait must show as such.
        for frame in frames:
            if frame.kind != Kind.RUN:
                continue
            try:
                self._requests.accept(frame.id, self._tasks, arrived)
            except ValueError as error:
                return self.fail(error)
            if self._workload.ACCEPTS_EARLY:
                self._announce(frame.id, arrived)
        self._arm()
        for frame in frames:
            self._obey(frame, arrived)
        return None

    def _announce(self, id_: int, accepted: int) -> None:
        """Says that a request was accepted; the answer follows when its last task is done."""
        reply = encode_reply(0, accepted, Stamps(), now_ns(), 0)
        self._transport.write(encode(Kind.REPLY, id_, reply, flags=FLAG_MORE))

    def _obey(self, frame: Frame, arrived: int) -> None:
        match frame.kind:
            case Kind.RUN:
                self._begin(frame.id, frame.body)
            case Kind.LIGHT:
                light = encode_light(arrived, now_ns())
                self._transport.write(encode(Kind.LIGHT, frame.id, light))
            case Kind.STOP:
                self._close(farewell=True)
            case kind:
                self.fail(ValueError(f"the driver sent a frame of kind {kind}"))

    def _begin(self, request: int, payload: bytes) -> None:
        for task in range(self._tasks):
            self._strategy.begin(TaskId(request, task), payload)

    def _expire(self) -> None:
        self._timer = None
        for id_ in self._requests.expire(now_ns(), self._kind.REAPS):
            self._strategy.expire(id_)
        self._arm()

    def _arm(self) -> None:
        """Has `_expire` called at the next deadline."""
        if self._timer is None and (at := self._requests.next_deadline()) is not None:
            # The loop's clock is the one of all stamps.
            self._timer = self._loop.call_at(at / 1e9, self._expire)

    def reply(self, id_: int, pending: Pending, checksum: int, reaps: bool) -> None:
        parts = pending.bodies
        if pending.outcome != "ok":
            parts = [part[:MAX_REASON_BYTES] for part in parts]
        reply = encode_reply(
            checksum, pending.accepted, pending.stamps, now_ns(), pending.child_pid
        )
        flags = FLAG_REAPS if reaps else 0
        frame = encode(Kind.REPLY, id_, reply, *parts, outcome=pending.outcome, flags=flags)
        self._transport.write(frame)

    def reaped(self, id_: int, at: int) -> None:
        self._transport.write(encode(Kind.REAPED, id_, at.to_bytes(8, "little")))

    def _say_ready(self) -> None:
        ready = {
            "runtime": "python",
            "versions": {
                **versions(),
                **{name: package_version(name) for name in self._workload.PACKAGES},
            },
            "pid": os.getpid(),
            "now_ns": now_ns(),
            "tasks": self._tasks,
            "strategy_options": self._configure["strategy_options"],
            "reaps": self._kind.REAPS,
            "usage": usage(self._strategy.usage_at_ready()),
        }
        self._transport.write(encode(Kind.READY, 0, json.dumps(ready).encode()))

    def _close(self, farewell: bool) -> None:
        if self._closing is None:
            self._closing = self._loop.create_task(self._say_farewell(farewell))

    async def _say_farewell(self, farewell: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
        try:
            await asyncio.wait_for(self._leave(), CLOSING_S)
        except TimeoutError:
            print("subject.py: children did not leave in time", file=sys.stderr)
        except Exception as error:
            print(f"subject.py: close: {error}", file=sys.stderr)
        if farewell and self._strategy is not None:
            census = self._strategy.census
            stats = {"children_started": census.started, "children_peak": census.peak}
            self._transport.write(encode(Kind.STATS, 0, json.dumps(stats).encode()))
        self._hang_up()

    async def _leave(self) -> None:
        """Ends the children of a strategy that serves or is about to."""
        if self._strategy is not None:
            await self._strategy.close()
        elif self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])

    def _hang_up(self) -> None:
        """Ends once all is sent. A connection that is lost already is not lost again."""
        self._transport.close()
        if not self._connected:
            self._end()

    def fail(self, error: BaseException) -> None:
        """Tells the driver why this cannot go on, and ends."""
        reason = str(error) or repr(error)
        print(f"subject.py: {reason}", file=sys.stderr)
        self._exit_code = 1
        self._transport.write(encode(Kind.FAILED, 0, reason.encode()))
        self._hang_up()

    def on_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Nothing may go wrong in silence."""
        loop.default_exception_handler(context)
        self.fail(context.get("exception") or RuntimeError(context["message"]))
