"""What one request does. Each workload is one file and one line here.

A workload has `prepare(spec)` giving an input with `run(task, payload)`; `tasks`, `join` and
`ACCEPTS_EARLY` are those below where it does not say otherwise, `PACKAGES` are what it needs, and
`calibrate` is of one whose work is counted in a unit that is measured.
An input may have `examine()`, which proves in other ways than by a checksum that its answer is
right.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import NamedTuple

from run import Input
from spec import Spec
from workload.fold import fold

NAMES = (
    "noop",
    "random-sum",
    "random-sum-native",
    "primes",
    "image",
    "analytics",
    "orders",
    "spin",
    "sleep",
    "hold",
    "fault",
)


class Workload(NamedTuple):
    prepare: Callable[[Spec], Input]
    tasks: Callable[[Spec], int]
    join: Callable[[list[int]], int]
    ACCEPTS_EARLY: bool
    PACKAGES: tuple[str, ...]
    calibrate: Callable[[], int] | None


def by_name(name: str) -> Workload:
    """The workload of this name; only its own file is loaded."""
    if name not in NAMES:
        raise ValueError(f"unknown workload `{name}`")
    module = importlib.import_module(f"workload.{name.replace('-', '_')}")
    return Workload(
        module.prepare,
        getattr(module, "tasks", lambda spec: 1),
        getattr(module, "join", fold),
        getattr(module, "ACCEPTS_EARLY", False),
        getattr(module, "PACKAGES", ()),
        getattr(module, "calibrate", None),
    )
