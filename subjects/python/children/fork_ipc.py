"""The process of one task, for the strategy `fork-ipc`."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection

from affinity import move_child
from clock import now_ns
from spec import Spec


def work(conn: Connection, spec: Spec) -> None:
    child_start = now_ns()
    move_child()
    # What the task itself needs is loaded here, in the phase `load`.
    import workload
    from run import run

    input_ = workload.by_name(spec.workload).prepare(spec)
    task, payload = conn.recv()
    ran = run(input_, task, payload)
    if ran.outcome == "crash":
        raise SystemExit(ran.body.decode())
    conn.send((ran, child_start, os.getpid()))
    conn.close()
