"""A fact is a line of JSON on standard output. It is written at once, so that what has been said
stays said, however the program ends."""

from __future__ import annotations

import json
import os


def say(of: str, fact: str, value: float | None, unit: str = "", text: str = "") -> None:
    """`value` is a number, or whether something is so."""
    number = int(value) if isinstance(value, bool) else value
    line = {"case": of, "fact": fact, "value": number, "unit": unit, "text": text}
    os.write(1, f"{json.dumps(line)}\n".encode())
