"""All that decides what a request does, and its form as arguments of a program."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Spec(NamedTuple):
    workload: str
    size: str
    seed: int
    payload_bytes: int
    options: dict[str, str]

    def to_args(self) -> list[str]:
        options = [f"{name}={value}" for name, value in self.options.items()]
        return [self.workload, self.size, str(self.seed), str(self.payload_bytes), *options]

    @staticmethod
    def from_args(args: list[str]) -> Spec:
        if len(args) < 4:
            raise ValueError(f"expected WORKLOAD SIZE SEED PAYLOAD_BYTES, got {args}")
        workload, size, seed, payload_bytes, *options = args
        pairs = (pair.partition("=") for pair in options)
        return Spec(
            workload, size, int(seed), int(payload_bytes), {name: value for name, _, value in pairs}
        )

    def pick(self, s: T, m: T, l: T) -> T:  # noqa: E741
        """The one of three values that belongs to the size."""
        return {"s": s, "m": m, "l": l}[self.size]


def count(options: dict[str, str], name: str) -> int:
    """A whole number out of the options."""
    try:
        return int(options[name])
    except ValueError:
        text = options[name]
        raise ValueError(f"option `{name}` is `{text}`; expected a whole number") from None
