"""`sleep`: takes a given time without using a core. The thread itself sleeps, as in every runtime:
`asyncio.sleep` would leave it to other requests, and `blocking` would not block."""

from __future__ import annotations

import time

from clock import now_ns
from spec import Spec, count


class Nap:
    def __init__(self, us: int) -> None:
        self._us = us

    def run(self, task: int, payload: bytes) -> tuple[int, bytes]:
        deadline = now_ns() + self._us * 1_000
        while (left := deadline - now_ns()) > 0:
            time.sleep(left / 1e9)
        return self._us, payload


def prepare(spec: Spec) -> Nap:
    draws = spec.options["draws"]
    if draws != "constant":
        raise ValueError(f"draws={draws} is drawn by the Rust subject only")
    return Nap(count(spec.options, "us"))
