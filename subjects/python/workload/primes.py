"""`primes`: the study notes' trial division, whole or in chunks over tasks. Contiguous chunks are
half-open and the last one ends at the limit itself; interleaved ones are every k-th odd number,
and 2 for the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from spec import Spec, count


def tasks(spec: Spec) -> int:
    return count(spec.options, "chunks")


def join(counts: list[int]) -> int:
    """The whole's count is the sum of the chunks' counts."""
    return sum(counts)


class Candidates:
    def __init__(self, limit: int, chunks: int, chunk: Callable[[int, int, int], int]) -> None:
        self._limit = limit
        self._chunks = chunks
        self._chunk = chunk

    def run(self, task: int, payload: bytes) -> tuple[int, bytes]:
        return self._chunk(self._limit, self._chunks, task), b""


def prepare(spec: Spec) -> Candidates:
    limit = spec.pick(10_000, 100_000, 1_000_000)
    chunk = interleaved if spec.options["split"] == "interleaved" else contiguous
    return Candidates(limit, tasks(spec), chunk)


def contiguous(limit: int, chunks: int, chunk: int) -> int:
    length = -(-limit // chunks)
    start = min(chunk * length, limit)
    end = min(start + length, limit)
    return count_primes(range(start + 1, end + 1))


def interleaved(limit: int, chunks: int, chunk: int) -> int:
    two = int(chunk == 0 and limit >= 2)
    return two + count_primes(range(3 + 2 * chunk, limit + 1, 2 * chunks))


def count_primes(candidates: Iterable[int]) -> int:
    return sum(map(is_prime, candidates))


def is_prime(n: int) -> bool:
    """Trial division by every number from 2 to the root, even ones included, as the notes do
    it."""
    if n < 2:
        return False
    d = 2
    while d * d <= n:
        if n % d == 0:
            return False
        d += 1
    return True
