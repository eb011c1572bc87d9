"""The integer loop of workloads that are a fixed count of steps."""

from __future__ import annotations


def mix(state: int, steps: int) -> int:
    """`steps` rounds of shift, multiply, add in 32 bits, each needing the one before."""
    for step in range(steps):
        state = ((state ^ (state >> 15)) * 0x2C1B3C6D + step) & 0xFFFFFFFF
    return state
