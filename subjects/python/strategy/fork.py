"""`fork`: `os.fork` without exec, per task, from a warm helper that has one thread. The copy answers
over its own socket and leaves through `os._exit`."""

from __future__ import annotations

import os
import signal
import socket

from children import fork_server
from clock import now_ns
from protocol import FrameError, FrameReader, Kind, REPLY, Stamps, encode
from requests import Done, TaskId
from strategy import Census, Jobs, Setup

REAPS = True


class Job:
    def __init__(self, id_: TaskId, slot: int, dispatched: int, sock: socket.socket) -> None:
        self.id = id_
        self.slot = slot
        self.dispatched = dispatched
        self.socket: socket.socket | None = sock
        self.reader = FrameReader()
        self.outgoing = memoryview(b"")
        self.answered = False


class Forked:
    def __init__(self, setup: Setup, orders: socket.socket, helper: int) -> None:
        self.census = Census()
        self._setup = setup
        self._loop = setup.loop
        self._orders = orders
        self._helper = helper
        self._jobs = Jobs()
        self._slots: dict[int, Job] = {}
        self._closing = False

    async def until_ready(self) -> None:
        """The helper's first notice says that it is ready, or why not."""
        self._orders.setblocking(False)
        notice = fork_server.Notice.decode(await self._loop.sock_recv(self._orders, 4096))
        if notice.kind != "ready":
            raise RuntimeError(notice.text or "the fork server ended before it was ready")
        self._used = notice.usage
        self._loop.add_reader(self._orders, self._hear)

    def begin(self, id_: TaskId, payload: bytes) -> None:
        slot = self.census.started
        dispatched = now_ns()
        try:
            ours, theirs = socket.socketpair()
            with theirs:
                ours.setblocking(False)
                job = Job(id_, slot, dispatched, ours)
                job.outgoing = memoryview(encode(Kind.RUN, id_.request, payload, flags=id_.task))
                # The task is in the socket before the child exists, so that it need not wait.
                self._write(job)
                order = fork_server.encode_order("fork", slot)
                socket.send_fds(self._orders, [order], [theirs.fileno()])
        except OSError as error:
            reason = f"make a socket for a forked child: {error}".encode()
            return self._setup.done(Done(id_, "rejected", 0, reason, Stamps(), 0))
        self.census.born()
        self._jobs.add(id_, job)
        self._slots[slot] = job
        return self._loop.add_reader(ours, self._read, job)

    def _write(self, job: Job) -> None:
        try:
            sent = job.socket.send(job.outgoing)
        except BlockingIOError:
            sent = 0
        except OSError:
            # A child that is gone shows in how it ended.
            sent = len(job.outgoing)
        job.outgoing = job.outgoing[sent:]
        if job.outgoing:
            self._loop.add_writer(job.socket, self._write, job)
        else:
            self._loop.remove_writer(job.socket)

    def _read(self, job: Job) -> None:
        while job.socket is not None:
            try:
                piece = job.socket.recv(262_144)
                frames = job.reader.push(piece)
            except BlockingIOError:
                return
            except FrameError as error:
                return self._fail(job, "app_error", f"the child sent {error}")
            except OSError:
                piece, frames = b"", []
            if frames:
                return self._answer(job, frames[0])
            if not piece:
                # Why it closed is told by how it ended.
                return self._hang_up(job)

    def _answer(self, job: Job, frame) -> None:
        checksum, _, _, child_start, work_start, work_end, _, pid = REPLY.unpack_from(frame.body)
        body = frame.body[REPLY.size :]
        stamps = Stamps(job.dispatched, child_start, work_start, work_end)
        self._done(job, Done(job.id, frame.outcome, checksum, body, stamps, pid, True))

    def _fail(self, job: Job, outcome: str, reason: str) -> None:
        stamps = Stamps(job.dispatched)
        self._done(job, Done(job.id, outcome, 0, reason.encode(), stamps, 0, True))

    def _done(self, job: Job, done: Done) -> None:
        if not job.answered:
            job.answered = True
            self._setup.done(done)
        self._hang_up(job)

    def _hang_up(self, job: Job) -> None:
        if job.socket is not None:
            self._loop.remove_reader(job.socket)
            self._loop.remove_writer(job.socket)
            job.socket.close()
            job.socket = None

    def _hear(self) -> None:
        while True:
            try:
                message = self._orders.recv(4096)
            except BlockingIOError:
                return
            if not message:
                self._loop.remove_reader(self._orders)
                if not self._closing:
                    # It has closed its end, so it has ended or is about to.
                    code = os.waitstatus_to_exitcode(os.waitpid(self._helper, 0)[1])
                    how = f"exited with {code}" if code >= 0 else f"was ended by signal {-code}"
                    self._setup.broken(RuntimeError(f"the fork server {how}"))
                return
            notice = fork_server.Notice.decode(message)
            job = self._slots.pop(notice.slot)
            self.census.gone()
            if notice.kind == "refused":
                if not job.answered:
                    job.answered = True
                    reason = f"fork: {notice.text}".encode()
                    self._setup.done(Done(job.id, "rejected", 0, reason, Stamps(), 0))
            else:
                self._read(job)
                self._fail(job, "crash", f"the child {notice.text} before it had answered")
                self._setup.reaped(job.id, notice.at)
            self._hang_up(job)
            self._jobs.remove(job.id)

    def expire(self, id_: TaskId) -> None:
        if (job := self._jobs.by_id.get(id_)) is not None:
            job.answered = True
            self._hang_up(job)
            try:
                self._orders.send(fork_server.encode_order("kill", job.slot))
            except OSError:
                # The server is gone, which is about to be heard.
                pass

    async def close(self) -> None:
        self._closing = True
        for job in list(self._jobs.by_id.values()):
            self.expire(job.id)
        await self._jobs.until_empty()
        self._loop.remove_reader(self._orders)
        self._orders.close()
        # It has no children any more and leaves at once.
        os.waitpid(self._helper, 0)

    def usage_at_ready(self) -> list:
        return [self._used]


async def start(setup: Setup) -> Forked:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    helper = os.fork()
    if helper == 0:
        ours.close()
        os.close(setup.driver_fd)
        # Not the subject's: a signal ends this process.
        signal.set_wakeup_fd(-1)
        fork_server.serve_and_exit(theirs, setup)
    theirs.close()
    forked = Forked(setup, ours, helper)
    await forked.until_ready()
    return forked
