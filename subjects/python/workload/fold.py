"""FNV-1a, 64 bits, over numbers as little-endian 64-bit words."""

from __future__ import annotations

import struct

MASK64 = (1 << 64) - 1


def fold(numbers: list[int]) -> int:
    """Order matters; one number alone stays itself."""
    if len(numbers) == 1:
        return numbers[0]
    value = 0xCBF29CE484222325
    for byte in struct.pack(f"<{len(numbers)}Q", *numbers):
        value = ((value ^ byte) * 0x100000001B3) & MASK64
    return value
