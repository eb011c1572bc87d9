"""`fault`: misbehaves on purpose, so that every way a child can fail has a test."""

from __future__ import annotations

import os
import signal

from run import TaskError
from spec import Spec


class Failure:
    def __init__(self, kind: str) -> None:
        self._kind = kind

    def run(self, task: int, payload: bytes) -> tuple[int, bytes]:
        match self._kind:
            case "panic":
                raise RuntimeError("the task panicked")
            case "exit":
                os._exit(3)
            case "abort":
                os.abort()
            case "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "hang":
                while True:
                    signal.pause()
        raise TaskError("the fault workload fails as asked")


def prepare(spec: Spec) -> Failure:
    return Failure(spec.options["kind"])
