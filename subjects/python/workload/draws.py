"""xoshiro128++ seeded through SplitMix64: the generator that every runtime can reproduce."""

from __future__ import annotations

from collections.abc import Iterator

MASK32 = (1 << 32) - 1
MASK64 = (1 << 64) - 1


def _seeded(seed: int) -> list[int]:
    words = []
    state = seed
    for _ in range(2):
        state = (state + 0x9E3779B97F4A7C15) & MASK64
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
        z ^= z >> 31
        words += [z & MASK32, z >> 32]
    return words


def draws(seed: int) -> Iterator[int]:
    """Draws from 0 to 2^32 - 1, without end."""
    s0, s1, s2, s3 = _seeded(seed)
    while True:
        total = (s0 + s3) & MASK32
        yield (((total << 7) & MASK32 | (total >> 25)) + s0) & MASK32
        shifted = (s1 << 9) & MASK32
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = (s3 << 11) & MASK32 | (s3 >> 21)
