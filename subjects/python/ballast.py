"""Memory that this process carries around, touched page by page; a forked copy inherits it."""

from __future__ import annotations

PAGE_BYTES = 4096

_carried = bytearray()


def carry(length: int) -> None:
    """Carries this much from now on."""
    global _carried
    _carried = touched(length)


def touched(length: int) -> bytearray:
    """Fresh memory, each page of it written to."""
    memory = bytearray(length)
    _write_pages(memory, length)
    return memory


def write_to_carried(length: int) -> None:
    """Writes to each page of the first `length` bytes of what is carried, or of all of it if that
    is less."""
    _write_pages(_carried, min(length, len(_carried)))


def _write_pages(memory: bytearray, length: int) -> None:
    pages = range(0, length, PAGE_BYTES)
    memory[:length:PAGE_BYTES] = bytes((memory[at] + 1) & 0xFF for at in pages)
