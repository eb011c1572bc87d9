"""`hold`: says that it is there, and stays until the driver lets it go, so that the memory of its
child can be read. Two named pipes in the folder that is the input are the barrier."""

from __future__ import annotations

import os
from pathlib import Path

from ballast import touched, write_to_carried
from run import TaskError
from spec import Spec, count

MIB = 1 << 20


class Barrier:
    def __init__(self, dir_: Path, touch_mib: int, write_mib: int) -> None:
        self._dir = dir_
        self._touch_mib = touch_mib
        self._write_mib = write_mib

    def run(self, task: int, payload: bytes) -> tuple[int, bytes]:
        kept = touched(self._touch_mib * MIB)
        write_to_carried(self._write_mib * MIB)
        self._wait()
        return len(kept) // MIB, b""

    def _wait(self) -> None:
        with open(self._dir / "release", "rb", buffering=0) as release:
            # In one write, so that lines of many tasks do not mix.
            with open(self._dir / "arrived", "wb", buffering=0) as arrived:
                arrived.write(b"%d\n" % os.getpid())
            if not release.read(1):
                raise TaskError("the driver that held this task is gone")


def prepare(spec: Spec) -> Barrier:
    options = spec.options
    return Barrier(Path(options["input"]), count(options, "touch_mib"), count(options, "write_mib"))
