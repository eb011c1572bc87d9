"""The fork server: a copy of the subject with one thread and the input loaded, that forks a child
per order. Orders and notices are messages over a socket; a child's own socket travels with its
order."""

from __future__ import annotations

import os
import pickle
import resource
import selectors
import signal
import socket
import sys
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from affinity import move_child
from clock import now_ns
from protocol import FrameReader, Stamps, encode, encode_reply
from protocol import Kind as FrameKind
from run import Input, run

if TYPE_CHECKING:
    from strategy import Setup


class Notice(NamedTuple):
    """`ready` (usage), `failed` (text), `refused` (slot, text) or `reaped` (slot, text, at)."""

    kind: str
    slot: int = 0
    text: str = ""
    at: int = 0
    usage: Any = None

    def encode(self) -> bytes:
        return pickle.dumps(tuple(self))

    @staticmethod
    def decode(message: bytes) -> Notice:
        return Notice(*pickle.loads(message)) if message else Notice("failed")


def encode_order(what: str, slot: int) -> bytes:
    return f"{what} {slot}".encode()


def serve_and_exit(orders: socket.socket, setup: Setup) -> NoReturn:
    """Serves orders until the subject hangs up. Never returns into the copied event loop."""
    code = 1
    try:
        move_child()
        setup.carry_ballast()
        input_ = prepare(setup)
        orders.send(Notice("ready", usage=resource.getrusage(resource.RUSAGE_SELF)).encode())
        Server(orders, input_).run()
        code = 0
    except BaseException as error:
        traceback.print_exc()
        orders.send(Notice("failed", text=str(error)).encode())
    finally:
        sys.stderr.flush()
        os._exit(code)


def prepare(setup: Setup) -> Input:
    input_ = setup.workload.prepare(setup.spec)
    # A workload that fails on purpose would take the server with it, and one that waits to be let
    # go would keep it from ever being ready.
    if setup.options["warm"] == "yes" and setup.spec.workload not in ("fault", "hold"):
        for task in range(setup.workload.tasks(setup.spec)):
            run(input_, task, bytes(setup.spec.payload_bytes))
    return input_


class Server:
    def __init__(self, orders: socket.socket, input_: Input) -> None:
        self._orders = orders
        self._input = input_
        self._selector = selectors.DefaultSelector()
        self._selector.register(orders, selectors.EVENT_READ)
        # Slot to process and its descriptor.
        self._children: dict[int, tuple[int, int]] = {}

    def run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is not None:
                    self._reap(key.data)
                elif not self._obey():
                    return self._end()

    def _obey(self) -> bool:
        """Takes one order; `False` when the subject has hung up."""
        message, fds, _, _ = socket.recv_fds(self._orders, 64, 1)
        if not message:
            return False
        what, slot = message.decode().split()
        if what == "fork":
            self._fork(int(slot), fds[0])
            os.close(fds[0])
        elif int(slot) in self._children:
            kill(self._children[int(slot)][0])
        return True

    def _fork(self, slot: int, fd: int) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            self._orders.send(Notice("refused", slot, str(error)).encode())
            return
        if pid == 0:
            child_start = now_ns()
            os.setpgid(0, 0)
            answer_and_exit(fd, self._input, child_start)
        pidfd = os.pidfd_open(pid)
        self._selector.register(pidfd, selectors.EVENT_READ, slot)
        self._children[slot] = pid, pidfd

    def _reap(self, slot: int) -> None:
        pid, pidfd = self._children.pop(slot)
        _, status = os.waitpid(pid, 0)
        at = now_ns()
        self._selector.unregister(pidfd)
        os.close(pidfd)
        code = os.waitstatus_to_exitcode(status)
        how = f"exited with {code}" if code >= 0 else f"was ended by signal {-code}"
        self._orders.send(Notice("reaped", slot, how, at).encode())

    def _end(self) -> None:
        for pid, _ in self._children.values():
            kill(pid)
            os.waitpid(pid, 0)


def kill(pid: int) -> None:
    """A child leads its own group, unless it has not come that far yet."""
    for end in (os.killpg, os.kill):
        try:
            return end(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def answer_and_exit(fd: int, input_: Input, child_start: int) -> NoReturn:
    """Answers the one task that is in its socket."""
    code = 1
    try:
        # Neither the server's sockets nor the other children's are this one's.
        os.closerange(3, fd)
        os.closerange(fd + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        with socket.socket(fileno=fd) as conn:
            reader = FrameReader()
            while not (frames := reader.push(conn.recv(262_144))):
                pass
            frame = frames[0]
            ran = run(input_, frame.flags, frame.body)
            if ran.outcome == "crash":
                raise SystemExit(ran.body.decode())
            stamps = Stamps(0, child_start, ran.work_start, ran.work_end)
            reply = encode_reply(ran.checksum, 0, stamps, 0, os.getpid())
            conn.sendall(
                encode(
                    FrameKind.REPLY,
                    frame.id,
                    reply,
                    ran.body,
                    outcome=ran.outcome,
                    flags=frame.flags,
                )
            )
        code = 0
    except SystemExit as error:
        print(f"subject.py: {error}", file=sys.stderr, flush=True)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)
