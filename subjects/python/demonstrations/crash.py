"""A worker crashes. Does the server survive, what becomes of the requests that others are working
on, and how long does it take until a new worker gives a right answer? The server is a child of this
program, because some of what happens to a worker happens to it as well. Where the server is gone,
starting another is part of the time to recover."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import queue
import resource
import sys
import threading
import time
from multiprocessing.connection import Connection
from typing import NoReturn

from say import say

HOW = ("abort", "segfault", "panic", "exit", "out-of-memory")
OTHERS = 3
HEADROOM_BYTES = 64 << 20
# How many numbers below 1000 are primes: what a worker is asked, and what is right.
RIGHT = 168

# The quickest way there is to a worker; neither main nor a server of processes has threads.
context = multiprocessing.get_context("fork")


def show(where: str, how: str) -> None:
    of = f"{where}/{how}"
    read, signs = os.pipe()
    server = Server(where, signs)
    in_flight = server.told("begin")
    answer = server.told(how)
    survives = answer is not None
    answered = 0
    if survives:
        recovered_ns = right(answer)
        answered = server.told("finish")
        server.end()
    else:
        server.process.join()
        following = Server(where, signs)
        recovered_ns = right(following.told("answer"))
        following.end()
    os.close(signs)
    with open(read, "rb") as file:
        last_sign_ns = int(file.read().split()[-1])
    say(of, "main_survives", survives)
    say(of, "others_in_flight", in_flight)
    say(of, "others_lost", in_flight - answered)
    say(of, "recovery_ms", (recovered_ns - last_sign_ns) / 1e6, "ms")


def right(answer: int | None) -> int:
    """The time at which a right answer was here."""
    now_ns = time.monotonic_ns()
    if answer != RIGHT:
        raise SystemExit(f"a new worker answered {answer} instead of {RIGHT}")
    return now_ns


class Server:
    """A server, as it is seen from outside."""

    def __init__(self, where: str, signs: int) -> None:
        self.conn, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(where, theirs, signs))
        self.process.start()
        theirs.close()

    def told(self, order: str) -> int | None:
        """What it says to an order; `None` if it is gone instead."""
        try:
            self.conn.send(order)
            return self.conn.recv()
        except (EOFError, ConnectionError):
            return None

    def end(self) -> None:
        self.conn.send("end")
        self.process.join()


def serve(where: str, conn: Connection, signs: int) -> None:
    kind = ProcessWorker if where == "process" else ThreadWorker
    workers = [kind(signs) for _ in range(OTHERS + 1)]
    *others, victim = workers
    while (order := conn.recv()) != "end":
        if order == "begin":
            begun = [worker.ask("begin") for worker in workers]
            conn.send(begun.count(True) - 1)
        elif order == "finish":
            answers = [worker.ask("answer") for worker in others]
            conn.send(sum(answer is not None for answer in answers))
        else:
            if order != "answer":
                # Comes back only when the worker has ended.
                victim.ask(order)
            workers.append(kind(signs))
            conn.send(workers[-1].ask("answer"))
    for worker in workers:
        worker.end()


class ProcessWorker:
    def __init__(self, signs: int) -> None:
        self.conn, theirs = context.Pipe()
        # Ends with its server, whatever ends that.
        self.process = context.Process(target=self.run, args=(theirs, signs), daemon=True)
        self.process.start()
        theirs.close()

    @staticmethod
    def run(conn: Connection, signs: int) -> None:
        while (order := conn.recv()) != "end":
            conn.send(work(order, signs))

    def ask(self, order: str) -> object:
        self.conn.send(order)
        try:
            return self.conn.recv()
        except (EOFError, ConnectionError):
            self.process.join()
            return None

    def end(self) -> None:
        if self.process.is_alive():
            self.conn.send("end")
            self.process.join()


class ThreadWorker:
    def __init__(self, signs: int) -> None:
        self.orders: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self.run, args=(signs,))
        self.thread.start()

    def run(self, signs: int) -> None:
        try:
            while (order := self.orders.get()) != "end":
                self.answers.put(work(order, signs))
        finally:
            # Nobody else would say that a thread has ended.
            self.answers.put(None)

    def ask(self, order: str) -> object:
        self.orders.put(order)
        answer = self.answers.get()
        if answer is None:
            # What it held is free only when it is gone.
            self.thread.join()
        return answer

    def end(self) -> None:
        self.orders.put("end")
        self.thread.join()


def work(order: str, signs: int) -> object:
    match order:
        case "begin":
            return True
        case "answer":
            return sum(is_prime(n) for n in range(1000))
        case how:
            crash(how, signs)


def crash(how: str, signs: int) -> NoReturn:
    sign_of_life(signs)
    match how:
        case "abort":
            os.abort()
        case "segfault":
            ctypes.string_at(0)
        case "exit":
            sys.exit(3)
        case "out-of-memory":
            fill_memory(signs)
    raise RuntimeError("an exception that nobody catches")


def fill_memory(signs: int) -> NoReturn:
    """A megabyte after the other, until there is none: Python's heap has no limit, so the process
    gets one."""
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + HEADROOM_BYTES, hard))
    kept = []
    while True:
        kept.append(bytearray(1 << 20))
        sign_of_life(signs)


def sign_of_life(signs: int) -> None:
    """The time, at once: what is said later may never be."""
    os.write(signs, b"%d\n" % time.monotonic_ns())


def is_prime(n: int) -> bool:
    return n >= 2 and all(n % d for d in range(2, int(n**0.5) + 1))


for where in ("process", "thread"):
    for how in HOW:
        show(where, how)
