"""The clock of all processes of this machine: CLOCK_MONOTONIC, in nanoseconds."""

from time import monotonic_ns as now_ns

__all__ = ["now_ns"]
