#!/usr/bin/env python3
"""A subject that misbehaves on purpose, apart from that a right one for `noop` without payload.
How is its argument; on standard error it says so last."""

import json
import os
import struct
import sys
import time

HOW = sys.argv[1]
HEADER = struct.Struct("<IBBHQ")
CONFIGURE, READY, RUN, REPLY, LIGHT, STOP, STATS = 1, 2, 3, 4, 6, 9, 10
# Each breaks the order of stamps at another place: which of the six, and by how much in ns.
STAMPED = {
    "accepted-before-sent": (0, -10**9),
    "dispatched-before-accepted": (1, -10**9),
    "started-before-dispatched": (2, -10**9),
    "worked-before-started": (3, -10**9),
    "ended-before-begun": (4, -10**9),
    "replied-before-ended": (5, -10**9),
    "replied-in-the-future": (5, 10**9),
}
FLAG_MORE = 1


def read(length):
    data = b""
    while len(data) < length:
        piece = os.read(0, length - len(data))
        if not piece:
            sys.exit(0)
        data += piece
    return data


def send(kind, id_, body):
    os.write(0, HEADER.pack(len(body), kind, 0, 0, id_) + body)


def reply(id_):
    stamps = [time.monotonic_ns()] * 6
    if HOW in STAMPED:
        place, by = STAMPED[HOW]
        stamps[place] += by
    if HOW == "all-in-the-past":
        stamps = [1] * 6
    send(REPLY, id_, struct.pack("<7QI", 0, *stamps, os.getpid()))


def light(id_):
    now = time.monotonic_ns()
    match HOW:
        case "light-without-stamps":
            send(LIGHT, id_, b"")
        case "light-in-the-past":
            send(LIGHT, id_, struct.pack("<2Q", 1, now))
        case "light-in-the-future":
            send(LIGHT, id_, struct.pack("<2Q", now, now + 10**9))
        case "light-as-another":
            send(LIGHT, id_ + 1, struct.pack("<2Q", now, now))
        case _:
            send(LIGHT, id_, struct.pack("<2Q", now, now))


def ready():
    usage = dict.fromkeys(
        "cpu_user_ns cpu_system_ns faults_minor faults_major ctx_voluntary ctx_involuntary".split(),
        0,
    )
    if HOW == "other-clock":
        now = time.time_ns()
    else:
        now = time.monotonic_ns()
    told = {
        "runtime": "misbehaving",
        "versions": {},
        "pid": os.getpid(),
        "now_ns": now,
        "tasks": 1,
        "strategy_options": {},
        "reaps": False,
        "usage": usage,
    }
    if HOW == "dribble-ready":
        dribble(READY, 0)
    body = b"not JSON" if HOW == "unreadable-ready" else json.dumps(told).encode()
    send(READY, 0, body)


def dribble(kind, id_):
    """A frame of 60 MB that comes a byte at a time."""
    os.write(0, HEADER.pack(60_000_000, kind, 0, 0, id_))
    while True:
        os.write(0, b"x")
        time.sleep(0.01)


def announce(id_):
    """Says again and again that the request was accepted."""
    while True:
        body = struct.pack("<7QI", 0, *[time.monotonic_ns()] * 6, os.getpid())
        os.write(0, HEADER.pack(len(body), REPLY, 0, FLAG_MORE, id_) + body)
        time.sleep(0.01)


def run(id_):
    match HOW:
        case "dribble":
            dribble(REPLY, id_)
        case "announce":
            announce(id_)
        case "dribble-later" if id_ > 20:
            dribble(REPLY, id_)
        case "exit-later" if id_ > 20:
            sys.exit(3)
        case "hang-later" if id_ == 40:
            # The others go on: this one is never answered.
            return
        case "exit":
            sys.exit(3)
        case "silent":
            time.sleep(1_000)
        case "answer-twice":
            reply(id_)
            reply(id_)
        case "unknown-request":
            reply(id_ + 1_000)
        case "oversized":
            os.write(0, HEADER.pack(0xFFFF_FFFF, REPLY, 0, 0, id_))
        case "garbage":
            os.write(0, b"this is no frame, whichever way it is read")
        case "truncated":
            os.write(0, HEADER.pack(64, REPLY, 0, 0, id_) + b"cut")
            sys.exit(0)
        case "close":
            os.close(0)
            time.sleep(1_000)
        case "print":
            print("hello", flush=True)
            reply(id_)
        case "flood-stderr":
            for _ in range(100):
                print("there is no end to this " * 20, file=sys.stderr)
            print("said last: flood-stderr", file=sys.stderr, flush=True)
            reply(id_)
        case _:
            reply(id_)


def stop():
    if HOW == "stop-and-hang":
        time.sleep(1_000)
    if HOW != "stop-without-stats":
        send(STATS, 0, b'{"children_started": 0, "children_peak": 0}')
    sys.exit(4 if HOW == "stop-and-fail" else 0)


def main():
    print(f"said last: {HOW}", file=sys.stderr, flush=True)
    if HOW == "exit-early":
        sys.exit(3)
    while True:
        length, kind, _, _, id_ = HEADER.unpack(read(HEADER.size))
        read(length)
        {CONFIGURE: lambda id_: ready(), RUN: run, LIGHT: light, STOP: lambda id_: stop()}[kind](id_)


main()
